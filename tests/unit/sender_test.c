/* The parts of a sender that need no server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mailout/sender_check.h"
#include "mailout/sender_frame.h"
#include "mailout/sender_monitor.h"
#include "mailout/sender_reply.h"

/* ---- sender_check ---- */

static void test_addresses(void **state)
{
	static const char *const good[] = {
		"a@b",           "a.b+c=d!#$%&'*/?^_`{|}~-@b-c.test",
		"\"a b\"@c",     "\"<>\\\" @\"@c.test",
		"a@[192.0.2.1]", "a@xn--mnchen-3ya.test",
	};
	static const char *const bad[] = {
		"",           "a",        "@b",          "a@",          "a@b@c",
		"a b@c",      "a@b c",    "<a@b>",       "a@b>",        "a>@b",
		"a@b\r\n",    "a\n@b",    "a@b\x7f",     "a@b,c@d",     "a;b@c",
		"\"a@b",      "\"a\"b@c", "\"a\x01\"@b", "\"a\\\n\"@b", "\xc3\xa4@b",
		"a@\xc3\xa4", "\"a\\",    "\"\\\"@b",    "a\\b@c",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		assert_true(sender_address_ok(good[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		assert_false(sender_address_ok(bad[i]));
}

static void test_address_length(void **state)
{
	g_autofree char *local = g_strnfill(SENDER_ADDRESS_MAX - 2, 'x');
	g_autofree char *longest = g_strconcat(local, "@b", NULL);
	g_autofree char *longer = g_strconcat(local, "@bb", NULL);

	(void)state;
	assert_true(sender_address_ok(longest));
	assert_false(sender_address_ok(longer));
}

#define HEADER "Date: x\r\nFrom: y\r\nMessage-ID: z\r\n"

static const char *fault(const char *message)
{
	return sender_message_fault(message, strlen(message));
}

static void test_messages(void **state)
{
	(void)state;
	assert_null(fault(HEADER "\r\n"));
	assert_null(fault(HEADER "\r\nFrom: in the body\r\nFrom: twice\r\n"));
	assert_null(fault(HEADER "X:\r\n\ty\r\n\r\n\r\n"));
	assert_null(fault("date: x\r\nFROM: y\r\nmessage-id: z\r\n\r\n"));
	assert_string_equal(fault("\r\n" HEADER "\r\n"), "not exactly one Date field");
	assert_string_equal(fault(" x\r\n" HEADER "\r\n"), "a header that begins with a blank");
	assert_string_equal(fault(HEADER "Date: x\r\n\r\n"), "not exactly one Date field");
	assert_string_equal(fault(HEADER ": x\r\n\r\n"), "a line in the header that is no field");
	assert_string_equal(fault(HEADER), "no empty line after the header");
	assert_string_equal(fault(""), "no empty line after the header");
	assert_string_equal(fault(HEADER "\r\nx"), "no CRLF at its end");
	assert_string_equal(fault(HEADER "\r\nx\r"), "no CRLF at its end");
	assert_string_equal(fault(HEADER "\r\nx\n"), "a bare LF");
	assert_string_equal(fault(HEADER "\r\n\n"), "a bare LF");
	assert_string_equal(fault(HEADER "\r\nx\r\r\n"), "a bare CR");
	assert_string_equal(fault(HEADER "\r\n\x80\r\n"), "a byte that is not ASCII");
	assert_string_equal(sender_message_fault("a\0b\r\n", 5), "a NUL");
}

static void test_line_length(void **state)
{
	g_autofree char *line = g_strnfill(SENDER_LINE_MAX, 'x');
	g_autofree char *longest = g_strconcat(HEADER, "\r\n", line, "\r\n", NULL);
	g_autofree char *longer = g_strconcat(HEADER, "\r\n", line, "x\r\n", NULL);

	(void)state;
	assert_null(fault(longest));
	assert_string_equal(fault(longer), "a line longer than 998 bytes");
}

/* ---- sender_reply ---- */

static void test_reply_status(void **state)
{
	struct reply reply;

	(void)state;
	reply_set(&reply, 550, "5.1.1 no  such\tuser\r\n");
	assert_string_equal(reply.status, "5.1.1");
	assert_string_equal(reply.text, "no such user");
	reply_set(&reply, 550, "5.7.123 one\r\n5.7.123 two\r\n");
	assert_string_equal(reply.status, "5.7.123");
	assert_string_equal(reply.text, "one two");
	reply_set(&reply, 250, "5.1.1 of another class");
	assert_string_equal(reply.status, "");
	assert_string_equal(reply.text, "5.1.1 of another class");
	reply_set(&reply, 250, "2.0.1234 too long");
	assert_string_equal(reply.status, "");
	reply_set(&reply, 250, "2.0.0");
	assert_string_equal(reply.status, "2.0.0");
	assert_string_equal(reply.text, "");
	reply_set(&reply, 250, NULL);
	assert_string_equal(reply.text, "");
}

static void test_reply_text_is_one_line_of_utf8(void **state)
{
	g_autofree char *filler = g_strnfill(SENDER_REPLY_MAX - 1, 'x');
	g_autofree char *text = g_strconcat(filler, "\xc3\xa4", NULL);
	struct reply reply;

	(void)state;
	reply_set(&reply, 550,
		  "a\x01\x1b[31m\xff"
		  "b\xc2\x85"
		  "c\r\n\r\nd");
	assert_string_equal(reply.text, "a [31m\xef\xbf\xbd"
					"b c d");
	reply_set(&reply, 550, text);
	assert_string_equal(reply.text, filler);
}

static void test_decide(void **state)
{
	static const struct {
		int rcpt;
		int transfer;
		bool ended;
		enum sent_state state;
		int which; /* 0: none, 1: rcpt, 2: transfer */
	} cases[] = {
		{250, 250, true, SENT_OK, 2},        {251, 250, true, SENT_OK, 2},
		{250, 250, false, SENT_DEFERRED, 2}, {250, 451, true, SENT_DEFERRED, 2},
		{250, 550, true, SENT_FAILED, 2},    {250, 550, false, SENT_FAILED, 2},
		{250, 0, true, SENT_IN_DOUBT, 0},    {250, 0, false, SENT_DEFERRED, 0},
		{250, 354, true, SENT_IN_DOUBT, 2},  {550, 250, true, SENT_FAILED, 1},
		{450, 250, true, SENT_DEFERRED, 1},  {354, 250, true, SENT_DEFERRED, 1},
		{0, 250, true, SENT_DEFERRED, 0},    {0, 0, true, SENT_DEFERRED, 0},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct reply rcpt = {.code = cases[i].rcpt};
		struct reply transfer = {.code = cases[i].transfer};
		const struct reply *const replies[] = {NULL, &rcpt, &transfer};
		const struct reply *which;

		assert_int_equal(reply_decide(&rcpt, &transfer, cases[i].ended, &which),
				 cases[i].state);
		assert_ptr_equal(which, replies[cases[i].which]);
	}
}

/* ---- sender_monitor ---- */

static bool server_says(struct monitor *monitor, const char *text)
{
	g_autofree char *copy = g_strdup(text);

	return monitor_read(monitor, copy, strlen(copy));
}

static bool we_say(struct monitor *monitor, const char *text)
{
	return monitor_write(monitor, text, strlen(text));
}

/* The same reply in pieces of every size. */
static void test_extensions_are_hidden(void **state)
{
	static const char reply[] =
		"250-Cheerful host\r\n250-CHUNKING\r\n250-  chunking\r\n250-size 10\r\n"
		"250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-XEXCH50\r\n"
		"250-AUTH PLAIN CRAM-MD5\r\n250 STARTTLS\r\n";
	static const char shown[] =
		"250-Cheerful host\r\n250-ZHUNKING\r\n250-  Zhunking\r\n250-size 10\r\n"
		"250-ZIPELINING\r\n250-ZNHANCEDSTATUSCODES\r\n250-ZBITMIME\r\n250-ZEXCH50\r\n"
		"250-AUTH PLAIN CRAM-MD5\r\n250 STARTTLS\r\n";

	(void)state;
	for (size_t step = 1; step <= strlen(reply); step++) {
		g_autofree char *copy = g_strdup(reply);
		struct monitor monitor;

		monitor_init(&monitor);
		assert_true(server_says(&monitor, "220 hello\r\n"));
		assert_true(we_say(&monitor, "EHLO me\r\n"));
		for (size_t i = 0; i < strlen(reply); i += step)
			assert_true(monitor_read(&monitor, copy + i, MIN(step, strlen(reply) - i)));
		assert_string_equal(copy, shown);
		assert_false(monitor.asked);
	}
}

static void test_out_of_turn(void **state)
{
	struct monitor monitor;

	(void)state;
	monitor_init(&monitor);
	assert_false(server_says(&monitor, "220 hello\r\n250 there\r\n"));
	assert_string_equal(monitor.fault.text, "the server spoke out of turn");
	monitor_init(&monitor);
	assert_true(server_says(&monitor, "220-hello\r\n220 there\r\n"));
	assert_false(server_says(&monitor, "4"));
	monitor_init(&monitor);
	assert_true(server_says(&monitor, "220 hello\r\n"));
	assert_true(we_say(&monitor, "STARTTLS\r\n"));
	assert_false(server_says(&monitor, "220 go\r\n2"));
	assert_string_equal(monitor.fault.text, "plain text behind the reply to STARTTLS");
	/* Nothing more leaves. */
	assert_false(we_say(&monitor, "QUIT\r\n"));
}

static void test_mail_needs_what_was_asked_for(void **state)
{
	struct monitor monitor;

	(void)state;
	monitor_init(&monitor);
	monitor.wants_tls = true;
	assert_true(server_says(&monitor, "220 hello\r\n"));
	assert_false(we_say(&monitor, "MAIL FROM:<>\r\n"));
	monitor_init(&monitor);
	monitor.wants_tls = true;
	assert_true(server_says(&monitor, "220 hello\r\n"));
	assert_false(we_say(&monitor, "AUTH PLAIN AG1lAGdlaGVpbQ==\r\n"));
	monitor_init(&monitor);
	monitor.wants_auth = true;
	assert_true(server_says(&monitor, "220 hello\r\n"));
	assert_true(we_say(&monitor, "AUTH LOGIN bWU=\r\n"));
	assert_true(server_says(&monitor, "334 UGFzc3dvcmQ6\r\n"));
	assert_true(we_say(&monitor, "Z2VoZWlt\r\n"));
	assert_true(server_says(&monitor, "535 5.7.8 no\r\n"));
	assert_false(we_say(&monitor, "MAIL FROM:<>\r\n"));
	assert_string_equal(monitor.fault.text, "authentication failed: 535 5.7.8 no");
	assert_string_equal(monitor.fault.status, "4.7.8");
}

/* ---- sender_frame ---- */

static struct frame_reader fill(int fds[2], GBytes *frame, size_t step, size_t frame_max)
{
	struct frame_reader reader = {.frame_max = frame_max};
	gsize size;
	const char *data = g_bytes_get_data(frame, &size);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < size; i += step) {
		size_t part = MIN(step, size - i);

		assert_int_equal(write(fds[0], data + i, part), part);
		assert_int_equal(frame_read(&reader, fds[1]), FRAME_INPUT_BYTES);
	}
	return reader;
}

static void drain(struct frame_reader *reader, const int fds[2])
{
	assert_int_equal(frame_read(reader, fds[1]), FRAME_INPUT_NONE);
	close(fds[0]);
	assert_int_equal(frame_read(reader, fds[1]), FRAME_INPUT_ENDED);
	close(fds[1]);
	frame_reader_clear(reader);
}

static void test_job_frames(void **state)
{
	static const char *const recipients[] = {"a@b", "c@d"};
	static const size_t steps[] = {1, 3, 1000};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_autoptr(GBytes) frame = frame_from_job(7, "", recipients, 2, "m\0g", 3);
		int fds[2];
		struct frame_reader reader = fill(fds, frame, steps[i], UINT32_MAX);
		size_t size = 0;
		const char *data = frame_next(&reader, &size);
		struct sender_job *job;

		assert_non_null(data);
		for (size_t cut = 0; cut < size - 3; cut++)
			assert_null(frame_to_job(data, cut));
		job = frame_to_job(data, size);
		assert_int_equal(job->serial, 7);
		assert_string_equal(job->mail_from, "");
		assert_int_equal(job->recipient_count, 2);
		assert_string_equal(job->recipients[1], "c@d");
		assert_int_equal(job->size, 3);
		assert_memory_equal(job->message, "m\0g", 3);
		sender_job_free(job);
		assert_null(frame_next(&reader, &size));
		drain(&reader, fds);
	}
}

static void test_answer_frames(void **state)
{
	struct sent_recipient recipients[] = {
		{.state = SENT_FAILED, .code = 550, .status = "5.1.1", .reply = (char[]){"no"}},
		{.state = SENT_OK, .code = 250, .status = "", .reply = (char[]){""}},
	};
	struct sender_answer answer = {
		.serial = 9, .tried = true, .recipients = recipients, .recipient_count = 2};
	g_autoptr(GBytes) frame = frame_from_answer(&answer);
	struct sender_answer got;
	gsize size;
	const char *data = g_bytes_get_data(frame, &size);

	(void)state;
	data += sizeof(uint32_t);
	size -= sizeof(uint32_t);
	assert_true(frame_to_answer(&got, data, size));
	assert_int_equal(got.serial, 9);
	assert_true(got.tried);
	assert_int_equal(got.recipient_count, 2);
	assert_int_equal(got.recipients[0].state, SENT_FAILED);
	assert_int_equal(got.recipients[0].code, 550);
	assert_string_equal(got.recipients[0].status, "5.1.1");
	assert_string_equal(got.recipients[0].reply, "no");
	sender_answer_clear(&got);
	for (size_t cut = 0; cut < size; cut++)
		assert_false(frame_to_answer(&got, data, cut));
}

/* A child that was taken over says what it likes. */
static void test_answers_are_checked(void **state)
{
	g_autofree char *text = g_strnfill(SENDER_REPLY_MAX + 1, 'x');
	struct sent_recipient bad[] = {
		{.state = SENT_IN_DOUBT + 1, .status = "", .reply = (char[]){""}},
		{.state = SENT_OK, .code = -1, .status = "", .reply = (char[]){""}},
		{.state = SENT_OK, .status = "", .reply = text},
		{.state = SENT_OK, .status = "", .reply = (char[]){"\xff"}},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct sender_answer answer = {.recipients = &bad[i], .recipient_count = 1};
		g_autoptr(GBytes) frame = frame_from_answer(&answer);
		struct sender_answer got;
		gsize size;
		const char *data = g_bytes_get_data(frame, &size);

		assert_false(
			frame_to_answer(&got, data + sizeof(uint32_t), size - sizeof(uint32_t)));
	}
}

static void test_frame_limit(void **state)
{
	static const char *const recipients[] = {"a@b"};
	g_autoptr(GBytes) frame = frame_from_job(1, "", recipients, 1, "message", 7);
	size_t size = g_bytes_get_size(frame) - sizeof(uint32_t);
	int fds[2];
	struct frame_reader reader = fill(fds, frame, 1000, size);

	(void)state;
	drain(&reader, fds);
	reader = fill(fds, frame, 1000, size - 1);
	assert_int_equal(frame_read(&reader, fds[1]), FRAME_INPUT_BROKEN);
	close(fds[0]);
	close(fds[1]);
	frame_reader_clear(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_address_length),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_reply_status),
		cmocka_unit_test(test_reply_text_is_one_line_of_utf8),
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_extensions_are_hidden),
		cmocka_unit_test(test_out_of_turn),
		cmocka_unit_test(test_mail_needs_what_was_asked_for),
		cmocka_unit_test(test_job_frames),
		cmocka_unit_test(test_answer_frames),
		cmocka_unit_test(test_answers_are_checked),
		cmocka_unit_test(test_frame_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
