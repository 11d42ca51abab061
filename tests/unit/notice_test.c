/* notice: what a notice says, and how many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailin/ingest/notice_words.h"
#include "mailout/request.h"
#include "tests/unit/notice_fixture.h"

static void a_delay_is_told(void **state)
{
	struct setting setting = set_up(NULL);

	(void)state;
	assert_true(make(&setting, BASE));
	assert_string_equal(setting.notice.to, "ann@x.example");
	assert_string_equal(setting.notice.stream, "transactional");
	g_autofree char *expected = g_strdup_printf(
		"{\"MessageID\":\"%s\",\"From\":\"postmaster@example.com\","
		"\"EnvelopeSender\":\"\",\"To\":[{\"Email\":\"ann@x.example\"}],"
		"\"TemplateAlias\":\"post-delayed\",\"TemplateModel\":{"
		"\"recipient\":\"support@example.com\",\"subject\":\"The invoice\","
		"\"id\":\"" MAIL_ID "\",\"sent\":\"Sunday, 22 November 2026, 13:00 CET\","
		"\"next\":\"Sunday, 22 November 2026, 17:00 CET\","
		"\"until\":\"Friday, 27 November 2026, 13:00 CET\",\"database\":true},"
		"\"Headers\":[{\"Name\":\"Auto-Submitted\",\"Value\":\"auto-replied\"},"
		"{\"Name\":\"X-Auto-Response-Suppress\",\"Value\":\"All\"},"
		"{\"Name\":\"In-Reply-To\",\"Value\":\"<1@x.example>\"},"
		"{\"Name\":\"References\",\"Value\":\"<1@x.example>\"}],"
		"\"Tag\":\"notice-delayed\",\"Metadata\":{\"MessageID\":\"" MAIL_ID "\"},"
		"\"ExpiresAt\":%" G_GINT64_FORMAT "}",
		setting.notice.id, RECEIVED_S + 1 + MAX_AGE_S);

	assert_string_equal(setting.notice.body, expected);
	tear_down(&setting);
}

static void a_message_for_the_broker(void **state)
{
	struct setting setting = set_up(NULL);

	(void)state;
	assert_true(make(&setting, BASE));
	struct broker_message message = notice_message(&setting.notice);

	assert_string_equal(message.exchange, "mail.out");
	assert_string_equal(message.routing_key, "transactional");
	assert_string_equal(message.message_id, setting.notice.id);
	assert_ptr_equal(message.body, setting.notice.body);
	assert_int_equal(message.body_size, strlen(setting.notice.body));
	assert_false(message.optional);
	tear_down(&setting);
}

/* The reason's own text may name hosts, tables, files: it is not for strangers. */
static void the_reason_is_told_in_plain_words(void **state)
{
	static const struct {
		const char *status;
		const char *model;
	} cases[] = {
		{"4.3.0", FACTS "\"expired\":true,\"status\":\"5.4.7\"}"},
		{"5.4.7", FACTS "\"expired\":true,\"status\":\"5.4.7\"}"},
		{"5.3.4", FACTS "\"too_large\":true,\"status\":\"5.3.4\"}"},
		{"5.6.0", FACTS "\"defective\":true,\"status\":\"5.6.0\"}"},
		{"5.7.26", FACTS "\"not_allowed\":true,\"status\":\"5.7.26\"}"},
		{"5.3.0", FACTS "\"status\":\"5.3.0\"}"},
	};
	struct setting setting = set_up(NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		assert_true(make_of(&setting, BASE, NOTICE_FAILED, cases[i].status, true));
		model_is(&setting, cases[i].model);
		assert_null(strstr(setting.notice.body, "db7"));
		assert_null(strstr(setting.notice.body, "ExpiresAt"));
		assert_non_null(strstr(setting.notice.body, "\"post-failed\""));
	}
	tear_down(&setting);
}

/* A decision about the mail: the poster may know what it was. */
static void what_a_route_does_not_take_is_told(void **state)
{
	static const struct {
		struct inbound_rejection why;
		const char *model;
	} cases[] = {
		{{true, INBOUND_REFUSED_NO_PHOTO, NULL, 0, NULL}, "\"no_photo\":true"},
		{{true, INBOUND_REFUSED_NO_PHOTO, "a.jpg", 0, NULL},
		 "\"file\":\"a.jpg\",\"file_photo\":true"},
		{{true, INBOUND_REFUSED_TYPE, "a\nb.exe", 0, NULL},
		 "\"file\":\"a b.exe\",\"file_kind\":true"},
		{{true, INBOUND_REFUSED_NAME, "a.exe", 0, NULL},
		 "\"file\":\"a.exe\",\"file_kind\":true"},
		{{true, INBOUND_REFUSED_NAME, "a.zip", 0, "b\n.exe"},
		 "\"file\":\"a.zip\",\"entry\":\"b .exe\",\"file_entry\":true"},
		{{true, INBOUND_REFUSED_ARCHIVE, "a.7z", 0, NULL},
		 "\"file\":\"a.7z\",\"file_unread\":true"},
		{{true, INBOUND_REFUSED_SIZE, "a.jpg", 2621440, NULL},
		 "\"file\":\"a.jpg\",\"file_size\":true,\"limit\":\"2.5 MB\""},
		{{true, INBOUND_REFUSED_COUNT, "a.jpg", 10, NULL},
		 "\"file\":\"a.jpg\",\"file_count\":true,\"limit\":\"10\""},
		{{true, INBOUND_REFUSED_COUNT, "a.jpg", 0, NULL},
		 "\"file\":\"a.jpg\",\"file_kind\":true"},
	};
	struct setting setting = set_up(NULL);

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *model =
			g_strconcat(FACTS, cases[i].model, ",\"status\":\"5.6.1\"}", NULL);

		setting.rejection = cases[i].why;
		assert_true(make_of(&setting, BASE, NOTICE_FAILED, "5.6.1", true));
		model_is(&setting, model);
	}
	tear_down(&setting);
}

/* Whatever notify.require_auth says: who it is has just not been proven. */
static void who_was_turned_down_must_be_known(void **state)
{
	const struct settings settings = {.notify = "require_auth = no"};
	struct setting setting = set_up(&settings);
	g_autofree char *unknown = changed("Mailpipe.Envelope.Sender", "\"bob@y.example\"");

	(void)state;
	assert_true(make_of(&setting, unknown, NOTICE_FAILED, "5.7.26", true));
	setting.rejected = true;
	assert_false(make_of(&setting, unknown, NOTICE_FAILED, "5.7.26", true));
	assert_string_equal(setting.notice.why_not, "unverified");
	/* The envelope's domain is established. */
	assert_true(make_of(&setting, BASE, NOTICE_FAILED, "5.7.26", true));
	tear_down(&setting);
}

static void an_id_tells_mail_and_kind(void **state)
{
	struct setting setting = set_up(NULL);
	g_autofree char *other = changed("MessageID", "\"0190163d-8694-8aab-8000-0123456789ac\"");
	char first[ID_TEXT_SIZE];

	(void)state;
	assert_true(make(&setting, BASE));
	g_strlcpy(first, setting.notice.id, sizeof(first));
	assert_true(make_of(&setting, BASE, NOTICE_DELAYED, "4.4.1", false));
	assert_string_equal(setting.notice.id, first);
	assert_true(make_of(&setting, BASE, NOTICE_FAILED, "4.4.1", true));
	assert_string_not_equal(setting.notice.id, first);
	assert_true(make(&setting, other));
	assert_string_not_equal(setting.notice.id, first);
	tear_down(&setting);
}

static void from_is(const struct settings *settings, const char *recipient, const char *expected)
{
	struct setting setting = set_up(settings);
	g_autofree char *json = g_strdup_printf("\"%s\"", recipient);
	g_autofree char *body = changed("OriginalRecipient", json);

	assert_true(make(&setting, body));
	struct wire *request = request_of(&setting);

	if (expected == NULL)
		assert_null(wire_get(request, "From"));
	else
		assert_string_equal(wire_get_text(request, "From"), expected);
	wire_free(&request);
	tear_down(&setting);
}

static void notices_are_from_somebody(void **state)
{
	const struct settings notify = {.notify = "from = Mail <mail@example.com>",
					.mailout = "from = shop@example.com"};
	const struct settings mailout = {.mailout = "from = shop@example.com"};

	(void)state;
	from_is(&notify, "support@example.com", "Mail <mail@example.com>");
	from_is(&mailout, "support@example.com", NULL);
	from_is(NULL, "support+x@example.com", "postmaster@example.com");
	from_is(NULL, "support@-.example", NULL);
	from_is(NULL, "support", NULL);
}

static void the_stream_is_the_configs(void **state)
{
	const struct settings named = {.notify = "stream = bulk"};
	struct setting setting = set_up(&named);

	(void)state;
	assert_true(make(&setting, BASE));
	assert_string_equal(setting.notice.stream, "bulk");
	tear_down(&setting);
}

static void headers_are(const struct setting *setting, const char *expected)
{
	struct wire *json = request_of(setting);
	g_autofree char *text = wire_print(wire_get_array(json, "Headers"), false, NULL);

	assert_string_equal(text, expected);
	wire_free(&json);
}

#define AUTOMATIC                                                                                  \
	HEADER("Auto-Submitted", "auto-replied") "," HEADER("X-Auto-Response-Suppress", "All")

/* RFC 3834, 3.1.5: as any reply does. */
static void it_refers_to_what_the_mail_refers_to(void **state)
{
	g_autofree char *answers = changed("Mailpipe.InReplyTo", "[\"b@x\"]");
	g_autofree char *chain = changed_in(answers, "Mailpipe.References", "[\"a@x\",\"b@x\"]");
	g_autofree char *without = changed_in(chain, "Mailpipe.MessageIDHeader", "\"\"");
	struct setting setting = set_up(&(struct settings){.notify = "per_address_per_day = 100"});

	(void)state;
	for (int read = 0; read <= 1; read++) {
		assert_true(make_of(&setting, answers, NOTICE_DELAYED, "4.3.0", read));
		headers_are(&setting,
			    "[" AUTOMATIC "," HEADER("In-Reply-To", "<1@x.example>") "," HEADER(
				    "References", "<b@x> <1@x.example>") "]");
		assert_true(make_of(&setting, chain, NOTICE_DELAYED, "4.3.0", read));
		headers_are(&setting,
			    "[" AUTOMATIC "," HEADER("In-Reply-To", "<1@x.example>") "," HEADER(
				    "References", "<a@x> <b@x> <1@x.example>") "]");
		assert_true(make_of(&setting, without, NOTICE_DELAYED, "4.3.0", read));
		headers_are(&setting, "[" AUTOMATIC "," HEADER("References", "<a@x> <b@x>") "]");
	}
	tear_down(&setting);
}

/* Ids as long as they come, as many as fit. */
static char *many_ids(void)
{
	enum { LEFT = 800 - 5, COUNT = 200 };
	g_autofree char *left = g_strnfill(LEFT, 'i');
	g_autoptr(GString) ids = g_string_new("[");

	for (int i = 0; i < COUNT; i++)
		g_string_append_printf(ids, "%s\"%s%03d@x\"", i > 0 ? "," : "", left, i);
	g_string_append_c(ids, ']');
	return g_string_free(g_steal_pointer(&ids), FALSE);
}

/* Whatever a stranger or another producer wrote, mailout takes the request. */
static void mailout_takes_every_notice(void **state)
{
	static const struct {
		const char *path;
		const char *json;
	} changes[] = {
		{"Subject", "\"a\\r\\nBcc: x\\u0000\\u0007\\u2028b\""},
		{"Subject", "\"\""},
		{"Subject", "7"},
		{"Subject", "\"{{reason}} {{{x}}} <b>\""},
		{"OriginalRecipient", "\"a\\nb@example.com\""},
		{"OriginalRecipient", "\"a@\\\"b\""},
		{"Mailpipe.MessageIDHeader", "\"a b@c\""},
		{"Mailpipe.MessageIDHeader", "\"a\\nb@c\""},
		{"Mailpipe.MessageIDHeader", "\"a\""},
		{"Mailpipe.MessageIDHeader", "\"a><b@c\""},
		{"Mailpipe.References", "[\"a\\r\\nBcc: b@c\", 1, null, \"\", \"a b@c\"]"},
		{"Mailpipe.References", "{}"},
		{"Mailpipe.References", NULL}, /* many_ids() */
		{"Mailpipe.ReceivedAt", "\"9999-12-31T23:59:59.999Z\""},
		{"Mailpipe.ReceivedAt", "\"0001-01-01T00:00:00.000Z\""},
		{"Mailpipe.ReceivedAt", "\"1970-01-01T00:00:00.000Z\""},
		{"Mailpipe.ReceivedAt", "\"noon\""},
		{"Headers.1.Name", "\"Accept-Language\""},
	};
	g_autofree char *ids = many_ids();
	struct reason reason = {{0}, {0}};
	struct setting setting = set_up(&(struct settings){.notify = "per_address_per_day = 100"});

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
		const char *json = changes[i].json != NULL ? changes[i].json : ids;
		g_autofree char *body = changed(changes[i].path, json);

		if (!make_of(&setting, body, NOTICE_DELAYED, "4.3.0", false))
			fail_msg("%s: %s", setting.notice.why_not, body);
		struct request *request =
			request_new(setting.notice.body, setting.notice.body_size, NULL,
				    "transactional", setting.config, &reason);

		assert_string_equal(reason.text, "");
		assert_non_null(request);
		assert_string_equal(request->envelope_sender, "");
		request_free(&request);
	}
	tear_down(&setting);
}

static void lines_are_cut_and_clean(void **state)
{
	g_autofree char *most = g_strnfill(NOTICE_LINE_MAX, 'x');
	g_autofree char *more = g_strnfill(NOTICE_LINE_MAX + 1, 'x');
	g_autofree char *same = notice_words_line(most);
	g_autofree char *cut = notice_words_line(more);
	g_autofree char *clean = notice_words_line(" a\r\n\tb\x7f ü\xe2\x80\xa8 ");

	(void)state;
	assert_string_equal(same, most);
	assert_int_equal(g_utf8_strlen(cut, -1), NOTICE_LINE_MAX);
	assert_true(g_str_has_suffix(cut, "x…"));
	assert_string_equal(clean, "a   b  ü");
}

static void locale_is(const char *json, const char *otherwise, const char *expected)
{
	struct wire *headers = wire_parse(json, strlen(json), NULL);
	g_autofree char *locale = notice_words_locale(headers, otherwise);

	assert_non_null(headers);
	assert_string_equal(locale, expected);
	wire_free(&headers);
}

static void the_language_is_the_posters(void **state)
{
	(void)state;
	locale_is("[]", "", "");
	locale_is("[]", "de", "de");
	locale_is("[" HEADER("Accept-Language", "de-DE, en-US;q=0.8") "]", "fr", "de-DE");
	locale_is("[" HEADER("Content-Language", "en") "," HEADER("accept-language", " de;q=1") "]",
		  "", "de");
	locale_is("[" HEADER("Content-Language", "nl (ours)") "]", "de", "nl");
	locale_is("[" HEADER("Accept-Language", "*") "," HEADER("Content-Language", "nl") "]", "de",
		  "nl");
	locale_is("[" HEADER("Accept-Language", "../de") "]", "", "");
	locale_is("[" HEADER("Accept-Language", "d") "]", "x!", "");
	locale_is("[" HEADER("Accept-Language", "de-abcdefghi") "]", "", "");
	locale_is("[1, {}, " HEADER("Accept-Language", "de_AT") "]", "", "de_AT");
}

static void time_is(const char *locale, const char *expected)
{
	g_autofree char *words = notice_words_time(RECEIVED_S * 1000 + 999, locale);

	assert_string_equal(words, expected);
}

static void times_are_in_words(void **state)
{
	(void)state;
	time_is("", "Sunday, 22 November 2026, 13:00 CET");
	time_is("en-GB", "Sunday, 22 November 2026, 13:00 CET");
	time_is("DE", "Sonntag, 22. November 2026, 13:00 Uhr (CET)");
	time_is("de_AT", "Sonntag, 22. November 2026, 13:00 Uhr (CET)");
	time_is("den", "2026-11-22 13:00 CET");
	assert_null(notice_words_time(INT64_MAX, ""));
}

/* ---- limits ---- */

static void an_address_has_a_limit(void **state)
{
	const struct settings settings = {.notify = "per_address_per_day = 2"};
	struct setting setting = set_up(&settings);
	g_autofree char *other = changed("Mailpipe.Envelope.Sender", "\"ANN@x.example\"");
	g_autofree char *somebody = changed("Mailpipe.Envelope.Sender", "\"bob@x.example\"");

	(void)state;
	assert_true(make(&setting, BASE));
	assert_true(make(&setting, other));
	assert_false(make(&setting, BASE));
	assert_string_equal(setting.notice.why_not, "limit");
	assert_true(make(&setting, somebody));
	notice_withdraw(setting.notices, &setting.notice);
	assert_true(make(&setting, somebody));
	assert_true(make(&setting, somebody));
	assert_false(make(&setting, somebody));
	/* Nothing was counted that could be given back. */
	notice_withdraw(setting.notices, &setting.notice);
	assert_false(make(&setting, somebody));
	tear_down(&setting);
}

static void all_together_have_a_limit(void **state)
{
	const struct settings settings = {.notify = "per_hour = 1"};
	struct setting setting = set_up(&settings);
	g_autofree char *other = changed("Mailpipe.Envelope.Sender", "\"bob@x.example\"");

	(void)state;
	assert_true(make(&setting, BASE));
	assert_false(make(&setting, other));
	assert_string_equal(setting.notice.why_not, "limit");
	tear_down(&setting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delay_is_told),
		cmocka_unit_test(a_message_for_the_broker),
		cmocka_unit_test(the_reason_is_told_in_plain_words),
		cmocka_unit_test(what_a_route_does_not_take_is_told),
		cmocka_unit_test(who_was_turned_down_must_be_known),
		cmocka_unit_test(an_id_tells_mail_and_kind),
		cmocka_unit_test(notices_are_from_somebody),
		cmocka_unit_test(the_stream_is_the_configs),
		cmocka_unit_test(it_refers_to_what_the_mail_refers_to),
		cmocka_unit_test(mailout_takes_every_notice),
		cmocka_unit_test(lines_are_cut_and_clean),
		cmocka_unit_test(the_language_is_the_posters),
		cmocka_unit_test(times_are_in_words),
		cmocka_unit_test(an_address_has_a_limit),
		cmocka_unit_test(all_together_have_a_limit),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
