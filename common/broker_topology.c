#include "common/broker_internal.h"

/* Arguments of a queue, see https://www.rabbitmq.com/quorum-queues.html */
enum { QUEUE_ARGUMENTS_MAX = 8 };

struct arguments {
	amqp_table_entry_t entries[QUEUE_ARGUMENTS_MAX];
	int count;
};

static amqp_field_value_t *add_argument(struct arguments *to, const char *name, uint8_t kind)
{
	amqp_table_entry_t *entry = &to->entries[to->count++];

	entry->key = amqp_cstring_bytes(name);
	entry->value.kind = kind;
	return &entry->value;
}

static void add_text(struct arguments *to, const char *name, const char *text)
{
	add_argument(to, name, AMQP_FIELD_KIND_UTF8)->value.bytes = amqp_cstring_bytes(text);
}

static void fill_arguments(struct arguments *to, const struct broker_queue *queue)
{
	add_text(to, "x-queue-type", "quorum");
	if (queue->single_active_consumer)
		add_argument(to, "x-single-active-consumer", AMQP_FIELD_KIND_BOOLEAN)
			->value.boolean = 1;
	if (queue->delivery_limit > 0)
		add_argument(to, "x-delivery-limit", AMQP_FIELD_KIND_I64)->value.i64 =
			queue->delivery_limit;
	if (queue->message_ttl_ms > 0)
		add_argument(to, "x-message-ttl", AMQP_FIELD_KIND_I64)->value.i64 =
			queue->message_ttl_ms;
	if (queue->dead_letter_exchange == NULL)
		return;
	add_text(to, "x-dead-letter-exchange", queue->dead_letter_exchange);
	if (queue->dead_letter_routing_key != NULL)
		add_text(to, "x-dead-letter-routing-key", queue->dead_letter_routing_key);
	/* The default, at-most-once, may lose a dead letter; this one insists on reject-publish. */
	add_text(to, "x-dead-letter-strategy", "at-least-once");
	add_text(to, "x-overflow", "reject-publish");
}

/* RabbitMQ answers a no by closing the channel: have a new one for the next question. */
static enum outcome ask(struct broker *broker, amqp_method_number_t id, void *method,
			amqp_method_number_t reply_id, void **reply, struct deadline deadline,
			struct reason *reason)
{
	enum outcome outcome = broker_call(broker, id, method, reply_id, reply, deadline, reason);

	if (outcome != OUTCOME_OK && broker->channel_closed && !broker->lost)
		broker_channel_open(broker, deadline, NULL);
	return outcome;
}

enum outcome broker_declare_exchange(struct broker *broker, const char *name, const char *type,
				     struct deadline deadline, struct reason *reason)
{
	amqp_exchange_declare_t declare = {
		.exchange = amqp_cstring_bytes(name),
		.type = amqp_cstring_bytes(type),
		.durable = 1,
		.arguments = amqp_empty_table,
	};

	if (!broker_short_string("the exchange's name", name, reason))
		return OUTCOME_RETRY;
	return ask(broker, AMQP_EXCHANGE_DECLARE_METHOD, &declare, AMQP_EXCHANGE_DECLARE_OK_METHOD,
		   NULL, deadline, reason);
}

enum outcome broker_declare_queue(struct broker *broker, const struct broker_queue *queue,
				  struct deadline deadline, struct reason *reason)
{
	struct arguments arguments = {.count = 0};
	amqp_queue_declare_t declare = {
		.queue = amqp_cstring_bytes(queue->name),
		.durable = 1,
	};

	if (!broker_short_string("the queue's name", queue->name, reason))
		return OUTCOME_RETRY;
	fill_arguments(&arguments, queue);
	declare.arguments.num_entries = arguments.count;
	declare.arguments.entries = arguments.entries;
	return ask(broker, AMQP_QUEUE_DECLARE_METHOD, &declare, AMQP_QUEUE_DECLARE_OK_METHOD, NULL,
		   deadline, reason);
}

enum outcome broker_bind(struct broker *broker, const char *queue, const char *exchange,
			 const char *routing_key, struct deadline deadline, struct reason *reason)
{
	amqp_queue_bind_t bind = {
		.queue = amqp_cstring_bytes(queue),
		.exchange = amqp_cstring_bytes(exchange),
		.routing_key = amqp_cstring_bytes(routing_key),
		.arguments = amqp_empty_table,
	};

	if (!broker_short_string("the queue's name", queue, reason) ||
	    !broker_short_string("the exchange's name", exchange, reason) ||
	    !broker_short_string("the routing key", routing_key, reason))
		return OUTCOME_RETRY;
	return ask(broker, AMQP_QUEUE_BIND_METHOD, &bind, AMQP_QUEUE_BIND_OK_METHOD, NULL, deadline,
		   reason);
}

enum outcome broker_check_exchange(struct broker *broker, const char *name,
				   struct deadline deadline, struct reason *reason)
{
	amqp_exchange_declare_t declare = {
		.exchange = amqp_cstring_bytes(name),
		.type = amqp_cstring_bytes("topic"), /* not looked at */
		.passive = 1,
		.arguments = amqp_empty_table,
	};

	if (!broker_short_string("the exchange's name", name, reason))
		return OUTCOME_RETRY;
	return ask(broker, AMQP_EXCHANGE_DECLARE_METHOD, &declare, AMQP_EXCHANGE_DECLARE_OK_METHOD,
		   NULL, deadline, reason);
}

enum outcome broker_check_queue(struct broker *broker, const char *name, int64_t *messages,
				int64_t *consumers, struct deadline deadline, struct reason *reason)
{
	amqp_queue_declare_t declare = {
		.queue = amqp_cstring_bytes(name),
		.passive = 1,
		.arguments = amqp_empty_table,
	};
	void *reply;

	if (!broker_short_string("the queue's name", name, reason) ||
	    ask(broker, AMQP_QUEUE_DECLARE_METHOD, &declare, AMQP_QUEUE_DECLARE_OK_METHOD, &reply,
		deadline, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	const amqp_queue_declare_ok_t *ok = reply;
	if (messages != NULL)
		*messages = ok->message_count;
	if (consumers != NULL)
		*consumers = ok->consumer_count;
	return OUTCOME_OK;
}
