/* thread_clue, thread_key, priority: what of a message may lead to its thread, and how urgent it
 * says it is. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/thread_key.h"
#include "common/wire.h"
#include "mailin/ingest/inbound.h"
#include "mailin/ingest/priority.h"
#include "mailin/ingest/thread_clue.h"

static struct inbound_text text(const char *data)
{
	return (struct inbound_text){data, strlen(data)};
}

static struct wire *strings(const char *format, int count)
{
	struct wire *array = wire_array();

	for (int i = 1; i <= count; i++) {
		g_autofree char *id = g_strdup_printf("%s%d", format, i);

		wire_append_text(array, id);
	}
	return array;
}

static void assert_id(const struct thread_clue *clue, size_t index, const char *id, bool own)
{
	unsigned char hash[SHA256_SIZE];

	assert_true(index < clue->id_count);
	thread_key_id(hash, "support", id);
	assert_memory_equal(clue->ids[index].hash, hash, SHA256_SIZE);
	assert_int_equal(clue->ids[index].own, own);
}

static struct thread_clue clue_of(const char *own, struct wire *in_reply_to,
				  struct wire *references)
{
	const struct inbound inbound = {.route = text("support"), .message_id_header = text(own)};
	struct thread_clue clue = {0};

	thread_clue_read(&clue, &inbound, in_reply_to, references);
	wire_free(&in_reply_to);
	wire_free(&references);
	return clue;
}

static void the_nearest_ancestor_comes_first(void **state)
{
	struct thread_clue clue = clue_of("own", strings("i", 2), strings("r", 3));

	(void)state;
	assert_int_equal(clue.id_count, 6);
	assert_id(&clue, 0, "i1", false);
	assert_id(&clue, 1, "i2", false);
	assert_id(&clue, 2, "r3", false);
	assert_id(&clue, 3, "r2", false);
	assert_id(&clue, 4, "r1", false);
	assert_id(&clue, 5, "own", true);
	thread_clue_clear(&clue);
}

static void each_id_counts_once(void **state)
{
	struct thread_clue clue = clue_of("r2", strings("r", 2), strings("r", 3));

	(void)state;
	assert_int_equal(clue.id_count, 3);
	assert_id(&clue, 0, "r1", false);
	assert_id(&clue, 1, "r2", true);
	assert_id(&clue, 2, "r3", false);
	thread_clue_clear(&clue);
}

static void of_many_the_first_and_the_last_count(void **state)
{
	enum { MAX = THREAD_CLUE_REFERENCES_MAX };
	struct thread_clue clue = clue_of("own", NULL, strings("r", MAX));

	(void)state;
	assert_int_equal(clue.id_count, MAX + 1);
	assert_id(&clue, MAX - 1, "r1", false);
	assert_id(&clue, MAX - 2, "r2", false);
	thread_clue_clear(&clue);
	clue = clue_of("own", NULL, strings("r", MAX + 1));
	assert_int_equal(clue.id_count, MAX + 1);
	assert_id(&clue, 0, "r33", false);
	assert_id(&clue, MAX - 1, "r1", false);
	assert_id(&clue, MAX - 2, "r3", false);
	assert_id(&clue, MAX, "own", true);
	thread_clue_clear(&clue);
	clue = clue_of("own", strings("i", MAX * 2), strings("r", 2));
	assert_int_equal(clue.id_count, MAX + 1);
	assert_id(&clue, MAX - 2, "i31", false);
	assert_id(&clue, MAX - 1, "r1", false);
	thread_clue_clear(&clue);
}

static void without_ids_there_are_none(void **state)
{
	struct thread_clue clue = clue_of("", NULL, NULL);

	(void)state;
	assert_int_equal(clue.id_count, 0);
	assert_null(clue.email);
	thread_clue_clear(&clue);
}

static void routes_and_texts_do_not_run_into_each_other(void **state)
{
	unsigned char a[SHA256_SIZE];
	unsigned char b[SHA256_SIZE];

	(void)state;
	thread_key_id(a, "ab", "c");
	thread_key_id(b, "a", "bc");
	assert_memory_not_equal(a, b, SHA256_SIZE);
}

static void assert_email(const char *email, const char *expected)
{
	g_autofree char *key = thread_key_email(email);

	if (expected == NULL)
		assert_null(key);
	else
		assert_string_equal(key, expected);
}

static void addresses_are_folded_but_not_confused(void **state)
{
	g_autofree char *longest = g_strnfill(THREAD_KEY_EMAIL_MAX, 'x');
	g_autofree char *longer = g_strnfill(THREAD_KEY_EMAIL_MAX + 1, 'x');

	(void)state;
	assert_email("Ann.Example@Example.NET", "ann.example@example.net");
	/* A letter with its accent behind it, and the same in one. */
	assert_email("E\xcc\x81VA@x.test", "\xc3\xa9va@x.test");
	assert_email("stra\xc3\x9f"
		     "e@x.test",
		     "stra\xc3\x9f"
		     "e@x.test");
	/* A domain in both its forms, and one that IDNA 2003 took for another. */
	assert_email("x@M\xc3\xbc"
		     "ller.Test",
		     "x@xn--mller-kva.test");
	assert_email("x@mu\xcc\x88ller.test", "x@xn--mller-kva.test");
	assert_email("x@XN--mller-kva.test", "x@xn--mller-kva.test");
	assert_email("x@stra\xc3\x9f"
		     "e.test",
		     "x@xn--strae-oqa.test");
	assert_email("x@strasse.test", "x@strasse.test");
	/* No domain. */
	assert_email("x@a\xe2\x82\xac\xe2\x80\xae.test", NULL);
	assert_email("", NULL);
	assert_email("\xff@x.test", NULL);
	assert_email(longest, longest);
	assert_email(longer, NULL);
}

static void numbers_stand_in_brackets_behind_a_hash(void **state)
{
	static const struct {
		const char *subject;
		int64_t number;
	} cases[] = {
		{"Re: [#123] printer", 123},
		{"[Example Support #7]", 7},
		{"AW: WG: [Ticket#42] x", 42},
		{"[list] [#5]", 5},
		{"[[#6]", 6},
		{"[#1] [#2]", 1},
		{"[#999999999]", 999999999},
		{"[#1000000000]", 0},
		{"[#0]", 0},
		{"[#]", 0},
		{"[#12a]", 0},
		{"[# 12]", 0},
		{"[12]", 0},
		{"#12", 0},
		{"[#12", 0},
		{"#12]", 0},
		{"", 0},
		/* 64 bytes between the brackets, and one more. */
		{"[xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx#3]", 3},
		{"[xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx#3]", 0},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		if (thread_clue_number(cases[i].subject) != cases[i].number)
			fail_msg("%s: %d", cases[i].subject,
				 (int)thread_clue_number(cases[i].subject));
}

static void assert_priority(const char *name, const char *value, const char *expected)
{
	struct wire *headers = wire_array();
	struct wire *header = wire_object();

	wire_set_text(header, "Name", name);
	wire_set_text(header, "Value", value);
	wire_append(headers, header);
	assert_string_equal(priority_of(headers), expected);
	wire_free(&headers);
}

static void senders_say_how_urgent_it_is(void **state)
{
	(void)state;
	assert_priority("X-Priority", "1 (Highest)", "high");
	assert_priority("x-priority", " 2", "high");
	assert_priority("X-Priority", "3", "normal");
	assert_priority("X-Priority", "5", "low");
	assert_priority("X-Priority", "10", "normal");
	assert_priority("Importance", "High", "high");
	assert_priority("Importance", "highly", "normal");
	assert_priority("X-MSMail-Priority", "Low", "low");
	assert_priority("Priority", "non-urgent", "low");
	assert_priority("Subject", "high", "normal");
	assert_string_equal(priority_of(NULL), "normal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_ancestor_comes_first),
		cmocka_unit_test(each_id_counts_once),
		cmocka_unit_test(of_many_the_first_and_the_last_count),
		cmocka_unit_test(without_ids_there_are_none),
		cmocka_unit_test(routes_and_texts_do_not_run_into_each_other),
		cmocka_unit_test(addresses_are_folded_but_not_confused),
		cmocka_unit_test(numbers_stand_in_brackets_behind_a_hash),
		cmocka_unit_test(senders_say_how_urgent_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
