#include "common/authres.h"

#include <glib.h>
#include <string.h>

#include "common/domain.h"

enum { VERSION_KNOWN = 1, VERSION_MAX = 9999 };

/* All readers step over what they read and return false, or NULL, where it is not there.  Words are
 * copied to `out`, one behind the other: none is longer than what it is read from. */
struct scan {
	const char *at;
	char *out;
};

/* ---- words ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 5322, 3.2.2: comments nest.  False in one that is not closed. */
static bool skip_comment(struct scan *scan)
{
	size_t depth = 0;

	do {
		if (*scan->at == '\\' && scan->at[1] != '\0')
			scan->at++;
		else if (*scan->at == '(')
			depth++;
		else if (*scan->at == ')')
			depth--;
		if (*scan->at == '\0')
			return false;
		scan->at++;
	} while (depth > 0);
	return true;
}

/* [CFWS] */
static bool skip_blanks(struct scan *scan)
{
	for (;;) {
		while (is_blank(*scan->at))
			scan->at++;
		if (*scan->at != '(')
			return true;
		if (!skip_comment(scan))
			return false;
	}
}

/* [CFWS] character [CFWS] */
static bool skip_mark(struct scan *scan, char mark)
{
	if (!skip_blanks(scan) || *scan->at != mark)
		return false;
	scan->at++;
	return skip_blanks(scan);
}

/* RFC 5321, 4.1.2: Keyword = Ldh-str.  Lower case. */
static char *read_keyword(struct scan *scan)
{
	size_t size = 0;

	while (g_ascii_isalnum(scan->at[size]) || scan->at[size] == '-')
		size++;
	if (size == 0 || scan->at[size - 1] == '-')
		return NULL;
	char *word = scan->out;

	for (; size > 0; size--)
		*scan->out++ = g_ascii_tolower(*scan->at++);
	*scan->out++ = '\0';
	return word;
}

static bool read_number(struct scan *scan, int *number)
{
	size_t size = strspn(scan->at, "0123456789");

	if (size == 0)
		return false;
	guint64 value = g_ascii_strtoull(scan->at, NULL, 10);

	*number = (int)MIN(value, (guint64)VERSION_MAX);
	scan->at += size;
	return true;
}

/* RFC 5322, 3.2.4: its contents. */
static bool read_quoted(struct scan *scan)
{
	if (*scan->at != '"')
		return false;
	for (scan->at++; *scan->at != '"'; scan->at++) {
		if (*scan->at == '\\' && scan->at[1] != '\0')
			scan->at++;
		if (*scan->at == '\0')
			return false;
		*scan->out++ = *scan->at;
	}
	scan->at++;
	return true;
}

/* RFC 2045, 5.1: value = token / quoted-string. */
static bool is_token_character(char c)
{
	return g_ascii_isalnum(c) || (g_ascii_isgraph(c) && strchr("()<>@,;:\\\"/[]?=", c) == NULL);
}

/* Beyond ASCII by RFC 8616. */
static bool is_value_character(char c, bool loose)
{
	if (c == '\0')
		return false;
	return is_token_character(c) || (unsigned char)c >= 0x80 ||
	       (loose && strchr("/?=:[]", c) != NULL);
}

static void read_run(struct scan *scan, bool loose)
{
	while (is_value_character(*scan->at, loose))
		*scan->out++ = *scan->at++;
}

static char *read_value(struct scan *scan)
{
	char *word = scan->out;

	if (*scan->at == '"') {
		if (!read_quoted(scan))
			return NULL;
	} else {
		read_run(scan, false);
		if (scan->out == word)
			return NULL;
	}
	*scan->out++ = '\0';
	return word;
}

/* pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS].  An unquoted local part
 * has characters that a token lacks ("prvs=1/2=ann@example.com"); so have signatures in base64 and
 * IPv6 addresses, which filters do not always quote as they should. */
static char *read_pvalue(struct scan *scan)
{
	if (!skip_blanks(scan))
		return NULL;
	char *word = scan->out;
	bool quoted = *scan->at == '"';

	if (quoted && !read_quoted(scan))
		return NULL;
	if (!quoted)
		read_run(scan, true);
	if (*scan->at == '@') {
		*scan->out++ = *scan->at++;
		const char *domain = scan->out;

		read_run(scan, false);
		if (scan->out == domain)
			return NULL;
	} else if (!quoted && scan->out == word) {
		return NULL;
	}
	*scan->out++ = '\0';
	return skip_blanks(scan) ? word : NULL;
}

/* ---- results ---- */

/* methodspec = [CFWS] method [CFWS] "=" [CFWS] result */
static bool read_method(struct scan *scan, struct authres_result *result)
{
	result->version = VERSION_KNOWN;
	result->method = skip_blanks(scan) ? read_keyword(scan) : NULL;
	if (result->method == NULL || !skip_blanks(scan))
		return false;
	if (*scan->at == '/' && (!skip_mark(scan, '/') || !read_number(scan, &result->version)))
		return false;
	if (!skip_mark(scan, '='))
		return false;
	result->result = read_keyword(scan);
	return result->result != NULL;
}

/* "reason" [CFWS] "=" [CFWS] value; or the type of the first property, which is kept. */
static bool read_reason(struct scan *scan, struct authres_result *result, char **type)
{
	static const char reason[] = "reason";

	*type = read_keyword(scan);
	if (*type == NULL || !skip_blanks(scan))
		return false;
	if (*scan->at != '=')
		return true;
	if (strcmp(*type, reason) != 0 || !skip_mark(scan, '='))
		return false;
	*type = NULL;
	result->reason = read_value(scan);
	return result->reason != NULL && skip_blanks(scan);
}

/* Has an array of that many items, which begins with one and doubles, no room for another? */
static bool is_full(size_t count)
{
	return (count & (count - 1)) == 0;
}

/* propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue; `type` (or NULL) is taken, it has
 * been read already. */
static bool read_property(struct scan *scan, struct authres_result *result, char *type)
{
	struct authres_property property = {.type = type};

	if (property.type == NULL)
		property.type = read_keyword(scan);
	if (property.type != NULL && skip_mark(scan, '.'))
		property.name = read_keyword(scan);
	if (property.name != NULL && skip_blanks(scan) && *scan->at == '=') {
		scan->at++;
		property.value = read_pvalue(scan);
	}
	if (property.value == NULL || result->property_count == AUTHRES_RESULTS_MAX)
		return false;
	if (is_full(result->property_count))
		result->properties = g_renew(struct authres_property, result->properties,
					     MAX(2 * result->property_count, 1));
	result->properties[result->property_count++] = property;
	return true;
}

static bool ends_result(const struct scan *scan)
{
	return *scan->at == ';' || *scan->at == '\0';
}

/* resinfo, from behind its ';'. */
static bool read_result(struct scan *scan, struct authres_result *result)
{
	char *type = NULL;

	if (!read_method(scan, result))
		return false;
	const char *end = scan->at;

	if (!skip_blanks(scan))
		return false;
	/* "pass.x=y" and "passreason=": something must stand between them. */
	if (!ends_result(scan) && scan->at == end)
		return false;
	if (!ends_result(scan) && !read_reason(scan, result, &type))
		return false;
	while (type != NULL || !ends_result(scan)) {
		if (!read_property(scan, result, g_steal_pointer(&type)))
			return false;
	}
	return true;
}

/* [CFWS] "none", and nothing else. */
static bool is_none(const struct scan *scan)
{
	struct scan ahead = *scan;

	if (!skip_blanks(&ahead))
		return false;
	const char *word = read_keyword(&ahead);

	return word != NULL && strcmp(word, "none") == 0 && skip_blanks(&ahead) &&
	       *ahead.at == '\0';
}

static bool read_results(struct scan *scan, struct authres *authres)
{
	if (*scan->at != ';')
		return false;
	while (*scan->at == ';') {
		struct authres_result result = {0};

		scan->at++;
		if (authres->result_count == 0 && is_none(scan))
			return true;
		struct scan ahead = *scan;

		if (authres->result_count > 0 && skip_blanks(&ahead) && *ahead.at == '\0')
			return true;
		if (authres->result_count == AUTHRES_RESULTS_MAX || !read_result(scan, &result)) {
			g_free(result.properties);
			return false;
		}
		if (is_full(authres->result_count))
			authres->results = g_renew(struct authres_result, authres->results,
						   MAX(2 * authres->result_count, 1));
		authres->results[authres->result_count++] = result;
	}
	return true;
}

/* [CFWS] authserv-id [ CFWS authres-version ] */
static bool read_server(struct scan *scan, struct authres *authres)
{
	if (!skip_blanks(scan))
		return false;
	authres->authserv_id = read_value(scan);

	if (authres->authserv_id == NULL || !skip_blanks(scan))
		return false;
	for (char *p = authres->authserv_id; *p != '\0'; p++)
		*p = g_ascii_tolower(*p);
	authres->version = VERSION_KNOWN;
	if (g_ascii_isdigit(*scan->at))
		return read_number(scan, &authres->version) && skip_blanks(scan);
	return true;
}

struct authres *authres_parse(const char *value)
{
	struct authres *authres = g_new0(struct authres, 1);

	/* Each word takes one byte more than what it is read from, and that has at least one. */
	authres->text = g_malloc(2 * strlen(value) + 1);
	struct scan scan = {.at = value, .out = authres->text};

	if (!read_server(&scan, authres) || !read_results(&scan, authres))
		authres_free(&authres);
	return authres;
}

void authres_free(struct authres **authres)
{
	struct authres *old = *authres;

	if (old == NULL)
		return;
	for (size_t i = 0; i < old->result_count; i++)
		g_free(old->results[i].properties);
	g_free(old->results);
	g_free(old->text);
	g_free(old);
	*authres = NULL;
}

/* ---- what leads a filter astray ---- */

/* What an identity may have that stays one pvalue in an Authentication-Results field. */
static bool is_harmless(char c)
{
	return (g_ascii_isgraph(c) && strchr("()<>,;:\\\"[]?", c) == NULL) ||
	       (unsigned char)c >= 0x80;
}

/* dkim-quoted-printable: blanks do not count, wherever they stand, and "=3B" is a semicolon. */
static bool is_harmless_value(const char *value, size_t size)
{
	g_autoptr(GString) text = g_string_sized_new(size);

	for (size_t i = 0; i < size; i++)
		if (!is_blank(value[i]))
			g_string_append_c(text, value[i]);
	for (size_t i = 0; i < text->len; i++) {
		/* (There is a NUL behind its end.) */
		int high = g_ascii_xdigit_value(text->str[i + 1]);
		int low = high >= 0 ? g_ascii_xdigit_value(text->str[i + 2]) : -1;
		char c = text->str[i];

		if (c == '=' && low >= 0) {
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (!is_harmless(c))
			return false;
	}
	return true;
}

/* tag-list = tag-spec *( ";" tag-spec ); tag-spec = [FWS] name [FWS] "=" [FWS] value [FWS] */
bool authres_misled_by(const char *signature, size_t size)
{
	const char *end = signature + size;
	const char *next;

	for (const char *tag = signature; tag < end; tag = next) {
		const char *semicolon = memchr(tag, ';', (size_t)(end - tag));
		const char *stop = semicolon != NULL ? semicolon : end;
		const char *equals = memchr(tag, '=', (size_t)(stop - tag));

		next = semicolon != NULL ? semicolon + 1 : end;
		if (equals == NULL)
			continue;
		g_autofree char *name = g_strstrip(g_strndup(tag, (size_t)(equals - tag)));

		if (g_ascii_strcasecmp(name, "i") == 0 &&
		    !is_harmless_value(equals + 1, (size_t)(stop - equals - 1)))
			return true;
	}
	return false;
}

/* ---- what it establishes ---- */

/* The domain itself or one above it, which is no top level domain. */
static bool is_same_or_above(const char *above, const char *domain)
{
	size_t size = strlen(above);
	size_t domain_size = strlen(domain);

	if (strchr(above, '.') == NULL || size > domain_size)
		return false;
	const char *tail = domain + domain_size - size;

	return g_ascii_strcasecmp(tail, above) == 0 && (tail == domain || tail[-1] == '.');
}

static const struct {
	const char *method;
	const char *type;
	const char *name;
	bool signs_from; /* then the domain may be above */
} proofs[] = {
	{"spf", "smtp", "mailfrom", false},
	{"dkim", "header", "d", true},
	{"dmarc", "header", "from", true},
};

/* The value is a domain or an address. */
static bool proves(const struct authres_property *property, size_t proof, const char *domain)
{
	const char *at = strrchr(property->value, '@');

	if (strcmp(property->type, proofs[proof].type) != 0 ||
	    strcmp(property->name, proofs[proof].name) != 0)
		return false;
	g_autofree char *found = domain_ascii(at != NULL ? at + 1 : property->value, NULL);

	if (found == NULL)
		return false;
	return proofs[proof].signs_from ? is_same_or_above(found, domain)
					: strcmp(found, domain) == 0;
}

static bool result_establishes(const struct authres_result *result, const char *domain,
			       bool is_from)
{
	if (result->version != VERSION_KNOWN || strcmp(result->result, "pass") != 0)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(proofs); i++) {
		if (strcmp(result->method, proofs[i].method) != 0 ||
		    (proofs[i].signs_from && !is_from))
			continue;
		for (size_t k = 0; k < result->property_count; k++)
			if (proves(&result->properties[k], i, domain))
				return true;
	}
	return false;
}

bool authres_establishes(const struct authres *authres, const char *domain, bool is_from)
{
	if (authres->version != VERSION_KNOWN || *domain == '\0')
		return false;
	for (size_t i = 0; i < authres->result_count; i++)
		if (result_establishes(&authres->results[i], domain, is_from))
			return true;
	return false;
}
