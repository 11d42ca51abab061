#include "mailout/worker_private.h"

#include <string.h>

#include "common/mask.h"

enum { MS_PER_SECOND = 1000, NUMBER_TEXT_SIZE = 32 };

void worker_log_link(struct link *link, const char *event, const struct reason *reason)
{
	struct log_line *line = log_event(link->told ? LOG_DEBUG : LOG_WARNING, NULL, NULL, event);

	log_reason(line, reason);
	log_end(line);
	link->told = true;
}

static const char *id_of(const struct job *job, char text[ID_TEXT_SIZE])
{
	return job->has_id ? id_text(&job->row->id, text) : job->delivery.message_id;
}

/* "1.234" */
static void log_delay(struct log_line *line, const struct job *job)
{
	int64_t ms = MAX(monotonic_ms() - job->arrived_ms, 0);
	char text[NUMBER_TEXT_SIZE];

	g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT ".%03d", ms / MS_PER_SECOND,
		   (int)(ms % MS_PER_SECOND));
	log_str(line, "delay", text);
}

void worker_log_note(const struct job *job, int priority, const char *event)
{
	char text[ID_TEXT_SIZE];
	struct log_line *line = log_event(priority, NULL, id_of(job, text), event);

	if (job->row != NULL)
		log_str(line, "stream", job->row->stream);
	if (job->reason.text[0] != '\0')
		log_reason(line, &job->reason);
	log_end(line);
}

static const char *recipient_event(enum sent_state state)
{
	static const char *const names[] = {
		[SENT_OK] = "sent",
		[SENT_DEFERRED] = "deferred",
		[SENT_FAILED] = "failed",
		[SENT_IN_DOUBT] = "in-doubt",
	};

	return names[state];
}

/* An application may write to an address of ours that has a token. */
static void log_masked(struct log_line *line, const struct worker *worker, const char *key,
		       const char *text)
{
	g_autofree char *masked = mask_text(worker->config, text);

	log_str(line, key, masked);
}

static void log_recipient(const struct worker *worker, const struct job *job, const char *event,
			  int priority, const struct sent_recipient *recipient)
{
	char text[ID_TEXT_SIZE];
	struct log_line *line = log_event(priority, NULL, id_of(job, text), event);

	log_str(line, "stream", job->row->stream);
	log_str(line, "from", job->row->from_email != NULL ? job->row->from_email : "");
	if (recipient != NULL)
		log_masked(line, worker, "to", recipient->email);
	if (job->row->size >= 0)
		log_num(line, "size", job->row->size);
	log_delay(line, job);
	log_num(line, "attempt", job->row->attempt);
	if (recipient != NULL && recipient->code != 0)
		log_num(line, "code", recipient->code);
	if (recipient != NULL && recipient->status[0] != '\0')
		log_str(line, "dsn", recipient->status);
	if (recipient != NULL && recipient->reply != NULL)
		log_masked(line, worker, "reply", recipient->reply);
	if (recipient == NULL && job->reason.text[0] != '\0')
		log_reason(line, &job->reason);
	log_end(line);
}

void worker_log_job(const struct worker *worker, const struct job *job)
{
	const struct outbound *row = job->row;

	if (job->log_event != NULL) {
		log_recipient(worker, job, job->log_event, LOG_INFO, NULL);
		return;
	}
	for (size_t i = 0; i < row->recipient_count; i++)
		log_recipient(worker, job, recipient_event(row->recipients[i].state),
			      row->recipients[i].state == SENT_OK ? LOG_INFO : LOG_WARNING,
			      &row->recipients[i]);
	if (row->recipient_count == 0)
		log_recipient(worker, job, outbound_status_name(row->status),
			      row->status == OUTBOUND_FAILED || row->status == OUTBOUND_HELD
				      ? LOG_WARNING
				      : LOG_INFO,
			      NULL);
}
