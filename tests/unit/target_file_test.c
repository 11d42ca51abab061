/* Targets' SQL files taken apart: parameters, quoting, sections, errors with their lines, bounds.
 */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailin/ingest/inbound.h"
#include "mailin/ingest/target_file.h"

static struct target_file *parse_sized(const char *text, size_t size)
{
	struct reason reason = {.text = ""};
	struct target_file *file = target_file_parse("t.sql", text, size, &reason);

	if (file == NULL)
		fail_msg("%s in: %s", reason.text, text);
	return file;
}

static struct target_file *parse(const char *text)
{
	return parse_sized(text, strlen(text));
}

/* The file has this one statement, which the server gets as `sql`. */
static void becomes(const char *text, const char *sql, size_t parameters)
{
	struct target_file *file = parse(text);

	assert_int_equal(file->statement_count, 1);
	assert_string_equal(file->statements[0].sql, sql);
	assert_int_equal(file->statements[0].parameter_count, parameters);
	target_file_free(&file);
}

static void fails(const char *text, const char *why)
{
	struct reason reason = {.text = ""};
	struct target_file *file = target_file_parse("t.sql", text, strlen(text), &reason);

	if (file != NULL)
		fail_msg("no error in: %s", text);
	assert_string_equal(reason.text, why);
}

static void parameters_become_placeholders(void **state)
{
	(void)state;
	becomes("INSERT INTO t VALUES (:subject, :text,:route);", "INSERT INTO t VALUES (?, ?,?)",
		3);
	becomes("INSERT INTO t VALUES (:route, :route);", "INSERT INTO t VALUES (?, ?)", 2);
	becomes("DELETE FROM t WHERE a=:route;", "DELETE FROM t WHERE a=?", 1);
	becomes("DELETE FROM t WHERE a=:route\n\t;", "DELETE FROM t WHERE a=?\n\t", 1);
	becomes("DELETE FROM `größe` WHERE ä=:route;", "DELETE FROM `größe` WHERE ä=?", 1);
}

static void quotes_and_comments_are_left_alone(void **state)
{
	static const char *const untouched[] = {
		"SELECT ':route ?'",
		"SELECT 'it''s :route ?'",
		"SELECT 'it\\'s :route ?'",
		"SELECT '\\\\', ':route'",
		"SELECT \":route 'x ?\"",
		"SELECT \"a\"\":route\\\":route\"",
		"SELECT `:route`` ?` FROM `a\\`",
		"SELECT 1 -- :route ' ? ;\n",
		"SELECT 1 --\t:route\n",
		"SELECT 1 --\n + 1",
		"SELECT 1 # :route ' ? ;\n",
		"SELECT 1 /* :route ' ? ;\n */ + 1",
		"SELECT 1 /**/ + 1",
		"SELECT 5--3",
		"SELECT a::text, b::route",
		"SELECT @a:=1, @route:=2",
		"SELECT 'a;\nb;\r\nc;'",
		"SELECT `a;\nb`",
		"SELECT 1 : 2",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(untouched); i++) {
		g_autofree char *text = g_strdup_printf("%s;\n", untouched[i]);

		becomes(text, untouched[i], 0);
	}
	becomes("SELECT '\\\\' , :route;", "SELECT '\\\\' , ?", 1);
	becomes("SELECT 'a' ':text' , :route;", "SELECT 'a' ':text' , ?", 1);
	becomes("SELECT 1--:route;", "SELECT 1--?", 1);
}

static void statements_end_at_line_ends(void **state)
{
	static const char text[] = "\xEF\xBB\xBF-- a comment; with :nonsense\r\n"
				   "\r\n"
				   "INSERT INTO a VALUES (:route); -- the first\r\n"
				   "# another\r\n"
				   "INSERT INTO b\r\n"
				   "VALUES (';\r\n', :text) ; \t\r\n"
				   "/* and\r\n"
				   " the */ UPDATE c SET d = :subject\r\n"
				   ";";
	struct target_file *file;

	(void)state;
	file = parse(text);
	assert_int_equal(file->statement_count, 3);
	assert_string_equal(file->statements[0].sql, "INSERT INTO a VALUES (?)");
	assert_string_equal(file->statements[1].sql, "INSERT INTO b\r\nVALUES (';\r\n', ?) ");
	assert_string_equal(file->statements[2].sql, "UPDATE c SET d = ?\r\n");
	assert_int_equal(file->statements[0].line, 3);
	assert_int_equal(file->statements[1].line, 5);
	assert_int_equal(file->statements[2].line, 9);
	g_autofree char *place = target_file_place(file, &file->statements[2]);

	assert_string_equal(place, "t.sql:9");
	target_file_free(&file);
	fails("DO 1; DO 2;\n", "t.sql:1: text behind ';'");
	fails("DO 1;;\n", "t.sql:1: text behind ';'");
	fails("DO 1;\n;\n", "t.sql:2: ';' without a statement");
	fails("DO 1;\nINSERT INTO t\nVALUES (1)\n", "t.sql:2: the statement does not end with ';'");
	fails("DO 1;\nINSERT INTO t\nVALUES ('a;\n", "t.sql:3: ' does not end");
	fails("DO 1 /* x;\n", "t.sql:1: /* does not end");
	fails("DO \"\\\"", "t.sql:1: \" does not end");
	fails("DO `a\\", "t.sql:1: ` does not end");
}

static void sections_and_conditions(void **state)
{
	static const char text[] = "DO 1;\n"
				   "-- mailpipe: attachment where image\n"
				   "DO :attachment_name;\n"
				   "DO 2;\n"
				   "--  mailpipe: is only a comment\n"
				   "-- mailpipe:   attachment\twhere not image \r\n"
				   "DO 3;\n"
				   "-- mailpipe: message\n"
				   "DO 4;\n";
	static const bool per_attachment[] = {false, true, true, true, false};
	static const bool conditional[] = {false, true, true, true, false};
	struct target_file *file;

	(void)state;
	file = parse(text);
	assert_int_equal(file->statement_count, G_N_ELEMENTS(per_attachment));
	for (size_t i = 0; i < file->statement_count; i++) {
		const struct target_section *section = &file->sections[file->statements[i].section];

		assert_int_equal(section->per_attachment, per_attachment[i]);
		assert_int_equal(section->flag != NULL, conditional[i]);
		assert_int_equal(section->negated, i == 3);
	}
	assert_int_equal(file->statements[1].section, file->statements[2].section);
	assert_int_not_equal(file->statements[2].section, file->statements[3].section);
	target_file_free(&file);
	file = parse("-- mailpipe: nothing\n");
	assert_int_equal(file->statement_count, 0);
	target_file_free(&file);
	fails("", "t.sql:1: no statement, and no \"-- mailpipe: nothing\"");
	fails("-- mailpipe: nothing\nDO 1;\n", "t.sql:3: statements and \"-- mailpipe: nothing\"");
	fails("-- mailpipe: attachments\n",
	      "t.sql:1: \"attachments\" is neither message, attachment nor nothing");
	fails("-- mailpipe:\n", "t.sql:1: \"\" is neither message, attachment nor nothing");
	fails("-- mailpipe: message image\n", "t.sql:1: \"image\" instead of where");
	fails("-- mailpipe: message where image\n",
	      "t.sql:1: where image: is only for attachments");
	fails("-- mailpipe: attachment where\n", "t.sql:1: where takes [not] and one name");
	fails("-- mailpipe: attachment where image big\n",
	      "t.sql:1: where takes [not] and one name");
	fails("-- mailpipe: attachment where subject\n",
	      "t.sql:1: where subject: there is no such condition");
	fails("-- mailpipe: message\nDO 1\n-- mailpipe: attachment\n;\n",
	      "t.sql:3: the statement that begins in line 2 is not ended");
}

static void what_is_refused(void **state)
{
	(void)state;
	fails("DO 1;\nINSERT INTO t\nVALUES (:subject,\n:Subject);\n",
	      "t.sql:4: unknown parameter :Subject");
	fails("DO :subject_;\n", "t.sql:1: unknown parameter :subject_");
	fails("DO :attachment_name;\n",
	      "t.sql:1: :attachment_name is only for sections of attachments");
	fails("DO ?;\n", "t.sql:1: a bare '?': parameters have names");
	fails("DO 1;\nCOMMIT;\n", "t.sql:2: \"COMMIT\" begins no statement of a target: INSERT, "
				  "REPLACE, UPDATE, DELETE, SELECT, DO or WITH does");
	static const char *const others[] = {
		"BEGIN",
		"START TRANSACTION",
		"ROLLBACK",
		"SET autocommit = 1",
		"CREATE TABLE x (y INT)",
		"TRUNCATE x",
		"CALL x()",
		"PREPARE x FROM y",
		"LOCK TABLES x WRITE",
		"(SELECT 1)",
		":subject",
		"'x'",
		"`x`",
		"INSERTS",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autofree char *text = g_strdup_printf("%s;\n", others[i]);
		struct reason reason;

		assert_null(target_file_parse("t.sql", text, strlen(text), &reason));
		assert_non_null(strstr(reason.text, "begins no statement of a target"));
	}
	fails("DO 1 /*! + 1 */;\n", "t.sql:1: a comment that servers execute");
	fails("DO 1 /*M!100000 + 1 */;\n", "t.sql:1: a comment that servers execute");
	fails("DO 1;\n-- \xff\n", "t.sql:2: no valid UTF-8");
	struct reason reason;

	assert_null(target_file_parse("t.sql", "DO 1;\n\0", sizeof("DO 1;\n\0") - 1, &reason));
	assert_string_equal(reason.text, "t.sql:2: no valid UTF-8");
}

/* `count` times `piece` between head and tail. */
static char *repeated(const char *head, const char *piece, size_t count, const char *tail)
{
	GString *text = g_string_new(head);

	for (size_t i = 0; i < count; i++)
		g_string_append(text, piece);
	return g_string_free(g_string_append(text, tail), FALSE);
}

static void bounds(void **state)
{
	(void)state;
	g_autofree char *statements = repeated("", "DO 1;\n", TARGET_STATEMENTS_MAX, "");
	g_autofree char *too_many = repeated("", "DO 1;\n", TARGET_STATEMENTS_MAX + 1, "");
	g_autofree char *parameters =
		repeated("DO 0", "+:route", TARGET_PARAMETERS_MAX, ";\nDO :route;\n");
	g_autofree char *one_more = repeated("DO 0", "+:route", TARGET_PARAMETERS_MAX + 1, ";\n");
	g_autofree char *bytes = repeated("DO 1;\n", "\n", TARGET_FILE_MAX - 6, "");
	g_autofree char *one_byte_more = repeated("DO 1;\n", "\n", TARGET_FILE_MAX - 5, "");
	struct target_file *file = parse(statements);

	assert_int_equal(file->statement_count, TARGET_STATEMENTS_MAX);
	target_file_free(&file);
	fails(too_many, "t.sql:65: more than 64 statements");
	file = parse(parameters);
	assert_int_equal(file->statements[0].parameter_count, TARGET_PARAMETERS_MAX);
	target_file_free(&file);
	fails(one_more, "t.sql:1: more than 250 parameters in one statement");
	assert_int_equal(strlen(bytes), TARGET_FILE_MAX);
	file = parse(bytes);
	target_file_free(&file);
	fails(one_byte_more, "t.sql:1: more than 262144 bytes");
	/* What is nested or quoted without end takes no more than its bytes. */
	g_autofree char *nested = repeated("SELECT ", "(", TARGET_FILE_MAX - 16, ";\n");

	file = parse(nested);
	target_file_free(&file);
}

static void rows_have_head_row_and_tail(void **state)
{
	static const char text[] =
		"INSERT INTO `a b`.t (x, `y`) -- why\n"
		"VALUES (:subject, LOWER(CONCAT(:text, ')', 1.5e3, NULL))), (:route, DEFAULT)\n"
		"ON DUPLICATE KEY UPDATE x = VALUES(x), y = GREATEST(y, VALUES(y));\n";
	struct target_file *file;

	(void)state;
	file = parse(text);
	const struct target_rows *rows = &file->statements[0].rows;

	assert_string_equal(rows->head, "INSERT INTO `a b`.t (x, `y`) -- why\nVALUES ");
	assert_string_equal(rows->row, "(?, LOWER(CONCAT(?, ')', 1.5e3, NULL))), (?, DEFAULT)\n");
	assert_string_equal(rows->tail,
			    " ON DUPLICATE KEY UPDATE x = VALUES(x), y = GREATEST(y, VALUES(y))");
	assert_string_equal(rows->table, "t");
	target_file_free(&file);
	file = parse("REPLACE INTO a . `b c` VALUES (:subject);");
	assert_string_equal(file->statements[0].rows.table, "b c");
	target_file_free(&file);
	file = parse("insert into t value (:subject);");
	assert_string_equal(file->statements[0].rows.row, "(?)");
	assert_string_equal(file->statements[0].rows.tail, " ");
	target_file_free(&file);
}

static void what_must_run_by_itself(void **state)
{
	static const char *const alone[] = {
		"UPDATE t SET a = :subject;",
		"INSERT INTO t SELECT :subject;",
		"INSERT INTO t SET a = :subject;",
		"INSERT INTO t VALUES (:subject) RETURNING a;",
		"INSERT INTO t VALUES ((SELECT MAX(a) FROM t));",
		"INSERT INTO t VALUES (own_function(:subject));",
		"INSERT INTO t VALUES (UUID());",
		"INSERT INTO t VALUES (RAND());",
		"INSERT INTO t VALUES (a + 1);",
		"INSERT INTO t VALUES (`a`);",
		"INSERT INTO t VALUES (:subject) ON DUPLICATE KEY UPDATE a = :subject;",
		"INSERT INTO t VALUES (:subject) ON DUPLICATE KEY UPDATE a = (SELECT 1);",
		"INSERT INTO t VALUES (:subject) ON DUPLICATE KEY UPDATE a = own(b);",
		"INSERT INTO t VALUES (:subject) ON DUPLICATE KEY UPDATE a = `own` (b);",
		"INSERT INTO t VALUES (:subject) ON DUPLICATE KEY UPDATE a = x.`own`(b);",
		"INSERT INTO t VALUES (:subject), ;",
		"INSERT INTO t VALUES (:subject;",
		"INSERT INTO t VALUES (:subject) (:subject);",
		"INSERT INTO VALUES (:subject);",
		"INSERT INTO t (a b) VALUES (:subject);",
		"INSERT INTO t VALUES;",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(alone); i++) {
		struct target_file *file = parse(alone[i]);

		if (file->statements[0].rows.head != NULL)
			fail_msg("written as rows: %s", alone[i]);
		target_file_free(&file);
	}
}

static void one_variable_and_all_run_by_themselves(void **state)
{
	static const char *const looks_back[] = {
		"DO @a := 1;",
		"SELECT 1 INTO @a;",
		"INSERT INTO u VALUES (last_insert_id());",
		"UPDATE u SET a = ROW_COUNT();",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(looks_back); i++) {
		g_autofree char *text =
			g_strdup_printf("INSERT INTO t VALUES (:subject);\n%s\n", looks_back[i]);
		struct target_file *file = parse(text);

		assert_null(file->statements[0].rows.head);
		target_file_free(&file);
	}
	struct target_file *file = parse("INSERT INTO t VALUES ('@a LAST_INSERT_ID()');");

	assert_non_null(file->statements[0].rows.head);
	target_file_free(&file);
}

static void add_name(const char *name, void *context)
{
	g_ptr_array_add(context, g_strdup(name));
}

static void the_manual_has_all_parameters_in_order(void **state)
{
	g_autofree char *manual = NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	(void)state;
	assert_true(g_file_get_contents("man/mailpipe-targets.7", &manual, NULL, NULL));
	const char *at = strstr(manual, ".Sh PARAMETERS");

	assert_non_null(at);
	target_parameter_each(add_name, names);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *item = g_strdup_printf("\n.It Ic :%s\n", (char *)names->pdata[i]);

		at = strstr(at, item);
		if (at == NULL)
			fail_msg("the manual lacks, or has in another place:%s", item);
		const struct target_parameter *parameter =
			target_parameter_find(names->pdata[i], strlen(names->pdata[i]));

		assert_non_null(parameter);
	}
}

static struct db_value value_of(const char *name, const struct inbound *message)
{
	return target_parameter_value(target_parameter_find(name, strlen(name)), message, 1);
}

static void values_of_a_message(void **state)
{
	static const size_t huge = (size_t)5 << 30;
	struct inbound_attachment attachments[2] = {0};
	struct inbound message = {.attachments = attachments, .attachment_count = 2, .size = -1};

	(void)state;
	message.subject = (struct inbound_text){"", 0};
	assert_int_equal(value_of("subject", &message).type, DB_TEXT);
	assert_int_equal(value_of("from_name", &message).type, DB_NULL);
	assert_int_equal(value_of("from_email", &message).type, DB_TEXT);
	assert_int_equal(value_of("size", &message).type, DB_NULL);
	assert_int_equal(value_of("date_utc", &message).type, DB_NULL);
	assert_string_equal(value_of("auto", &message).data, "no");
	message.automatic = (struct inbound_text){"bounce", strlen("bounce")};
	assert_string_equal(value_of("auto", &message).data, "bounce");
	message.size = INT64_C(1) << 40;
	assert_int_equal(value_of("size", &message).number, INT64_C(1) << 40);
	assert_int_equal(value_of("message_id", &message).size, sizeof(struct id));
	assert_ptr_equal(value_of("attachment_id", &message).data, &attachments[1].id);
	attachments[1].blob.size = huge;
	attachments[1].position = 7;
	assert_int_equal(value_of("attachment_size", &message).number, huge);
	assert_int_equal(value_of("attachment_position", &message).number, 7);
	assert_int_equal(value_of("image", &message).number, 0);
	assert_int_equal(value_of("image_width", &message).type, DB_NULL);
	attachments[1].image_width = 3;
	assert_int_equal(value_of("image", &message).number, 1);
	assert_int_equal(value_of("image_width", &message).number, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_become_placeholders),
		cmocka_unit_test(quotes_and_comments_are_left_alone),
		cmocka_unit_test(statements_end_at_line_ends),
		cmocka_unit_test(sections_and_conditions),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(bounds),
		cmocka_unit_test(rows_have_head_row_and_tail),
		cmocka_unit_test(what_must_run_by_itself),
		cmocka_unit_test(one_variable_and_all_run_by_themselves),
		cmocka_unit_test(the_manual_has_all_parameters_in_order),
		cmocka_unit_test(values_of_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
