/* inbound: what a queue message must be like to become rows, and what is said of one that is not.
 */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/wire.h"
#include "mailin/ingest/inbound.h"

/* "abc" */
#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define QUEUE "mail.in.support"

static const char base[] =
	"{\"MessageID\":\"0190163D-8694-8AAB-8000-0123456789AB\",\"MessageStream\":\"support\","
	"\"OriginalRecipient\":\"support+x@example.com\",\"MailboxHash\":\"x\","
	"\"From\":\"Ann@Example.Net\",\"FromName\":\"Ann\","
	"\"FromFull\":{\"Email\":\"Ann@Example.Net\",\"Name\":\"Ann\",\"MailboxHash\":\"\"},"
	"\"ToFull\":[{\"Email\":\"support@example.com\",\"Name\":\"\",\"MailboxHash\":\"\"}],"
	"\"CcFull\":[],\"BccFull\":[],\"ReplyTo\":\"\",\"Subject\":\"Gr\xc3\xbc\xc3\x9f"
	"e\",\"Date\":\"yesterday\","
	"\"TextBody\":\"text\",\"HtmlBody\":\"\",\"Headers\":[{\"Name\":\"A\",\"Value\":\"b/c\"}],"
	"\"Attachments\":[{\"Name\":\"a.txt\",\"ContentType\":\"text/plain\",\"ContentLength\":3,"
	"\"ContentID\":\"cid\",\"Content\":\"YWJj\",\"Sha256\":\"" ABC_SHA256 "\"}],"
	"\"Mailpipe\":{\"Version\":1,\"ReceivedAt\":\"2026-11-22T13:00:01.234+01:00\","
	"\"Envelope\":{\"Sender\":\"ann@example.net\",\"QueueID\":\"4Q\",\"Size\":1234},"
	"\"MessageIDHeader\":\"1@example.net\",\"InReplyTo\":[\"0@example.net\"],"
	"\"DateUTC\":null,\"Auto\":\"list\",\"Defects\":[\"old\"]}}";

static struct config *config;

static int set_up(void **state)
{
	static const char text[] = "[route support]\nrecipients = support@example.com\n"
				   "[route other]\nrecipients = other@example.com\n";
	g_autofree char *path = NULL;
	struct reason reason;
	int fd = g_file_open_tmp("mailpipe-inbound-XXXXXX", &path, NULL);

	(void)state;
	if (fd < 0 || !g_file_set_contents(path, text, -1, NULL))
		return -1;
	config = config_load(path, &reason);
	remove(path);
	close(fd);
	return config != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

/* The base with the value at "a.b.c" (an index counts in an array) replaced by JSON, or without it.
 */
static char *changed(const char *path, const char *json)
{
	struct wire *document = wire_parse(base, strlen(base), NULL);
	g_auto(GStrv) keys = g_strsplit(path, ".", -1);
	guint last = g_strv_length(keys) - 1;
	struct wire *parent = document;

	for (guint i = 0; i < last; i++)
		parent = g_ascii_isdigit(keys[i][0])
				 ? wire_at(parent, (size_t)g_ascii_strtoull(keys[i], NULL, 10))
				 : wire_get(parent, keys[i]);
	wire_set(parent, keys[last], json != NULL ? wire_parse(json, strlen(json), NULL) : NULL);
	char *text = wire_print(document, false, NULL);

	wire_free(&document);
	return text;
}

static struct inbound *read_text(const char *text, struct reason *reason)
{
	return inbound_read(text, strlen(text), QUEUE, config, reason);
}

static void refused(const char *text, const char *expected)
{
	struct reason reason = {{0}, {0}};
	struct inbound *inbound = read_text(text, &reason);

	assert_null(inbound);
	assert_string_equal(reason.status, "5.6.0");
	assert_string_equal(reason.text, expected);
}

static void refused_with(const char *path, const char *json, const char *expected)
{
	g_autofree char *text = changed(path, json);

	refused(text, expected);
}

static struct inbound *accepted(const char *text)
{
	struct reason reason = {{0}, {0}};
	struct inbound *inbound = read_text(text, &reason);

	assert_string_equal(reason.text, "");
	assert_non_null(inbound);
	return inbound;
}

static struct inbound *accepted_with(const char *path, const char *json)
{
	g_autofree char *text = changed(path, json);

	return accepted(text);
}

static char *quoted(char c, size_t count)
{
	g_autofree char *many = g_strnfill(count, c);

	return g_strdup_printf("\"%s\"", many);
}

/* [element, element ...] */
static char *many(const char *element, size_t count)
{
	GString *list = g_string_new("[");

	for (size_t i = 0; i < count; i++)
		g_string_append_printf(list, "%s%s", i > 0 ? "," : "", element);
	g_string_append_c(list, ']');
	return g_string_free(list, FALSE);
}

static void every_field_becomes_a_column(void **state)
{
	struct inbound *inbound = accepted(base);

	(void)state;
	assert_string_equal(inbound->id_text, "0190163d-8694-8aab-8000-0123456789ab");
	assert_string_equal(inbound->route.data, "support");
	assert_string_equal(inbound->recipient.data, "support+x@example.com");
	assert_string_equal(inbound->mailbox_hash.data, "x");
	assert_string_equal(inbound->sender.data, "ann@example.net");
	assert_string_equal(inbound->queue_id.data, "4Q");
	assert_null(inbound->helo.data);
	assert_int_equal(inbound->size, 1234);
	assert_string_equal(inbound->received_at, "2026-11-22 12:00:01.234");
	assert_int_equal(inbound->received_ms, INT64_C(1795348801234));
	assert_string_equal(inbound->date_header.data, "yesterday");
	assert_string_equal(inbound->date_utc, "");
	assert_string_equal(inbound->message_id_header.data, "1@example.net");
	assert_string_equal(inbound->in_reply_to.data, "[\"0@example.net\"]");
	assert_string_equal(inbound->reference_ids.data, "[]");
	assert_string_equal(inbound->from_email.data, "ann@example.net");
	assert_string_equal(inbound->from_name.data, "Ann");
	assert_string_equal(inbound->to_json.data, "[{\"Email\":\"support@example.com\","
						   "\"Name\":\"\",\"MailboxHash\":\"\"}]");
	assert_string_equal(inbound->subject.data, "Gr\xc3\xbc\xc3\x9f"
						   "e");
	assert_int_equal(inbound->subject.size, 7);
	assert_string_equal(inbound->headers.data, "[{\"Name\":\"A\",\"Value\":\"b/c\"}]");
	assert_string_equal(inbound->automatic.data, "list");
	assert_string_equal(inbound->defects.data, "[\"old\"]");
	assert_null(inbound->raw.data);
	assert_int_equal(inbound->attachment_count, 1);
	assert_string_equal(inbound->attachments[0].name.data, "a.txt");
	assert_int_equal(inbound->attachments[0].blob.size, 3);
	assert_memory_equal(inbound->attachments[0].blob.data, "abc", 3);
	inbound_free(&inbound);
	assert_null(inbound);
}

static void what_is_no_document_is_refused(void **state)
{
	(void)state;
	refused("", "no JSON at byte 0 of 0: unexpected end of data");
	refused("[]", "the document is of type array, not object");
	refused("{}", "MessageID is missing");
	refused("null", "JSON is null");
	refused("{\"MessageID\":\"\xff\"}", "no UTF-8 at byte 14 of 17");
	refused("{\"a\":1} x", "no JSON at byte 8 of 9: unexpected character");
}

static void required_fields_are_named(void **state)
{
	static const char *const required[] = {"MessageID",
					       "MessageStream",
					       "OriginalRecipient",
					       "Subject",
					       "TextBody",
					       "HtmlBody",
					       "Headers",
					       "Attachments",
					       "Mailpipe",
					       "Mailpipe.Version",
					       "Mailpipe.ReceivedAt",
					       "Mailpipe.Envelope",
					       "Mailpipe.Envelope.Sender"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(required); i++) {
		g_autofree char *expected = g_strconcat(required[i], " is missing", NULL);

		refused_with(required[i], NULL, expected);
	}
	refused_with("Attachments.0.Content", NULL, "Attachments[0].Content is missing");
	refused_with("Attachments.0.Sha256", NULL, "Attachments[0].Sha256 is missing");
}

static void wrong_types_are_named(void **state)
{
	(void)state;
	refused_with("MessageID", "1", "MessageID is of type integer, not string");
	refused_with("Subject", "[]", "Subject is of type array, not string");
	refused_with("Mailpipe", "\"x\"", "Mailpipe is of type string, not object");
	refused_with("Mailpipe.Version", "\"1\"",
		     "Mailpipe.Version is of type string, not integer");
	refused_with("Mailpipe.Envelope.Size", "1.5",
		     "Mailpipe.Envelope.Size is of type number, not integer");
	refused_with("Headers", "{}", "Headers is of type object, not array");
	refused_with("Headers", "[1]", "Headers[0].Name is no string");
	refused_with("Headers", "[{\"Name\":\"a\",\"Value\":1}]", "Headers[0].Value is no string");
	refused_with("ToFull", "[{\"Name\":\"a\"}]", "ToFull[0].Email is no string");
	refused_with("Attachments", "[true]", "Attachments[0] is of type boolean, not object");
	refused_with("Mailpipe.Defects", "[1]",
		     "Mailpipe.Defects[0] is of type integer, not string");
	refused_with("Mailpipe.References", "[[]]",
		     "Mailpipe.References[0] is of type array, not string");
}

static void wrong_values_are_named(void **state)
{
	(void)state;
	refused_with("MessageID", "\"12\"", "MessageID is no UUID: \"12\"");
	refused_with("MessageStream", "\"nowhere\"", "MessageStream \"nowhere\" is no route");
	refused_with("MessageStream", "\"other\"",
		     "MessageStream \"other\" does not belong into the queue mail.in.support");
	refused_with("Mailpipe.Version", "2", "Mailpipe.Version is 2, not 1");
	refused_with("Mailpipe.ReceivedAt", "\"today\"",
		     "Mailpipe.ReceivedAt is no time: \"today\"");
	refused_with("Mailpipe.ReceivedAt", "\"0999-01-01T00:00:00Z\"",
		     "Mailpipe.ReceivedAt is no time: \"0999-01-01T00:00:00Z\"");
	refused_with("Mailpipe.Auto", "\"maybe\"", "Mailpipe.Auto is unknown: \"maybe\"");
	refused_with("Mailpipe.Envelope.Size", "-2", "Mailpipe.Envelope.Size is negative");
	refused_with("Subject", "\"a\\u0000b\"", "Subject holds a NUL character");
}

static void attachments_that_lie_are_refused(void **state)
{
	(void)state;
	refused_with("Attachments.0.Content", "\"YWJ\"",
		     "Attachments[0].Content is no correct base64");
	refused_with("Attachments.0.Content", "\"YW\\nJj\"",
		     "Attachments[0].Content is no correct base64");
	refused_with("Attachments.0.ContentLength", "4",
		     "Attachments[0].ContentLength is 4, but Content has 3 bytes");
	refused_with("Attachments.0.ContentLength", "2",
		     "Attachments[0].ContentLength is 2, but Content has 3 bytes");
	refused_with("Attachments.0.Sha256", "\"ff\"",
		     "Attachments[0].Sha256 is no SHA-256: \"ff\"");
	refused_with("Attachments.0.Content", "\"YWJk\"",
		     "Attachments[0].Sha256 is not the digest of Content");
	refused_with("Mailpipe.Raw", "\"?\"", "Mailpipe.Raw is no correct base64");
}

static void names_in_archives_are_read(void **state)
{
	struct inbound *inbound =
		accepted_with("Attachments.0.Archive",
			      "{\"Entries\":[{\"Name\":\"a.exe\",\"Size\":7},{\"Name\":\"b\"}],"
			      "\"Unread\":\"\",\"Encrypted\":true}");
	const struct inbound_attachment *attachment = &inbound->attachments[0];

	(void)state;
	assert_int_equal(attachment->entry_count, 2);
	assert_string_equal(attachment->entries[0].name.data, "a.exe");
	assert_int_equal(attachment->entries[0].size, 7);
	assert_string_equal(attachment->entries[1].name.data, "b");
	assert_int_equal(attachment->entries[1].size, 0);
	assert_false(attachment->unread);
	inbound_free(&inbound);
	inbound = accepted_with("Attachments.0.Archive", "{\"Unread\":\"encrypted\"}");
	assert_int_equal(inbound->attachments[0].entry_count, 0);
	assert_true(inbound->attachments[0].unread);
	inbound_free(&inbound);
}

static void archives_that_lie_are_refused(void **state)
{
	static const char path[] = "Attachments.0.Archive";

	(void)state;
	refused_with(path, "[]", "Attachments[0].Archive is of type array, not object");
	refused_with(path, "{\"Entries\":{}}",
		     "Attachments[0].Archive.Entries is of type object, not array");
	refused_with(path, "{\"Entries\":[\"a\"]}",
		     "Attachments[0].Archive.Entries[0] is of type string, not object");
	refused_with(path, "{\"Entries\":[{\"Name\":\"a\",\"Size\":-1}]}",
		     "Attachments[0].Archive.Entries[0].Size is negative");
	refused_with(path, "{\"Entries\":[{\"Size\":1}]}",
		     "Attachments[0].Archive.Entries[0].Name is missing");
	refused_with(path, "{\"Unread\":true}",
		     "Attachments[0].Archive.Unread is of type boolean, not string");
}

/* All archives of a mail together. */
static void names_in_archives_are_bounded(void **state)
{
	static const char one[] = "{\"Name\":\"a\"}";
	size_t max = (size_t)config->limits.archive_entries;
	g_autofree char *most = many(one, max - 1);
	g_autofree char *archive = g_strdup_printf("{\"Entries\":%s}", most);
	g_autofree char *text = changed("Attachments.0.Archive", archive);

	(void)state;
	for (size_t more = 1; more <= 2; more++) {
		struct wire *document = wire_parse(text, strlen(text), NULL);
		g_autofree char *second = many(one, more);
		g_autofree char *attachment = g_strdup_printf(
			"{\"Name\":\"b\",\"ContentType\":\"b/c\",\"ContentLength\":3,\"Content\":"
			"\"YWJj\",\"Sha256\":\"" ABC_SHA256 "\",\"Archive\":{\"Entries\":%s}}",
			second);

		wire_append(wire_get_array(document, "Attachments"),
			    wire_parse(attachment, strlen(attachment), NULL));
		g_autofree char *whole = wire_print(document, false, NULL);
		struct reason reason = {0};
		struct inbound *inbound = read_text(whole, &reason);

		wire_free(&document);
		if (more == 1) {
			assert_non_null(inbound);
			assert_int_equal(inbound->attachments[1].entry_count, 1);
			inbound_free(&inbound);
		} else {
			assert_null(inbound);
			assert_non_null(strstr(reason.text, "Attachments[1].Archive.Entries has 2 "
							    "elements, more than 1"));
		}
	}
}

static void raw_mail_is_a_blob(void **state)
{
	static const unsigned char abc[] = {0xba, 0x78, 0x16, 0xbf};
	struct inbound *inbound = accepted_with("Mailpipe.Raw", "\"YWJj\"");

	(void)state;
	assert_int_equal(inbound->raw.size, 3);
	assert_memory_equal(inbound->raw.digest, abc, sizeof(abc));
	inbound_free(&inbound);
}

static void names_lead_nowhere(void **state)
{
	struct inbound *inbound = accepted_with("Attachments.0.Name", "\"../a\\\\b\\u0007.txt\"");

	(void)state;
	assert_string_equal(inbound->attachments[0].name.data, ".._a_b_.txt");
	assert_string_equal(inbound->defects.data, "[\"old\",\"Attachments[0].Name made safe\"]");
	inbound_free(&inbound);
	inbound = accepted_with("Attachments.0.Name", "\"..\"");
	assert_string_equal(inbound->attachments[0].name.data, "_");
	inbound_free(&inbound);
}

static void refused_beyond(const char *path, size_t max, const char *expected)
{
	g_autofree char *fits = quoted('x', max);
	g_autofree char *too_long = quoted('x', max + 1);
	struct inbound *inbound = accepted_with(path, fits);

	inbound_free(&inbound);
	refused_with(path, too_long, expected);
}

static void envelopes_are_bounded(void **state)
{
	(void)state;
	refused_beyond("OriginalRecipient", 2048,
		       "OriginalRecipient is longer than 2048 characters");
	refused_beyond("Mailpipe.Envelope.Sender", 2048,
		       "Mailpipe.Envelope.Sender is longer than 2048 characters");
	refused_beyond("Mailpipe.Envelope.QueueID", 64,
		       "Mailpipe.Envelope.QueueID is longer than 64 characters");
	refused_beyond("Mailpipe.Envelope.ClientName", 1025,
		       "Mailpipe.Envelope.ClientName is longer than 1025 characters");
}

static void mail_texts_are_cut_with_a_defect(void **state)
{
	g_autofree char *fits = quoted('x', 998);
	g_autofree char *too_long = quoted('x', 999);
	struct inbound *inbound = accepted_with("Mailpipe.MessageIDHeader", fits);

	(void)state;
	assert_int_equal(inbound->message_id_header.size, 998);
	assert_string_equal(inbound->defects.data, "[\"old\"]");
	inbound_free(&inbound);
	inbound = accepted_with("Mailpipe.MessageIDHeader", too_long);
	assert_int_equal(inbound->message_id_header.size, 998);
	assert_int_equal(strlen(inbound->message_id_header.data), 998);
	assert_string_equal(inbound->defects.data,
			    "[\"old\",\"Mailpipe.MessageIDHeader cut to 998 characters\"]");
	inbound_free(&inbound);
}

static void bodies_are_cut_between_characters(void **state)
{
	size_t max = (size_t)config->limits.body_bytes;
	g_autofree char *fits = quoted('x', max);
	g_autofree char *too_long = g_strdup_printf("\"%.*s\xc3\xbc\"", (int)(max - 1), fits + 1);
	g_autofree char *expected = g_strdup_printf("[\"old\",\"TextBody cut to %zu bytes\"]", max);
	struct inbound *inbound = accepted_with("TextBody", fits);

	(void)state;
	assert_int_equal(inbound->text_body.size, max);
	inbound_free(&inbound);
	inbound = accepted_with("TextBody", too_long);
	assert_int_equal(inbound->text_body.size, max - 1);
	assert_string_equal(inbound->defects.data, expected);
	inbound_free(&inbound);
}

static void a_reply_that_is_not_told_is_the_whole_text(void **state)
{
	struct inbound *inbound = accepted(base);

	(void)state;
	assert_string_equal(inbound->text_reply.data, "text");
	inbound_free(&inbound);
	inbound = accepted_with("StrippedTextReply", "\"te\"");
	assert_string_equal(inbound->text_reply.data, "te");
	inbound_free(&inbound);
	inbound = accepted_with("StrippedTextReply", "\"\"");
	assert_string_equal(inbound->text_reply.data, "");
	inbound_free(&inbound);
}

static void counts_are_bounded(const char *key, const char *element, int64_t max)
{
	g_autofree char *fits = many(element, (size_t)max);
	g_autofree char *too_many = many(element, (size_t)max + 1);
	g_autofree char *expected =
		g_strdup_printf("%s has %" G_GINT64_FORMAT " elements, more than %" G_GINT64_FORMAT,
				key, max + 1, max);
	struct inbound *inbound = accepted_with(key, fits);

	inbound_free(&inbound);
	refused_with(key, too_many, expected);
}

static void lists_are_bounded(void **state)
{
	(void)state;
	counts_are_bounded("Headers", "{\"Name\":\"a\",\"Value\":\"b\"}", config->limits.headers);
	counts_are_bounded("ToFull", "{\"Email\":\"a\",\"Name\":\"b\",\"MailboxHash\":\"\"}",
			   config->limits.addresses);
	counts_are_bounded("Attachments",
			   "{\"Name\":\"a\",\"ContentType\":\"b\",\"ContentLength\":3,"
			   "\"Content\":\"YWJj\",\"Sha256\":\"" ABC_SHA256 "\"}",
			   config->limits.attachments);
}

static void values_are_counted_before_they_cost_memory(void **state)
{
	const struct config_limits *limits = &config->limits;
	int64_t max = limits->headers * 3 + limits->addresses * 16 + limits->attachments * 20 +
		      limits->archive_entries * 3 + 20000;
	g_autofree char *fits = many("0", (size_t)max - 200);
	g_autofree char *too_many = many("0", (size_t)max);
	g_autofree char *bomb = changed("Unknown", too_many);
	struct inbound *inbound = accepted_with("Unknown", fits);
	struct reason reason;

	(void)state;
	inbound_free(&inbound);
	assert_null(read_text(bomb, &reason));
	assert_non_null(strstr(reason.text, " values is more than the limits allow"));
	/* Commas and brackets in texts are none. */
	g_autofree char *commas = quoted(',', (size_t)max + 1);

	inbound = accepted_with("TextBody", commas);
	inbound_free(&inbound);
	inbound = accepted_with("TextBody", "\"\\\\\"");
	assert_string_equal(inbound->text_body.data, "\\");
	inbound_free(&inbound);
}

static void deep_nesting_is_refused(void **state)
{
	enum { DEPTH = 10000 };
	g_autofree char *text = g_strnfill(DEPTH, '[');

	(void)state;
	refused(text, "no JSON at byte 16 of 10000: nesting too deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_becomes_a_column),
		cmocka_unit_test(what_is_no_document_is_refused),
		cmocka_unit_test(required_fields_are_named),
		cmocka_unit_test(wrong_types_are_named),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(attachments_that_lie_are_refused),
		cmocka_unit_test(names_in_archives_are_read),
		cmocka_unit_test(archives_that_lie_are_refused),
		cmocka_unit_test(names_in_archives_are_bounded),
		cmocka_unit_test(raw_mail_is_a_blob),
		cmocka_unit_test(names_lead_nowhere),
		cmocka_unit_test(envelopes_are_bounded),
		cmocka_unit_test(mail_texts_are_cut_with_a_defect),
		cmocka_unit_test(bodies_are_cut_between_characters),
		cmocka_unit_test(a_reply_that_is_not_told_is_the_whole_text),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(values_are_counted_before_they_cost_memory),
		cmocka_unit_test(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
