#include "mailout/worker_private.h"

#include <string.h>

#include "common/retry.h"
#include "common/wire.h"
#include "mailout/prepare.h"
#include "mailout/threadlog.h"

enum {
	READ_COUNT = 64, /* deliveries taken before something else is done */
	PREPARE_COUNT = 16,
	TIMED_MAX = 200,    /* requests that wait for their SendAt here */
	TWIN_MS = 200,      /* until we look again whether another one of its id is through */
	DATABASE_MS = 1000, /* ... whether a stored attachment can be fetched */
	MS_PER_SECOND = 1000
};

/* Requests in hand, and messages built, in bytes.  One is always taken. */
static const size_t WEIGHT_MAX = (size_t)48 * 1024 * 1024;
static const size_t PREPARED_WEIGHT_MAX = (size_t)24 * 1024 * 1024;

bool intake_has_room(const struct worker *worker)
{
	return worker->weight < WEIGHT_MAX;
}

void intake_take(struct worker *worker, struct broker_delivery *delivery)
{
	/* Only now: a queue that is not there shows after a connection that was opened well. */
	worker->consumer_link.told = false;
	backoff_reset(&worker->consumer_link.backoff);
	job_new(worker, delivery);
}

void intake_lose(struct worker *worker, const struct reason *reason)
{
	struct link *link = &worker->consumer_link;

	worker_log_link(link, "broker", reason);
	broker_close(&worker->consumer);
	job_orphan_all(worker);
	link->next_try = deadline_in(backoff_pause(&link->backoff));
}

void intake_read(struct worker *worker)
{
	struct broker_delivery delivery = {0};
	struct reason reason;

	for (int i = 0; i < READ_COUNT && worker->consumer != NULL && intake_has_room(worker);
	     i++) {
		switch (broker_next(worker->consumer, &delivery, -1, deadline_in(0), &reason)) {
		case BROKER_DELIVERY:
			intake_take(worker, &delivery);
			break;
		case BROKER_TIMEOUT:
			return;
		case BROKER_CANCELLED:
		case BROKER_LOST:
			intake_lose(worker, &reason);
			return;
		}
	}
}

/* ---- preparing ---- */

static char *print_metadata(const struct request *request)
{
	size_t size;

	return request->metadata != NULL ? wire_print(request->metadata, false, &size) : NULL;
}

static struct outbound *new_row(const struct worker *worker, const struct job *job)
{
	struct outbound *row = g_new0(struct outbound, 1);
	const struct request *request = job->request;

	row->size = -1;
	row->attempt = MAX(job->delivery.attempt, 1);
	row->requeued = job->delivery.requeued;
	row->status = OUTBOUND_SENDING;
	row->stream = g_strdup(worker->config->streams[job->stream].name);
	if (request == NULL)
		return row;
	row->id = request->id;
	row->template_alias = g_strdup(request->template_alias);
	row->tag = g_strdup(request->tag);
	row->metadata = print_metadata(request);
	row->from_email = g_strdup(request->from.email);
	row->subject = g_strdup(request->subject);
	return row;
}

/* False: it is refused as a whole, and dealt with. */
static bool parse(struct worker *worker, struct job *job)
{
	const struct broker_delivery *delivery = &job->delivery;

	if (job->row != NULL)
		return true;
	job->request = request_new(delivery->body, delivery->body_size, delivery->message_id,
				   worker->config->streams[job->stream].name, worker->config,
				   &job->reason);
	if (job->request != NULL && !job->request->has_id) {
		id_new(&job->request->id);
		job->request->has_id = true;
	}
	job->row = new_row(worker, job);
	job->has_id = job->request != NULL;
	if (job->request != NULL)
		return true;
	/* Its id may be known all the same, for those who look at events; it is not recorded. */
	if (delivery->message_id != NULL)
		id_parse(&job->row->id, delivery->message_id);
	verdict_untried(worker, job, OUTCOME_REJECT);
	return false;
}

/* False: it waits for its time. */
static bool is_time(struct worker *worker, struct job *job)
{
	int64_t left_ms = job->request->send_at * MS_PER_SECOND - realtime_ms();
	size_t tier = 0;

	if (job->request->send_at == 0 || left_ms <= 0)
		return true;
	if (retry_tier_within(worker->config, left_ms, &tier) || worker->timed.length >= TIMED_MAX)
		verdict_scheduled(worker, job, tier);
	else
		job_sleep(worker, job, monotonic_ms() + left_ms, JOB_WAITING);
	return false;
}

static enum outcome fetch_attachments(struct worker *worker, struct request *request,
				      struct reason *reason)
{
	for (size_t i = 0; i < request->attachment_count; i++) {
		struct request_attachment *attachment = &request->attachments[i];
		enum outcome outcome = OUTCOME_OK;

		if (!attachment->is_stored || attachment->data != NULL)
			continue;
		if (!write_open_database(worker))
			return outcome_retry(
				reason, "4.3.0",
				"the database is away, and with it a stored attachment");
		outcome = sentlog_attachment(worker->sentlog, attachment, reason);
		if (outcome == OUTCOME_RETRY && write_reopen_database(worker, reason))
			outcome = sentlog_attachment(worker->sentlog, attachment, reason);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

/* Without the database nobody knows what an answer is to come back to. */
static enum outcome look_up_thread(struct worker *worker, struct request *request,
				   struct reason *reason)
{
	if (!request->has_thread || request->reply_to.count > 0)
		return OUTCOME_OK;
	if (!write_open_database(worker))
		return outcome_retry(reason, "4.3.0",
				     "the database is away, and with it the thread");
	enum outcome outcome =
		threadlog_address(sentlog_db(worker->sentlog), worker->config, request, reason);

	if (outcome == OUTCOME_RETRY && write_reopen_database(worker, reason))
		outcome = threadlog_address(sentlog_db(worker->sentlog), worker->config, request,
					    reason);
	return outcome;
}

static char **addressed(const struct request *request)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (size_t i = 0; i < request->to.count; i++)
		g_strv_builder_add(builder, request->to.item[i].email);
	for (size_t i = 0; i < request->cc.count; i++)
		g_strv_builder_add(builder, request->cc.item[i].email);
	return g_strv_builder_end(builder);
}

/* Somebody's own words: a template's model has them as "message", with the template around them. */
static const char *own_words(const struct request *request)
{
	return request->template_alias != NULL && request->template_model != NULL
		       ? wire_get_text(request->template_model, "message")
		       : NULL;
}

static struct outbound_thread *new_thread(const struct request *request,
					  const struct prepared *prepared)
{
	struct outbound_thread *thread = g_new0(struct outbound_thread, 1);
	const char *words = own_words(request);

	thread->id = request->thread;
	thread->route = g_strdup(request->thread_route);
	memcpy(thread->token_hash, request->thread_token, sizeof(thread->token_hash));
	thread->address = g_strdup(request->thread_address);
	thread->addressed = addressed(request);
	thread->from_name = g_strdup(request->from.name);
	thread->text = g_strdup(words != NULL ? words : prepared->text);
	thread->full_text = words != NULL ? g_strdup(prepared->text) : NULL;
	thread->html = g_strdup(prepared->html);
	thread->automatic = prepared->automatic;
	return thread;
}

/* They are in the message now. */
static void drop_attachments(struct request *request)
{
	for (size_t i = 0; i < request->attachment_count; i++)
		g_clear_pointer(&request->attachments[i].data, g_free);
}

static void build(struct worker *worker, struct job *job)
{
	struct prepared prepared = {0};
	struct outbound *row = job->row;

	job->outcome = look_up_thread(worker, job->request, &job->reason);
	if (job->outcome == OUTCOME_OK)
		job->outcome = fetch_attachments(worker, job->request, &job->reason);
	if (job->outcome == OUTCOME_OK)
		job->outcome = prepare(worker->config, worker->templates, job->request,
				       realtime_ms() / MS_PER_SECOND, &prepared, &job->reason);
	drop_attachments(job->request);
	g_free(row->from_email);
	row->from_email = g_strdup(job->request->from.email);
	if (prepared.subject != NULL) {
		g_free(row->subject);
		row->subject = g_steal_pointer(&prepared.subject);
	}
	row->message_id_header = g_steal_pointer(&prepared.message_id);
	if (prepared.message != NULL && job->request->has_thread)
		row->thread = new_thread(job->request, &prepared);
	if (prepared.message != NULL) {
		row->size = (int64_t)g_bytes_get_size(prepared.message);
		job_set_message(worker, job, g_steal_pointer(&prepared.message));
	}
	prepared_clear(&prepared);
}

/* False: workers died of it.  It is not looked into, and goes to mail.dead. */
static bool may_be_touched(struct worker *worker, struct job *job, const struct suspect_key *key)
{
	const struct broker_delivery *delivery = &job->delivery;

	if (!delivery->redelivered || job->row != NULL ||
	    suspect_check(worker->hand, key, &job->reason) == OUTCOME_OK)
		return true;
	suspect_forget(worker->hand, key);
	job->row = new_row(worker, job);
	if (delivery->message_id != NULL)
		id_parse(&job->row->id, delivery->message_id);
	verdict_untried(worker, job, OUTCOME_REJECT);
	return false;
}

static void prepare_touched(struct worker *worker, struct job *job)
{
	bool required = worker->config->mailout_record == CONFIG_RECORD_REQUIRED;

	if (!parse(worker, job))
		return;
	if (!job_take_in_hand(worker, job)) {
		job_sleep(worker, job, monotonic_ms() + TWIN_MS, JOB_WAITING);
		return;
	}
	if (!is_time(worker, job))
		return;
	build(worker, job);
	if (job->outcome == OUTCOME_RETRY && required && worker->sentlog == NULL)
		job_sleep(worker, job, monotonic_ms() + DATABASE_MS, JOB_WAITING);
	else
		job_move(worker, job, JOB_PREPARED);
}

/* Whatever of a request can end a worker is done here, to one at a time. */
static void prepare_job(struct worker *worker, struct job *job)
{
	struct suspect_key key;

	suspect_key(&key, job->delivery.body, job->delivery.body_size);
	if (!may_be_touched(worker, job, &key))
		return;
	suspect_take(worker->hand, &key);
	prepare_touched(worker, job);
	suspect_let_go(worker->hand);
}

bool intake_prepare(struct worker *worker)
{
	size_t ahead = 2 * (size_t)worker->config->mailout_batch_count;
	int left = PREPARE_COUNT;

	for (size_t i = 0; i < worker->config->stream_count; i++) {
		struct stream *stream = &worker->streams[i];

		while (stream->waiting.head != NULL && stream->prepared.length < ahead &&
		       (worker->prepared_weight < PREPARED_WEIGHT_MAX ||
			stream->prepared.length == 0)) {
			if (left-- == 0)
				return true;
			prepare_job(worker, stream->waiting.head->data);
		}
	}
	return false;
}
