/* settle: halving finds the culprits and nothing else, and what is settled stays so. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailin/ingest/settle.h"

enum { COUNT = 10 };

/* A database and a dead-letter queue that do as they are told. */
struct double_of_both {
	bool poisoned[COUNT]; /* by the first byte of the id */
	bool stored[COUNT];
	int stores;        /* transactions tried */
	int fail_store_at; /* this one is a RETRY; 0: none */
	bool bury_fails;
	int buried;
	int settled;
};

static enum outcome store(struct inbound **messages, size_t count, void *context,
			  struct reason *reason)
{
	struct double_of_both *both = context;

	both->stores++;
	if (both->stores == both->fail_store_at)
		return outcome_retry(reason, "4.3.0", "away");
	for (size_t i = 0; i < count; i++) {
		if (both->poisoned[messages[i]->id.byte[0]])
			return outcome_reject(reason, "5.6.0", "number %d is bad",
					      messages[i]->id.byte[0]);
	}
	for (size_t i = 0; i < count; i++) {
		bool *there = &both->stored[messages[i]->id.byte[0]];

		messages[i]->duplicate = *there;
		*there = true;
	}
	return OUTCOME_OK;
}

static enum outcome bury(struct item *item, void *context, struct reason *reason)
{
	struct double_of_both *both = context;

	assert_int_equal(item->state, ITEM_REFUSED);
	if (both->bury_fails)
		return outcome_retry(reason, "4.3.0", "no queue");
	both->buried++;
	return OUTCOME_OK;
}

static void settled(const struct item *item, void *context)
{
	struct double_of_both *both = context;

	assert_true(item->state != ITEM_WAITING && item->state != ITEM_REFUSED);
	both->settled++;
}

static struct double_of_both both;
static struct settle_ops ops = {store, bury, settled, &both};
static struct inbound messages[COUNT];
static struct item items[COUNT];
static struct item *batch[COUNT];

static int set_up(void **state)
{
	(void)state;
	memset(&both, 0, sizeof(both));
	memset(messages, 0, sizeof(messages));
	memset(items, 0, sizeof(items));
	for (int i = 0; i < COUNT; i++) {
		messages[i].id.byte[0] = (unsigned char)i;
		items[i].inbound = &messages[i];
		batch[i] = &items[i];
	}
	return 0;
}

static void a_good_batch_is_one_transaction(void **state)
{
	struct reason reason;

	(void)state;
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_OK);
	assert_int_equal(both.stores, 1);
	assert_int_equal(both.settled, COUNT);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(items[i].state, ITEM_STORED);
}

static void duplicates_are_told_apart(void **state)
{
	struct reason reason;

	(void)state;
	both.stored[3] = true;
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_OK);
	assert_int_equal(items[3].state, ITEM_DUPLICATE);
	assert_int_equal(items[4].state, ITEM_STORED);
}

static void each_single_culprit_is_found(void **state)
{
	for (int culprit = 0; culprit < COUNT; culprit++) {
		struct reason reason;
		g_autofree char *expected = g_strdup_printf("number %d is bad", culprit);

		set_up(state);
		both.poisoned[culprit] = true;
		assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_OK);
		for (int i = 0; i < COUNT; i++)
			assert_int_equal(items[i].state, i == culprit ? ITEM_DEAD : ITEM_STORED);
		assert_string_equal(items[culprit].reason.text, expected);
		assert_int_equal(both.buried, 1);
		assert_int_equal(both.settled, COUNT);
	}
}

static void many_culprits_are_found(void **state)
{
	struct reason reason;

	(void)state;
	both.poisoned[0] = both.poisoned[1] = both.poisoned[9] = true;
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_OK);
	assert_int_equal(both.buried, 3);
	assert_int_equal(both.settled, COUNT);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(both.stored[i], !both.poisoned[i]);
}

static void nothing_is_stored_when_the_database_is_away(void **state)
{
	struct reason reason;

	(void)state;
	both.fail_store_at = 1;
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_RETRY);
	assert_string_equal(reason.text, "away");
	assert_int_equal(both.settled, 0);
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_OK);
	assert_int_equal(both.settled, COUNT);
}

/* The database goes away at each point of the halving in turn: the next call goes on there. */
static void an_interrupted_search_goes_on(void **state)
{
	for (int at = 1; at <= 7; at++) {
		struct reason reason;

		set_up(state);
		both.poisoned[6] = true;
		both.fail_store_at = at;
		assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_RETRY);
		assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_OK);
		assert_int_equal(both.settled, COUNT);
		assert_int_equal(both.buried, 1);
		for (int i = 0; i < COUNT; i++)
			assert_int_equal(items[i].state, i == 6 ? ITEM_DEAD : ITEM_STORED);
	}
}

static void the_rest_is_stored_when_no_dead_letter_gets_through(void **state)
{
	struct reason reason;

	(void)state;
	items[2].state = ITEM_REFUSED;
	items[2].inbound = NULL;
	both.bury_fails = true;
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_RETRY);
	assert_string_equal(reason.text, "no queue");
	assert_int_equal(both.settled, COUNT - 1);
	assert_int_equal(items[2].state, ITEM_REFUSED);
	both.bury_fails = false;
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_OK);
	assert_int_equal(items[2].state, ITEM_DEAD);
	assert_int_equal(both.stores, 1);
}

static void what_is_held_up_waits_for_itself_alone(void **state)
{
	struct reason reason;

	(void)state;
	messages[3].held_up = true;
	outcome_retry(&messages[3].why, "4.3.5", "no target");
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_RETRY);
	assert_string_equal(reason.text, "no target");
	assert_int_equal(both.stores, 1);
	assert_int_equal(both.settled, COUNT - 1);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(items[i].state, i == 3 ? ITEM_WAITING : ITEM_STORED);
	assert_true(item_is_held_up(&items[3]));
	assert_false(item_is_held_up(&items[4]));
	messages[3].held_up = false;
	both.stored[3] = false;
	assert_int_equal(settle(batch, COUNT, &ops, &reason), OUTCOME_OK);
	assert_int_equal(items[3].state, ITEM_STORED);
	assert_int_equal(both.settled, COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_batch_is_one_transaction, set_up),
		cmocka_unit_test_setup(duplicates_are_told_apart, set_up),
		cmocka_unit_test_setup(each_single_culprit_is_found, set_up),
		cmocka_unit_test_setup(many_culprits_are_found, set_up),
		cmocka_unit_test_setup(nothing_is_stored_when_the_database_is_away, set_up),
		cmocka_unit_test_setup(an_interrupted_search_goes_on, set_up),
		cmocka_unit_test_setup(the_rest_is_stored_when_no_dead_letter_gets_through, set_up),
		cmocka_unit_test_setup(what_is_held_up_waits_for_itself_alone, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
