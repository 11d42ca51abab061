/* log: one line, ids first, values escaped; outcome: reasons are one printable line. */
#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/deadline.h"
#include "common/log.h"
#include "common/outcome.h"
#include "common/stop.h"

static FILE *captured;
static int real_stderr;

static void capture(void)
{
	captured = tmpfile();
	fflush(stderr);
	real_stderr = dup(STDERR_FILENO);
	dup2(fileno(captured), STDERR_FILENO);
}

/* What was logged, without "program[pid]: " and the newline; g_free() it. */
static char *release(void)
{
	char text[4096];

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	rewind(captured);
	size_t size = fread(text, 1, sizeof(text) - 1, captured);

	fclose(captured);
	text[size] = '\0';
	char *colon = strstr(text, "]: ");

	return g_strndup(colon != NULL ? colon + 3 : "", colon != NULL ? strlen(colon + 3) - 1 : 0);
}

static void ids_come_first(void **state)
{
	(void)state;
	capture();
	struct log_line *line = log_event(LOG_INFO, "4Yk1Zz", "018b", "stored");

	log_str(line, "route", "support");
	log_num(line, "size", -3);
	log_end(line);
	g_autofree char *text = release();

	assert_string_equal(text, "4Yk1Zz 018b event=stored route=support size=-3");
}

static void values_cannot_forge_a_line(void **state)
{
	(void)state;
	capture();
	struct log_line *line = log_event(LOG_INFO, "", NULL, "x");

	log_str(line, "a", "b event=stored");
	log_str(line, "b", "c\nd\xff\"\\");
	log_str(line, "c", "");
	log_str(line, "d", "\xe2\x80\xae");
	log_str(line, "e", "gr\xc3\xbc\xc3\x9f");
	log_end(line);
	g_autofree char *text = release();

	assert_string_equal(text, "- - event=x a=\"b event=stored\" "
				  "b=\"c\\u000ad\xef\xbf\xbd\\\"\\\\\" c=\"\" d=\"\\u202e\" "
				  "e=\"gr\xc3\xbc\xc3\x9f\"");
}

static void values_are_bounded(void **state)
{
	(void)state;
	g_autofree char *at_bound = g_strnfill(512, 'x');
	g_autofree char *past_bound = g_strnfill(513, 'x');

	capture();
	struct log_line *line = log_event(LOG_INFO, NULL, NULL, "x");

	log_str(line, "a", at_bound);
	log_str(line, "b", past_bound);
	log_end(line);
	g_autofree char *text = release();
	g_autofree char *expected =
		g_strdup_printf("- - event=x a=%s b=\"%s...\"", at_bound, at_bound);

	assert_string_equal(text, expected);
}

static void what_is_less_important_is_dropped(void **state)
{
	(void)state;
	capture();
	log_text(LOG_DEBUG, "noise", "%d", 1);
	log_text(LOG_ERR, "trouble", "%d of %s", 2, "it");
	g_autofree char *text = release();

	assert_string_equal(text, "- - event=trouble text=\"2 of it\"");
}

static void reasons_are_one_printable_line(void **state)
{
	(void)state;
	struct reason reason;
	g_autofree char *much = g_strnfill((gsize)2 * REASON_TEXT_MAX, 'x');

	assert_int_equal(outcome_retry(&reason, "4.3.0", "a\r\nb\x01%s", "\xff"), OUTCOME_RETRY);
	assert_string_equal(reason.status, "4.3.0");
	assert_string_equal(reason.text, "a  b \xef\xbf\xbd");
	reason_prefix(&reason, "where");
	assert_string_equal(reason.text, "where: a  b \xef\xbf\xbd");
	assert_int_equal(outcome_reject(&reason, "5.1.1", "%s", much), OUTCOME_REJECT);
	assert_int_equal(strlen(reason.text), REASON_TEXT_MAX - 1);
	assert_int_equal(outcome_reject(&reason, "5.1.1", "%.478s\xc3\xbc", much), OUTCOME_REJECT);
	assert_int_equal(strlen(reason.text), 478);
	assert_int_equal(outcome_retry(NULL, "4.3.0", "x"), OUTCOME_RETRY);
	reason_prefix(NULL, "x");
	assert_string_equal(outcome_name(OUTCOME_REJECT), "reject");
}

static void deadlines_count_down(void **state)
{
	(void)state;
	struct deadline past = deadline_in(-5);
	struct deadline later = deadline_in(60500);

	assert_true(deadline_passed(past));
	assert_int_equal(deadline_left_ms(past), 0);
	assert_false(deadline_passed(later));
	assert_in_range(deadline_left_ms(later), 50000, 60500);
	assert_in_range(deadline_timeval(later).tv_sec, 50, 60);
	assert_int_equal(deadline_earlier(past, later).at_ms, past.at_ms);
	assert_int_equal(deadline_left_ms(deadline_in(INT64_C(1) << 40)), INT32_MAX);
}

static void signals_are_counted_and_polled(void **state)
{
	(void)state;
	char byte;

	assert_int_equal(stop_init(), 0);
	assert_int_equal(stop_requested(), 0);
	assert_int_equal(read(stop_fd(), &byte, 1), -1);
	raise(SIGTERM);
	raise(SIGINT);
	assert_int_equal(stop_requested(), 2);
	assert_int_equal(read(stop_fd(), &byte, 1), 1);
	assert_int_equal(stop_reset(), 0);
	assert_int_equal(stop_requested(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_come_first),
		cmocka_unit_test(values_cannot_forge_a_line),
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(what_is_less_important_is_dropped),
		cmocka_unit_test(reasons_are_one_printable_line),
		cmocka_unit_test(deadlines_count_down),
		cmocka_unit_test(signals_are_counted_and_polled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
