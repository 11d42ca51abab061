/* quota: counts at their limits, over processes, restarts, broken files and clocks that jump. */
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/quota.h"

enum { HOUR = 3600, DAY = 24 * HOUR, PER_KEY = 2, PER_HOUR = 5 };

/* 2026-11-22 00:00:00 */
static const int64_t NOON = INT64_C(1795305600) + 12 * HOUR;
static const struct quota_limits LIMITS = {.per_key_day = PER_KEY, .per_hour = PER_HOUR};
static char folder[] = "/tmp/mailpipe-quota-XXXXXX";
static char *file;

static int make_folder(void **state)
{
	(void)state;
	if (g_mkdtemp(folder) == NULL)
		return -1;
	file = g_build_filename(folder, "counts", NULL);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	g_free(file);
	return g_rmdir(folder);
}

static int remove_file(void **state)
{
	(void)state;
	g_remove(file);
	return 0;
}

static struct quota *open_file(const struct quota_limits *limits)
{
	struct reason reason;
	struct quota *quota = quota_open(file, limits, &reason);

	assert_string_equal(reason.text, "");
	return quota;
}

static void a_key_has_a_limit_a_day(void **state)
{
	struct quota *quota = open_file(&LIMITS);

	(void)state;
	assert_true(quota_take(quota, "a", NOON));
	assert_true(quota_take(quota, "a", NOON + HOUR));
	assert_false(quota_take(quota, "a", NOON + 2 * HOUR));
	assert_true(quota_take(quota, "b", NOON + 2 * HOUR));
	assert_false(quota_take(quota, "a", NOON + 12 * HOUR - 1));
	assert_true(quota_take(quota, "a", NOON + 12 * HOUR));
	assert_true(quota_take(quota, "a", NOON + 12 * HOUR));
	assert_false(quota_take(quota, "a", NOON + 12 * HOUR));
	quota_close(&quota);
	assert_null(quota);
}

static void an_hour_has_a_limit(void **state)
{
	struct quota *quota = open_file(&LIMITS);
	static const char *const keys[] = {"a", "b", "c", "d", "e"};

	(void)state;
	for (int i = 0; i < PER_HOUR; i++)
		assert_true(quota_take(quota, keys[i], NOON + i));
	assert_false(quota_take(quota, "f", NOON + HOUR - 1));
	assert_true(quota_take(quota, "f", NOON + HOUR));
	/* What was refused has not been counted. */
	assert_true(quota_take(quota, "f", NOON + HOUR));
	assert_false(quota_take(quota, "f", NOON + HOUR));
	quota_close(&quota);
}

static void what_did_not_happen_does_not_count(void **state)
{
	struct quota *quota = open_file(&LIMITS);

	(void)state;
	assert_true(quota_take(quota, "a", NOON));
	assert_true(quota_take(quota, "a", NOON));
	quota_return(quota, "a", NOON);
	assert_true(quota_take(quota, "a", NOON));
	assert_false(quota_take(quota, "a", NOON));
	/* Nothing to give back: another key, another hour. */
	quota_return(quota, "b", NOON);
	quota_return(quota, "a", NOON + HOUR);
	assert_false(quota_take(quota, "a", NOON));
	assert_true(quota_take(quota, "b", NOON));
	assert_true(quota_take(quota, "b", NOON));
	assert_true(quota_take(quota, "c", NOON));
	assert_false(quota_take(quota, "c", NOON));
	quota_close(&quota);
}

static void counts_survive_a_restart(void **state)
{
	struct quota *quota = open_file(&LIMITS);

	(void)state;
	assert_true(quota_take(quota, "a", NOON));
	quota_close(&quota);
	quota = open_file(&LIMITS);
	assert_true(quota_take(quota, "a", NOON));
	quota_close(&quota);
	quota = open_file(&LIMITS);
	assert_false(quota_take(quota, "a", NOON));
	quota_close(&quota);
}

/* A clock that jumps and comes back forgets counts, and blocks nothing. */
static void clocks_may_jump(void **state)
{
	struct quota *quota = open_file(&LIMITS);

	(void)state;
	for (int64_t jump = -400 * DAY; jump <= 400 * DAY; jump += 100 * DAY)
		assert_true(quota_take(quota, "a", NOON + jump));
	assert_true(quota_take(quota, "a", NOON));
	quota_close(&quota);
}

/* Ends with the number of takes that were within the limits. */
static void take_in_child(void)
{
	enum { TRIES = 200 };
	struct quota *quota = quota_open(file, &(struct quota_limits){150, 100}, NULL);
	int within = 0;

	for (int i = 0; i < TRIES; i++)
		within += quota_take(quota, "a", NOON);
	_exit(within);
}

static void processes_share_the_counts(void **state)
{
	enum { CHILDREN = 3, ALL = 100 };
	int within = 0;

	(void)state;
	for (int i = 0; i < CHILDREN; i++)
		if (fork() == 0)
			take_in_child();
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		within += WEXITSTATUS(status);
	}
	assert_int_equal(within, ALL);
}

static void a_process_that_hangs_hinders_nobody_for_long(void **state)
{
	struct quota *quota = open_file(&LIMITS);
	int fd = open(file, O_RDWR);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(quota_take(quota, "a", NOON));
	close(fd);
	assert_true(quota_take(quota, "a", NOON));
	quota_close(&quota);
}

static void holds_in_memory(struct quota *quota)
{
	assert_true(quota_take(quota, "a", NOON));
	assert_true(quota_take(quota, "a", NOON));
	assert_false(quota_take(quota, "a", NOON));
	quota_return(quota, "a", NOON);
	assert_true(quota_take(quota, "a", NOON));
	quota_close(&quota);
}

static void without_a_file_each_counts_for_itself(void **state)
{
	g_autofree char *missing = g_build_filename(folder, "missing", "counts", NULL);
	g_autofree char *expected = g_strdup_printf("%s: No such file or directory", missing);
	g_autofree char *other = g_strdup_printf("%s: is no file", file);
	struct reason reason;
	struct quota *quota = quota_open(missing, &LIMITS, &reason);

	(void)state;
	assert_string_equal(reason.text, expected);
	holds_in_memory(quota);
	assert_int_equal(mkfifo(file, 0600), 0);
	quota = quota_open(file, &LIMITS, &reason);
	assert_string_equal(reason.text, other);
	holds_in_memory(quota);
}

static void a_full_disk_leads_to_memory(void **state)
{
	struct rlimit before;
	struct quota *quota = open_file(&LIMITS);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	/* Memory (memfd) has the same limit: nothing fits, so nothing is within the limits. */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, before.rlim_max}), 0);
	assert_false(quota_take(quota, "a", NOON));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	holds_in_memory(quota);
	quota = open_file(&LIMITS);
	assert_true(quota_take(quota, "a", NOON));
	quota_close(&quota);
}

static void a_broken_file_is_begun_anew(void **state)
{
	g_autofree char *junk = g_strnfill(4096, 'x');

	(void)state;
	assert_true(g_file_set_contents(file, junk, 4096, NULL));
	struct quota *quota = open_file(&LIMITS);

	for (int i = 0; i < PER_KEY; i++)
		assert_true(quota_take(quota, "a", NOON));
	assert_false(quota_take(quota, "a", NOON));
	/* Somebody empties it. */
	assert_int_equal(truncate(file, 0), 0);
	assert_true(quota_take(quota, "a", NOON));
	/* Or cuts it within a slot. */
	assert_int_equal(truncate(file, 30), 0);
	assert_true(quota_take(quota, "a", NOON));
	quota_close(&quota);
}

/* As many keys as have a place: with a limit far above, more are refused rather than let through.
 */
static void a_full_table_refuses(void **state)
{
	enum { KEYS = QUOTA_SLOTS + 2000 };
	struct quota *quota =
		quota_open(file, &(struct quota_limits){1, 10 * (int64_t)QUOTA_SLOTS}, NULL);
	int taken = 0;

	(void)state;
	for (int i = 0; i < KEYS; i++) {
		char key[16];

		g_snprintf(key, sizeof(key), "key%d", i);
		taken += quota_take(quota, key, NOON);
	}
	assert_true(taken <= QUOTA_SLOTS);
	assert_true(taken > QUOTA_SLOTS * 9 / 10);
	assert_false(quota_take(quota, "key1", NOON));
	/* The next day it is empty. */
	assert_true(quota_take(quota, "key1", NOON + DAY));
	quota_close(&quota);
}

#define WITH_FILE(test) cmocka_unit_test_teardown(test, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(a_key_has_a_limit_a_day),
		WITH_FILE(an_hour_has_a_limit),
		WITH_FILE(what_did_not_happen_does_not_count),
		WITH_FILE(counts_survive_a_restart),
		WITH_FILE(clocks_may_jump),
		WITH_FILE(processes_share_the_counts),
		WITH_FILE(a_process_that_hangs_hinders_nobody_for_long),
		WITH_FILE(without_a_file_each_counts_for_itself),
		WITH_FILE(a_full_disk_leads_to_memory),
		WITH_FILE(a_broken_file_is_begun_anew),
		WITH_FILE(a_full_table_refuses),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
