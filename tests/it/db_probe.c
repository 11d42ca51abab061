/*
 * The database module against a real server: run by tests/it/db-classification.t, which starts a
 * server of its own and says in the environment where it is (DB_SOCKET, DB_PASSWORD of root,
 * DB_PID).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "common/db.h"

enum { TIMEOUT_MS = 4000, SLACK_MS = 1500, POLL_US = 20000, ROWS = 256, BIG = 3 * 1024 * 1024 };

static struct db *connect_as(const char *user, const char *password)
{
	struct db_options options = {
		.socket = getenv("DB_SOCKET"),
		.user = user,
		.password = password,
		.database = "probe",
		.timeout_ms = TIMEOUT_MS,
	};
	struct reason reason = {0};
	struct db *db = db_open(&options, deadline_in(TIMEOUT_MS), &reason);

	if (db == NULL)
		print_message("# %s\n", reason.text);
	return db;
}

static struct db *open_root(void)
{
	struct db *db = connect_as("root", getenv("DB_PASSWORD"));

	assert_non_null(db);
	return db;
}

static void must(struct db *db, const char *sql)
{
	struct reason reason = {0};

	if (db_exec(db, sql, &reason) != OUTCOME_OK)
		fail_msg("%s: %s", sql, reason.text);
}

static bool take_number(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context = columns[0].number;
	return true;
}

static int64_t number_of(struct db *db, const char *sql)
{
	int64_t number = -1;
	struct reason reason = {0};

	if (db_query_once(db, sql, NULL, 0, take_number, &number, &reason) != OUTCOME_OK)
		fail_msg("%s: %s", sql, reason.text);
	return number;
}

static enum outcome run_once(struct db *db, const char *sql, const struct db_value *values,
			     size_t count, struct reason *reason)
{
	enum outcome outcome;
	struct db_stmt *stmt = db_prepare(db, sql, &outcome, reason);

	if (stmt != NULL)
		outcome = db_run(stmt, values, count, NULL, reason);
	db_stmt_free(&stmt);
	return outcome;
}

static int set_up(void **state)
{
	struct db *db = open_root();

	must(db,
	     "CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, short VARCHAR(4), "
	     "kind ENUM('a', 'b'), day DATETIME, number TINYINT, bytes LONGBLOB, text LONGTEXT, "
	     "json LONGTEXT CHECK (JSON_VALID(json))) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4");
	must(db, "DELETE FROM t");
	*state = db;
	return 0;
}

static int tear_down(void **state)
{
	struct db *db = *state;

	db_close(&db);
	return 0;
}

/* ---- sessions ---- */

static bool take_session(const struct db_value *columns, size_t count, void *context)
{
	(void)context;
	assert_int_equal(count, 4);
	assert_string_equal(columns[0].data, "utf8mb4");
	assert_string_equal(columns[1].data, "+00:00");
	assert_int_equal(columns[2].number, 1);
	assert_int_equal(columns[3].number, TIMEOUT_MS / 1000 / 2);
	return true;
}

static void session_is_set_up(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};

	assert_int_equal(db_query_once(db,
				       "SELECT @@character_set_client, @@time_zone, "
				       "FIND_IN_SET('STRICT_ALL_TABLES', @@sql_mode) > 0, "
				       "@@innodb_lock_wait_timeout",
				       NULL, 0, take_session, NULL, &reason),
			 OUTCOME_OK);
	assert_int_equal(db_max_packet(db), number_of(db, "SELECT @@max_allowed_packet"));
}

static void wrong_password_names_the_user_but_not_the_password(void **state)
{
	(void)state;
	struct db_options options = {
		.socket = getenv("DB_SOCKET"),
		.user = "limited",
		.password = "secret-wrong",
		.database = "probe",
		.timeout_ms = TIMEOUT_MS,
	};
	struct reason reason = {0};
	struct db *db = db_open(&options, deadline_in(TIMEOUT_MS), &reason);

	assert_null(db);
	assert_int_equal(db_open_errno(), 1045);
	assert_non_null(strstr(reason.text, "'limited'@'localhost'"));
	assert_null(strstr(reason.text, "secret-wrong"));
	assert_string_equal(reason.status, "4.3.0");
}

static void hosts_that_do_not_answer_are_all_named(void **state)
{
	(void)state;
	char *hosts[] = {(char *)"127.0.0.1:1", (char *)"[::1]:1", (char *)"127.0.0.1:x", NULL};
	struct db_options options = {.hosts = hosts, .user = "root", .timeout_ms = TIMEOUT_MS};
	struct reason reason = {0};

	assert_null(db_open(&options, deadline_in(TIMEOUT_MS), &reason));
	assert_non_null(strstr(reason.text, "127.0.0.1:1: database error 2002"));
	assert_non_null(strstr(reason.text, "[::1]:1: database error 2002"));
	assert_non_null(strstr(reason.text, "127.0.0.1:x: is no host:port"));
}

static void read_only_server_is_passed_over(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};
	struct db_options options = {.socket = getenv("DB_SOCKET"),
				     .user = "root",
				     .password = getenv("DB_PASSWORD"),
				     .database = "probe",
				     .timeout_ms = TIMEOUT_MS};

	struct db *limited = connect_as("limited", "right");

	assert_non_null(limited);
	must(db, "SET GLOBAL read_only = 1");
	assert_null(db_open(&options, deadline_in(TIMEOUT_MS), &reason));
	assert_non_null(strstr(reason.text, "the server is read-only"));
	options.read_only_too = true;
	struct db *second = db_open(&options, deadline_in(TIMEOUT_MS), &reason);

	assert_non_null(second);
	/* A session that is there already learns it from 1290, and should look for another server.
	 */
	assert_int_equal(db_exec(limited, "INSERT INTO t (id) VALUES (1)", &reason), OUTCOME_RETRY);
	must(db, "SET GLOBAL read_only = 0");
	assert_int_equal(db_errno(limited), 1290);
	assert_true(db_lost(limited));
	db_close(&limited);
	db_close(&second);
}

/* ---- values ---- */

struct expected {
	const char *text;
	const char *bytes;
	size_t rows;
};

static bool check_big(const struct db_value *columns, size_t count, void *context)
{
	struct expected *expected = context;

	assert_int_equal(count, 6);
	assert_int_equal(columns[0].type, DB_INT);
	assert_int_equal(columns[0].number, 7);
	assert_int_equal(columns[1].type, DB_NULL);
	assert_int_equal(columns[2].type, DB_TEXT);
	assert_string_equal(columns[2].data, "2026-01-02 03:04:05");
	assert_int_equal(columns[3].type, DB_BYTES);
	assert_int_equal(columns[3].size, BIG);
	assert_memory_equal(columns[3].data, expected->bytes, BIG);
	assert_int_equal(columns[4].type, DB_TEXT);
	assert_string_equal(columns[4].data, expected->text);
	assert_string_equal(columns[5].data, "1.5");
	expected->rows++;
	return true;
}

static void large_values_arrive_whole(void **state)
{
	struct db *db = *state;
	g_autofree char *bytes = g_malloc(BIG);
	g_autofree char *text = g_malloc(BIG + 1);
	struct expected expected = {.text = text, .bytes = bytes};
	struct reason reason = {0};

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i * 7 + i / 256);
	for (size_t i = 0; i < BIG; i += 3)
		memcpy(text + i, "\xE2\x82\xAC", 3); /* EURO SIGN: pieces may end within one */
	text[BIG] = '\0';
	struct db_value values[] = {db_int(7), db_null(), db_text("2026-01-02 03:04:05"),
				    db_bytes(bytes, BIG), db_text(text)};

	assert_int_equal(
		run_once(db, "INSERT INTO t (id, short, day, bytes, text) VALUES (?, ?, ?, ?, ?)",
			 values, G_N_ELEMENTS(values), &reason),
		OUTCOME_OK);
	assert_int_equal(db_query_once(db, "SELECT id, short, day, bytes, text, 1.5 FROM t", NULL,
				       0, check_big, &expected, &reason),
			 OUTCOME_OK);
	assert_int_equal(expected.rows, 1);
}

static void statement_above_the_packet_limit_is_split(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};
	enum { COUNT = 200, SIZE = 100 * 1024 }; /* 20 MB in values that are small each */
	g_autofree char *bytes = g_malloc0(SIZE);
	g_autoptr(GString) sql = g_string_new("INSERT INTO t (id, bytes) VALUES (?, ?)");
	struct db_value values[COUNT * 2];

	for (int i = 1; i < COUNT; i++)
		g_string_append(sql, ", (?, ?)");
	for (int i = 0; i < COUNT; i++) {
		values[(size_t)i * 2] = db_int(i);
		values[(size_t)i * 2 + 1] = db_bytes(bytes, SIZE);
	}
	assert_true(db_max_packet(db) < (int64_t)COUNT * SIZE);
	if (run_once(db, sql->str, values, (size_t)COUNT * 2, &reason) != OUTCOME_OK)
		fail_msg("%s", reason.text);
	assert_int_equal(number_of(db, "SELECT COUNT(*) FROM t WHERE LENGTH(bytes) = 102400"),
			 COUNT);
}

static void value_above_the_packet_limit_is_our_fault(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};
	size_t size = (size_t)db_max_packet(db);
	g_autofree char *bytes = g_malloc0(size);
	struct db_value values[] = {db_int(1), db_bytes(bytes, size)};

	assert_int_equal(db_exec(db, "SELECT nothing", &reason), OUTCOME_RETRY);
	assert_int_equal(
		run_once(db, "INSERT INTO t (id, bytes) VALUES (?, ?)", values, 2, &reason),
		OUTCOME_RETRY);
	assert_non_null(strstr(reason.text, "max_allowed_packet"));
	assert_false(db_lost(db));
	assert_int_equal(db_errno(db), 0);
	values[1].size = size - 1;
	if (run_once(db, "INSERT INTO t (id, bytes) VALUES (?, ?)", values, 2, &reason) !=
	    OUTCOME_OK)
		fail_msg("%s", reason.text);
}

static void statement_is_used_again(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};
	enum outcome outcome;
	g_autoptr(GString) sql = g_string_new("INSERT INTO t (id, short, text) VALUES (?, ?, ?)");
	g_autofree struct db_value *values = g_new0(struct db_value, (size_t)ROWS * 3);
	g_autofree char *large = g_strnfill(BIG, 'x');

	for (int i = 1; i < ROWS; i++)
		g_string_append(sql, ", (?, ?, ?)");
	struct db_stmt *stmt = db_prepare(db, sql->str, &outcome, &reason);

	assert_non_null(stmt);
	assert_int_equal(db_stmt_parameters(stmt), ROWS * 3);
	for (int round = 0; round < 4; round++) {
		int64_t affected = 0;

		for (int i = 0; i < ROWS; i++) {
			values[(size_t)i * 3] = db_int(round * ROWS + i);
			values[(size_t)i * 3 + 1] = db_text(i % 2 == 0 ? "abc" : NULL);
			values[(size_t)i * 3 + 2] = db_text(i == round ? large : "small");
		}
		if (round == 2) { /* a failure with long data in between */
			values[1] = db_text("too long");
			assert_int_equal(db_run(stmt, values, (size_t)ROWS * 3, &affected, &reason),
					 OUTCOME_REJECT);
			values[1] = db_text("abc");
		}
		if (db_run(stmt, values, (size_t)ROWS * 3, &affected, &reason) != OUTCOME_OK)
			fail_msg("%s", reason.text);
		assert_int_equal(affected, ROWS);
	}
	db_stmt_free(&stmt);
	assert_int_equal(number_of(db, "SELECT COUNT(*) FROM t WHERE LENGTH(text) = 3145728"), 4);
	assert_int_equal(number_of(db, "SELECT COUNT(*) FROM t WHERE text = 'small'"),
			 4 * ROWS - 4);
}

static bool first_only(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context += columns[0].number;
	return false;
}

static void reading_may_stop_early(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};
	int64_t sum = 0;

	must(db, "INSERT INTO t (id) VALUES (1), (2), (3)");
	assert_int_equal(db_query_once(db, "SELECT id FROM t ORDER BY id", NULL, 0, first_only,
				       &sum, &reason),
			 OUTCOME_OK);
	assert_int_equal(sum, 1);
	assert_int_equal(number_of(db, "SELECT COUNT(*) FROM t"), 3);
}

/* ---- what is the data's fault ---- */

static void assert_rejected(struct db *db, const char *column, struct db_value value,
			    unsigned int code)
{
	g_autofree char *sql = g_strdup_printf("INSERT INTO t (id, %s) VALUES (?, ?)", column);
	struct db_value values[] = {db_int(1), value};
	struct reason reason = {0};

	assert_int_equal(run_once(db, sql, values, 2, &reason), OUTCOME_REJECT);
	assert_int_equal(db_errno(db), code);
	assert_string_equal(reason.status, "5.6.0");
	assert_false(db_lost(db));
}

static void bad_data_is_rejected(void **state)
{
	struct db *db = *state;

	assert_rejected(db, "short", db_text("12345"), 1406);
	assert_rejected(db, "short", db_textn("\xff\xfe", 2), 1366);
	assert_rejected(db, "kind", db_text("c"), 1265);
	assert_rejected(db, "day", db_text("yesterday"), 1292);
	assert_rejected(db, "day", db_text("0000-00-00 00:00:00"), 1292);
	assert_rejected(db, "number", db_int(1000), 1264);
	assert_rejected(db, "json", db_text("{\"a\":"), db_is_mariadb(db) ? 4025 : 3819);
	struct db_value values[] = {db_null()};
	struct reason reason = {0};

	assert_int_equal(run_once(db, "INSERT INTO t (id) VALUES (?)", values, 1, &reason),
			 OUTCOME_REJECT);
	assert_int_equal(db_errno(db), 1048);
	values[0] = db_int(0);
	assert_int_equal(
		run_once(db, "INSERT INTO t (id, number) VALUES (1, 7 / ?)", values, 1, &reason),
		OUTCOME_REJECT);
	assert_int_equal(db_errno(db), 1365);
	values[0] = db_int(2);
	assert_int_equal(run_once(db,
				  "INSERT INTO t (id, day) VALUES"
				  " (1, DATE_ADD('9999-12-31', INTERVAL ? DAY))",
				  values, 1, &reason),
			 OUTCOME_REJECT);
	assert_int_equal(db_errno(db), 1441);
}

/* ---- what is our fault ---- */

static void missing_tables_and_rights_are_retried(void **state)
{
	struct db *db = *state;
	struct db *limited = connect_as("limited", "right");
	struct reason reason = {0};
	enum outcome outcome = OUTCOME_OK;

	assert_non_null(limited);
	assert_null(db_prepare(db, "INSERT INTO nowhere VALUES (?)", &outcome, &reason));
	assert_int_equal(outcome, OUTCOME_RETRY);
	assert_int_equal(db_errno(db), 1146);
	assert_null(db_prepare(db, "INSERT INTO t (nothing) VALUES (?)", &outcome, &reason));
	assert_int_equal(outcome, OUTCOME_RETRY);
	assert_int_equal(db_errno(db), 1054);
	assert_int_equal(db_exec(limited, "DELETE FROM t", &reason), OUTCOME_RETRY);
	assert_int_equal(db_errno(limited), 1142);
	assert_non_null(strstr(reason.text, "mailctl setup"));
	assert_false(db_lost(limited));
	db_close(&limited);
}

static void lock_wait_is_retried_before_the_time_out(void **state)
{
	struct db *db = *state;
	struct db *other = open_root();
	struct reason reason = {0};

	must(db, "INSERT INTO t (id, number) VALUES (1, 0)");
	assert_int_equal(db_begin(db, &reason), OUTCOME_OK);
	must(db, "UPDATE t SET number = 1 WHERE id = 1");
	assert_int_equal(db_begin(other, &reason), OUTCOME_OK);
	must(other, "INSERT INTO t (id) VALUES (2)");
	assert_int_equal(db_exec(other, "UPDATE t SET number = 2 WHERE id = 1", &reason),
			 OUTCOME_RETRY);
	assert_int_equal(db_errno(other), 1205);
	assert_false(db_lost(other));
	db_rollback(other);
	assert_int_equal(db_commit(db, NULL, &reason), OUTCOME_OK);
	assert_int_equal(number_of(db, "SELECT COUNT(*) FROM t"), 1);
	db_close(&other);
}

static void *update_one(void *context)
{
	struct db *db = context;
	struct reason reason = {0};
	enum outcome outcome = db_exec(db, "UPDATE t SET number = 4 WHERE id = 1", &reason);

	return GINT_TO_POINTER(outcome == OUTCOME_OK ? 0 : (int)db_errno(db));
}

static void deadlock_is_retried(void **state)
{
	struct db *db = *state;
	struct db *other = open_root();
	struct reason reason = {0};

	must(db, "INSERT INTO t (id, number) VALUES (1, 0), (2, 0)");
	assert_int_equal(db_begin(db, &reason), OUTCOME_OK);
	assert_int_equal(db_begin(other, &reason), OUTCOME_OK);
	must(db, "UPDATE t SET number = 3 WHERE id = 1");
	must(other, "UPDATE t SET number = 3 WHERE id = 2");
	GThread *thread = g_thread_new("other", update_one, other);
	enum outcome outcome = db_exec(db, "UPDATE t SET number = 4 WHERE id = 2", &reason);
	int second = GPOINTER_TO_INT(g_thread_join(thread));

	/* The server chooses one of the two. */
	if (outcome == OUTCOME_OK) {
		assert_int_equal(second, 1213);
		assert_false(db_lost(other));
	} else {
		assert_int_equal(outcome, OUTCOME_RETRY);
		assert_int_equal(db_errno(db), 1213);
		assert_int_equal(second, 0);
		assert_false(db_lost(db));
	}
	db_rollback(db);
	db_rollback(other);
	db_close(&other);
}

static void duplicate_key_is_retried(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};

	must(db, "INSERT INTO t (id) VALUES (1)");
	assert_int_equal(db_exec(db, "INSERT INTO t (id) VALUES (1)", &reason), OUTCOME_RETRY);
	assert_int_equal(db_errno(db), 1062);
}

static void killed_connection_is_lost(void **state)
{
	struct db *db = *state;
	struct db *other = open_root();
	struct reason reason = {0};
	bool unknown = false;
	g_autofree char *sql = g_strdup_printf("KILL %" G_GINT64_FORMAT,
					       number_of(other, "SELECT CONNECTION_ID()"));

	assert_int_equal(db_begin(other, &reason), OUTCOME_OK);
	must(other, "INSERT INTO t (id) VALUES (1)");
	must(db, sql);
	assert_int_equal(db_commit(other, &unknown, &reason), OUTCOME_RETRY);
	assert_true(unknown);
	assert_true(db_lost(other));
	db_rollback(other);
	db_close(&other);
	assert_int_equal(number_of(db, "SELECT COUNT(*) FROM t"), 0);
}

static void commit_that_failed_for_sure_is_not_unknown(void **state)
{
	struct db *db = *state;
	bool unknown = true;
	struct reason reason = {0};

	assert_int_equal(db_begin(db, &reason), OUTCOME_OK);
	assert_int_equal(db_commit(db, &unknown, &reason), OUTCOME_OK);
	assert_false(unknown);
}

static void transaction_that_was_ended_does_not_count_as_committed(void **state)
{
	struct db *db = *state;
	bool unknown = true;
	struct reason reason = {0};

	assert_int_equal(db_begin(db, &reason), OUTCOME_OK);
	must(db, "INSERT INTO t (id) VALUES (1)");
	must(db, "ROLLBACK");
	must(db, "INSERT INTO t (id) VALUES (2)");
	assert_int_equal(db_commit(db, &unknown, &reason), OUTCOME_RETRY);
	assert_string_equal(reason.text, "the transaction was ended before its COMMIT");
	assert_false(unknown);
	assert_false(db_lost(db));
}

/* INSERT ... RETURNING and functions fail when the first row is made. */
static void error_in_the_place_of_a_row(void **state)
{
	static const char *const statements[] = {
		"SELECT refuse(id) FROM t WHERE id > ?",
		"INSERT INTO t (id) SELECT ? + refuse(id) FROM t RETURNING id",
	};
	struct db *db = *state;
	struct db_value zero = db_int(0);
	struct reason reason = {0};
	enum outcome outcome;

	if (!db_is_mariadb(db))
		skip();
	must(db, "INSERT INTO t (id) VALUES (1), (2)");
	must(db, "CREATE FUNCTION refuse (id INT) RETURNS INT DETERMINISTIC BEGIN IF id = 2 THEN"
		 " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF; RETURN id; END");
	for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
		struct db_stmt *stmt = db_prepare(db, statements[i], &outcome, &reason);

		assert_non_null(stmt);
		assert_int_equal(db_run(stmt, &zero, 1, NULL, &reason), OUTCOME_RETRY);
		assert_int_equal(db_errno(db), 1644);
		assert_string_equal(reason.text, "database error 1644: no");
		assert_int_equal(db_query(stmt, &zero, 1, NULL, NULL, &reason), OUTCOME_RETRY);
		assert_int_equal(db_errno(db), 1644);
		db_stmt_free(&stmt);
	}
	assert_int_equal(number_of(db, "SELECT COUNT(*) FROM t"), 2);
	must(db, "DROP FUNCTION refuse");
}

static pid_t server_pid(void)
{
	const char *text = getenv("DB_PID");

	if (text == NULL) {
		print_error("DB_PID is not set\n");
		exit(EXIT_FAILURE);
	}
	return (pid_t)atoi(text);
}

/* A server that does not answer any more looks like a lost one, in time. */
static void hanging_server_is_lost_in_time(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};
	pid_t server = server_pid();
	bool unknown = false;

	assert_int_equal(db_begin(db, &reason), OUTCOME_OK);
	must(db, "INSERT INTO t (id) VALUES (1)");
	assert_int_equal(kill(server, SIGSTOP), 0);
	int64_t begun = monotonic_ms();
	enum outcome outcome = db_commit(db, &unknown, &reason);
	int64_t commit_ms = monotonic_ms() - begun;
	struct db *other = connect_as("root", getenv("DB_PASSWORD"));
	int64_t both_ms = monotonic_ms() - begun;

	assert_int_equal(kill(server, SIGCONT), 0);
	assert_int_equal(outcome, OUTCOME_RETRY);
	assert_true(unknown);
	assert_true(db_lost(db));
	assert_null(other);
	assert_in_range(commit_ms, TIMEOUT_MS - SLACK_MS, TIMEOUT_MS + SLACK_MS);
	assert_in_range(both_ms, commit_ms + TIMEOUT_MS - SLACK_MS,
			commit_ms + TIMEOUT_MS + SLACK_MS);
	/* The commit was on its way: that is what unknown means. */
	other = open_root();
	struct deadline deadline = deadline_in(TIMEOUT_MS);

	while (number_of(other, "SELECT COUNT(*) FROM t") == 0 && !deadline_passed(deadline))
		g_usleep(POLL_US);
	assert_int_equal(number_of(other, "SELECT COUNT(*) FROM t"), 1);
	db_close(&other);
}

/* The last test: afterwards there is no server. */
static void killed_server_makes_the_commit_unknown(void **state)
{
	struct db *db = *state;
	struct reason reason = {0};
	bool unknown = false;

	assert_int_equal(db_begin(db, &reason), OUTCOME_OK);
	must(db, "INSERT INTO t (id) VALUES (1)");
	assert_int_equal(kill(server_pid(), SIGKILL), 0);
	assert_int_equal(db_commit(db, &unknown, &reason), OUTCOME_RETRY);
	assert_true(unknown);
	assert_true(db_lost(db));
	assert_true(db_errno(db) == 2013 || db_errno(db) == 2006);
	assert_string_equal(reason.status, "4.3.0");
	assert_int_equal(db_exec(db, "SELECT 1", &reason), OUTCOME_RETRY);
	assert_null(connect_as("root", getenv("DB_PASSWORD")));
}

#define PROBE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROBE(session_is_set_up),
		PROBE(wrong_password_names_the_user_but_not_the_password),
		PROBE(hosts_that_do_not_answer_are_all_named),
		PROBE(read_only_server_is_passed_over),
		PROBE(large_values_arrive_whole),
		PROBE(statement_above_the_packet_limit_is_split),
		PROBE(value_above_the_packet_limit_is_our_fault),
		PROBE(statement_is_used_again),
		PROBE(reading_may_stop_early),
		PROBE(bad_data_is_rejected),
		PROBE(missing_tables_and_rights_are_retried),
		PROBE(lock_wait_is_retried_before_the_time_out),
		PROBE(deadlock_is_retried),
		PROBE(duplicate_key_is_retried),
		PROBE(killed_connection_is_lost),
		PROBE(commit_that_failed_for_sure_is_not_unknown),
		PROBE(transaction_that_was_ended_does_not_count_as_committed),
		PROBE(error_in_the_place_of_a_row),
		PROBE(hanging_server_is_lost_in_time),
		PROBE(killed_server_makes_the_commit_unknown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("database", tests, NULL, NULL);
}
