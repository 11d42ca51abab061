/* Host and port, in all the ways people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glib.h>

#include "common/hostport.h"

enum { DEFAULT_PORT = 5672 };

static void expect(const char *text, const char *wanted, bool ip_literal)
{
	struct hostport hostport;

	assert_true(hostport_parse(&hostport, text, DEFAULT_PORT));
	g_autofree char *got = hostport_text(&hostport);
	assert_string_equal(got, wanted);
	assert_int_equal(hostport.ip_literal, ip_literal);
	hostport_clear(&hostport);
	assert_null(hostport.host);
}

static void names_and_addresses(void **state)
{
	(void)state;
	expect("mq.example.com", "mq.example.com:5672", false);
	expect("mq.example.com:1", "mq.example.com:1", false);
	expect("mq:65535", "mq:65535", false);
	expect("192.0.2.1", "192.0.2.1:5672", true);
	expect("192.0.2.1:5671", "192.0.2.1:5671", true);
}

static void ipv6(void **state)
{
	(void)state;
	expect("[::1]:15672", "[::1]:15672", true);
	expect("[2001:db8::1]", "[2001:db8::1]:5672", true);
	expect("::1", "[::1]:5672", true);
}

static void nonsense(void **state)
{
	static const char *const texts[] = {
		"",         ":5672",     "mq:",      "mq:0",        "mq:65536", "mq:-1",
		"mq: 5672", "mq:x",      "mq:5672x", "[::1",        "[::1]x",   "[::1]:",
		"[]",       "[mq]:5672", "a:b:c",    "::1:5672:zz", "[::1]:0"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct hostport hostport;

		if (hostport_parse(&hostport, texts[i], DEFAULT_PORT))
			fail_msg("taken for a host: \"%s\"", texts[i]);
		assert_null(hostport.host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_addresses),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests_name("hostport", tests, NULL, NULL);
}
