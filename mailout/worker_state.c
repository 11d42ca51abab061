/*
 * Redis is told the state of each request once it is recorded.
 */
#include "mailout/worker_private.h"

#include "common/state.h"

void state_note(struct worker *worker, const struct job *job)
{
	const struct outbound *row = job->row;
	char id[ID_TEXT_SIZE];

	if (worker->redis == NULL || !job->has_id)
		return;
	bool waits = row->status == OUTBOUND_DEFERRED || row->status == OUTBOUND_SCHEDULED;
	bool wanting = row->status == OUTBOUND_DEFERRED || row->status == OUTBOUND_FAILED ||
		       row->status == OUTBOUND_HELD;
	const struct state state = {
		.message_id = id_text(&row->id, id),
		.direction = "outbound",
		.status = outbound_status_name(row->status),
		.route = row->stream,
		.at_ms = realtime_ms(),
		.attempt = row->attempt,
		.next_attempt_ms = waits ? row->next_attempt_ms : 0,
		.reason = wanting ? row->last_reply : NULL,
	};
	g_autofree char *text = state_print(&state);

	redis_set(worker->redis, id, text);
}

void state_work(struct worker *worker)
{
	struct reason reason = {0};
	enum redis_news news = redis_work(worker->redis, &reason);

	if (news == REDIS_NO_NEWS)
		return;
	struct log_line *line =
		log_event(news == REDIS_GONE ? LOG_WARNING : LOG_NOTICE, NULL, NULL, "redis");

	log_str(line, "state", news == REDIS_GONE ? "away" : "back");
	log_reason(line, &reason);
	log_end(line);
}
