/* Which message is to blame for the deaths of workers. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/suspect.h"

enum { WORKERS = 3, MANY = 200, EXITED_71 = 71 << 8 };

static struct suspects *suspects;

static int set_up(void **state)
{
	(void)state;
	suspects = suspects_new(WORKERS);
	return suspects == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	suspects_free(&suspects);
	return 0;
}

static struct suspect_hand hand(size_t worker)
{
	return (struct suspect_hand){.all = suspects, .worker = worker};
}

static struct suspect_key key(const char *body)
{
	struct suspect_key key;

	suspect_key(&key, body, strlen(body));
	return key;
}

static void dies_of(size_t worker, const char *body, int status)
{
	struct suspect_hand own = hand(worker);
	struct suspect_key what = key(body);

	suspect_take(&own, &what);
	suspects_blame(suspects, worker, status);
}

static enum outcome check(const char *body, struct reason *reason)
{
	struct suspect_hand own = hand(0);
	struct suspect_key what = key(body);

	return suspect_check(&own, &what, reason);
}

static void two_deaths_of_any_workers(void **state)
{
	struct reason reason;

	(void)state;
	dies_of(0, "a", SIGSEGV);
	assert_int_equal(check("a", &reason), OUTCOME_OK);
	dies_of(2, "a", SIGKILL);
	assert_int_equal(check("b", &reason), OUTCOME_OK);
	assert_int_equal(check("a", &reason), OUTCOME_REJECT);
	assert_string_equal(reason.status, "5.3.0");
	assert_string_equal(reason.text,
			    "2 workers died while they had it in hand, the last one of "
			    "signal 9 (Killed)");
}

static void an_exit_is_an_end_as_well(void **state)
{
	struct reason reason;

	(void)state;
	dies_of(0, "a", EXITED_71);
	dies_of(0, "a", EXITED_71);
	assert_int_equal(check("a", &reason), OUTCOME_REJECT);
	assert_string_equal(reason.text,
			    "2 workers ended while they had it in hand, the last one with "
			    "status 71");
}

static void what_was_survived_is_not_to_blame(void **state)
{
	struct suspect_hand own = hand(1);
	struct suspect_key what = key("a");

	(void)state;
	for (int i = 0; i < SUSPECT_DEATHS; i++) {
		suspect_take(&own, &what);
		suspect_let_go(&own);
		suspects_blame(suspects, 1, SIGKILL);
	}
	assert_int_equal(check("a", NULL), OUTCOME_OK);
}

static void a_death_counts_once(void **state)
{
	(void)state;
	dies_of(0, "a", SIGSEGV);
	suspects_blame(suspects, 0, SIGSEGV);
	suspects_blame(suspects, 1, SIGSEGV);
	suspects_blame(suspects, WORKERS, SIGSEGV);
	assert_int_equal(check("a", NULL), OUTCOME_OK);
}

static void what_is_forgotten_begins_anew(void **state)
{
	struct suspect_hand own = hand(1);
	struct suspect_key what = key("a");

	(void)state;
	dies_of(0, "a", SIGSEGV);
	dies_of(0, "a", SIGSEGV);
	suspect_forget(&own, &what);
	assert_int_equal(check("a", NULL), OUTCOME_OK);
	dies_of(0, "a", SIGSEGV);
	assert_int_equal(check("a", NULL), OUTCOME_OK);
	dies_of(0, "a", SIGSEGV);
	assert_int_equal(check("a", NULL), OUTCOME_REJECT);
}

static void the_oldest_of_many_goes(void **state)
{
	char body[] = "000";

	(void)state;
	for (int i = 0; i < MANY; i++) {
		body[0] = (char)('0' + i / 100);
		body[1] = (char)('0' + i / 10 % 10);
		body[2] = (char)('0' + i % 10);
		dies_of(0, body, SIGSEGV);
		dies_of(0, body, SIGSEGV);
	}
	assert_int_equal(check("000", NULL), OUTCOME_OK);
	assert_int_equal(check("199", NULL), OUTCOME_REJECT);
	assert_int_equal(check("150", NULL), OUTCOME_REJECT);
}

static void without_memory_nothing_is_remembered(void **state)
{
	const struct suspect_hand none = {.all = NULL};
	struct suspect_key what = key("a");

	(void)state;
	suspect_take(&none, &what);
	suspects_blame(NULL, 0, SIGSEGV);
	suspect_let_go(&none);
	suspect_forget(&none, &what);
	assert_int_equal(suspect_check(&none, &what, NULL), OUTCOME_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_deaths_of_any_workers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_exit_is_an_end_as_well, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_survived_is_not_to_blame, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_death_counts_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_forgotten_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_of_many_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_memory_nothing_is_remembered, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
