/*
 * Inbound messages into MySQL.
 *
 * A batch is one transaction of steps, each of which is a module (insert, quarantine ...) and sets
 * what the next ones need in the messages.  They use multi-row prepared statements, which are
 * prepared once per connection and power of two of rows.  Workers insert in the same order (blobs
 * by digest, messages by id), so that they wait for each other instead of deadlocking.  Replaying a
 * batch is harmless: a message whose id is there already is a duplicate, and nothing of it is
 * written again.
 */
#ifndef MAILIN_INGEST_STORE_H
#define MAILIN_INGEST_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/deadline.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct fences;
struct store;

/* Connects as the ingest user; its password is read now.  The fences are borrowed.  NULL with a
 * reason (a RETRY). */
struct store *store_open(const struct config *config, struct fences *fences,
			 struct deadline deadline, struct reason *reason);

/* NULL is allowed; *store becomes NULL. */
void store_close(struct store **store);

/* Its connection, for statements of others between the batches; borrowed. */
struct db *store_db(struct store *store);

/* What somebody should read in the log, once each; false: nothing. */
bool store_complaint(struct store *store, struct reason *reason);

/* After a failure: is the connection gone, so that only store_close() makes sense? */
bool store_lost(const struct store *store);

/*
 * Store all or none.  OK: committed, and each message's `duplicate` says whether it was there
 * before; one that is `quarantined` was put aside, and one that is `rejected` was left out, which
 * is to go to mail.dead, and one that is `held_up` has to be tried again.  RETRY: try the same
 * again later, perhaps with a new connection (a COMMIT whose answer was lost may have happened; the
 * messages remember that).  REJECT: at least one of them can never be stored.
 */
enum outcome store_batch(struct store *store, struct inbound **messages, size_t count,
			 struct reason *reason);

#endif
