/* Header fields: folded, encoded, nothing lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <gmime/gmime.h>
#include <string.h>

#include "mailin/parse/address.h"
#include "mailin/parse/encoded_word.h"
#include "mailout/header.h"

enum { FOLD_AT = 78, ENCODED_MAX = 75 };

static void unstructured(const char *text, const char *wanted)
{
	g_autoptr(GString) out = g_string_new(NULL);

	header_unstructured(out, "Subject", text);
	assert_string_equal(out->str, wanted);
}

static void words(const char *text, const char *wanted)
{
	g_autoptr(GString) out = g_string_new(NULL);

	header_words(out, "X-A", text);
	assert_string_equal(out->str, wanted);
}

static void mailbox(const char *name, const char *wanted)
{
	g_autoptr(GString) out = g_string_new(NULL);
	const struct header_mailbox one = {name, "a@x.example"};

	header_mailboxes(out, "From", &one, 1);
	assert_string_equal(out->str, wanted);
}

static void lines_are_lines(void **state)
{
	(void)state;
	assert_true(header_is_line(""));
	assert_true(header_is_line("a \u00fc \U0001f389"));
	assert_false(header_is_line("a\nb"));
	assert_false(header_is_line("a\rb"));
	assert_false(header_is_line("a\tb"));
	assert_false(header_is_line("a\x7f"));
	assert_false(header_is_line("a\xc2\x85"));
	assert_true(header_is_line("a\xc2\xa0"));
	assert_false(header_is_line("a\xff"));
	assert_false(header_is_line("a\xc2"));
}

static void plain_text_stays_plain(void **state)
{
	(void)state;
	unstructured("", "Subject: \r\n");
	unstructured("Hello: <you> & \"me\"", "Subject: Hello: <you> & \"me\"\r\n");
	unstructured("two  blanks", "Subject: two  blanks\r\n");
	unstructured(
		"The quick brown fox jumps over the lazy dog and then the lazy dog sleeps  until "
		"noon",
		"Subject: The quick brown fox jumps over the lazy dog and then the lazy dog\r\n"
		" sleeps  until noon\r\n");
}

static void the_rest_is_encoded(void **state)
{
	(void)state;
	unstructured("Viele Gr\u00fc\u00dfe aus Berlin",
		     "Subject: =?UTF-8?Q?Viele_Gr=C3=BC=C3=9Fe_aus_Berlin?=\r\n");
	unstructured("\u65e5\u672c\u8a9e", "Subject: =?UTF-8?B?5pel5pys6Kqe?=\r\n");
	unstructured("=?utf-8?q?x?=", "Subject: =?UTF-8?B?PT91dGYtOD9xP3g/PQ==?=\r\n");
	unstructured(" a ", "Subject: =?UTF-8?Q?_a_?=\r\n");
	words("\u00fc", "X-A: =?UTF-8?B?w7w=?=\r\n");
	words("=?utf-8?q?x?=", "X-A: =?utf-8?q?x?=\r\n");
}

static void long_words_for_programs_stay_whole(void **state)
{
	g_autofree char *url = g_strnfill(200, 'u');
	g_autofree char *text = g_strdup_printf("a %s b", url);
	g_autofree char *wanted = g_strdup_printf("X-A: a\r\n %s\r\n b\r\n", url);
	g_autofree char *alone = g_strdup_printf("X-A: %s\r\n", url);

	(void)state;
	words(text, wanted);
	words(url, alone);
}

static void names_are_quoted_or_encoded(void **state)
{
	(void)state;
	mailbox("", "From: a@x.example\r\n");
	mailbox("Ann Other", "From: Ann Other <a@x.example>\r\n");
	mailbox("Doe, John", "From: \"Doe, John\" <a@x.example>\r\n");
	mailbox("J. \"Q\" \\ Doe", "From: \"J. \\\"Q\\\" \\\\ Doe\" <a@x.example>\r\n");
	mailbox("<b@y.example>", "From: \"<b@y.example>\" <a@x.example>\r\n");
	mailbox("B\u00e4r, \"x\"", "From: =?UTF-8?B?QsOkciwgIngi?= <a@x.example>\r\n");
}

static void lists_are_folded_between_addresses(void **state)
{
	static const struct header_mailbox all[] = {
		{"Somebody Important", "somebody.important@long.example"},
		{"", "other.person@another.example"},
		{"Third", "third@example.com"},
	};
	g_autoptr(GString) out = g_string_new(NULL);

	(void)state;
	header_mailboxes(out, "To", all, G_N_ELEMENTS(all));
	assert_string_equal(out->str,
			    "To: Somebody Important <somebody.important@long.example>,\r\n"
			    " other.person@another.example, Third <third@example.com>\r\n");
}

static void parameter(const char *value, const char *wanted)
{
	g_autoptr(GString) out = g_string_new(NULL);

	header_parameter(out, "filename", value);
	assert_string_equal(out->str, wanted);
}

static void parameters_by_rfc_2231(void **state)
{
	g_autoptr(GString) out = g_string_new(NULL);

	(void)state;
	parameter("a b.png", ";\r\n\tfilename=\"a b.png\"");
	parameter("a\"b\\.png", ";\r\n\tfilename=\"a\\\"b\\\\.png\"");
	parameter("\u00fc'%.png", ";\r\n\tfilename*=UTF-8''%C3%BC%27%25.png");
	header_parameter_words(out, "name", "\u00fc.png");
	assert_string_equal(out->str, ";\r\n\tname=\"=?UTF-8?B?w7wucG5n?=\"");
}

/* Of every line; and of every encoded word on it. */
static void check_lines(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);

	for (size_t i = 0; lines[i] != NULL; i++) {
		assert_true(strlen(lines[i]) <= FOLD_AT);
		assert_null(strpbrk(lines[i], "\r\n"));
		if (i > 0 && lines[i + 1] != NULL)
			assert_int_equal(lines[i][0], ' ');
		for (const char *p = lines[i]; (p = strstr(p, "=?UTF-8?")) != NULL; p++) {
			const char *end = strstr(p + strlen("=?UTF-8?Q?"), "?=");

			assert_non_null(end);
			assert_true(end + 2 - p <= ENCODED_MAX);
		}
	}
}

static char *random_text(GRand *random, size_t count)
{
	static const gunichar pool[] = {'a',  ' ',    '=',     '?', '_', '"',
					0xFC, 0x65E5, 0x1F389, '.', 'z', ','};
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < count; i++)
		g_string_append_unichar(text,
					pool[g_rand_int_range(random, 0, G_N_ELEMENTS(pool))]);
	return g_string_free(text, FALSE);
}

/* The inbound half decodes what was encoded here. */
static void whatever_goes_in_comes_out(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	struct defects defects = {0};

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		g_autofree char *text = random_text(random, 1 + i % 150);
		g_autoptr(GString) out = g_string_new(NULL);

		header_unstructured(out, "Subject", text);
		check_lines(out->str);
		struct span value = {out->str + strlen("Subject: "),
				     out->len - strlen("Subject: \r\n")};
		g_autofree char *decoded = encoded_word_decode(value, NULL, &defects);

		assert_string_equal(decoded, text);
	}
}

static void names_go_in_and_come_out(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(2);
	struct defects defects = {0};

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		g_autofree char *raw = g_strstrip(random_text(random, 1 + i % 100));
		/* A reader may fold blanks in a name. */
		g_auto(GStrv) words_of_it = g_strsplit(raw, "  ", -1);
		g_autofree char *name = g_strjoinv(" .", words_of_it);
		g_autoptr(GString) out = g_string_new(NULL);
		const struct header_mailbox two[] = {{name, "a@x.example"}, {name, "b@x.example"}};
		struct wire *array = wire_array();

		header_mailboxes(out, "To", two, 2);
		check_lines(out->str);
		address_list((struct span){out->str + strlen("To:"), out->len - strlen("To:\r\n")},
			     NULL, 10, array, &defects);
		assert_int_equal(wire_length(array), 2);
		assert_string_equal(wire_get_text(wire_at(array, 0), "Email"), "a@x.example");
		assert_string_equal(wire_get_text(wire_at(array, 1), "Email"), "b@x.example");
		assert_string_equal(wire_get_text(wire_at(array, 0), "Name"), name);
		assert_string_equal(wire_get_text(wire_at(array, 1), "Name"), name);
		wire_free(&array);
	}
}

static void file_names_go_in_and_come_out(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(3);

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		g_autofree char *name = random_text(random, 1 + i % 80);
		g_autoptr(GString) out = g_string_new("attachment");

		header_parameter(out, "filename", name);
		GMimeContentDisposition *disposition =
			g_mime_content_disposition_parse(NULL, out->str);

		assert_string_equal(
			g_mime_content_disposition_get_parameter(disposition, "filename"), name);
		g_object_unref(disposition);
	}
}

static int setup(void **state)
{
	(void)state;
	g_mime_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_lines),
		cmocka_unit_test(plain_text_stays_plain),
		cmocka_unit_test(the_rest_is_encoded),
		cmocka_unit_test(long_words_for_programs_stay_whole),
		cmocka_unit_test(names_are_quoted_or_encoded),
		cmocka_unit_test(lists_are_folded_between_addresses),
		cmocka_unit_test(parameters_by_rfc_2231),
		cmocka_unit_test(whatever_goes_in_comes_out),
		cmocka_unit_test(names_go_in_and_come_out),
		cmocka_unit_test(file_names_go_in_and_come_out),
	};

	return cmocka_run_group_tests_name("header", tests, setup, NULL);
}
