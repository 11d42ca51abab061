/*
 * A connection to Redis that is told values and never waited for.  Wraps hiredis.
 *
 * redis_set() notes a value, redis_work() sends what is noted, all in one go, and takes the answers
 * of before.  Neither blocks: not in the resolver, not in connect(2), not for an answer.  A server
 * that is away, hangs or refuses loses what it should have been told while it does (the values are
 * counted), and is tried again after growing pauses; a connection that broke is opened again at
 * once, and then only what was sent and not answered is lost.
 *
 * So what Redis says is a hint, and may be missing or old.
 */
#ifndef COMMON_REDIS_H
#define COMMON_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/deadline.h"
#include "common/outcome.h"

struct redis;

bool redis_configured(const struct config *config);

/* NULL if none is configured, which all of these allow.  config is borrowed. */
struct redis *redis_new(const struct config *config);

/* Waits a moment (at most half a second) for what is still to be sent. */
void redis_free(struct redis **redis);

/* "redis.prefix + key" gets a value (terminated), for redis.expiry. */
void redis_set(struct redis *redis, const char *key, const char *value);

enum redis_news {
	REDIS_NO_NEWS,
	REDIS_GONE, /* it cannot be told anything for a while; the reason tells why */
	REDIS_BACK  /* the reason tells how many values were lost */
};

/* What the caller may want to log: each at its beginning. */
enum redis_news redis_work(struct redis *redis, struct reason *reason);

/* After so many milliseconds redis_work() should be called again; INT64_MAX: not before the next
 * redis_set(). */
int64_t redis_rest_ms(const struct redis *redis);

/* For mailctl check: log in and set a key of a few seconds.  RETRY with a reason.  (This waits.) */
enum outcome redis_check(const struct config *config, struct deadline deadline,
			 struct reason *reason);

#endif
