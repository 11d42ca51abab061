/*
 * Fences of routes with `serial = yes`: the database's word on which worker is the active one.
 *
 * RabbitMQ sends such a route's mail to one consumer.  A worker that RabbitMQ has cut off (stopped,
 * swapped out, behind a broken network) does not know it, and could still commit when the next one
 * has gone on.  So the first message that a connection to the broker brings of such a route makes
 * the worker take a new epoch (table fences), and each of its transactions looks, with a lock that
 * lasts until COMMIT, whether the epoch is still its own.  Who takes an epoch waits for that lock;
 * if it does not come free in time, it kills the connection that has it, whose transaction is
 * rolled back by that.
 */
#ifndef MAILIN_INGEST_FENCE_H
#define MAILIN_INGEST_FENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct fences;

/* A worker's.  The config is borrowed. */
struct fences *fences_new(const struct config *config);
void fences_free(struct fences **fences); /* NULL is allowed; *fences becomes NULL */

/* The connection to the broker is gone, and with it all turns. */
void fences_forget(struct fences *fences);
/* The connection to the database is another one. */
void fences_reconnected(struct fences *fences);

/* Before a transaction with these messages: be the active worker of their serial routes, unless it
 * was lost. */
enum outcome fences_take(struct fences *fences, struct db *db, struct inbound *const *messages,
			 size_t count, struct reason *reason);

/* At the begin of the transaction.  RETRY when another worker is the active one now, which
 * fences_lost() tells: then the messages are that one's, and the connection to the broker has to be
 * dropped. */
enum outcome fences_hold(struct fences *fences, struct db *db, struct inbound *const *messages,
			 size_t count, struct reason *reason);
bool fences_lost(const struct fences *fences);

#endif
