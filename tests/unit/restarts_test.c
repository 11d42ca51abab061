/* Workers that ended are counted per program and by time, and the file does not grow for ever. */
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/deadline.h"
#include "common/restarts.h"

static char *dir;

static int make_dir(void **state)
{
	(void)state;
	dir = g_strdup("/tmp/mailpipe-restarts-XXXXXX");
	return g_mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	g_autofree char *command = g_strdup_printf("rm -r '%s'", dir);
	int status = system(command);

	g_clear_pointer(&dir, g_free);
	return status;
}

static void ends_are_counted_per_program(void **state)
{
	(void)state;
	struct reason reason = {0};
	size_t count = 0;
	int64_t begin = realtime_ms();

	assert_true(restarts_note(dir, "mailout", 7, 256));
	assert_true(restarts_note(dir, "mailin-ingest", 8, SIGSEGV));
	assert_true(restarts_note(dir, "mailout", 9, SIGKILL));
	struct restarts *list = restarts_since(dir, begin, &count, &reason);

	assert_int_equal(count, 2);
	assert_string_equal(list[0].program, "mailin-ingest");
	assert_int_equal(list[0].count, 1);
	assert_int_equal(WTERMSIG(list[0].last_status), SIGSEGV);
	assert_string_equal(list[1].program, "mailout");
	assert_int_equal(list[1].count, 2);
	assert_int_equal(list[1].last_status, SIGKILL);
	assert_true(list[1].last_ms >= begin);
	restarts_free(&list, count);
	assert_null(list);
	list = restarts_since(dir, realtime_ms() + 1, &count, &reason);
	assert_non_null(list);
	assert_int_equal(count, 0);
	restarts_free(&list, count);
}

static void the_file_stays_small(void **state)
{
	(void)state;
	struct reason reason = {0};
	struct stat found;
	size_t count = 0;
	g_autofree char *file = g_strdup_printf("%s/restarts.mailout", dir);

	for (int i = 0; i < 20 * RESTARTS_KEPT; i++)
		assert_true(restarts_note(dir, "mailout", i, 256));
	assert_int_equal(g_stat(file, &found), 0);
	assert_true(found.st_size < 200 * 1000);
	struct restarts *list = restarts_since(dir, 0, &count, &reason);

	assert_int_equal(count, 1);
	assert_true(list[0].count >= RESTARTS_KEPT);
	restarts_free(&list, count);
}

static void what_cannot_be_read_is_told(void **state)
{
	(void)state;
	struct reason reason = {0};
	size_t count = 1;
	g_autofree char *file = g_strdup_printf("%s/restarts.mailout", dir);

	assert_true(g_file_set_contents(file, "nonsense\n12\n\n9 9 9", -1, NULL));
	struct restarts *list = restarts_since(dir, 0, &count, &reason);

	assert_int_equal(count, 1);
	assert_int_equal(list[0].count, 1);
	restarts_free(&list, count);
	assert_false(restarts_note("/nowhere", "mailout", 1, 1));
	assert_null(restarts_since("/nowhere", 0, &count, &reason));
	assert_int_equal(count, 0);
	assert_true(g_str_has_prefix(reason.text, "Error opening directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ends_are_counted_per_program, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(the_file_stays_small, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
