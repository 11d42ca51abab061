#include "mailin/parse/date.h"

#include <gmime/gmime.h>

/* Clocks that were never set say 1970; the SQL types end with 9999. */
enum { YEAR_MIN = 1970, YEAR_MAX = 9998 };

char *date_utc(const char *text)
{
	g_autoptr(GDateTime) date = g_mime_utils_header_decode_date(text);
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
