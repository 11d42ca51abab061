#include <string.h>

#include "common/deadline.h"
#include "common/id.h"
#include "common/retry.h"
#include "common/topology.h"
#include "common/wire.h"
#include "mailctl/browse.h"
#include "mailctl/connect.h"
#include "mailctl/trace.h"

/* A tier is held up no longer than this, and no more is moved over the wire. */
enum { BROWSE_MS = 8000 };
static const int64_t BROWSE_BYTES = INT64_C(1024) * 1024 * 1024;

enum { MS_PER_S = 1000 };

/* ---- is it one that is searched for? ---- */

/* What a message says of itself, from its properties or else from its body. */
struct letter {
	struct wire *body; /* NULL: not read, or no document */
	char id[ID_TEXT_SIZE];
	const char *queue_id;
	const char *header_id;
};

static void take_id(struct letter *letter, const char *text)
{
	struct id id;

	if (text != NULL && letter->id[0] == '\0' && id_parse(&id, text))
		id_text(&id, letter->id);
}

static void read_body(struct letter *letter, const struct broker_delivery *delivery)
{
	letter->body = wire_parse(delivery->body, delivery->body_size, NULL);
	const struct wire *more = wire_get_object(letter->body, "Mailpipe");
	const struct wire *envelope = wire_get_object(more, "Envelope");

	take_id(letter, wire_get_text(letter->body, "MessageID"));
	if (letter->queue_id == NULL)
		letter->queue_id = wire_get_text(envelope, "QueueID");
	letter->header_id = wire_get_text(more, "MessageIDHeader");
}

static bool list_has_address(const struct trace *trace, const struct wire *value)
{
	const char *text = wire_text(value);

	if (text != NULL)
		return trace_holds_address(trace, text);
	for (size_t i = 0; i < wire_length(value); i++) {
		const struct wire *item = wire_at(value, i);

		text = wire_text(item) != NULL ? wire_text(item) : wire_get_text(item, "Email");
		if (text != NULL && trace_holds_address(trace, text))
			return true;
	}
	return false;
}

static bool body_has_address(const struct trace *trace, const struct wire *body)
{
	static const char *const fields[] = {"From", "To", "Cc", "Bcc", "OriginalRecipient", NULL};
	const char *sender = wire_get_text(
		wire_get_object(wire_get_object(body, "Mailpipe"), "Envelope"), "Sender");

	if (trace->address == NULL)
		return false;
	if (sender != NULL && trace_is_address(trace, sender))
		return true;
	for (const char *const *field = fields; *field != NULL; field++) {
		const struct wire *value = wire_get(body, *field);

		if (value != NULL && list_has_address(trace, value))
			return true;
	}
	return false;
}

static bool is_wanted(const struct trace *trace, const struct letter *letter)
{
	return trace_wants_id(trace, letter->id) ||
	       (letter->queue_id != NULL && trace_wants_queue_id(trace, letter->queue_id)) ||
	       (letter->header_id != NULL && *letter->header_id != '\0' &&
		g_hash_table_contains(trace->header_ids, letter->header_id)) ||
	       (letter->body != NULL && body_has_address(trace, letter->body));
}

/* ---- what it tells ---- */

/* Properties that only tools want. */
static int64_t header_number(const struct broker_delivery *delivery, const char *name)
{
	struct wire *json =
		delivery->properties != NULL ? broker_properties_json(delivery->properties) : NULL;
	int64_t number = 0;

	wire_get_int(wire_get_object(json, "headers"), name, &number);
	wire_free(&json);
	return number;
}

static char *first_text(const char *text, const char *otherwise)
{
	const char *chosen = text != NULL && *text != '\0' ? text : otherwise;

	return chosen != NULL && *chosen != '\0' ? g_strdup(chosen) : NULL;
}

/* Who and what, where the database has not told it. */
static void describe(struct subject *subject, const struct letter *letter, const char *origin)
{
	const struct wire *body = letter->body;
	const struct wire *envelope =
		wire_get_object(wire_get_object(body, "Mailpipe"), "Envelope");
	const char *inbound = EXCHANGE_IN ".";
	const char *outbound = EXCHANGE_OUT ".";

	if (origin != NULL && g_str_has_prefix(origin, inbound)) {
		subject->direction = DIRECTION_INBOUND;
		if (subject->stream == NULL)
			subject->stream = g_strdup(origin + strlen(inbound));
	} else if (origin != NULL && g_str_has_prefix(origin, outbound)) {
		subject->direction = DIRECTION_OUTBOUND;
		if (subject->stream == NULL)
			subject->stream = g_strdup(origin + strlen(outbound));
	}
	if (letter->queue_id != NULL && *letter->queue_id != '\0')
		g_hash_table_add(subject->queue_ids, g_strdup(letter->queue_id));
	if (subject->sender == NULL)
		subject->sender =
			first_text(wire_get_text(envelope, "Sender"), wire_get_text(body, "From"));
	if (subject->recipient == NULL)
		subject->recipient =
			first_text(wire_get_text(envelope, "Recipient"), wire_get_text(body, "To"));
	if (subject->title == NULL)
		subject->title = first_text(wire_get_text(body, "Subject"), NULL);
	if (subject->header_id == NULL)
		subject->header_id = first_text(letter->header_id, NULL);
}

static struct trace_event *broker_event(const char *id, const char *what, enum trace_step step,
					const char *text, int64_t at_ms)
{
	struct trace_event *event = trace_event_new(what, text);

	event->source = TRACE_BROKER;
	event->step = step;
	event->message_id = g_strdup(id);
	event->at_ms = at_ms > 0 ? at_ms : -1;
	event->exact = at_ms % MS_PER_S != 0;
	return event;
}

static bool is_dead(const struct broker_delivery *delivery)
{
	return strcmp(delivery->queue, QUEUE_DEAD) == 0;
}

/* Since when it lies there: when it was given up, or a tier's time before it comes back. */
static int64_t since(const struct trace *trace, const struct broker_delivery *delivery,
		     int64_t next_ms)
{
	const struct config *config = trace->config;

	if (is_dead(delivery))
		return header_number(delivery, "dead-since") * MS_PER_S;
	for (size_t i = 0; next_ms > 0 && i < config->retry_tier_count; i++) {
		g_autofree char *tier = topology_retry_tier(config->retry_tiers[i]);

		if (strcmp(tier, delivery->queue) == 0)
			return next_ms - config->retry_delays[i];
	}
	return 0;
}

static void add_events(struct trace *trace, const char *id, const struct broker_delivery *delivery,
		       const struct trace_place *place)
{
	bool dead = is_dead(delivery);
	g_autofree char *text =
		g_strdup_printf("in %s, for %s%s%s", delivery->queue, place->back_to,
				place->last_error != NULL ? ": " : "",
				place->last_error != NULL ? place->last_error : "");

	if (delivery->first_seen > 0)
		trace_add(trace, broker_event(id, "published", STEP_PUBLISHED, "first seen",
					      delivery->first_seen * MS_PER_S));
	if (delivery->delay_noticed > 0)
		trace_add(trace,
			  broker_event(id, "notice", STEP_TRIED, "the sender was told of the delay",
				       delivery->delay_noticed));
	trace_add(trace,
		  broker_event(id, dead ? "dead" : "waiting", dead ? STEP_GIVEN_UP : STEP_TRIED,
			       text, since(trace, delivery, place->next_ms)));
}

static void take(struct trace *trace, const struct broker_delivery *delivery,
		 const struct letter *letter)
{
	g_autofree char *drawn = letter->id[0] == '\0' ? first_text(delivery->message_id, "-")
						       : g_strdup(letter->id);
	struct subject *subject = trace_subject(trace, drawn);
	struct trace_place *place = is_dead(delivery) ? &subject->dead : &subject->tier;
	/* What a worker gives up or puts off bears no x-death; if RabbitMQ did, last-error is of an
	 * earlier try. */
	g_autofree char *death = delivery->death_reason != NULL
					 ? g_strdup_printf("RabbitMQ: %s", delivery->death_reason)
					 : NULL;

	trace_want_id(trace, letter->id);
	trace_want_queue_id(trace, letter->queue_id);
	describe(subject, letter, delivery->routing_key);
	subject->published = true;
	if (place->queue != NULL)
		return; /* a second copy, say after a crash between publish and ack */
	*place = (struct trace_place){
		.queue = g_strdup(delivery->queue),
		.back_to = g_strdup(delivery->routing_key),
		.last_error = first_text(death, delivery->last_error),
		.attempt = delivery->attempt,
		.next_ms = header_number(delivery, HEADER_NEXT_ATTEMPT),
	};
	add_events(trace, drawn, delivery, place);
}

/* A notice about a message that is not sent yet, or was given up. */
static void take_notice(struct trace *trace, const struct broker_delivery *delivery, const char *id,
			const char *about)
{
	g_autofree char *text = g_strdup_printf(
		"%s, in %s: %s", delivery->message_id != NULL ? delivery->message_id : "-",
		delivery->queue, delivery->last_error != NULL ? delivery->last_error : "");

	trace_add(trace, broker_event(about, "notice", trace_notice_step(about, id), text, 0));
}

static void visit(const struct broker_delivery *delivery, void *context)
{
	struct trace *trace = context;
	struct letter letter = {.queue_id = delivery->queue_id};

	take_id(&letter, delivery->message_id);
	/* Most are not it; the bodies of those need not be read if their properties say so. */
	if (!is_wanted(trace, &letter) && trace_notice_about(trace, letter.id) == NULL &&
	    letter.id[0] != '\0' && trace->address == NULL &&
	    g_hash_table_size(trace->header_ids) == 0 &&
	    (letter.queue_id != NULL || g_hash_table_size(trace->queue_ids) == 0))
		return;
	read_body(&letter, delivery);
	const char *about = trace_notice_about(trace, letter.id);

	if (is_wanted(trace, &letter))
		take(trace, delivery, &letter);
	else if (about != NULL)
		take_notice(trace, delivery, letter.id, about);
	wire_free(&letter.body);
}

/* ---- the queues ---- */

static bool look_into(struct trace *trace, const char *queue)
{
	struct reason reason = {0};
	struct browse browse = {
		.config = trace->config,
		.queue = queue,
		.time_ms = BROWSE_MS,
		.bytes_max = BROWSE_BYTES,
		.visit = visit,
		.context = trace,
	};

	if (browse_queue(&browse, &reason) != OUTCOME_OK) {
		trace_gap(trace, queue, "%s", reason.text);
		return false;
	}
	trace_looked(trace, "%s (%" G_GINT64_FORMAT " messages)", queue, (gint64)browse.seen);
	if (browse.seen >= browse.there)
		return true;
	trace_gap(trace, queue,
		  "only %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " messages were looked at",
		  (gint64)browse.seen, (gint64)browse.there);
	return false;
}

static void count(struct trace *trace, struct broker *broker, char *name)
{
	struct reason reason = {0};
	struct trace_queue *queue = g_new0(struct trace_queue, 1);

	queue->name = name;
	if (broker_check_queue(broker, name, &queue->messages, &queue->consumers,
			       connect_deadline(), &reason) == OUTCOME_OK) {
		g_ptr_array_add(trace->queues, queue);
		return;
	}
	trace_gap(trace, name, "%s", reason.text);
	g_free(queue->name);
	g_free(queue);
}

void trace_broker(struct trace *trace)
{
	const struct config *config = trace->config;
	struct reason reason = {0};
	struct broker *broker = browse_connect(config, &reason);

	if (broker == NULL) {
		trace_gap(trace, "broker", "%s", reason.text);
		return;
	}
	for (size_t i = 0; i < config->route_count; i++)
		count(trace, broker, topology_inbound_queue(config->routes[i].name));
	for (size_t i = 0; i < config->stream_count; i++)
		count(trace, broker, topology_outbound_queue(config->streams[i].name));
	bool allowed = browse_allowed(broker);

	broker_close(&broker);
	if (!allowed) {
		trace_gap(trace, "retry tiers and mail.dead",
			  "this version of RabbitMQ counts each look at a message, and drops it "
			  "after 20");
		return;
	}
	trace->saw_broker = true;
	for (size_t i = 0; i < config->retry_tier_count; i++) {
		g_autofree char *tier = topology_retry_tier(config->retry_tiers[i]);

		trace->saw_broker &= look_into(trace, tier);
	}
	trace->saw_broker &= look_into(trace, QUEUE_DEAD);
}
