#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/id.h"
#include "mailin/input.h"

enum {
	LIMIT = 1024 * 1024,
	HOUR_MS = 3600 * 1000,
	/* Postfix's header_size_limit. */
	HEADER_SIZE_LIMIT = 102400,
};

static struct reason reason;

static enum outcome read_bytes(struct input *input, const char *bytes, size_t size, int64_t limit)
{
	int from = memfd_create("from", 0);

	assert_int_equal(write(from, bytes, size), size);
	assert_int_equal(lseek(from, 0, SEEK_SET), 0);
	assert_int_equal(input_open(input, &reason), OUTCOME_OK);
	enum outcome outcome = input_read(input, from, limit, &reason);

	close(from);
	return outcome;
}

static int64_t queue_size(const char *text)
{
	struct input input;

	assert_int_equal(read_bytes(&input, text, strlen(text), LIMIT), OUTCOME_OK);
	int64_t size = input.queue_size;

	input_close(&input);
	return size;
}

static void all_bytes_arrive(void **state)
{
	/* More than the pieces it is read in. */
	const size_t size = 700001;
	g_autofree char *bytes = g_malloc(size);
	unsigned char digest[SHA256_SIZE];
	struct input input;

	(void)state;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 31 % 257);
	assert_int_equal(read_bytes(&input, bytes, size, LIMIT), OUTCOME_OK);
	assert_int_equal(input.size, size);
	assert_int_equal(input_map(&input, &reason), OUTCOME_OK);
	assert_memory_equal(input.data, bytes, size);
	sha256_of(bytes, size, digest);
	assert_memory_equal(input.digest, digest, SHA256_SIZE);
	assert_int_equal(lseek(input.fd, 0, SEEK_CUR), 0);
	input_close(&input);
	assert_int_equal(input.fd, -1);
}

static void an_empty_mail_is_a_mail(void **state)
{
	struct input input;

	(void)state;
	assert_int_equal(read_bytes(&input, "", 0, LIMIT), OUTCOME_OK);
	assert_int_equal(input.size, 0);
	assert_int_equal(input.queue_size, 0);
	assert_int_equal(input_map(&input, &reason), OUTCOME_OK);
	assert_string_equal(input.data, "");
	input_close(&input);
}

static void the_limit_is_exact(void **state)
{
	struct input input;

	(void)state;
	assert_int_equal(read_bytes(&input, "12345", 5, 5), OUTCOME_OK);
	input_close(&input);
	assert_int_equal(read_bytes(&input, "123456", 6, 5), OUTCOME_REJECT);
	assert_string_equal(reason.status, "5.3.4");
	assert_string_equal(reason.text, "the mail is larger than 5 bytes");
	input_close(&input);
}

/* What a real Postfix 3.7.11 said in ${size}. */
static void the_size_is_postfix_s(void **state)
{
	(void)state;
	/* type + length + bytes */
	assert_int_equal(queue_size("\n"), 2);
	assert_int_equal(queue_size("a\n"), 3);
	assert_int_equal(queue_size("a"), 3);
	assert_int_equal(queue_size("a\nbc\n\n"), 3 + 4 + 2);
	static const struct {
		size_t line;
		int64_t size;
	} LINES[] = {
		{127, 1 + 1 + 127},
		{128, 1 + 2 + 128},
		{2047, 1 + 2 + 2047},
		{2048, (1 + 2 + 2048) + 2},
		{2049, (1 + 2 + 2048) + 3},
		{4096, 2 * (1 + 2 + 2048) + 2},
		{10000, 4 * (1 + 2 + 2048) + 1 + 2 + (10000 - 4 * 2048)},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(LINES); i++) {
		g_autofree char *line = g_strnfill(LINES[i].line, 'x');
		g_autofree char *text = g_strconcat(line, "\n", NULL);

		assert_int_equal(queue_size(text), LINES[i].size);
	}
}

static void headers_of_pipe_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(queue_size("Return-Path: <>\nX-Original-To: a@b\nDelivered-To: a@b\na\n"),
			 3);
	assert_int_equal(queue_size("Delivered-To: a@b\na\n"), 3);
	/* Only at the beginning, once, and in this order. */
	assert_int_equal(queue_size("a\nDelivered-To: a\n"), 3 + 2 + 15);
	assert_int_equal(queue_size("Delivered-To: a\nDelivered-To: a\n"), 2 + 15);
	assert_int_equal(queue_size("Delivered-To: a\nReturn-Path: a\n"), 2 + 14);
}

static enum outcome check(const char *text, int64_t told, const char *queue_id, int64_t now_ms)
{
	struct envelope envelope = {.queue_id = queue_id, .size = told};
	struct input input;

	assert_int_equal(read_bytes(&input, text, strlen(text), LIMIT), OUTCOME_OK);
	enum outcome outcome = input_check_whole(&input, &envelope, getppid(), now_ms, &reason);

	input_close(&input);
	return outcome;
}

/* 2021-12-06T00:12:16Z (Postfix's own example of a long id begins like this). */
static const char LONG_ID[] = "4J6kdD3VLXz1Vp1";

static void a_mail_is_cut_off_when_that_is_certain(void **state)
{
	const int64_t much = 3 + HEADER_SIZE_LIMIT;

	(void)state;
	assert_int_equal(check("a\n", 3, "", 0), OUTCOME_OK);
	assert_int_equal(check("a\n", -1, "", 0), OUTCOME_OK);
	assert_int_equal(check("a", 3, "", 0), OUTCOME_OK);
	assert_int_equal(check("a\n", 2, "", 0), OUTCOME_OK);
	assert_int_equal(check("a", 4, "", 0), OUTCOME_RETRY);
	assert_string_equal(reason.status, "4.3.0");
	assert_string_equal(reason.text, "the mail was cut off: 3 of 4 bytes came");
	/* Milters. */
	assert_int_equal(check("a\n", much, "", 0), OUTCOME_OK);
	assert_int_equal(check("a\n", much + 1, "", 0), OUTCOME_RETRY);
}

static void a_mail_is_not_deferred_for_ever(void **state)
{
	const int64_t much = 3 + HEADER_SIZE_LIMIT + 1;
	int64_t arrived_ms;

	(void)state;
	assert_true(id_queue_time(LONG_ID, &arrived_ms));
	assert_int_equal(check("a\n", much, LONG_ID, arrived_ms + HOUR_MS), OUTCOME_RETRY);
	assert_int_equal(check("a\n", much, LONG_ID, arrived_ms + HOUR_MS + 1), OUTCOME_OK);
	/* Without a newline it is certain. */
	assert_int_equal(check("a", much, LONG_ID, arrived_ms + HOUR_MS + 1), OUTCOME_RETRY);
}

static void another_parent_means_that_the_feeder_died(void **state)
{
	struct envelope envelope = {.queue_id = "", .size = -1};
	struct input input;

	(void)state;
	assert_int_equal(read_bytes(&input, "a\n", 2, LIMIT), OUTCOME_OK);
	assert_int_equal(input_check_whole(&input, &envelope, getpid(), 0, &reason), OUTCOME_RETRY);
	assert_string_equal(reason.text, "the process that fed the mail is gone");
	assert_int_equal(input_check_whole(&input, &envelope, 0, 0, &reason), OUTCOME_OK);
	input_close(&input);
}

static void reading_errors_are_ours(void **state)
{
	struct input input;

	(void)state;
	assert_int_equal(input_open(&input, &reason), OUTCOME_OK);
	assert_int_equal(input_read(&input, -1, LIMIT, &reason), OUTCOME_RETRY);
	assert_string_equal(reason.text, "reading the mail: Bad file descriptor");
	input_close(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_bytes_arrive),
		cmocka_unit_test(an_empty_mail_is_a_mail),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(the_size_is_postfix_s),
		cmocka_unit_test(headers_of_pipe_do_not_count),
		cmocka_unit_test(a_mail_is_cut_off_when_that_is_certain),
		cmocka_unit_test(a_mail_is_not_deferred_for_ever),
		cmocka_unit_test(another_parent_means_that_the_feeder_died),
		cmocka_unit_test(reading_errors_are_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
