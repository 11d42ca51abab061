/*
 * The way to mail.dead: a broker connection of its own, opened when a message needs it.
 *
 * (A blocked publisher must not block the acks, so this is not the consumer's connection.)
 */
#ifndef MAILIN_INGEST_DEAD_H
#define MAILIN_INGEST_DEAD_H

#include "common/config.h"
#include "mailin/ingest/settle.h"

struct dead;

struct dead *dead_new(const struct config *config); /* config is borrowed */
void dead_free(struct dead **dead);

/* Publish the delivery of an item of state ITEM_REFUSED as it came, with the header last-error and
 * the queue it came from as routing key.  OK: confirmed.  RETRY: not (yet). */
enum outcome dead_publish(struct dead *dead, const struct item *item, struct reason *reason);

/* Close the connection, which nobody serves between batches; it opens again when needed. */
void dead_rest(struct dead *dead);

#endif
