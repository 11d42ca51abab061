/* authres: the grammar of RFC 8601, and what a field establishes. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/authres.h"

/* As "id/version: method/version=result[reason] type.name=value ...; ...", or "none of it". */
static char *outline(const char *value)
{
	struct authres *authres = authres_parse(value);
	GString *text = g_string_new(NULL);

	if (authres == NULL)
		g_string_append(text, "none of it");
	else
		g_string_append_printf(text, "%s/%d:", authres->authserv_id, authres->version);
	for (size_t i = 0; authres != NULL && i < authres->result_count; i++) {
		const struct authres_result *result = &authres->results[i];

		g_string_append_printf(text, "%s %s/%d=%s", i > 0 ? ";" : "", result->method,
				       result->version, result->result);
		if (result->reason != NULL)
			g_string_append_printf(text, "[%s]", result->reason);
		for (size_t k = 0; k < result->property_count; k++)
			g_string_append_printf(text, " %s.%s=%s", result->properties[k].type,
					       result->properties[k].name,
					       result->properties[k].value);
	}
	authres_free(&authres);
	return g_string_free(text, FALSE);
}

static void means(const char *value, const char *expected)
{
	g_autofree char *text = outline(value);

	assert_string_equal(text, expected);
}

static void means_nothing(const char *value)
{
	means(value, "none of it");
}

/* RFC 8601, appendix B. */
static void examples_of_the_rfc(void **state)
{
	(void)state;
	means("example.org 1; none", "example.org/1:");
	means("example.com;\r\n  spf=pass smtp.mailfrom=example.net",
	      "example.com/1: spf/1=pass smtp.mailfrom=example.net");
	means("example.com;\r\n  auth=pass (cleartext) smtp.auth=sender@example.net;\r\n"
	      "  spf=pass smtp.mailfrom=example.net",
	      "example.com/1: auth/1=pass smtp.auth=sender@example.net; "
	      "spf/1=pass smtp.mailfrom=example.net");
	means("example.com; iprev=pass\r\n  policy.iprev=192.0.2.200",
	      "example.com/1: iprev/1=pass policy.iprev=192.0.2.200");
	means("example.com;\r\n  dkim=pass reason=\"good signature\"\r\n"
	      "    header.i=@mail-router.example.net;\r\n"
	      "  dkim=fail reason=\"bad signature\"\r\n    header.i=@newyork.example.com",
	      "example.com/1: dkim/1=pass[good signature] header.i=@mail-router.example.net; "
	      "dkim/1=fail[bad signature] header.i=@newyork.example.com");
	means("foo.example.net (foobar) 1 (baz);\r\n"
	      "  dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
	      "    policy (A dot can go here) . (like that) expired\r\n"
	      "    (this surprised me) = (as I wasn't expecting it) 1362471462",
	      "foo.example.net/1: dkim/1=fail policy.expired=1362471462");
}

/* As they are written by OpenDKIM, OpenDMARC, Rspamd, pyspf-milter. */
static void fields_of_filters(void **state)
{
	(void)state;
	means("mx.example.org;\n\tdkim=pass (2048-bit key; unprotected) header.d=x.example "
	      "header.i=@x.example header.a=rsa-sha256 header.s=s1 header.b=aB3/x+Z=;\n\t"
	      "dkim-atps=neutral",
	      "mx.example.org/1: dkim/1=pass header.d=x.example header.i=@x.example "
	      "header.a=rsa-sha256 header.s=s1 header.b=aB3/x+Z=; dkim-atps/1=neutral");
	means("mx.example.org; dmarc=pass (p=none dis=none) header.from=x.example",
	      "mx.example.org/1: dmarc/1=pass header.from=x.example");
	means("mx.example.org;\n\tspf=pass (mx.example.org: domain of a@x.example designates "
	      "192.0.2.1 as permitted sender) smtp.mailfrom=a@x.example",
	      "mx.example.org/1: spf/1=pass smtp.mailfrom=a@x.example");
	means("mx.example.org; spf=pass (mailfrom) smtp.mailfrom=x.example "
	      "(client-ip=2001:db8::1; helo=y; envelope-from=a@x.example; receiver=<UNKNOWN>)",
	      "mx.example.org/1: spf/1=pass smtp.mailfrom=x.example");
	means("mx.example.org; spf=pass smtp.remote-ip=2001:db8::1 smtp.mailfrom=a@x.example;",
	      "mx.example.org/1: spf/1=pass smtp.remote-ip=2001:db8::1 "
	      "smtp.mailfrom=a@x.example");
}

static void words_of_all_kinds(void **state)
{
	(void)state;
	means("\"mx (1).example\" 2; spf=pass", "mx (1).example/2: spf/1=pass");
	means("MX.Example ; SPF/1=PASS SMTP.MailFrom=Ann@X.Example",
	      "mx.example/1: spf/1=pass smtp.mailfrom=Ann@X.Example");
	means("mx; spf=pass smtp.mailfrom=prvs=1/2=ann@x.example",
	      "mx/1: spf/1=pass smtp.mailfrom=prvs=1/2=ann@x.example");
	means("mx; spf=pass smtp.mailfrom=\"a; b\\\"c\"@x.example",
	      "mx/1: spf/1=pass smtp.mailfrom=a; b\"c@x.example");
	means("mx; spf=pass smtp.mailfrom=\"ann@x.example\"",
	      "mx/1: spf/1=pass smtp.mailfrom=ann@x.example");
	means("(a (nested \\) one)) mx (;) ; (x=y) spf=(z)pass(no smtp.mailfrom=a)",
	      "mx/1: spf/1=pass");
	means("mx;spf=pass(x)reason=(y)ok(z)smtp.helo=h", "mx/1: spf/1=pass[ok] smtp.helo=h");
	means("mx; spf=pass smtp.mailfrom=\xc3\xbc.example",
	      "mx/1: spf/1=pass smtp.mailfrom=\xc3\xbc.example");
	means("mx; none=pass", "mx/1: none/1=pass");
	means("mx; reason=pass reason.reason=reason", "mx/1: reason/1=pass reason.reason=reason");
}

static void what_breaks_the_grammar_tells_nothing(void **state)
{
	static const char *const broken[] = {
		"",
		";",
		"mx",
		"mx;",
		"mx; ;spf=pass",
		"; spf=pass smtp.mailfrom=x.example",
		"spf=pass smtp.mailfrom=x.example",
		"mx spf=pass",
		"mx 1x; spf=pass",
		"mx; spf",
		"mx; spf=",
		"mx; =pass",
		"mx; spf==pass",
		"mx; spf/=pass",
		"mx; spf=pass smtp.mailfrom",
		"mx; spf=pass smtp.mailfrom=",
		"mx; spf=pass smtp.mailfrom=@",
		"mx; spf=pass smtp=x",
		"mx; spf=pass mailfrom=x.example",
		"mx; spf=pass smtp..mailfrom=x",
		"mx; spf=pass.mailfrom=x",
		"mx; spf=pass reason=",
		"mx; spf=pass smtp.helo=h reason=late",
		"mx; spf=pass (open smtp.mailfrom=x.example",
		"mx; spf=pass (open (x) smtp.mailfrom=x.example",
		"mx; spf=pass (open \\) smtp.mailfrom=x.example",
		"mx; spf=pass (open\\",
		"mx; spf=pass) smtp.mailfrom=x.example",
		"mx; spf=pass smtp.mailfrom=\"x.example",
		"mx; spf=pass smtp.mailfrom=\"x.example\\",
		"\"mx; spf=pass",
		"mx; spf=pass smtp.mailfrom=<a@x.example>",
		"mx; spf=pass smtp.mailfrom=a,b",
		"mx; none; spf=pass",
		"mx; none spf=pass",
		"mx; spf=pass; none",
		"mx; spf-=pass",
		"mx; spf=pass spf=pass",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
		means_nothing(broken[i]);
}

static char *with_results(size_t count)
{
	GString *text = g_string_new("mx");

	for (size_t i = 0; i < count; i++)
		g_string_append(text, ";a=b");
	return g_string_free(text, FALSE);
}

static char *with_properties(size_t count)
{
	GString *text = g_string_new("mx;a=b");

	for (size_t i = 0; i < count; i++)
		g_string_append(text, " c.d=e");
	return g_string_free(text, FALSE);
}

static void results_and_properties_are_counted(void **state)
{
	char *(*const makers[])(size_t) = {with_results, with_properties};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(makers); i++) {
		g_autofree char *most = makers[i](AUTHRES_RESULTS_MAX);
		g_autofree char *more = makers[i](AUTHRES_RESULTS_MAX + 1);
		struct authres *authres = authres_parse(most);

		assert_non_null(authres);
		authres_free(&authres);
		assert_null(authres_parse(more));
	}
}

/* A megabyte of what nests or repeats is read in no time and without a stack. */
static void nasty_fields_are_read_at_once(void **state)
{
	enum { SIZE = 1024 * 1024 };
	static const char *const pieces[] = {"(", "((x)", "\\", "\"", ";", " ", "a.b=c ", "a"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
		GString *text = g_string_new("mx; spf=pass ");

		while (text->len < SIZE)
			g_string_append(text, pieces[i]);
		struct authres *authres = authres_parse(text->str);

		authres_free(&authres);
		g_string_free(text, TRUE);
	}
}

static bool establishes(const char *value, const char *domain)
{
	struct authres *authres = authres_parse(value);

	assert_non_null(authres);
	bool yes = authres_establishes(authres, domain, true);

	authres_free(&authres);
	return yes;
}

static void spf_establishes_its_domain(void **state)
{
	(void)state;
	assert_true(establishes("mx; spf=pass smtp.mailfrom=x.example", "x.example"));
	assert_true(establishes("mx; spf=pass smtp.mailfrom=ann@X.EXAMPLE", "x.example"));
	assert_true(establishes("mx; spf=fail smtp.mailfrom=x.example; "
				"spf=pass smtp.helo=h smtp.mailfrom=x.example",
				"x.example"));
	assert_false(establishes("mx; spf=pass smtp.mailfrom=x.example", "y.example"));
	assert_false(establishes("mx; spf=pass smtp.mailfrom=x.example", "a.x.example"));
	assert_false(establishes("mx; spf=pass smtp.mailfrom=a.x.example", "x.example"));
	assert_false(establishes("mx; spf=pass smtp.helo=x.example", "x.example"));
	assert_false(establishes("mx; spf=pass header.from=x.example", "x.example"));
	assert_false(establishes("mx; spf=softfail smtp.mailfrom=x.example", "x.example"));
	assert_false(establishes("mx; spf=none smtp.mailfrom=x.example", "x.example"));
	assert_false(establishes("mx; spf=pass (smtp.mailfrom=x.example)", "x.example"));
	assert_false(
		establishes("mx; spf=pass smtp.mailfrom=\"x.example@y.example\"", "x.example"));
	assert_false(establishes("mx; spf=fail reason=\"spf=pass smtp.mailfrom=x.example\"",
				 "x.example"));
}

static void signatures_establish_what_is_below(void **state)
{
	(void)state;
	assert_true(establishes("mx; dkim=pass header.d=x.example", "x.example"));
	assert_true(establishes("mx; dkim=pass header.d=x.example", "bounce.x.example"));
	assert_true(establishes("mx; dkim=fail header.d=x.example; dkim=pass header.d=x.example",
				"x.example"));
	assert_true(establishes("mx; dmarc=pass header.from=X.example", "x.example"));
	assert_true(establishes("mx; dmarc=pass header.from=x.example", "mail.x.example"));
	assert_false(establishes("mx; dkim=pass header.d=a.x.example", "x.example"));
	assert_false(establishes("mx; dkim=pass header.d=x.example", "ax.example"));
	assert_false(establishes("mx; dkim=pass header.d=example", "x.example"));
	assert_false(establishes("mx; dkim=pass header.d=.example", "x.example"));
	assert_false(establishes("mx; dkim=pass header.i=@x.example", "x.example"));
	assert_false(establishes("mx; dkim=neutral header.d=x.example", "x.example"));
	assert_false(establishes("mx; dkim=pass header.d=x.example", ""));
	assert_false(establishes("mx; dmarc=fail header.from=x.example", "x.example"));
	assert_false(establishes("mx; arc=pass header.d=x.example", "x.example"));
	assert_false(establishes("mx; none", "x.example"));
}

/* They say nothing of an envelope sender that is not in From; SPF does. */
static void signatures_are_of_from(void **state)
{
	static const struct {
		const char *field;
		bool without_from;
	} fields[] = {
		{"mx; spf=pass smtp.mailfrom=x.example", true},
		{"mx; dkim=pass header.d=x.example", false},
		{"mx; dmarc=pass header.from=x.example", false},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		struct authres *authres = authres_parse(fields[i].field);

		assert_true(authres_establishes(authres, "x.example", true));
		assert_int_equal(authres_establishes(authres, "x.example", false),
				 fields[i].without_from);
		authres_free(&authres);
	}
}

static void international_domains_are_one(void **state)
{
	(void)state;
	assert_true(establishes("mx; spf=pass smtp.mailfrom=m\xc3\xbcller.example",
				"xn--mller-kva.example"));
	assert_true(establishes("mx; spf=pass smtp.mailfrom=XN--mller-kva.example",
				"xn--mller-kva.example"));
	/* IDNA 2003 took them for one. */
	assert_false(
		establishes("mx; dkim=pass header.d=strasse.example", "xn--strae-oqa.example"));
}

static bool is_misled(const char *signature)
{
	return authres_misled_by(signature, strlen(signature));
}

/* What OpenDKIM 2.11 writes of these into its field ends a result, and begins one of the signer's.
 */
static void identities_that_forge_results(void **state)
{
	(void)state;
	assert_true(is_misled("v=1; d=evil.example; i=a=3B=20dkim=3Dpass=20header.d=3Dx.example=20"
			      "header.i=3D@evil.example; s=s; b=x"));
	assert_true(is_misled("v=1;\r\n\ti = a=3\tb@evil.example"));
	assert_true(is_misled("i=a=3b@evil.example"));
	assert_true(is_misled("d=evil.example; I=a=20b@evil.example"));
	assert_true(is_misled("i=a(b@evil.example; i=@evil.example"));
	assert_true(is_misled("i=@evil.example; i=a\"b@evil.example"));
	assert_true(is_misled("i=a=0D=0AX-A:=20b@evil.example"));
	assert_true(is_misled("i==3D?utf-8?q?=3D3B?=3D@evil.example"));
	assert_true(is_misled("i=a=00@evil.example"));
	assert_false(is_misled(""));
	assert_false(is_misled("v=1; d=x.example; s=s; h=from:to; bh=a=3B; b=(a \"b\")"));
	assert_false(is_misled("v=1; i=@x.example"));
	assert_false(is_misled("v=1; i=\r\n\t@mail.x.example;"));
	assert_false(is_misled("v=1; i=bounce+ann=3Dy.example@x.example; q=dns/txt; t=1; ii=a=3B"));
	assert_false(is_misled("i=j\xc3\xb6rg@x.example"));
}

static void other_versions_establish_nothing(void **state)
{
	(void)state;
	assert_true(establishes("mx 1; spf/1=pass smtp.mailfrom=x.example", "x.example"));
	assert_false(establishes("mx 2; spf=pass smtp.mailfrom=x.example", "x.example"));
	assert_false(establishes("mx; spf/2=pass smtp.mailfrom=x.example", "x.example"));
	assert_false(establishes("mx 4294967297; spf=pass smtp.mailfrom=x.example", "x.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_rfc),
		cmocka_unit_test(fields_of_filters),
		cmocka_unit_test(words_of_all_kinds),
		cmocka_unit_test(what_breaks_the_grammar_tells_nothing),
		cmocka_unit_test(results_and_properties_are_counted),
		cmocka_unit_test(nasty_fields_are_read_at_once),
		cmocka_unit_test(spf_establishes_its_domain),
		cmocka_unit_test(signatures_establish_what_is_below),
		cmocka_unit_test(signatures_are_of_from),
		cmocka_unit_test(international_domains_are_one),
		cmocka_unit_test(identities_that_forge_results),
		cmocka_unit_test(other_versions_establish_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
