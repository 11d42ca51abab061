#include "mailin/ingest/event.h"

#include <glib.h>

#include "common/topology.h"
#include "common/wire.h"

enum { EVENT_VERSION = 1, MS_PER_SECOND = 1000 };

static const struct kind {
	const char *record_type;
	const char *time_key;
} kinds[] = {
	[FATE_STORED] = {"Inbound", "StoredAt"},
	[FATE_DELAYED] = {"InboundDelay", "DelayedAt"},
	[FATE_FAILED] = {"InboundFailure", "FailedAt"},
	[FATE_QUARANTINED] = {"InboundQuarantine", "QuarantinedAt"},
};

void inbound_event_make(struct inbound_event *event, const struct fate *fate)
{
	const struct kind *kind = &kinds[fate->kind];
	struct wire *object = wire_object();
	struct wire *own = wire_object();
	struct id id;

	id_new(&id);
	id_text(&id, event->id);
	event->at_ms = fate->at_ms;
	event->routing_key = g_strdup_printf("inbound.%s.%s", fate_name(fate->kind), fate->route);
	wire_set_text(object, "RecordType", kind->record_type);
	wire_set_text(object, "MessageID", fate->id_text);
	wire_set_text(object, "MessageStream", fate->route);
	wire_set_text(object, "OriginalRecipient", fate->recipient);
	wire_set_text(object, "From", fate->from);
	wire_set_text(object, "Subject", fate->subject);
	wire_set_time(object, kind->time_key, fate->at_ms);
	wire_set_text(object, "Details", fate->reason);
	wire_set_int(own, "Version", EVENT_VERSION);
	wire_set_text(own, "EventID", event->id);
	wire_set_int(own, "Attempt", fate->attempt);
	wire_set_time(own, "FirstSeen", fate->first_seen_ms);
	if (fate->next_attempt_ms > 0)
		wire_set_time(own, "NextAttempt", fate->next_attempt_ms);
	wire_set_text(own, "QueueID", fate->queue_id);
	wire_set(object, "Mailpipe", own);
	event->body = wire_print(object, false, &event->size);
	wire_free(&object);
}

void inbound_event_clear(struct inbound_event *event)
{
	g_clear_pointer(&event->routing_key, g_free);
	g_clear_pointer(&event->body, g_free);
}

struct broker_message inbound_event_message(const struct inbound_event *event, const char *app_id,
					    bool optional)
{
	return (struct broker_message){
		.exchange = EXCHANGE_EVENTS,
		.routing_key = event->routing_key,
		.body = event->body,
		.body_size = event->size,
		.content_type = CONTENT_TYPE_JSON,
		.message_id = event->id,
		.type = TYPE_EVENT,
		.app_id = app_id,
		.timestamp = event->at_ms / MS_PER_SECOND,
		.optional = optional,
	};
}
