#include "common/broker_internal.h"

#include <string.h>

#include "common/watchdog.h"

/* Headers without an allocation; messages on their way before their confirms are read. */
enum { HEADERS_FEW = 8, BURST_COUNT = 1024, POOL_PAGE = 4096 };

enum outcome broker_confirm_select(struct broker *broker, struct deadline deadline,
				   struct reason *reason)
{
	amqp_confirm_select_t select = {.nowait = 0};
	enum outcome outcome = broker_call(broker, AMQP_CONFIRM_SELECT_METHOD, &select,
					   AMQP_CONFIRM_SELECT_OK_METHOD, NULL, deadline, reason);

	broker->confirming = outcome == OUTCOME_OK;
	return outcome;
}

static bool strings_fit(const struct broker_message *message, struct reason *reason)
{
	for (size_t i = 0; i < message->header_count; i++)
		if (!broker_short_string("a header's name", message->headers[i].name, reason))
			return false;
	return broker_short_string("the exchange's name", message->exchange, reason) &&
	       broker_short_string("the routing key", message->routing_key, reason) &&
	       broker_short_string("the content type", message->content_type, reason) &&
	       broker_short_string("the message id", message->message_id, reason) &&
	       broker_short_string("the message type", message->type, reason) &&
	       broker_short_string("the application id", message->app_id, reason);
}

static void set_text(amqp_basic_properties_t *properties, amqp_flags_t flag, amqp_bytes_t *property,
		     const char *text)
{
	if (text == NULL)
		return;
	*property = amqp_cstring_bytes(text);
	properties->_flags |= flag;
}

static void fill_headers(const struct broker_message *message, amqp_table_entry_t *entries)
{
	for (size_t i = 0; i < message->header_count; i++) {
		const struct broker_header *header = &message->headers[i];
		amqp_field_value_t *value = &entries[i].value;

		entries[i].key = amqp_cstring_bytes(header->name);
		if (header->text != NULL) {
			value->kind = AMQP_FIELD_KIND_UTF8;
			value->value.bytes = amqp_cstring_bytes(header->text);
		} else {
			value->kind = AMQP_FIELD_KIND_I64;
			value->value.i64 = header->number;
		}
	}
}

static void set_headers(amqp_basic_properties_t *to, amqp_table_entry_t *entries, size_t count)
{
	to->headers = (amqp_table_t){.num_entries = (int)count, .entries = entries};
	to->_flags &= ~(amqp_flags_t)AMQP_BASIC_HEADERS_FLAG;
	if (count > 0)
		to->_flags |= AMQP_BASIC_HEADERS_FLAG;
}

/* The properties borrow from the message and from `entries`, which has room for its headers. */
static void fill_properties(amqp_basic_properties_t *to, const struct broker_message *message,
			    amqp_table_entry_t *entries)
{
	*to = (amqp_basic_properties_t){._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
					.delivery_mode = AMQP_DELIVERY_PERSISTENT};
	set_text(to, AMQP_BASIC_CONTENT_TYPE_FLAG, &to->content_type, message->content_type);
	set_text(to, AMQP_BASIC_MESSAGE_ID_FLAG, &to->message_id, message->message_id);
	set_text(to, AMQP_BASIC_TYPE_FLAG, &to->type, message->type);
	set_text(to, AMQP_BASIC_APP_ID_FLAG, &to->app_id, message->app_id);
	if (message->timestamp > 0) {
		to->timestamp = (uint64_t)message->timestamp;
		to->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
	}
	fill_headers(message, entries);
	set_headers(to, entries, message->header_count);
}

static bool is_name(amqp_bytes_t key, const char *name)
{
	return key.len == strlen(name) && memcmp(key.bytes, name, key.len) == 0;
}

/* Does the message not want this header of the ones it came with? */
static bool is_left_out(const struct broker_message *message, amqp_bytes_t key)
{
	const char *const *dropped = message->dropped;

	for (size_t i = 0; dropped != NULL && dropped[i] != NULL; i++)
		if (is_name(key, dropped[i]))
			return true;
	for (size_t i = 0; i < message->header_count; i++)
		if (is_name(key, message->headers[i].name))
			return true;
	return false;
}

/* Those it came with, and its own headers in place of theirs. */
static int send_again(struct broker *broker, const struct broker_message *message,
		      amqp_bytes_t body)
{
	amqp_pool_t pool;
	amqp_basic_properties_t properties;
	int status = AMQP_STATUS_BAD_AMQP_DATA;

	init_amqp_pool(&pool, POOL_PAGE);
	if (broker_properties_decode(message->properties, &pool, &properties)) {
		const amqp_table_t had = (properties._flags & AMQP_BASIC_HEADERS_FLAG) != 0
						 ? properties.headers
						 : amqp_empty_table;
		size_t count = message->header_count;
		g_autofree amqp_table_entry_t *entries =
			g_new0(amqp_table_entry_t, count + (size_t)had.num_entries);

		fill_headers(message, entries);
		for (int i = 0; i < had.num_entries; i++)
			if (!is_left_out(message, had.entries[i].key))
				entries[count++] = had.entries[i];
		set_headers(&properties, entries, count);
		properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
		properties._flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
		properties._flags &= ~(amqp_flags_t)AMQP_BASIC_USER_ID_FLAG;
		status = amqp_basic_publish(broker->amqp, BROKER_CHANNEL,
					    amqp_cstring_bytes(message->exchange),
					    amqp_cstring_bytes(message->routing_key),
					    !message->optional, 0, &properties, body);
	}
	empty_amqp_pool(&pool);
	return status;
}

/* Nothing is waited for.  A status of rabbitmq-c. */
static int send_message(struct broker *broker, const struct broker_message *message)
{
	amqp_basic_properties_t properties;
	amqp_table_entry_t few[HEADERS_FEW] = {{.key = amqp_empty_bytes}};
	g_autofree amqp_table_entry_t *many =
		message->header_count > HEADERS_FEW
			? g_new0(amqp_table_entry_t, message->header_count)
			: NULL;
	/* Sent from where it lies, frame by frame: a mapped file needs no memory. */
	amqp_bytes_t body = {.len = message->body_size, .bytes = (void *)message->body};

	if (message->properties != NULL)
		return send_again(broker, message, body);
	fill_properties(&properties, message, many != NULL ? many : few);
	return amqp_basic_publish(
		broker->amqp, BROKER_CHANNEL, amqp_cstring_bytes(message->exchange),
		amqp_cstring_bytes(message->routing_key), !message->optional, 0, &properties, body);
}

static enum outcome send_messages(struct broker *broker, const struct broker_message *messages,
				  size_t count, struct deadline deadline)
{
	int status = AMQP_STATUS_TIMER_FAILURE;

	if (watchdog_arm(amqp_get_sockfd(broker->amqp), deadline)) {
		status = AMQP_STATUS_OK;
		for (size_t i = 0; i < count && status == AMQP_STATUS_OK; i++) {
			status = send_message(broker, &messages[i]);
			broker->published++;
		}
	}
	bool late = watchdog_disarm();
	if (status == AMQP_STATUS_OK)
		return OUTCOME_OK;
	return broker_give_up(broker, late ? STATUS_BUSY : STATUS_LOST,
			      "the message was not sent: %s",
			      late ? "it does not take it in time, probably under an alarm"
				   : amqp_error_string2(status));
}

/* Wait for all acks and nacks. */
static enum outcome wait_for_confirms(struct broker *broker, struct deadline deadline)
{
	amqp_frame_t frame;

	while (broker->flight->open > 0) {
		enum step step = broker_step(broker, -1, deadline, &frame);

		if (step == STEP_LOST || broker->channel_closed)
			return OUTCOME_RETRY;
		if (step != STEP_TIMEOUT)
			continue;
		if (broker->blocked != NULL)
			return broker_give_up(broker, STATUS_BUSY,
					      "it takes no messages at present (%s)",
					      broker->blocked);
		return broker_give_up(broker, STATUS_UNREACHABLE, "no confirm in time");
	}
	return OUTCOME_OK;
}

/* What became of one message.  One that no queue wanted is returned, then acked all the same. */
static enum outcome judge(const struct broker *broker, const struct flight *flight, size_t i,
			  struct reason *reason)
{
	const struct broker_message *message = &flight->messages[i];

	if (flight->returned[i])
		return outcome_retry(
			reason, STATUS_MISCONFIGURED,
			"RabbitMQ at %s returned the message: %s; no queue is bound to "
			"exchange \"%s\" for \"%s\"",
			broker->peer, flight->return_text, message->exchange, message->routing_key);
	if (flight->confirms[i] == CONFIRM_NACK)
		return outcome_retry(reason, STATUS_BUSY,
				     "RabbitMQ at %s refused the message for \"%s\": the queue is "
				     "full or has no majority of its nodes",
				     broker->peer, message->routing_key);
	if (flight->confirms[i] == CONFIRM_NONE)
		return broker_usable(broker, reason);
	return OUTCOME_OK;
}

/* At most BURST_COUNT messages, so that neither side's buffers fill while nobody reads confirms. */
static enum outcome publish_burst(struct broker *broker, const struct broker_message *messages,
				  size_t count, enum outcome *outcomes, struct deadline deadline,
				  struct reason *reason)
{
	enum confirm confirms[BURST_COUNT] = {CONFIRM_NONE};
	bool returned[BURST_COUNT] = {false};
	struct flight flight = {
		.first = broker->published + 1,
		.count = count,
		.open = count,
		.confirms = confirms,
		.messages = messages,
		.returned = returned,
	};
	enum outcome outcome = OUTCOME_OK;

	broker->flight = &flight;
	if (send_messages(broker, messages, count, deadline) == OUTCOME_OK)
		wait_for_confirms(broker, deadline);
	broker->flight = NULL;
	for (size_t i = 0; i < count; i++) {
		outcomes[i] = judge(broker, &flight, i, reason);
		if (outcomes[i] != OUTCOME_OK)
			outcome = OUTCOME_RETRY;
	}
	g_free(flight.return_text);
	return outcome;
}

enum outcome broker_publish_all(struct broker *broker, const struct broker_message *messages,
				size_t count, enum outcome *outcomes, struct deadline deadline,
				struct reason *reason)
{
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < count; i++)
		outcomes[i] = OUTCOME_RETRY;
	if (broker_usable(broker, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	if (!broker->confirming)
		return outcome_retry(reason, STATUS_MISCONFIGURED,
				     "confirms were not asked for before publishing");
	for (size_t i = 0; i < count; i++)
		if (!strings_fit(&messages[i], reason))
			return OUTCOME_RETRY;
	for (size_t done = 0; done < count;) {
		size_t burst = MIN(count - done, BURST_COUNT);

		if (publish_burst(broker, messages + done, burst, outcomes + done, deadline,
				  reason) != OUTCOME_OK)
			outcome = OUTCOME_RETRY;
		if (broker->lost || broker->channel_closed)
			break;
		done += burst;
	}
	return outcome;
}

enum outcome broker_tell(struct broker *broker, const struct broker_message *messages, size_t count,
			 struct deadline deadline, struct reason *reason)
{
	if (broker_usable(broker, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	for (size_t i = 0; i < count; i++)
		if (!strings_fit(&messages[i], reason))
			return OUTCOME_RETRY;
	if (send_messages(broker, messages, count, deadline) == OUTCOME_OK)
		return OUTCOME_OK;
	return broker_usable(broker, reason);
}

enum outcome broker_publish(struct broker *broker, const struct broker_message *message,
			    struct deadline deadline, struct reason *reason)
{
	enum outcome outcome;

	return broker_publish_all(broker, message, 1, &outcome, deadline, reason);
}
