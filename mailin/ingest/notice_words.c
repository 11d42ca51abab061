#include "mailin/ingest/notice_words.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum {
	LOCALE_MAX = 35, /* RFC 5646, 4.4.1 */
	LANGUAGE_MIN = 2,
	SUBTAG_MAX = 8,
	MS_IN_SECOND = 1000,
	DAYS = 7,
	MONTHS = 12,
};

/* Unicode's own line ends; a terminal's are control characters. */
enum { LINE_SEPARATOR = 0x2028, PARAGRAPH_SEPARATOR = 0x2029 };

/* ---- the language ---- */

static bool is_subtag(const char *tag, bool first)
{
	size_t size = 0;

	for (; tag[size] != '\0'; size++)
		if (first ? !g_ascii_isalpha(tag[size]) : !g_ascii_isalnum(tag[size]))
			return false;
	return size >= (first ? LANGUAGE_MIN : 1) && size <= SUBTAG_MAX;
}

/* What mailout takes as a locale (RFC 5646). */
static bool is_locale(const char *text)
{
	g_auto(GStrv) tags = g_strsplit_set(text, "-_", -1);

	for (size_t i = 0; tags[i] != NULL; i++)
		if (!is_subtag(tags[i], i == 0))
			return false;
	return tags[0] != NULL && strlen(text) <= LOCALE_MAX;
}

/* The first of "de-DE, en;q=0.8", or NULL. */
static char *first_locale(const char *value)
{
	value += strspn(value, " \t\r\n");
	g_autofree char *text = g_strndup(value, strcspn(value, " \t\r\n,;("));

	return is_locale(text) ? g_steal_pointer(&text) : NULL;
}

static char *header_locale(const struct wire *headers, const char *wanted)
{
	for (size_t i = 0; i < wire_length(headers); i++) {
		const char *name = wire_get_text(wire_at(headers, i), "Name");
		const char *value = wire_get_text(wire_at(headers, i), "Value");

		if (name != NULL && value != NULL && g_ascii_strcasecmp(name, wanted) == 0)
			return first_locale(value);
	}
	return NULL;
}

char *notice_words_locale(const struct wire *headers, const char *otherwise)
{
	static const char *const names[] = {"Accept-Language", "Content-Language"};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *locale = header_locale(headers, names[i]);

		if (locale != NULL)
			return locale;
	}
	return g_strdup(is_locale(otherwise) ? otherwise : "");
}

/* ---- times ---- */

static const char *const english_days[DAYS] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
					       "Friday", "Saturday", "Sunday"};
static const char *const english_months[MONTHS] = {"January",   "February", "March",    "April",
						   "May",       "June",     "July",     "August",
						   "September", "October",  "November", "December"};
static const char *const german_days[DAYS] = {"Montag",  "Dienstag", "Mittwoch", "Donnerstag",
					      "Freitag", "Samstag",  "Sonntag"};
static const char *const german_months[MONTHS] = {"Januar",    "Februar", "März",     "April",
						  "Mai",       "Juni",    "Juli",     "August",
						  "September", "Oktober", "November", "Dezember"};

bool notice_words_is_language(const char *locale, const char *language)
{
	size_t size = strcspn(locale, "-_");

	return size == strlen(language) && g_ascii_strncasecmp(locale, language, size) == 0;
}

char *notice_words_time(int64_t ms, const char *locale)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(ms / MS_IN_SECOND);

	if (time == NULL)
		return NULL;
	g_autofree char *clock = g_date_time_format(time, "%H:%M");
	const char *zone = g_date_time_get_timezone_abbreviation(time);
	int weekday = g_date_time_get_day_of_week(time) - 1;
	int month = g_date_time_get_month(time) - 1;
	int day = g_date_time_get_day_of_month(time);
	int year = g_date_time_get_year(time);

	if (*locale == '\0' || notice_words_is_language(locale, "en"))
		return g_strdup_printf("%s, %d %s %d, %s %s", english_days[weekday], day,
				       english_months[month], year, clock, zone);
	if (notice_words_is_language(locale, "de"))
		return g_strdup_printf("%s, %d. %s %d, %s Uhr (%s)", german_days[weekday], day,
				       german_months[month], year, clock, zone);
	return g_date_time_format(time, "%Y-%m-%d %H:%M %Z");
}

/* ---- sizes ---- */

char *notice_words_size(int64_t bytes, const char *locale)
{
	const int64_t kb = 1024;
	const int64_t mb = 1024 * kb;
	const int64_t tenths = 10;
	int64_t rest = bytes % mb * tenths / mb;

	if (bytes < kb)
		return g_strdup_printf("%" G_GINT64_FORMAT " %s", bytes,
				       notice_words_is_language(locale, "de") ? "Byte" : "bytes");
	if (bytes < mb)
		return g_strdup_printf("%" G_GINT64_FORMAT " KB", bytes / kb);
	if (rest == 0)
		return g_strdup_printf("%" G_GINT64_FORMAT " MB", bytes / mb);
	return g_strdup_printf("%" G_GINT64_FORMAT "%s%" G_GINT64_FORMAT " MB", bytes / mb,
			       notice_words_is_language(locale, "de") ? "," : ".", rest);
}

/* ---- lines ---- */

char *notice_words_line(const char *text)
{
	GString *line = g_string_new(NULL);
	glong count = 0;

	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p), count++) {
		gunichar c = g_utf8_get_char(p);

		if (count == NOTICE_LINE_MAX - 1 && *g_utf8_next_char(p) != '\0') {
			g_string_append(line, "…");
			break;
		}
		bool is_control =
			g_unichar_iscntrl(c) || c == LINE_SEPARATOR || c == PARAGRAPH_SEPARATOR;

		g_string_append_unichar(line, is_control ? ' ' : c);
	}
	return g_strstrip(g_string_free(line, FALSE));
}
