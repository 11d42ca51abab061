#include "mailin/ingest/batch.h"

#include <glib.h>

struct batch {
	struct batch_limits limits;
	GPtrArray *items;
	size_t bytes;
	struct deadline deadline;
	GQueue kept;
	size_t kept_bytes;
};

static void free_item(void *item)
{
	item_free(item);
}

struct batch *batch_new(const struct batch_limits *limits)
{
	struct batch *batch = g_new0(struct batch, 1);

	batch->limits = *limits;
	batch->items = g_ptr_array_new_with_free_func(free_item);
	g_queue_init(&batch->kept);
	return batch;
}

void batch_free(struct batch **batch)
{
	if (*batch == NULL)
		return;
	batch_forget(*batch);
	g_ptr_array_unref((*batch)->items);
	g_free(*batch);
	*batch = NULL;
}

static struct item *new_item(struct broker_delivery *delivery)
{
	struct item *item = g_new0(struct item, 1);

	item->delivery = *delivery;
	*delivery = (struct broker_delivery){0};
	return item;
}

static struct item *add(struct batch *batch, struct item *item)
{
	if (batch->items->len == 0)
		batch->deadline = deadline_in(batch->limits.wait_ms);
	batch->bytes += item->delivery.body_size;
	g_ptr_array_add(batch->items, item);
	return item;
}

struct item *batch_add(struct batch *batch, struct broker_delivery *delivery)
{
	return add(batch, new_item(delivery));
}

bool batch_is_full(const struct batch *batch)
{
	return batch->items->len >= batch->limits.count || batch->bytes >= batch->limits.bytes;
}

void batch_hurry(struct batch *batch)
{
	batch->deadline = deadline_in(0);
}

struct deadline batch_deadline(const struct batch *batch)
{
	return batch->deadline;
}

struct item **batch_items(struct batch *batch, size_t *count)
{
	*count = batch->items->len;
	return (struct item **)batch->items->pdata;
}

uint64_t batch_last_tag(const struct batch *batch)
{
	const struct item *last = g_ptr_array_index(batch->items, batch->items->len - 1);

	return last->delivery.tag;
}

size_t batch_bytes(const struct batch *batch)
{
	return batch->bytes;
}

void batch_clear(struct batch *batch)
{
	g_ptr_array_set_size(batch->items, 0);
	batch->bytes = 0;
}

bool batch_may_keep(const struct batch *batch)
{
	return batch->kept_bytes < batch->limits.bytes;
}

struct item *batch_keep(struct batch *batch, struct broker_delivery *delivery)
{
	struct item *item = new_item(delivery);

	batch->kept_bytes += item->delivery.body_size;
	g_queue_push_tail(&batch->kept, item);
	return item;
}

void batch_keep_first(struct batch *batch, struct broker_delivery *delivery)
{
	struct item *item = new_item(delivery);

	batch->kept_bytes += item->delivery.body_size;
	g_queue_push_head(&batch->kept, item);
}

const struct item *batch_first_kept(const struct batch *batch)
{
	return batch->kept.head != NULL ? batch->kept.head->data : NULL;
}

static struct item *take_kept(struct batch *batch)
{
	struct item *item = g_queue_pop_head(&batch->kept);

	if (item != NULL)
		batch->kept_bytes -= item->delivery.body_size;
	return item;
}

struct item *batch_add_kept(struct batch *batch)
{
	return add(batch, take_kept(batch));
}

bool batch_kept(struct batch *batch, struct broker_delivery *delivery)
{
	struct item *item = take_kept(batch);

	if (item == NULL)
		return false;
	*delivery = item->delivery;
	item->delivery = (struct broker_delivery){0};
	item_free(item);
	return true;
}

void batch_forget(struct batch *batch)
{
	batch_clear(batch);
	g_queue_clear_full(&batch->kept, free_item);
	batch->kept_bytes = 0;
}
