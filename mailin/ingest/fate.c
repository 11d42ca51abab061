#include "mailin/ingest/fate.h"

#include <glib.h>
#include <string.h>

#include "common/deadline.h"
#include "common/retry.h"
#include "common/topology.h"

enum { MS_PER_SECOND = 1000 };

const char *fate_name(enum fate_kind kind)
{
	static const char *const names[] = {[FATE_STORED] = "stored",
					    [FATE_DELAYED] = "delayed",
					    [FATE_FAILED] = "failed",
					    [FATE_QUARANTINED] = "quarantined"};

	return names[kind];
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static void identify(const struct item *item, struct fate *fate)
{
	const char *name = item->delivery.message_id;

	fate->has_id = item->inbound != NULL || (name != NULL && id_parse(&fate->id, name));
	if (item->inbound != NULL)
		fate->id = item->inbound->id;
	if (!fate->has_id)
		memset(&fate->id, 0, sizeof(fate->id));
	id_text(&fate->id, fate->id_text);
}

/* The document's route is the queue's. */
const char *fate_route(const struct broker_delivery *delivery)
{
	const char *queue = or_empty(delivery->queue);
	const char prefix[] = EXCHANGE_IN ".";

	return g_str_has_prefix(queue, prefix) ? queue + strlen(prefix) : queue;
}

int64_t fate_first_seen_ms(const struct item *item, int64_t now_ms)
{
	const struct broker_delivery *delivery = &item->delivery;
	int64_t now_s = now_ms / MS_PER_SECOND;

	if (delivery->first_seen > 0 || delivery->timestamp > 0)
		return retry_first_seen(delivery, delivery->timestamp, now_s) * MS_PER_SECOND;
	return item->inbound != NULL ? MIN(item->inbound->received_ms, now_ms) : now_ms;
}

bool fate_of(const struct item *item, struct fate *fate)
{
	const struct inbound *inbound = item->inbound;

	*fate = (struct fate){.recipient = "", .from = "", .subject = "", .reason = ""};
	switch (item->state) {
	case ITEM_STORED:
	case ITEM_DUPLICATE:
		fate->kind = FATE_STORED;
		break;
	case ITEM_DELAYED:
		fate->kind = FATE_DELAYED;
		fate->next_attempt_ms = item->next_attempt_ms;
		break;
	case ITEM_DEAD:
		fate->kind = FATE_FAILED;
		break;
	case ITEM_QUARANTINED:
		fate->kind = FATE_QUARANTINED;
		break;
	case ITEM_WAITING:
	case ITEM_REFUSED:
	case ITEM_DROPPED:
		return false;
	}
	if (fate->kind == FATE_QUARANTINED)
		fate->reason = item->inbound->why.text;
	else if (fate->kind != FATE_STORED)
		fate->reason = item->reason.text;
	identify(item, fate);
	fate->route = fate_route(&item->delivery);
	fate->queue_id = or_empty(item->delivery.queue_id);
	if (inbound != NULL) {
		fate->recipient = inbound_recipient(inbound);
		/* What is in quarantine is not for the application's eyes. */
		if (fate->kind != FATE_QUARANTINED) {
			fate->from = or_empty(inbound->from_email.data);
			fate->subject = or_empty(inbound->subject.data);
		}
		fate->queue_id = or_empty(inbound->queue_id.data);
	}
	fate->at_ms = realtime_ms();
	fate->first_seen_ms = fate_first_seen_ms(item, fate->at_ms);
	fate->attempt = MAX(item->delivery.attempt, 1);
	return true;
}

bool fate_was_told(const struct broker_delivery *delivery)
{
	return delivery->attempt > 1 || delivery->requeued > 0 || delivery->delay_noticed > 0 ||
	       delivery->released > 0;
}
