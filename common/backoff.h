/*
 * Growing pauses between tries, with jitter so that several workers do not try in step.
 */
#ifndef COMMON_BACKOFF_H
#define COMMON_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t first_ms;
	int64_t max_ms;
	int64_t next_ms; /* 0: the first pause comes next */
};

/* The pause before the next try: doubles from first_ms to max_ms; between half and all of that. */
int64_t backoff_pause(struct backoff *backoff);
void backoff_reset(struct backoff *backoff);

#endif
