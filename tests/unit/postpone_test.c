/* Which tier a message waits in, when its poster is told, and how long a worker may hold it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailin/ingest/postpone.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static const int64_t NOW_MS = INT64_C(1795348000000);

/* 1m 5m 15m 1h 4h, a notice after 4 hours, given up after 5 days */
static struct config *config;

static int set_up(void **state)
{
	(void)state;
	config = config_default();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

static struct postpone decide(int64_t attempt, int64_t age_ms, bool noticed)
{
	const struct postpone_about about = {
		.attempt = attempt, .first_seen_ms = NOW_MS - age_ms, .noticed = noticed};

	return postpone_decide(config, &about, NOW_MS);
}

static int64_t hold(int64_t age_ms, bool noticed, int64_t held_for_ms)
{
	const struct postpone_about about = {
		.attempt = 1, .first_seen_ms = NOW_MS - age_ms, .noticed = noticed};

	return postpone_hold_ms(config, &about, held_for_ms, NOW_MS);
}

static void tiers_follow_each_other(void **state)
{
	(void)state;
	for (int64_t attempt = 1; attempt <= 4; attempt++) {
		struct postpone postpone = decide(attempt, 0, false);

		assert_false(postpone.dead);
		assert_false(postpone.notice);
		assert_int_equal(postpone.tier, attempt - 1);
	}
}

static void a_tier_ends_before_the_notice_is_due(void **state)
{
	struct postpone postpone = decide(5, 2 * HOUR_MS, false);

	(void)state;
	assert_false(postpone.notice);
	assert_int_equal(postpone.tier, 3);
	postpone = decide(5, 4 * HOUR_MS - MINUTE_MS, false);
	assert_false(postpone.notice);
	assert_int_equal(postpone.tier, 0);
}

static void without_such_a_tier_it_is_told_at_once(void **state)
{
	struct postpone postpone = decide(5, 4 * HOUR_MS - MINUTE_MS + 1, false);

	(void)state;
	assert_true(postpone.notice);
	assert_int_equal(postpone.tier, 4);
	assert_true(decide(1, 30 * HOUR_MS, false).notice);
}

static void it_is_told_once(void **state)
{
	struct postpone postpone = decide(5, 5 * HOUR_MS, true);

	(void)state;
	assert_false(postpone.notice);
	assert_int_equal(postpone.tier, 4);
}

static void given_up_at_max_age(void **state)
{
	(void)state;
	assert_false(decide(30, 120 * HOUR_MS - 1000, true).dead);
	assert_true(decide(30, 120 * HOUR_MS, true).dead);
}

/* A worker that was stopped for a week, a clock that was set ahead, a producer's timestamp. */
static void old_as_it_is_it_is_tried_after_each_tier(void **state)
{
	(void)state;
	for (int64_t attempt = 1; attempt <= 5; attempt++) {
		struct postpone postpone = decide(attempt, 168 * HOUR_MS, attempt > 1);

		assert_false(postpone.dead);
		assert_int_equal(postpone.notice, attempt == 1);
		assert_int_equal(postpone.tier, attempt - 1);
	}
	assert_true(decide(6, 168 * HOUR_MS, true).dead);
	assert_true(decide(6, 120 * HOUR_MS, false).dead);
	assert_false(decide(6, 120 * HOUR_MS - 1000, false).dead);
	assert_false(decide(1, NOW_MS, false).dead);
}

/* A clock that was set back. */
static void what_was_seen_in_the_future_was_seen_now(void **state)
{
	const int64_t ahead[] = {1, 168 * HOUR_MS, INT64_C(253402300799000) - NOW_MS};

	(void)state;
	for (size_t i = 0; i < sizeof(ahead) / sizeof(*ahead); i++) {
		struct postpone postpone = decide(3, -ahead[i], false);

		assert_false(postpone.dead);
		assert_false(postpone.notice);
		assert_int_equal(postpone.tier, 2);
		/* The tier of 4 hours ends when the notice is due. */
		assert_int_equal(decide(9, -ahead[i], false).tier, 4);
		assert_int_equal(hold(-ahead[i], false, MINUTE_MS), POSTPONE_HOLD_MS - MINUTE_MS);
	}
}

static struct postpone hurry(int64_t attempt, int64_t age_ms, bool noticed)
{
	const struct postpone_about about = {.attempt = attempt,
					     .first_seen_ms = NOW_MS - age_ms,
					     .noticed = noticed,
					     .hurries = true};

	return postpone_decide(config, &about, NOW_MS);
}

static void no_long_tier_while_the_database_is_away(void **state)
{
	(void)state;
	assert_int_equal(hurry(3, 5 * HOUR_MS, true).tier, 2);
	assert_false(hurry(3, 5 * HOUR_MS, true).hurried);
	assert_int_equal(hurry(4, 5 * HOUR_MS, true).tier, 2);
	assert_true(hurry(4, 5 * HOUR_MS, true).hurried);
	assert_int_equal(hurry(30, 119 * HOUR_MS, true).tier, 2);
	/* Told at once, and soon again. */
	assert_true(hurry(5, 5 * HOUR_MS, false).notice);
	assert_int_equal(hurry(5, 5 * HOUR_MS, false).tier, 2);
	/* The notice may be due before that. */
	assert_int_equal(hurry(5, 4 * HOUR_MS - 2 * MINUTE_MS, false).tier, 0);
	/* Past max_age it has its tiers, as long as they are. */
	assert_int_equal(hurry(5, 120 * HOUR_MS, true).tier, 4);
	assert_true(hurry(6, 120 * HOUR_MS, true).dead);
	/* There may be no tier that short. */
	config->retry_away_max = 1000;
	assert_int_equal(hurry(5, 5 * HOUR_MS, true).tier, 0);
	config->retry_away_max = INT64_C(240) * MINUTE_MS;
	assert_int_equal(hurry(5, 5 * HOUR_MS, true).tier, 4);
	config->retry_away_max = INT64_C(15) * MINUTE_MS;
}

static void held_ten_minutes_or_until_something_is_due(void **state)
{
	(void)state;
	assert_int_equal(hold(0, false, 0), POSTPONE_HOLD_MS);
	assert_int_equal(hold(MINUTE_MS, false, MINUTE_MS), POSTPONE_HOLD_MS - MINUTE_MS);
	assert_int_equal(hold(20 * MINUTE_MS, false, POSTPONE_HOLD_MS), 0);
	assert_int_equal(hold(20 * MINUTE_MS, false, POSTPONE_HOLD_MS + 1), 0);
	assert_int_equal(hold(4 * HOUR_MS - MINUTE_MS, false, 0), MINUTE_MS);
	assert_int_equal(hold(4 * HOUR_MS, false, 0), 0);
	assert_int_equal(hold(200 * HOUR_MS, false, 0), 0);
}

static void one_that_was_told_makes_way(void **state)
{
	(void)state;
	assert_int_equal(hold(5 * HOUR_MS, true, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiers_follow_each_other),
		cmocka_unit_test(a_tier_ends_before_the_notice_is_due),
		cmocka_unit_test(without_such_a_tier_it_is_told_at_once),
		cmocka_unit_test(it_is_told_once),
		cmocka_unit_test(given_up_at_max_age),
		cmocka_unit_test(old_as_it_is_it_is_tried_after_each_tier),
		cmocka_unit_test(what_was_seen_in_the_future_was_seen_now),
		cmocka_unit_test(no_long_tier_while_the_database_is_away),
		cmocka_unit_test(held_ten_minutes_or_until_something_is_due),
		cmocka_unit_test(one_that_was_told_makes_way),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
