/*
 * One line of a mail log, taken apart: Postfix's (its syslog name is postfix or begins so) and
 * ours (common/log.h).
 *
 * What strangers choose stands in values only: a field is found by where it stands, not by looking
 * for its name, so that an address like "a, status=sent"@example.net claims nothing.
 */
#ifndef MAILCTL_LOGLINE_H
#define MAILCTL_LOGLINE_H

#include <stdbool.h>
#include <stdint.h>

enum logline_kind { LOGLINE_OTHER, LOGLINE_POSTFIX, LOGLINE_OURS };

/* Everything points into the line, which was changed for it. */
struct logline {
	enum logline_kind kind;
	const char *stamp;      /* the time as it stands there; "" if there is none */
	const char *program;    /* "postfix/smtpd", "mailin-ingest" */
	const char *service;    /* its last component: "smtpd" */
	const char *queue_id;   /* "" if there is none; "NOQUEUE" */
	const char *message_id; /* ours; "" if there is none */
	const char *text;       /* what stands behind the ids */
};

/* Understands traditional syslog lines, RFC 5424's and journalctl's times (as of -o
 * short-iso-precise), and lines without time and host, as our programs write them to standard
 * error.  False if it is neither Postfix's nor ours.  `text` is changed. */
bool logline_parse(char *text, struct logline *line);

/* When: milliseconds since 1970, or -1 if the line does not say.  Traditional lines have no year
 * and no zone: it is the local time closest before `reference_ms`.  *exact: to the millisecond, not
 * just to the second. */
int64_t logline_when(const struct logline *line, int64_t reference_ms, bool *exact);

/* A field's value without its angle brackets or quotes, or NULL; g_free() it.  Of Postfix's lines:
 * "to", "status" ...; the text in parentheses behind a status is the field "(". */
char *logline_field(const struct logline *line, const char *name);

/* "queued as QUEUEID" at the end of an SMTP server's reply; g_free() it. */
char *logline_queued_as(const char *reply);

/* Is it one, short or long? */
bool logline_is_queue_id(const char *text);

#endif
