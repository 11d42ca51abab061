/*
 * A limit of messages a second: an even flow, and never more than so many in any second.
 *
 * Times are milliseconds of the monotonic clock.
 */
#ifndef MAILOUT_RATE_H
#define MAILOUT_RATE_H

#include <stdint.h>

struct rate;

/* NULL if there is no limit (per_second is 0). */
struct rate *rate_new(int64_t per_second);
void rate_free(struct rate **rate);

/* How many ms until the next message may go; 0: now.  Of NULL: 0. */
int64_t rate_wait(const struct rate *rate, int64_t now_ms);

/* One goes now. */
void rate_take(struct rate *rate, int64_t now_ms);

#endif
