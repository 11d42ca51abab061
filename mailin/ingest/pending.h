/*
 * Rows of inbound_pending: messages that are not stored, because they wait for another try or were
 * given up.
 *
 * They are kept in memory, and the oldest are forgotten when there are too many, until the database
 * takes them; most often it is the reason why there are any.  A row that comes too late (its
 * message is stored by now, or a newer state was written) changes nothing.  store_batch() deletes
 * the row of a message that it stores.
 */
#ifndef MAILIN_INGEST_PENDING_H
#define MAILIN_INGEST_PENDING_H

#include <stddef.h>

#include "common/db.h"
#include "common/outcome.h"
#include "mailin/ingest/fate.h"

struct pending;

struct pending *pending_new(void);
void pending_free(struct pending **pending);

/* For a message with an id that was delayed or has failed; all others are passed over. */
void pending_add(struct pending *pending, const struct fate *fate);

size_t pending_count(const struct pending *pending);

/* Write all of them in one transaction.  OK: none is left.  Else all are kept for another try,
 * except that REJECT (a row that the database never takes) drops them. */
enum outcome pending_write(struct pending *pending, struct db *db, struct reason *reason);

#endif
