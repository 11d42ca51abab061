#include "mailout/worker_private.h"

#include <string.h>

static GQueue *queue_of(struct worker *worker, const struct job *job, enum job_state state)
{
	struct stream *stream = &worker->streams[job->stream];

	switch (state) {
	case JOB_WAITING:
		return &stream->waiting;
	case JOB_TIMED:
		return &worker->timed;
	case JOB_PREPARED:
		return &stream->prepared;
	case JOB_CLAIMED:
		return &stream->claimed;
	case JOB_FLYING:
		return &worker->flying;
	case JOB_ANSWERED:
		return &worker->answered;
	case JOB_RECORDED:
		return &worker->recorded;
	case JOB_DONE:
		break;
	}
	return NULL;
}

static void leave_state(struct worker *worker, struct job *job)
{
	if (job->queue != NULL)
		g_queue_unlink(job->queue, &job->link);
	if (job->state == JOB_FLYING)
		worker->streams[job->stream].flying--;
	if (job->state == JOB_DONE)
		worker->done--;
}

static void enter_state(struct worker *worker, struct job *job, enum job_state state)
{
	leave_state(worker, job);
	job->state = state;
	job->since_ms = monotonic_ms();
	job->queue = queue_of(worker, job, state);
	if (state == JOB_FLYING)
		worker->streams[job->stream].flying++;
	if (state == JOB_DONE)
		worker->done++;
}

void job_move(struct worker *worker, struct job *job, enum job_state state)
{
	enter_state(worker, job, state);
	if (job->queue != NULL)
		g_queue_push_tail_link(job->queue, &job->link);
}

void job_move_first(struct worker *worker, struct job *job, enum job_state state)
{
	enter_state(worker, job, state);
	if (job->queue != NULL)
		g_queue_push_head_link(job->queue, &job->link);
}

void job_sleep(struct worker *worker, struct job *job, int64_t wake_ms, enum job_state wake_to)
{
	job->wake_ms = wake_ms;
	job->wake_to = wake_to;
	worker->next_wake_ms = MIN(worker->next_wake_ms, wake_ms);
	job_move(worker, job, JOB_TIMED);
}

void job_wake_due(struct worker *worker)
{
	int64_t now = monotonic_ms();
	GList *next;

	if (now < worker->next_wake_ms)
		return;
	worker->next_wake_ms = INT64_MAX;
	for (GList *link = worker->timed.head; link != NULL; link = next) {
		struct job *job = link->data;

		next = link->next;
		if (job->wake_ms <= now)
			job_move(worker, job, job->wake_to);
		else
			worker->next_wake_ms = MIN(worker->next_wake_ms, job->wake_ms);
	}
}

struct job *job_new(struct worker *worker, struct broker_delivery *delivery)
{
	struct job *job = g_new0(struct job, 1);

	job->delivery = *delivery;
	*delivery = (struct broker_delivery){0};
	for (size_t i = 0; i < worker->config->stream_count; i++)
		if (strcmp(job->delivery.queue, worker->streams[i].queue) == 0)
			job->stream = i;
	/* The broker's own text goes with its connection. */
	job->delivery.queue = worker->streams[job->stream].queue;
	job->link.data = job;
	job->order.data = job;
	job->arrived_ms = monotonic_ms();
	job->weight = job->delivery.body_size;
	worker->weight += job->weight;
	g_queue_push_tail_link(&worker->order, &job->order);
	job->state = JOB_WAITING;
	job_move(worker, job, JOB_WAITING);
	return job;
}

bool job_take_in_hand(struct worker *worker, struct job *job)
{
	struct job *there = g_hash_table_lookup(worker->in_hand, &job->row->id);

	if (there != NULL)
		return there == job;
	g_hash_table_insert(worker->in_hand, &job->row->id, job);
	job->in_hand = true;
	return true;
}

void job_set_message(struct worker *worker, struct job *job, GBytes *message)
{
	if (job->message != NULL) {
		worker->prepared_weight -= g_bytes_get_size(job->message);
		g_bytes_unref(job->message);
	}
	job->message = message;
	if (message != NULL)
		worker->prepared_weight += g_bytes_get_size(message);
}

void job_free(struct worker *worker, struct job *job)
{
	leave_state(worker, job);
	if (job->delivery.tag != 0)
		g_queue_unlink(&worker->order, &job->order);
	if (job->in_hand)
		g_hash_table_remove(worker->in_hand, &job->row->id);
	job_set_message(worker, job, NULL);
	worker->weight -= job->weight;
	broker_delivery_clear(&job->delivery);
	request_free(&job->request);
	outbound_free(&job->row);
	g_strfreev(job->recipients);
	g_free(job->log_event);
	g_free(job);
}

static void cannot_acknowledge(struct worker *worker, struct job *job)
{
	if (job->delivery.tag != 0)
		g_queue_unlink(&worker->order, &job->order);
	job->delivery.tag = 0;
}

void job_give_back(struct worker *worker, struct job *job, const char *why)
{
	cannot_acknowledge(worker, job);
	outcome_retry(&job->reason, "4.3.2", "not tried: %s", why);
	verdict_status(worker, job, OUTBOUND_DEFERRED);
}

static void orphan(struct worker *worker, struct job *job)
{
	switch (job->state) {
	case JOB_WAITING:
	case JOB_TIMED:
	case JOB_PREPARED:
	case JOB_DONE:
		job_free(worker, job);
		return;
	case JOB_CLAIMED:
		job_give_back(worker, job, "the connection to RabbitMQ was lost");
		return;
	case JOB_FLYING:
	case JOB_ANSWERED:
	case JOB_RECORDED:
		cannot_acknowledge(worker, job);
		return;
	}
}

void job_orphan_all(struct worker *worker)
{
	GList *next;

	for (GList *link = worker->order.head; link != NULL; link = next) {
		next = link->next;
		orphan(worker, link->data);
	}
}
