/* mailctl/oldest.h: how often a message is looked at, and how an age is told. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailctl/oldest.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static void pauses_grow(void **state)
{
	(void)state;
	assert_true(oldest_may_look(0, 0, false));
	assert_false(oldest_may_look(1, MINUTE - 1, false));
	assert_true(oldest_may_look(1, MINUTE, false));
	assert_false(oldest_may_look(2, 10 * MINUTE - 1, false));
	assert_true(oldest_may_look(2, 10 * MINUTE, false));
	assert_false(oldest_may_look(3, 100 * HOUR, false));
}

static void a_queue_that_shrinks_has_another_first_message(void **state)
{
	(void)state;
	assert_false(oldest_may_look(1, SECOND - 1, true));
	assert_true(oldest_may_look(1, SECOND, true));
	assert_false(oldest_may_look(3, MINUTE - 1, true));
	assert_true(oldest_may_look(3, MINUTE, true));
	assert_false(oldest_may_look(6, HOUR - 1, true));
	assert_true(oldest_may_look(6, HOUR, true));
}

static void texts(void **state)
{
	static const struct {
		struct oldest_age age;
		const char *text;
	} CASES[] = {
		{{OLDEST_NONE, 0}, ""},
		{{OLDEST_EXACT, 5 * MINUTE}, "5m"},
		{{OLDEST_AT_MOST, 5 * MINUTE}, "<5m"},
		{{OLDEST_AT_LEAST, 5 * MINUTE}, ">5m"},
		{{OLDEST_UNKNOWN, 0}, "?"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *text = oldest_text(&CASES[i].age);

		assert_string_equal(text, CASES[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow),
		cmocka_unit_test(a_queue_that_shrinks_has_another_first_message),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
