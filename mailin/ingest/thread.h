/*
 * The threads of a batch, in the transaction that stores it: which messages belong to threads that
 * are there, which begin new ones (the rules: mailin/ingest/thread_join).
 *
 * Two workers never decide about the same sender of a route at once, so what one of them begins,
 * the other one joins.  Locks are taken in one order (mailctl/migrations, threads): senders by
 * key, then threads by id, then what they guard; workers wait for each other, without deadlocks.
 */
#ifndef MAILIN_INGEST_THREAD_H
#define MAILIN_INGEST_THREAD_H

#include <stddef.h>

#include "common/config.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct threads;

/* Both are borrowed. */
struct threads *threads_new(const struct config *config, struct db *db);
/* Before the connection is closed.  NULL is allowed; *threads becomes NULL. */
void threads_free(struct threads **threads);

/* In the transaction, before rows refer to threads: of these messages, in their order, those that
 * are `fresh` and have `wants_thread` get into one.  What is written of a thread is written
 * here, but for the messages' own column. */
enum outcome threads_assign(struct threads *threads, struct inbound *const *messages, size_t count,
			    struct reason *reason);

#endif
