#include <glib.h>

#include "common/log.h"
#include "common/stop.h"
#include "mailin/ingest/worker_private.h"

enum { HEARTBEAT_STEP_MS = 250 }; /* the shortest heartbeat is a second */

/* ---- the heads ---- */

/* If this worker dies from now on until suspect_let_go(), it is of this message.  A suspect is not
 * touched, it is refused. */
static void take_in_hand(struct worker *worker, struct item *item)
{
	struct suspect_key key;

	suspect_key(&key, item->delivery.body, item->delivery.body_size);
	if (item->state == ITEM_WAITING && item->delivery.redelivered &&
	    suspect_check(worker->hand, &key, &item->reason) == OUTCOME_REJECT) {
		item->suspect = true;
		item->state = ITEM_REFUSED;
	}
	if (item->suspect)
		return;
	suspect_take(worker->hand, &key);
	worker_read_item(worker, item);
}

static void hold(struct worker *worker, struct broker_delivery *delivery)
{
	struct item *item = g_new0(struct item, 1);

	item->delivery = *delivery;
	*delivery = (struct broker_delivery){0};
	item->held_ms = monotonic_ms();
	worker->held_bytes += item->delivery.body_size;
	g_ptr_array_add(worker->held, item);
	/* How long it may be held depends on its age, which only the document tells. */
	if (item->delivery.first_seen == 0 && item->delivery.timestamp == 0) {
		take_in_hand(worker, item);
		suspect_let_go(worker->hand);
	}
}

/* The array frees it. */
static void let_go(struct worker *worker, struct item *item)
{
	worker->held_bytes -= item->delivery.body_size;
	g_ptr_array_remove(worker->held, item);
}

void cautious_forget(struct worker *worker)
{
	g_ptr_array_set_size(worker->held, 0);
	worker->held_bytes = 0;
}

static bool acknowledge(struct worker *worker, struct item *item)
{
	struct reason reason;

	if (stop_requested() > 1)
		return false;
	if (broker_ack(worker->broker, item->delivery.tag, false, &reason) == OUTCOME_OK)
		return true;
	link_lose_broker(worker, &reason);
	return false;
}

/* To tell its poster, somebody must look into it.  Should this worker die of it, too, nothing may
 * hang on that any more: the answer to a question tells that the ack before it has come, which a
 * dying process' last bytes need not. */
static bool finish_suspect(struct worker *worker, struct item *item)
{
	struct suspect_key key;

	if (!link_set_prefetch(worker, true))
		return false;
	suspect_key(&key, item->delivery.body, item->delivery.body_size);
	suspect_forget(worker->hand, &key);
	if (worker->config->notify_enabled)
		defer_tell_of_suspect(worker, item);
	return true;
}

/* Its outcome is final: tell others, acknowledge it, and forget it.  False: the connection is gone.
 */
static bool finish(struct worker *worker, struct item *item)
{
	worker_tell_news(worker);
	if (!acknowledge(worker, item) || (item->suspect && !finish_suspect(worker, item)))
		return false;
	let_go(worker, item);
	return true;
}

/* ---- from one way to the other ---- */

void cautious_begin(struct worker *worker)
{
	struct broker_delivery delivery;

	worker->comes_again = false;
	while (batch_kept(worker->batch, &delivery))
		hold(worker, &delivery);
}

static bool holds_redelivered(const struct worker *worker)
{
	for (guint i = 0; i < worker->held->len; i++) {
		const struct item *item = worker->held->pdata[i];

		if (item->delivery.redelivered)
			return true;
	}
	return false;
}

static int by_tag(const void *a, const void *b)
{
	const struct item *const *left = a;
	const struct item *const *right = b;

	return ((*left)->delivery.tag > (*right)->delivery.tag) -
	       ((*left)->delivery.tag < (*right)->delivery.tag);
}

/* Batches are acknowledged up to a tag, so the heads that are left go into the next one in order.
 */
static void keep_heads(struct worker *worker)
{
	g_ptr_array_sort(worker->held, by_tag);
	for (guint i = 0; i < worker->held->len; i++) {
		struct item *item = worker->held->pdata[i];

		batch_keep(worker->batch, &item->delivery);
	}
	cautious_forget(worker);
}

/* ---- storing one ---- */

static enum outcome settle_alone(struct worker *worker, struct item *item, struct reason *reason)
{
	take_in_hand(worker, item);
	enum outcome outcome = settle(&item, 1, &worker->ops, reason);

	if (outcome == OUTCOME_OK)
		outcome = answer_items(worker, &item, 1, reason);
	suspect_let_go(worker->hand);
	return outcome;
}

/* Those that were never delivered before come first: nothing is known against them. */
static struct item *next_to_try(const struct worker *worker)
{
	for (guint i = 0; i < worker->held->len; i++) {
		struct item *item = worker->held->pdata[i];

		if (!item->delivery.redelivered)
			return item;
	}
	return worker->held->len > 0 ? worker->held->pdata[0] : NULL;
}

/* The next try is another one's. */
static void to_the_end(struct worker *worker, struct item *item)
{
	guint index;

	if (!g_ptr_array_find(worker->held, item, &index))
		return;
	g_ptr_array_add(worker->held, g_ptr_array_steal_index(worker->held, index));
}

static void try_later(struct worker *worker, const char *event, const struct reason *reason)
{
	worker_log_lost(event, reason);
	worker->store_next = deadline_in(backoff_pause(&worker->store_backoff));
}

/* To a tier: it waited here as long as it may, or what is wrong has to do with it alone.  The next
 * head comes. */
static void defer_head(struct worker *worker, struct item *item, const struct reason *why)
{
	struct reason reason;

	take_in_hand(worker, item);
	enum outcome outcome = defer_items(worker, &item, 1, why, &reason);

	/* One that is given up, cannot be read or must not be touched. */
	if (outcome == OUTCOME_OK)
		outcome = settle(&item, 1, &worker->ops, &reason);
	/* One that is stored, but whose acknowledgement nobody took. */
	if (outcome == OUTCOME_OK)
		outcome = answer_items(worker, &item, 1, &reason);
	suspect_let_go(worker->hand);
	if (outcome == OUTCOME_OK)
		finish(worker, item);
	else
		try_later(worker, "retry", &reason);
}

static void try_item(struct worker *worker, struct item *item)
{
	bool first_time = !item->delivery.redelivered;
	struct reason reason;

	if (settle_alone(worker, item, &reason) != OUTCOME_OK) {
		if (worker->is_broken) {
			link_lose_broker(worker, &worker->broken);
			return;
		}
		if (item_is_held_up(item)) {
			worker_log_lost("retry", &reason);
			defer_head(worker, item, &reason);
			return;
		}
		/* Not stored, or only its dead letter did not get through? */
		if (item->state == ITEM_WAITING) {
			worker->away = true;
			worker->why = reason;
		}
		to_the_end(worker, item);
		try_later(worker, "retry", &reason);
		return;
	}
	bool stored = item->state != ITEM_DEAD;

	if (stored) {
		worker->away = false;
		backoff_reset(&worker->store_backoff);
		backoff_reset(&worker->broker_backoff);
	}
	bool opens = stored && first_time && !holds_redelivered(worker);

	/* Before the ack: what it would make RabbitMQ send to the old consumer would come to the
	 * new one as delivered before. */
	if (opens && !link_set_prefetch(worker, false))
		return;
	if (finish(worker, item) && opens)
		keep_heads(worker);
}

/* Ask the database, first by connecting, then by one message. */
static void probe(struct worker *worker)
{
	struct reason reason;

	if (!link_open_store(worker, &reason)) {
		worker->away = true;
		worker->why = reason;
		try_later(worker, "database", &reason);
		return;
	}
	struct item *item = next_to_try(worker);

	if (item != NULL)
		try_item(worker, item);
}

/* ---- the database is away ---- */

/* A database that answers may refuse this message alone: then it is held no longer than a batch is
 * tried. */
static int64_t hold_ms(const struct worker *worker, const struct item *item)
{
	int64_t left_ms = defer_hold_ms(worker, item);
	int64_t held_for_ms = monotonic_ms() - item->held_ms;

	if (!link_store_answers(worker))
		return left_ms;
	return MAX(MIN(left_ms, worker->config->retry_delays[0] - held_for_ms), 0);
}

/* One at a time: new heads come in between. */
static void defer_due(struct worker *worker)
{
	for (guint i = 0; worker->away && i < worker->held->len; i++) {
		struct item *item = worker->held->pdata[i];

		if (hold_ms(worker, item) > 0)
			continue;
		defer_head(worker, item, &worker->why);
		return;
	}
}

/* ---- waiting ---- */

static struct deadline next_deadline(const struct worker *worker)
{
	struct deadline next = worker_idle_deadline(worker);

	if (worker->held->len > 0 || worker->store == NULL)
		next = deadline_earlier(next, worker->store_next);
	for (guint i = 0; worker->away && i < worker->held->len; i++)
		next = deadline_earlier(next, deadline_in(hold_ms(worker, worker->held->pdata[i])));
	return next;
}

static void wait_for_head(struct worker *worker)
{
	struct broker_delivery delivery = {0};
	struct deadline deadline = next_deadline(worker);
	struct reason reason;

	if (worker->held_bytes >= (size_t)worker->config->ingest_batch_bytes) {
		worker_pause(MIN(deadline_left_ms(deadline), HEARTBEAT_STEP_MS));
		if (broker_heartbeat(worker->broker, &reason) != OUTCOME_OK)
			link_lose_broker(worker, &reason);
		return;
	}
	switch (broker_next(worker->broker, &delivery, stop_fd(), deadline, &reason)) {
	case BROKER_DELIVERY:
		hold(worker, &delivery);
		break;
	case BROKER_TIMEOUT:
		break;
	case BROKER_CANCELLED:
	case BROKER_LOST:
		link_lose_broker(worker, &reason);
		break;
	}
}

void cautious_work(struct worker *worker)
{
	worker_tell_news(worker);
	outlet_serve(worker->outlet);
	if (deadline_passed(worker->store_next))
		probe(worker);
	else
		defer_due(worker);
	if (!link_open_broker(worker))
		return;
	if (worker->cautious && worker->broker != NULL)
		wait_for_head(worker);
}
