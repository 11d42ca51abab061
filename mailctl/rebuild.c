#include "mailctl/rebuild.h"

#include <string.h>

#include "common/wire.h"
#include "mailout/header.h"

enum {
	BASE64_LINE = 57, /* bytes that make 76 characters (RFC 2045, 6.8) */
	BASE64_MAX = (BASE64_LINE / 3 + 1) * 4 + 4,
	TYPE_MAX = 127 /* RFC 6838, 4.2: of either half */
};

/* ---- header fields ---- */

/* One line of valid UTF-8: what was an encoded word may have held anything.  g_free() it. */
static char *as_line(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *line = g_string_new(NULL);

	for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_string_append_unichar(line, g_unichar_iscntrl(c) ? ' ' : c);
	}
	return g_strstrip(g_string_free(line, FALSE));
}

/* RFC 5322, 3.6.8 */
static bool is_field_name(const char *name)
{
	if (*name == '\0')
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!g_ascii_isgraph(*p) || *p == ':')
			return false;
	return true;
}

/* These tell of a structure that is not there any more. */
static bool is_structural(const char *name)
{
	return g_ascii_strncasecmp(name, "Content-", strlen("Content-")) == 0 ||
	       g_ascii_strcasecmp(name, "MIME-Version") == 0;
}

static void add_mailboxes(GString *out, const char *name, const struct wire *list)
{
	size_t count = wire_length(list);
	g_autofree struct header_mailbox *mailboxes = g_new0(struct header_mailbox, count + 1);
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < count; i++) {
		const char *email = wire_get_text(wire_at(list, i), "Email");
		const char *full = wire_get_text(wire_at(list, i), "Name");

		mailboxes[i].email = as_line(email != NULL ? email : "");
		mailboxes[i].name = as_line(full != NULL ? full : "");
		g_ptr_array_add(texts, (char *)(uintptr_t)mailboxes[i].email);
		g_ptr_array_add(texts, (char *)(uintptr_t)mailboxes[i].name);
	}
	header_mailboxes(out, name, mailboxes, count);
}

/* The stored list of a field's addresses, for names beyond ASCII.  False: there is none. */
static bool add_addresses(GString *out, const struct stored_message *message, const char *name)
{
	const char *json = g_ascii_strcasecmp(name, "To") == 0    ? message->to_json
			   : g_ascii_strcasecmp(name, "Cc") == 0  ? message->cc_json
			   : g_ascii_strcasecmp(name, "Bcc") == 0 ? message->bcc_json
								  : NULL;
	struct wire *list = json != NULL ? wire_parse(json, strlen(json), NULL) : NULL;
	bool any = list != NULL && wire_length(list) > 0;

	if (any)
		add_mailboxes(out, name, list);
	wire_free(&list);
	if (any || g_ascii_strcasecmp(name, "From") != 0 || *message->from_email == '\0')
		return any;
	g_autofree char *email = as_line(message->from_email);
	g_autofree char *full = as_line(message->from_name);
	const struct header_mailbox from = {full, email};

	header_mailboxes(out, name, &from, 1);
	return true;
}

static void add_field(GString *out, const struct stored_message *message, const struct wire *field)
{
	const char *name = wire_get_text(field, "Name");
	const char *value = wire_get_text(field, "Value");

	if (name == NULL || value == NULL || !is_field_name(name))
		return;
	g_autofree char *line = as_line(value);
	g_autofree char *renamed = is_structural(name)
					   ? g_strconcat("X-Mailpipe-Original-", name, NULL)
					   : g_strdup(name);

	if (g_str_is_ascii(line))
		header_words(out, renamed, line);
	else if (!add_addresses(out, message, name))
		header_unstructured(out, renamed, line);
}

static void add_header(GString *out, const struct stored_message *message)
{
	struct wire *headers = wire_parse(message->headers, strlen(message->headers), NULL);

	header_words(out, REBUILT_FIELD,
		     "from stored header fields and parts; this is not the mail as it came");
	for (size_t i = 0; i < wire_length(headers); i++)
		add_field(out, message, wire_at(headers, i));
	g_string_append(out, "MIME-Version: 1.0\r\n");
	wire_free(&headers);
}

/* ---- parts ---- */

static void add_base64(GString *out, const unsigned char *data, size_t size)
{
	char line[BASE64_MAX];

	for (size_t i = 0; i < size; i += BASE64_LINE) {
		int state = 0;
		int save = 0;
		size_t length = MIN(size - i, BASE64_LINE);
		size_t encoded = g_base64_encode_step(data + i, length, FALSE, line, &state, &save);

		encoded += g_base64_encode_close(FALSE, line + encoded, &state, &save);
		g_string_append_len(out, line, (gssize)encoded);
		g_string_append(out, "\r\n");
	}
}

static void add_text(GString *out, const char *subtype, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autofree char *crlf = g_strjoinv("\r\n", lines);

	g_string_append_printf(out,
			       "Content-Type: text/%s; charset=utf-8\r\n"
			       "Content-Transfer-Encoding: base64\r\n\r\n",
			       subtype);
	add_base64(out, (const unsigned char *)crlf, strlen(crlf));
}

static bool is_token(const char *text, size_t length)
{
	if (length == 0 || length > TYPE_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!g_ascii_isalnum(text[i]) && strchr("!#$&-^_.+", text[i]) == NULL)
			return false;
	return true;
}

/* The type that may stand in the field: mails and multiparts must not be in base64 (RFC 2046). */
static const char *safe_type(const char *type)
{
	const char *slash = strchr(type, '/');

	if (slash == NULL || !is_token(type, (size_t)(slash - type)) ||
	    !is_token(slash + 1, strlen(slash + 1)) ||
	    g_ascii_strncasecmp(type, "multipart/", strlen("multipart/")) == 0 ||
	    g_ascii_strncasecmp(type, "message/", strlen("message/")) == 0)
		return "application/octet-stream";
	return type;
}

static void add_attachment(GString *out, const struct stored_attachment *attachment, bool is_inline)
{
	g_autofree char *name = as_line(attachment->name);
	g_autofree char *content_id = as_line(attachment->content_id);
	size_t size = 0;
	const void *data =
		attachment->data != NULL ? g_bytes_get_data(attachment->data, &size) : NULL;

	g_string_append_printf(out, "Content-Type: %s", safe_type(attachment->content_type));
	header_parameter_words(out, "name", name);
	g_string_append_printf(out, "\r\nContent-Disposition: %s",
			       is_inline ? "inline" : "attachment");
	header_parameter(out, "filename", name);
	g_string_append(out, "\r\nContent-Transfer-Encoding: base64\r\n");
	if (*content_id != '\0' && g_str_is_ascii(content_id) && strpbrk(content_id, "<> ") == NULL)
		g_string_append_printf(out, "Content-ID: <%s>\r\n", content_id);
	g_string_append(out, "\r\n");
	add_base64(out, data, size);
	if (size == 0)
		g_string_append(out, "\r\n"); /* the delimiter's own (RFC 2046, 5.1.1) */
}

/* ---- structure ---- */

struct rebuilding {
	const struct stored_message *message;
	GString *out;
};

/* Shown within the HTML. */
static bool is_within(const struct stored_message *message,
		      const struct stored_attachment *attachment)
{
	return message->has_html && *attachment->content_id != '\0' &&
	       strcmp(attachment->disposition, "attachment") != 0;
}

static unsigned int count_parts(const struct stored_message *message, bool within)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < message->attachments->len; i++)
		count += is_within(message, message->attachments->pdata[i]) == within;
	return count;
}

/* "=_" is in no base64 (RFC 2045, 6.7), and lines of the header have nothing to do with it. */
static void begin(const struct rebuilding *this, const char *subtype)
{
	g_string_append_printf(this->out,
			       "Content-Type: multipart/%s;\r\n boundary=\"=_%s_%s\"\r\n\r\n",
			       subtype, subtype, this->message->id);
}

static void next(const struct rebuilding *this, const char *subtype)
{
	g_string_append_printf(this->out, "--=_%s_%s\r\n", subtype, this->message->id);
}

static void end(const struct rebuilding *this, const char *subtype)
{
	g_string_append_printf(this->out, "--=_%s_%s--\r\n", subtype, this->message->id);
}

static void add_parts(const struct rebuilding *this, const char *subtype, bool within)
{
	const GPtrArray *attachments = this->message->attachments;

	for (unsigned int i = 0; i < attachments->len; i++) {
		if (is_within(this->message, attachments->pdata[i]) != within)
			continue;
		next(this, subtype);
		add_attachment(this->out, attachments->pdata[i], within);
	}
}

static void add_html(const struct rebuilding *this)
{
	bool related = count_parts(this->message, true) > 0;

	if (related) {
		begin(this, "related");
		next(this, "related");
	}
	add_text(this->out, "html", this->message->html_body);
	if (related) {
		add_parts(this, "related", true);
		end(this, "related");
	}
}

static void add_bodies(const struct rebuilding *this)
{
	const struct stored_message *message = this->message;

	if (message->has_text && message->has_html && *message->html_body != '\0') {
		begin(this, "alternative");
		next(this, "alternative");
		add_text(this->out, "plain", message->text_body);
		next(this, "alternative");
		add_html(this);
		end(this, "alternative");
	} else if (message->has_html && *message->html_body != '\0') {
		add_html(this);
	} else {
		add_text(this->out, "plain", message->text_body);
	}
}

GString *rebuild_mail(const struct stored_message *message)
{
	const struct rebuilding this = {message, g_string_new(NULL)};
	bool mixed = count_parts(message, false) > 0;

	add_header(this.out, message);
	if (mixed) {
		begin(&this, "mixed");
		next(&this, "mixed");
	}
	add_bodies(&this);
	if (mixed) {
		add_parts(&this, "mixed", false);
		end(&this, "mixed");
	}
	return this.out;
}
