#include "common/broker_internal.h"

/* The answer to basic.get; its content follows as that of a basic.deliver does. */
static void content_start(struct broker *broker, const amqp_basic_get_ok_t *ok)
{
	broker_delivery_clear(&broker->partial);
	broker->partial.tag = ok->delivery_tag;
	broker->partial.redelivered = ok->redelivered != 0;
	broker->partial.exchange = g_strndup(ok->exchange.bytes, ok->exchange.len);
	broker->partial.routing_key = g_strndup(ok->routing_key.bytes, ok->routing_key.len);
	broker->partial_at_ms = monotonic_ms();
	broker->content = CONTENT_HEADER;
	broker->discard = false;
}

/* False: there is none, or the reason why that cannot be told. */
static bool await_answer(struct broker *broker, struct deadline deadline, enum outcome *outcome,
			 struct reason *reason)
{
	amqp_frame_t frame;
	enum step step = STEP_FRAME;

	while (step == STEP_FRAME && !broker->channel_closed) {
		step = broker_step(broker, -1, deadline, &frame);
		if (step != STEP_FRAME || frame.frame_type != AMQP_FRAME_METHOD ||
		    frame.channel != BROKER_CHANNEL)
			continue;
		if (frame.payload.method.id == AMQP_BASIC_GET_EMPTY_METHOD)
			return false;
		if (frame.payload.method.id == AMQP_BASIC_GET_OK_METHOD) {
			content_start(broker, frame.payload.method.decoded);
			return true;
		}
	}
	if (step == STEP_TIMEOUT)
		broker_give_up(broker, STATUS_UNREACHABLE, "no answer in time");
	*outcome = broker_usable(broker, reason);
	if (broker->channel_closed && !broker->lost)
		broker_channel_open(broker, deadline, NULL);
	return false;
}

enum outcome broker_get(struct broker *broker, const char *queue, struct broker_delivery *delivery,
			bool *found, struct deadline deadline, struct reason *reason)
{
	amqp_basic_get_t get = {.queue = amqp_cstring_bytes(queue)};
	enum outcome outcome = OUTCOME_OK;

	*found = false;
	if (!broker_short_string("the queue's name", queue, reason) ||
	    broker_send(broker, AMQP_BASIC_GET_METHOD, &get, deadline, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	if (!await_answer(broker, deadline, &outcome, reason))
		return outcome;
	switch (broker_next(broker, delivery, -1, deadline, reason)) {
	case BROKER_DELIVERY:
		*found = true;
		return OUTCOME_OK;
	case BROKER_TIMEOUT:
		broker_give_up(broker, STATUS_UNREACHABLE, "a message did not come in time");
		return broker_usable(broker, reason);
	case BROKER_CANCELLED:
	case BROKER_LOST:
		break;
	}
	return OUTCOME_RETRY;
}
