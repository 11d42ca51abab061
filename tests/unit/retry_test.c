/* Which tier comes next, and what a message says of itself on its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "common/retry.h"

enum { DAY_S = 24 * 60 * 60 };
static const int64_t MINUTE_MS = 60000;

/* 1m 5m 15m 1h 4h, given up after 5 days */
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

static void tiers_follow_each_other_and_the_last_repeats(void **state)
{
	(void)state;
	for (int64_t attempt = 1; attempt <= 30; attempt++) {
		size_t tier = 99;

		assert_true(retry_next(config, attempt, 1000, 1000, &tier));
		assert_int_equal(tier, MIN(attempt - 1, 4));
	}
}

static void nonsense_of_a_producer_is_the_first_tier(void **state)
{
	size_t tier = 99;

	(void)state;
	assert_true(retry_next(config, 0, 1000, 1000, &tier));
	assert_int_equal(tier, 0);
	assert_true(retry_next(config, INT64_MAX, 1000, 1000, &tier));
	assert_int_equal(tier, 4);
}

static const int64_t NOW_S = INT64_C(1795348000);
static const int64_t YEAR_9999_S = INT64_C(253402300799);

static void given_up_at_max_age(void **state)
{
	size_t tier;

	(void)state;
	assert_true(retry_next(config, 9, 1000, 1000 + 5 * DAY_S - 1, &tier));
	assert_false(retry_next(config, 9, 1000, 1000 + 5 * DAY_S, &tier));
}

/* However old it is by the clock. */
static void not_given_up_before_each_tier_was_tried(void **state)
{
	const int64_t since[] = {NOW_S - 7 * DAY_S, 1, 0, -1, INT64_MIN / 2};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(since); i++) {
		size_t tier = 99;

		for (int64_t attempt = 0; attempt <= 5; attempt++) {
			assert_true(retry_next(config, attempt, since[i], NOW_S, &tier));
			assert_int_equal(tier, MAX(attempt - 1, 0));
		}
		assert_false(retry_next(config, 6, since[i], NOW_S, &tier));
	}
}

static void what_is_yet_to_come_is_now(void **state)
{
	size_t tier = 99;

	(void)state;
	assert_true(retry_next(config, 30, NOW_S + 7 * DAY_S, NOW_S, &tier));
	assert_int_equal(tier, 4);
	assert_true(retry_next(config, 30, YEAR_9999_S, NOW_S, &tier));
}

static void until_when_it_is_tried(void **state)
{
	const int64_t now_ms = NOW_S * 1000;
	const int64_t days_ms = INT64_C(5) * DAY_S * 1000;
	const int64_t tiers_ms = (1 + 5 + 15 + 60 + 240) * MINUTE_MS;

	(void)state;
	assert_int_equal(retry_until_ms(config, 1, NOW_S, now_ms), now_ms + days_ms);
	assert_int_equal(retry_until_ms(config, 9, NOW_S - 100, now_ms),
			 now_ms - 100 * 1000 + days_ms);
	/* By a clock that was set back. */
	assert_int_equal(retry_until_ms(config, 1, YEAR_9999_S, now_ms), now_ms + days_ms);
	/* Old as it is, it has its tries. */
	assert_int_equal(retry_until_ms(config, 1, NOW_S - 7 * DAY_S, now_ms), now_ms + tiers_ms);
	assert_int_equal(retry_until_ms(config, 0, 0, now_ms), now_ms + tiers_ms);
	assert_int_equal(retry_until_ms(config, 5, 1, now_ms), now_ms + 240 * MINUTE_MS);
	assert_int_equal(retry_until_ms(config, 6, 1, now_ms), now_ms);
	assert_int_equal(retry_until_ms(config, 6, NOW_S - 5 * DAY_S + 7, now_ms),
			 now_ms + 7 * 1000);
}

static void largest_tier_within_a_delay(void **state)
{
	size_t tier = 99;

	(void)state;
	assert_false(retry_tier_within(config, MINUTE_MS - 1, &tier));
	assert_true(retry_tier_within(config, MINUTE_MS, &tier));
	assert_int_equal(tier, 0);
	assert_true(retry_tier_within(config, 59 * MINUTE_MS, &tier));
	assert_int_equal(tier, 2);
	assert_true(retry_tier_within(config, INT64_MAX, &tier));
	assert_int_equal(tier, 4);
}

static void a_message_keeps_its_body_and_properties(void **state)
{
	char body[] = "{}";
	char id[] = "id";
	char queue[] = "mail.out.bulk";
	struct broker_delivery delivery = {.body = body,
					   .body_size = 2,
					   .message_id = id,
					   .queue = queue,
					   .timestamp = 5,
					   .requeued = 2};
	struct retry_headers headers = {
		.attempt = 3, .first_seen_s = 7, .last_error = "busy", .delay_noticed_ms = 11};
	struct broker_header room[RETRY_HEADERS];
	struct broker_message message =
		retry_message(&delivery, "mail.retry.5m", queue, &headers, room);

	(void)state;
	assert_string_equal(message.exchange, "mail.retry.5m");
	assert_string_equal(message.routing_key, queue);
	assert_ptr_equal(message.body, body);
	assert_int_equal(message.body_size, 2);
	assert_string_equal(message.message_id, "id");
	assert_int_equal(message.timestamp, 5);
	assert_false(message.optional);
	assert_int_equal(message.header_count, 5);
	assert_string_equal(room[0].name, HEADER_ATTEMPT);
	assert_int_equal(room[0].number, 3);
	assert_string_equal(room[1].name, HEADER_FIRST_SEEN);
	assert_int_equal(room[1].number, 7);
	assert_string_equal(room[2].name, HEADER_LAST_ERROR);
	assert_string_equal(room[2].text, "busy");
	assert_string_equal(room[3].name, HEADER_DELAY_NOTICED);
	assert_int_equal(room[3].number, 11);
	assert_string_equal(room[4].name, HEADER_REQUEUED);
	assert_int_equal(room[4].number, 2);
}

static void what_was_requeued_stays_known(void **state)
{
	struct broker_delivery delivery = {.requeued = 2, .requeued_at = 11, .first_seen = 7};
	struct retry_headers headers = {0};
	struct broker_header room[RETRY_HEADERS];
	struct broker_message message =
		retry_message(&delivery, "mail.dead", "mail.out.bulk", &headers, room);

	(void)state;
	assert_int_equal(message.header_count, 3);
	assert_string_equal(room[0].name, HEADER_DEAD_SINCE);
	assert_true(room[0].number > 0);
	assert_string_equal(room[1].name, HEADER_REQUEUED);
	assert_int_equal(room[1].number, 2);
	assert_string_equal(room[2].name, HEADER_REQUEUED_AT);
	assert_int_equal(room[2].number, 11);
}

static void a_requeue_in_the_future_was_now(void **state)
{
	struct broker_delivery delivery = {.requeued_at = YEAR_9999_S};
	struct retry_headers headers = {0};
	struct broker_header room[RETRY_HEADERS];
	struct broker_message message =
		retry_message(&delivery, "mail.retry.1m", "mail.out.bulk", &headers, room);

	(void)state;
	assert_int_equal(message.header_count, 1);
	assert_string_equal(room[0].name, HEADER_REQUEUED_AT);
	assert_true(room[0].number > NOW_S / 2 && room[0].number < YEAR_9999_S / 2);
}

static void what_was_released_stays_released(void **state)
{
	struct broker_delivery delivery = {.released = 13};
	struct retry_headers headers = {.attempt = 2};
	struct broker_header room[RETRY_HEADERS];
	struct broker_message message =
		retry_message(&delivery, "mail.retry.1m", "mail.in.support", &headers, room);

	(void)state;
	assert_int_equal(message.header_count, 2);
	assert_string_equal(room[1].name, HEADER_RELEASED);
	assert_int_equal(room[1].number, 13);
}

static void a_requeue_begins_the_tries_anew(void **state)
{
	struct broker_delivery delivery = {.first_seen = 7};

	(void)state;
	assert_int_equal(retry_since(&delivery, 99, 1000), 7);
	delivery.requeued_at = 50;
	assert_int_equal(retry_since(&delivery, 99, 1000), 50);
	assert_int_equal(retry_first_seen(&delivery, 99, 1000), 7);
	delivery = (struct broker_delivery){0};
	assert_int_equal(retry_since(&delivery, 99, 1000), 99);
	assert_int_equal(retry_first_seen(&delivery, 99, 1000), 99);
}

static void nothing_was_seen_in_the_future(void **state)
{
	struct broker_delivery delivery = {.first_seen = YEAR_9999_S};

	(void)state;
	assert_int_equal(retry_first_seen(&delivery, 0, NOW_S), NOW_S);
	assert_int_equal(retry_since(&delivery, 0, NOW_S), NOW_S);
	delivery.first_seen = 7;
	delivery.requeued_at = YEAR_9999_S;
	assert_int_equal(retry_first_seen(&delivery, 0, NOW_S), 7);
	assert_int_equal(retry_since(&delivery, 0, NOW_S), NOW_S);
	delivery.first_seen = 0;
	delivery.requeued_at = 0;
	assert_int_equal(retry_since(&delivery, NOW_S + 5, NOW_S), NOW_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiers_follow_each_other_and_the_last_repeats),
		cmocka_unit_test(nonsense_of_a_producer_is_the_first_tier),
		cmocka_unit_test(given_up_at_max_age),
		cmocka_unit_test(not_given_up_before_each_tier_was_tried),
		cmocka_unit_test(what_is_yet_to_come_is_now),
		cmocka_unit_test(until_when_it_is_tried),
		cmocka_unit_test(largest_tier_within_a_delay),
		cmocka_unit_test(a_message_keeps_its_body_and_properties),
		cmocka_unit_test(what_was_requeued_stays_known),
		cmocka_unit_test(a_requeue_in_the_future_was_now),
		cmocka_unit_test(nothing_was_seen_in_the_future),
		cmocka_unit_test(what_was_released_stays_released),
		cmocka_unit_test(a_requeue_begins_the_tries_anew),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
