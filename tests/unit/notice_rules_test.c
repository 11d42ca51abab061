/* notice: whom none goes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/notice_fixture.h"

/* The same by both ways: the message as rows, and its body alone. */
static void refused_by(struct setting *setting, const char *body, const char *word)
{
	for (int read = 0; read <= 1; read++) {
		if (make_of(setting, body, NOTICE_FAILED, "5.6.0", read == 1))
			fail_msg("not refused as %s: %s", word, body);
		assert_string_equal(setting->notice.why_not, word);
	}
}

static void accepted_by(struct setting *setting, const char *body)
{
	for (int read = 0; read <= 1; read++)
		if (!make_of(setting, body, NOTICE_FAILED, "5.6.0", read == 1))
			fail_msg("refused as %s: %s", setting->notice.why_not, body);
}

static void refused_with(const char *path, const char *json, const char *word)
{
	struct setting setting = set_up(NULL);
	g_autofree char *body = changed(path, json);

	refused_by(&setting, body, word);
	tear_down(&setting);
}

static void accepted_with(const char *path, const char *json)
{
	struct setting setting = set_up(NULL);
	g_autofree char *body = changed(path, json);

	accepted_by(&setting, body);
	tear_down(&setting);
}

/* A header field more. */
static char *with_header(const char *name, const char *value)
{
	g_autofree char *json = g_strdup_printf(
		"[{\"Name\":\"Authentication-Results\",\"Value\":\"mx.example.com; "
		"spf=pass smtp.mailfrom=x.example\"},{\"Name\":\"%s\",\"Value\":\"%s\"}]",
		name, value);

	return changed("Headers", json);
}

static void refused_with_header(const char *name, const char *value)
{
	struct setting setting = set_up(NULL);
	g_autofree char *body = with_header(name, value);

	refused_by(&setting, body, "automatic");
	tear_down(&setting);
}

static void accepted_with_header(const char *name, const char *value)
{
	struct setting setting = set_up(NULL);
	g_autofree char *body = with_header(name, value);

	accepted_by(&setting, body);
	tear_down(&setting);
}

static void nobody_when_it_is_off(void **state)
{
	static const struct settings off[] = {{.notify = "enabled = no"}, {.route = "notify = no"}};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(off); i++) {
		struct setting setting = set_up(&off[i]);

		refused_by(&setting, BASE, "off");
		assert_false(make_of(&setting, "junk", NOTICE_FAILED, "5.6.0", false));
		assert_string_equal(setting.notice.why_not, "off");
		tear_down(&setting);
	}
}

static void not_the_null_sender(void **state)
{
	(void)state;
	refused_with("Mailpipe.Envelope.Sender", "\"\"", "null-sender");
	refused_with("Mailpipe.Envelope.Sender", "\"<>\"", "null-sender");
}

static void no_automatic_mail(void **state)
{
	static const char *const kinds[] = {"bounce", "replied", "generated", "list", "bulk"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		g_autofree char *json = g_strdup_printf("\"%s\"", kinds[i]);

		refused_with("Mailpipe.Auto", json, "automatic");
	}
	accepted_with("Mailpipe.Auto", "\"no\"");
	/* A document that does not say. */
	accepted_with("Mailpipe.Auto", NULL);
}

static void no_automatic_mail_by_its_header(void **state)
{
	(void)state;
	refused_with_header("Auto-Submitted", "auto-generated");
	refused_with_header("AUTO-SUBMITTED", "Auto-Replied; owner-email=x");
	refused_with_header("Auto-Submitted", "");
	refused_with_header("Auto-Submitted", "none");
	refused_with_header("List-Id", "<a.b>");
	refused_with_header("list-unsubscribe", "<mailto:x>");
	refused_with_header("List-Owner", "");
	refused_with_header("Precedence", "bulk");
	refused_with_header("precedence", " Junk (really)");
	refused_with_header("Precedence", "list");
	refused_with_header("Precedence", "auto_reply");
	refused_with_header("X-Auto-Response-Suppress", "OOF, NDR");
	refused_with_header("X-Auto-Response-Suppress", "all");
	accepted_with_header("Auto-Submitted", "no");
	accepted_with_header("Auto-Submitted", " No (by hand)");
	accepted_with_header("Precedence", "first-class");
	accepted_with_header("Precedence", "bulky");
	accepted_with_header("X-Auto-Response-Suppress", "OOF, AutoReply");
	accepted_with_header("Listing", "x");
}

static void no_programs(void **state)
{
	static const char *const programs[] = {
		"MAILER-DAEMON", "owner-a",   "a-owner",   "a-request", "a-bounces",
		"bounces+a=b",   "No-Reply",  "noreply",   "majordomo", "noreply+1",
		"donotreply",    "a-noreply", "bounces-1",
	};
	static const char *const people[] = {"owner", "ann-requests", "bouncer", "request",
					     "mailer-daemons"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *json = g_strdup_printf("\"%s@x.example\"", programs[i]);

		refused_with("Mailpipe.Envelope.Sender", json, "automatic");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(people); i++) {
		g_autofree char *json = g_strdup_printf("\"%s@x.example\"", people[i]);

		accepted_with("Mailpipe.Envelope.Sender", json);
	}
}

static void not_ourselves(void **state)
{
	const struct settings settings = {
		.notify = "from = Notices <Notices@x.example>",
		.mailout = "from = shop@x.example\nenvelope_sender = returns@x.example"};
	static const char *const own[] = {
		"support@example.com",   "Support+tag@EXAMPLE.com", "any@lists.example.com",
		"notices@x.example",     "shop@x.example",          "SHOP+1@x.example",
		"returns+ann@x.example",
	};
	struct setting setting = set_up(&settings);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
		g_autofree char *json = g_strdup_printf("\"%s\"", own[i]);
		g_autofree char *body = changed("Mailpipe.Envelope.Sender", json);

		refused_by(&setting, body, "own");
	}
	accepted_by(&setting, BASE);
	tear_down(&setting);
}

static void no_unverified_senders(void **state)
{
	static const char *const senders[] = {"\"ann@y.example\"",
					      "\"ann@a.x.example\"",
					      "\"ann@example\"",
					      "\"ann\"",
					      "\"ann@\"",
					      "\"x.example\"",
					      "\"ann@x.example@y.example\""};
	static const char *const headers[] = {
		"[" HEADER("Authentication-Results",
			   "mx.y.example; spf=pass smtp.mailfrom=x.example") "]",
		"[" HEADER("X-Authentication-Results",
			   "mx.example.com; spf=pass smtp.mailfrom=x.example") "]",
		"[" HEADER("Authentication-Results",
			   "mx.example.com; spf=fail smtp.mailfrom=x.example") "]",
		"[" HEADER("Authentication-Results",
			   "mx.example.com.y.example; spf=pass smtp.mailfrom=x.example") "]",
		"[" HEADER("Authentication-Results",
			   "mx.example.com; spf=pass smtp.mailfrom=x.example (") "]",
		/* Below the Received field of our own server, who knows who wrote it? */
		"[" HEADER("received", "from y") "," HEADER(
			"Authentication-Results",
			"mx.example.com; spf=pass smtp.mailfrom=x.example") "]",
		/* A signature that makes results. */
		"[" HEADER("Authentication-Results",
			   "mx.example.com; dkim=pass header.d=y.example header.i=a; dkim=pass "
			   "header.d=x.example header.i=@y.example") "," HEADER("DKIM-Signature",
										"d=y.example; "
										"i=a=3B=20dkim="
										"3Dpass=20header.d="
										"3Dx.example=20"
										"header.i=3D@y."
										"example") "]",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(senders); i++)
		refused_with("Mailpipe.Envelope.Sender", senders[i], "unverified");
	for (size_t i = 0; i < G_N_ELEMENTS(headers); i++)
		refused_with("Headers", headers[i], "unverified");
}

/* What is signed says nothing of an envelope that was put around it afterwards. */
static void no_signature_without_from(void **state)
{
	static const char *const froms[] = {"\"bob@x.example\"", "\"ann@y.example\"", "\"\""};
	struct setting setting = set_up(NULL);
	g_autofree char *signed_mail =
		changed("Headers", "[" HEADER("Authentication-Results",
					      "mx.example.com; dkim=pass header.d=x.example") "]");

	(void)state;
	accepted_by(&setting, signed_mail);
	for (size_t i = 0; i < G_N_ELEMENTS(froms); i++) {
		g_autofree char *body = changed_in(signed_mail, "From", froms[i]);

		refused_by(&setting, body, "unverified");
	}
	tear_down(&setting);
}

static void who_has_logged_in_is_verified(void **state)
{
	struct setting setting = set_up(NULL);
	g_autofree char *body = changed("Mailpipe.Envelope",
					"{\"Sender\":\"ann@y.example\",\"SaslUsername\":\"ann\"}");
	g_autofree char *without = changed("Mailpipe.Envelope",
					   "{\"Sender\":\"ann@y.example\",\"SaslUsername\":\"\"}");

	(void)state;
	accepted_by(&setting, body);
	refused_by(&setting, without, "unverified");
	tear_down(&setting);
}

/* One field of several is enough, and a broken one does no harm. */
static void fields_add_up(void **state)
{
	(void)state;
	accepted_with("Headers",
		      "[" HEADER("Authentication-Results", "mx.example.com; dkim=(") "," HEADER(
			      "Authentication-Results",
			      "mx.example.com; spf=none") "," HEADER("authentication-results",
								     "OTHER.example 1; dkim=pass "
								     "header.d=x.example") "]");
}

static void everybody_without_require_auth(void **state)
{
	const struct settings settings = {.notify = "require_auth = no"};
	struct setting setting = set_up(&settings);
	g_autofree char *body = changed("Mailpipe.Envelope.Sender", "\"ann@y.example\"");
	g_autofree char *null = changed("Mailpipe.Envelope.Sender", "\"\"");
	g_autofree char *list = changed("Mailpipe.Auto", "\"list\"");

	(void)state;
	accepted_by(&setting, body);
	refused_by(&setting, null, "null-sender");
	refused_by(&setting, list, "automatic");
	tear_down(&setting);
}

/* What mailout would refuse, so that it is no dead letter of our own making. */
static void only_addresses(void **state)
{
	static const char *const senders[] = {
		"\"ann\"",
		"\"@x.example\"",
		"\"ann@\"",
		"\"a..b@x.example\"",
		"\".a@x.example\"",
		"\"a b@x.example\"",
		"\"a\\nb@x.example\"",
		"\"\xc3\xbc@x.example\"",
		"\"\\\"a b\\\"@x.example\"",
		"\"a@[192.0.2.1]\"",
		"\"a@x_y.example\"",
		"\"a@-x.example\"",
		"\"a@x..example\"",
	};
	const struct settings settings = {.notify = "require_auth = no"};
	struct setting setting = set_up(&settings);
	g_autofree char *most = g_strnfill(64, 'a');

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(senders); i++) {
		g_autofree char *body = changed("Mailpipe.Envelope.Sender", senders[i]);

		refused_by(&setting, body, "address");
	}
	g_autofree char *fits = g_strdup_printf("\"%s@x.example\"", most);
	g_autofree char *fits_not = g_strdup_printf("\"%sa@x.example\"", most);
	g_autofree char *body = changed("Mailpipe.Envelope.Sender", fits);
	g_autofree char *longer = changed("Mailpipe.Envelope.Sender", fits_not);
	g_autofree char *letters = changed("Mailpipe.Envelope.Sender", "\"a@\xc3\xbc.example\"");

	accepted_by(&setting, body);
	refused_by(&setting, longer, "address");
	accepted_by(&setting, letters);
	tear_down(&setting);
}

/* No document, or one of a mail that was not parsed: nobody knows whether it is automatic. */
static void nobody_when_it_cannot_be_read(void **state)
{
	struct setting setting = set_up(NULL);
	static const char *const bodies[] = {
		"", "junk", "[]", "{}", "{\"Mailpipe\":{\"Envelope\":{}}}", "\xff",
	};
	static const char *const gone[] = {
		"MessageID",         "OriginalRecipient",        "Mailpipe",
		"Mailpipe.Envelope", "Mailpipe.Envelope.Sender", "Headers"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
		assert_false(make_of(&setting, bodies[i], NOTICE_FAILED, "5.6.0", false));
		assert_string_equal(setting.notice.why_not, "unreadable");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(gone); i++) {
		g_autofree char *body = changed(gone[i], NULL);

		assert_false(make_of(&setting, body, NOTICE_FAILED, "5.6.0", false));
		assert_string_equal(setting.notice.why_not, "unreadable");
	}
	tear_down(&setting);
	refused_with("Headers", "[]", "unreadable");
}

/* A document that is refused for one of its fields still tells whom to write to. */
static void a_refused_document_tells_enough(void **state)
{
	struct setting setting = set_up(NULL);
	g_autofree char *body = changed("Attachments", "[{\"Name\": 1}]");

	(void)state;
	assert_true(make_of(&setting, body, NOTICE_FAILED, "5.6.0", false));
	model_is(&setting, FACTS "\"defective\":true,\"status\":\"5.6.0\"}");
	tear_down(&setting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_when_it_is_off),
		cmocka_unit_test(not_the_null_sender),
		cmocka_unit_test(no_automatic_mail),
		cmocka_unit_test(no_automatic_mail_by_its_header),
		cmocka_unit_test(no_programs),
		cmocka_unit_test(not_ourselves),
		cmocka_unit_test(no_unverified_senders),
		cmocka_unit_test(no_signature_without_from),
		cmocka_unit_test(who_has_logged_in_is_verified),
		cmocka_unit_test(fields_add_up),
		cmocka_unit_test(everybody_without_require_auth),
		cmocka_unit_test(only_addresses),
		cmocka_unit_test(nobody_when_it_cannot_be_read),
		cmocka_unit_test(a_refused_document_tells_enough),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
