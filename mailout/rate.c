#include "mailout/rate.h"

#include <glib.h>

enum {
	SECOND_MS = 1000,
	US_PER_MS = 1000,
	/* What a wait that took longer than asked for may catch up on. */
	SLACK_MS = 50
};

struct rate {
	int64_t per_second;
	int64_t due_us;    /* of the even flow: when the next one is due */
	int64_t *taken_ms; /* a ring of the last per_second times */
	int64_t next;
	int64_t count;
};

struct rate *rate_new(int64_t per_second)
{
	if (per_second <= 0)
		return NULL;
	struct rate *rate = g_new0(struct rate, 1);

	rate->per_second = per_second;
	rate->taken_ms = g_new(int64_t, (gsize)per_second);
	return rate;
}

void rate_free(struct rate **rate)
{
	if (*rate == NULL)
		return;
	g_free((*rate)->taken_ms);
	g_free(*rate);
	*rate = NULL;
}

int64_t rate_wait(const struct rate *rate, int64_t now_ms)
{
	if (rate == NULL)
		return 0;
	int64_t even_ms = (rate->due_us - now_ms * US_PER_MS + US_PER_MS - 1) / US_PER_MS;
	int64_t full_ms = 0;

	/* The oldest of the last per_second ones must be more than a second ago. */
	if (rate->count == rate->per_second)
		full_ms = rate->taken_ms[rate->next] + SECOND_MS + 1 - now_ms;
	return MAX(MAX(even_ms, full_ms), 0);
}

void rate_take(struct rate *rate, int64_t now_ms)
{
	if (rate == NULL)
		return;
	int64_t from_us = MAX(rate->due_us, (now_ms - SLACK_MS) * US_PER_MS);

	if (rate->count == 0)
		from_us = now_ms * US_PER_MS;
	rate->due_us = from_us + INT64_C(1) * SECOND_MS * US_PER_MS / rate->per_second;
	rate->taken_ms[rate->next] = now_ms;
	rate->next = (rate->next + 1) % rate->per_second;
	rate->count = MIN(rate->count + 1, rate->per_second);
}
