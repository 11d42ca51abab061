#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "mailin/document.h"

static const struct id ID = {{0x01, 0x8f, 0, 0, 0, 0, 0x80, 1, 0x80, 1, 2, 3, 4, 5, 6, 7}};
static const struct envelope ENVELOPE = {
	.queue_id = "4bKxYJ5sG9z1Wk2",
	.sender = "ann@example.org",
	.recipient = "support+tag@example.com",
	.client_address = "192.0.2.1",
	.client_name = "mx.example.org",
	.helo = "helo.example.org",
	.sasl_username = "ann",
	.size = 42,
};

static struct reason reason;

static struct wire *new_document(void)
{
	/* 2026-11-22T12:34:56.007Z */
	return document_new(&ENVELOPE, "support", &ID, "+", INT64_C(1795350896007));
}

static void assert_json(struct wire *value, const char *text)
{
	g_autofree char *got = wire_print(value, false, NULL);

	assert_string_equal(got, text);
}

static void the_skeleton_is_the_envelope(void **state)
{
	struct wire *document = new_document();

	(void)state;
	assert_json(document,
		    "{\"MessageID\":\"018f0000-0000-8001-8001-020304050607\","
		    "\"MessageStream\":\"support\","
		    "\"OriginalRecipient\":\"support+tag@example.com\",\"MailboxHash\":\"tag\","
		    "\"Mailpipe\":{\"Version\":1,\"ReceivedAt\":\"2026-11-22T12:34:56.007Z\","
		    "\"Envelope\":{\"Sender\":\"ann@example.org\","
		    "\"Recipient\":\"support+tag@example.com\",\"QueueID\":\"4bKxYJ5sG9z1Wk2\","
		    "\"ClientAddress\":\"192.0.2.1\",\"ClientName\":\"mx.example.org\","
		    "\"Helo\":\"helo.example.org\",\"SaslUsername\":\"ann\",\"Size\":42},"
		    "\"Defects\":[]}}");
	wire_free(&document);
}

static void what_the_client_chose_is_bounded(void **state)
{
	g_autofree char *large = g_strnfill(5000, 'x');
	struct envelope envelope = {.queue_id = "",
				    .sender = "",
				    .recipient = "",
				    .client_address = large,
				    .client_name = large,
				    .helo = large,
				    .sasl_username = large,
				    .size = -1};
	struct wire *document = document_new(&envelope, "r", &ID, "", 0);
	struct wire *object = wire_get_object(wire_get_object(document, "Mailpipe"), "Envelope");

	(void)state;
	assert_int_equal(strlen(wire_get_text(object, "ClientAddress")), 64);
	assert_int_equal(strlen(wire_get_text(object, "ClientName")), 1024);
	assert_int_equal(strlen(wire_get_text(object, "Helo")), 1024);
	assert_int_equal(strlen(wire_get_text(object, "SaslUsername")), 1024);
	assert_null(wire_get(object, "Size"));
	wire_free(&document);
}

static void a_defect_is_named_once(void **state)
{
	struct wire *document = new_document();

	(void)state;
	document_add_defect(document, "a");
	document_add_defect(document, "b");
	document_add_defect(document, "a");
	assert_json(wire_get(wire_get(document, "Mailpipe"), "Defects"), "[\"a\",\"b\"]");
	wire_free(&document);
}

static void an_unparsed_mail_has_every_field(void **state)
{
	struct wire *document = new_document();

	(void)state;
	wire_set_text(document, "Subject", "kept");
	document_add_raw(document, "raw\xff", 4);
	document_fill_empty(document);
	g_autofree char *got = wire_print(document, false, NULL);

	assert_non_null(
		strstr(got, "\"From\":\"\",\"FromName\":\"\",\"To\":\"\",\"Cc\":\"\",\"Bcc\":\"\","
			    "\"ReplyTo\":\"\",\"Date\":\"\",\"TextBody\":\"\",\"HtmlBody\":\"\","
			    "\"StrippedTextReply\":\"\","
			    "\"FromFull\":{\"Email\":\"\",\"Name\":\"\",\"MailboxHash\":\"\"},"
			    "\"ToFull\":[],\"CcFull\":[],\"BccFull\":[],\"Headers\":[],"
			    "\"Attachments\":[],\"Mailpipe\":{"));
	assert_string_equal(wire_get_text(document, "Subject"), "kept");
	assert_non_null(strstr(got, "\"Raw\":\"cmF3/w==\""));
	assert_non_null(strstr(got, "\"Auto\":\"no\""));
	assert_non_null(strstr(got, "\"DateUTC\":null"));
	wire_free(&document);
}

static void a_job_comes_through_whole(void **state)
{
	const size_t parser_limits = offsetof(struct config_limits, body_bytes) + sizeof(int64_t);
	struct config_limits limits = {0};
	char first[] = "mx.example.com";
	char second[] = "mx2.example.com";
	char *ids[] = {first, second, NULL};
	struct document_job got;

	(void)state;
	/* Every limit that the parser knows another number; body_bytes is the last of them. */
	for (size_t i = 0; i < parser_limits / sizeof(int64_t); i++)
		((int64_t *)(void *)&limits)[i] = (int64_t)i + 1;
	const struct document_job told = {.document = new_document(),
					  .limits = limits,
					  .raw = CONFIG_RAW_YES,
					  .loop = "mailpipe/test",
					  .authserv_ids = ids,
					  .authserv_hops = 2};
	struct wire *sent = document_job_print(&told);
	size_t size;
	g_autofree char *text = wire_print(sent, false, &size);
	struct wire *job = wire_parse(text, size, &reason);

	assert_true(document_job_read(job, &got, &reason));
	assert_memory_equal(&got.limits, &limits, parser_limits);
	assert_int_equal(got.raw, CONFIG_RAW_YES);
	assert_string_equal(got.loop, "mailpipe/test");
	assert_int_equal(g_strv_length(got.authserv_ids), 2);
	assert_string_equal(got.authserv_ids[1], "mx2.example.com");
	assert_int_equal(got.authserv_hops, 2);
	assert_string_equal(wire_get_text(got.document, "MessageStream"), "support");
	document_job_clear(&got);
	wire_free(&job);
	wire_free(&sent);
}

static void a_broken_job_is_refused(void **state)
{
#define DOCUMENT "\"Document\":{\"Mailpipe\":{\"Defects\":[]}}"
	static const char *const JOBS[] = {
		"{}",
		"[]",
		"{\"Document\":{}}",
		"{" DOCUMENT "}",
		"{" DOCUMENT ",\"Limits\":{\"message_size\":-1}}",
		"{" DOCUMENT ",\"Limits\":{\"message_size\":\"1\"}}",
	};
	char *none[] = {NULL};
	const struct document_job told = {.document = new_document(),
					  .limits = {.deadline = 1},
					  .raw = CONFIG_RAW_NO,
					  .loop = "mailpipe/test",
					  .authserv_ids = none};
	struct document_job got;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(JOBS); i++) {
		struct wire *job = wire_parse(JOBS[i], strlen(JOBS[i]), &reason);

		assert_false(document_job_read(job, &got, &reason));
		document_job_clear(&got);
		assert_string_equal(reason.status, "4.3.0");
		wire_free(&job);
	}
	struct wire *job = document_job_print(&told);

	wire_set(job, "AuthservIDs", wire_object());
	assert_false(document_job_read(job, &got, &reason));
	assert_string_equal(reason.text, "the job does not tell whose results are believed");
	document_job_clear(&got);
	wire_set_text(job, "Raw", "perhaps");
	assert_false(document_job_read(job, &got, &reason));
	assert_string_equal(reason.text, "the job does not tell when to add the raw mail");
	document_job_clear(&got);
	wire_free(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_skeleton_is_the_envelope),
		cmocka_unit_test(what_the_client_chose_is_bounded),
		cmocka_unit_test(a_defect_is_named_once),
		cmocka_unit_test(an_unparsed_mail_has_every_field),
		cmocka_unit_test(a_job_comes_through_whole),
		cmocka_unit_test(a_broken_job_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
