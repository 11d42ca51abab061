#include "mailin/ingest/postpone.h"

#include <glib.h>

#include "common/retry.h"

enum { MS_PER_SECOND = 1000 };

/* So that it does not wait for hours for a database that is back. */
static void hurry(const struct config *config, struct postpone *postpone)
{
	size_t tier = 0;

	retry_tier_within(config, config->retry_away_max, &tier);
	if (tier >= postpone->tier)
		return;
	postpone->hurried = true;
	postpone->tier = tier;
}

/* A clock that was set back makes nothing wait for the time that has been. */
static int64_t age_ms(const struct postpone_about *about, int64_t now_ms)
{
	return MAX(now_ms - about->first_seen_ms, 0);
}

struct postpone postpone_decide(const struct config *config, const struct postpone_about *about,
				int64_t now_ms)
{
	int64_t age = age_ms(about, now_ms);
	int64_t notice_in_ms = config->notify_delay_after - age;
	struct postpone postpone = {.dead = false};
	size_t in_time;

	if (!retry_next(config, about->attempt, about->first_seen_ms / MS_PER_SECOND,
			now_ms / MS_PER_SECOND, &postpone.tier)) {
		postpone.dead = true;
		return postpone;
	}
	/* One that is past max_age has nothing left but its tiers. */
	if (about->hurries && age < config->retry_max_age)
		hurry(config, &postpone);
	if (about->noticed)
		return postpone;
	if (notice_in_ms > 0 && retry_tier_within(config, notice_in_ms, &in_time))
		postpone.tier = MIN(postpone.tier, in_time);
	else
		postpone.notice = true;
	return postpone;
}

int64_t postpone_hold_ms(const struct config *config, const struct postpone_about *about,
			 int64_t held_for_ms, int64_t now_ms)
{
	int64_t age = age_ms(about, now_ms);
	int64_t hold_ms = MIN(POSTPONE_HOLD_MS - held_for_ms, config->retry_max_age - age);

	/* Nothing more is to be said of this one, but perhaps of the one behind it. */
	if (about->noticed)
		return 0;
	return MAX(MIN(hold_ms, config->notify_delay_after - age), 0);
}
