/*
 * What a notice says, for each way out.
 */
#ifndef MAILCTL_ALERT_TEXT_H
#define MAILCTL_ALERT_TEXT_H

#include <stdbool.h>

#include "common/config.h"
#include "mailctl/alert.h"

/* "the database is away", "the database is back". */
const char *alert_title(enum alert_kind kind, bool over);

/* Does somebody have to get up for it? */
bool alert_is_critical(enum alert_kind kind);

/* The whole in one line, "still: the broker is away, and 2 more"; g_free() it. */
char *alert_notice_title(const struct alert_notice *notice);

/* Title, empty line, a line for each item: the command's standard input; g_free() it. */
char *alert_notice_text(const struct alert_notice *notice, const char *host);

/* "new", "digest" or "over". */
const char *alert_news_name(enum alert_news news);

bool alert_notice_is_critical(const struct alert_notice *notice);

/* The kinds with blanks between them; g_free() it. */
char *alert_notice_kinds(const struct alert_notice *notice);

/* The document for alerts.url; wire_free() it. */
struct wire *alert_notice_json(const struct alert_notice *notice, const char *host,
			       const char *instance, int64_t now_ms);

/* A request for mailout --direct, ALERT_MAIL or ALERT_SMS; wire_free() it.  plain: without a
 * template, for the case that it is the template that is broken. */
struct wire *alert_notice_request(const struct alert_notice *notice, const struct config *config,
				  const char *host, enum alert_way way, bool plain);

#endif
