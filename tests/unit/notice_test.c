/* notice: what a notice says, and whom none goes to. */
#include <glib.h>
#include <glib/gstdio.h>
#include <gmime/gmime.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/wire.h"
#include "mailin/ingest/inbound.h"
#include "mailin/ingest/notice.h"
#include "mailin/ingest/notice_words.h"
#include "mailout/request.h"

#define QUEUE "mail.in.support"
#define MAIL_ID "0190163d-8694-8aab-8000-0123456789ab"

static const char BASE[] =
	"{\"MessageID\":\"" MAIL_ID "\",\"MessageStream\":\"support\","
	"\"OriginalRecipient\":\"support@example.com\",\"MailboxHash\":\"\","
	"\"From\":\"ann@x.example\",\"FromName\":\"Ann\",\"Subject\":\"The invoice\","
	"\"TextBody\":\"text\",\"HtmlBody\":\"\","
	"\"Headers\":[{\"Name\":\"Received\",\"Value\":\"from x\"},"
	"{\"Name\":\"Authentication-Results\","
	"\"Value\":\"mx.example.com; spf=pass smtp.mailfrom=x.example\"}],"
	"\"Attachments\":[],"
	"\"Mailpipe\":{\"Version\":1,\"ReceivedAt\":\"2026-11-22T12:00:00.000Z\","
	"\"Envelope\":{\"Sender\":\"ann@x.example\",\"QueueID\":\"4Q\",\"Size\":1234},"
	"\"MessageIDHeader\":\"1@x.example\",\"InReplyTo\":[],\"References\":[],"
	"\"DateUTC\":null,\"Auto\":\"no\",\"Defects\":[]}}";

/* 2026-11-22 12:00:00 UTC */
static const int64_t RECEIVED_S = INT64_C(1795348800);

static char folder[] = "/tmp/mailpipe-notice-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	g_mime_init();
	return g_mkdtemp(folder) != NULL ? 0 : -1;
}

static void remove_in_folder(const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	g_remove(path);
}

static int remove_folder(void **state)
{
	(void)state;
	remove_in_folder("conf");
	return g_rmdir(folder);
}

/* ---- a worker's half ---- */

/* Lines of [notify], of [mailout], of [route support]. */
struct settings {
	const char *notify;
	const char *mailout;
	const char *route;
};

struct setting {
	struct config *config;
	struct notices *notices;
	struct notice notice;
};

static struct setting set_up(const struct settings *settings)
{
	static const struct settings none = {"", "", ""};
	const struct settings *s = settings != NULL ? settings : &none;
	g_autofree char *path = g_build_filename(folder, "conf", NULL);
	g_autofree char *text = g_strdup_printf(
		"[mailpipe]\nstate_dir = %s\n[notify]\nauthserv_ids = other.example "
		"MX.example.com\n%s\n[mailout]\n%s\n"
		"[route support]\nrecipients = support@example.com *@lists.example.com\n%s\n",
		folder, s->notify != NULL ? s->notify : "", s->mailout != NULL ? s->mailout : "",
		s->route != NULL ? s->route : "");
	struct setting setting = {0};
	struct reason reason = {{0}, {0}};

	remove_in_folder("notices.counts");
	assert_true(g_file_set_contents(path, text, -1, NULL));
	setting.config = config_load(path, &reason);
	assert_string_equal(reason.text, "");
	setting.notices = notices_new(setting.config, &reason);
	assert_string_equal(reason.text, "");
	return setting;
}

static void tear_down(struct setting *setting)
{
	notice_clear(&setting->notice);
	notices_free(&setting->notices);
	assert_null(setting->notices);
	config_free(&setting->config);
	remove_in_folder("notices.counts");
}

/* The base with the value at "a.b.c" (an index counts in an array) replaced by JSON; `json` NULL:
 * without it. */
static char *changed(const char *path, const char *json)
{
	struct wire *document = wire_parse(BASE, strlen(BASE), NULL);
	g_auto(GStrv) keys = g_strsplit(path, ".", -1);
	guint last = g_strv_length(keys) - 1;
	struct wire *parent = document;

	assert_non_null(document);
	for (guint i = 0; i < last; i++)
		parent = g_ascii_isdigit(keys[i][0])
				 ? wire_at(parent, (size_t)g_ascii_strtoull(keys[i], NULL, 10))
				 : wire_get(parent, keys[i]);
	wire_set(parent, keys[last], json != NULL ? wire_parse(json, strlen(json), NULL) : NULL);
	char *text = wire_print(document, false, NULL);

	wire_free(&document);
	return text;
}

/* With what the message says of itself where it cannot be read. */
static bool make_of(struct setting *setting, const char *body, enum notice_kind kind,
		    const char *status, bool read)
{
	struct broker_delivery delivery = {.queue = (char *)QUEUE,
					   .body = (char *)body,
					   .body_size = strlen(body),
					   .first_seen = RECEIVED_S + 1};
	struct reason reason = {{0}, {0}};
	struct notice_about about = {.kind = kind,
				     .delivery = &delivery,
				     .reason = &reason,
				     .next_attempt_ms = (RECEIVED_S + 4 * 3600) * 1000};
	struct inbound *inbound =
		read ? inbound_read(body, strlen(body), QUEUE, setting->config, NULL) : NULL;

	assert_true(!read || inbound != NULL);
	about.inbound = inbound;
	g_strlcpy(reason.status, status, sizeof(reason.status));
	g_strlcpy(reason.text, "database: db7.internal", sizeof(reason.text));
	notice_clear(&setting->notice);
	bool made = notice_make(setting->notices, &about, &setting->notice);

	assert_true(made == (setting->notice.why_not == NULL));
	assert_true(made == (setting->notice.body != NULL));
	inbound_free(&inbound);
	return made;
}

static bool make(struct setting *setting, const char *body)
{
	return make_of(setting, body, NOTICE_DELAYED, "4.3.0", true);
}

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

/* ---- what a notice says ---- */

static struct wire *request_of(const struct setting *setting)
{
	struct wire *json = wire_parse(setting->notice.body, setting->notice.body_size, NULL);

	assert_non_null(json);
	return json;
}

static void model_is(const struct setting *setting, const char *expected)
{
	struct wire *json = request_of(setting);
	g_autofree char *text = wire_print(wire_get_object(json, "TemplateModel"), false, NULL);

	assert_string_equal(text, expected);
	wire_free(&json);
}

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
		setting.notice.id, RECEIVED_S + 1 + 5 * 86400);

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

#define FACTS                                                                                      \
	"{\"recipient\":\"support@example.com\",\"subject\":\"The invoice\","                      \
	"\"id\":\"" MAIL_ID "\",\"sent\":\"Sunday, 22 November 2026, 13:00 CET\","

/* The reason's own text may name hosts, tables, files: it is not for strangers. */
static void the_reason_is_told_in_plain_words(void **state)
{
	static const struct {
		const char *status;
		const char *model;
	} cases[] = {
		{"4.3.0", FACTS "\"expired\":true,\"status\":\"5.4.7\"}"},
		{"5.3.4", FACTS "\"too_large\":true,\"status\":\"5.3.4\"}"},
		{"5.6.0", FACTS "\"defective\":true,\"status\":\"5.6.0\"}"},
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
		{"Mailpipe.ReceivedAt", "\"9999-12-31T23:59:59.999Z\""},
		{"Mailpipe.ReceivedAt", "\"0001-01-01T00:00:00.000Z\""},
		{"Mailpipe.ReceivedAt", "\"1970-01-01T00:00:00.000Z\""},
		{"Mailpipe.ReceivedAt", "\"noon\""},
		{"Headers.0.Name", "\"Accept-Language\""},
	};
	struct reason reason = {{0}, {0}};
	struct setting setting = set_up(&(struct settings){.notify = "per_address_per_day = 100"});

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
		g_autofree char *body = changed(changes[i].path, changes[i].json);

		if (!make_of(&setting, body, NOTICE_DELAYED, "4.3.0", false))
			fail_msg("%s: %s", setting.notice.why_not, body);
		struct request *request =
			request_new(setting.notice.body, setting.notice.body_size, NULL,
				    "transactional", setting.config, &reason);

		if (request == NULL)
			fail_msg("%s: %s", reason.text, setting.notice.body);
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

#define HEADER(name, value) "{\"Name\":\"" name "\",\"Value\":\"" value "\"}"

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

/* ---- whom none goes to ---- */

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
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(senders); i++)
		refused_with("Mailpipe.Envelope.Sender", senders[i], "unverified");
	for (size_t i = 0; i < G_N_ELEMENTS(headers); i++)
		refused_with("Headers", headers[i], "unverified");
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
		cmocka_unit_test(an_id_tells_mail_and_kind),
		cmocka_unit_test(notices_are_from_somebody),
		cmocka_unit_test(the_stream_is_the_configs),
		cmocka_unit_test(mailout_takes_every_notice),
		cmocka_unit_test(lines_are_cut_and_clean),
		cmocka_unit_test(the_language_is_the_posters),
		cmocka_unit_test(times_are_in_words),
		cmocka_unit_test(nobody_when_it_is_off),
		cmocka_unit_test(not_the_null_sender),
		cmocka_unit_test(no_automatic_mail),
		cmocka_unit_test(no_automatic_mail_by_its_header),
		cmocka_unit_test(no_programs),
		cmocka_unit_test(not_ourselves),
		cmocka_unit_test(no_unverified_senders),
		cmocka_unit_test(who_has_logged_in_is_verified),
		cmocka_unit_test(fields_add_up),
		cmocka_unit_test(everybody_without_require_auth),
		cmocka_unit_test(only_addresses),
		cmocka_unit_test(nobody_when_it_cannot_be_read),
		cmocka_unit_test(a_refused_document_tells_enough),
		cmocka_unit_test(an_address_has_a_limit),
		cmocka_unit_test(all_together_have_a_limit),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
