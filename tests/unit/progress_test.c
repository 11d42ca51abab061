/* mailctl/progress.h: the line, and that nothing is written where there is no terminal. */
#include <fcntl.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailctl/progress.h"

static void is_line(int64_t done, int64_t total, double rate, size_t width, const char *expected)
{
	g_autofree char *line = progress_line("requeue", done, total, rate, width);

	assert_string_equal(line, expected);
}

static void the_bar(void **state)
{
	(void)state;
	is_line(36021, 100000, 5012.4, 90,
		"requeue  [############-----------------------]   36%  36,021 of 100,000  5,012/s  "
		"13s "
		"left");
	is_line(0, 10, -1, 40, "requeue  [--------------]    0%  0 of 10");
	is_line(10, 10, 2.5, 50, "requeue  [################]  100%  10 of 10  2.5/s");
}

static void a_narrow_terminal_has_no_bar(void **state)
{
	(void)state;
	is_line(5, 10, 2.5, 45, "requeue   50%  5 of 10  2.5/s  3s left");
	is_line(5, 10, 2.5, 12, "requeue   50");
}

static void an_unknown_total(void **state)
{
	(void)state;
	is_line(1234567, 0, 10, 80, "requeue  1,234,567  10/s");
	is_line(0, 0, 0, 80, "requeue  0  0.0/s");
}

static void more_than_the_total(void **state)
{
	(void)state;
	is_line(12, 10, -1, 30, "requeue  100%  12 of 12");
}

static void silent_elsewhere(void **state)
{
	int old = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	struct stat status;

	(void)state;
	assert_true(old >= 0);
	fflush(stderr);
	assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
	struct progress *progress = progress_new("requeue", 3);

	progress_set(progress, 1);
	g_usleep(150 * 1000); /* longer than it waits between two drawings */
	progress_add(progress, 1);
	progress_total(progress, 4);
	progress_hide(progress);
	progress_end(&progress);
	fflush(stderr);
	assert_int_equal(dup2(old, STDERR_FILENO), STDERR_FILENO);
	close(old);
	assert_null(progress);
	assert_int_equal(fstat(fileno(file), &status), 0);
	assert_int_equal(status.st_size, 0);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bar),          cmocka_unit_test(a_narrow_terminal_has_no_bar),
		cmocka_unit_test(an_unknown_total), cmocka_unit_test(more_than_the_total),
		cmocka_unit_test(silent_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
