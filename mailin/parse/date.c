#include "mailin/parse/date.h"

#include <gmime/gmime.h>

/* Clocks that were never set say 1970; the SQL types end with 9999. */
enum { YEAR_MIN = 1970, YEAR_MAX = 9998 };

/* Without comments, which GMime takes for parts of the date; and a military time zone, which says
 * nothing (RFC 5322, 4.3), as UTC. */
static char *simplify(const char *text)
{
	GString *out = g_string_new(NULL);
	int depth = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '(')
			depth++;
		if (depth == 0)
			g_string_append_c(out, *p);
		if (*p == ')' && depth > 0)
			depth--;
	}
	while (out->len > 0 && g_ascii_isspace(out->str[out->len - 1]))
		g_string_truncate(out, out->len - 1);
	if (out->len > 2 && g_ascii_isalpha(out->str[out->len - 1]) &&
	    out->str[out->len - 2] == ' ')
		out->str[out->len - 1] = 'Z';
	return g_string_free(out, FALSE);
}

char *date_utc(const char *text)
{
	g_autofree char *simple = simplify(text);
	g_autoptr(GDateTime) date = g_mime_utils_header_decode_date(simple);
	if (date == NULL)
		return NULL;
	g_autoptr(GDateTime) utc = g_date_time_to_utc(date);
	if (utc == NULL)
		return NULL;
	int year = g_date_time_get_year(utc);
	if (year < YEAR_MIN || year > YEAR_MAX)
		return NULL;
	return g_date_time_format(utc, "%Y-%m-%dT%H:%M:%SZ");
}
