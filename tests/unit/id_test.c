/* id: computed ids repeat, drawn ones do not; a long queue id tells the arrival time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/deadline.h"
#include "common/id.h"
#include "common/sha256.h"

static const int64_t NOW = INT64_C(1700000000123);

static void inbound(char text[ID_TEXT_SIZE], const char *instance, const char *queue_id,
		    const char *recipient, const char *mail)
{
	unsigned char digest[SHA256_SIZE];
	struct id id;

	sha256_of(mail, strlen(mail), digest);
	id_inbound(&id, instance, queue_id, recipient, digest, NOW);
	id_text(&id, text);
}

static void the_same_mail_has_the_same_id(void **state)
{
	(void)state;
	char first[ID_TEXT_SIZE], second[ID_TEXT_SIZE];

	inbound(first, "m", "4Yk1Zz3xQ4z1abc", "a@b", "mail");
	inbound(second, "m", "4Yk1Zz3xQ4z1abc", "a@b", "mail");
	assert_string_equal(first, second);
}

static void every_ingredient_counts(void **state)
{
	(void)state;
	char base[ID_TEXT_SIZE], other[ID_TEXT_SIZE];

	inbound(base, "m", "ABC", "a@b", "mail");
	inbound(other, "n", "ABC", "a@b", "mail");
	assert_string_not_equal(base, other);
	inbound(other, "m", "ABD", "a@b", "mail");
	assert_string_not_equal(base, other);
	inbound(other, "m", "ABC", "a@c", "mail");
	assert_string_not_equal(base, other);
	inbound(other, "m", "ABC", "a@b", "mai1");
	assert_string_not_equal(base, other);
	inbound(base, "m", "A", "Bc", "mail");
	inbound(other, "m", "AB", "c", "mail");
	assert_string_not_equal(base, other);
}

static void what_is_made_of_a_message_has_an_id_of_its_own(void **state)
{
	(void)state;
	struct id mail, one, again, other, of_another;
	char text[ID_TEXT_SIZE];

	assert_true(id_parse(&mail, "0190163d-8694-7aab-8000-0123456789ab"));
	id_derived(&one, &mail, ID_NOTICE_DELAYED);
	again = mail;
	id_derived(&again, &again, ID_NOTICE_DELAYED);
	assert_memory_equal(&one, &again, sizeof(one));
	id_derived(&other, &mail, ID_NOTICE_FAILED);
	assert_memory_not_equal(&one, &other, sizeof(one));
	mail.byte[ID_SIZE - 1] ^= 1;
	id_derived(&of_another, &mail, ID_NOTICE_DELAYED);
	assert_memory_not_equal(&one, &of_another, sizeof(one));
	id_text(&one, text);
	text[sizeof("0190163d-8694-8") - 1] = '\0';
	assert_string_equal(text, "0190163d-8694-8");
}

static void layout_is_version_8(void **state)
{
	(void)state;
	char text[ID_TEXT_SIZE];

	inbound(text, "m", "ABC", "a@b", "mail");
	/* 1700000000123 ms is 0x018bcfe5687b. */
	assert_memory_equal(text, "018bcfe5-687b-8", 15);
	assert_non_null(strchr("89ab", text[19]));
}

static void long_queue_id_tells_the_time(void **state)
{
	(void)state;
	int64_t ms = 0;

	/* 52^5 * 4 + ... : computed by hand from Postfix's digits. */
	assert_true(id_queue_time("1000000000z1", &ms));
	assert_int_equal(ms, INT64_C(380204032) * 1000);
	assert_true(id_queue_time("1000010010z1", &ms));
	assert_int_equal(ms, INT64_C(380204033) * 1000);
	assert_true(id_queue_time("1000000X00z1", &ms));
	assert_int_equal(ms, INT64_C(380204032) * 1000 + 28 * 52 * 52 / 1000);
	assert_false(id_queue_time("3F2504E04F", &ms));
	assert_false(id_queue_time("000000000z1", &ms));
	assert_false(id_queue_time("10000a0000z1", &ms));
	assert_false(id_queue_time("1000000000", &ms));
	assert_false(id_queue_time("zzzzzzzzzzz", &ms));
	assert_false(id_queue_time("1000000zzzzz", &ms));
	assert_false(id_queue_time("XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXz1", &ms));
	assert_false(id_queue_time("", &ms));
}

static void drawn_ids_differ_and_sort_by_time(void **state)
{
	(void)state;
	struct id first, second;
	char text[ID_TEXT_SIZE];

	id_new(&first);
	for (int64_t start = realtime_ms(); realtime_ms() < start + 2;)
		;
	id_new(&second);
	assert_true(memcmp(first.byte, second.byte, ID_SIZE) < 0);
	assert_int_equal(id_text(&first, text)[14], '7');
}

static void text_is_parsed_strictly(void **state)
{
	(void)state;
	struct id id, again;
	char text[ID_TEXT_SIZE];

	assert_true(id_parse(&id, "018BCFE5-687B-8000-8000-00000000000A"));
	assert_string_equal(id_text(&id, text), "018bcfe5-687b-8000-8000-00000000000a");
	assert_true(id_parse(&again, text));
	assert_memory_equal(id.byte, again.byte, ID_SIZE);
	assert_false(id_parse(&id, "018bcfe5-687b-8000-8000-00000000000"));
	assert_false(id_parse(&id, "018bcfe5-687b-8000-8000-00000000000aa"));
	assert_false(id_parse(&id, "018bcfe5-687b-8000-8000-00000000000g"));
	assert_false(id_parse(&id, "018bcfe5x687b-8000-8000-00000000000a"));
	assert_false(id_parse(&id, ""));
}

static void sha256_is_that_of_fips_180(void **state)
{
	(void)state;
	unsigned char digest[SHA256_SIZE], parsed[SHA256_SIZE];
	char text[SHA256_TEXT_SIZE];

	sha256_of("abc", 3, digest);
	assert_string_equal(sha256_text(digest, text),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sha256_parse(parsed, text), 0);
	assert_memory_equal(parsed, digest, SHA256_SIZE);
	assert_int_equal(sha256_parse(parsed, "ba"), -1);
	text[5] = 'x';
	assert_int_equal(sha256_parse(parsed, text), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_mail_has_the_same_id),
		cmocka_unit_test(every_ingredient_counts),
		cmocka_unit_test(what_is_made_of_a_message_has_an_id_of_its_own),
		cmocka_unit_test(layout_is_version_8),
		cmocka_unit_test(long_queue_id_tells_the_time),
		cmocka_unit_test(drawn_ids_differ_and_sort_by_time),
		cmocka_unit_test(text_is_parsed_strictly),
		cmocka_unit_test(sha256_is_that_of_fips_180),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
