/*
 * Tells others what became of messages: events on mail.events, their state in Redis, the table
 * inbound_pending.
 *
 * None of it can harm a message, and none is waited for longer than a moment.  An event of a stored
 * message is only made for a route whose events a queue wants; that is asked now and then.  Logs
 * when Redis goes and comes back.
 */
#ifndef MAILIN_INGEST_NEWS_H
#define MAILIN_INGEST_NEWS_H

#include <stdint.h>

#include "common/config.h"
#include "common/db.h"
#include "mailin/ingest/outlet.h"
#include "mailin/ingest/settle.h"

struct news;

struct news *news_new(const struct config *config, struct outlet *outlet); /* both are borrowed */
void news_free(struct news **news);

/* Note an item that has got its last state: after the COMMIT or the confirm. */
void news_add(struct news *news, const struct item *item);

/* Tell what was noted.  db is the worker's connection, or NULL if it has none; it is used only for
 * messages that were delayed or given up.  Call it after each batch and, without a batch, every
 * news_rest_ms(). */
void news_tell(struct news *news, struct db *db);

/* INT64_MAX: nothing waits to be told. */
int64_t news_rest_ms(const struct news *news);

#endif
