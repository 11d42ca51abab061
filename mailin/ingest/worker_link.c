#include <glib.h>

#include "common/dial.h"
#include "common/log.h"
#include "common/topology.h"
#include "mailin/ingest/worker_private.h"

enum {
	CONNECT_MS = 10000,
	PREFETCH_BATCHES = 2, /* one in hand, one on its way */
	PREFETCH_CAUTIOUS = 1,
};

/* Nobody serves heartbeats meanwhile. */
static struct deadline connect_deadline(const struct worker *worker)
{
	return deadline_in(MIN(CONNECT_MS, worker->config->amqp_heartbeat));
}

bool link_open_store(struct worker *worker, struct reason *reason)
{
	if (worker->store != NULL && store_lost(worker->store))
		store_close(&worker->store);
	if (worker->store == NULL)
		worker->store = store_open(worker->config, worker->fences, connect_deadline(worker),
					   reason);
	return worker->store != NULL;
}

bool link_store_answers(const struct worker *worker)
{
	return worker->store != NULL && !store_lost(worker->store);
}

void link_drop_broker(struct worker *worker)
{
	broker_close(&worker->broker);
	/* The tags died with it; the messages come again. */
	batch_forget(worker->batch);
	fences_forget(worker->fences);
	cautious_forget(worker);
	worker->cautious = true;
	worker->comes_again = false;
	worker->is_broken = false;
}

void link_lose_broker(struct worker *worker, const struct reason *reason)
{
	worker_log_lost("broker", reason);
	link_drop_broker(worker);
	worker_pause(backoff_pause(&worker->broker_backoff));
}

static uint16_t prefetch(const struct worker *worker)
{
	if (worker->cautious)
		return PREFETCH_CAUTIOUS;
	return (uint16_t)(worker->config->ingest_batch_count * PREFETCH_BATCHES);
}

static enum outcome consume_all(struct worker *worker, struct deadline deadline,
				struct reason *reason)
{
	const struct config *config = worker->config;

	g_autoptr(GPtrArray) queues = g_ptr_array_new_with_free_func(g_free);
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < config->route_count && outcome == OUTCOME_OK; i++) {
		g_autofree char *queue = topology_inbound_queue(config->routes[i].name);

		if (config->routes[i].serial)
			outcome = broker_consume_single(worker->broker, queue, deadline, reason);
		else
			g_ptr_array_add(queues, g_steal_pointer(&queue));
	}
	if (outcome != OUTCOME_OK)
		return outcome;
	return broker_consume_all(worker->broker, (char **)queues->pdata, queues->len,
				  prefetch(worker), deadline, reason);
}

bool link_open_broker(struct worker *worker)
{
	struct deadline deadline = deadline_in(CONNECT_MS);
	struct reason reason;

	if (worker->broker != NULL)
		return true;
	const struct dial who = {.user = &worker->config->amqp_consume,
				 .password_key = "amqp.consume_password_file",
				 .name = "mailin-ingest"};

	worker->broker = dial_broker(worker->config, &who, deadline, &reason);
	if (worker->broker == NULL || consume_all(worker, deadline, &reason) != OUTCOME_OK) {
		link_lose_broker(worker, &reason);
		return false;
	}
	log_text(LOG_NOTICE, "consuming", "%zu queues", worker->config->route_count);
	return true;
}

bool link_set_prefetch(struct worker *worker, bool cautious)
{
	struct reason reason;

	worker->cautious = cautious;
	if (broker_consume_anew(worker->broker, prefetch(worker), deadline_in(CONNECT_MS),
				&reason) == OUTCOME_OK)
		return true;
	link_lose_broker(worker, &reason);
	return false;
}
