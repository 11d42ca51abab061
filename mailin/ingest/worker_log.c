#include <glib.h>

#include "common/log.h"
#include "mailin/ingest/worker_private.h"

enum { MS_IN_SECOND = 1000, NUMBER_TEXT_SIZE = 32 };

void worker_log_lost(const char *event, const struct reason *reason)
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

/* A line that begins with the message's ids, as far as they are known. */
static struct log_line *line_of(const struct item *item, int priority, const char *event)
{
	const struct broker_delivery *delivery = &item->delivery;
	const struct inbound *message = item->inbound;

	if (message != NULL)
		return log_event(priority, or_empty(&message->queue_id), message->id_text, event);
	return log_event(priority, delivery->queue_id, delivery->message_id, event);
}

static void log_stored(const struct item *item)
{
	const struct inbound *message = item->inbound;
	struct log_line *line =
		line_of(item, LOG_INFO, item->state == ITEM_STORED ? "stored" : "duplicate");
	int64_t size = message->size >= 0 ? message->size : (int64_t)item->delivery.body_size;

	log_str(line, "route", or_empty(&message->route));
	log_str(line, "from", or_empty(&message->sender));
	log_str(line, "to", or_empty(&message->recipient_masked));
	log_num(line, "size", size);
	log_delay(line, message->received_ms);
	log_num(line, "attempt", MAX(item->delivery.attempt, 1));
	log_end(line);
}

static void log_not_stored(const struct item *item)
{
	bool dead = item->state == ITEM_DEAD;
	struct log_line *line = line_of(item, LOG_WARNING, dead ? "dead" : "delayed");

	log_str(line, "queue", item->delivery.queue);
	log_num(line, "size", (int64_t)item->delivery.body_size);
	log_num(line, "attempt", MAX(item->delivery.attempt, 1));
	if (!dead)
		log_num(line, "next", item->next_attempt_ms / MS_IN_SECOND);
	log_reason(line, &item->reason);
	log_end(line);
}

static void log_quarantined(const struct item *item)
{
	const struct inbound *message = item->inbound;
	struct log_line *line = line_of(item, LOG_NOTICE, "quarantined");

	log_str(line, "route", or_empty(&message->route));
	log_str(line, "from", or_empty(&message->sender));
	log_str(line, "to", or_empty(&message->recipient_masked));
	log_reason(line, &message->why);
	log_end(line);
}

static void log_dropped(const struct item *item)
{
	struct log_line *line = line_of(item, LOG_NOTICE, "dropped");

	log_str(line, "route", or_empty(&item->inbound->route));
	log_end(line);
}

void worker_log_settled(const struct item *item)
{
	if (item->state == ITEM_QUARANTINED)
		log_quarantined(item);
	else if (item->state == ITEM_DROPPED)
		log_dropped(item);
	else if (item->state == ITEM_STORED || item->state == ITEM_DUPLICATE)
		log_stored(item);
	else
		log_not_stored(item);
}

void worker_log_notice(const struct item *item, const struct notice *notice, const char *kind)
{
	bool made = notice->why_not == NULL;
	struct log_line *line = line_of(item, LOG_INFO, made ? "notice" : "no-notice");

	log_str(line, "kind", kind);
	if (made) {
		log_str(line, "id", notice->id);
		log_str(line, "to", notice->to);
	} else {
		log_str(line, "why", notice->why_not);
	}
	log_end(line);
}
