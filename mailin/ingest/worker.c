#include "mailin/ingest/worker.h"

#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>

#include "common/log.h"
#include "common/stop.h"
#include "mailin/ingest/fate.h"
#include "mailin/ingest/policy.h"
#include "mailin/ingest/worker_private.h"

enum {
	BACKOFF_FIRST_MS = 200,
	IDLE_MS = 60000,         /* a wait for mail; nothing happens at its end */
	HEARTBEAT_STEP_MS = 250, /* the shortest heartbeat is a second */
	ALONE_AFTER = 3,         /* tries of a whole batch, while the database answers */
	ALONE_FAILURES = 3, /* of those that were tried alone first, and it is not the message */
};

/* Allocations of this size are mapped, so that a photo's memory goes back when it is freed. */
enum { MAPPED_BYTES = 256 * 1024 };

/* A batch of small mails is freed as a whole; its pages serve the next one. */
enum { KEPT_BYTES = 16 * 1024 * 1024 };

void worker_pause(int64_t ms)
{
	struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};

	poll(&stop, 1, (int)ms);
}

struct deadline worker_idle_deadline(const struct worker *worker)
{
	int64_t idle_ms = MIN(IDLE_MS, worker->config->amqp_heartbeat / 2);

	return deadline_in(MIN(idle_ms, news_rest_ms(worker->news)));
}

void worker_tell_news(struct worker *worker)
{
	struct store *store = worker->store;

	news_tell(worker->news, store != NULL && !store_lost(store) ? store_db(store) : NULL);
}

/* ---- gathering ---- */

void worker_read_item(const struct worker *worker, struct item *item)
{
	const struct broker_delivery *delivery = &item->delivery;

	if (item->state != ITEM_WAITING || item->inbound != NULL)
		return;
	item->inbound = inbound_read(delivery->body, delivery->body_size, delivery->queue,
				     worker->config, &item->reason);
	if (item->inbound == NULL) {
		item->state = ITEM_REFUSED;
		return;
	}
	item->inbound->told = fate_was_told(delivery);
	item->inbound->delivery = delivery;
	policy_apply(config_route_named(worker->config, item->inbound->route.data), item->inbound);
}

/* The next one of its queue comes only when it is acknowledged. */
static bool is_serial(const struct worker *worker, const struct broker_delivery *delivery)
{
	const struct config *config = worker->config;

	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].serial &&
		    strcmp(fate_route(delivery), config->routes[i].name) == 0)
			return true;
	return false;
}

static void add_to_batch(struct worker *worker, struct item *item)
{
	if (is_serial(worker, &item->delivery))
		batch_hurry(worker->batch);
	worker_read_item(worker, item);
}

/* The body becomes rows at once, while the broker sends the next one. */
static void take(struct worker *worker, struct broker_delivery *delivery)
{
	if (delivery->redelivered) {
		/* Whoever had it may have died of it: what is in hand is stored first. */
		worker->comes_again = true;
		batch_keep_first(worker->batch, delivery);
		return;
	}
	add_to_batch(worker, batch_add(worker->batch, delivery));
}

/* False if there is none. */
static bool take_kept(struct worker *worker)
{
	const struct item *first = batch_first_kept(worker->batch);

	if (first == NULL)
		return false;
	if (first->delivery.redelivered)
		worker->comes_again = true;
	else
		add_to_batch(worker, batch_add_kept(worker->batch));
	return true;
}

static bool is_empty(const struct worker *worker)
{
	size_t count;

	batch_items(worker->batch, &count);
	return count == 0;
}

static bool wants_more(const struct worker *worker)
{
	return !batch_is_full(worker->batch) && !worker->comes_again && stop_requested() == 0;
}

/* False when the connection is gone. */
static bool gather(struct worker *worker)
{
	struct broker_delivery delivery = {0};
	struct reason reason;

	while (wants_more(worker)) {
		if (take_kept(worker))
			continue;
		struct deadline deadline = is_empty(worker) ? worker_idle_deadline(worker)
							    : batch_deadline(worker->batch);

		switch (broker_next(worker->broker, &delivery, stop_fd(), deadline, &reason)) {
		case BROKER_DELIVERY:
			take(worker, &delivery);
			break;
		case BROKER_TIMEOUT:
			if (!is_empty(worker) && deadline_passed(deadline))
				return true;
			worker_tell_news(worker);
			outlet_serve(worker->outlet);
			break;
		case BROKER_CANCELLED:
		case BROKER_LOST:
			/* A queue that is not there shows here, each time. */
			link_lose_broker(worker, &reason);
			return false;
		}
	}
	return true;
}

/* ---- settling ---- */

/* One delivery of the next batch, while this one is being stored. One that comes again is left for
 * later. */
static void read_one_ahead(struct worker *worker)
{
	struct broker_delivery delivery = {0};
	struct item *item;

	switch (broker_next(worker->broker, &delivery, background_fd(worker->background),
			    deadline_in(HEARTBEAT_STEP_MS), &worker->broken)) {
	case BROKER_DELIVERY:
		item = batch_keep(worker->batch, &delivery);
		if (!item->delivery.redelivered)
			worker_read_item(worker, item);
		break;
	case BROKER_TIMEOUT:
		break;
	case BROKER_CANCELLED:
	case BROKER_LOST:
		worker->is_broken = true;
		break;
	}
}

static void wait_for_background(struct worker *worker)
{
	struct pollfd fd = {.fd = background_fd(worker->background), .events = POLLIN};
	struct reason reason;

	while (!worker->is_broken && !background_done(worker->background)) {
		if (batch_may_keep(worker->batch) && stop_requested() == 0) {
			read_one_ahead(worker);
			continue;
		}
		poll(&fd, 1, HEARTBEAT_STEP_MS);
		if (broker_heartbeat(worker->broker, &reason) != OUTCOME_OK)
			return;
	}
}

/* A full batch has others behind it, which are read and checked while the database works.  (Not in
 * the cautious way: there it must be known of which message a worker dies.) */
static enum outcome store_now(struct worker *worker, struct inbound **messages, size_t count,
			      struct reason *reason)
{
	if (worker->cautious || worker->background == NULL || !batch_is_full(worker->batch) ||
	    !background_begin(worker->background, worker->store, messages, count))
		return store_batch(worker->store, messages, count, reason);
	wait_for_background(worker);
	return background_end(worker->background, reason);
}

static enum outcome store_messages(struct inbound **messages, size_t count, void *context,
				   struct reason *reason)
{
	struct worker *worker = context;

	if (!link_open_store(worker, reason))
		return OUTCOME_RETRY;
	struct reason complaint;
	enum outcome outcome = store_now(worker, messages, count, reason);

	if (store_complaint(worker->store, &complaint))
		worker_log_lost("target", &complaint);
	if (outcome == OUTCOME_OK) {
		backoff_reset(&worker->store_backoff);
		backoff_reset(&worker->broker_backoff);
	}
	if (fences_lost(worker->fences)) {
		worker->is_broken = true;
		worker->broken = *reason;
	}
	return outcome;
}

/* Called once for each item, when it is stored, in a tier or in mail.dead. */
static void item_settled(const struct item *item, void *context)
{
	struct worker *worker = context;

	news_add(worker->news, item);
	worker_log_settled(item);
}

/* Keep the connection alive for a moment: read what comes for the next batch or, when that is
 * enough, only send heartbeats.  False when it is gone. */
static bool serve_broker(struct worker *worker, struct deadline deadline, struct reason *reason)
{
	struct broker_delivery delivery = {0};

	outlet_serve(worker->outlet);
	if (!batch_may_keep(worker->batch)) {
		worker_pause(MIN(deadline_left_ms(deadline), HEARTBEAT_STEP_MS));
		return broker_heartbeat(worker->broker, reason) == OUTCOME_OK;
	}
	switch (broker_next(worker->broker, &delivery, stop_fd(), deadline, reason)) {
	case BROKER_DELIVERY:
		batch_keep(worker->batch, &delivery);
		return true;
	case BROKER_TIMEOUT:
		return true;
	case BROKER_CANCELLED:
	case BROKER_LOST:
		break;
	}
	return false;
}

/* Before the batch is tried again.  False when the connection to the broker is gone. */
static bool pause_and_serve(struct worker *worker)
{
	struct deadline deadline = deadline_in(backoff_pause(&worker->store_backoff));
	struct reason reason;

	while (!deadline_passed(deadline) && stop_requested() == 0) {
		if (!serve_broker(worker, deadline, &reason)) {
			worker_log_lost("broker", &reason);
			return false;
		}
	}
	return true;
}

/* The database answers, but not well: perhaps it is a single message.  Then the others are stored,
 * and that one waits in a tier. */
static void settle_each(struct worker *worker, struct item **items, size_t count)
{
	struct reason why = {.status = ""};
	struct reason reason;
	int stored = 0;
	int failed = 0;

	for (size_t i = 0; i < count && link_store_answers(worker); i++) {
		if (items[i]->state != ITEM_WAITING)
			continue;
		if (settle(&items[i], 1, &worker->ops, &reason) == OUTCOME_OK)
			stored++;
		else if (items[i]->state == ITEM_WAITING) {
			failed++;
			why = reason;
		}
		if (stored == 0 && failed >= ALONE_FAILURES)
			return;
		if (broker_heartbeat(worker->broker, &reason) != OUTCOME_OK)
			return;
	}
	if (stored > 0 && failed > 0 && link_store_answers(worker) &&
	    defer_items(worker, items, count, &why, &reason) != OUTCOME_OK)
		worker_log_lost("retry", &reason);
}

static bool is_any_waiting(struct item **items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (items[i]->state == ITEM_WAITING)
			return true;
	return false;
}

/* To their tiers at once: nothing is known against the others, or the database.  False if some that
 * wait are no such ones. */
static bool defer_held_up(struct worker *worker, struct item **items, size_t count,
			  const struct reason *why)
{
	struct reason reason;

	for (size_t i = 0; i < count; i++)
		if (items[i]->state == ITEM_WAITING && !item_is_held_up(items[i]))
			return false;
	if (!is_any_waiting(items, count))
		return false;
	if (defer_items(worker, items, count, why, &reason) == OUTCOME_OK)
		return true;
	worker_log_lost("retry", &reason);
	return false;
}

/* False when the batch is to be left unacknowledged: it comes again, and is answered then. */
static bool answer_all(struct worker *worker, struct item **items, size_t count)
{
	struct reason reason;

	while (answer_items(worker, items, count, &reason) != OUTCOME_OK)
		if (stop_requested() > 0 || !pause_and_serve(worker))
			return false;
	return true;
}

/* The batch is tried again for as long as the first tier lasts, so that a short absence of the
 * database costs nobody a tier.  False when it is to be left unacknowledged. */
static bool settle_all(struct worker *worker)
{
	struct deadline patience = deadline_in(worker->config->retry_delays[0]);
	struct reason reason;
	size_t count;
	struct item **items = batch_items(worker->batch, &count);

	for (int tries = 1; settle(items, count, &worker->ops, &reason) != OUTCOME_OK; tries++) {
		worker_log_lost("retry", &reason);
		if (stop_requested() > 0)
			return false;
		if (defer_held_up(worker, items, count, &reason))
			continue;
		bool last = deadline_passed(patience);

		if ((last || tries % ALONE_AFTER == 0) && link_store_answers(worker))
			settle_each(worker, items, count);
		if (worker->is_broken)
			return false;
		if (last && is_any_waiting(items, count)) {
			/* After a long time they may be another worker's. */
			if (!serve_broker(worker, deadline_in(0), &worker->broken)) {
				worker_log_lost("broker", &worker->broken);
				return false;
			}
			worker->away = true;
			worker->why = reason;
			if (defer_items(worker, items, count, &worker->why, &reason) == OUTCOME_OK)
				continue;
			worker_log_lost("retry", &reason);
		}
		if (!pause_and_serve(worker))
			return false;
	}
	worker_tell_news(worker);
	return answer_all(worker, items, count);
}

/* Everything up to the batch's last tag is settled now: one acknowledgement is for all of it. */
static bool acknowledge(struct worker *worker)
{
	struct reason reason;
	size_t count;

	batch_items(worker->batch, &count);
	if (stop_requested() > 1)
		return false;
	if (broker_ack(worker->broker, batch_last_tag(worker->batch), true, &reason) !=
	    OUTCOME_OK) {
		worker_log_lost("broker", &reason);
		return false;
	}
	struct log_line *line = log_event(LOG_DEBUG, NULL, NULL, "batch");

	log_num(line, "count", (int64_t)count);
	log_num(line, "bytes", (int64_t)batch_bytes(worker->batch));
	log_end(line);
	batch_clear(worker->batch);
	return true;
}

/* ---- the loop ---- */

/* What was read ahead goes back into its queue, untouched. */
static void give_back(struct worker *worker)
{
	worker->store_next = deadline_in(backoff_pause(&worker->store_backoff));
	link_drop_broker(worker);
}

static void open_work(struct worker *worker)
{
	outlet_serve(worker->outlet);
	if (!gather(worker) || stop_requested() > 1)
		return;
	if (worker->comes_again && !link_set_prefetch(worker, true))
		return;
	if (!is_empty(worker) && (!settle_all(worker) || !acknowledge(worker)))
		link_drop_broker(worker);
	else if (worker->is_broken)
		link_lose_broker(worker, &worker->broken);
	else if (worker->away)
		give_back(worker);
	else if (worker->comes_again)
		cautious_begin(worker);
}

static void free_item(void *item)
{
	item_free(item);
}

static struct notices *open_notices(const struct config *config)
{
	struct reason warning = {.status = ""};
	struct notices *notices = notices_new(config, &warning);

	if (warning.text[0] != '\0')
		worker_log_lost("notices", &warning);
	return notices;
}

static void start(struct worker *worker, const struct config *config,
		  const struct suspect_hand *hand)
{
	const struct batch_limits limits = {.count = (size_t)config->ingest_batch_count,
					    .bytes = (size_t)config->ingest_batch_bytes,
					    .wait_ms = config->ingest_batch_wait};
	const struct backoff backoff = {.first_ms = BACKOFF_FIRST_MS,
					.max_ms = config->ingest_backoff_max};

	*worker = (struct worker){
		.config = config,
		.hand = hand,
		.batch = batch_new(&limits),
		.outlet = outlet_new(config),
		.notices = open_notices(config),
		.fences = fences_new(config),
		.broker_backoff = backoff,
		.store_backoff = backoff,
		.store_next = deadline_in(0),
		.ops = {.store = store_messages, .bury = defer_bury, .settled = item_settled},
		.cautious = true,
		.held = g_ptr_array_new_with_free_func(free_item),
	};
	worker->ops.context = worker;
	worker->news = news_new(config, worker->outlet);
	worker->background = background_new();
}

static void finish(struct worker *worker)
{
	broker_close(&worker->broker);
	news_free(&worker->news);
	outlet_free(&worker->outlet);
	notices_free(&worker->notices);
	store_close(&worker->store);
	fences_free(&worker->fences);
	background_free(&worker->background);
	batch_free(&worker->batch);
	g_ptr_array_unref(worker->held);
}

int worker_run(const struct config *config, const struct suspect_hand *hand)
{
	struct worker worker;

	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_ARENA_MAX, 1); /* the thread that stores shares the memory */
	start(&worker, config, hand);
	while (stop_requested() == 0) {
		if (worker.cautious)
			cautious_work(&worker);
		else
			open_work(&worker);
	}
	finish(&worker);
	return stop_requested() > 1 ? EX_TEMPFAIL : EX_OK;
}
