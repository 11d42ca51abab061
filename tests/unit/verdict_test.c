/* verdict: what the fields of believed servers say of the domain in From. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/domain.h"
#include "common/verdict.h"

static char mx[] = "mx.example.com";
static char google[] = "MX.Google.com";
static char *believed[] = {mx, google, NULL};

/* "spf+ dkim dmarc arc" of several fields; "+" is aligned, "-" no result; then whether From is
 * established, and by DMARC. */
static char *outline(const char *const *fields, const char *domain)
{
	struct verdicts v = {.spf = VERDICT_ABSENT};

	for (; *fields != NULL; fields++)
		verdicts_add(&v, *fields, believed, domain);
	return g_strdup_printf(
		"%s%s %s%s %s %s %s %s", v.spf == VERDICT_ABSENT ? "-" : verdict_name(v.spf),
		v.spf_aligned ? "+" : "", v.dkim == VERDICT_ABSENT ? "-" : verdict_name(v.dkim),
		v.dkim_aligned ? "+" : "", v.dmarc == VERDICT_ABSENT ? "-" : verdict_name(v.dmarc),
		v.arc == VERDICT_ABSENT ? "-" : verdict_name(v.arc),
		verdicts_establish(&v) ? "yes" : "no", verdicts_establish_dmarc(&v) ? "yes" : "no");
}

static void say(const char *const *fields, const char *domain, const char *expected)
{
	g_autofree char *text = outline(fields, domain);

	assert_string_equal(text, expected);
}

static void says(const char *field, const char *domain, const char *expected)
{
	say((const char *const[]){field, NULL}, domain, expected);
}

/* ---- as they are written ---- */

static void fields_of_filters(void **state)
{
	(void)state;
	/* OpenDKIM, OpenDMARC and policyd-spf write a field each. */
	say(
		(const char *const[]){
			"mx.example.com;\n\tdkim=pass (2048-bit key; unprotected) "
			"header.d=shop.example "
			"header.i=@shop.example header.a=rsa-sha256 header.s=s1 "
			"header.b=\"aB3/x+Z=\";\n\t"
			"dkim-atps=neutral",
			"mx.example.com; dmarc=pass (p=quarantine dis=none) "
			"header.from=shop.example",
			"mx.example.com; spf=pass (mailfrom) smtp.mailfrom=bounces.shop.example "
			"(client-ip=192.0.2.1; helo=out.shop.example; "
			"envelope-from=x@bounces.shop.example; receiver=<UNKNOWN>)",
			NULL},
		"shop.example", "pass+ pass+ pass - yes yes");
	/* Rspamd: all in one. */
	says("mx.example.com;\n\tdkim=pass header.d=mailer.example header.s=s header.b=abc;\n\t"
	     "dkim=fail (\"body hash did not verify\") header.d=shop.example header.s=2 "
	     "header.b=def;\n\t"
	     "dmarc=fail reason=\"SPF not aligned (relaxed), DKIM not valid\" "
	     "header.from=shop.example (policy=none);\n\tspf=softfail (mx.example.com: 192.0.2.7 "
	     "is "
	     "neither permitted nor denied by domain of a@mailer.example) "
	     "smtp.mailfrom=a@mailer.example;\n\tarc=none",
	     "shop.example", "softfail pass fail none no no");
	/* Gmail: header.i for header.d, a VERP address. */
	says("mx.google.com;\r\n       dkim=pass header.i=@shop.example header.s=s1 "
	     "header.b=Q4nLX0Z;\r\n"
	     "       dkim=pass header.i=@mailer.example header.s=s2 header.b=\"A/b+c\";\r\n"
	     "       spf=pass (google.com: domain of bounce+ann=x.example@em.shop.example "
	     "designates "
	     "198.51.100.5 as permitted sender) "
	     "smtp.mailfrom=\"bounce+ann=x.example@em.shop.example\";\r\n"
	     "       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=shop.example;\r\n"
	     "       arc=pass (i=2 spf=pass spfdomain=shop.example dkim=pass "
	     "dkdomain=shop.example)",
	     "shop.example", "pass+ pass+ pass pass yes yes");
	/* A signature below From, by header.i alone. */
	says("mx.google.com; dkim=pass header.i=@mail.shop.example header.s=s1 header.b=Q4nLX0Z",
	     "shop.example", "- pass+ - - yes no");
	says("mx.example.com; none", "shop.example", "- - - - no no");
}

/* Those that break the grammar are not guessed at: who may say what stands where? */
static void fields_that_break_the_grammar(void **state)
{
	static const char *const fields[] = {
		/* Microsoft 365: no authserv-id; action has no type. */
		"spf=pass (sender IP is 209.85.128.44)\r\n smtp.mailfrom=gmail.com; dkim=pass "
		"(signature was verified)\r\n header.d=gmail.com;dmarc=pass action=none\r\n "
		"header.from=gmail.com;compauth=pass reason=100",
		"mx.example.com 1; spf=pass smtp.mailfrom=gmail.com; dmarc=pass action=none "
		"header.from=gmail.com",
		/* Fastmail's milter: x-bits has no type. */
		"mx.example.com;\r\n    dkim=pass (2048-bit rsa key sha256) header.d=gmail.com\r\n"
		"      header.i=@gmail.com header.b=NMRqGqBB header.a=rsa-sha256\r\n"
		"      header.s=20210112 x-bits=2048;\r\n    dmarc=pass header.from=gmail.com",
		"mx.example.com; dmarc=pass header.from=gmail.com (",
		"",
	};
	struct verdicts verdicts = {.spf = VERDICT_ABSENT};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		assert_int_equal(verdicts_add(&verdicts, fields[i], believed, "gmail.com"),
				 VERDICT_BROKEN);
	assert_false(verdicts_checked(&verdicts));
	assert_false(verdicts_establish(&verdicts));
}

/* The same without what breaks it (policy properties, x- methods). */
static void long_fields(void **state)
{
	(void)state;
	says("mx.example.com;\r\n    dkim=pass (2048-bit rsa key sha256) header.d=gmail.com\r\n"
	     "      header.i=@gmail.com header.b=NMRqGqBB header.a=rsa-sha256 "
	     "header.s=20210112;\r\n"
	     "    dmarc=pass policy.published-domain-policy=none\r\n"
	     "      policy.applied-disposition=none (p=none,sp=quarantine,d=none) "
	     "policy.policy-from=p\r\n      header.from=gmail.com;\r\n"
	     "    iprev=pass smtp.remote-ip=209.85.166.47 (mail-io1-f47.google.com);\r\n"
	     "    spf=pass smtp.mailfrom=test@gmail.com smtp.helo=mail-io1-f47.google.com;\r\n"
	     "    x-aligned-from=pass (Address match);\r\n    x-vs=clean",
	     "gmail.com", "pass+ pass+ pass - yes yes");
}

/* ---- whose word counts ---- */

static void only_believed_servers_count(void **state)
{
	struct verdicts verdicts = {.spf = VERDICT_ABSENT};

	(void)state;
	assert_int_equal(verdicts_add(&verdicts,
				      "evil.example; dmarc=pass header.from=shop.example", believed,
				      "shop.example"),
			 VERDICT_FOREIGN);
	assert_int_equal(verdicts_add(&verdicts,
				      "mx.example.com.evil.example; dmarc=pass "
				      "header.from=shop.example",
				      believed, "shop.example"),
			 VERDICT_FOREIGN);
	assert_int_equal(verdicts_add(&verdicts,
				      "evil.example (mx.example.com); dmarc=pass "
				      "header.from=shop.example",
				      believed, "shop.example"),
			 VERDICT_FOREIGN);
	assert_int_equal(verdicts_add(&verdicts,
				      "mx.example.com 2; dmarc=pass header.from=shop.example",
				      believed, "shop.example"),
			 VERDICT_BROKEN);
	assert_false(verdicts_checked(&verdicts));
	assert_int_equal(verdicts_add(&verdicts,
				      "(x) \"MX.example.COM\" 1; dmarc/1=pass "
				      "header.from=shop.example",
				      believed, "shop.example"),
			 VERDICT_BELIEVED);
	assert_int_equal(verdicts.dmarc, VERDICT_PASS);
}

static void methods_of_other_versions_do_not_count(void **state)
{
	(void)state;
	says("mx.example.com; dmarc/2=pass header.from=shop.example; spf/2=pass "
	     "smtp.mailfrom=shop.example",
	     "shop.example", "- - - - no no");
}

/* What a sender may have got into a quoted string or a comment. */
static void what_is_quoted_is_no_result(void **state)
{
	(void)state;
	says("mx.example.com; spf=fail smtp.mailfrom=\"; dmarc=pass header.from=shop.example "
	     "\"@evil.example",
	     "shop.example", "fail - - - no no");
	says("mx.example.com; spf=fail (; dmarc=pass header.from=shop.example) "
	     "smtp.mailfrom=evil.example",
	     "shop.example", "fail - - - no no");
	says("mx.example.com; spf=pass smtp.mailfrom=\"x@shop.example\"@evil.example",
	     "shop.example", "pass - - - no no");
	says("mx.example.com; dkim=fail reason=\"; dkim=pass header.d=shop.example\" "
	     "header.d=evil.example",
	     "shop.example", "- fail - - no no");
}

/* ---- of several ---- */

static void what_says_most_counts(void **state)
{
	(void)state;
	says("mx.example.com; dkim=fail header.d=shop.example; dkim=pass header.d=list.example; "
	     "dkim=pass header.d=shop.example; dkim=permerror header.d=x.example",
	     "shop.example", "- pass+ - - yes no");
	says("mx.example.com; dkim=none; dkim=temperror header.d=shop.example; dkim=policy "
	     "header.d=x.example",
	     "shop.example", "- temperror - - no no");
	/* Two servers of ours, one behind the other: the inner one sees only the outer one. */
	say((const char *const[]){"mx.google.com; spf=fail smtp.mailfrom=shop.example; dmarc=fail "
				  "header.from=shop.example",
				  "mx.example.com; spf=pass smtp.mailfrom=shop.example; dmarc=pass "
				  "header.from=shop.example",
				  "evil.example; arc=pass", NULL},
	    "shop.example", "pass+ - pass - yes yes");
	says("mx.example.com; spf=surprise smtp.mailfrom=shop.example; spf=hardfail",
	     "shop.example", "other - - - no no");
}

static void dmarc_is_of_the_same_domain(void **state)
{
	(void)state;
	says("mx.example.com; dmarc=pass header.from=SHOP.example.", "Shop.Example",
	     "- - pass - yes yes");
	says("mx.example.com; dmarc=pass header.from=ann@shop.example", "shop.example",
	     "- - pass - yes yes");
	says("mx.example.com; dmarc=pass header.from=evil.example", "shop.example",
	     "- - - - no no");
	says("mx.example.com; dmarc=pass header.from=www.shop.example", "shop.example",
	     "- - - - no no");
	says("mx.example.com; dmarc=pass", "shop.example", "- - - - no no");
	says("mx.example.com; dmarc=pass smtp.from=shop.example", "shop.example", "- - - - no no");
	says("mx.example.com; dmarc=fail header.from=shop.example; dmarc=pass "
	     "header.from=evil.example",
	     "shop.example", "- - fail - no no");
}

/* No From, or several addresses in it. */
static void without_a_domain_nothing_counts(void **state)
{
	(void)state;
	says("mx.example.com; spf=pass smtp.mailfrom=shop.example; dkim=pass "
	     "header.d=shop.example; "
	     "dmarc=pass header.from=shop.example",
	     "", "pass pass - - no no");
	says("mx.example.com; spf=pass smtp.mailfrom=\"@\"; dkim=pass header.d=\"\"; dmarc=pass "
	     "header.from=\"\"",
	     "", "pass pass - - no no");
	says("mx.example.com; spf=pass smtp.helo=shop.example", "shop.example", "pass - - - no no");
	says("mx.example.com; spf=pass smtp.mailfrom=", "shop.example", "- - - - no no");
}

/* ---- alignment ---- */

static void alignment_is_by_organisation(void **state)
{
	static const struct {
		const char *proven;
		const char *from;
		bool aligned;
	} cases[] = {
		{"example.com", "example.com", true},
		{"EXAMPLE.com.", "example.COM", true},
		{"mail.example.com", "example.com", true},
		{"example.com", "news.example.com", true},
		{"a.example.com", "b.example.com", true},
		{"a.b.c.example.co.uk", "x.example.co.uk", true},
		/* Lookalikes. */
		{"example.com.evil.net", "example.com", false},
		{"evil-example.com", "example.com", false},
		{"xexample.com", "example.com", false},
		{"example.co", "example.com", false},
		{"examp1e.com", "example.com", false},
		/* Public suffixes, of registries and of hosters. */
		{"evil.co.uk", "example.co.uk", false},
		{"co.uk", "example.co.uk", false},
		{"com", "example.com", false},
		{"evil.github.io", "good.github.io", false},
		{"evil.github.io", "github.io", false},
		{"github.io", "good.github.io", false},
		{"github.io", "github.io", true},
		{"x.good.github.io", "good.github.io", true},
		/* Unknown top level domains are public suffixes. */
		{"mail.corp.internal", "corp.internal", true},
		{"evil.internal", "corp.internal", false},
		{"internal", "corp.internal", false},
		{"localhost", "localhost", true},
		/* International ones. */
		{"xn--bcher-kva.example",
		 "b\xc3\xbc"
		 "cher.example",
		 true},
		{"B\xc3\x9c"
		 "CHER.example",
		 "xn--bcher-kva.example", true},
		{"mail.xn--bcher-kva.example",
		 "b\xc3\xbc"
		 "cher.example",
		 true},
		{"bucher.example",
		 "b\xc3\xbc"
		 "cher.example",
		 false},
		/* Another domain than IDNA 2003 made of it. */
		{"strasse.example",
		 "stra\xc3\x9f"
		 "e.example",
		 false},
		{"xn--strae-oqa.example",
		 "stra\xc3\x9f"
		 "e.example",
		 true},
		/* Cyrillic a. */
		{"example.com", "ex\xd0\xb0mple.com", false},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *dkim =
			g_strdup_printf("mx.example.com; dkim=pass header.d=%s", cases[i].proven);
		g_autofree char *spf = g_strdup_printf(
			"mx.example.com; spf=pass smtp.mailfrom=a@%s", cases[i].proven);

		says(dkim, cases[i].from,
		     cases[i].aligned ? "- pass+ - - yes no" : "- pass - - no no");
		says(spf, cases[i].from,
		     cases[i].aligned ? "pass+ - - - yes no" : "pass - - - no no");
	}
}

static void what_failed_is_not_aligned(void **state)
{
	(void)state;
	says("mx.example.com; spf=fail smtp.mailfrom=example.com; dkim=fail header.d=example.com",
	     "example.com", "fail fail - - no no");
	says("mx.example.com; spf=neutral smtp.mailfrom=example.com; dkim=policy "
	     "header.d=example.com",
	     "example.com", "neutral policy - - no no");
}

static void domains_that_are_none(void **state)
{
	const char *error = NULL;
	g_autofree char *most = g_strnfill(1100, 'x');

	(void)state;
	most[0] = '\xc3';
	most[1] = '\xbc';
	assert_null(domain_ascii(most, &error));
	assert_non_null(error);
	assert_null(domain_ascii("\xff.example", NULL));
	assert_false(domain_aligned("", ""));
	says("mx.example.com; dkim=pass header.d=\"\xff.example\"", "\xff.example",
	     "- pass - - no no");
}

static void names_and_words(void **state)
{
	(void)state;
	for (enum verdict_word v = VERDICT_ABSENT; v <= VERDICT_OTHER; v++)
		assert_int_equal(verdict_named(verdict_name(v)), v);
	assert_int_equal(verdict_named("PASS"), VERDICT_OTHER);
	assert_int_equal(verdict_named("hardfail"), VERDICT_OTHER);
}

static void a_login_establishes(void **state)
{
	const struct verdicts verdicts = {.logged_in = true};

	(void)state;
	assert_true(verdicts_checked(&verdicts));
	assert_true(verdicts_establish(&verdicts));
	assert_true(verdicts_establish_dmarc(&verdicts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_of_filters),
		cmocka_unit_test(fields_that_break_the_grammar),
		cmocka_unit_test(long_fields),
		cmocka_unit_test(only_believed_servers_count),
		cmocka_unit_test(methods_of_other_versions_do_not_count),
		cmocka_unit_test(what_is_quoted_is_no_result),
		cmocka_unit_test(what_says_most_counts),
		cmocka_unit_test(dmarc_is_of_the_same_domain),
		cmocka_unit_test(without_a_domain_nothing_counts),
		cmocka_unit_test(alignment_is_by_organisation),
		cmocka_unit_test(what_failed_is_not_aligned),
		cmocka_unit_test(domains_that_are_none),
		cmocka_unit_test(names_and_words),
		cmocka_unit_test(a_login_establishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
