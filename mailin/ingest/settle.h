/*
 * Settles a batch: every message ends stored, as a duplicate, in quarantine, dropped from there or
 * in the dead-letter queue.
 *
 * When the database refuses a batch for good, it is halved until the culprit alone is left.  Pure
 * logic: what stores and what publishes is handed in.
 */
#ifndef MAILIN_INGEST_SETTLE_H
#define MAILIN_INGEST_SETTLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/broker.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

enum item_state {
	ITEM_WAITING, /* checked, not stored yet */
	ITEM_STORED,
	ITEM_DUPLICATE,
	ITEM_QUARANTINED, /* put aside, inbound->why tells */
	ITEM_DROPPED,     /* an operator took it away; that was told when he did */
	ITEM_REFUSED,     /* can never be stored, `reason` tells; not published yet */
	ITEM_DELAYED,     /* in a retry tier, `reason` and `next_attempt_ms` tell */
	ITEM_DEAD         /* in the dead-letter queue */
};

struct item {
	enum item_state state;
	struct broker_delivery delivery; /* with its body: mail.dead gets it untouched */
	struct inbound *inbound;         /* NULL if it could not be read */
	struct reason reason;            /* of ITEM_REFUSED, ITEM_DELAYED and ITEM_DEAD */
	int64_t next_attempt_ms;         /* of ITEM_DELAYED, since 1970 */
	int64_t held_ms;                 /* monotonic; since when it waits in a cautious worker */
	bool suspect;                    /* workers died of it: it must not be looked into */
	int64_t noticed_ms;              /* its poster was told of the delay just now, since 1970 */
	bool failure_told;               /* ... that it is given up */
	int notice_tries;                /* notices of it that could not be published */
	bool answered;                   /* nothing is left to be told of its arrival ... */
	int answer_tries;                /* ... or could not be published so often */
};

void item_free(struct item *item);

/* It waits for something that is of no concern to other messages. */
bool item_is_held_up(const struct item *item);

struct settle_ops {
	/* Stores all of them in one transaction (RETRY, REJECT: none of them), sets duplicate,
	 * quarantined, dropped and rejected: those it leaves out. */
	enum outcome (*store)(struct inbound **messages, size_t count, void *context,
			      struct reason *reason);
	/* OK: the dead-letter queue has confirmed it. */
	enum outcome (*bury)(struct item *item, void *context, struct reason *reason);
	/* The item has got its last state. */
	void (*settled)(const struct item *item, void *context);
	void *context;
};

/* OK: all items have their last state.  RETRY with a reason: some have not (item_is_held_up(), or
 * all that wait), which is for the same call later; those that have are left alone by it. */
enum outcome settle(struct item **items, size_t count, const struct settle_ops *ops,
		    struct reason *reason);

#endif
