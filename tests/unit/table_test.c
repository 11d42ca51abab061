/* mailctl/table.h: widths, cutting, colours, escapes; on a terminal and elsewhere. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailctl/table.h"

static const struct table_column columns[] = {
	{"ROUTE", TABLE_LEFT, 0},
	{"WAITING", TABLE_RIGHT, 0},
	{"REASON", TABLE_LEFT, 6},
};

static const struct terminal plain = {0};
static const struct terminal narrow = {.is_terminal = true, .width = 30, .height = 24};
static const struct terminal coloured = {
	.is_terminal = true, .colour = true, .width = 80, .height = 24};

struct sheet {
	struct table *table;
	char *text;
	size_t size;
	FILE *out;
};

static void begin(struct sheet *sheet, const struct terminal *terminal)
{
	*sheet = (struct sheet){0};
	sheet->out = open_memstream(&sheet->text, &sheet->size);
	sheet->table = table_new(columns, G_N_ELEMENTS(columns), sheet->out, terminal);
}

static void row(struct sheet *sheet, const char *route, int64_t number, const char *reason)
{
	table_cell(sheet->table, TABLE_PLAIN, route);
	table_number(sheet->table, TABLE_BAD, number);
	table_cell(sheet->table, TABLE_PLAIN, reason);
}

static void end(struct sheet *sheet, const char *expected)
{
	table_end(&sheet->table);
	assert_null(sheet->table);
	fclose(sheet->out);
	assert_string_equal(sheet->text, expected);
	free(sheet->text);
}

static void columns_are_as_wide_as_needed(void **state)
{
	struct sheet sheet;

	(void)state;
	begin(&sheet, &plain);
	row(&sheet, "support", 12, "a text that is longer than any terminal in this test is wide");
	row(&sheet, "in", 12345678, NULL);
	end(&sheet,
	    "ROUTE     WAITING  REASON\n"
	    "support        12  a text that is longer than any terminal in this test is wide\n"
	    "in       12345678  -\n");
}

static void a_table_without_rows_has_titles(void **state)
{
	struct sheet sheet;

	(void)state;
	begin(&sheet, &plain);
	end(&sheet, "ROUTE  WAITING  REASON\n");
}

static void a_terminal_cuts_what_may_be_cut(void **state)
{
	struct sheet sheet;

	(void)state;
	begin(&sheet, &narrow);
	row(&sheet, "support", 12, "database is away");
	row(&sheet, "b", 1, "0123456789ab");
	row(&sheet, "b", 1, "0123456789a");
	end(&sheet, "ROUTE    WAITING  REASON\n"
		    "support       12  database is\xe2\x80\xa6\n"
		    "b              1  0123456789ab\n"
		    "b              1  0123456789a\n");
}

static void but_not_below_its_minimum(void **state)
{
	static const struct terminal tiny = {.is_terminal = true, .width = 5};
	struct sheet sheet;

	(void)state;
	begin(&sheet, &tiny);
	row(&sheet, "support", 12, "database is away");
	end(&sheet, "ROUTE    WAITING  REASON\n"
		    "support       12  datab\xe2\x80\xa6\n");
}

static void colours_do_not_count_as_width(void **state)
{
	struct sheet sheet;

	(void)state;
	begin(&sheet, &coloured);
	row(&sheet, "a", 3, "x");
	end(&sheet, "\033[1mROUTE\033[0m  \033[1mWAITING\033[0m  \033[1mREASON\033[0m\n"
		    "a            \033[31m3\033[0m  x\n");
}

static void wide_and_combining_characters(void **state)
{
	struct sheet sheet;

	(void)state;
	begin(&sheet, &narrow);
	row(&sheet, "\xe6\x97\xa5\xe6\x9c\xac", 1, "u\xcc\x88 is one");
	/* The last wide character would need two columns where one is left. */
	row(&sheet, "b", 1,
	    "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5"
	    "\xe6\x9c\xac");
	end(&sheet, "ROUTE  WAITING  REASON\n"
		    "\xe6\x97\xa5\xe6\x9c\xac         1  u\xcc\x88 is one\n"
		    "b            1  \xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5"
		    "\xe6\x9c\xac\xe2\x80\xa6\n");
}

static void what_strangers_write_moves_no_cursor(void **state)
{
	static const struct {
		const char *text;
		const char *shown;
	} CASES[] = {
		{"", ""},
		{"one\ntwo\r\n\tthree", "one\\ntwo\\r\\n\\tthree"},
		{"\033[2J", "\\x1b[2J"},
		{"\x7f", "\\x7f"},
		{"\xc2\x9b"
		 "2J",
		 "\\u{9b}2J"},
		{"caf\xe9", "caf\\xe9"},
		{"\xe2\x80\xaegpj.exe", "\\u{202e}gpj.exe"},
		{"\xe2\x80\xa8", "\\u{2028}"},
		{"Gr\xc3\xbc\xc3\x9f"
		 "e",
		 "Gr\xc3\xbc\xc3\x9f"
		 "e"},
		{"\xe2\x82", "\\xe2\\x82"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *shown = table_escape(CASES[i].text);

		assert_string_equal(shown, CASES[i].shown);
	}
}

static void a_long_table_is_written_in_pieces(void **state)
{
	enum { ROWS = 2000 };
	struct sheet sheet;
	size_t lines = 0;

	(void)state;
	begin(&sheet, &plain);
	for (int i = 0; i < ROWS; i++)
		row(&sheet, "r", i, "x");
	fflush(sheet.out);
	assert_true(sheet.size > 0); /* not all is held */
	table_end(&sheet.table);
	fclose(sheet.out);
	for (const char *p = sheet.text; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, ROWS + 1);
	assert_non_null(strstr(sheet.text, "\nr            0  x\n"));
	assert_non_null(strstr(sheet.text, "\nr         1999  x\n"));
	free(sheet.text);
}

static void a_row_that_is_not_complete_is_filled(void **state)
{
	struct sheet sheet;

	(void)state;
	begin(&sheet, &plain);
	table_cellf(sheet.table, TABLE_PLAIN, "%s-%d", "r", 7);
	end(&sheet, "ROUTE  WAITING  REASON\n"
		    "r-7          -  -\n");
}

static void ages(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} CASES[] = {
		{0, "0ms"},           {999, "999ms"},    {1000, "1s"},       {59999, "59s"},
		{60000, "1m"},        {303000, "5m 3s"}, {7500000, "2h 5m"}, {86400000, "1d"},
		{273600000, "3d 4h"}, {86460000, "1d"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *text = table_age(CASES[i].ms);

		assert_string_equal(text, CASES[i].text);
	}
}

static void times(void **state)
{
	g_autofree char *text = table_time(INT64_C(1795362901123));
	g_autofree char *beyond = table_time(INT64_MAX);

	(void)state;
	assert_string_equal(text, "2026-11-22T15:55:01Z");
	assert_string_equal(beyond, "never");
}

static void a_file_is_no_terminal(void **state)
{
	FILE *file = tmpfile();
	struct terminal terminal = terminal_of(file);

	(void)state;
	assert_false(terminal.is_terminal);
	assert_false(terminal.colour);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_needed),
		cmocka_unit_test(a_table_without_rows_has_titles),
		cmocka_unit_test(a_terminal_cuts_what_may_be_cut),
		cmocka_unit_test(but_not_below_its_minimum),
		cmocka_unit_test(colours_do_not_count_as_width),
		cmocka_unit_test(wide_and_combining_characters),
		cmocka_unit_test(what_strangers_write_moves_no_cursor),
		cmocka_unit_test(a_long_table_is_written_in_pieces),
		cmocka_unit_test(a_row_that_is_not_complete_is_filled),
		cmocka_unit_test(ages),
		cmocka_unit_test(times),
		cmocka_unit_test(a_file_is_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
