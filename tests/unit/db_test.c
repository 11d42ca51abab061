/* What errors of the database mean, and quoting; the rest is tests/it/db_probe.c, with a server. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/db.h"
#include "common/db_error.h"

static void bad_data_is_rejected(void **state)
{
	(void)state;
	static const unsigned int codes[] = {1048, 1264, 1265, 1292, 1365, 1366,
					     1406, 1441, 3140, 3819, 4025};

	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		assert_int_equal(db_error_of(codes[i]).outcome, OUTCOME_REJECT);
		assert_false(db_error_of(codes[i]).lost);
	}
}

static void our_faults_are_retried(void **state)
{
	(void)state;
	/* Rights, missing tables and columns, a full disk, a packet over the limit, a duplicate. */
	static const unsigned int codes[] = {1021, 1044, 1045, 1049, 1054, 1062, 1114,
					     1142, 1146, 1153, 1205, 1213, 1452};

	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
		assert_int_equal(db_error_of(codes[i]).outcome, OUTCOME_RETRY);
}

static void unknown_errors_are_retried(void **state)
{
	(void)state;
	assert_int_equal(db_error_of(0).outcome, OUTCOME_RETRY);
	assert_int_equal(db_error_of(1999).outcome, OUTCOME_RETRY);
	assert_false(db_error_of(1999).lost);
	assert_int_equal(db_error_of(9999).outcome, OUTCOME_RETRY);
	assert_false(db_error_of(9999).not_committed);
}

static void broken_and_read_only_connections_are_lost(void **state)
{
	(void)state;
	static const unsigned int codes[] = {1040, 1047, 1053, 1290, 1836, 1927,
					     2002, 2006, 2013, 2014, 2055, 3169};

	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
		assert_true(db_error_of(codes[i]).lost);
	assert_false(db_error_of(1205).lost);
	assert_false(db_error_of(1213).lost);
}

static void a_commit_is_unknown_when_the_connection_broke(void **state)
{
	(void)state;
	static const unsigned int unknown[] = {1053, 1180, 1927, 2006, 2013, 2055, 3169};
	static const unsigned int sure[] = {1047, 1205, 1213, 1290, 3101};

	for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++)
		assert_false(db_error_of(unknown[i]).not_committed);
	for (size_t i = 0; i < G_N_ELEMENTS(sure); i++)
		assert_true(db_error_of(sure[i]).not_committed);
}

static void names_are_quoted(void **state)
{
	(void)state;
	g_autofree char *plain = db_quote_name("mail-pipe");
	g_autofree char *nasty = db_quote_name("a`; DROP TABLE b");

	assert_string_equal(plain, "`mail-pipe`");
	assert_string_equal(nasty, "`a``; DROP TABLE b`");
}

static void values_of_null_pointers_are_null(void **state)
{
	(void)state;
	assert_int_equal(db_text(NULL).type, DB_NULL);
	assert_int_equal(db_textn(NULL, 0).type, DB_NULL);
	assert_int_equal(db_bytes(NULL, 0).type, DB_NULL);
	assert_int_equal(db_text("").type, DB_TEXT);
	assert_int_equal(db_text("abc").size, 3);
	assert_int_equal(db_int(-1).number, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_data_is_rejected),
		cmocka_unit_test(our_faults_are_retried),
		cmocka_unit_test(unknown_errors_are_retried),
		cmocka_unit_test(broken_and_read_only_connections_are_lost),
		cmocka_unit_test(a_commit_is_unknown_when_the_connection_broke),
		cmocka_unit_test(names_are_quoted),
		cmocka_unit_test(values_of_null_pointers_are_null),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
