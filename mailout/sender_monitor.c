#include "mailout/sender_monitor.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum {
	CODE_LENGTH = 3,
	SEPARATOR = CODE_LENGTH, /* column of the blank or hyphen behind the code */
	CODE_READY = 220,
};

/* What stands for the first letter of a hidden extension: no extension begins with it. */
static const char HIDDEN = 'Z';
/* First letters of the extensions that libesmtp may see: AUTH, SIZE, STARTTLS. */
static const char SHOWN[] = "AS";

static bool set_fault(struct monitor *monitor, const char *status, const char *text)
{
	if (!monitor->faulty)
		outcome_retry(&monitor->fault, status, "%s", text);
	monitor->faulty = true;
	return false;
}

static void add_text(struct monitor *monitor, char c)
{
	if (monitor->text_length < SENDER_REPLY_MAX)
		monitor->text[monitor->text_length++] = c;
}

/* libesmtp skips blanks before the keyword, however the bytes arrive. */
static void hide_keyword(struct monitor *monitor, char *c)
{
	if (monitor->keyword_seen || *c == ' ' || *c == '\t')
		return;
	monitor->keyword_seen = true;
	if (strchr(SHOWN, g_ascii_toupper(*c)) == NULL)
		*c = HIDDEN;
}

/* One byte of a reply.  True at the end of its last line. */
static bool take(struct monitor *monitor, char *c)
{
	size_t column = monitor->column++;

	if (column == 0) {
		memset(monitor->code, 0, sizeof(monitor->code));
		monitor->keyword_seen = false;
	}
	if (column < CODE_LENGTH)
		monitor->code[column] = *c;
	if (*c == '\n') {
		monitor->column = 0;
		monitor->lines++;
		add_text(monitor, '\n');
		return column <= SEPARATOR || !monitor->more;
	}
	if (column == SEPARATOR) {
		monitor->more = *c == '-';
	} else if (column > SEPARATOR) {
		add_text(monitor, *c);
		if (monitor->phase == MONITOR_EHLO && monitor->lines > 0)
			hide_keyword(monitor, c);
	}
	return false;
}

static void finish_reply(struct monitor *monitor)
{
	struct reply reply;

	monitor->text[monitor->text_length] = '\0';
	reply_set(&reply, atoi(monitor->code), monitor->text);
	monitor->asked = false;
	monitor->lines = 0;
	monitor->text_length = 0;
	if (monitor->phase == MONITOR_AUTH && reply.code / REPLY_CLASS == REPLY_DONE)
		monitor->authenticated = true;
	bool agrees =
		reply.code / REPLY_CLASS == REPLY_DONE || reply.code / REPLY_CLASS == REPLY_MORE;

	if (monitor->phase == MONITOR_GREETING)
		agrees = reply.code == CODE_READY;
	if (monitor->phase == MONITOR_MAIL || !agrees)
		monitor->last = reply;
}

bool monitor_read(struct monitor *monitor, char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!monitor->asked)
			return set_fault(monitor, "4.5.0",
					 monitor->phase == MONITOR_STARTTLS
						 ? "plain text behind the reply to STARTTLS"
						 : "the server spoke out of turn");
		if (take(monitor, &data[i]))
			finish_reply(monitor);
	}
	return !monitor->faulty;
}

void monitor_message_end(struct monitor *monitor)
{
	monitor->asked = true;
}

void monitor_init(struct monitor *monitor)
{
	*monitor = (struct monitor){.asked = true};
}

static bool begins(const char *data, size_t size, const char *with)
{
	return size >= strlen(with) && memcmp(data, with, strlen(with)) == 0;
}

static bool allow_mail(struct monitor *monitor)
{
	if (monitor->wants_tls && !monitor->tls)
		return set_fault(monitor, "4.7.0", "the session is not encrypted");
	if (!monitor->wants_auth || monitor->authenticated)
		return true;
	if (monitor->last.code == 0)
		return set_fault(monitor, "4.7.0",
				 "the server offers neither AUTH PLAIN nor AUTH LOGIN");
	g_autofree char *text = g_strdup_printf(
		"authentication failed: %d %s%s%s", monitor->last.code, monitor->last.status,
		monitor->last.status[0] != '\0' ? " " : "", monitor->last.text);

	return set_fault(monitor, "4.7.8", text);
}

bool monitor_write(struct monitor *monitor, const char *data, size_t size)
{
	static const char QUIT[] = "QUIT\r\n";
	size_t quit = strlen(QUIT);

	if (monitor->faulty)
		return false;
	monitor->asked = true;
	if (size == quit && memcmp(data, QUIT, quit) == 0) {
		monitor->phase = MONITOR_QUIT;
		return true;
	}
	/* Until the first MAIL each command is sent alone, and in phase AUTH what is no command
	 * belongs to it. */
	if (monitor->phase == MONITOR_MAIL)
		return true;
	if (begins(data, size, "EHLO ") || begins(data, size, "HELO ")) {
		monitor->phase = MONITOR_EHLO;
	} else if (begins(data, size, "STARTTLS\r\n")) {
		monitor->phase = MONITOR_STARTTLS;
	} else if (begins(data, size, "AUTH ")) {
		monitor->phase = MONITOR_AUTH;
		if (monitor->wants_tls && !monitor->tls)
			return set_fault(monitor, "4.7.0", "the session is not encrypted");
	} else if (begins(data, size, "MAIL FROM:")) {
		monitor->phase = MONITOR_MAIL;
		monitor->mail_begun = allow_mail(monitor);
		return monitor->mail_begun;
	}
	return true;
}
