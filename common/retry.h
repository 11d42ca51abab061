/*
 * The one way in which a message is tried again: the worker publishes it to the exchange of a tier
 * (mandatory, confirmed) and then acknowledges it.
 *
 * A tier is a queue without consumers, with a fixed TTL, that dead-letters (at least once) to the
 * default exchange, which routes by the key the message was published with: the name of the queue
 * to come back to. Headers: attempt, first-seen, last-error, next-attempt; x-death is not passed
 * on.
 *
 * A message that an operator put back from mail.dead keeps its headers requeued and requeued-at on
 * the way, one from quarantine its released.
 */
#ifndef COMMON_RETRY_H
#define COMMON_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"

#define HEADER_NEXT_ATTEMPT "next-attempt" /* ms since 1970 */

enum { RETRY_HEADERS = 10 };

/*
 * Which tier comes next after `attempt` tries; false if it is given up: it is tried since longer
 * than retry.max_age ago, and it was tried after each tier once at least.
 *
 * The second is for clocks: the age is what clocks say, and a worker that was stopped for a week, a
 * clock that was set ahead and a producer's wrong timestamp all make a message old that was hardly
 * tried.  Seconds since 1970; one in the future (a clock was set back) is now.
 */
bool retry_next(const struct config *config, int64_t attempt, int64_t since_s, int64_t now_s,
		size_t *tier);

/* When a message that waits for its next try is given up at the earliest, ms since 1970. */
int64_t retry_until_ms(const struct config *config, int64_t attempt, int64_t since_s,
		       int64_t now_ms);

/* When a delivery was first seen, in seconds since 1970: its header, else `otherwise_s`; never in
 * the future. */
int64_t retry_first_seen(const struct broker_delivery *delivery, int64_t otherwise_s,
			 int64_t now_s);

/* Since when its tries count for retry.max_age: the same, or when an operator requeued it, if that
 * is later. */
int64_t retry_since(const struct broker_delivery *delivery, int64_t otherwise_s, int64_t now_s);

/* The largest tier that ends before `delay_ms` have passed; false if none does. */
bool retry_tier_within(const struct config *config, int64_t delay_ms, size_t *tier);

/* What a republished delivery says of itself in its headers; 0 and NULL: leave it out. */
struct retry_headers {
	int64_t attempt;      /* the number of the try that comes next; 1 is the first */
	int64_t first_seen_s; /* when the first try was */
	const char *last_error;
	int64_t next_attempt_ms;
	int64_t delay_noticed_ms; /* when the sender was told of the delay */
};

/* A delivery as a message to publish again: body and properties as they came, with these headers in
 * place of its own; for mail.dead with dead-since, too.  Everything is borrowed; `room` is where
 * the headers go. */
struct broker_message retry_message(const struct broker_delivery *delivery, const char *exchange,
				    const char *routing_key, const struct retry_headers *headers,
				    struct broker_header room[RETRY_HEADERS]);

#endif
