#include "common/route.h"

#include <glib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A stranger chooses the address: bound what a pattern may cost (pcre2api(3), match limits). */
enum {
	MATCH_LIMIT = 100000,
	DEPTH_LIMIT = 1000,
	ADDRESS_MAX = 1024, /* RFC 5321, 4.5.3.1 allows 256; Postfix a little more */
	ERROR_TEXT_MAX = 160,
};

struct pattern {
	size_t index;
	enum route_kind kind;
	char *address; /* normalised; of exact and wildcard patterns */
	pcre2_code *regex;
};

struct route_set {
	char *delimiters;
	GPtrArray *patterns;
	pcre2_match_context *match_context;
};

static void pattern_free(void *data)
{
	struct pattern *pattern = data;

	g_free(pattern->address);
	pcre2_code_free(pattern->regex);
	g_free(pattern);
}

struct route_set *route_set_new(const char *delimiters)
{
	struct route_set *set = g_new0(struct route_set, 1);

	set->delimiters = g_strdup(delimiters);
	set->patterns = g_ptr_array_new_with_free_func(pattern_free);
	set->match_context = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(set->match_context, MATCH_LIMIT);
	pcre2_set_depth_limit(set->match_context, DEPTH_LIMIT);
	return set;
}

void route_set_free(struct route_set **set)
{
	if (*set == NULL)
		return;
	g_free((*set)->delimiters);
	g_ptr_array_free((*set)->patterns, TRUE);
	pcre2_match_context_free((*set)->match_context);
	g_free(*set);
	*set = NULL;
}

enum route_kind route_pattern_kind(const char *pattern)
{
	if (*pattern == '/')
		return ROUTE_REGEX;
	return strchr(pattern, '*') != NULL ? ROUTE_WILDCARD : ROUTE_EXACT;
}

/* Lower case, the domain as A-labels.  Bytes that are no UTF-8 stay what they are. */
static char *normalise(const char *address)
{
	const char *at = strrchr(address, '@');

	if (!g_utf8_validate(address, -1, NULL))
		return g_ascii_strdown(address, -1);
	if (at == NULL)
		return g_utf8_strdown(address, -1);
	g_autofree char *local = g_utf8_strdown(address, at - address);
	/* An address literal, a wildcard or an impossible name is compared as it is. */
	g_autofree char *ascii = strchr(at, '*') == NULL ? g_hostname_to_ascii(at + 1) : NULL;
	g_autofree char *domain = g_utf8_strdown(ascii != NULL ? ascii : at + 1, -1);

	return g_strconcat(local, "@", domain, NULL);
}

static pcre2_code *compile(const char *pattern, struct reason *reason)
{
	const char *end = strrchr(pattern, '/');
	PCRE2_UCHAR text[ERROR_TEXT_MAX];
	PCRE2_SIZE offset;
	int error;

	if (end == pattern || end[1] != '\0') {
		outcome_retry(reason, "4.3.5", "%s: a regular expression ends with '/'", pattern);
		return NULL;
	}
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern + 1), (size_t)(end - pattern - 1),
					 PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
					 &error, &offset, NULL);

	if (code == NULL) {
		pcre2_get_error_message(error, text, sizeof(text));
		outcome_retry(reason, "4.3.5", "%s: %s at offset %zu", pattern, (char *)text,
			      (size_t)offset);
	}
	return code;
}

enum outcome route_add(struct route_set *set, size_t index, const char *pattern,
		       struct reason *reason)
{
	enum route_kind kind = route_pattern_kind(pattern);
	pcre2_code *regex = NULL;

	if (kind == ROUTE_REGEX) {
		regex = compile(pattern, reason);
		if (regex == NULL)
			return OUTCOME_RETRY;
	} else {
		const char *at = strrchr(pattern, '@');

		if (at == NULL || at == pattern || at[1] == '\0')
			return outcome_retry(reason, "4.3.5",
					     "%s: an address pattern is local@domain", pattern);
	}
	struct pattern *added = g_new0(struct pattern, 1);

	added->index = index;
	added->kind = kind;
	added->regex = regex;
	added->address = kind == ROUTE_REGEX ? NULL : normalise(pattern);
	g_ptr_array_add(set->patterns, added);
	return OUTCOME_OK;
}

/* The bytes of a delimiter at `text`: 1, 3 if it is percent-encoded (RFC 3986, 2.1), else 0. */
static size_t delimiter_size(const char *delimiters, const char *text)
{
	if (strchr(delimiters, *text) != NULL)
		return 1;
	if (*text != '%')
		return 0;
	int high = g_ascii_xdigit_value(text[1]);
	int low = high >= 0 ? g_ascii_xdigit_value(text[2]) : -1;
	int c = high * 16 + low;

	return low >= 0 && c != '\0' && strchr(delimiters, c) != NULL ? strlen("%2B") : 0;
}

/*
 * Where the first delimiter of the local part stands (and its size), or NULL.  As in Postfix's
 * split_addr(), neither the first nor the last character of the local part splits.  A delimiter as
 * it stands in the URL of a link (photos%2Btag@example.com) is one, too: some mail programs take
 * the address from there as it is.
 */
static const char *find_delimiter(const char *delimiters, const char *address, size_t *size)
{
	const char *at = strrchr(address, '@');
	size_t local_size = at != NULL ? (size_t)(at - address) : strlen(address);

	if (*delimiters == '\0' || local_size < 2)
		return NULL;
	/* Nor are these two addresses ever split (Postfix split_addr.c). */
	if (local_size == strlen("mailer-daemon") &&
	    g_ascii_strncasecmp(address, "mailer-daemon", local_size) == 0)
		return NULL;
	for (size_t position = 1; position < local_size; position++) {
		*size = delimiter_size(delimiters, address + position);
		if (*size > 0)
			return position + *size < local_size ? address + position : NULL;
	}
	return NULL;
}

char *route_mailbox_hash(const char *delimiters, const char *address)
{
	const char *at = strrchr(address, '@');
	size_t size;
	const char *found = find_delimiter(delimiters, address, &size);

	if (found == NULL)
		return g_strdup("");
	found += size;
	return at != NULL ? g_strndup(found, (size_t)(at - found)) : g_strdup(found);
}

/* The address without what find_delimiter() found, or NULL if there is nothing to strip. */
static char *without_extension(const char *delimiters, const char *address)
{
	const char *at = strrchr(address, '@');
	size_t size;
	const char *found = find_delimiter(delimiters, address, &size);

	if (found == NULL)
		return NULL;
	g_autofree char *local = g_strndup(address, (size_t)(found - address));

	return g_strconcat(local, at != NULL ? at : "", NULL);
}

char *route_base_address(const char *delimiters, const char *address)
{
	g_autofree char *whole = normalise(address);
	char *base = without_extension(delimiters, whole);

	return base != NULL ? base : g_steal_pointer(&whole);
}

/* '*' is any run of characters other than '@'; everything else stands for itself. */
static bool wildcard_match(const char *pattern, const char *text)
{
	const char *star = NULL;
	const char *retry = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL && *retry != '@') {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool regex_match(const struct route_set *set, const struct pattern *pattern,
			const char *address)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int found = pcre2_match(pattern->regex, (PCRE2_SPTR)address, strlen(address), 0, 0, data,
				set->match_context);

	pcre2_match_data_free(data);
	return found >= 0;
}

int route_match(const struct route_set *set, const char *recipient)
{
	if (strlen(recipient) > ADDRESS_MAX)
		return -1;
	g_autofree char *address = normalise(recipient);
	g_autofree char *base = without_extension(set->delimiters, address);

	for (guint i = 0; i < set->patterns->len; i++) {
		const struct pattern *pattern = set->patterns->pdata[i];
		bool matched = false;

		switch (pattern->kind) {
		case ROUTE_EXACT:
			matched = strcmp(pattern->address, address) == 0 ||
				  (base != NULL && strcmp(pattern->address, base) == 0);
			break;
		case ROUTE_WILDCARD:
			matched = wildcard_match(pattern->address, address) ||
				  (base != NULL && wildcard_match(pattern->address, base));
			break;
		case ROUTE_REGEX:
			matched = regex_match(set, pattern, recipient);
			break;
		}
		if (matched)
			return (int)pattern->index;
	}
	return -1;
}
