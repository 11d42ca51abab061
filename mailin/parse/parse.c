#include "mailin/parse/parse.h"

#include <glib.h>
#include <gmime/gmime.h>
#include <string.h>

#include "common/html_text.h"
#include "mailin/document.h"
#include "mailin/parse/address.h"
#include "mailin/parse/archive.h"
#include "mailin/parse/attach.h"
#include "mailin/parse/auto.h"
#include "mailin/parse/body.h"
#include "mailin/parse/charset.h"
#include "mailin/parse/date.h"
#include "mailin/parse/detect.h"
#include "mailin/parse/encoded_word.h"
#include "mailin/parse/image.h"
#include "mailin/parse/mime.h"
#include "mailin/parse/preload.h"
#include "mailin/parse/reply.h"
#include "mailin/parse/verdicts.h"

enum {
	DATE_BYTES_MAX = 255, /* of Date as written */
	ID_BYTES_MAX = 998,   /* of one message id: RFC 5322, 2.1.1 */
	IDS_MAX = 200,        /* in References and In-Reply-To */
};

/* What the documents borrow. */
static GPtrArray *kept;

/* One mail on its way into its document. */
struct run {
	const struct config_limits *limits;
	struct wire *document;
	struct wire *mailpipe; /* borrowed from the document */
	struct defects defects;
	struct part *root;
	char *hint;        /* the body's charset: raw 8-bit headers often are in it */
	char *from_domain; /* of the only mailbox in From; "" if there is none, or several */
};

static void free_attachments(gpointer attachments)
{
	struct attachments *a = attachments;
	attachments_free(&a);
}

void parse_init(void)
{
	g_mime_init();
	detect_init();
	kept = g_ptr_array_new_with_free_func(free_attachments);
}

/* "text/html", "application/xhtml+xml", "text / html", in any case: all have the slash, which
 * memchr() finds fast.  A winmail.dat's body is often HTML. */
static bool mentions_html(const char *mail, size_t size)
{
	static const char tnef_name[] = "winmail.dat";
	const char *end = mail + size;

	if (memmem(mail, size, tnef_name, strlen(tnef_name)) != NULL)
		return true;

	for (const char *p = mail; (p = memchr(p, '/', (size_t)(end - p))) != NULL;) {
		p++;
		const char *name = p;
		while (name < end &&
		       (*name == ' ' || *name == '\t' || *name == '\r' || *name == '\n'))
			name++;
		if (name < end && (*name == 'x' || *name == 'X'))
			name++;
		if ((size_t)(end - name) >= strlen("html") &&
		    g_ascii_strncasecmp(name, "html", strlen("html")) == 0)
			return true;
	}
	return false;
}

bool parse_prepare(const char *mail, size_t size)
{
	/* (These may need charsets of their own.) */
	bool loaded = preload_libraries(mail, size);

	charset_preload(mail, size);
	/* Most mails do without, and a third of all that the process takes would be this.  HTML
	 * hidden where nobody looks (TNEF that is not named winmail.dat) goes without a text. */
	if (mentions_html(mail, size))
		(void)html_text_begin();
	return loaded;
}

void parse_deinit(void)
{
	g_ptr_array_free(kept, TRUE);
	kept = NULL;
	charset_deinit();
	detect_deinit();
	image_deinit();
	archive_deinit();
	html_text_deinit();
	g_mime_shutdown();
}

/* ---- header fields ---- */

/* The decoded value of the first field of that name, or NULL; g_free() it. */
static char *field_text(struct run *run, const char *name)
{
	const struct field *field = mime_field(run->root, name);
	if (field == NULL)
		return NULL;
	return encoded_word_decode(field->value, run->hint, &run->defects);
}

static void set_field(struct run *run, const char *key, const char *name)
{
	g_autofree char *text = field_text(run, name);
	wire_set_text(run->document, key, text == NULL ? "" : text);
}

static void set_headers(struct run *run)
{
	struct wire *headers = wire_array();

	for (guint i = 0; i < run->root->fields->len; i++) {
		const struct field *field = &g_array_index(run->root->fields, struct field, i);
		g_autofree char *text = encoded_word_decode(field->value, run->hint, &run->defects);
		struct wire *header = wire_object();
		wire_set_textn(header, "Name", field->name.data, field->name.size);
		wire_set_text(header, "Value", text);
		wire_append(headers, header);
	}
	wire_set(run->document, "Headers", headers);
}

/* The mailboxes of all fields of that name, for some senders repeat To. */
static struct wire *mailboxes(struct run *run, const char *name)
{
	struct wire *array = wire_array();

	for (guint i = 0; i < run->root->fields->len; i++) {
		const struct field *field = &g_array_index(run->root->fields, struct field, i);
		if (span_is(field->name, name))
			address_list(field->value, run->hint, run->limits->addresses, array,
				     &run->defects);
	}
	return array;
}

static void set_from(struct run *run)
{
	struct wire *list = mailboxes(run, "From");
	struct wire *first = wire_at(list, 0);
	const char *email = first == NULL ? "" : wire_get_text(first, "Email");
	const char *name = first == NULL ? "" : wire_get_text(first, "Name");

	if (first == NULL)
		defect_note(&run->defects, DEFECT_FROM_NONE);
	else if (wire_length(list) > 1)
		defect_note(&run->defects, DEFECT_FROM_SEVERAL);
	wire_set_text(run->document, "From", email);
	wire_set_text(run->document, "FromName", name);
	wire_set(run->document, "FromFull", address_object(email, name));
	/* (At most one was looked for, if there may be no more.) */
	bool only = wire_length(list) == 1 && !run->defects.seen[DEFECT_ADDRESSES_MANY];
	const char *at = only ? strrchr(email, '@') : NULL;

	run->from_domain = g_strdup(at != NULL ? at + 1 : "");
	wire_free(&list);
}

/* All fields of that name as they read, separated by commas, and their mailboxes. */
static void set_addresses(struct run *run, const char *key, const char *full_key)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < run->root->fields->len; i++) {
		const struct field *field = &g_array_index(run->root->fields, struct field, i);
		if (!span_is(field->name, key))
			continue;
		g_autofree char *value =
			encoded_word_decode(field->value, run->hint, &run->defects);
		g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", value);
	}
	wire_set_textn(run->document, key, text->str, text->len);
	wire_set(run->document, full_key, mailboxes(run, key));
}

static void set_date(struct run *run)
{
	g_autofree char *text = field_text(run, "Date");

	wire_set(run->mailpipe, "DateUTC", NULL);
	if (text == NULL || *text == '\0') {
		defect_note(&run->defects, DEFECT_DATE_NONE);
		wire_set_text(run->document, "Date", "");
		return;
	}
	if (strlen(text) > DATE_BYTES_MAX) {
		defect_note(&run->defects, DEFECT_DATE_BAD);
		g_autoptr(GString) cut = g_string_new(text);
		struct defects ignored;
		body_cut(cut, DATE_BYTES_MAX, &ignored);
		wire_set_textn(run->document, "Date", cut->str, cut->len);
		return;
	}
	wire_set_text(run->document, "Date", text);
	g_autofree char *utc = date_utc(text);
	if (utc == NULL)
		defect_note(&run->defects, DEFECT_DATE_BAD);
	else
		wire_set_text(run->mailpipe, "DateUTC", utc);
}

/* Message ids (RFC 5322, 3.6.4) without their angle brackets; one without any is taken whole. */
static struct wire *message_ids(struct run *run, const char *name)
{
	struct wire *ids = wire_array();
	g_autofree char *text = field_text(run, name);
	const char *p = text;

	while (p != NULL && (p = strchr(p, '<')) != NULL) {
		size_t size = strcspn(++p, "<>");
		if (p[size] != '>')
			continue;
		if (wire_length(ids) >= IDS_MAX || size > ID_BYTES_MAX) {
			defect_note(&run->defects, DEFECT_IDS_MANY);
			break;
		}
		g_autofree char *id = g_strndup(p, size);
		if (*g_strstrip(id) != '\0')
			wire_append_text(ids, id);
		p += size + 1;
	}
	if (text != NULL && *text != '\0' && wire_length(ids) == 0 &&
	    strpbrk(text, " <>") == NULL && strlen(text) <= ID_BYTES_MAX)
		wire_append_text(ids, text);
	return ids;
}

static void set_ids(struct run *run)
{
	struct wire *ids = message_ids(run, "Message-ID");
	const char *id = wire_length(ids) == 0 ? "" : wire_text(wire_at(ids, 0));

	wire_set_text(run->mailpipe, "MessageIDHeader", id);
	wire_set(run->mailpipe, "InReplyTo", message_ids(run, "In-Reply-To"));
	wire_set(run->mailpipe, "References", message_ids(run, "References"));
	wire_free(&ids);
}

/* ---- the rest ---- */

struct auto_answers {
	struct run *run;
	GPtrArray *values; /* what was answered */
};

static const char *auto_answer(const char *name, void *context)
{
	struct auto_answers *answers = context;
	char *value = field_text(answers->run, name);
	if (value != NULL)
		g_ptr_array_add(answers->values, value);
	return value;
}

/* Others on the way, such as procmail, may have added an X-Loop of theirs. */
static bool is_ours(const struct run *run, const char *loop)
{
	for (guint i = 0; loop != NULL && i < run->root->fields->len; i++) {
		const struct field *field = &g_array_index(run->root->fields, struct field, i);
		struct span value = span_trim(field->value);

		if (span_is(field->name, "X-Loop") && value.size == strlen(loop) &&
		    memcmp(value.data, loop, value.size) == 0)
			return true;
	}
	return false;
}

static void set_auto(struct run *run, const char *loop)
{
	if (is_ours(run, loop)) {
		wire_set_text(run->mailpipe, "Auto", "loop");
		return;
	}
	struct auto_answers answers = {run, g_ptr_array_new_with_free_func(g_free)};
	const char *sender = wire_get_text(wire_get_object(run->mailpipe, "Envelope"), "Sender");

	wire_set_text(
		run->mailpipe, "Auto",
		auto_kind(sender == NULL ? "" : sender, run->root->type, auto_answer, &answers));
	g_ptr_array_free(answers.values, TRUE);
}

/* Of TextBody and the marks of the HTML that it was made from. */
static void set_reply(struct run *run, const GArray *marks)
{
	const char *text = wire_get_text(run->document, "TextBody");
	const struct reply_hints hints = {
		.subject = wire_get_text(run->document, "Subject"),
		.marks = (const struct html_mark *)(const void *)marks->data,
		.mark_count = marks->len,
	};
	struct reply reply;

	/* Of a bounce nothing was written by anybody: all of it tells what happened. */
	if (g_strcmp0(wire_get_text(run->mailpipe, "Auto"), "bounce") == 0) {
		wire_set_text(run->document, "StrippedTextReply", text);
		wire_set_text(run->mailpipe, "StrippedQuote", "");
		wire_set_text(run->mailpipe, "ReplyRule", "");
		return;
	}
	reply_split(text, strlen(text), &hints, &reply);
	wire_set_text(run->document, "StrippedTextReply", reply.text);
	wire_set_text(run->mailpipe, "StrippedQuote", reply.quote);
	wire_set_text(run->mailpipe, "ReplyRule", reply.rule);
	reply_clear(&reply);
}

/* Takes the body; where the mail has none, that of its winmail.dat (or NULL) is used. */
static void set_body(struct run *run, const char *key, char *body, const char *from_tnef)
{
	bool other = is_blank_text(body) && from_tnef != NULL;
	g_autoptr(GString) text = g_string_new(other ? from_tnef : body);

	body_cut(text, run->limits->body_bytes, &run->defects);
	wire_set_textn(run->document, key, text->str, text->len);
	g_free(body);
}

static bool has_outside(const struct part *part)
{
	if (part->children == NULL)
		return false;
	for (guint i = 0; i < part->children->len; i++)
		if (has_outside(g_ptr_array_index(part->children, i)))
			return true;
	return part->outside;
}

static bool is_empty(const struct wire *document)
{
	return is_blank_text(wire_get_text(document, "TextBody")) &&
	       is_blank_text(wire_get_text(document, "HtmlBody")) &&
	       wire_length(wire_get_array(document, "Attachments")) == 0;
}

static void set_contents(struct run *run)
{
	struct body_choice choice;
	struct attachments *attachments = attachments_new(run->limits, &run->defects);
	g_autoptr(GArray) tnef_marks = g_array_new(FALSE, FALSE, sizeof(struct html_mark));
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(struct html_mark));

	g_ptr_array_add(kept, attachments);
	body_choose(run->root, &choice);
	for (guint i = 0; i < choice.attachments->len; i++)
		attachments_add(attachments, g_ptr_array_index(choice.attachments, i));
	const char *html = attachments_html(attachments);
	g_autofree char *html_as_text =
		html == NULL ? NULL
			     : body_text_of_html(html, run->limits, tnef_marks, &run->defects);
	const char *text = attachments_text(attachments);
	char *body = body_text(&choice, run->limits, marks, &run->defects);
	bool other = is_blank_text(body);
	set_body(run, "TextBody", body, text != NULL ? text : html_as_text);
	set_body(run, "HtmlBody", body_html(&choice, run->limits, &run->defects), html);
	if (other && text != NULL)
		g_array_set_size(tnef_marks, 0);
	set_reply(run, other ? tnef_marks : marks);
	wire_set(run->document, "Attachments", attachments_take(attachments));
	body_choice_clear(&choice);
	if (is_empty(run->document) && has_outside(run->root))
		defect_note(&run->defects, DEFECT_OUTSIDE);
}

static void set_raw(struct run *run, const char *mail, size_t size, enum config_raw raw)
{
	if (raw == CONFIG_RAW_YES || (raw == CONFIG_RAW_DEFECT && defects_lose(&run->defects)))
		document_add_raw(run->document, mail, size);
}

static char *body_charset(const struct part *part, struct defects *defects)
{
	/* That of the first text, as a rule. */
	while (part->children != NULL && part->children->len > 0)
		part = g_ptr_array_index(part->children, 0);
	if (part->type_params == NULL)
		return NULL;
	return params_text(part->type_params, "charset", defects);
}

void parse_mail(const char *mail, size_t size, const struct document_job *job)
{
	struct run run = {.limits = &job->limits, .document = job->document};

	run.mailpipe = wire_get_object(run.document, "Mailpipe");
	if (run.mailpipe == NULL) {
		run.mailpipe = wire_object();
		wire_set(run.document, "Mailpipe", run.mailpipe);
	}
	run.root = mime_parse((struct span){mail, size}, run.limits, &run.defects);
	run.hint = body_charset(run.root, &run.defects);
	set_from(&run);
	set_addresses(&run, "To", "ToFull");
	set_addresses(&run, "Cc", "CcFull");
	set_addresses(&run, "Bcc", "BccFull");
	set_field(&run, "ReplyTo", "Reply-To");
	set_field(&run, "Subject", "Subject");
	set_date(&run);
	set_auto(&run, job->loop);
	set_contents(&run);
	set_headers(&run);
	set_ids(&run);
	verdicts_write(run.root, job, run.from_domain, run.mailpipe, &run.defects);
	defects_write(&run.defects, run.document);
	wire_move_last(run.mailpipe, "Defects");
	set_raw(&run, mail, size, job->raw);
	wire_move_last(run.document, "Attachments");
	wire_move_last(run.document, "Mailpipe");
	g_free(run.hint);
	g_free(run.from_domain);
	mime_free(&run.root);
}
