/*
 * The one way in which a message is tried again: the worker publishes it to the exchange of a tier (mandatory,
 * confirmed) and then acknowledges it.
 *
 * A tier is a queue without consumers, with a fixed TTL, that dead-letters (at least once) to the default exchange, which routes by the
 * key the message was published with: the name of the queue to come back to.
 * Headers: attempt, first-seen, last-error, next-attempt; x-death is not passed on.
 */
#ifndef COMMON_RETRY_H
#define COMMON_RETRY_H

#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"

#define HEADER_NEXT_ATTEMPT "next-attempt"	/* ms since 1970 */

/* Which tier comes next after `attempt` tries; false if first_seen is longer ago than retry.max_age. */
bool retry_next(const struct config *config, int64_t attempt, int64_t first_seen_s, int64_t now_s,
		size_t *tier);

/* The largest tier that ends before `delay_ms` have passed; false if none does. */
bool retry_tier_within(const struct config *config, int64_t delay_ms, size_t *tier);

/* "mail.retry.5m"; g_free() it. */
char *retry_tier_name(const struct config *config, size_t tier);

/* Publish a delivery to a tier; body and properties as they came.  *next_attempt_ms tells when it comes back.
 * The caller acknowledges after OK. */
enum outcome retry_publish(struct broker *broker, const struct config *config,
			   const struct broker_delivery *delivery, size_t tier, int64_t attempt,
			   int64_t first_seen_s, const char *last_error, struct deadline deadline,
			   int64_t *next_attempt_ms, struct reason *reason);

#endif
