/* mailpipe-wire(7) and the table of defects say the same. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailin/parse/defect.h"

static const char MANUAL[] = "man/mailpipe-wire.7";

static struct wire *new_document(void)
{
	struct wire *document = wire_object();
	struct wire *mailpipe = wire_object();

	wire_set(document, "Mailpipe", mailpipe);
	wire_set(mailpipe, "Defects", wire_array());
	return document;
}

static void every_defect_is_described(void **state)
{
	(void)state;
	g_autofree char *page = NULL;

	assert_true(g_file_get_contents(MANUAL, &page, NULL, NULL));
	const char *at = strstr(page, "\n.Ss Defects\n");
	assert_non_null(at);
	for (int i = 0; i < DEFECT_COUNT; i++) {
		struct defects defects = {0};
		struct wire *document = new_document();

		defect_note(&defects, (enum defect)i);
		defects_write(&defects, document);
		struct wire *array =
			wire_get_array(wire_get_object(document, "Mailpipe"), "Defects");
		assert_int_equal(wire_length(array), 1);
		g_autofree char *item =
			g_strdup_printf("\n.It Ql %s%s\n", wire_text(wire_at(array, 0)),
					defects_lose(&defects) ? " *" : "");
		at = strstr(at, ".It Ql ");
		assert_non_null(at);
		at--;
		if (!g_str_has_prefix(at, item))
			fail_msg("%s has another item in the place of %s", MANUAL, item);
		at += strlen("\n.");
		wire_free(&document);
	}
	assert_null(strstr(at, ".It Ql "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_defect_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
