/* Lines of mail logs, also those that strangers had a hand in. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "mailctl/logline.h"

/* 2026-11-22 16:00:00 UTC */
#define NOW_MS INT64_C(1795363200000)

static char buffer[1024];

static bool parse(const char *text, struct logline *line)
{
	g_strlcpy(buffer, text, sizeof(buffer));
	return logline_parse(buffer, line);
}

static void assert_field(const struct logline *line, const char *name, const char *expected)
{
	g_autofree char *value = logline_field(line, name);

	if (expected == NULL)
		assert_null(value);
	else
		assert_string_equal(value, expected);
}

static void a_line_of_postfix(void **state)
{
	struct logline line;

	(void)state;
	assert_true(parse("Nov 22 15:58:26 mail postfix/pipe[31843]: 4jXYmb6zpbz1bqXX: "
			  "to=<help@example.test>, orig_to=<h@example.test>, relay=mailpipe, "
			  "delay=0.08, dsn=2.0.0, status=sent (delivered via (a) service)",
			  &line));
	assert_int_equal(line.kind, LOGLINE_POSTFIX);
	assert_string_equal(line.program, "postfix/pipe");
	assert_string_equal(line.service, "pipe");
	assert_string_equal(line.queue_id, "4jXYmb6zpbz1bqXX");
	assert_field(&line, "to", "help@example.test");
	assert_field(&line, "orig_to", "h@example.test");
	assert_field(&line, "status", "sent");
	assert_field(&line, "(", "delivered via (a) service");
	assert_field(&line, "size", NULL);
}

static void a_line_of_ours(void **state)
{
	struct logline line;

	(void)state;
	assert_true(parse("2026-11-22T15:58:26.123456+00:00 mail mailin-ingest[1]: "
			  "4jXYmb6zpbz1bqXX 01a20400-826f-8315-b117-9012de5e7471 event=dead "
			  "from=\"\" reason=\"a \\\"b\\\" \\u0007=c\" attempt=1",
			  &line));
	assert_int_equal(line.kind, LOGLINE_OURS);
	assert_string_equal(line.queue_id, "4jXYmb6zpbz1bqXX");
	assert_string_equal(line.message_id, "01a20400-826f-8315-b117-9012de5e7471");
	assert_field(&line, "event", "dead");
	assert_field(&line, "from", "");
	assert_field(&line, "reason", "a \"b\" \a=c");
	assert_field(&line, "attempt", "1");
	assert_true(parse("mailout[1]: - - event=start text=x", &line));
	assert_string_equal(line.queue_id, "");
	assert_string_equal(line.message_id, "");
	assert_string_equal(line.stamp, "");
}

static void multi_instance_and_service_names(void **state)
{
	struct logline line;

	(void)state;
	assert_true(parse("Nov  2 01:02:03 mail postfix-out/submission/smtpd[1]: "
			  "ABCDEF0123: client=a[192.0.2.1], sasl_username=x",
			  &line));
	assert_string_equal(line.service, "smtpd");
	assert_field(&line, "client", "a[192.0.2.1]");
	assert_true(parse("Nov 22 15:58:26 mail postfix/smtpd[1]: NOQUEUE: reject: RCPT from x",
			  &line));
	assert_string_equal(line.queue_id, "NOQUEUE");
	assert_true(parse("Nov 22 15:58:26 mail postfix/smtpd[1]: connect from a: b", &line));
	assert_string_equal(line.queue_id, "");
}

/* An address may be any quoted string: it claims nothing. */
static void addresses_claim_no_fields(void **state)
{
	struct logline line;

	(void)state;
	assert_true(parse("Nov 22 15:58:26 mail postfix/smtp[1]: ABCDEF: "
			  "to=<\"a>, relay=x, status=sent (ok)\"@b.test>, relay=none, dsn=4.4.1, "
			  "status=deferred (connect: refused)",
			  &line));
	assert_field(&line, "to", "\"a>, relay=x, status=sent (ok)\"@b.test");
	assert_field(&line, "status", "deferred");
	assert_field(&line, "relay", "none");
	assert_true(
		parse("mailin[1]: Q1 - event=published from=\"x event=dead to=y\" to=z", &line));
	assert_field(&line, "event", "published");
	assert_field(&line, "to", "z");
}

static void what_is_no_line_of_mail(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		":",
		"Nov 22 15:58:26",
		"Nov 22 15:58:26 mail",
		"Nov 22 15:58:26 mail sshd[1]: 4jXYmb6zpbz1bqXX: to=<a@b>",
		"mailin",
		"mailin[1]:",
		"mailin[1]: x",
		"mailin[1]: Q M nothing",
		"postfix[1]: ABCDEF: x",
		"2026-11-22T15:58:26",
		"\xff\xfe\x01\x1b[31m",
	};
	struct logline line;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		assert_false(parse(lines[i], &line));
}

/* Cut anywhere, changed anywhere: no crash, and terminated strings. */
static void nonsense_does_no_harm(void **state)
{
	static const char whole[] =
		"Nov 22 15:58:26 mail postfix/smtp[1]: ABCDEF: to=<\"a\\\"b\"@b>, relay=c, "
		"status=sent (250 queued as 4jXYmb6zpbz1bqXX)";
	static const char ours[] = "mailout[1]: - M event=sent reply=\"a \\u00e9 \\\"\" to=x";
	static const char *const fields[] = {"to", "status", "(", "event", "reply", "none"};
	char text[sizeof(whole)];
	struct logline line;
	GRand *random = g_rand_new_with_seed(1);

	(void)state;
	for (int round = 0; round < 20000; round++) {
		g_strlcpy(text, round % 2 == 0 ? whole : ours, sizeof(text));
		size_t length = strlen(text);

		text[g_rand_int_range(random, 0, (int)length)] = (char)g_rand_int(random);
		text[g_rand_int_range(random, 0, (int)length + 1)] = '\0';
		if (!parse(text, &line))
			continue;
		for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
			g_free(logline_field(&line, fields[i]));
	}
	g_rand_free(random);
}

static int64_t when(const char *stamp, bool *exact)
{
	struct logline line = {.stamp = stamp};

	return logline_when(&line, NOW_MS, exact);
}

static void times(void **state)
{
	bool exact;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(when("Nov 22 15:58:26", &exact), NOW_MS - 94 * 1000);
	assert_false(exact);
	/* Last year's, for there is none in the future. */
	assert_int_equal(when("Dec 31 16:00:00", &exact), NOW_MS - 326 * INT64_C(86400000));
	assert_int_equal(when("2026-11-22T15:58:26.123456+00:00", &exact),
			 NOW_MS - 94 * 1000 + 123);
	assert_true(exact);
	assert_int_equal(when("2026-11-22T16:58:26.123456+0100", &exact), NOW_MS - 94 * 1000 + 123);
	assert_int_equal(when("2026-11-22T15:58:26Z", &exact), NOW_MS - 94 * 1000);
	assert_false(exact);
	assert_int_equal(when("", &exact), -1);
	assert_int_equal(when("2026-99-22T15:58:26Z", &exact), -1);
	assert_int_equal(when("Foo 22 15:58:26", &exact), -1);
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(when("Nov 22 16:58:26", &exact), NOW_MS - 94 * 1000);
}

static void what_a_relay_took(void **state)
{
	(void)state;
	g_autofree char *one = logline_queued_as("250 2.0.0 Ok: queued as 4jXYkr41Y0z1bqRZ");
	g_autofree char *two = logline_queued_as("Ok: queued as queued as ABC123.");

	assert_string_equal(one, "4jXYkr41Y0z1bqRZ");
	assert_string_equal(two, "ABC123");
	assert_null(logline_queued_as("250 queued as <x>"));
	assert_null(logline_queued_as("250 accepted"));
	assert_null(logline_queued_as("queued as "));
}

static void queue_ids(void **state)
{
	(void)state;
	assert_true(logline_is_queue_id("4jXYkr41Y0z1bqRZ"));
	assert_true(logline_is_queue_id("0A1B2C3D"));
	assert_false(logline_is_queue_id("abc"));
	assert_false(logline_is_queue_id("warning "));
	assert_false(logline_is_queue_id("4jXYkr41Y0z1bqRZ4jXYkr41Y0z1bqRZ"));
	assert_false(logline_is_queue_id(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_postfix),
		cmocka_unit_test(a_line_of_ours),
		cmocka_unit_test(multi_instance_and_service_names),
		cmocka_unit_test(addresses_claim_no_fields),
		cmocka_unit_test(what_is_no_line_of_mail),
		cmocka_unit_test(nonsense_does_no_harm),
		cmocka_unit_test(times),
		cmocka_unit_test(what_a_relay_took),
		cmocka_unit_test(queue_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
