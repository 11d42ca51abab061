/* mask: our addresses lose their tokens, strangers' stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include <cmocka.h>

#include "common/mask.h"

#define TOKEN "abcdefghijklmnopqrstuvw234"

static struct config *config;

static int load(void **state)
{
	static const char text[] =
		"[route photos]\nrecipients = photos@example.com\nrequire = token\n"
		"[route open]\nrecipients = open@example.com\n";
	g_autofree char *file = g_strdup_printf("/tmp/mask_test-%d.conf", (int)getpid());
	struct reason reason = {{0}, {0}};

	(void)state;
	if (!g_file_set_contents(file, text, -1, NULL))
		return -1;
	config = config_load(file, &reason);
	unlink(file);
	return config != NULL ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

static void assert_text(const char *text, const char *expected)
{
	g_autofree char *masked = mask_text(config, text);

	assert_string_equal(masked, expected);
}

static void only_our_addresses_are_masked(void **state)
{
	(void)state;
	assert_text("open+" TOKEN "@example.com", "open+...@example.com");
	assert_text("open+short@example.com", "open+short@example.com");
	assert_text("photos+short@example.com", "photos+...@example.com");
	assert_text("PHOTOS%2B" TOKEN "@EXAMPLE.com", "PHOTOS%2B...@EXAMPLE.com");
	assert_text("photos@example.com", "photos@example.com");
	assert_text("ann+" TOKEN "@example.net", "ann+" TOKEN "@example.net");
}

static void addresses_are_found_in_lines(void **state)
{
	(void)state;
	assert_text("to=<photos+" TOKEN "@example.com>, orig_to=<x@example.net>, relay=mailpipe, "
		    "status=bounced (<open+" TOKEN "@example.com>: no)",
		    "to=<photos+...@example.com>, orig_to=<x@example.net>, relay=mailpipe, "
		    "status=bounced (<open+...@example.com>: no)");
	assert_text("event=stored to=\"photos+" TOKEN "@example.com\" size=3",
		    "event=stored to=\"photos+...@example.com\" size=3");
	assert_text("write to photos+" TOKEN "@example.com.", "write to photos+...@example.com.");
	assert_text("open+" TOKEN "@example.com@example.com", "open+...@example.com@example.com");
}

static void other_text_stays(void **state)
{
	static const char *const texts[] = {"",
					    "@",
					    "@@",
					    "a@",
					    "@b",
					    "a@b@c",
					    " @ ",
					    "a@@b",
					    "photos+" TOKEN,
					    ("photos+" TOKEN "@"),
					    "x@-",
					    "\xc3\xa4@\xc3\xa4"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		assert_text(texts[i], texts[i]);
	assert_null(mask_text(config, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_our_addresses_are_masked),
		cmocka_unit_test(addresses_are_found_in_lines),
		cmocka_unit_test(other_text_stays),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
