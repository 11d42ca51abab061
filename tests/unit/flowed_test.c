#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>
#include <time.h>

#include "mailin/parse/flowed.h"

static void check(const char *text, const char *expected)
{
	g_autofree char *joined = flowed_join(text, strlen(text), false);

	assert_string_equal(joined, expected);
}

static void check_delsp(const char *text, const char *expected)
{
	g_autofree char *joined = flowed_join(text, strlen(text), true);

	assert_string_equal(joined, expected);
}

static void flowed_lines_are_joined(void **state)
{
	(void)state;
	check("one \r\ntwo \r\nthree\r\n\r\nfour\r\n", "one two three\n\nfour\n");
	check("one \ntwo\n", "one two\n");
	check("fixed\nlines\n", "fixed\nlines\n");
	check("no end", "no end");
	check("flowed at the end ", "flowed at the end \n");
	check("", "");
	check("\r\n", "\n");
}

static void delsp_deletes_the_space(void **state)
{
	(void)state;
	check_delsp("写真を \r\n送ります\r\n", "写真を送ります\n");
	check_delsp("a  \nb\n", "a b\n");
}

static void stuffing_is_undone(void **state)
{
	(void)state;
	check(" From here\n", "From here\n");
	check("  indented\n", " indented\n");
	check(" >no quote\n", ">no quote\n");
	check(" \n", "\n");
}

static void quotes_keep_their_depth(void **state)
{
	(void)state;
	check("> one \n> two\n", "> one two\n");
	check(">> deep \n>> deeper\n> back\nme\n", ">> deep deeper\n> back\nme\n");
	check(">stuffed not\n", "> stuffed not\n");
	check(">\n>> x\n", ">\n>> x\n");
}

static void change_of_depth_ends_a_paragraph(void **state)
{
	(void)state;
	check("> flowed wrongly \nmine\n", "> flowed wrongly \nmine\n");
	check("mine \n> theirs\n", "mine \n> theirs\n");
}

static void signature_separator_is_never_joined(void **state)
{
	(void)state;
	check("text \n-- \nName \nPlace\n", "text \n-- \nName Place\n");
	check_delsp("text\n-- \nName\n", "text\n-- \nName\n");
	check("> -- \n> Name\n", "> -- \n> Name\n");
}

static void deep_quotes_are_linear(void **state)
{
	enum { LINES = 2000000 };
	(void)state;
	g_autoptr(GString) text = g_string_new(NULL);

	for (int i = 0; i < LINES; i++)
		g_string_append(text, i % 2 == 0 ? ">>> x \n" : "> y \n");
	clock_t start = clock();
	g_autofree char *joined = flowed_join(text->str, text->len, false);
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
	assert_int_equal(strlen(joined), text->len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flowed_lines_are_joined),
		cmocka_unit_test(delsp_deletes_the_space),
		cmocka_unit_test(stuffing_is_undone),
		cmocka_unit_test(quotes_keep_their_depth),
		cmocka_unit_test(change_of_depth_ends_a_paragraph),
		cmocka_unit_test(signature_separator_is_never_joined),
		cmocka_unit_test(deep_quotes_are_linear),
	};
	return cmocka_run_group_tests_name("flowed", tests, NULL, NULL);
}
