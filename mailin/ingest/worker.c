#include "mailin/ingest/worker.h"

#include <glib.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <sysexits.h>

#include "common/backoff.h"
#include "common/broker.h"
#include "common/dial.h"
#include "common/log.h"
#include "common/retry.h"
#include "common/stop.h"
#include "common/topology.h"
#include "mailin/ingest/batch.h"
#include "mailin/ingest/fate.h"
#include "mailin/ingest/news.h"
#include "mailin/ingest/outlet.h"
#include "mailin/ingest/settle.h"
#include "mailin/ingest/store.h"

enum {
	BACKOFF_FIRST_MS = 200,
	CONNECT_MS = 10000,
	IDLE_MS = 60000,         /* a wait for mail; nothing happens at its end */
	PREFETCH_BATCHES = 2,    /* one in hand, one on its way */
	HEARTBEAT_STEP_MS = 250, /* the shortest heartbeat is a second */
	MS_IN_SECOND = 1000,
	NUMBER_TEXT_SIZE = 32,
};

/* Allocations of this size are mapped, so that a photo's memory goes back when it is freed. */
enum { MAPPED_BYTES = 256 * 1024 };

/* A batch of small mails is freed as a whole; its pages serve the next one. */
enum { KEPT_BYTES = 16 * 1024 * 1024 };

struct worker {
	const struct config *config;
	struct batch *batch;
	struct outlet *outlet;
	struct news *news;
	struct store *store;   /* NULL: not connected */
	struct broker *broker; /* NULL: not connected */
	struct backoff backoff;
	struct settle_ops ops;
};

/* ---- log lines ---- */

static void log_lost(const char *event, const struct reason *reason)
{
	struct log_line *line = log_event(LOG_WARNING, NULL, NULL, event);

	log_reason(line, reason);
	log_end(line);
}

static const char *or_empty(const struct inbound_text *text)
{
	return text->data != NULL ? text->data : "";
}

/* "1.234" */
static void log_delay(struct log_line *line, int64_t since_ms)
{
	int64_t ms = MAX(realtime_ms() - since_ms, 0);
	char text[NUMBER_TEXT_SIZE];

	g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT ".%03d", ms / MS_IN_SECOND,
		   (int)(ms % MS_IN_SECOND));
	log_str(line, "delay", text);
}

static void log_stored(const struct item *item)
{
	const struct inbound *message = item->inbound;
	const char *event = item->state == ITEM_STORED ? "stored" : "duplicate";
	struct log_line *line =
		log_event(LOG_INFO, or_empty(&message->queue_id), message->id_text, event);
	int64_t size = message->size >= 0 ? message->size : (int64_t)item->delivery.body_size;

	log_str(line, "route", or_empty(&message->route));
	log_str(line, "from", or_empty(&message->sender));
	log_str(line, "to", or_empty(&message->recipient));
	log_num(line, "size", size);
	log_delay(line, message->received_ms);
	log_num(line, "attempt", MAX(item->delivery.attempt, 1));
	log_end(line);
}

static void log_dead(const struct item *item)
{
	const struct broker_delivery *delivery = &item->delivery;
	const struct inbound *message = item->inbound;
	const char *queue_id = message != NULL ? or_empty(&message->queue_id) : delivery->queue_id;
	const char *id = message != NULL ? message->id_text : delivery->message_id;
	struct log_line *line = log_event(LOG_WARNING, queue_id, id, "dead");

	log_str(line, "queue", delivery->queue);
	log_num(line, "size", (int64_t)delivery->body_size);
	log_num(line, "attempt", MAX(delivery->attempt, 1));
	log_reason(line, &item->reason);
	log_end(line);
}

/* ---- connections ---- */

static void drop_broker(struct worker *worker)
{
	broker_close(&worker->broker);
	/* The tags died with it; the messages come again. */
	batch_forget(worker->batch);
}

static bool open_store(struct worker *worker, struct reason *reason)
{
	if (worker->store != NULL && store_lost(worker->store))
		store_close(&worker->store);
	if (worker->store == NULL)
		worker->store = store_open(worker->config, deadline_in(CONNECT_MS), reason);
	return worker->store != NULL;
}

static enum outcome consume_all(struct worker *worker, struct deadline deadline,
				struct reason *reason)
{
	const struct config *config = worker->config;
	uint16_t prefetch = (uint16_t)(config->ingest_batch_count * PREFETCH_BATCHES);

	g_autoptr(GPtrArray) queues = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < config->route_count; i++)
		g_ptr_array_add(queues, topology_inbound_queue(config->routes[i].name));
	return broker_consume_all(worker->broker, (char **)queues->pdata, queues->len, prefetch,
				  deadline, reason);
}

static bool open_broker(struct worker *worker, struct reason *reason)
{
	struct deadline deadline = deadline_in(CONNECT_MS);

	if (worker->broker != NULL)
		return true;
	const struct dial who = {.user = &worker->config->amqp_consume,
				 .password_key = "amqp.consume_password_file",
				 .name = "mailin-ingest"};

	worker->broker = dial_broker(worker->config, &who, deadline, reason);
	if (worker->broker == NULL)
		return false;
	if (consume_all(worker, deadline, reason) != OUTCOME_OK) {
		drop_broker(worker);
		return false;
	}
	log_text(LOG_NOTICE, "consuming", "%zu queues", worker->config->route_count);
	return true;
}

static void pause_ms(int64_t ms)
{
	struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};

	poll(&stop, 1, (int)ms);
}

/* The database first: nothing is taken from the queues that could not be stored. */
static bool connect_all(struct worker *worker)
{
	struct reason reason;
	const char *event = "database";

	if (open_store(worker, &reason)) {
		event = "broker";
		if (open_broker(worker, &reason))
			return true;
	}
	log_lost(event, &reason);
	pause_ms(backoff_pause(&worker->backoff));
	return false;
}

/* ---- gathering ---- */

/* The body becomes rows at once, while the broker sends the next one. */
static void take(struct worker *worker, struct broker_delivery *delivery)
{
	struct item *item = batch_add(worker->batch, delivery);
	const struct broker_delivery *taken = &item->delivery;

	item->inbound = inbound_read(taken->body, taken->body_size, taken->queue, worker->config,
				     &item->reason);
	if (item->inbound == NULL)
		item->state = ITEM_REFUSED;
	else
		item->inbound->told = fate_was_told(taken);
}

static bool is_empty(const struct worker *worker)
{
	size_t count;

	batch_items(worker->batch, &count);
	return count == 0;
}

static void tell_news(struct worker *worker)
{
	struct store *store = worker->store;

	news_tell(worker->news, store != NULL && !store_lost(store) ? store_db(store) : NULL);
}

/* A wait for mail; what is still to be told ends it earlier. */
static struct deadline idle_deadline(const struct worker *worker)
{
	return deadline_in(MIN(IDLE_MS, news_rest_ms(worker->news)));
}

/* False when the connection is gone. */
static bool gather(struct worker *worker)
{
	struct broker_delivery delivery = {0};
	struct reason reason;

	while (!batch_is_full(worker->batch) && stop_requested() == 0) {
		if (batch_kept(worker->batch, &delivery)) {
			take(worker, &delivery);
			continue;
		}
		struct deadline deadline =
			is_empty(worker) ? idle_deadline(worker) : batch_deadline(worker->batch);

		switch (broker_next(worker->broker, &delivery, stop_fd(), deadline, &reason)) {
		case BROKER_DELIVERY:
			take(worker, &delivery);
			break;
		case BROKER_TIMEOUT:
			if (!is_empty(worker) && deadline_passed(deadline))
				return true;
			tell_news(worker);
			break;
		case BROKER_CANCELLED:
		case BROKER_LOST:
			log_lost("broker", &reason);
			drop_broker(worker);
			/* A queue that is not there shows here, each time. */
			pause_ms(backoff_pause(&worker->backoff));
			return false;
		}
	}
	return true;
}

/* ---- settling ---- */

static enum outcome store_messages(struct inbound **messages, size_t count, void *context,
				   struct reason *reason)
{
	struct worker *worker = context;

	if (!open_store(worker, reason))
		return OUTCOME_RETRY;
	enum outcome outcome = store_batch(worker->store, messages, count, reason);

	if (outcome == OUTCOME_OK)
		backoff_reset(&worker->backoff);
	return outcome;
}

static enum outcome bury_item(struct item *item, void *context, struct reason *reason)
{
	struct worker *worker = context;
	const struct broker_delivery *delivery = &item->delivery;
	const struct retry_headers headers = {.attempt = delivery->attempt,
					      .first_seen_s = delivery->first_seen,
					      .last_error = item->reason.text};
	struct broker_header room[RETRY_HEADERS];
	const struct broker_message message =
		retry_message(delivery, EXCHANGE_DEAD, delivery->queue, &headers, room);
	enum outcome outcome;

	if (outlet_publish(worker->outlet, &message, 1, &outcome, reason) != OUTCOME_OK)
		reason_prefix(reason, "dead letter");
	return outcome;
}

static void item_settled(const struct item *item, void *context)
{
	struct worker *worker = context;

	news_add(worker->news, item);
	if (item->state == ITEM_DEAD)
		log_dead(item);
	else
		log_stored(item);
}

/* Keep the connection alive for a moment: read what comes for the next batch or, when that is
 * enough, only send heartbeats.  False when it is gone. */
static bool serve_broker(struct worker *worker, struct deadline deadline, struct reason *reason)
{
	struct broker_delivery delivery = {0};

	if (!batch_may_keep(worker->batch)) {
		pause_ms(MIN(deadline_left_ms(deadline), HEARTBEAT_STEP_MS));
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
	struct deadline deadline = deadline_in(backoff_pause(&worker->backoff));
	struct reason reason;

	while (!deadline_passed(deadline) && stop_requested() == 0) {
		if (!serve_broker(worker, deadline, &reason)) {
			log_lost("broker", &reason);
			return false;
		}
	}
	return true;
}

static bool settle_all(struct worker *worker)
{
	struct reason reason;
	size_t count;
	struct item **items = batch_items(worker->batch, &count);

	while (settle(items, count, &worker->ops, &reason) != OUTCOME_OK) {
		log_lost("retry", &reason);
		if (stop_requested() > 0 || !pause_and_serve(worker))
			return false;
	}
	tell_news(worker);
	outlet_rest(worker->outlet);
	return true;
}

/* Everything up to the batch's last tag is settled now: one acknowledgement is for all of it. */
static void acknowledge(struct worker *worker)
{
	struct reason reason;
	size_t count;

	batch_items(worker->batch, &count);
	if (stop_requested() > 1)
		return;
	if (broker_ack(worker->broker, batch_last_tag(worker->batch), true, &reason) !=
	    OUTCOME_OK) {
		log_lost("broker", &reason);
		drop_broker(worker);
		return;
	}
	struct log_line *line = log_event(LOG_DEBUG, NULL, NULL, "batch");

	log_num(line, "count", (int64_t)count);
	log_num(line, "bytes", (int64_t)batch_bytes(worker->batch));
	log_end(line);
	batch_clear(worker->batch);
}

static void work(struct worker *worker)
{
	if (!connect_all(worker) || !gather(worker) || is_empty(worker))
		return;
	if (stop_requested() > 1)
		return;
	if (settle_all(worker))
		acknowledge(worker);
	else
		drop_broker(worker);
}

int worker_run(const struct config *config)
{
	const struct batch_limits limits = {.count = (size_t)config->ingest_batch_count,
					    .bytes = (size_t)config->ingest_batch_bytes,
					    .wait_ms = config->ingest_batch_wait};
	struct worker worker = {
		.config = config,
		.batch = batch_new(&limits),
		.outlet = outlet_new(config),
		.backoff = {.first_ms = BACKOFF_FIRST_MS, .max_ms = config->ingest_backoff_max},
		.ops = {.store = store_messages, .bury = bury_item, .settled = item_settled},
	};

	worker.ops.context = &worker;
	worker.news = news_new(config, worker.outlet);
	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	while (stop_requested() == 0)
		work(&worker);
	broker_close(&worker.broker);
	news_free(&worker.news);
	outlet_free(&worker.outlet);
	store_close(&worker.store);
	batch_free(&worker.batch);
	return stop_requested() > 1 ? EX_TEMPFAIL : EX_OK;
}
