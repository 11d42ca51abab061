#include "mailout/request_check.h"

#include <glib.h>
#include <string.h>

/* 9999-12-31T23:59:59Z: more are milliseconds by mistake. */
enum { RFC3339_MAX = 40 };
static const int64_t TIME_MAX = INT64_C(253402300799);

/* RFC 3339, 5.6, with its offset from UTC: "2024-02-29T08:00:00Z", "2024-02-29T08:00:00.5+01:00".
 */
static bool has_form(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	const char *p = text;

	for (const char *f = form; *f != '\0'; f++, p++) {
		if (*f == 'd' ? !g_ascii_isdigit(*p) : g_ascii_toupper(*p) != *f)
			return false;
	}
	if (*p == '.') {
		p++;
		if (!g_ascii_isdigit(*p))
			return false;
		while (g_ascii_isdigit(*p))
			p++;
	}
	if (*p == 'Z' || *p == 'z')
		return p[1] == '\0';
	return (*p == '+' || *p == '-') && strlen(p) == strlen("+00:00") && g_ascii_isdigit(p[1]) &&
	       g_ascii_isdigit(p[2]) && p[3] == ':' && g_ascii_isdigit(p[4]) &&
	       g_ascii_isdigit(p[5]);
}

static bool parse_time(const char *text, int64_t *seconds)
{
	if (!has_form(text))
		return false;
	g_autofree char *upper = g_ascii_strup(text, -1);
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(upper, NULL);

	if (time == NULL)
		return false;
	*seconds = g_date_time_to_unix(time);
	return true;
}

void check_time(struct check *check, const struct check_field *field, const char *path,
		const struct wire *value, void *to)
{
	int64_t seconds = 0;

	if (!wire_int(value, &seconds)) {
		if (wire_text(value) == NULL) {
			check_fail(check, path,
				   "time (RFC 3339 or seconds since 1970) expected, not %s",
				   wire_type_name(value));
			return;
		}
		const char *text = check_string(check, path, value, RFC3339_MAX);

		if (text == NULL)
			return;
		if (!parse_time(text, &seconds)) {
			check_fail(check, path, "no time of RFC 3339: \"%s\"", text);
			return;
		}
	}
	if (seconds <= 0 || seconds > TIME_MAX) {
		check_fail(check, path, "%" G_GINT64_FORMAT " is out of range (seconds since 1970)",
			   seconds);
		return;
	}
	*(int64_t *)(void *)((char *)to + field->offset) = seconds;
}
