/*
 * Mail of ours that comes back: its Message-ID is that of a request that mailout has recorded.
 *
 * (What says X-Loop: mailpipe/INSTANCE is known without the database, by mailin-parse.)  The form
 * of a Message-ID alone tells nothing: Thunderbird makes its ids in the same way.
 */
#ifndef MAILIN_INGEST_LOOP_H
#define MAILIN_INGEST_LOOP_H

#include <stddef.h>

#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct loops;

struct loops *loops_new(struct db *db); /* borrowed */
/* Before the connection is closed.  NULL is allowed; *loops becomes NULL. */
void loops_free(struct loops **loops);

/* In the transaction, before anything looks at `automatic`: it becomes INBOUND_AUTO_LOOP. */
enum outcome loops_find(struct loops *loops, struct inbound *const *messages, size_t count,
			struct reason *reason);

#endif
