#include "common/log.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* syslog(3) implementations cut lines; a value from a stranger must not push out what follows. */
enum { VALUE_MAX = 512 };

struct log_line {
	int priority;
	GString *text;
};

static struct {
	const char *program;
	bool to_syslog;
	int level;
} log_to = {.program = "mailpipe", .to_syslog = false, .level = LOG_INFO};

void log_open(const char *program, const char *target, int level)
{
	log_to.program = program;
	log_to.level = level;
	log_to.to_syslog = strcmp(target, "syslog") == 0;
	if (log_to.to_syslog)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

static bool is_plain(const char *value)
{
	if (*value == '\0')
		return false;
	for (const char *p = value; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return true;
}

/* Quoted as a JSON string would be. */
static void append_quoted(GString *to, const char *value)
{
	g_autofree char *valid = g_utf8_make_valid(value, -1);
	const char *p = valid;

	g_string_append_c(to, '"');
	for (; *p != '\0' && p - valid < VALUE_MAX; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == '"' || c == '\\')
			g_string_append_printf(to, "\\%c", (char)c);
		else if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT)
			g_string_append_printf(to, "\\u%04x", c);
		else
			g_string_append_unichar(to, c);
	}
	g_string_append(to, *p != '\0' ? "...\"" : "\"");
}

static void append_value(GString *to, const char *value)
{
	if (is_plain(value) && strlen(value) <= VALUE_MAX)
		g_string_append(to, value);
	else
		append_quoted(to, value);
}

struct log_line *log_event(int priority, const char *queue_id, const char *message_id,
			   const char *event)
{
	struct log_line *line = g_new(struct log_line, 1);

	line->priority = priority;
	line->text = g_string_new(NULL);
	append_value(line->text, queue_id != NULL && *queue_id != '\0' ? queue_id : "-");
	g_string_append_c(line->text, ' ');
	append_value(line->text, message_id != NULL && *message_id != '\0' ? message_id : "-");
	g_string_append_printf(line->text, " event=%s", event);
	return line;
}

void log_str(struct log_line *line, const char *key, const char *value)
{
	g_string_append_printf(line->text, " %s=", key);
	append_value(line->text, value != NULL ? value : "");
}

void log_num(struct log_line *line, const char *key, int64_t value)
{
	g_string_append_printf(line->text, " %s=%" G_GINT64_FORMAT, key, (gint64)value);
}

void log_reason(struct log_line *line, const struct reason *reason)
{
	log_str(line, "status", reason->status);
	log_str(line, "reason", reason->text);
}

void log_end(struct log_line *line)
{
	if (line->priority <= log_to.level) {
		if (log_to.to_syslog) {
			syslog(line->priority, "%s", line->text->str);
		} else {
			/* One write, so that the lines of several workers do not mix. */
			g_autofree char *whole = g_strdup_printf("%s[%ld]: %s\n", log_to.program,
								 (long)getpid(), line->text->str);
			ssize_t written = write(STDERR_FILENO, whole, strlen(whole));

			(void)written;
		}
	}
	g_string_free(line->text, TRUE);
	g_free(line);
}

void log_text(int priority, const char *event, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	struct log_line *line = log_event(priority, NULL, NULL, event);

	log_str(line, "text", text);
	log_end(line);
}
