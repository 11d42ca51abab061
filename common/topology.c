#include "common/topology.h"

#include <glib.h>
#include <string.h>

/* Past this many deliveries RabbitMQ itself puts a message into mail.dead: it is one that takes
 * the worker down each time.  3.x has no default, 4.x has this one.  A lost connection counts as a
 * delivery of every message that was prefetched. */
enum { DELIVERY_LIMIT = 20 };

/* mail.dead and the tiers keep everything, however often mailctl looks at it: 4.x has a limit of 20
 * where none is given, past which a message is dropped or leaves its tier. */
enum { DELIVERY_UNLIMITED = 1000000000 };

static const char TOPIC[] = "topic";
static const char FANOUT[] = "fanout";
static const char EVERY_KEY[] = "#";

struct declaring {
	struct broker *broker;
	struct deadline deadline;
	struct reason *reason;
	const struct topology_listener *listener;
	bool compare; /* change nothing */
};

char *topology_inbound_queue(const char *route)
{
	return g_strconcat(EXCHANGE_IN ".", route, NULL);
}

char *topology_outbound_queue(const char *stream)
{
	return g_strconcat(EXCHANGE_OUT ".", stream, NULL);
}

char *topology_retry_tier(const char *tier)
{
	return g_strconcat(EXCHANGE_RETRY ".", tier, NULL);
}

/* The end of each step: say what is there now, or what it was that failed. */
static enum outcome report(const struct declaring *d, enum outcome outcome, char *what)
{
	g_autofree char *line = what;

	if (outcome != OUTCOME_OK)
		reason_prefix(d->reason, line);
	else if (d->listener->say != NULL && !d->compare)
		d->listener->say(line, d->listener->context);
	return outcome;
}

/* What stands behind mark, up to the next quote: g_free() it.  "none" stands without quotes. */
static char *quoted_behind(const char *words, const char *mark)
{
	const char *found = strstr(words, mark);

	if (found == NULL)
		return g_strdup("none");
	found += strlen(mark);
	return g_strndup(found, strcspn(found, "'"));
}

/* RabbitMQ: "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'mail.dead' in
 * vhost '/': received the value '20' of type 'long' but current is none".  (Or the other way.) */
static bool tell_difference(const struct declaring *d, const char *queue, const char *words)
{
	static const char mark[] = "inequivalent arg '";

	if (d->listener->differs == NULL || strstr(words, mark) == NULL)
		return false;
	g_autofree char *argument = quoted_behind(words, mark);
	g_autofree char *wanted = quoted_behind(words, "received the value '");
	g_autofree char *found = quoted_behind(words, "current is the value '");
	const struct topology_difference difference = {queue, argument, wanted, found};

	d->listener->differs(&difference, d->listener->context);
	return true;
}

static enum outcome declare_exchange(const struct declaring *d, const char *name, const char *type)
{
	if (d->compare)
		return OUTCOME_OK;
	return report(d, broker_declare_exchange(d->broker, name, type, d->deadline, d->reason),
		      g_strdup_printf("exchange %s (%s)", name, type));
}

static enum outcome declare_queue(const struct declaring *d, const struct broker_queue *queue)
{
	struct reason reason = {0};
	enum outcome outcome = OUTCOME_OK;

	/* What is missing, check_queue() of `mailctl check` tells. */
	if (d->compare && broker_check_queue(d->broker, queue->name, NULL, NULL, d->deadline,
					     &reason) != OUTCOME_OK)
		return OUTCOME_OK;
	outcome = broker_declare_queue(d->broker, queue, d->deadline, d->reason);
	if (outcome != OUTCOME_OK && tell_difference(d, queue->name, d->reason->text))
		return OUTCOME_OK;
	return report(
		d, outcome,
		g_strdup_printf("queue %s (quorum%s)", queue->name,
				queue->single_active_consumer ? ", single active consumer" : ""));
}

static enum outcome bind(const struct declaring *d, const char *queue, const char *exchange,
			 const char *key)
{
	if (d->compare)
		return OUTCOME_OK;
	return report(d, broker_bind(d->broker, queue, exchange, key, d->deadline, d->reason),
		      g_strdup_printf("binding %s -> %s%s%s", exchange, queue,
				      *key != '\0' ? " for " : "", key));
}

/* First of all: at-least-once dead-lettering holds on to a message that finds no queue there. */
static enum outcome declare_dead_letters(const struct declaring *d)
{
	static const struct broker_queue dead = {.name = QUEUE_DEAD,
						 .delivery_limit = DELIVERY_UNLIMITED};

	if (declare_exchange(d, EXCHANGE_DEAD, TOPIC) != OUTCOME_OK ||
	    declare_queue(d, &dead) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return bind(d, QUEUE_DEAD, EXCHANGE_DEAD, EVERY_KEY);
}

static enum outcome declare_route(const struct declaring *d, const struct config_route *route)
{
	g_autofree char *name = topology_inbound_queue(route->name);
	struct broker_queue queue = {
		.name = name,
		.single_active_consumer = route->serial,
		.delivery_limit = DELIVERY_LIMIT,
		.dead_letter_exchange = EXCHANGE_DEAD,
		.dead_letter_routing_key = name,
	};

	if (declare_queue(d, &queue) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return bind(d, name, EXCHANGE_IN, route->name);
}

static enum outcome declare_stream(const struct declaring *d, const struct config_stream *stream)
{
	g_autofree char *name = topology_outbound_queue(stream->name);
	struct broker_queue queue = {
		.name = name,
		.delivery_limit = DELIVERY_LIMIT,
		.dead_letter_exchange = EXCHANGE_DEAD,
		.dead_letter_routing_key = name,
	};

	if (declare_queue(d, &queue) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return bind(d, name, EXCHANGE_OUT, stream->name);
}

/* Nobody consumes it: what has lain there for its time goes on to the default exchange, which
 * routes by the key that the message still has, the name of a queue. */
static enum outcome declare_tier(const struct declaring *d, const char *tier, int64_t delay_ms)
{
	g_autofree char *name = topology_retry_tier(tier);
	struct broker_queue queue = {
		.name = name,
		.delivery_limit = DELIVERY_UNLIMITED,
		.message_ttl_ms = delay_ms,
		.dead_letter_exchange = "",
	};

	if (declare_exchange(d, name, FANOUT) != OUTCOME_OK ||
	    declare_queue(d, &queue) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return bind(d, name, name, "");
}

static enum outcome declare_all(const struct declaring *d, const struct config *config)
{
	if (declare_dead_letters(d) != OUTCOME_OK ||
	    declare_exchange(d, EXCHANGE_IN, TOPIC) != OUTCOME_OK ||
	    declare_exchange(d, EXCHANGE_OUT, TOPIC) != OUTCOME_OK ||
	    declare_exchange(d, EXCHANGE_EVENTS, TOPIC) != OUTCOME_OK)
		return OUTCOME_RETRY;
	for (size_t i = 0; i < config->route_count; i++)
		if (declare_route(d, &config->routes[i]) != OUTCOME_OK)
			return OUTCOME_RETRY;
	for (size_t i = 0; i < config->stream_count; i++)
		if (declare_stream(d, &config->streams[i]) != OUTCOME_OK)
			return OUTCOME_RETRY;
	for (size_t i = 0; i < config->retry_tier_count; i++)
		if (declare_tier(d, config->retry_tiers[i], config->retry_delays[i]) != OUTCOME_OK)
			return OUTCOME_RETRY;
	return OUTCOME_OK;
}

enum outcome topology_declare(struct broker *broker, const struct config *config,
			      const struct topology_listener *listener, struct deadline deadline,
			      struct reason *reason)
{
	const struct declaring d = {broker, deadline, reason, listener, false};

	return declare_all(&d, config);
}

enum outcome topology_compare(struct broker *broker, const struct config *config,
			      const struct topology_listener *listener, struct deadline deadline,
			      struct reason *reason)
{
	const struct declaring d = {broker, deadline, reason, listener, true};

	return declare_all(&d, config);
}
