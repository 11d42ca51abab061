/* batch: full by count or bytes, due by time; and what waits for the next one.  Pauses grow. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/backoff.h"
#include "mailin/ingest/batch.h"

static const struct batch_limits limits = {.count = 3, .bytes = 100, .wait_ms = 50};

static struct broker_delivery delivery(uint64_t tag, size_t size)
{
	return (struct broker_delivery){.tag = tag, .body = g_malloc0(size), .body_size = size};
}

static struct item *add(struct batch *batch, uint64_t tag, size_t size)
{
	struct broker_delivery one = delivery(tag, size);
	struct item *item = batch_add(batch, &one);

	assert_null(one.body);
	return item;
}

static void full_by_count(void **state)
{
	struct batch *batch = batch_new(&limits);
	size_t count;

	(void)state;
	add(batch, 1, 1);
	add(batch, 2, 1);
	assert_false(batch_is_full(batch));
	add(batch, 3, 1);
	assert_true(batch_is_full(batch));
	assert_int_equal(batch_last_tag(batch), 3);
	assert_int_equal(batch_items(batch, &count)[0]->delivery.tag, 1);
	assert_int_equal(count, 3);
	batch_clear(batch);
	batch_items(batch, &count);
	assert_int_equal(count, 0);
	assert_false(batch_is_full(batch));
	batch_free(&batch);
	assert_null(batch);
}

static void full_by_bytes(void **state)
{
	struct batch *batch = batch_new(&limits);

	(void)state;
	add(batch, 1, 99);
	assert_false(batch_is_full(batch));
	add(batch, 2, 1);
	assert_true(batch_is_full(batch));
	assert_int_equal(batch_bytes(batch), 100);
	batch_clear(batch);
	assert_int_equal(batch_bytes(batch), 0);
	add(batch, 3, 1000);
	assert_true(batch_is_full(batch));
	batch_free(&batch);
}

static void due_after_its_first_message(void **state)
{
	struct batch *batch = batch_new(&limits);
	struct deadline earliest = deadline_in(limits.wait_ms);
	struct deadline latest;

	(void)state;
	add(batch, 1, 1);
	latest = deadline_in(limits.wait_ms);
	g_usleep(5000);
	add(batch, 2, 1);
	assert_in_range(batch_deadline(batch).at_ms, earliest.at_ms, latest.at_ms);
	batch_hurry(batch);
	assert_true(deadline_passed(batch_deadline(batch)));
	batch_free(&batch);
}

static void what_came_in_between_comes_next(void **state)
{
	struct batch *batch = batch_new(&limits);
	struct broker_delivery one = delivery(4, 60);
	struct broker_delivery two = delivery(5, 39);
	struct broker_delivery three = delivery(6, 1);

	(void)state;
	batch_keep(batch, &one);
	batch_keep(batch, &two);
	assert_true(batch_may_keep(batch));
	batch_keep(batch, &three);
	assert_false(batch_may_keep(batch));
	assert_true(batch_kept(batch, &one));
	assert_int_equal(one.tag, 4);
	broker_delivery_clear(&one);
	assert_true(batch_kept(batch, &one));
	assert_int_equal(one.tag, 5);
	assert_true(batch_may_keep(batch));
	batch_keep(batch, &one);
	batch_forget(batch);
	assert_false(batch_kept(batch, &one));
	batch_free(&batch);
}

static void pauses_grow_up_to_a_limit(void **state)
{
	struct backoff backoff = {.first_ms = 100, .max_ms = 350};
	static const int64_t wanted[] = {100, 200, 350, 350};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
		int64_t pause = backoff_pause(&backoff);

		assert_in_range(pause, wanted[i] / 2, wanted[i]);
	}
	backoff_reset(&backoff);
	assert_in_range(backoff_pause(&backoff), 50, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_by_count),
		cmocka_unit_test(full_by_bytes),
		cmocka_unit_test(due_after_its_first_message),
		cmocka_unit_test(what_came_in_between_comes_next),
		cmocka_unit_test(pauses_grow_up_to_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
