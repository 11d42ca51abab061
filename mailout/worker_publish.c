#include "mailout/worker_private.h"

#include <string.h>

#include "common/dial.h"
#include "common/retry.h"
#include "common/topology.h"
#include "mailout/event.h"

enum {
	CONNECT_MS = 10000,
	PUBLISH_MS = 10000,
	SERVE_MS = 1000,  /* how often heartbeats are looked after */
	ACK_HOLD_MS = 50, /* one may wait so long for those before it, to go with them */
	JOBS_MAX = 256,   /* told at once */
	MS_PER_SECOND = 1000
};

/* Messages to publish, and what they borrow from. */
struct outbox {
	GArray *messages; /* struct broker_message */
	GPtrArray *jobs;  /* each one's job */
	GPtrArray *owned; /* for g_free() */
	int64_t now_ms;
	const char *app_id;
};

/* ---- the connection ---- */

static void lose_publisher(struct worker *worker, const struct reason *reason)
{
	worker_log_link(&worker->publisher_link, "broker", reason);
	broker_close(&worker->publisher);
	worker->publisher_link.next_try =
		deadline_in(backoff_pause(&worker->publisher_link.backoff));
}

static bool open_publisher(struct worker *worker)
{
	const struct dial who = {.user = &worker->config->amqp_mailout,
				 .password_key = "amqp.mailout_password_file",
				 .name = "mailout publishing"};
	struct deadline deadline = deadline_in(CONNECT_MS);
	struct reason reason;

	if (worker->publisher != NULL)
		return true;
	if (!deadline_passed(worker->publisher_link.next_try))
		return false;
	worker->publisher = dial_broker(worker->config, &who, deadline, &reason);
	if (worker->publisher != NULL &&
	    broker_confirm_select(worker->publisher, deadline, &reason) == OUTCOME_OK)
		return true;
	lose_publisher(worker, &reason);
	return false;
}

void publish_serve(struct worker *worker)
{
	struct broker_delivery delivery;
	struct reason reason;
	int64_t now = monotonic_ms();

	if (worker->publisher == NULL || now - worker->served_ms < SERVE_MS)
		return;
	worker->served_ms = now;
	if (broker_next(worker->publisher, &delivery, -1, deadline_in(0), &reason) == BROKER_LOST)
		lose_publisher(worker, &reason);
}

/* ---- what is to be said of a job ---- */

static void add_event(struct outbox *outbox, struct job *job, enum event_kind kind,
		      const struct sent_recipient *recipient)
{
	struct event event;

	event_make(&event, kind, job->row, recipient, outbox->now_ms);
	char *id = g_strdup(event.id);
	struct broker_message message = {
		.exchange = EXCHANGE_EVENTS,
		.routing_key = event.routing_key,
		.body = event.body,
		.body_size = event.size,
		.content_type = CONTENT_TYPE_JSON,
		.message_id = id,
		.type = TYPE_EVENT,
		.app_id = outbox->app_id,
		.timestamp = outbox->now_ms / MS_PER_SECOND,
		.optional = true,
	};

	g_ptr_array_add(outbox->owned, id);
	g_ptr_array_add(outbox->owned, event.body);
	g_array_append_val(outbox->messages, message);
	g_ptr_array_add(outbox->jobs, job);
}

static enum event_kind kind_of(enum sent_state state)
{
	switch (state) {
	case SENT_OK:
		return EVENT_SENT;
	case SENT_FAILED:
		return EVENT_FAILED;
	case SENT_DEFERRED:
	case SENT_IN_DOUBT:
		break;
	}
	return EVENT_DEFERRED;
}

static void add_for_all(struct outbox *outbox, struct job *job, enum event_kind kind)
{
	g_auto(GStrv) recipients = job->request != NULL ? request_recipients(job->request) : NULL;

	for (char **email = recipients; email != NULL && *email != NULL; email++) {
		struct sent_recipient recipient = {.email = *email, .reply = job->reason.text};

		g_strlcpy(recipient.status, job->reason.status, sizeof(recipient.status));
		add_event(outbox, job, kind, &recipient);
	}
}

static void add_events(struct outbox *outbox, struct job *job)
{
	const struct outbound *row = job->row;
	static char nobody[] = "";

	switch (job->events) {
	case EVENTS_NONE:
		break;
	case EVENTS_EXPIRED:
		add_for_all(outbox, job, EVENT_EXPIRED);
		break;
	case EVENTS_HELD:
		add_for_all(outbox, job, EVENT_HELD);
		break;
	case EVENTS_RECIPIENTS:
		for (size_t i = 0; i < row->recipient_count; i++)
			add_event(outbox, job,
				  row->status == OUTBOUND_HELD &&
						  row->recipients[i].state == SENT_IN_DOUBT
					  ? EVENT_HELD
					  : kind_of(row->recipients[i].state),
				  &row->recipients[i]);
		/* A request that could not even be read for its recipients. */
		if (row->recipient_count == 0) {
			struct sent_recipient unknown = {.email = nobody,
							 .reply = job->reason.text};

			g_strlcpy(unknown.status, job->reason.status, sizeof(unknown.status));
			add_event(outbox, job, EVENT_FAILED, &unknown);
		}
		break;
	}
}

static void add_delivery(struct outbox *outbox, struct job *job, const char *exchange,
			 const struct retry_headers *headers)
{
	struct broker_header *room = g_new(struct broker_header, RETRY_HEADERS);
	struct broker_message message =
		retry_message(&job->delivery, exchange, job->delivery.queue, headers, room);

	/* One that came without an id keeps the one that was drawn: the record knows it by that. */
	if (message.message_id == NULL && job->has_id) {
		char *id = g_malloc(ID_TEXT_SIZE);

		message.message_id = id_text(&job->row->id, id);
		g_ptr_array_add(outbox->owned, id);
	}
	g_ptr_array_add(outbox->owned, room);
	g_array_append_val(outbox->messages, message);
	g_ptr_array_add(outbox->jobs, job);
}

static void add_retry(const struct worker *worker, struct outbox *outbox, struct job *job)
{
	char *exchange = topology_retry_tier(worker->config->retry_tiers[job->tier]);
	const struct broker_delivery *delivery = &job->delivery;
	int64_t now_s = outbox->now_ms / MS_PER_SECOND;
	struct retry_headers headers = {
		.attempt = delivery->attempt,
		.first_seen_s = MIN(delivery->first_seen, now_s),
		.next_attempt_ms = job->row->next_attempt_ms,
	};

	/* What waits for its SendAt was not tried. */
	if (job->row->status != OUTBOUND_SCHEDULED) {
		headers.attempt = job->row->attempt + 1;
		headers.last_error = job->reason.text;
		headers.first_seen_s = retry_first_seen(delivery, now_s, now_s);
	}
	g_ptr_array_add(outbox->owned, exchange);
	add_delivery(outbox, job, exchange, &headers);
}

static void add_dead(struct outbox *outbox, struct job *job)
{
	const struct retry_headers headers = {
		.attempt = job->row->attempt,
		.first_seen_s = job->delivery.first_seen,
		.last_error = job->reason.text,
	};

	add_delivery(outbox, job, EXCHANGE_DEAD, &headers);
}

static void add_job(const struct worker *worker, struct outbox *outbox, struct job *job)
{
	add_events(outbox, job);
	/* One that cannot be acknowledged comes again by itself; only what is final by then does
	 * not. */
	if (job->fate == FATE_TIER && job->delivery.tag != 0)
		add_retry(worker, outbox, job);
	else if (job->fate == FATE_DEAD &&
		 (job->delivery.tag != 0 || job->row->status == OUTBOUND_FAILED))
		add_dead(outbox, job);
}

/* ---- publishing ---- */

static void finish(struct worker *worker, struct job *job)
{
	if (job->in_hand)
		g_hash_table_remove(worker->in_hand, &job->row->id);
	job->in_hand = false;
	if (job->unwritten)
		write_later(worker, job);
	if (job->delivery.tag == 0) {
		job_free(worker, job);
		return;
	}
	worker->weight -= job->weight;
	job->weight = 0;
	g_clear_pointer(&job->delivery.body, g_free);
	request_free(&job->request);
	outbound_free(&job->row);
	job_move(worker, job, JOB_DONE);
}

static void tell_once(struct worker *worker, struct job *job)
{
	if (!job->told && (job->events != EVENTS_NONE || job->row->status != OUTBOUND_SENDING)) {
		worker_log_job(worker, job);
		state_note(worker, job);
	}
	job->told = true;
}

/* Publish; the jobs of what did not go through are taken out of `jobs`. */
static void publish(struct worker *worker, struct outbox *outbox, GPtrArray *jobs)
{
	size_t count = outbox->messages->len;
	struct reason reason;

	if (count == 0)
		return;
	if (!open_publisher(worker)) {
		for (size_t i = 0; i < count; i++)
			g_ptr_array_remove(jobs, outbox->jobs->pdata[i]);
		return;
	}
	g_autofree enum outcome *outcomes = g_new0(enum outcome, count);

	worker->served_ms = monotonic_ms();
	if (broker_publish_all(worker->publisher, (struct broker_message *)outbox->messages->data,
			       count, outcomes, deadline_in(PUBLISH_MS), &reason) == OUTCOME_OK) {
		worker->publisher_link.told = false;
		backoff_reset(&worker->publisher_link.backoff);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (outcomes[i] != OUTCOME_OK)
			g_ptr_array_remove(jobs, outbox->jobs->pdata[i]);
	lose_publisher(worker, &reason);
}

static void free_outbox(struct outbox *outbox)
{
	g_array_unref(outbox->messages);
	g_ptr_array_unref(outbox->jobs);
	g_ptr_array_unref(outbox->owned);
}

void publish_batch(struct worker *worker)
{
	g_autofree char *app_id = g_strconcat("mailpipe/", worker->config->instance, NULL);
	g_autoptr(GPtrArray) jobs = g_ptr_array_new();
	struct outbox outbox = {
		.messages = g_array_new(FALSE, FALSE, sizeof(struct broker_message)),
		.jobs = g_ptr_array_new(),
		.owned = g_ptr_array_new_with_free_func(g_free),
		.now_ms = realtime_ms(),
		.app_id = app_id,
	};

	/* Without a connection only what needs none goes on. */
	for (GList *link = worker->recorded.head; link != NULL && jobs->len < JOBS_MAX;
	     link = link->next) {
		struct job *job = link->data;

		tell_once(worker, job);
		add_job(worker, &outbox, job);
		g_ptr_array_add(jobs, job);
	}
	publish(worker, &outbox, jobs);
	for (guint i = 0; i < jobs->len; i++)
		finish(worker, jobs->pdata[i]);
	free_outbox(&outbox);
}

/* ---- acknowledging ---- */

static bool ack(struct worker *worker, uint64_t tag, bool multiple)
{
	struct reason reason;

	if (broker_ack(worker->consumer, tag, multiple, &reason) == OUTCOME_OK)
		return true;
	intake_lose(worker, &reason);
	return false;
}

/* Those at the front go with one acknowledgement. */
static bool ack_front(struct worker *worker)
{
	uint64_t last = 0;

	while (worker->order.head != NULL) {
		struct job *job = worker->order.head->data;

		if (job->state != JOB_DONE)
			break;
		last = job->delivery.tag;
		job_free(worker, job);
	}
	return last == 0 || ack(worker, last, true);
}

void publish_acknowledge(struct worker *worker)
{
	int64_t old = monotonic_ms() - ACK_HOLD_MS;
	GList *next;

	if (worker->done == 0 || worker->consumer == NULL || !ack_front(worker) ||
	    worker->done == 0)
		return;
	for (GList *link = worker->order.head; link != NULL; link = next) {
		struct job *job = link->data;
		uint64_t tag = job->delivery.tag;

		next = link->next;
		if (job->state != JOB_DONE || (job->since_ms > old && !worker->stopping))
			continue;
		job_free(worker, job);
		if (!ack(worker, tag, false))
			return;
	}
}
