/* wire: what is written is valid JSON and UTF-8; what is read is checked. */
#include <fcntl.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/wire.h"

static void assert_prints(const struct wire *value, const char *expected)
{
	g_autofree char *text = wire_print(value, false, NULL);

	assert_string_equal(text, expected);
}

static void members_keep_their_order(void **state)
{
	(void)state;
	struct wire *object = wire_object();
	struct wire *array = wire_array();

	wire_set_text(object, "b", "x/y");
	wire_set_int(object, "a", INT64_C(9007199254740993));
	wire_set_bool(object, "c", true);
	wire_set(object, "d", array);
	wire_append_text(array, "e");
	wire_append(array, wire_object());
	wire_set_text(object, "none", NULL);
	assert_prints(object, "{\"b\":\"x/y\",\"a\":9007199254740993,\"c\":true,\"d\":[\"e\",{}]}");
	wire_move_last(object, "b");
	wire_move_last(object, "missing");
	assert_prints(object, "{\"a\":9007199254740993,\"c\":true,\"d\":[\"e\",{}],\"b\":\"x/y\"}");
	wire_free(&object);
	assert_null(object);
}

static void strings_become_valid(void **state)
{
	(void)state;
	struct wire *object = wire_object();

	wire_set_text(object, "a", "x\xffy");
	wire_set_textn(object, "b", "x\0y", 3);
	wire_set_text(object, "c", "\"\\\n\x01\x7f\xe2\x80\xa8");
	assert_prints(object, "{\"a\":\"x\xef\xbf\xbdy\",\"b\":\"x\xef\xbf\xbdy\","
			      "\"c\":\"\\\"\\\\\\n\\u0001\x7f\xe2\x80\xa8\"}");
	wire_free(&object);
}

static void base64_survives_any_length(void **state)
{
	(void)state;
	/* Around the internal chunk of 48 KiB and every padding. */
	const size_t sizes[] = {0, 1, 2, 3, 4, 49151, 49152, 49153, 98304, 98305};
	unsigned char data[98305];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct wire *object = wire_object();
		struct reason reason;
		size_t text_size, size;

		wire_set_base64(object, "x", data, sizes[i]);
		g_autofree char *text = wire_print(object, false, &text_size);
		g_autofree char *expected = g_base64_encode(data, sizes[i]);
		struct wire *read = wire_parse(text, text_size, &reason);

		assert_string_equal(wire_get_text(read, "x"), expected);
		g_autofree unsigned char *back = wire_get_base64(read, "x", &size);

		assert_int_equal(size, sizes[i]);
		assert_memory_equal(back, data, size);
		wire_free(&read);
		wire_free(&object);
	}
}

static void bad_base64_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"A",    "AA",   "AAA",     "A===", "=AAA",
					  "AA=A", "AAA-", "AAAA\\n", " AAA", "AA==AAAA"};
	struct reason reason;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *text = g_strdup_printf("{\"x\":\"%s\"}", bad[i]);
		struct wire *object = wire_parse(text, strlen(text), &reason);
		size_t size;

		assert_non_null(object);
		assert_null(wire_get_base64(object, "x", &size));
		wire_free(&object);
	}
}

static void no_json_is_refused_with_its_place(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",    "x",    "{",    "{\"a\":1",         "{}x",
		"nul", "null", "[1,]", "{\"a\":\"\xff\"}", "\xef\xbb\xbf{}"};
	struct reason reason;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_null(wire_parse(bad[i], strlen(bad[i]), &reason));
		assert_string_equal(reason.status, "5.6.0");
	}
	assert_null(wire_parse("{\"a\":1,}", 8, &reason));
	assert_string_equal(reason.text, "no JSON at byte 7 of 8: unexpected character");
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	struct reason reason;
	char text[2 * (WIRE_DEPTH_MAX + 1) + 1];

	for (int depth = WIRE_DEPTH_MAX; depth <= WIRE_DEPTH_MAX + 1; depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		struct wire *value = wire_parse(text, (size_t)depth * 2, &reason);

		if (depth <= WIRE_DEPTH_MAX)
			assert_non_null(value);
		else
			assert_null(value);
		wire_free(&value);
	}
}

static void getters_check_types(void **state)
{
	(void)state;
	static const char text[] =
		"{\"t\":\"x\",\"i\":5,\"d\":1.5,\"b\":false,\"n\":null,\"a\":[1],\"o\":{}}";
	struct reason reason;
	struct wire *object = wire_parse(text, strlen(text), &reason);
	int64_t number = 0;
	bool boolean = true;

	assert_string_equal(wire_get_text(object, "t"), "x");
	assert_null(wire_get_text(object, "i"));
	assert_null(wire_get_text(object, "missing"));
	assert_true(wire_get_int(object, "i", &number));
	assert_int_equal(number, 5);
	assert_false(wire_get_int(object, "d", &number));
	assert_false(wire_get_int(object, "t", &number));
	assert_true(wire_get_bool(object, "b", &boolean));
	assert_false(boolean);
	assert_false(wire_get_bool(object, "i", &boolean));
	assert_int_equal(wire_length(wire_get_array(object, "a")), 1);
	assert_null(wire_get_array(object, "o"));
	assert_null(wire_get_object(object, "a"));
	assert_int_equal(wire_length(NULL), 0);
	assert_null(wire_at(wire_get_array(object, "a"), 1));
	assert_null(wire_text(wire_at(wire_get_array(object, "a"), 0)));
	assert_string_equal(wire_type_name(wire_get(object, "d")), "number");
	assert_string_equal(wire_type_name(wire_get(object, "missing")), "nothing");
	wire_free(&object);
}

static void a_document_goes_to_a_descriptor(void **state)
{
	(void)state;
	struct wire *object = wire_object();
	int fds[2];
	char text[64] = "";

	wire_set_int(object, "a", 1);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(wire_write(object, fds[1], true), 0);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "{\n  \"a\": 1\n}\n");
	close(fds[0]);
	close(fds[1]);
	int full = open("/dev/full", O_WRONLY);

	assert_int_equal(wire_write(object, full, false), -1);
	close(full);
	wire_free(&object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_keep_their_order),
		cmocka_unit_test(strings_become_valid),
		cmocka_unit_test(base64_survives_any_length),
		cmocka_unit_test(bad_base64_is_refused),
		cmocka_unit_test(no_json_is_refused_with_its_place),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(getters_check_types),
		cmocka_unit_test(a_document_goes_to_a_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
