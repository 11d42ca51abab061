/*
 * Stores a batch in a thread of its own, so that the next one can be read and checked while the
 * database works.
 *
 * A thread lasts as long as its batch; until background_end() the store and the messages are its
 * own.  Signals are not for it.
 */
#ifndef MAILIN_INGEST_BACKGROUND_H
#define MAILIN_INGEST_BACKGROUND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/outcome.h"
#include "mailin/ingest/inbound.h"
#include "mailin/ingest/store.h"

struct background;

struct background *background_new(void); /* NULL: the system gives no descriptor */
void background_free(struct background **background);

/* Begin a store_batch().  The messages' array is borrowed.  False: the system gives no thread. */
bool background_begin(struct background *background, struct store *store, struct inbound **messages,
		      size_t count);

/* Readable when it is over. */
int background_fd(const struct background *background);
bool background_done(const struct background *background);

/* Wait for it: what store_batch() returned. */
enum outcome background_end(struct background *background, struct reason *reason);

#endif
