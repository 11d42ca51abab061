#include "common/backoff.h"

#include <glib.h>

int64_t backoff_pause(struct backoff *backoff)
{
	int64_t pause = MIN(MAX(backoff->next_ms, backoff->first_ms), backoff->max_ms);
	int64_t half = pause / 2;

	backoff->next_ms = MIN(pause * 2, backoff->max_ms);
	return half + g_random_int_range(0, (gint32)(pause - half + 1));
}

void backoff_reset(struct backoff *backoff)
{
	backoff->next_ms = 0;
}
