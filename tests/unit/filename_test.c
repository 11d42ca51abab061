#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>
#include <time.h>

#include "mailin/parse/filename.h"

enum { NAME_MAX_BYTES = 120 };

static void check(const char *name, const char *expected)
{
	g_autofree char *safe = filename_safe(name, NAME_MAX_BYTES);

	if (expected == NULL)
		assert_null(safe);
	else if (safe == NULL)
		fail_msg("%s gave nothing", name);
	else
		assert_string_equal(safe, expected);
}

static void paths_lose_their_folders(void **state)
{
	(void)state;
	check("C:\\Users\\x\\y.jpg", "y.jpg");
	check("../../etc/passwd", "passwd");
	check("a/b\\c.txt", "c.txt");
	check("folder/", "folder");
	check("plain name.pdf", "plain name.pdf");
}

static void nothing_left_is_null(void **state)
{
	(void)state;
	check("", NULL);
	check(".", NULL);
	check("..", NULL);
	check("...", NULL);
	check("/", NULL);
	check("\\//", NULL);
	check(" . ", NULL);
	check("\x01\x02\x7F", NULL);
	check("\u202E\u200B", NULL);
}

static void dots_and_spaces_are_trimmed(void **state)
{
	(void)state;
	check(" .jpg", "jpg");
	check(".htaccess", "htaccess");
	check("x.txt. . ", "x.txt");
	check("  x.txt", "x.txt");
}

static void dangerous_characters_are_replaced(void **state)
{
	(void)state;
	check("a<b>c:d\"e|f?g*h.txt", "a_b_c_d_e_f_g_h.txt");
	check("a\tb\r\nc.txt", "a b  c.txt");
	check("x\u202Egpj.exe", "xgpj.exe");
	check("\uFEFFx\u2028y\xC2\x85z.txt", "xyz.txt");
	check("bad\xFF.txt", "bad\uFFFD.txt");
}

static void spelling_survives(void **state)
{
	(void)state;
	check("e\u0301te\u0301.txt", "\u00E9t\u00E9.txt");
	check("写真.heic", "写真.heic");
	check("می\u200Cخواهم.txt", "می\u200Cخواهم.txt");
}

static void device_names_are_prefixed(void **state)
{
	(void)state;
	check("CON.txt", "_CON.txt");
	check("nul", "_nul");
	check("Com1.tar.gz", "_Com1.tar.gz");
	check("lpt² .txt", "_lpt² .txt");
	check("CONTRACT.txt", "CONTRACT.txt");
	check("COM10.txt", "COM10.txt");
}

static void check_cut(const char *name, size_t max_bytes, const char *expected)
{
	g_autofree char *safe = filename_safe(name, max_bytes);

	if (expected == NULL) {
		assert_null(safe);
		return;
	}
	assert_non_null(safe);
	assert_string_equal(safe, expected);
}

static void long_names_keep_the_extension(void **state)
{
	(void)state;
	check_cut("abcdefghij.jpeg", 15, "abcdefghij.jpeg");
	check_cut("abcdefghijk.jpeg", 15, "abcdefghij.jpeg");
	check_cut("ab cdefg.jpeg", 8, "ab.jpeg");
	check_cut("äöü.txt", 9, "äö.txt");
	check_cut("abcdef.thisisnoextension", 10, "abcdef.thi");
	check_cut("abc.txt", 4, "abc");
	check_cut("abc.txt", 0, NULL);
}

static void cut_keeps_clusters_together(void **state)
{
	(void)state;
	/* x with two accents that have no composed form */
	check_cut("abx\u0323\u0301\u0302z", 5, "ab");
	/* man + joiner + rocket */
	check_cut("ab\U0001F468\u200D\U0001F680cdefgh", 12, "ab");
	check_cut("ab\U0001F44D\U0001F3FDcdefgh", 8, "ab");
}

static void long_combining_runs_are_bounded(void **state)
{
	enum { MARKS = 500000 };
	(void)state;
	g_autoptr(GString) name = g_string_new("x");

	for (int i = 0; i < MARKS; i++)
		g_string_append(name, i % 2 == 0 ? "\u0301" : "\u0323");
	g_string_append(name, ".png");
	clock_t start = clock();
	g_autofree char *safe = filename_safe(name->str, NAME_MAX_BYTES);
	assert_true(clock() - start < CLOCKS_PER_SEC);
	assert_true(strlen(safe) <= NAME_MAX_BYTES);
	assert_true(g_str_has_suffix(safe, ".png"));
	assert_true(g_utf8_validate(safe, -1, NULL));
}

static void check_invented(const char *content_type, const char *expected)
{
	g_autofree char *name = filename_invent(3, content_type);

	assert_string_equal(name, expected);
}

static void invented_names_fit_the_type(void **state)
{
	(void)state;
	check_invented("image/jpeg", "attachment-3.jpg");
	check_invented("IMAGE/HEIC", "attachment-3.heic");
	check_invented("image/avif", "attachment-3.avif");
	check_invented("image/webp", "attachment-3.webp");
	check_invented("message/rfc822", "attachment-3.eml");
	check_invented("text/calendar", "attachment-3.ics");
	check_invented("text/unheard-of", "attachment-3.txt");
	check_invented("application/unheard-of", "attachment-3.bin");
	check_invented(NULL, "attachment-3.bin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lose_their_folders),
		cmocka_unit_test(nothing_left_is_null),
		cmocka_unit_test(dots_and_spaces_are_trimmed),
		cmocka_unit_test(dangerous_characters_are_replaced),
		cmocka_unit_test(spelling_survives),
		cmocka_unit_test(device_names_are_prefixed),
		cmocka_unit_test(long_names_keep_the_extension),
		cmocka_unit_test(cut_keeps_clusters_together),
		cmocka_unit_test(long_combining_runs_are_bounded),
		cmocka_unit_test(invented_names_fit_the_type),
	};
	return cmocka_run_group_tests_name("filename", tests, NULL, NULL);
}
