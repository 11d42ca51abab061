#include "mailout/worker_private.h"

#include <string.h>
#include <sys/epoll.h>

enum {
	WINDOW_MIN = 2, /* messages given to a session and not answered */
	WINDOW_FIRST = 8,
	WINDOW_MAX = 32,
	SLOW_MS = 500, /* a server that takes this for a message gets fewer ahead */
	REST_FIRST_MS = 500,
	STOP_MS = 2000,  /* for QUIT */
	RATED_SHARE = 20 /* of a stream's rate may be in flight */
};

/* ... and their bytes; one is always taken. */
static const size_t WINDOW_BYTES = (size_t)2 * 1024 * 1024;

/* ---- sessions ---- */

static void watch(struct worker *worker, struct session *session)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = session->sender != NULL ? sender_fd(session->sender) : -1;

	if (fd >= 0 && sender_wants_write(session->sender))
		event.events |= EPOLLOUT;
	if (fd == session->fd && event.events == session->events)
		return;
	event.data.ptr = session;
	if (fd == session->fd && fd >= 0)
		epoll_ctl(worker->epoll_fd, EPOLL_CTL_MOD, fd, &event);
	else if (fd >= 0)
		epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	session->fd = fd;
	session->events = event.events;
}

static void rest(struct session *session)
{
	if (!deadline_passed(session->rest))
		return;
	session->rest = deadline_in(backoff_pause(&session->backoff));
	session->probing = true;
}

static void start_session(struct worker *worker, struct session *session)
{
	struct reason reason;

	session->sender = sender_start(worker->config, &reason);
	if (session->sender == NULL) {
		log_text(LOG_ERR, "smtp", "cannot start a session's process: %s", reason.text);
		rest(session);
	}
	watch(worker, session);
}

void send_start(struct worker *worker)
{
	size_t count = (size_t)worker->config->smtp_sessions;

	worker->sessions = g_new0(struct session, count);
	for (size_t i = 0; i < count; i++) {
		struct session *session = &worker->sessions[i];

		session->fd = -1;
		session->rest = deadline_in(0);
		session->window = WINDOW_FIRST;
		session->backoff = (struct backoff){.first_ms = REST_FIRST_MS,
						    .max_ms = worker->config->mailout_backoff_max};
		start_session(worker, session);
	}
}

void send_stop(struct worker *worker)
{
	struct deadline deadline = deadline_in(STOP_MS);

	for (int64_t i = 0; i < worker->config->smtp_sessions; i++)
		if (worker->sessions[i].sender != NULL)
			sender_finish(worker->sessions[i].sender);
	for (int64_t i = 0; i < worker->config->smtp_sessions; i++)
		if (worker->sessions[i].sender != NULL)
			sender_stop(&worker->sessions[i].sender, deadline);
	g_clear_pointer(&worker->sessions, g_free);
}

bool send_is_away(const struct worker *worker)
{
	for (int64_t i = 0; i < worker->config->smtp_sessions; i++)
		if (!worker->sessions[i].probing)
			return false;
	return true;
}

/* ---- answers ---- */

/* Nobody knows how long it takes: what is only claimed is not in doubt, and the record should not
 * say so. */
static void release_claimed(struct worker *worker)
{
	for (size_t i = 0; i < worker->config->stream_count; i++)
		while (worker->streams[i].claimed.tail != NULL)
			write_release(worker, worker->streams[i].claimed.tail->data);
}

/* The server never heard of it.  It waits for a session that works, but not longer than a tier. */
static void not_tried(struct worker *worker, struct session *session, struct job *job,
		      const struct sent *sent)
{
	const struct sent_recipient *first =
		sent->recipient_count > 0 ? &sent->recipients[0] : NULL;
	const char *reply =
		first != NULL && first->reply != NULL ? first->reply : "no reason given";
	bool was_away = send_is_away(worker);

	outcome_retry(&worker->away,
		      first != NULL && first->status[0] != '\0' ? first->status : "4.4.1", "%s",
		      reply);
	rest(session);
	if (worker->stopping)
		job_give_back(worker, job, "mailout was stopped");
	else
		job_move_first(worker, job, JOB_CLAIMED);
	if (!send_is_away(worker))
		return;
	if (!was_away)
		log_text(LOG_WARNING, "smtp", "the SMTP server takes nothing: %s", reply);
	release_claimed(worker);
}

static void tried(struct worker *worker, struct session *session)
{
	if (session->probing && send_is_away(worker))
		log_text(LOG_NOTICE, "smtp", "the SMTP server takes messages again");
	if (!deadline_passed(session->rest))
		return;
	session->probing = false;
	backoff_reset(&session->backoff);
}

/* What was given to a session is finished before the process ends, and in doubt if it is killed:
 * with a slow server that is to be little. */
static void adapt_window(struct session *session)
{
	int64_t now_ms = monotonic_ms();

	if (now_ms - session->busy_ms >= SLOW_MS)
		session->window = MAX(session->window / 2, WINDOW_MIN);
	else
		session->window = MIN(session->window + 1, WINDOW_MAX);
	session->busy_ms = now_ms;
}

static void take_result(struct worker *worker, struct session *session, struct sent *sent)
{
	struct job *job = g_hash_table_lookup(worker->in_hand, &sent->id);

	adapt_window(session);
	if (job != NULL && job->state == JOB_FLYING) {
		session->bytes -= g_bytes_get_size(job->message);
		if (sent->tried) {
			tried(worker, session);
			verdict_sent(worker, job, sent);
		} else {
			not_tried(worker, session, job, sent);
		}
	}
	sent_clear(sent);
}

void send_pump(struct worker *worker)
{
	for (int64_t i = 0; i < worker->config->smtp_sessions; i++) {
		struct session *session = &worker->sessions[i];
		struct sent sent = {.tried = false};
		struct reason reason;

		if (session->sender == NULL)
			continue;
		bool alive = sender_pump(session->sender, &reason);

		while (sender_result(session->sender, &sent))
			take_result(worker, session, &sent);
		if (!alive) {
			log_text(LOG_ERR, "smtp", "a session's process ended: %s", reason.text);
			/* The descriptor leaves epoll's set when it is closed. */
			sender_stop(&session->sender, deadline_in(0));
			session->fd = -1;
			session->bytes = 0;
			rest(session);
		}
		watch(worker, session);
	}
}

/* ---- handing over ---- */

static bool takes(const struct session *session)
{
	size_t pending;

	if (session->sender == NULL || !deadline_passed(session->rest))
		return false;
	pending = sender_pending(session->sender);
	if (session->probing)
		return pending == 0;
	return pending == 0 || (pending < session->window && session->bytes < WINDOW_BYTES);
}

/* The one with the least to do; of several the first, so that a trickle keeps one connection open.
 */
static struct session *choose(const struct worker *worker)
{
	struct session *best = NULL;
	size_t least = 0;

	for (int64_t i = 0; i < worker->config->smtp_sessions; i++) {
		struct session *session = &worker->sessions[i];

		if (!takes(session))
			continue;
		size_t pending = sender_pending(session->sender);

		if (best == NULL || pending < least) {
			best = session;
			least = pending;
		}
	}
	return best;
}

static void hand_over(struct worker *worker, struct session *session, struct job *job)
{
	const char *from = request_mail_from(job->request, worker->config);
	gsize size;
	const void *message = g_bytes_get_data(job->message, &size);

	if (sender_pending(session->sender) == 0)
		session->busy_ms = monotonic_ms();
	session->bytes += size;
	job->session = (size_t)(session - worker->sessions);
	job->reason = (struct reason){.text = ""};
	rate_take(worker->streams[job->stream].rate, monotonic_ms());
	sender_send(session->sender, &job->row->id, from, (const char *const *)job->recipients,
		    g_strv_length(job->recipients), message, size);
	job_move(worker, job, JOB_FLYING);
}

/* A stream with a rate has few in flight, so that a server that was slow does not get them in a
 * burst. */
static bool has_slot(const struct worker *worker, const struct stream *stream, int64_t rate)
{
	int64_t most = MAX(worker->config->smtp_sessions, rate / RATED_SHARE);

	return stream->rate == NULL || (int64_t)stream->flying < most;
}

/* True: go on with this stream. */
static bool dispatch_one(struct worker *worker, size_t index)
{
	struct stream *stream = &worker->streams[index];
	struct job *job = stream->claimed.head->data;
	struct session *session;

	if (verdict_is_expired(job)) {
		job->reason = (struct reason){.text = ""};
		verdict_status(worker, job, OUTBOUND_EXPIRED);
		return true;
	}
	if (!has_slot(worker, stream, worker->config->streams[index].rate) ||
	    rate_wait(stream->rate, monotonic_ms()) > 0)
		return false;
	session = choose(worker);
	if (session == NULL)
		return false;
	hand_over(worker, session, job);
	return true;
}

/* With the server away nothing waits for it longer than the first tier would let it wait. */
static void give_to_tiers(struct worker *worker, struct stream *stream)
{
	int64_t old = monotonic_ms() - worker->config->retry_delays[0];

	while (stream->claimed.head != NULL) {
		struct job *job = stream->claimed.head->data;

		if (job->arrived_ms > old)
			return;
		job->reason = worker->away;
		verdict_untried(worker, job, OUTCOME_RETRY);
	}
}

void send_dispatch(struct worker *worker)
{
	for (int64_t i = 0; i < worker->config->smtp_sessions; i++) {
		struct session *session = &worker->sessions[i];

		if (session->sender == NULL && deadline_passed(session->rest) && !worker->stopping)
			start_session(worker, session);
	}
	for (size_t i = 0; i < worker->config->stream_count && !worker->stopping; i++) {
		while (worker->streams[i].claimed.head != NULL && dispatch_one(worker, i))
			;
		if (send_is_away(worker))
			give_to_tiers(worker, &worker->streams[i]);
	}
	for (int64_t i = 0; i < worker->config->smtp_sessions; i++)
		watch(worker, &worker->sessions[i]);
}

int64_t send_next_ms(const struct worker *worker)
{
	int64_t next = INT64_MAX;
	int64_t now = monotonic_ms();

	for (int64_t i = 0; i < worker->config->smtp_sessions; i++)
		if (!deadline_passed(worker->sessions[i].rest))
			next = MIN(next, worker->sessions[i].rest.at_ms);
	for (size_t i = 0; i < worker->config->stream_count; i++) {
		const struct stream *stream = &worker->streams[i];
		int64_t wait = rate_wait(stream->rate, now);

		if (stream->claimed.head != NULL && wait > 0)
			next = MIN(next, now + wait);
	}
	return next;
}
