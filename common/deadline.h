/*
 * A point on the monotonic clock.  Every wait derives its time-out from one of
 * these, and every one of these from the budget of the whole task.
 */
#ifndef COMMON_DEADLINE_H
#define COMMON_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

struct deadline {
	int64_t at_ms; /* CLOCK_MONOTONIC, milliseconds */
};

int64_t monotonic_ms(void);
int64_t realtime_ms(void); /* milliseconds since 1970, UTC */

struct deadline deadline_in(int64_t ms);
struct deadline deadline_earlier(struct deadline a, struct deadline b);
bool deadline_passed(struct deadline deadline);

/* What is left, never below 0; as an argument for poll(2) capped at INT_MAX. */
int deadline_left_ms(struct deadline deadline);
struct timeval deadline_timeval(struct deadline deadline);

#endif
