#include "mailout/request_check.h"

#include <glib.h>
#include <string.h>

enum {
	HEADERS_MAX = 100,
	HEADER_NAME_MAX = 76,
	HEADER_VALUE_MAX = 8000,
	WORD_MAX = 900, /* cannot be folded, and a line has 998 bytes at most (RFC 5322, 2.1.1) */
	URL_MAX = 900,
	METADATA_MAX = 100,
	METADATA_KEY_MAX = 100,
	METADATA_VALUE_MAX = 2000,
};

void request_header_clear(struct request_header *header)
{
	g_free(header->name);
	g_free(header->value);
	*header = (struct request_header){0};
}

/* ---- Headers ---- */

/* Those we set, and those that only a server on the way may. */
static const char *const refused_names[] = {
	"From",
	"Sender",
	"To",
	"Cc",
	"Bcc",
	"Reply-To",
	"Subject",
	"Date",
	"Message-ID",
	"MIME-Version",
	"Return-Path",
	"Received",
	"Delivered-To",
	"DKIM-Signature",
	"DomainKey-Signature",
	"Authentication-Results",
	"Received-SPF",
};
static const char *const refused_prefixes[] = {"Content-", "Resent-", "ARC-"};

/* RFC 5322, 3.6, and its kin: once at most. */
static const char *const single_names[] = {
	"In-Reply-To", "References", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted",
};

static bool is_among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (g_ascii_strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool is_refused(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(refused_prefixes); i++)
		if (g_ascii_strncasecmp(name, refused_prefixes[i], strlen(refused_prefixes[i])) ==
		    0)
			return true;
	return is_among(name, refused_names, G_N_ELEMENTS(refused_names));
}

static void check_header_name(struct check *check, const struct check_field *field,
			      const char *path, const struct wire *value, void *to)
{
	const struct request_header *header = to;

	check_line(check, field, path, value, to);
	if (check->failed)
		return;
	/* RFC 5322, 3.6.8: ftext. */
	for (const char *p = header->name; *p != '\0'; p++) {
		if (!g_ascii_isgraph(*p) || *p == ':') {
			check_fail(check, path, "no header name: \"%s\"", header->name);
			return;
		}
	}
	if (header->name[0] == '\0')
		check_fail(check, path, "empty");
	else if (is_refused(header->name))
		check_fail(check, path, "%s is not to be set here", header->name);
}

static void check_header_value(struct check *check, const struct check_field *field,
			       const char *path, const struct wire *value, void *to)
{
	const struct request_header *header = to;

	check_line(check, field, path, value, to);
	if (check->failed)
		return;
	g_strstrip(header->value);
	for (const char *p = header->value; *p != '\0';) {
		size_t word = strcspn(p, " ");

		if (word > WORD_MAX)
			check_fail(check, path, "a word of %zu bytes, more than %d", word,
				   WORD_MAX);
		p += word;
		p += strspn(p, " ");
	}
}

/* RFC 5322, 3.6.4: "<left@right>" one after the other. */
static bool is_message_ids(const char *value)
{
	size_t count = 0;

	for (const char *p = value; *p != '\0'; count++) {
		const char *end = *p == '<' ? strchr(p, '>') : NULL;
		const char *at = end != NULL ? memchr(p, '@', (size_t)(end - p)) : NULL;

		if (at == NULL || at == p + 1 || at + 1 == end)
			return false;
		for (const char *q = p + 1; q < end; q++)
			if (!g_ascii_isgraph(*q) || *q == '<')
				return false;
		p = end + 1;
		p += strspn(p, " ");
	}
	return count > 0;
}

static void check_whole_header(struct check *check, const char *path, const struct request *request,
			       const struct request_header *header)
{
	if (header->name == NULL || header->value == NULL) {
		check_fail(check, path, "%s is missing", header->name == NULL ? "Name" : "Value");
		return;
	}
	bool ids = g_ascii_strcasecmp(header->name, "In-Reply-To") == 0 ||
		   g_ascii_strcasecmp(header->name, "References") == 0;

	if (ids && !is_message_ids(header->value))
		check_fail(check, path, "%s: no message ids: \"%s\"", header->name, header->value);
	if (!is_among(header->name, single_names, G_N_ELEMENTS(single_names)))
		return;
	for (size_t i = 0; i < request->header_count; i++)
		if (g_ascii_strcasecmp(request->headers[i].name, header->name) == 0)
			check_fail(check, path, "%s is there twice", header->name);
}

static void read_header(struct check *check, const char *path, const struct wire *value,
			struct request *request)
{
	static const struct check_field fields[] = {
		{"Name", check_header_name, offsetof(struct request_header, name), HEADER_NAME_MAX},
		{"Value", check_header_value, offsetof(struct request_header, value),
		 HEADER_VALUE_MAX},
	};
	struct request_header header = {0};

	check_object(check, path, value, fields, G_N_ELEMENTS(fields), &header);
	if (!check->failed)
		check_whole_header(check, path, request, &header);
	if (check->failed)
		request_header_clear(&header);
	else
		request->headers[request->header_count++] = header;
}

void check_headers(struct check *check, const struct check_field *field, const char *path,
		   const struct wire *value, void *to)
{
	struct request *request = to;
	char element_path[CHECK_PATH_MAX];

	(void)field;
	if (strcmp(wire_type_name(value), "array") != 0) {
		check_fail(check, path, "list expected, not %s", wire_type_name(value));
		return;
	}
	if (wire_length(value) > HEADERS_MAX) {
		check_fail(check, path, "%zu headers, more than %d", wire_length(value),
			   HEADERS_MAX);
		return;
	}
	request->headers = g_new0(struct request_header, wire_length(value) + 1);
	for (size_t i = 0; i < wire_length(value) && !check->failed; i++) {
		g_snprintf(element_path, sizeof(element_path), "%s[%zu]", path, i);
		read_header(check, element_path, wire_at(value, i), request);
	}
}

/* ---- ListUnsubscribe ---- */

/* What stands in <...> (RFC 2369, 2). */
static bool is_uri_text(const char *text)
{
	for (; *text != '\0'; text++)
		if (!g_ascii_isgraph(*text) || strchr("<>\"\\^`{|},", *text) != NULL)
			return false;
	return true;
}

/* RFC 8058, 3.1: https alone. */
static void check_url(struct check *check, const struct check_field *field, const char *path,
		      const struct wire *value, void *to)
{
	const struct request *request = to;

	check_line(check, field, path, value, to);
	if (check->failed || request->unsubscribe_url[0] == '\0')
		return;
	g_autoptr(GUri) uri = g_uri_parse(request->unsubscribe_url, G_URI_FLAGS_NONE, NULL);

	if (uri == NULL || !is_uri_text(request->unsubscribe_url) ||
	    strcmp(g_uri_get_scheme(uri), "https") != 0 || g_uri_get_host(uri) == NULL ||
	    g_uri_get_host(uri)[0] == '\0')
		check_fail(check, path, "no https URL: \"%s\"", request->unsubscribe_url);
}

/* An address, or a whole mailto URL (RFC 6068) with its subject. */
static void check_mailto(struct check *check, const struct check_field *field, const char *path,
			 const struct wire *value, void *to)
{
	static const char scheme[] = "mailto:";
	struct request *request = to;
	struct address address = {0};

	check_line(check, field, path, value, to);
	if (check->failed || request->unsubscribe_mailto[0] == '\0')
		return;
	g_autofree char *given = g_steal_pointer(&request->unsubscribe_mailto);
	const char *start = g_str_has_prefix(given, scheme) ? given + strlen(scheme) : given;
	size_t size = strcspn(start, "?");
	g_autofree char *email = g_strndup(start, size);

	check_address(check, path, email, "", &address);
	if (!check->failed)
		request->unsubscribe_mailto =
			g_strconcat(scheme, address.email, start + size, NULL);
	if (!check->failed && !is_uri_text(request->unsubscribe_mailto))
		check_fail(check, path, "no mailto URL: \"%s\"", given);
	address_clear(&address);
}

void check_unsubscribe(struct check *check, const struct check_field *field, const char *path,
		       const struct wire *value, void *to)
{
	static const struct check_field fields[] = {
		{"Url", check_url, offsetof(struct request, unsubscribe_url), URL_MAX},
		{"Mailto", check_mailto, offsetof(struct request, unsubscribe_mailto), URL_MAX},
	};
	const struct request *request = to;

	(void)field;
	check_object(check, path, value, fields, G_N_ELEMENTS(fields), to);
	if (!check->failed && request->unsubscribe_url[0] == '\0' &&
	    request->unsubscribe_mailto[0] == '\0')
		check_fail(check, path, "neither Url nor Mailto");
}

/* ---- Metadata ---- */

struct metadata {
	struct check *check;
	const char *path;
	size_t count;
};

static bool visit_metadata(const char *key, const struct wire *value, void *context)
{
	struct metadata *metadata = context;
	struct check *check = metadata->check;
	char path[CHECK_PATH_MAX];

	g_snprintf(path, sizeof(path), "%s.%s", metadata->path, key);
	if (++metadata->count > METADATA_MAX)
		check_fail(check, metadata->path, "more than %d members", METADATA_MAX);
	else if (strlen(key) > METADATA_KEY_MAX)
		check_fail(check, metadata->path, "a name of %zu bytes, more than %d", strlen(key),
			   METADATA_KEY_MAX);
	else
		check_string(check, path, value, METADATA_VALUE_MAX);
	return !check->failed;
}

void check_metadata(struct check *check, const struct check_field *field, const char *path,
		    const struct wire *value, void *to)
{
	struct metadata metadata = {.check = check, .path = path};
	struct request *request = to;

	(void)field;
	if (strcmp(wire_type_name(value), "object") != 0)
		check_fail(check, path, "object expected, not %s", wire_type_name(value));
	wire_each(value, visit_metadata, &metadata);
	request->metadata = value;
}
