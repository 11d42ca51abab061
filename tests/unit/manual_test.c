/* mailpipe.conf(5) and the table of parameters say the same. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/config.h"

static const char MANUAL[] = "man/mailpipe.conf.5";

struct page {
	const char *text;
	const char *at; /* the table and the page have the same order */
	size_t described;
};

static void expect(struct page *page, const char *expected)
{
	const char *found = strstr(page->at, expected);

	if (found == NULL)
		fail_msg("%s lacks, or has in another place:\n%s", MANUAL, expected);
	page->at = found + 1;
}

static void described(const struct config_description *description, void *context)
{
	struct page *page = context;
	g_autofree char *section = g_strdup_printf("\n.Ss Section %s\n", description->section);
	GString *item = g_string_new(NULL);
	const char *position = strstr(page->text, section);

	if (position == NULL)
		fail_msg("%s lacks section %s", MANUAL, description->section);
	if (page->at < position)
		page->at = position;
	g_string_printf(item, "\n.It Ic %s Ns = Ns Ar %s\n", description->name, description->type);
	if (*description->range != '\0' || *description->default_value != '\0')
		g_string_append_printf(
			item, ".Pq %s%s%s%s\n", description->range,
			*description->range != '\0' && *description->default_value != '\0' ? "; "
											   : "",
			*description->default_value != '\0' ? "default " : "",
			description->default_value);
	expect(page, item->str);
	g_string_free(item, TRUE);
	page->described++;
}

static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	for (const char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what))
		found++;
	return found;
}

/* Without the "\\&" that keeps mdoc(7) from taking a colon for its own. */
static char *read_manual(void)
{
	g_autofree char *raw = NULL;

	assert_true(g_file_get_contents(MANUAL, &raw, NULL, NULL));
	GString *text = g_string_new(raw);

	g_string_replace(text, "\\&", "", 0);
	return g_string_free(text, FALSE);
}

static void manual_and_table_agree(void **state)
{
	(void)state;
	g_autofree char *text = read_manual();

	struct page page = {.text = text, .at = text};

	config_each_parameter(described, &page);
	assert_int_equal(count(text, "\n.It Ic "), page.described);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(manual_and_table_agree)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
