/*
 * When a message could not be stored: which tier it waits in, whether its poster is told, and
 * whether it is given up.  Pure logic.
 *
 * A poster who was not told of a delay yet is told in time: a tier ends before notify.delay_after
 * has passed since the message was first seen, or the poster is told at once.
 */
#ifndef MAILIN_INGEST_POSTPONE_H
#define MAILIN_INGEST_POSTPONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

enum { POSTPONE_HOLD_MS = 10 * 60 * 1000 }; /* RabbitMQ allows 30 minutes without an ack */

/* Times are milliseconds since 1970. */
struct postpone_about {
	int64_t attempt; /* tries so far */
	int64_t first_seen_ms;
	bool noticed; /* the poster knows of the delay */
	bool hurries; /* the database is away: no tier beyond retry.away_max */
};

struct postpone {
	bool dead;    /* given up, see retry_next(); else: */
	bool notice;  /* the poster is to be told of the delay */
	bool hurried; /* the tier is a shorter one than it had been without `hurries` */
	size_t tier;
};

struct postpone postpone_decide(const struct config *config, const struct postpone_about *about,
				int64_t now_ms);

/* The database is away, and a worker holds the message without acknowledging it: how long may it
 * do so?  Milliseconds from now, 0 if that is to be decided now. */
int64_t postpone_hold_ms(const struct config *config, const struct postpone_about *about,
			 int64_t held_for_ms, int64_t now_ms);

#endif
