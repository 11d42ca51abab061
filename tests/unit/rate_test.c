/* Limits of messages a second, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "mailout/rate.h"

static const int64_t SECOND_MS = 1000;

static void no_limit_never_waits(void **state)
{
	(void)state;
	struct rate *rate = rate_new(0);

	assert_null(rate);
	assert_int_equal(rate_wait(rate, 5), 0);
	rate_take(rate, 5);
	rate_free(&rate);
}

/* The times at which `count` messages go when each goes as soon as it may, looked at every step_ms.
 */
static int64_t *flow(int64_t per_second, size_t count, int64_t step_ms)
{
	struct rate *rate = rate_new(per_second);
	int64_t *times = g_new(int64_t, count);
	int64_t now = 12345;

	for (size_t i = 0; i < count; i++) {
		while (rate_wait(rate, now) > 0)
			now += step_ms;
		rate_take(rate, now);
		times[i] = now;
	}
	rate_free(&rate);
	return times;
}

static size_t most_in_a_second(const int64_t *times, size_t count)
{
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t n = 0;

		while (i + n < count && times[i + n] <= times[i] + SECOND_MS)
			n++;
		most = MAX(most, n);
	}
	return most;
}

static void never_more_than_the_rate_in_a_second(void **state)
{
	static const struct {
		int64_t rate;
		int64_t step_ms;
	} cases[] = {{1, 1}, {7, 1}, {20, 1}, {20, 13}, {20, 90}, {1000, 1}, {1000, 7}, {5000, 10}};

	(void)state;
	for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
		size_t count = (size_t)cases[c].rate * 5;
		g_autofree int64_t *times = flow(cases[c].rate, count, cases[c].step_ms);

		assert_true(most_in_a_second(times, count) <= (size_t)cases[c].rate);
	}
}

/* A wait that takes longer than asked for does not make the flow slower, if it is not long. */
static void a_number_takes_its_time_and_no_more(void **state)
{
	static const struct {
		int64_t rate;
		int64_t step_ms;
	} cases[] = {{20, 1}, {20, 13}, {100, 7}, {1000, 20}};

	(void)state;
	for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
		size_t count = (size_t)cases[c].rate * 5 + 1;
		g_autofree int64_t *times = flow(cases[c].rate, count, cases[c].step_ms);
		int64_t took = times[count - 1] - times[0];

		assert_true(took >= 5 * SECOND_MS);
		assert_true(took <= 5 * SECOND_MS + 300);
	}
}

static void a_pause_saves_nothing_up(void **state)
{
	(void)state;
	struct rate *rate = rate_new(10);

	rate_take(rate, 0);
	assert_int_equal(rate_wait(rate, 10 * SECOND_MS), 0);
	rate_take(rate, 10 * SECOND_MS);
	assert_in_range(rate_wait(rate, 10 * SECOND_MS), 50, 100);
	rate_free(&rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_limit_never_waits),
		cmocka_unit_test(never_more_than_the_rate_in_a_second),
		cmocka_unit_test(a_number_takes_its_time_and_no_more),
		cmocka_unit_test(a_pause_saves_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
