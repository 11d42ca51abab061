/*
 * What the files of the worker share.
 *
 *	worker.c		the loop, and the open way: batches
 *	worker_cautious.c	the cautious way: one message at a time
 *	worker_defer.c		what cannot be stored: retry tiers, dead letters, notices
 *	worker_answer.c		acknowledgements of what was stored
 *	worker_link.c		connections
 *	worker_log.c
 *
 * A worker begins cautious: it holds the head of each queue (prefetch 1) and stores one message at
 * a time, so that when it dies, it is known of which one.  When a message that was never delivered
 * before is stored, it opens up to batches.  One that comes again makes it cautious again, as does
 * a database that stays away; then nothing but the heads is touched.
 */
#ifndef MAILIN_INGEST_WORKER_PRIVATE_H
#define MAILIN_INGEST_WORKER_PRIVATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/backoff.h"
#include "common/broker.h"
#include "common/config.h"
#include "common/deadline.h"
#include "common/outcome.h"
#include "common/suspect.h"
#include "mailin/ingest/background.h"
#include "mailin/ingest/batch.h"
#include "mailin/ingest/fence.h"
#include "mailin/ingest/news.h"
#include "mailin/ingest/notice.h"
#include "mailin/ingest/outlet.h"
#include "mailin/ingest/settle.h"
#include "mailin/ingest/store.h"

struct worker {
	const struct config *config;
	const struct suspect_hand *hand;
	struct batch *batch;
	struct background *background; /* NULL: batches are stored in the foreground */
	struct outlet *outlet;
	struct news *news;
	struct notices *notices;
	struct fences *fences;
	struct store *store;   /* NULL: not connected */
	struct broker *broker; /* NULL: not connected */
	struct backoff broker_backoff;
	struct backoff store_backoff;
	struct deadline store_next; /* the database is not asked before */
	struct settle_ops ops;
	bool cautious;
	bool comes_again;     /* a message that was delivered before waits among the kept ones */
	bool away;            /* the database took nothing the last time ... */
	struct reason why;    /* ... for this reason */
	bool is_broken;       /* the broker's connection broke while a batch was being stored, or
			       * another worker has got the serial routes ... */
	struct reason broken; /* ... for this reason */
	struct deadline hurry_end; /* until then so many were put into a shorter tier */
	int hurried;
	GPtrArray *held; /* struct item *; the heads that a cautious worker has */
	size_t held_bytes;
};

/* ---- worker.c ---- */

/* As rows, unless it was done before. */
void worker_read_item(const struct worker *worker, struct item *item);
/* What became of messages, to others. */
void worker_tell_news(struct worker *worker);
/* Until a stop signal. */
void worker_pause(int64_t ms);
/* How long the broker's connections may go without a look. */
struct deadline worker_idle_deadline(const struct worker *worker);

/* ---- worker_link.c ---- */

/* False after a pause. */
bool link_open_broker(struct worker *worker);
void link_drop_broker(struct worker *worker);
/* The connection broke, for this reason: drop it and pause. */
void link_lose_broker(struct worker *worker, const struct reason *reason);
bool link_open_store(struct worker *worker, struct reason *reason);
/* Did the database answer the last time, whatever it said? */
bool link_store_answers(const struct worker *worker);
/* From now on consume that way.  What was delivered before stays to be acknowledged; what was on
 * its way comes again.  False: the connection is dropped. */
bool link_set_prefetch(struct worker *worker, bool cautious);

/* ---- worker_cautious.c ---- */

/* One step: what there is to do, or a wait. */
void cautious_work(struct worker *worker);
/* A batch was settled, and the worker consumes the cautious way already; what was kept is held now.
 */
void cautious_begin(struct worker *worker);
void cautious_forget(struct worker *worker);

/* ---- worker_defer.c ---- */

/* Publish to mail.dead; the poster is told. */
enum outcome defer_bury(struct item *item, void *context, struct reason *reason);
/* The poster of a suspect, which is looked into only now that nothing hangs on it. */
void defer_tell_of_suspect(struct worker *worker, struct item *item);
/* Publish those in ITEM_WAITING to their tiers: they become ITEM_DELAYED, or ITEM_REFUSED when they
 * are too old. `why` is what kept them from being stored.  OK: none is left waiting. */
enum outcome defer_items(struct worker *worker, struct item **items, size_t count,
			 const struct reason *why, struct reason *reason);
/* How long a held one may wait; see postpone_hold_ms(). */
int64_t defer_hold_ms(const struct worker *worker, const struct item *item);

/* ---- worker_answer.c ---- */

/* After their transaction, and before they are acknowledged: tell the posters of those that are
 * stored, once each.  RETRY with a reason, which is logged: some of them, for the same call later.
 */
enum outcome answer_items(struct worker *worker, struct item **items, size_t count,
			  struct reason *reason);

/* ---- worker_log.c ---- */

void worker_log_lost(const char *event, const struct reason *reason);
void worker_log_settled(const struct item *item);
void worker_log_notice(const struct item *item, const struct notice *notice, const char *kind);

#endif
