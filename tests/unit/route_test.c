/* route: exact, plus-tagged, wildcard and regular expression patterns. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/route.h"

static struct route_set *set_of(const char *delimiters, const char *const *patterns)
{
	struct route_set *set = route_set_new(delimiters);

	for (size_t i = 0; patterns[i] != NULL; i++)
		assert_int_equal(route_add(set, i, patterns[i], NULL), OUTCOME_OK);
	return set;
}

static void exact_matches_with_any_tag(void **state)
{
	(void)state;
	const char *const patterns[] = {"a+x@example.com", "a@example.com", NULL};
	struct route_set *set = set_of("+", patterns);

	assert_int_equal(route_match(set, "a@example.com"), 1);
	assert_int_equal(route_match(set, "A@EXAMPLE.com"), 1);
	assert_int_equal(route_match(set, "a+tag@example.com"), 1);
	assert_int_equal(route_match(set, "a+x@example.com"), 0);
	assert_int_equal(route_match(set, "ab@example.com"), -1);
	assert_int_equal(route_match(set, "a@example.co"), -1);
	assert_int_equal(route_match(set, "a@b@example.com"), -1);
	assert_int_equal(route_match(set, "a"), -1);
	assert_int_equal(route_match(set, ""), -1);
	route_set_free(&set);
	assert_null(set);
}

static void tag_needs_the_delimiter(void **state)
{
	(void)state;
	const char *const patterns[] = {"a@example.com", NULL};
	struct route_set *none = set_of("", patterns);
	struct route_set *two = set_of("+-", patterns);

	assert_int_equal(route_match(none, "a+tag@example.com"), -1);
	assert_int_equal(route_match(two, "a-tag@example.com"), 0);
	assert_int_equal(route_match(two, "a+t-g@example.com"), 0);
	route_set_free(&none);
	route_set_free(&two);
}

static void wildcard_stays_within_local_part(void **state)
{
	(void)state;
	const char *const patterns[] = {"*-in@example.com", "*@example.org", NULL};
	struct route_set *set = set_of("+", patterns);

	assert_int_equal(route_match(set, "a-in@example.com"), 0);
	assert_int_equal(route_match(set, "a-in-in@example.com"), 0);
	assert_int_equal(route_match(set, "a-in+x@example.com"), 0);
	assert_int_equal(route_match(set, "a-out@example.com"), -1);
	assert_int_equal(route_match(set, "x@evil@example.org"), -1);
	assert_int_equal(route_match(set, "x@example.org"), 1);
	assert_int_equal(route_match(set, "x@sub.example.org"), -1);
	route_set_free(&set);
}

static void wildcard_does_not_backtrack_for_ever(void **state)
{
	(void)state;
	const char *const patterns[] = {"*a*a*a*a*a*a*a*a*a*a*b@x", NULL};
	struct route_set *set = set_of("", patterns);
	g_autofree char *run = g_strnfill(1000, 'a');
	g_autofree char *address = g_strconcat(run, "@x", NULL);

	assert_int_equal(route_match(set, address), -1);
	route_set_free(&set);
}

static void regex_is_unanchored_and_bounded(void **state)
{
	(void)state;
	const char *const patterns[] = {"/^ticket-[0-9]+@/", "/(x+x+)+y/", NULL};
	struct route_set *set = set_of("+", patterns);
	g_autofree char *run = g_strnfill(900, 'x');

	assert_int_equal(route_match(set, "TICKET-12@example.com"), 0);
	assert_int_equal(route_match(set, "ticket-@example.com"), -1);
	assert_int_equal(route_match(set, run), -1);
	assert_int_equal(route_match(set, "\xff\xfexxy"), 1);
	route_set_free(&set);
}

static void international_domains_compare_as_a_labels(void **state)
{
	(void)state;
	const char *const patterns[] = {"a@b\xc3\xbc"
					"cher.example",
					"\xc3\xbc@x.example", NULL};
	struct route_set *set = set_of("+", patterns);

	assert_int_equal(route_match(set, "a@xn--bcher-kva.example"), 0);
	assert_int_equal(route_match(set, "a@B\xc3\x9c"
					  "CHER.example"),
			 0);
	assert_int_equal(route_match(set, "\xc3\x9c@x.example"), 1);
	route_set_free(&set);
}

static void addresses_are_bounded(void **state)
{
	(void)state;
	const char *const patterns[] = {"*@x", NULL};
	struct route_set *set = set_of("", patterns);
	g_autofree char *at_bound = g_strnfill(1022, 'a');
	g_autofree char *fits = g_strconcat(at_bound, "@x", NULL);
	g_autofree char *longer = g_strconcat("a", fits, NULL);

	assert_int_equal(route_match(set, fits), 0);
	assert_int_equal(route_match(set, longer), -1);
	route_set_free(&set);
}

static void assert_hash(const char *delimiters, const char *address, const char *expected)
{
	g_autofree char *hash = route_mailbox_hash(delimiters, address);

	assert_string_equal(hash, expected);
}

static void mailbox_hash_is_what_follows_the_delimiter(void **state)
{
	(void)state;
	assert_hash("+", "a+Tag@example.com", "Tag");
	assert_hash("+", "a+b+c@example.com", "b+c");
	assert_hash("+", "a@ex+ample.com", "");
	assert_hash("+", "+a@example.com", "");
	assert_hash("+", "a+@example.com", "");
	assert_hash("", "a+b@example.com", "");
	assert_hash("-", "MAILER-DAEMON@example.com", "");
	assert_hash("+", "", "");
}

static void delimiter_may_be_percent_encoded(void **state)
{
	(void)state;
	assert_hash("+", "a%2Bb@example.com", "b");
	assert_hash("+", "a%2bb%2Bc@example.com", "b%2Bc");
	assert_hash("+-", "a%2Db@example.com", "b");
	assert_hash("+", "a%2Db@example.com", "");
	assert_hash("+", "a%2B@example.com", "");
	assert_hash("+", "%2Ba@example.com", "");
	assert_hash("+", "a%2", "");
	assert_hash("+", "a%00b@example.com", "");
	assert_hash("%", "a%2Bb@example.com", "2Bb");
	assert_hash("", "a%2Bb@example.com", "");
}

static void assert_base(const char *address, const char *base)
{
	char *found = route_base_address("+", address);

	assert_string_equal(found, base);
	g_free(found);
}

static void base_address_is_what_is_compared(void **state)
{
	(void)state;
	assert_base("A+Tag@Example.com", "a@example.com");
	assert_base("a%2BTag@example.com", "a@example.com");
	assert_base("a@example.com", "a@example.com");
	assert_base("a+b@bücher.example", "a@xn--bcher-kva.example");
	assert_base("", "");
}

static void bad_patterns_are_named(void **state)
{
	(void)state;
	struct route_set *set = route_set_new("+");
	struct reason reason;

	assert_int_equal(route_add(set, 0, "/a", &reason), OUTCOME_RETRY);
	assert_string_equal(reason.text, "/a: a regular expression ends with '/'");
	assert_int_equal(route_add(set, 0, "/", &reason), OUTCOME_RETRY);
	assert_int_equal(route_add(set, 0, "@x", &reason), OUTCOME_RETRY);
	assert_int_equal(route_add(set, 0, "a@", &reason), OUTCOME_RETRY);
	route_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_matches_with_any_tag),
		cmocka_unit_test(tag_needs_the_delimiter),
		cmocka_unit_test(wildcard_stays_within_local_part),
		cmocka_unit_test(wildcard_does_not_backtrack_for_ever),
		cmocka_unit_test(regex_is_unanchored_and_bounded),
		cmocka_unit_test(international_domains_compare_as_a_labels),
		cmocka_unit_test(addresses_are_bounded),
		cmocka_unit_test(mailbox_hash_is_what_follows_the_delimiter),
		cmocka_unit_test(delimiter_may_be_percent_encoded),
		cmocka_unit_test(base_address_is_what_is_compared),
		cmocka_unit_test(bad_patterns_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
