#include "mailout/worker_private.h"

#include <string.h>

#include "common/retry.h"

enum { MS_PER_SECOND = 1000 };

bool verdict_is_expired(const struct job *job)
{
	return job->request != NULL && job->request->expires_at > 0 &&
	       realtime_ms() >= job->request->expires_at * MS_PER_SECOND;
}

static void set_last_reply(struct job *job, const char *text)
{
	g_free(job->row->last_reply);
	job->row->last_reply = g_strdup(text);
}

static void answered(struct worker *worker, struct job *job)
{
	job_set_message(worker, job, NULL);
	job_move(worker, job, JOB_ANSWERED);
}

void verdict_status(struct worker *worker, struct job *job, enum outbound_status status)
{
	job->row->status = status;
	if (job->reason.text[0] != '\0')
		set_last_reply(job, job->reason.text);
	switch (status) {
	case OUTBOUND_EXPIRED:
		job->events = EVENTS_EXPIRED;
		break;
	case OUTBOUND_HELD:
		job->events = EVENTS_HELD;
		job->fate = FATE_DEAD;
		break;
	default:
		break;
	}
	answered(worker, job);
}

void verdict_scheduled(struct worker *worker, struct job *job, size_t tier)
{
	job->fate = FATE_TIER;
	job->tier = tier;
	job->row->next_attempt_ms = job->request->send_at * MS_PER_SECOND;
	/* A try that is to come is not one. */
	job->row->attempt = 0;
	verdict_status(worker, job, OUTBOUND_SCHEDULED);
}

void verdict_duplicate(struct worker *worker, struct job *job, bool failed)
{
	/* A delivery that came back may have been recorded by a run that ended before it could
	 * tell. */
	if (failed && job->delivery.redelivered) {
		outcome_reject(&job->reason, "5.0.0",
			       "failed in an earlier delivery, see the record");
		job->fate = FATE_DEAD;
	}
	worker_log_note(job, LOG_INFO, "duplicate");
	job_set_message(worker, job, NULL);
	job_move(worker, job, JOB_RECORDED);
}

/* ---- another try, or none ---- */

/* The recipients that still wait have waited long enough. */
static void give_up(struct job *job)
{
	struct outbound *row = job->row;

	for (size_t i = 0; i < row->recipient_count; i++) {
		struct sent_recipient *recipient = &row->recipients[i];

		if (recipient->state != SENT_DEFERRED && recipient->state != SENT_IN_DOUBT)
			continue;
		g_autofree char *reply = g_strdup_printf(
			"given up after %d tries; the last reply: %s", (int)row->attempt,
			recipient->reply != NULL ? recipient->reply : "none");

		recipient->state = SENT_FAILED;
		g_free(recipient->reply);
		recipient->reply = g_steal_pointer(&reply);
		outcome_reject(&job->reason, "5.4.7", "%s", recipient->reply);
		set_last_reply(job, recipient->reply);
	}
	job->fate = FATE_DEAD;
}

/* Some recipients wait.  False if they waited long enough. */
static bool try_again(const struct worker *worker, struct job *job)
{
	const struct config *config = worker->config;
	int64_t now_ms = realtime_ms();

	int64_t now_s = now_ms / MS_PER_SECOND;

	if (!retry_next(config, job->row->attempt, retry_since(&job->delivery, now_s, now_s), now_s,
			&job->tier))
		return false;
	job->fate = FATE_TIER;
	job->row->next_attempt_ms = now_ms + config->retry_delays[job->tier];
	return true;
}

struct tally {
	size_t states[SENT_IN_DOUBT + 1];
};

static struct tally count_states(const struct outbound *row)
{
	struct tally tally = {{0}};

	for (size_t i = 0; i < row->recipient_count; i++)
		tally.states[row->recipients[i].state]++;
	return tally;
}

/* The reply that says most about what became of the message: the worst one. */
static const struct sent_recipient *telling(const struct outbound *row)
{
	static const int weight[] = {
		[SENT_OK] = 0, [SENT_DEFERRED] = 2, [SENT_FAILED] = 1, [SENT_IN_DOUBT] = 3};
	const struct sent_recipient *worst = NULL;

	for (size_t i = 0; i < row->recipient_count; i++)
		if (worst == NULL || weight[row->recipients[i].state] > weight[worst->state])
			worst = &row->recipients[i];
	return worst;
}

static void note_reason(struct job *job, const struct sent_recipient *recipient)
{
	const char *text = recipient->reply != NULL ? recipient->reply : "no reply";

	set_last_reply(job, text);
	outcome_retry(&job->reason, recipient->status[0] != '\0' ? recipient->status : "4.0.0",
		      "%s", text);
}

/* With the recipients' results in the row: what becomes of the message. */
static void judge(struct worker *worker, struct job *job)
{
	struct outbound *row = job->row;
	struct tally tally = count_states(row);
	bool hold = worker->config->mailout_in_doubt == CONFIG_IN_DOUBT_HOLD;
	bool reached = job->sent_before || tally.states[SENT_OK] > 0;

	job->events = EVENTS_RECIPIENTS;
	if (row->recipient_count > 0)
		note_reason(job, telling(row));
	if (tally.states[SENT_IN_DOUBT] > 0 && hold) {
		row->status = OUTBOUND_HELD;
		job->fate = FATE_DEAD;
	} else if (tally.states[SENT_IN_DOUBT] + tally.states[SENT_DEFERRED] > 0 &&
		   try_again(worker, job)) {
		row->status = OUTBOUND_DEFERRED;
	} else {
		if (tally.states[SENT_IN_DOUBT] + tally.states[SENT_DEFERRED] > 0)
			give_up(job);
		row->status = reached ? OUTBOUND_SENT : OUTBOUND_FAILED;
		if (!reached)
			job->fate = FATE_DEAD;
	}
	answered(worker, job);
}

void verdict_sent(struct worker *worker, struct job *job, struct sent *sent)
{
	job->row->recipients = g_steal_pointer(&sent->recipients);
	job->row->recipient_count = sent->recipient_count;
	sent->recipient_count = 0;
	judge(worker, job);
}

void verdict_untried(struct worker *worker, struct job *job, enum outcome outcome)
{
	struct outbound *row = job->row;
	g_auto(GStrv) all = job->request != NULL ? request_recipients(job->request) : NULL;
	char **recipients = job->recipients != NULL ? job->recipients : all;
	size_t count = recipients != NULL ? g_strv_length(recipients) : 0;
	struct reason reason = job->reason;

	row->recipients = g_new0(struct sent_recipient, count);
	row->recipient_count = count;
	for (size_t i = 0; i < count; i++) {
		struct sent_recipient *recipient = &row->recipients[i];

		recipient->email = g_strdup(recipients[i]);
		recipient->state = outcome == OUTCOME_REJECT ? SENT_FAILED : SENT_DEFERRED;
		g_strlcpy(recipient->status, reason.status, sizeof(recipient->status));
		recipient->reply = g_strdup(reason.text);
	}
	judge(worker, job);
	/* One without recipients that could be read. */
	if (count == 0) {
		row->status = OUTBOUND_FAILED;
		job->fate = FATE_DEAD;
		set_last_reply(job, reason.text);
	}
	if (job->row->status != OUTBOUND_FAILED || outcome == OUTCOME_REJECT)
		job->reason = reason;
}
