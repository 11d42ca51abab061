/*
 * One line per message and step:
 *
 *	QUEUEID MESSAGEID event=stored route=support from="a@b" size=123
 *
 * The queue id comes first, so that one grep follows a mail from Postfix's log
 * to the row; "-" stands for what is not known.  Values are escaped: no control
 * characters, no invalid UTF-8, quoted when they hold a space, a quote or '='.
 * Only programs' main loops log; modules return a reason instead.
 *
 *	struct log_line *line = log_event(LOG_INFO, queue_id, message_id, "stored");
 *	log_str(line, "route", route);
 *	log_end(line);
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h> /* LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG */

#include "common/outcome.h"

struct log_line;

/* target: "syslog" (facility mail) or "stderr".  Lines above `level` are dropped.
 * Before this call lines go to stderr. */
void log_open(const char *program, const char *target, int level);

/* Both ids may be NULL or empty. */
struct log_line *log_event(int priority, const char *queue_id, const char *message_id,
			   const char *event);
void log_str(struct log_line *line, const char *key, const char *value);
void log_num(struct log_line *line, const char *key, int64_t value);
void log_reason(struct log_line *line, const struct reason *reason); /* status= and reason= */
void log_end(struct log_line *line);

/* A line that belongs to no mail: "- - event=... text=...". */
void log_text(int priority, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
