/* The parts of mailctl that need no server. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailctl/addresses.h"
#include "mailctl/check.h"
#include "mailctl/grants.h"
#include "mailctl/migrate.h"
#include "mailctl/rabbitmqctl.h"
#include "mailctl/run.h"

/* ---- migrations ---- */

static void migration_is_split_at_semicolons_that_end_a_line(void **state)
{
	(void)state;
	g_auto(GStrv) statements = migration_statements("-- a comment;\n"
							"\n"
							"CREATE TABLE a (b TEXT);\n"
							"  -- another one\n"
							"INSERT INTO a VALUES ('x;y'),\n"
							"\t('\\\\');  \n"
							"SELECT 1\n");

	assert_int_equal(g_strv_length(statements), 3);
	assert_string_equal(statements[0], "CREATE TABLE a (b TEXT)");
	assert_string_equal(statements[1], "INSERT INTO a VALUES ('x;y'),\n\t('\\\\')");
	assert_string_equal(statements[2], "SELECT 1");
}

static void migrations_are_numbered_from_1_without_gaps(void **state)
{
	(void)state;
	assert_true(migration_count > 0);
	for (size_t i = 0; i < migration_count; i++)
		assert_int_equal(migrations[i].version, i + 1);
	assert_string_equal(migrations[0].name, "inbound");
}

/* Cut off after any statement, it can run again. */
static bool repeats(const char *statement)
{
	static const char *const beginnings[] = {
		"CREATE TABLE IF NOT EXISTS ",
		"CREATE OR REPLACE SQL SECURITY ",
		/* A second time it changes nothing. */
		"ALTER TABLE inbound_pending MODIFY COLUMN ",
		/* MySQL cannot add a column only if it is missing: looked up, prepared, executed.
		 */
		"SET @mailpipe_sql = (SELECT IF(COUNT(*) > 0, 'DO 0',",
		"PREPARE mailpipe_statement FROM @mailpipe_sql",
		"EXECUTE mailpipe_statement",
		"DEALLOCATE PREPARE mailpipe_statement",
		"SET foreign_key_checks = ",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(beginnings); i++)
		if (g_str_has_prefix(statement, beginnings[i]))
			return true;
	return false;
}

static void migrations_repeat(void **state)
{
	(void)state;
	for (size_t i = 0; i < migration_count; i++) {
		g_auto(GStrv) statements = migration_statements(migrations[i].sql);

		for (char **s = statements; *s != NULL; s++)
			assert_true(repeats(*s));
	}
}

/* The server's default may be anything. */
static void tables_say_engine_and_charset(void **state)
{
	(void)state;
	for (size_t i = 0; i < migration_count; i++) {
		g_auto(GStrv) statements = migration_statements(migrations[i].sql);

		for (char **s = statements; *s != NULL; s++) {
			if (!g_str_has_prefix(*s, "CREATE TABLE"))
				continue;
			assert_non_null(
				strstr(*s, "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE="));
			assert_non_null(strstr(*s, "\nCOMMENT='"));
		}
	}
}

/* ---- rights ---- */

/* Each test names what a role must have and what it must never have: the whole list stands in
 * mailctl/grants.c once. */
static void assert_rights(enum db_role role, const char *const *needed, const char *const *never)
{
	GHashTable *wanted = grants_wanted(role, "a`b");

	for (; *needed != NULL; needed++)
		if (!g_hash_table_contains(wanted, *needed))
			fail_msg("%s lacks: %s", role_name(role), *needed);
	for (; *never != NULL; never++)
		if (g_hash_table_contains(wanted, *never))
			fail_msg("%s may: %s", role_name(role), *never);
	g_hash_table_unref(wanted);
}

static void assert_only_selects(enum db_role role)
{
	GHashTable *wanted = grants_wanted(role, "a`b");
	GHashTableIter iter;
	void *grant;

	g_hash_table_iter_init(&iter, wanted);
	while (g_hash_table_iter_next(&iter, &grant, NULL))
		if (!g_str_has_prefix(grant, "SELECT ON "))
			fail_msg("%s may: %s", role_name(role), (const char *)grant);
	g_hash_table_unref(wanted);
}

static void readers_may_only_select(void **state)
{
	(void)state;
	assert_only_selects(ROLE_POSTFIX);
	assert_only_selects(ROLE_WEB);
	assert_rights(ROLE_POSTFIX, (const char *[]){"SELECT ON `a``b`.`recipients`", NULL},
		      (const char *[]){"SELECT ON `a``b`.`messages`",
				       "SELECT ON `a``b`.`addresses`", NULL});
	assert_rights(ROLE_WEB,
		      (const char *[]){"SELECT ON `a``b`.`messages`",
				       "SELECT ON `a``b`.`attachments`", "SELECT ON `a``b`.`blobs`",
				       "SELECT ON `a``b`.`outbound`",
				       "SELECT ON `a``b`.`message_states`",
				       "SELECT ON `a``b`.`tickets`", NULL},
		      (const char *[]){"SELECT ON `a``b`.`thread_tokens`",
				       "SELECT ON `a``b`.`registered_tokens`",
				       "SELECT ON `a``b`.`addresses`", NULL});
}

static void the_worker_may_not_change_or_delete_mail(void **state)
{
	(void)state;
	assert_rights(ROLE_INGEST,
		      (const char *[]){"INSERT ON `a``b`.`attachments`", "INSERT ON `a``b`.`blobs`",
				       "INSERT ON `a``b`.`messages`", "SELECT ON `a``b`.`messages`",
				       "DELETE ON `a``b`.`inbound_pending`", NULL},
		      (const char *[]){"UPDATE ON `a``b`.`messages`", "DELETE ON `a``b`.`messages`",
				       "UPDATE ON `a``b`.`blobs`", "DELETE ON `a``b`.`blobs`",
				       "UPDATE ON `a``b`.`attachments`",
				       "DELETE ON `a``b`.`attachments`",
				       "INSERT ON `a``b`.`thread_tokens`",
				       "DELETE ON `a``b`.`tickets`", NULL});
	assert_rights(ROLE_MAILOUT,
		      (const char *[]){"INSERT ON `a``b`.`outbound`", "UPDATE ON `a``b`.`outbound`",
				       "SELECT ON `a``b`.`attachments`", "SELECT ON `a``b`.`blobs`",
				       "INSERT ON `a``b`.`thread_tokens`", NULL},
		      (const char *[]){"DELETE ON `a``b`.`outbound`", "SELECT ON `a``b`.`messages`",
				       "INSERT ON `a``b`.`blobs`", "INSERT ON `a``b`.`threads`",
				       NULL});
}

static void rights_for_the_whole_server_are_known(void **state)
{
	(void)state;
	assert_true(grant_is_global("PROCESS ON *.*"));
	assert_false(grant_is_global("SELECT ON `a`.*"));
}

static void users_are_those_of_the_config(void **state)
{
	(void)state;
	struct config *config = config_default();

	assert_string_equal(role_user(ROLE_INGEST, config)->name, "mailpipe-ingest");
	assert_string_equal(role_user(ROLE_MAILOUT, config)->name, "mailpipe-mailout");
	assert_string_equal(role_user(ROLE_WEB, config)->name, "mailpipe-web");
	assert_string_equal(role_user(ROLE_POSTFIX, config)->name, "mailpipe-postfix");
	assert_string_equal(amqp_role_user(AMQP_PUBLISH, config)->name, "mailpipe-publish");
	assert_string_equal(amqp_role_user(AMQP_CONSUME, config)->name, "mailpipe-consume");
	assert_string_equal(amqp_role_user(AMQP_SETUP, config)->name, "mailpipe-setup");
	config_free(&config);
}

/* ---- addresses ---- */

static struct config *config_of(const char *text)
{
	g_autofree char *file = g_strdup_printf("/tmp/mailctl_test-%d.conf", (int)getpid());
	struct reason reason = {0};

	assert_true(g_file_set_contents(file, text, -1, NULL));
	struct config *config = config_load(file, &reason);

	unlink(file);
	if (config == NULL)
		fail_msg("%s", reason.text);
	return config;
}

static void addresses_are_those_of_the_routes(void **state)
{
	(void)state;
	static const char *const expected[] = {
		"exact help@example.com support",
		"exact grüße@bücher.example support",
		"exact grüsse@bücher.example support",
		"exact grüße@xn--bcher-kva.example support",
		"exact grüsse@xn--bcher-kva.example support",
		"wildcard *@in_box.example inbox",
		"wildcard photo-*@xn--bcher-kva.example inbox",
		"wildcard photo-*@bücher.example inbox",
		"regex /^Order-[0-9]+@/ orders",
	};
	struct config *config = config_of("[route support]\n"
					  "recipients = Help@Example.COM, GRÜSSE@x.example\n"
					  "[route inbox]\n"
					  "recipients = *@in_box.example, help@example.com\n"
					  "\tPhoto-*@xn--bcher-kva.example\n"
					  "[route orders]\n"
					  "recipients = /^Order-[0-9]+@/\n");

	g_free(config->routes[0].recipients[1]);
	config->routes[0].recipients[1] = g_strdup("Grüße@Bücher.example");
	GPtrArray *wanted = addresses_wanted(config);

	for (size_t i = 0; i < wanted->len; i++) {
		const struct address *address = wanted->pdata[i];
		g_autofree char *text = g_strdup_printf("%s %s %s", address->match_type,
							address->pattern, address->route);

		assert_true(i < G_N_ELEMENTS(expected));
		assert_string_equal(text, expected[i]);
	}
	assert_int_equal(wanted->len, G_N_ELEMENTS(expected));
	g_ptr_array_unref(wanted);
	config_free(&config);
}

/* ---- sizes ---- */

static void documents_grow_by_base64_and_raw(void **state)
{
	(void)state;
	struct config *config = config_of("[limits]\nmessage_size = 30M\nbody_bytes = 1M\n"
					  "header_bytes = 64K\n[route a]\nrecipients = a@b.c\n");
	int64_t mib = INT64_C(1024) * 1024;

	assert_int_equal(check_largest_value(config), 30 * mib);
	assert_int_equal(check_largest_document(config), 43 * mib + INT64_C(128) * 1024);
	config->routes[0].raw = CONFIG_RAW_YES;
	assert_int_equal(check_largest_document(config), 83 * mib + INT64_C(128) * 1024);
	config_free(&config);
}

/* ---- other programs ---- */

static void program_gets_its_input_and_gives_its_output(void **state)
{
	(void)state;
	const char *argv[] = {"sh", "-c", "cat; echo wrong >&2; exit 3", NULL};
	struct run_result result;
	struct reason reason = {0};

	assert_int_equal(run_program(argv, "secret\n", &result, &reason), OUTCOME_OK);
	assert_int_equal(result.status, 3);
	assert_string_equal(result.output, "secret");
	assert_string_equal(result.errors, "wrong");
	run_result_clear(&result);
}

static void program_that_is_not_there_is_named(void **state)
{
	(void)state;
	const char *argv[] = {"/nowhere/rabbitmqctl", NULL};
	struct run_result result;

	assert_int_equal(run_program(argv, NULL, &result, NULL), OUTCOME_OK);
	assert_int_equal(result.status, 127);
	assert_string_equal(result.errors, "/nowhere/rabbitmqctl: No such file or directory");
	run_result_clear(&result);
}

static void program_that_was_killed_has_the_shell_s_status(void **state)
{
	(void)state;
	const char *argv[] = {"sh", "-c", "kill -9 $$", NULL};
	struct run_result result;

	assert_int_equal(run_program(argv, NULL, &result, NULL), OUTCOME_OK);
	assert_int_equal(result.status, 128 + 9);
	run_result_clear(&result);
}

static void printed_commands_are_quoted_and_hold_no_password(void **state)
{
	(void)state;
	struct config *config = config_of("[amqp]\nvhost = my host\npublish_user = o'neill\n"
					  "publish_password_file = /etc/a b\n"
					  "[route a]\nrecipients = a@b.c\n");
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	rabbitmqctl_print(config, out);
	fclose(out);
	assert_string_equal(text, "rabbitmqctl add_vhost 'my host'\n"
				  "head -n 1 '/etc/a b' | rabbitmqctl add_user 'o'\\''neill'\n"
				  "rabbitmqctl set_permissions -p 'my host' 'o'\\''neill' "
				  "'^$' '^mail\\.in$' '^$'\n"
				  "# mailpipe-consume: amqp.consume_password_file is not set\n"
				  "# mailpipe-mailout: amqp.mailout_password_file is not set\n"
				  "# mailpipe-application: amqp.application_password_file is not "
				  "set\n"
				  "# mailpipe-setup: amqp.setup_password_file is not set\n");
	free(text);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(migration_is_split_at_semicolons_that_end_a_line),
		cmocka_unit_test(migrations_are_numbered_from_1_without_gaps),
		cmocka_unit_test(migrations_repeat),
		cmocka_unit_test(tables_say_engine_and_charset),
		cmocka_unit_test(readers_may_only_select),
		cmocka_unit_test(the_worker_may_not_change_or_delete_mail),
		cmocka_unit_test(rights_for_the_whole_server_are_known),
		cmocka_unit_test(users_are_those_of_the_config),
		cmocka_unit_test(addresses_are_those_of_the_routes),
		cmocka_unit_test(documents_grow_by_base64_and_raw),
		cmocka_unit_test(program_gets_its_input_and_gives_its_output),
		cmocka_unit_test(program_that_is_not_there_is_named),
		cmocka_unit_test(program_that_was_killed_has_the_shell_s_status),
		cmocka_unit_test(printed_commands_are_quoted_and_hold_no_password),
	};

	return cmocka_run_group_tests_name("mailctl", tests, NULL, NULL);
}
