#include "mailin/ingest/settle.h"

#include <glib.h>

void item_free(struct item *item)
{
	broker_delivery_clear(&item->delivery);
	inbound_free(&item->inbound);
	g_free(item);
}

bool item_is_held_up(const struct item *item)
{
	return item->state == ITEM_WAITING && item->inbound != NULL && item->inbound->held_up;
}

static enum outcome bury(struct item *item, const struct settle_ops *ops, struct reason *reason)
{
	enum outcome outcome = ops->bury(item, ops->context, reason);

	if (outcome != OUTCOME_OK)
		return OUTCOME_RETRY;
	item->state = ITEM_DEAD;
	ops->settled(item, ops->context);
	return OUTCOME_OK;
}

static void all_stored(struct item **items, size_t count, const struct settle_ops *ops)
{
	for (size_t i = 0; i < count; i++) {
		const struct inbound *inbound = items[i]->inbound;

		if (inbound->held_up)
			continue;
		if (inbound->rejected) {
			/* The transaction of the others must not wait for the dead-letter queue. */
			items[i]->state = ITEM_REFUSED;
			items[i]->reason = inbound->why;
			continue;
		}
		items[i]->state = inbound->quarantined ? ITEM_QUARANTINED
				  : inbound->dropped   ? ITEM_DROPPED
				  : inbound->duplicate ? ITEM_DUPLICATE
						       : ITEM_STORED;
		ops->settled(items[i], ops->context);
	}
}

/* `messages` has room for count pointers. */
static enum outcome bisect(struct item **items, struct inbound **messages, size_t count,
			   const struct settle_ops *ops, struct reason *reason)
{
	if (count == 0)
		return OUTCOME_OK;
	for (size_t i = 0; i < count; i++)
		messages[i] = items[i]->inbound;
	enum outcome outcome = ops->store(messages, count, ops->context, reason);

	if (outcome == OUTCOME_OK) {
		all_stored(items, count, ops);
		return OUTCOME_OK;
	}
	if (outcome == OUTCOME_RETRY)
		return OUTCOME_RETRY;
	if (count == 1) {
		items[0]->state = ITEM_REFUSED;
		items[0]->reason = *reason;
		return bury(items[0], ops, reason);
	}
	size_t half = count / 2;

	outcome = bisect(items, messages, half, ops, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	return bisect(items + half, messages + half, count - half, ops, reason);
}

enum outcome settle(struct item **items, size_t count, const struct settle_ops *ops,
		    struct reason *reason)
{
	struct item **waiting = g_new(struct item *, count);
	struct inbound **messages = g_new(struct inbound *, count);
	size_t waiting_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i]->state == ITEM_WAITING)
			waiting[waiting_count++] = items[i];
	}
	/* What can be stored does not wait for the dead-letter queue. */
	enum outcome outcome = bisect(waiting, messages, waiting_count, ops, reason);

	for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++) {
		if (items[i]->state == ITEM_REFUSED)
			outcome = bury(items[i], ops, reason);
	}
	for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++) {
		if (!item_is_held_up(items[i]))
			continue;
		*reason = items[i]->inbound->why;
		outcome = OUTCOME_RETRY;
	}
	g_free(waiting);
	g_free(messages);
	return outcome;
}
