#include "common/broker_internal.h"

#include <string.h>

static const char HEADER_DELIVERY_COUNT[] = "x-delivery-count";

enum {
	HEADER_TEXT_MAX = 1024,       /* a producer's header may fill a whole frame */
	BODY_MAX = 512 * 1024 * 1024, /* RabbitMQ's own upper bound of max_message_size */
	TAG_TEXT_MAX = 12,
	DECIMAL = 10,
	STALL_MS = 60000,  /* without a further piece of a message that has begun */
	SETTLE_MS = 10000, /* to hand an ack or nack to the socket */
	MS_PER_SECOND = 1000,
	COUNT_MAX = 1000000000,
};

static const int64_t SECONDS_MAX = INT64_C(253402300799); /* the last one of the year 9999 */
/* Handed on as it is, if it can be; in milliseconds it must not overflow. */
static const uint64_t TIMESTAMP_MAX = INT64_MAX / MS_PER_SECOND;

/* When a connection ends, RabbitMQ gives back what each consumer holds in the order of the
 * consumers' tags: that is the order in which they were made. */
#define TAG_FORMAT "%06u"

void broker_delivery_clear(struct broker_delivery *delivery)
{
	g_free(delivery->body);
	g_free(delivery->exchange);
	g_free(delivery->routing_key);
	g_free(delivery->content_type);
	g_free(delivery->message_id);
	g_free(delivery->type);
	g_free(delivery->app_id);
	g_free(delivery->queue_id);
	g_free(delivery->last_error);
	g_free(delivery->death_reason);
	g_free(delivery->death_queue);
	g_free(delivery->properties);
	*delivery = (struct broker_delivery){0};
}

/* ---- asking for messages ---- */

/* Known before it is asked for: the first delivery may come before the answer is looked at.  The
 * tag is its index, written to `tag`. */
static amqp_bytes_t new_consumer(struct broker *broker, const char *queue, char tag[TAG_TEXT_MAX])
{
	struct consumer *consumer = g_new0(struct consumer, 1);

	consumer->queue = g_strdup(queue);
	g_ptr_array_add(broker->consumers, consumer);
	g_snprintf(tag, TAG_TEXT_MAX, TAG_FORMAT, broker->consumers->len - 1);
	return amqp_cstring_bytes(tag);
}

enum outcome broker_consume(struct broker *broker, const char *queue, uint16_t prefetch,
			    struct deadline deadline, struct reason *reason)
{
	char tag[TAG_TEXT_MAX];
	amqp_basic_qos_t qos = {.prefetch_count = prefetch};
	amqp_basic_consume_t consume = {
		.queue = amqp_cstring_bytes(queue),
		.arguments = amqp_empty_table,
	};

	if (!broker_short_string("the queue's name", queue, reason))
		return OUTCOME_RETRY;
	consume.consumer_tag = new_consumer(broker, queue, tag);
	if (broker_call(broker, AMQP_BASIC_QOS_METHOD, &qos, AMQP_BASIC_QOS_OK_METHOD, NULL,
			deadline, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return broker_call(broker, AMQP_BASIC_CONSUME_METHOD, &consume,
			   AMQP_BASIC_CONSUME_OK_METHOD, NULL, deadline, reason);
}

enum outcome broker_consume_single(struct broker *broker, const char *queue,
				   struct deadline deadline, struct reason *reason)
{
	enum outcome outcome = broker_consume(broker, queue, 1, deadline, reason);

	if (outcome == OUTCOME_OK) {
		struct consumer *last = broker->consumers->pdata[broker->consumers->len - 1];

		last->single = true;
	}
	return outcome;
}

static enum outcome set_prefetch(struct broker *broker, uint16_t prefetch, struct deadline deadline,
				 struct reason *reason)
{
	amqp_basic_qos_t qos = {.prefetch_count = prefetch};

	return broker_call(broker, AMQP_BASIC_QOS_METHOD, &qos, AMQP_BASIC_QOS_OK_METHOD, NULL,
			   deadline, reason);
}

static enum outcome consume_nowait(struct broker *broker, const char *queue,
				   struct deadline deadline, struct reason *reason)
{
	char tag[TAG_TEXT_MAX];
	amqp_basic_consume_t consume = {
		.queue = amqp_cstring_bytes(queue),
		.nowait = 1,
		.arguments = amqp_empty_table,
	};

	if (!broker_short_string("the queue's name", queue, reason))
		return OUTCOME_RETRY;
	consume.consumer_tag = new_consumer(broker, queue, tag);
	return broker_send(broker, AMQP_BASIC_CONSUME_METHOD, &consume, deadline, reason);
}

enum outcome broker_consume_all(struct broker *broker, char *const *queues, size_t count,
				uint16_t prefetch, struct deadline deadline, struct reason *reason)
{
	enum outcome outcome = set_prefetch(broker, prefetch, deadline, reason);

	for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++)
		outcome = consume_nowait(broker, queues[i], deadline, reason);
	return outcome;
}

static enum outcome cancel_nowait(struct broker *broker, unsigned int index,
				  struct deadline deadline, struct reason *reason)
{
	char tag[TAG_TEXT_MAX];
	amqp_basic_cancel_t cancel = {.nowait = 1};

	g_snprintf(tag, sizeof(tag), TAG_FORMAT, index);
	cancel.consumer_tag = amqp_cstring_bytes(tag);
	return broker_send(broker, AMQP_BASIC_CANCEL_METHOD, &cancel, deadline, reason);
}

/* A consumer's prefetch is what was asked for before it began. */
enum outcome broker_consume_anew(struct broker *broker, uint16_t prefetch, struct deadline deadline,
				 struct reason *reason)
{
	unsigned int before = broker->consumers->len;
	enum outcome outcome = OUTCOME_OK;

	for (unsigned int i = 0; i < before && outcome == OUTCOME_OK; i++) {
		const struct consumer *consumer = broker->consumers->pdata[i];

		if (!consumer->ended && !consumer->single)
			outcome = cancel_nowait(broker, i, deadline, reason);
	}
	if (outcome == OUTCOME_OK)
		outcome = set_prefetch(broker, prefetch, deadline, reason);
	for (unsigned int i = 0; i < before && outcome == OUTCOME_OK; i++) {
		struct consumer *consumer = broker->consumers->pdata[i];

		if (consumer->ended || consumer->single)
			continue;
		consumer->ended = true;
		outcome = consume_nowait(broker, consumer->queue, deadline, reason);
	}
	return outcome;
}

static struct consumer *find_consumer(const struct broker *broker, amqp_bytes_t tag)
{
	unsigned int index = 0;
	const char *digits = tag.bytes;

	if (tag.len == 0 || tag.len >= TAG_TEXT_MAX)
		return NULL;
	for (size_t i = 0; i < tag.len; i++) {
		if (!g_ascii_isdigit(digits[i]))
			return NULL;
		index = index * DECIMAL + (unsigned int)g_ascii_digit_value(digits[i]);
	}
	return index < broker->consumers->len ? broker->consumers->pdata[index] : NULL;
}

void broker_consumer_cancelled(struct broker *broker, amqp_bytes_t tag)
{
	struct consumer *consumer = find_consumer(broker, tag);

	if (consumer == NULL || consumer->cancelled)
		return;
	consumer->cancelled = true;
	broker->cancelled_count++;
}

/* ---- the pieces of a message ---- */

static char *copy_text(amqp_bytes_t bytes)
{
	return g_strndup(bytes.bytes, bytes.len);
}

bool broker_content_start(struct broker *broker, const amqp_basic_deliver_t *deliver)
{
	const struct consumer *consumer = find_consumer(broker, deliver->consumer_tag);

	if (broker->content != CONTENT_NONE || consumer == NULL)
		return false;
	broker_delivery_clear(&broker->partial);
	broker->partial.tag = deliver->delivery_tag;
	broker->partial.redelivered = deliver->redelivered != 0;
	broker->partial.queue = consumer->queue;
	broker->partial.exchange = copy_text(deliver->exchange);
	broker->partial.routing_key = copy_text(deliver->routing_key);
	broker->partial_at_ms = monotonic_ms();
	broker->content = CONTENT_HEADER;
	broker->discard = false;
	return true;
}

/* Any producer may have set the headers, to values of any type; a number is never negative. */
static int64_t number_of(const amqp_field_value_t *value)
{
	int64_t number = 0;

	switch (value->kind) {
	case AMQP_FIELD_KIND_I8:
		/* A number, not a character. NOLINTNEXTLINE(bugprone-signed-char-misuse) */
		number = value->value.i8;
		break;
	case AMQP_FIELD_KIND_U8:
		number = value->value.u8;
		break;
	case AMQP_FIELD_KIND_I16:
		number = value->value.i16;
		break;
	case AMQP_FIELD_KIND_U16:
		number = value->value.u16;
		break;
	case AMQP_FIELD_KIND_I32:
		number = value->value.i32;
		break;
	case AMQP_FIELD_KIND_U32:
		number = value->value.u32;
		break;
	case AMQP_FIELD_KIND_I64:
		number = value->value.i64;
		break;
	case AMQP_FIELD_KIND_U64:
	case AMQP_FIELD_KIND_TIMESTAMP:
		number = (int64_t)MIN(value->value.u64, (uint64_t)INT64_MAX);
		break;
	default:
		break;
	}
	return MAX(number, 0);
}

/* Numbers with which nobody need fear to overflow; of any other, as of no number, nothing is known.
 */
static int64_t bounded(int64_t number, int64_t max)
{
	return number <= max ? number : 0;
}

static int64_t count_of(const amqp_field_value_t *value)
{
	return MIN(number_of(value), COUNT_MAX);
}

static char *text_of(const amqp_field_value_t *value)
{
	bool text = value->kind == AMQP_FIELD_KIND_UTF8 || value->kind == AMQP_FIELD_KIND_BYTES;

	return text ? g_strndup(value->value.bytes.bytes,
				MIN(value->value.bytes.len, HEADER_TEXT_MAX))
		    : NULL;
}

static bool is_key(amqp_bytes_t key, const char *name)
{
	return key.len == strlen(name) && memcmp(key.bytes, name, key.len) == 0;
}

/* An array of tables, the last death first. */
static void take_death(struct broker_delivery *to, const amqp_field_value_t *value)
{
	if (value->kind != AMQP_FIELD_KIND_ARRAY || value->value.array.num_entries < 1 ||
	    value->value.array.entries[0].kind != AMQP_FIELD_KIND_TABLE)
		return;
	const amqp_table_t *last = &value->value.array.entries[0].value.table;

	for (int i = 0; i < last->num_entries; i++) {
		const amqp_table_entry_t *entry = &last->entries[i];

		if (is_key(entry->key, "reason") && to->death_reason == NULL)
			to->death_reason = text_of(&entry->value);
		else if (is_key(entry->key, "queue") && to->death_queue == NULL)
			to->death_queue = text_of(&entry->value);
	}
}

static void take_headers(struct broker_delivery *to, const amqp_table_t *headers)
{
	for (int i = 0; i < headers->num_entries; i++) {
		const amqp_table_entry_t *entry = &headers->entries[i];

		if (is_key(entry->key, HEADER_QUEUE_ID) && to->queue_id == NULL)
			to->queue_id = text_of(&entry->value);
		else if (is_key(entry->key, HEADER_LAST_ERROR) && to->last_error == NULL)
			to->last_error = text_of(&entry->value);
		else if (is_key(entry->key, HEADER_FIRST_SEEN))
			to->first_seen = bounded(number_of(&entry->value), SECONDS_MAX);
		else if (is_key(entry->key, HEADER_ATTEMPT))
			to->attempt = count_of(&entry->value);
		else if (is_key(entry->key, HEADER_DELAY_NOTICED))
			to->delay_noticed =
				bounded(number_of(&entry->value), SECONDS_MAX * MS_PER_SECOND);
		else if (is_key(entry->key, HEADER_REQUEUED))
			to->requeued = count_of(&entry->value);
		else if (is_key(entry->key, "x-death"))
			take_death(to, &entry->value);
		else if (is_key(entry->key, HEADER_DELIVERY_COUNT))
			to->delivery_count = count_of(&entry->value);
		else if (is_key(entry->key, HEADER_DEAD_SINCE))
			to->dead_since = bounded(number_of(&entry->value), SECONDS_MAX);
		else if (is_key(entry->key, HEADER_REQUEUED_AT))
			to->requeued_at = bounded(number_of(&entry->value), SECONDS_MAX);
		else if (is_key(entry->key, HEADER_RELEASED))
			to->released = bounded(number_of(&entry->value), SECONDS_MAX);
	}
}

static void take_properties(struct broker_delivery *to, const amqp_basic_properties_t *from)
{
	if (from->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG)
		to->content_type = copy_text(from->content_type);
	if (from->_flags & AMQP_BASIC_MESSAGE_ID_FLAG)
		to->message_id = copy_text(from->message_id);
	if (from->_flags & AMQP_BASIC_TYPE_FLAG)
		to->type = copy_text(from->type);
	if (from->_flags & AMQP_BASIC_APP_ID_FLAG)
		to->app_id = copy_text(from->app_id);
	if (from->_flags & AMQP_BASIC_TIMESTAMP_FLAG)
		to->timestamp = (int64_t)MIN(from->timestamp, TIMESTAMP_MAX);
	if (from->_flags & AMQP_BASIC_HEADERS_FLAG)
		take_headers(to, &from->headers);
}

static void content_done(struct broker *broker)
{
	broker->content = CONTENT_NONE;
	if (broker->discard)
		return;
	g_queue_push_tail(&broker->ready, g_memdup2(&broker->partial, sizeof broker->partial));
	broker->partial = (struct broker_delivery){0};
}

bool broker_content_header(struct broker *broker, const amqp_frame_t *frame)
{
	struct broker_delivery *partial = &broker->partial;

	if (broker->content != CONTENT_HEADER || frame->payload.properties.body_size > BODY_MAX)
		return false;
	broker->content = CONTENT_BODY;
	broker->partial_got = 0;
	broker->partial_at_ms = monotonic_ms();
	partial->body_size = frame->payload.properties.body_size;
	if (!broker->discard) {
		take_properties(partial, frame->payload.properties.decoded);
		if (broker->keep_properties)
			partial->properties = broker_properties_new(frame->payload.properties.raw);
		partial->body = g_try_malloc(MAX(partial->body_size, 1));
		if (partial->body == NULL)
			return false;
	}
	if (partial->body_size == 0)
		content_done(broker);
	return true;
}

bool broker_content_body(struct broker *broker, amqp_bytes_t piece)
{
	struct broker_delivery *partial = &broker->partial;

	if (broker->content != CONTENT_BODY || piece.len > partial->body_size - broker->partial_got)
		return false;
	if (!broker->discard)
		memcpy(partial->body + broker->partial_got, piece.bytes, piece.len);
	broker->partial_got += piece.len;
	if (broker->partial_got == partial->body_size)
		content_done(broker);
	else
		broker->partial_at_ms = monotonic_ms();
	return true;
}

/* ---- handing them out ---- */

static enum broker_event tell_cancelled(struct broker *broker, struct reason *reason)
{
	for (unsigned int i = 0; i < broker->consumers->len; i++) {
		struct consumer *consumer = broker->consumers->pdata[i];

		if (!consumer->cancelled)
			continue;
		consumer->cancelled = false;
		outcome_retry(reason, STATUS_MISCONFIGURED,
			      "RabbitMQ at %s sends nothing more from queue \"%s\": it was deleted "
			      "or moved",
			      broker->peer, consumer->queue);
		break;
	}
	broker->cancelled_count--;
	return BROKER_CANCELLED;
}

static bool stalled(const struct broker *broker)
{
	return broker->content != CONTENT_NONE && monotonic_ms() - broker->partial_at_ms > STALL_MS;
}

enum broker_event broker_next(struct broker *broker, struct broker_delivery *delivery, int wake_fd,
			      struct deadline deadline, struct reason *reason)
{
	amqp_frame_t frame;

	while (broker_usable(broker, reason) == OUTCOME_OK) {
		g_autofree struct broker_delivery *next = g_queue_pop_head(&broker->ready);

		if (next != NULL) {
			*delivery = *next;
			return BROKER_DELIVERY;
		}
		if (broker->cancelled_count > 0)
			return tell_cancelled(broker, reason);
		if (broker_step(broker, wake_fd, deadline, &frame) != STEP_TIMEOUT)
			continue;
		if (!stalled(broker))
			return BROKER_TIMEOUT;
		broker_give_up(broker, STATUS_LOST, "it stopped in the middle of a message");
	}
	return BROKER_LOST;
}

enum outcome broker_ack(struct broker *broker, uint64_t tag, bool multiple, struct reason *reason)
{
	amqp_basic_ack_t ack = {.delivery_tag = tag, .multiple = multiple};

	return broker_send(broker, AMQP_BASIC_ACK_METHOD, &ack, deadline_in(SETTLE_MS), reason);
}

enum outcome broker_nack(struct broker *broker, uint64_t tag, bool multiple, bool requeue,
			 struct reason *reason)
{
	amqp_basic_nack_t nack = {.delivery_tag = tag, .multiple = multiple, .requeue = requeue};

	return broker_send(broker, AMQP_BASIC_NACK_METHOD, &nack, deadline_in(SETTLE_MS), reason);
}
