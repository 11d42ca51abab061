#include "mailout/event.h"

#include <glib.h>
#include <string.h>

#include "common/wire.h"

enum { EVENT_VERSION = 1 };

static const struct kind {
	const char *routing_key;
	const char *record_type;
	const char *time_key;
	const char *type; /* Postmark's bounce types and their numbers */
	int type_code;
} kinds[] = {
	[EVENT_SENT] = {"outbound.sent", "Delivery", "DeliveredAt", NULL, 0},
	[EVENT_DEFERRED] = {"outbound.deferred", "Deferral", "DeferredAt", "Transient", 2},
	[EVENT_FAILED] = {"outbound.failed", "Bounce", "BouncedAt", "HardBounce", 1},
	[EVENT_EXPIRED] = {"outbound.expired", "Expiry", "ExpiredAt", NULL, 0},
	[EVENT_HELD] = {"outbound.held", "Hold", "HeldAt", NULL, 0},
};

static void set_metadata(struct wire *object, const char *json)
{
	struct wire *metadata = NULL;

	if (json != NULL)
		metadata = wire_parse(json, strlen(json), NULL);
	wire_set(object, "Metadata", metadata != NULL ? metadata : wire_object());
}

static struct wire *reply(const struct sent_recipient *recipient)
{
	struct wire *object = wire_object();

	if (recipient->code != 0)
		wire_set_int(object, "Code", recipient->code);
	if (recipient->status[0] != '\0')
		wire_set_text(object, "Status", recipient->status);
	wire_set_text(object, "Text", recipient->reply);
	return object;
}

void event_make(struct event *event, enum event_kind kind, const struct outbound *row,
		const struct sent_recipient *recipient, int64_t now_ms)
{
	const struct kind *k = &kinds[kind];
	struct wire *object = wire_object();
	struct wire *own = wire_object();
	char message_id[ID_TEXT_SIZE];
	struct id id;

	id_new(&id);
	id_text(&id, event->id);
	event->routing_key = k->routing_key;
	wire_set_text(object, "RecordType", k->record_type);
	wire_set_text(object, "MessageID", id_text(&row->id, message_id));
	wire_set_text(object, "MessageStream", row->stream);
	wire_set_text(object, "Recipient", recipient->email);
	if (k->type != NULL) {
		wire_set_text(object, "Email", recipient->email);
		wire_set_text(object, "Type", k->type);
		wire_set_int(object, "TypeCode", k->type_code);
		wire_set_text(object, "From", row->from_email);
		wire_set_text(object, "Subject", row->subject);
	}
	wire_set_text(object, "Tag", row->tag);
	set_metadata(object, row->metadata);
	wire_set_time(object, k->time_key, now_ms);
	wire_set_text(object, "Details", recipient->reply != NULL ? recipient->reply : "");
	wire_set_int(own, "Version", EVENT_VERSION);
	wire_set_text(own, "EventID", event->id);
	wire_set_int(own, "Attempt", row->attempt);
	if (row->next_attempt_ms > 0)
		wire_set_time(own, "NextAttempt", row->next_attempt_ms);
	wire_set_text(own, "MessageIDHeader", row->message_id_header);
	wire_set(own, "Reply", reply(recipient));
	wire_set(object, "Mailpipe", own);
	event->body = wire_print(object, false, &event->size);
	wire_free(&object);
}
