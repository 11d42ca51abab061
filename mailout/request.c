#include "mailout/request.h"

#include <glib.h>
#include <string.h>

#include "mailout/request_check.h"

/* Bytes.  The tag's column has 1000 characters. */
enum {
	SUBJECT_MAX = 4000,
	TAG_MAX = 1000,
	ALIAS_MAX = 64,
	LOCALE_MAX = 35, /* RFC 5646, 4.4.1 */
	STREAM_MAX = 64,
	ID_MAX = 100,
};

/* A JSON value takes up to a hundred times its text in memory; a template needs no more of them. */
enum { VALUES_MAX = 500000 };

/* ---- fields of their own kind ---- */

/* What Postmark's clients send though nobody asked for it: refused only if it asks for something.
 */
static void check_track_opens(struct check *check, const struct check_field *field,
			      const char *path, const struct wire *value, void *to)
{
	bool wanted = false;

	(void)field;
	(void)to;
	if (!wire_bool(value, &wanted))
		check_fail(check, path, "boolean expected, not %s", wire_type_name(value));
	else if (wanted)
		check_fail(check, path, "opening is not tracked");
}

static void check_track_links(struct check *check, const struct check_field *field,
			      const char *path, const struct wire *value, void *to)
{
	const char *text = check_string(check, path, value, field->max);

	(void)to;
	if (text != NULL && *text != '\0' && strcmp(text, "None") != 0)
		check_fail(check, path, "links are not tracked: \"%s\"", text);
}

/* Their call with a template sends true by default, so that it says nothing; what styles a template
 * has it says in itself. */
static void check_inline_css(struct check *check, const struct check_field *field, const char *path,
			     const struct wire *value, void *to)
{
	bool wanted;

	(void)field;
	(void)to;
	if (!wire_bool(value, &wanted))
		check_fail(check, path, "boolean expected, not %s", wire_type_name(value));
}

static void check_template_id(struct check *check, const struct check_field *field,
			      const char *path, const struct wire *value, void *to)
{
	(void)field;
	(void)value;
	(void)to;
	check_fail(check, path, "templates have names, not numbers: use TemplateAlias");
}

/* It becomes a folder's name. */
static void check_alias(struct check *check, const struct check_field *field, const char *path,
			const struct wire *value, void *to)
{
	const struct request *request = to;

	check_line(check, field, path, value, to);
	for (const char *p = request->template_alias; !check->failed && *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) &&
		    (p == request->template_alias || strchr("-_.", *p) == NULL))
			check_fail(check, path, "no name of a template: \"%s\"",
				   request->template_alias);
	if (!check->failed && request->template_alias[0] == '\0')
		check_fail(check, path, "empty");
}

static void check_model(struct check *check, const struct check_field *field, const char *path,
			const struct wire *value, void *to)
{
	struct request *request = to;

	(void)field;
	if (strcmp(wire_type_name(value), "object") != 0)
		check_fail(check, path, "object expected, not %s", wire_type_name(value));
	request->template_model = value;
}

static void check_id(struct check *check, const struct check_field *field, const char *path,
		     const struct wire *value, void *to)
{
	struct request *request = to;
	const char *text = check_string(check, path, value, field->max);

	if (text == NULL)
		return;
	request->has_id = id_parse(&request->id, text);
	if (!request->has_id)
		check_fail(check, path, "no UUID: \"%s\"", text);
}

static void check_stream(struct check *check, const struct check_field *field, const char *path,
			 const struct wire *value, void *to)
{
	const struct request *request = to;

	check_line(check, field, path, value, to);
	if (!check->failed && config_stream_named(check->config, request->stream) == NULL)
		check_fail(check, path, "no stream is named \"%s\"", request->stream);
}

/* Empty is the null sender, which no bounce and no automatic reply goes to (RFC 5321, 4.5.5). */
static void check_envelope_sender(struct check *check, const struct check_field *field,
				  const char *path, const struct wire *value, void *to)
{
	struct request *request = to;
	struct address address = {0};
	const char *text = check_string(check, path, value, field->max);

	if (text == NULL)
		return;
	if (*text == '\0')
		address.email = g_strdup("");
	else
		check_address(check, path, text, "", &address);
	request->envelope_sender = g_steal_pointer(&address.email);
	address_clear(&address);
}

static bool is_subtag(const char *tag, bool first)
{
	enum { LANGUAGE_MIN = 2, SUBTAG_MAX = 8 };
	size_t size = 0;

	for (; tag[size] != '\0'; size++)
		if (first ? !g_ascii_isalpha(tag[size]) : !g_ascii_isalnum(tag[size]))
			return false;
	return size >= (first ? LANGUAGE_MIN : 1) && size <= SUBTAG_MAX;
}

/* "de", "de-AT" (RFC 5646); "de_AT", as programs have it, is the same. */
static void check_locale(struct check *check, const struct check_field *field, const char *path,
			 const struct wire *value, void *to)
{
	const struct request *request = to;

	check_line(check, field, path, value, to);
	if (check->failed || request->locale[0] == '\0')
		return;
	g_auto(GStrv) tags = g_strsplit(g_strdelimit(request->locale, "_", '-'), "-", -1);

	for (size_t i = 0; tags[i] != NULL; i++)
		if (!is_subtag(tags[i], i == 0))
			check_fail(check, path, "no locale: \"%s\"", request->locale);
}

#define MEMBER(name) offsetof(struct request, name)

static const struct check_field fields[] = {
	{"From", check_mailbox, MEMBER(from), 0},
	{"To", check_recipients, MEMBER(to), 0},
	{"Cc", check_recipients, MEMBER(cc), 0},
	{"Bcc", check_recipients, MEMBER(bcc), 0},
	{"ReplyTo", check_reply_to, MEMBER(reply_to), 0},
	{"EnvelopeSender", check_envelope_sender, 0, 0},
	{"Subject", check_line, MEMBER(subject), SUBJECT_MAX},
	{"TextBody", check_text, MEMBER(text_body), 0},
	{"HtmlBody", check_text, MEMBER(html_body), 0},
	{"TemplateAlias", check_alias, MEMBER(template_alias), ALIAS_MAX},
	{"TemplateId", check_template_id, 0, 0},
	{"TemplateModel", check_model, 0, 0},
	{"InlineCss", check_inline_css, 0, 0},
	{"Headers", check_headers, 0, 0},
	{"Attachments", check_attachments, 0, 0},
	{"Tag", check_line, MEMBER(tag), TAG_MAX},
	{"Metadata", check_metadata, 0, 0},
	{"MessageStream", check_stream, MEMBER(stream), STREAM_MAX},
	{"TrackOpens", check_track_opens, 0, 0},
	{"TrackLinks", check_track_links, 0, STREAM_MAX},
	{"MessageID", check_id, 0, ID_MAX},
	{"Locale", check_locale, MEMBER(locale), LOCALE_MAX},
	{"SendAt", check_time, MEMBER(send_at), 0},
	{"ExpiresAt", check_time, MEMBER(expires_at), 0},
	{"ListUnsubscribe", check_unsubscribe, 0, 0},
	{"DryRun", check_bool, MEMBER(dry_run), 0},
};

/* ---- the request ---- */

bool request_has_header(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (g_ascii_strcasecmp(request->headers[i].name, name) == 0)
			return true;
	return false;
}

static void check_template_or_texts(struct check *check, const struct request *request)
{
	if (request->template_alias == NULL) {
		if (request->template_model != NULL)
			check_fail(check, "TemplateModel", "without TemplateAlias");
		else if (request->subject == NULL)
			check_fail(check, "Subject", "missing, and no TemplateAlias");
		else if (request->text_body == NULL && request->html_body == NULL)
			check_fail(check, "TextBody", "missing, and no HtmlBody");
		return;
	}
	if (request->subject != NULL)
		check_fail(check, "Subject", "the template makes it");
	if (request->text_body != NULL)
		check_fail(check, "TextBody", "the template makes it");
	if (request->html_body != NULL)
		check_fail(check, "HtmlBody", "the template makes it");
}

/* What one field alone does not tell. */
static void check_whole(struct check *check, const struct request *request)
{
	if (check->recipients == 0)
		check_fail(check, "To", "no recipient, nor in Cc and Bcc");
	check_template_or_texts(check, request);
	if (request->expires_at != 0 && request->expires_at <= request->send_at)
		check_fail(check, "ExpiresAt", "not later than SendAt");
	if ((request->unsubscribe_url[0] != '\0' || request->unsubscribe_mailto[0] != '\0') &&
	    (request_has_header(request, "List-Unsubscribe") ||
	     request_has_header(request, "List-Unsubscribe-Post")))
		check_fail(check, "ListUnsubscribe", "there is a header List-Unsubscribe as well");
}

/* The body's MessageID wins. */
static void use_amqp_id(struct check *check, struct request *request, const char *amqp_message_id)
{
	if (request->has_id || amqp_message_id == NULL || *amqp_message_id == '\0')
		return;
	request->has_id = id_parse(&request->id, amqp_message_id);
	/* Not ignored: what the application takes for its idempotency key would be none. */
	if (!request->has_id)
		check_fail(check, "message_id", "no UUID: \"%s\"", amqp_message_id);
}

static void fill_missing(struct request *request, const char *stream)
{
	if (request->from.email == NULL)
		request->from = (struct address){g_strdup(""), g_strdup("")};
	if (request->stream == NULL)
		request->stream = g_strdup(stream);
}

static struct request *empty_request(void)
{
	struct request *request = g_new0(struct request, 1);

	request->tag = g_strdup("");
	request->locale = g_strdup("");
	request->unsubscribe_url = g_strdup("");
	request->unsubscribe_mailto = g_strdup("");
	return request;
}

static bool check_size(const char *body, size_t size, const struct config *config,
		       struct reason *reason)
{
	int64_t max = config->limits.request_size;
	int64_t values = size > (size_t)max ? 0 : wire_count(body, size);

	if (size > (size_t)max)
		outcome_reject(reason, "5.3.4",
			       "a request of %zu bytes, more than %" G_GINT64_FORMAT
			       " (limits.request_size)",
			       size, max);
	else if (values > VALUES_MAX)
		outcome_reject(reason, "5.3.4",
			       "a request of %" G_GINT64_FORMAT " JSON values, more than %d",
			       values, VALUES_MAX);
	return size <= (size_t)max && values <= VALUES_MAX;
}

struct request *request_new(const char *body, size_t size, const char *amqp_message_id,
			    const char *stream, const struct config *config, struct reason *reason)
{
	struct check check = {.config = config, .reason = reason};

	if (!check_size(body, size, config, reason))
		return NULL;
	struct wire *json = wire_parse(body, size, reason);

	if (json == NULL)
		return NULL;
	struct request *request = empty_request();

	request->json = json;
	check_object(&check, "", json, fields, G_N_ELEMENTS(fields), request);
	if (!check.failed) {
		fill_missing(request, stream);
		use_amqp_id(&check, request, amqp_message_id);
		check_whole(&check, request);
	}
	if (check.failed)
		request_free(&request);
	return request;
}

void request_free(struct request **request)
{
	struct request *old = *request;

	if (old == NULL)
		return;
	address_clear(&old->from);
	address_list_clear(&old->to);
	address_list_clear(&old->cc);
	address_list_clear(&old->bcc);
	address_list_clear(&old->reply_to);
	g_free(old->thread_route);
	g_free(old->thread_address);
	for (size_t i = 0; i < old->header_count; i++)
		request_header_clear(&old->headers[i]);
	g_free(old->headers);
	for (size_t i = 0; i < old->attachment_count; i++)
		request_attachment_clear(&old->attachments[i]);
	g_free(old->attachments);
	g_free(old->envelope_sender);
	g_free(old->stream);
	g_free(old->subject);
	g_free(old->text_body);
	g_free(old->html_body);
	g_free(old->template_alias);
	g_free(old->locale);
	g_free(old->tag);
	g_free(old->unsubscribe_url);
	g_free(old->unsubscribe_mailto);
	wire_free(&old->json);
	g_free(old);
	*request = NULL;
}

/* ---- recipients ---- */

/* Domains are the same in any case, local parts perhaps not (RFC 5321, 2.4). */
static char *mailbox_key(const char *email)
{
	const char *at = strrchr(email, '@');
	g_autofree char *domain = g_ascii_strdown(at, -1);

	return g_strdup_printf("%.*s%s", (int)(at - email), email, domain);
}

static void add_recipients(GPtrArray *recipients, GHashTable *seen, const struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (g_hash_table_add(seen, mailbox_key(list->item[i].email)))
			g_ptr_array_add(recipients, g_strdup(list->item[i].email));
}

const char *request_mail_from(const struct request *request, const struct config *config)
{
	if (request->envelope_sender != NULL)
		return request->envelope_sender;
	if (config->mailout_envelope_sender[0] != '\0')
		return config->mailout_envelope_sender;
	return request->from.email;
}

char **request_recipients(const struct request *request)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GPtrArray *recipients = g_ptr_array_new();

	add_recipients(recipients, seen, &request->to);
	add_recipients(recipients, seen, &request->cc);
	add_recipients(recipients, seen, &request->bcc);
	g_ptr_array_add(recipients, NULL);
	return (char **)g_ptr_array_free(recipients, FALSE);
}

enum outcome request_set_from(struct request *request, const char *from, struct reason *reason)
{
	struct check check = {.reason = reason};
	struct address address = {0};

	if (from == NULL || *from == '\0')
		return outcome_reject(
			reason, "5.6.0",
			"From: missing, and neither template nor mailout.from say one");
	check_mailbox_text(&check, "From", from, &address);
	if (!check.failed && address.email == NULL)
		check_fail(&check, "From", "no address: \"%s\"", from);
	if (check.failed) {
		address_clear(&address);
		reason_prefix(reason, "template.json or mailout.from");
		if (reason != NULL)
			g_strlcpy(reason->status, "4.3.5", sizeof(reason->status));
		return OUTCOME_RETRY;
	}
	address_clear(&request->from);
	request->from = address;
	return OUTCOME_OK;
}

/* ---- media types ---- */

/* RFC 2045, 5.1. */
static size_t token_size(const char *text)
{
	size_t size = 0;

	while (g_ascii_isgraph(text[size]) && strchr("()<>@,;:\\\"/[]?=", text[size]) == NULL)
		size++;
	return size;
}

/* "; name=value" or "; name="value"", none or more of it. */
static bool is_parameters(const char *p)
{
	while (*p != '\0') {
		p += strspn(p, " ");
		if (*p++ != ';')
			return false;
		p += strspn(p, " ");
		size_t name = token_size(p);

		if (name == 0 || p[name] != '=')
			return false;
		p += name + 1;
		size_t value = token_size(p);

		if (*p == '"') {
			p++;
			value = 0;
			while (g_ascii_isprint(p[value]) && p[value] != '"' && p[value] != '\\')
				value++;
			if (p[value++] != '"')
				return false;
		}
		if (value == 0)
			return false;
		p += value;
	}
	return true;
}

bool request_is_media_type(const char *text)
{
	static const char multipart[] = "multipart/";
	size_t type = token_size(text);

	if (type == 0 || text[type] != '/' ||
	    g_ascii_strncasecmp(text, multipart, strlen(multipart)) == 0)
		return false;
	size_t subtype = token_size(text + type + 1);

	return subtype > 0 && is_parameters(text + type + 1 + subtype);
}
