/* message_id: what a reply may refer to. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/message_id.h"
#include "common/wire.h"

enum { ID_MAX = 800 };

static struct wire *json(const char *text)
{
	return text != NULL ? wire_parse(text, strlen(text), NULL) : NULL;
}

static void references_are(const char *references, const char *in_reply_to, const char *own,
			   const char *expected)
{
	struct wire *chain = json(references);
	struct wire *parents = json(in_reply_to);
	g_autofree char *found = message_id_references(chain, parents, own);

	if (expected == NULL)
		assert_null(found);
	else
		assert_string_equal(found, expected);
	wire_free(&chain);
	wire_free(&parents);
}

/* "1@x", "2@x" ... */
static struct wire *numbers(int count)
{
	struct wire *ids = wire_array();

	for (int i = 1; i <= count; i++) {
		g_autofree char *id = g_strdup_printf("%d@x", i);

		wire_append_text(ids, id);
	}
	return ids;
}

/* An id of that size. */
static char *sized(size_t size, char letter)
{
	char *id = g_strnfill(size, letter);

	id[size - 2] = '@';
	return id;
}

static void the_rule_of_rfc_5322(void **state)
{
	(void)state;
	references_are("[]", "[]", "c@x", "<c@x>");
	references_are("[\"a@x\",\"b@x\"]", "[\"b@x\"]", "c@x", "<a@x> <b@x> <c@x>");
	references_are("[]", "[\"b@x\"]", "c@x", "<b@x> <c@x>");
	references_are("[]", "[\"a@x\",\"b@x\"]", "c@x", "<c@x>");
	references_are("[\"a@x\"]", "[]", NULL, "<a@x>");
	references_are("[\"a@x\",\"b@x\"]", "[]", "", "<a@x> <b@x>");
	references_are("[]", "[]", NULL, NULL);
	references_are(NULL, NULL, NULL, NULL);
	references_are(NULL, NULL, "c@x", "<c@x>");
	references_are("{\"a\":1}", "\"b@x\"", "c@x", "<c@x>");
}

static void none_is_there_twice(void **state)
{
	(void)state;
	references_are("[\"a@x\",\"b@x\",\"a@x\",\"b@x\"]", NULL, "c@x", "<a@x> <b@x> <c@x>");
	references_are("[\"c@x\",\"a@x\",\"b@x\"]", NULL, "c@x", "<a@x> <b@x> <c@x>");
	references_are("[\"a@x\",\"b@x\",\"c@x\"]", NULL, "c@x", "<a@x> <b@x> <c@x>");
	references_are("[\"c@x\"]", "[\"c@x\"]", "c@x", "<c@x>");
}

/* Whatever a stranger wrote, the field is a list of ids. */
static void odd_ones_are_left_out(void **state)
{
	(void)state;
	references_are("[\"\",\"a\",\"@x\",\"a@\",\"a b@x\",\"a\\r\\nBcc: e@x\",\"a>@x\",\"<a@x\","
		       "\"\\u00e4@x\",\"a\\u0000@x\",\"a\\t@x\",\"\\u007f@x\",1,null,[\"n@x\"],"
		       "\"(c)@x\",\"a,;=?@x\"]",
		       NULL, "c@x", "<(c)@x> <a,;=?@x> <c@x>");
	references_are("[\"a b@x\"]", "[\"b@x\"]", "c@x", "<b@x> <c@x>");
	references_are("[\"a@x\"]", NULL, "c@x>\r\nBcc: <e@x", "<a@x>");
	references_are("[]", "[\"a b@x\"]", "c d@x", NULL);
}

static void at_most_the_first_and_the_newest(void **state)
{
	(void)state;
	for (int ancestors = MESSAGE_ID_NEWEST_MAX - 1; ancestors <= MESSAGE_ID_NEWEST_MAX + 1;
	     ancestors++) {
		struct wire *ids = numbers(ancestors);
		g_autofree char *found = message_id_references(ids, NULL, "own@x");
		g_autoptr(GString) expected = g_string_new("<1@x>");

		/* With its own there are so many after the first one. */
		for (int i = MAX(2, ancestors - MESSAGE_ID_NEWEST_MAX + 2); i <= ancestors; i++)
			g_string_append_printf(expected, " <%d@x>", i);
		g_string_append(expected, " <own@x>");
		assert_string_equal(found, expected->str);
		wire_free(&ids);
	}
}

/* With "a", "c", "d" and its own there is room for a "b" of that size. */
static void at_most_so_many_bytes(void **state)
{
	enum { LONG = 798, FRAME = 3, FRAMED = LONG + FRAME }; /* "<" ID "> " */
	const size_t room = MESSAGE_ID_REFERENCES_MAX + 1 - 4 * FRAMED - FRAME;

	(void)state;
	for (size_t size = room; size <= room + 1; size++) {
		g_autofree char *a = sized(LONG, 'a');
		g_autofree char *b = sized(size, 'b');
		g_autofree char *c = sized(LONG, 'c');
		g_autofree char *d = sized(LONG, 'd');
		g_autofree char *own = sized(LONG, 'o');
		g_autofree char *text =
			g_strdup_printf("[\"%s\",\"z@x\",\"%s\",\"%s\",\"%s\"]", a, b, c, d);
		g_autofree char *all = g_strdup_printf("<%s> <%s> <%s> <%s> <%s>", a, b, c, d, own);
		g_autofree char *rest = g_strdup_printf("<%s> <%s> <%s> <%s>", a, c, d, own);

		assert_true(message_id_is_usable(b));
		assert_true(size > room || strlen(all) == MESSAGE_ID_REFERENCES_MAX);
		references_are(text, NULL, own, size == room ? all : rest);
	}
}

/* The first one and the mail's own fit in any case. */
static void the_longest_ids(void **state)
{
	g_autofree char *own = sized(ID_MAX, 'o');
	g_autofree char *oldest = sized(ID_MAX, 'a');
	g_autofree char *longer = sized(ID_MAX + 1, 'l');
	g_autofree char *expected = g_strdup_printf("<%s> <%s>", oldest, own);
	struct wire *ids = wire_array();

	(void)state;
	assert_true(message_id_is_usable(own));
	assert_false(message_id_is_usable(longer));
	wire_append_text(ids, longer);
	wire_append_text(ids, oldest);
	wire_append_text(ids, longer);
	g_autofree char *found = message_id_references(ids, NULL, own);

	assert_string_equal(found, expected);
	wire_free(&ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_of_rfc_5322),
		cmocka_unit_test(none_is_there_twice),
		cmocka_unit_test(odd_ones_are_left_out),
		cmocka_unit_test(at_most_the_first_and_the_newest),
		cmocka_unit_test(at_most_so_many_bytes),
		cmocka_unit_test(the_longest_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
