#include "mailout/worker_private.h"

#include <string.h>

#include "mailout/threadlog.h"

enum {
	CONNECT_REQUIRED_MS = 10000,
	CONNECT_BEST_EFFORT_MS = 2000, /* mail waits for it */
	TRIES = 3,                     /* of a transaction on a connection that works */
	BUSY_MS = 1000,                /* until a claim of another run is looked at again */
	RATED_SHARE = 4                /* of a stream's rate is claimed ahead */
};

/* Results kept for a database that is away. */
static const size_t UNWRITTEN_BYTES_MAX = (size_t)16 * 1024 * 1024;

/* ---- results for later ---- */

void write_start(struct worker *worker)
{
	worker->in_hand = g_hash_table_new(id_hash, id_equal);
	worker->unwritten_by_id = g_hash_table_new(id_hash, id_equal);
}

static void forget_first(struct worker *worker)
{
	struct outbound *row = g_queue_pop_head(&worker->unwritten);

	worker->unwritten_bytes -= outbound_bytes(row);
	if (g_hash_table_lookup(worker->unwritten_by_id, &row->id) == row)
		g_hash_table_remove(worker->unwritten_by_id, &row->id);
	outbound_free(&row);
}

static void log_lost_result(const struct outbound *row)
{
	char text[ID_TEXT_SIZE];
	struct log_line *line = log_event(LOG_WARNING, NULL, id_text(&row->id, text), "unrecorded");

	log_str(line, "outcome", outbound_status_name(row->status));
	log_end(line);
}

void write_stop(struct worker *worker)
{
	while (worker->unwritten.head != NULL) {
		log_lost_result(worker->unwritten.head->data);
		forget_first(worker);
	}
	g_hash_table_unref(worker->unwritten_by_id);
	g_hash_table_unref(worker->in_hand);
}

static void keep(struct worker *worker, struct outbound *row)
{
	worker->unwritten_bytes += outbound_bytes(row);
	g_queue_push_tail(&worker->unwritten, row);
	g_hash_table_replace(worker->unwritten_by_id, &row->id, row);
	while (worker->unwritten_bytes > UNWRITTEN_BYTES_MAX) {
		log_lost_result(worker->unwritten.head->data);
		forget_first(worker);
	}
}

void write_later(struct worker *worker, struct job *job)
{
	keep(worker, g_steal_pointer(&job->row));
}

void write_release(struct worker *worker, struct job *job)
{
	struct outbound *row = g_new0(struct outbound, 1);

	row->id = job->row->id;
	row->stream = g_strdup(job->row->stream);
	row->template_alias = g_strdup(job->row->template_alias);
	row->tag = g_strdup(job->row->tag);
	row->metadata = g_strdup(job->row->metadata);
	row->from_email = g_strdup(job->row->from_email);
	row->subject = g_strdup(job->row->subject);
	row->message_id_header = g_strdup(job->row->message_id_header);
	row->size = job->row->size;
	row->attempt = job->row->attempt;
	row->requeued = job->row->requeued;
	row->status = OUTBOUND_DEFERRED;
	row->last_reply = g_strdup(worker->away.text);
	keep(worker, row);
	g_clear_pointer(&job->recipients, g_strfreev);
	job_move_first(worker, job, JOB_PREPARED);
}

const struct outbound *write_unwritten(const struct worker *worker, const struct id *id)
{
	return g_hash_table_lookup(worker->unwritten_by_id, id);
}

/* ---- claims ---- */

/* What is claimed and not sent would be in doubt if the process ended now: no more than is of use.
 */
static size_t claims_max(const struct worker *worker, size_t index)
{
	size_t most = (size_t)worker->config->mailout_batch_count;
	int64_t rate = worker->config->streams[index].rate;

	if (worker->stopping)
		return 0;
	if (rate > 0)
		most = MIN(most, (size_t)(rate / RATED_SHARE + 1));
	return send_is_away(worker) ? MIN(most, 1) : most;
}

static size_t claim_room(const struct worker *worker, size_t index)
{
	size_t most = claims_max(worker, index);
	size_t claimed = worker->streams[index].claimed.length;

	return most > claimed ? most - claimed : 0;
}

/* The prepared jobs that may be claimed now, at most a batch of them. */
static GPtrArray *claimable(const struct worker *worker)
{
	GPtrArray *jobs = g_ptr_array_new();
	size_t most = (size_t)worker->config->mailout_batch_count;

	for (size_t i = 0; i < worker->config->stream_count; i++) {
		size_t room = claim_room(worker, i);
		const GList *link = worker->streams[i].prepared.head;

		for (; link != NULL && room > 0 && jobs->len < most; link = link->next, room--)
			g_ptr_array_add(jobs, link->data);
	}
	return jobs;
}

static bool is_done(char *const *done, const char *recipient)
{
	return done != NULL && g_strv_contains((const char *const *)done, recipient);
}

/* All but those that need it no more. */
static char **recipients_left(const struct request *request, char *const *done)
{
	g_auto(GStrv) all = request_recipients(request);
	g_autoptr(GStrvBuilder) left = g_strv_builder_new();

	for (char **recipient = all; *recipient != NULL; recipient++)
		if (!is_done(done, *recipient))
			g_strv_builder_add(left, *recipient);
	return g_strv_builder_end(left);
}

/* An address that nobody knows would lose what is written to it. */
static void check_thread(struct job *job)
{
	const struct outbound_thread *thread = job->row->thread;

	if (thread != NULL && thread->gone && job->outcome == OUTCOME_OK)
		job->outcome = threadlog_refuse(&thread->id, &job->reason);
}

/* It is ours to send. */
static void admit(struct worker *worker, struct job *job, char *const *done)
{
	if (verdict_is_expired(job)) {
		verdict_status(worker, job, OUTBOUND_EXPIRED);
		return;
	}
	job->recipients = recipients_left(job->request, done);
	if (job->recipients[0] == NULL)
		verdict_status(worker, job, job->sent_before ? OUTBOUND_SENT : OUTBOUND_FAILED);
	else if (job->outcome != OUTCOME_OK)
		verdict_untried(worker, job, job->outcome);
	else if (job->request->dry_run)
		verdict_status(worker, job, OUTBOUND_DRY_RUN);
	else
		job_move(worker, job, JOB_CLAIMED);
}

static void hold(struct worker *worker, struct job *job)
{
	outcome_reject(&job->reason, "4.4.2",
		       "in doubt: an earlier run of mailout ended while it was being sent");
	verdict_status(worker, job, OUTBOUND_HELD);
}

static void settle_claim(struct worker *worker, struct job *job, const struct claim *claim)
{
	job->sent_before = claim->sent_before;
	switch (claim->state) {
	case CLAIM_DONE:
		verdict_duplicate(worker, job, claim->failed);
		return;
	case CLAIM_BUSY:
		job_sleep(worker, job, monotonic_ms() + BUSY_MS, JOB_PREPARED);
		return;
	case CLAIM_IN_DOUBT:
		worker_log_note(job, LOG_WARNING, "in-doubt");
		if (worker->config->mailout_in_doubt == CONFIG_IN_DOUBT_HOLD) {
			hold(worker, job);
			return;
		}
		break;
	case CLAIM_NEW:
		break;
	}
	check_thread(job);
	admit(worker, job, claim->recipients_done);
}

/* ---- without the database ---- */

/* Brought back from mail.dead since its result was kept. */
static bool is_brought_back(const struct job *job, const struct outbound *before)
{
	return (before->status == OUTBOUND_FAILED || before->status == OUTBOUND_HELD) &&
	       job->row->requeued > before->requeued;
}

/* Recipients that have it. */
static char **recipients_sent(const struct outbound *before)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (size_t i = 0; i < before->recipient_count; i++)
		if (before->recipients[i].state == SENT_OK)
			g_strv_builder_add(builder, before->recipients[i].email);
	return g_strv_builder_end(builder);
}

static void bypass_one(struct worker *worker, struct job *job)
{
	const struct outbound *before = write_unwritten(worker, &job->row->id);

	/* Its reply address is not known before it is claimed. */
	if (job->row->thread != NULL && job->outcome == OUTCOME_OK)
		job->outcome = outcome_retry(&job->reason, "4.3.0",
					     "the database is away, and with it the thread");
	if (before == NULL || before->status == OUTBOUND_DEFERRED ||
	    before->status == OUTBOUND_SCHEDULED) {
		admit(worker, job, NULL);
	} else if (is_brought_back(job, before)) {
		g_auto(GStrv) sent = recipients_sent(before);

		job->sent_before = sent[0] != NULL;
		admit(worker, job, sent);
	} else {
		verdict_duplicate(worker, job, before->status == OUTBOUND_FAILED);
	}
}

static void bypass(struct worker *worker)
{
	g_autoptr(GPtrArray) jobs = claimable(worker);

	while (worker->answered.head != NULL) {
		struct job *job = worker->answered.head->data;

		job->unwritten = job->has_id;
		job_move(worker, job, JOB_RECORDED);
	}
	for (guint i = 0; i < jobs->len; i++)
		bypass_one(worker, jobs->pdata[i]);
}

/* ---- the transaction ---- */

struct batch {
	GPtrArray *rows;     /* struct outbound */
	size_t unwritten;    /* the first ones are from worker->unwritten */
	GPtrArray *answered; /* jobs; those without an id have no row in `rows` */
	GPtrArray *claiming; /* jobs */
	struct claim *claims;
};

static void gather(const struct worker *worker, struct batch *batch)
{
	size_t most = (size_t)worker->config->mailout_batch_count;
	const GList *link;

	batch->rows = g_ptr_array_new();
	batch->answered = g_ptr_array_new();
	for (link = worker->unwritten.head; link != NULL && batch->unwritten < most;
	     link = link->next) {
		g_ptr_array_add(batch->rows, link->data);
		batch->unwritten++;
	}
	for (link = worker->answered.head; link != NULL && batch->answered->len < most;
	     link = link->next) {
		struct job *job = link->data;

		g_ptr_array_add(batch->answered, job);
		if (job->has_id)
			g_ptr_array_add(batch->rows, job->row);
	}
	batch->claiming = claimable(worker);
	batch->claims = g_new0(struct claim, batch->claiming->len);
	for (guint i = 0; i < batch->claiming->len; i++)
		batch->claims[i].row = ((struct job *)batch->claiming->pdata[i])->row;
}

static void clear(struct batch *batch)
{
	for (guint i = 0; i < batch->claiming->len; i++)
		g_strfreev(batch->claims[i].recipients_done);
	g_free(batch->claims);
	g_ptr_array_unref(batch->claiming);
	g_ptr_array_unref(batch->answered);
	g_ptr_array_unref(batch->rows);
}

static enum outcome write_once(struct worker *worker, struct batch *batch, struct reason *reason)
{
	enum outcome outcome = OUTCOME_RETRY;

	/* A deadlock or a lock wait: the connection is fine. */
	for (int i = 0; i < TRIES && outcome == OUTCOME_RETRY && !sentlog_lost(worker->sentlog);
	     i++)
		outcome = sentlog_write(worker->sentlog, (struct outbound **)batch->rows->pdata,
					batch->rows->len, batch->claims, batch->claiming->len,
					reason);
	return outcome;
}

/* The server takes something in it never: each on its own, and what it refuses goes unrecorded. */
static enum outcome write_singly(struct worker *worker, struct batch *batch, struct reason *reason)
{
	for (guint i = 0; i < batch->rows->len; i++) {
		struct outbound *row = batch->rows->pdata[i];
		enum outcome outcome = sentlog_write(worker->sentlog, &row, 1, NULL, 0, reason);

		if (outcome == OUTCOME_RETRY)
			return outcome;
		if (outcome == OUTCOME_REJECT) {
			log_text(LOG_ERR, "database", "%s", reason->text);
			log_lost_result(row);
		}
	}
	for (guint i = 0; i < batch->claiming->len; i++) {
		enum outcome outcome =
			sentlog_write(worker->sentlog, NULL, 0, &batch->claims[i], 1, reason);

		if (outcome == OUTCOME_RETRY)
			return outcome;
		if (outcome == OUTCOME_REJECT) {
			log_text(LOG_ERR, "database", "%s", reason->text);
			batch->claims[i].state = CLAIM_NEW;
		}
	}
	return OUTCOME_OK;
}

static void written(struct worker *worker, struct batch *batch)
{
	for (size_t i = 0; i < batch->unwritten; i++)
		forget_first(worker);
	for (guint i = 0; i < batch->answered->len; i++)
		job_move(worker, batch->answered->pdata[i], JOB_RECORDED);
	for (guint i = 0; i < batch->claiming->len; i++)
		settle_claim(worker, batch->claiming->pdata[i], &batch->claims[i]);
}

static void lose_database(struct worker *worker, const struct reason *reason)
{
	struct link *link = &worker->database_link;

	if (!link->told && worker->config->mailout_record == CONFIG_RECORD_BEST_EFFORT)
		log_text(LOG_WARNING, "database", "away: mail is sent on without a record");
	worker_log_link(link, "database", reason);
	sentlog_close(&worker->sentlog);
	link->next_try = deadline_in(backoff_pause(&link->backoff));
}

static bool connect_database(struct worker *worker, struct reason *reason)
{
	bool required = worker->config->mailout_record == CONFIG_RECORD_REQUIRED;

	worker->sentlog = sentlog_open(
		worker->config,
		deadline_in(required ? CONNECT_REQUIRED_MS : CONNECT_BEST_EFFORT_MS), reason);
	return worker->sentlog != NULL;
}

bool write_open_database(struct worker *worker)
{
	struct reason reason;

	if (worker->sentlog != NULL)
		return true;
	if (!deadline_passed(worker->database_link.next_try))
		return false;
	if (!connect_database(worker, &reason))
		lose_database(worker, &reason);
	return worker->sentlog != NULL;
}

bool write_reopen_database(struct worker *worker, struct reason *reason)
{
	if (!sentlog_lost(worker->sentlog))
		return false;
	sentlog_close(&worker->sentlog);
	if (!connect_database(worker, reason))
		lose_database(worker, reason);
	return worker->sentlog != NULL;
}

static void database_works(struct worker *worker)
{
	struct link *link = &worker->database_link;

	if (link->told)
		log_text(LOG_NOTICE, "database", "back; %u results were kept",
			 worker->unwritten.length);
	link->told = false;
	backoff_reset(&link->backoff);
}

static enum outcome write_whole(struct worker *worker, struct batch *batch, struct reason *reason)
{
	enum outcome outcome = write_once(worker, batch, reason);

	if (outcome == OUTCOME_REJECT)
		outcome = write_singly(worker, batch, reason);
	return outcome;
}

static bool write_with_database(struct worker *worker)
{
	struct batch batch = {0};
	struct reason reason;

	if (!write_open_database(worker))
		return false;
	gather(worker, &batch);
	enum outcome outcome = write_whole(worker, &batch, &reason);

	if (outcome == OUTCOME_RETRY && write_reopen_database(worker, &reason))
		outcome = write_whole(worker, &batch, &reason);
	if (outcome == OUTCOME_OK) {
		database_works(worker);
		written(worker, &batch);
	} else if (worker->sentlog != NULL) {
		lose_database(worker, &reason);
	}
	clear(&batch);
	return outcome == OUTCOME_OK;
}

void write_batch(struct worker *worker)
{
	if (!write_with_database(worker) &&
	    worker->config->mailout_record == CONFIG_RECORD_BEST_EFFORT)
		bypass(worker);
}

/* ---- renewing ---- */

/* What is claimed and was not moved for a while. */
static void gather_old(const GQueue *queue, int64_t now_ms, GArray *ids)
{
	for (const GList *link = queue->head; link != NULL; link = link->next) {
		const struct job *job = link->data;

		if (job->has_id && now_ms - job->since_ms >= SENTLOG_RENEW_MS)
			g_array_append_val(ids, job->row->id);
	}
}

void write_renew(struct worker *worker)
{
	int64_t now_ms = monotonic_ms();
	struct reason reason;

	if (now_ms - worker->renewed_ms < SENTLOG_RENEW_MS)
		return;
	worker->renewed_ms = now_ms;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(struct id));

	gather_old(&worker->flying, now_ms, ids);
	for (size_t i = 0; i < worker->config->stream_count; i++)
		gather_old(&worker->streams[i].claimed, now_ms, ids);
	if (ids->len == 0 || !write_open_database(worker))
		return;
	/* A deadlock or a lock wait: the next time will do. */
	if (sentlog_renew(worker->sentlog, (const struct id *)ids->data, ids->len, &reason) !=
		    OUTCOME_OK &&
	    sentlog_lost(worker->sentlog))
		lose_database(worker, &reason);
}

/* ---- when ---- */

/* A first message of a stream that has nothing to do waits for nobody.  While enough of a stream is
 * claimed, its next claims go with whatever is written anyway. */
static int64_t claims_due_ms(const struct worker *worker, size_t index)
{
	const struct stream *stream = &worker->streams[index];
	const struct job *first =
		stream->prepared.head != NULL ? stream->prepared.head->data : NULL;

	if (first == NULL || claim_room(worker, index) == 0 ||
	    stream->claimed.length > claims_max(worker, index) / 2)
		return INT64_MAX;
	if (stream->claimed.length + stream->flying == 0)
		return first->since_ms;
	return first->since_ms + worker->config->mailout_batch_wait;
}

/* Results wait for those of what is in flight. */
static int64_t results_due_ms(const struct worker *worker)
{
	const struct job *first =
		worker->answered.head != NULL ? worker->answered.head->data : NULL;

	if (first == NULL)
		return INT64_MAX;
	return worker->flying.length == 0 ? first->since_ms
					  : first->since_ms + worker->config->mailout_batch_wait;
}

bool write_is_due(const struct worker *worker, int64_t now_ms, int64_t *due_ms)
{
	g_autoptr(GPtrArray) jobs = claimable(worker);
	size_t count = jobs->len + worker->answered.length;
	bool required = worker->config->mailout_record == CONFIG_RECORD_REQUIRED;

	*due_ms = INT64_MAX;
	if (count + worker->unwritten.length == 0)
		return false;
	if (worker->sentlog == NULL && !deadline_passed(worker->database_link.next_try) &&
	    (required || count == 0)) {
		*due_ms = worker->database_link.next_try.at_ms;
		return false;
	}
	*due_ms = count > 0 ? results_due_ms(worker) : now_ms;
	for (size_t i = 0; i < worker->config->stream_count; i++)
		*due_ms = MIN(*due_ms, claims_due_ms(worker, i));
	return count >= (size_t)worker->config->mailout_batch_count || now_ms >= *due_ms ||
	       worker->stopping;
}
