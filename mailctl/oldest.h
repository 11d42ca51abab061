/*
 * How old is the oldest message that waits in a queue?
 *
 * AMQP tells it only by taking the first message and giving it back, which RabbitMQ counts as a
 * delivery, of which it allows 20.  So each message is looked at a few times only, with growing
 * pauses; what was found is kept in [mailpipe] state_dir for the next look and for other programs
 * of ours.  Without a place to keep it nothing is looked at.  Between two looks the first message
 * may have gone, so that the age is a bound.
 *
 * Only for queues with a delivery limit: others put what is given back at their end.  What a
 * consumer has in hand is not seen; it is older than the first one that waits.
 */
#ifndef MAILCTL_OLDEST_H
#define MAILCTL_OLDEST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/outcome.h"

enum oldest_kind {
	OLDEST_NONE,     /* the queue is empty */
	OLDEST_EXACT,    /* just looked at, or nobody has consumed since */
	OLDEST_AT_MOST,  /* what was the first is this old, but may have gone since */
	OLDEST_AT_LEAST, /* it does not say when it was published: since it was first seen in the
			    queue */
	OLDEST_UNKNOWN
};

struct oldest_age {
	enum oldest_kind kind;
	int64_t ms;
};

/* "exact", "at-most" ... */
const char *oldest_kind_name(enum oldest_kind kind);
/* "5m 3s", "<5m 3s" (at most), ">5m 3s" (at least), "?" or ""; g_free() it. */
char *oldest_text(const struct oldest_age *age);

struct oldest;

/* Reads what is kept.  reason tells (a RETRY) if nothing can be kept; then ages are OLDEST_UNKNOWN.
 */
struct oldest *oldest_open(const struct config *config, enum outcome *outcome,
			   struct reason *reason);

/* The age for a queue in which `waiting` messages were just counted.  serial: it has a single
 * active consumer, for which a connection of its own is made by `dial`.  broker consumes nothing.
 */
struct oldest_queue {
	const char *name;
	int64_t waiting;
	int64_t consumers;
	bool serial;
};
typedef struct broker *oldest_dial(void *context, struct reason *reason);
struct oldest_age oldest_look(struct oldest *oldest, struct broker *broker,
			      const struct oldest_queue *queue, oldest_dial *dial, void *context);

/* What the last look of anybody counted in a queue, and when (ms since 1970); false if it is not
 * known. */
bool oldest_last_count(const struct oldest *oldest, const char *queue, int64_t *waiting,
		       int64_t *at_ms);

/* Keep it. */
enum outcome oldest_save(struct oldest *oldest, struct reason *reason);
void oldest_free(struct oldest **oldest); /* NULL is allowed; *oldest becomes NULL */

/* ---- for tests ---- */

/* May the first message be looked at again, after so many looks at it, the last one so long ago? */
bool oldest_may_look(int64_t looks, int64_t pause_ms, bool has_shrunk);

#endif
