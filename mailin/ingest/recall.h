/*
 * What was found out about a message when it was stored, found again for one that comes a second
 * time: its worker may have died between the COMMIT and what is to be done after it.
 */
#ifndef MAILIN_INGEST_RECALL_H
#define MAILIN_INGEST_RECALL_H

#include <stddef.h>

#include "common/config.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct recall;

/* Both are borrowed. */
struct recall *recall_new(const struct config *config, struct db *db);
/* Before the connection is closed.  NULL is allowed; *recall becomes NULL. */
void recall_free(struct recall **recall);

/* In the transaction: of these messages, those that are there already and have begun a thread get
 * their has_thread, thread_is_new, thread_id and thread_number.  Only for routes whose posters are
 * told of their tickets. */
enum outcome recall_threads(struct recall *recall, struct inbound *const *messages, size_t count,
			    struct reason *reason);

#endif
