#include "mailout/build.h"

#include <gmime/gmime.h>
#include <string.h>
#include <sys/random.h>

#include "common/html_text.h"
#include "mailout/build_part.h"
#include "mailout/header.h"

enum {
	BOUNDARY_RANDOM = 12, /* bytes: nobody guesses 96 bits, and the field fits on a line */
	SUBJECT_MAX = 4000,   /* bytes of a rendered one, as of a request's */
	DATE_SIZE = 48,
	HEADER_ROOM = 4096,
	BASE64_LINE_IN = 57,
	BASE64_LINE_OUT = 78, /* with CRLF */
};

/* What is being built. */
struct build {
	const struct build_input *input;
	const struct request *request;
	const char *subject;
	const char *text; /* NULL: there is none */
	const char *html;
	char *text_of_html;
	char boundary[2 * BOUNDARY_RANDOM + 1];
	unsigned int multiparts;
	enum outcome outcome;
	struct reason *reason;
};

void build_init(void)
{
	g_mime_init();
	build_part_init();
}

/* ---- texts ---- */

/* The text part of a message that has HTML only. */
static enum outcome make_text(struct build *build)
{
	size_t max = (size_t)build->input->config->limits.body_bytes;
	bool cut = false;

	if (!html_text_begin())
		return outcome_retry(build->reason, "4.3.5", "libxml2 cannot be loaded");
	build->text_of_html = html_to_text(build->html, strlen(build->html), max, &cut);
	if (build->text_of_html == NULL)
		return outcome_retry(build->reason, "4.3.0", "no text can be made of HTML");
	if (cut)
		return outcome_reject(
			build->reason, "5.6.0",
			"no text can be made of this HTML within limits.body_bytes and "
			"a second: it needs a text part of its own");
	build->text = build->text_of_html;
	return OUTCOME_OK;
}

static enum outcome choose_texts(struct build *build)
{
	const struct rendered *rendered = build->input->rendered;

	if (build->request->has_thread && build->request->reply_to.count == 0)
		return outcome_retry(build->reason, "4.3.0",
				     "ReplyTo.Thread: the thread was not looked up");
	build->subject = rendered != NULL ? rendered->subject : build->request->subject;
	build->text = rendered != NULL ? rendered->text : build->request->text_body;
	build->html = rendered != NULL ? rendered->html : build->request->html_body;
	if (build->html != NULL && *build->html == '\0')
		build->html = NULL;
	if (build->subject == NULL || !header_is_line(build->subject))
		return outcome_reject(build->reason, "5.6.0", "Subject: no single line");
	if (strlen(build->subject) > SUBJECT_MAX)
		return outcome_reject(build->reason, "5.6.0", "Subject: %zu bytes, more than %d",
				      strlen(build->subject), SUBJECT_MAX);
	if (build->html != NULL && build->text == NULL)
		return make_text(build);
	return OUTCOME_OK;
}

/* ---- header ---- */

static void add_addresses(GString *out, const char *name, const struct address *addresses,
			  size_t count)
{
	if (count == 0)
		return;
	struct header_mailbox *mailboxes = g_new(struct header_mailbox, count);

	for (size_t i = 0; i < count; i++)
		mailboxes[i] = (struct header_mailbox){addresses[i].name, addresses[i].email};
	header_mailboxes(out, name, mailboxes, count);
	g_free(mailboxes);
}

/* RFC 5322, 3.3. */
static void add_date(GString *out, int64_t seconds)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t time = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&time, &tm) == NULL)
		return;
	g_string_append_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
			       tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
			       tm.tm_min, tm.tm_sec);
}

bool build_is_automatic(const struct request *request, const struct rendered *rendered)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (g_ascii_strcasecmp(request->headers[i].name, "Auto-Submitted") == 0)
			return g_ascii_strncasecmp(request->headers[i].value, "no", strlen("no")) !=
			       0;
	return rendered != NULL && rendered->auto_submitted;
}

/* So that it is known when it comes back: mailpipe.conf(5), ACKNOWLEDGEMENTS AND LOOPS. */
static void add_loop(GString *out, const struct build *build)
{
	g_autofree char *loop = config_loop(build->input->config);

	if (build_is_automatic(build->input->request, build->input->rendered))
		header_words(out, "X-Loop", loop);
}

/* RFC 2369, and RFC 8058 for the one click. */
static void add_unsubscribe(GString *out, const struct request *request)
{
	bool url = *request->unsubscribe_url != '\0';
	bool mailto = *request->unsubscribe_mailto != '\0';

	if (!url && !mailto)
		return;
	g_autoptr(GString) value = g_string_new(NULL);

	if (url)
		g_string_append_printf(value, "<%s>", request->unsubscribe_url);
	if (mailto)
		g_string_append_printf(value, "%s<%s>", url ? ", " : "",
				       request->unsubscribe_mailto);
	header_words(out, "List-Unsubscribe", value->str);
	if (url)
		header_words(out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
}

static GString *make_header(const struct build *build)
{
	const struct request *request = build->request;
	const struct rendered *rendered = build->input->rendered;
	g_autofree char *id = build_message_id(request, request->from.email);
	g_autofree char *bracketed = g_strdup_printf("<%s>", id);
	GString *out = g_string_sized_new(HEADER_ROOM);

	add_date(out, build->input->date);
	add_addresses(out, "From", &request->from, 1);
	add_addresses(out, "Reply-To", request->reply_to.item, request->reply_to.count);
	add_addresses(out, "To", request->to.item, request->to.count);
	add_addresses(out, "Cc", request->cc.item, request->cc.count);
	/* Some servers add a To or Bcc of their own to a message without any. */
	if (request->to.count == 0 && request->cc.count == 0)
		header_words(out, "To", "undisclosed-recipients:;");
	header_unstructured(out, "Subject", build->subject);
	header_words(out, "Message-ID", bracketed);
	if (rendered != NULL && rendered->auto_submitted &&
	    !request_has_header(request, "Auto-Submitted"))
		header_words(out, "Auto-Submitted", "auto-generated");
	add_unsubscribe(out, request);
	for (size_t i = 0; i < request->header_count; i++)
		header_words(out, request->headers[i].name, request->headers[i].value);
	add_loop(out, build);
	header_words(out, "MIME-Version", "1.0");
	return out;
}

char *build_message_id(const struct request *request, const char *from_email)
{
	char text[ID_TEXT_SIZE];
	const char *at = strrchr(from_email, '@');

	return g_strdup_printf("%s@%s", id_text(&request->id, text),
			       at != NULL ? at + 1 : "localhost");
}

/* ---- structure ---- */

/* 96 random bits cannot stand in anybody's content; GMime's own boundaries come from rand(),
 * seeded with the time. */
static bool make_boundary(struct build *build)
{
	unsigned char random[BOUNDARY_RANDOM];

	if (build->input->boundary != NULL) {
		g_strlcpy(build->boundary, build->input->boundary, sizeof(build->boundary));
		return true;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	for (size_t i = 0; i < sizeof(random); i++)
		g_snprintf(build->boundary + 2 * i, 3, "%02x", random[i]);
	return true;
}

static GMimeMultipart *new_multipart(struct build *build, const char *subtype)
{
	GMimeMultipart *multipart = g_mime_multipart_new_with_subtype(subtype);
	/* "=_" stands in no quoted-printable and no base64. */
	g_autofree char *boundary =
		g_strdup_printf("=_%s-%u", build->boundary, ++build->multiparts);

	g_mime_multipart_set_boundary(multipart, boundary);
	return multipart;
}

/* Takes the part. */
static void add(GMimeMultipart *multipart, GMimeObject *part)
{
	g_mime_multipart_add(multipart, part);
	g_object_unref(part);
}

static bool is_inline(const struct build *build, const char *content_id)
{
	return build->html != NULL && content_id != NULL &&
	       build_html_refers(build->html, content_id);
}

static void add_image(GMimeMultipart *related, const struct inline_image *image)
{
	const struct build_file file = {
		.name = image->content_id,
		.content_type = image->content_type,
		.content_id = image->content_id,
		.data = image->data,
		.size = image->size,
		.is_inline = true,
	};

	add(related, build_file(&file));
}

static void add_attachment(GMimeMultipart *multipart, const struct request_attachment *attachment,
			   bool inside)
{
	const struct build_file file = {
		.name = attachment->name,
		.content_type = attachment->content_type,
		.content_id = attachment->content_id,
		.data = attachment->data,
		.size = attachment->size,
		.is_inline = inside,
	};

	add(multipart, build_file(&file));
}

/* The attachments that HTML refers to, or the others. */
static size_t add_attachments(struct build *build, GMimeMultipart *multipart, bool inside)
{
	const struct request *request = build->request;
	size_t count = 0;

	for (size_t i = 0; i < request->attachment_count; i++) {
		const struct request_attachment *attachment = &request->attachments[i];

		if (is_inline(build, attachment->content_id) != inside)
			continue;
		if (multipart != NULL)
			add_attachment(multipart, attachment, inside);
		count++;
	}
	return count;
}

/* HTML, with the images that it shows. */
static GMimeObject *html_part(struct build *build)
{
	const struct rendered *rendered = build->input->rendered;
	size_t images = rendered != NULL ? rendered->image_count : 0;

	if (images == 0 && add_attachments(build, NULL, true) == 0)
		return build_text("html", build->html);
	GMimeMultipart *related = new_multipart(build, "related");

	/* RFC 2387, 3.1. */
	g_mime_object_set_content_type_parameter(GMIME_OBJECT(related), "type", "text/html");
	add(related, build_text("html", build->html));
	for (size_t i = 0; i < images; i++)
		add_image(related, &rendered->images[i]);
	add_attachments(build, related, true);
	return GMIME_OBJECT(related);
}

static GMimeObject *body_part(struct build *build)
{
	if (build->html == NULL)
		return build_text("plain", build->text != NULL ? build->text : "");
	GMimeMultipart *alternative = new_multipart(build, "alternative");

	/* The better one comes last (RFC 2046, 5.1.4). */
	add(alternative, build_text("plain", build->text));
	add(alternative, html_part(build));
	return GMIME_OBJECT(alternative);
}

static GMimeObject *whole_part(struct build *build)
{
	if (add_attachments(build, NULL, false) == 0)
		return body_part(build);
	GMimeMultipart *mixed = new_multipart(build, "mixed");

	add(mixed, body_part(build));
	add_attachments(build, mixed, false);
	return GMIME_OBJECT(mixed);
}

/* ---- message ---- */

/* About; what it grows by is copied. */
static size_t size_hint(const struct build *build, const GString *header)
{
	size_t texts = (build->text != NULL ? strlen(build->text) : 0) +
		       (build->html != NULL ? strlen(build->html) : 0);
	size_t files = 0;

	for (size_t i = 0; i < build->request->attachment_count; i++)
		files += build->request->attachments[i].size;
	for (size_t i = 0;
	     build->input->rendered != NULL && i < build->input->rendered->image_count; i++)
		files += build->input->rendered->images[i].size;
	return header->len + HEADER_ROOM + texts + texts / 4 +
	       files / BASE64_LINE_IN * BASE64_LINE_OUT;
}

static GBytes *write_message(struct build *build)
{
	GString *header = make_header(build);
	GByteArray *bytes = g_byte_array_sized_new((guint)size_hint(build, header));
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
	GMimeFormatOptions *format = g_mime_format_options_new();
	GMimeObject *part = whole_part(build);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
	bool written =
		g_mime_stream_write(stream, header->str, header->len) == (ssize_t)header->len &&
		g_mime_object_write_to_stream(part, format, stream) > 0;

	g_object_unref(part);
	g_object_unref(stream);
	g_mime_format_options_free(format);
	g_string_free(header, TRUE);
	if (written)
		return g_byte_array_free_to_bytes(bytes);
	g_byte_array_unref(bytes);
	build->outcome = outcome_retry(build->reason, "4.3.0", "GMime cannot write the message");
	return NULL;
}

static enum outcome check_attachments(const struct build *build)
{
	for (size_t i = 0; i < build->request->attachment_count; i++) {
		const struct request_attachment *attachment = &build->request->attachments[i];

		if (attachment->data == NULL)
			return outcome_retry(build->reason, "4.3.0",
					     "Attachments[%zu]: not fetched", i);
		if (attachment->name != NULL && !header_is_line(attachment->name))
			return outcome_reject(build->reason, "5.6.0",
					      "Attachments[%zu].Name: no single line", i);
	}
	return OUTCOME_OK;
}

GBytes *build_message(const struct build_input *input, enum outcome *outcome, struct reason *reason)
{
	struct build build = {.input = input, .request = input->request, .reason = reason};
	size_t max = (size_t)input->config->limits.outgoing_size;
	GBytes *message = NULL;

	build.outcome = choose_texts(&build);
	if (build.outcome == OUTCOME_OK)
		build.outcome = check_attachments(&build);
	if (build.outcome == OUTCOME_OK && !make_boundary(&build))
		build.outcome = outcome_retry(reason, "4.3.0", "no random bytes for a boundary");
	if (build.outcome == OUTCOME_OK)
		message = write_message(&build);
	if (message != NULL && g_bytes_get_size(message) > max) {
		build.outcome = outcome_reject(reason, "5.3.4",
					       "the message has %zu bytes, more than %zu "
					       "(limits.outgoing_size)",
					       g_bytes_get_size(message), max);
		g_clear_pointer(&message, g_bytes_unref);
	}
	if (input->text_made != NULL)
		*input->text_made = g_steal_pointer(&build.text_of_html);
	g_free(build.text_of_html);
	*outcome = build.outcome;
	return message;
}
