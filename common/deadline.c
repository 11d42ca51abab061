#include "common/deadline.h"

#include <limits.h>

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, US_PER_MS = 1000 };

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

int64_t monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t realtime_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

struct deadline deadline_in(int64_t ms)
{
	return (struct deadline){.at_ms = monotonic_ms() + ms};
}

struct deadline deadline_earlier(struct deadline a, struct deadline b)
{
	return a.at_ms < b.at_ms ? a : b;
}

bool deadline_passed(struct deadline deadline)
{
	return monotonic_ms() >= deadline.at_ms;
}

int deadline_left_ms(struct deadline deadline)
{
	int64_t left = deadline.at_ms - monotonic_ms();

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

struct timeval deadline_timeval(struct deadline deadline)
{
	int left = deadline_left_ms(deadline);

	return (struct timeval){.tv_sec = left / MS_PER_S,
				.tv_usec = (suseconds_t)(left % MS_PER_S) * US_PER_MS};
}
