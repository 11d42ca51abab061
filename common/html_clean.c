#include "common/html_clean.h"

#include <stdbool.h>
#include <string.h>

/* libxml2 makes a paragraph of text that is in no element; the mail's own <html> and <body> it
 * ignores then. */
#define BODY "<body>"

enum {
	CONDITION_MAX = 256,  /* bytes of "<![if ...]>" */
	ATTRIBUTES_MAX = 200, /* of one tag, as struct scan counts them */
};

static void remove_conditions(char *html, size_t size)
{
	static const char mark[] = "<![";
	char *end = html + size;
	char *close = html; /* the first ">" behind p, if that is known */

	for (char *p = html; (p = memmem(p, (size_t)(end - p), mark, strlen(mark))) != NULL; p++) {
		if (close <= p)
			close = memchr(p, '>', (size_t)(end - p));
		if (close == NULL)
			return;
		if (close[-1] == ']' && close - p < CONDITION_MAX)
			memset(p, ' ', (size_t)(close - p) + 1);
	}
}

/* Of a tag, as libxml2 reads it: only behind "=" do quotes mean anything. */
struct scan {
	char quote;   /* the open one, or NUL */
	bool value;   /* "=" was the last but blanks */
	size_t count; /* of attributes, at least */
};

static void scan_character(struct scan *scan, char c, char next)
{
	if (scan->quote != '\0') {
		if (c == scan->quote)
			scan->quote = '\0';
		return;
	}
	if (g_ascii_isspace(c)) {
		scan->count += !g_ascii_isspace(next) && !scan->value;
		return;
	}
	if (scan->value && (c == '"' || c == '\''))
		scan->quote = c;
	/* Nothing need stand between a value in quotes and the next name. */
	scan->value = c == '=';
	scan->count += scan->value;
}

/* Blank what follows the first attributes of the tag that begins at p; returns its end. */
static char *bound_attributes(char *p, const char *end)
{
	struct scan scan = {0};

	for (; p < end && (*p != '>' || scan.quote != '\0'); p++) {
		scan_character(&scan, *p, (char)(p + 1 < end ? p[1] : '\0'));
		if (scan.count > ATTRIBUTES_MAX)
			*p = ' ';
	}
	return p;
}

static void remove_attributes(char *html, size_t size)
{
	const char *end = html + size;

	for (char *p = html; (p = memchr(p, '<', (size_t)(end - p))) != NULL;) {
		p++;
		if (p < end && g_ascii_isalpha(*p))
			p = bound_attributes(p, end);
	}
}

GString *html_clean(const char *html, size_t size)
{
	GString *clean = g_string_sized_new(size + sizeof(BODY));

	g_string_append(clean, BODY);
	g_string_append_len(clean, html, (gssize)size);
	remove_conditions(clean->str, clean->len);
	remove_attributes(clean->str, clean->len);
	return clean;
}
