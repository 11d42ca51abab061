#include "common/outcome.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copy a text, valid UTF-8 without control characters, cut on a character. */
static void set_text(char *to, size_t size, const char *from)
{
	g_autofree char *valid = g_utf8_make_valid(from, -1);
	size_t length = 0;

	for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
		size_t width = (size_t)(g_utf8_next_char(p) - p);

		if (length + width >= size)
			break;
		if (g_unichar_iscntrl(g_utf8_get_char(p))) {
			to[length++] = ' ';
		} else {
			memcpy(to + length, p, width);
			length += width;
		}
	}
	to[length] = '\0';
}

__attribute__((format(printf, 3, 0))) static void
set_reason(struct reason *reason, const char *status, const char *format, va_list args)
{
	if (reason == NULL)
		return;
	g_autofree char *text = g_strdup_vprintf(format, args);

	g_strlcpy(reason->status, status, sizeof(reason->status));
	set_text(reason->text, sizeof(reason->text), text);
}

enum outcome outcome_retry(struct reason *reason, const char *status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_reason(reason, status, format, args);
	va_end(args);
	return OUTCOME_RETRY;
}

enum outcome outcome_reject(struct reason *reason, const char *status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_reason(reason, status, format, args);
	va_end(args);
	return OUTCOME_REJECT;
}

void reason_prefix(struct reason *reason, const char *context)
{
	if (reason == NULL)
		return;
	g_autofree char *text = g_strconcat(context, ": ", reason->text, NULL);

	set_text(reason->text, sizeof(reason->text), text);
}

const char *outcome_name(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_OK:
		return "ok";
	case OUTCOME_REJECT:
		return "reject";
	case OUTCOME_RETRY:
		break;
	}
	return "retry";
}
