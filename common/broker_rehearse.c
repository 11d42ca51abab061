#include "common/broker_internal.h"

#include "common/watchdog.h"

static enum outcome send_one(struct broker *broker, const char *exchange, struct deadline deadline,
			     struct reason *reason)
{
	static char body[] = "rehearsal";
	int status = AMQP_STATUS_TIMER_FAILURE;

	if (watchdog_arm(amqp_get_sockfd(broker->amqp), deadline))
		status = amqp_basic_publish(broker->amqp, BROKER_CHANNEL,
					    amqp_cstring_bytes(exchange), amqp_empty_bytes, 0, 0,
					    NULL, amqp_cstring_bytes(body));
	watchdog_disarm();
	if (status == AMQP_STATUS_OK)
		return OUTCOME_OK;
	broker_give_up(broker, STATUS_LOST, "%s", amqp_error_string2(status));
	return broker_usable(broker, reason);
}

/* After a publish under an alarm RabbitMQ says connection.blocked and reads no further: the answer
 * to the rollback never comes. */
static enum outcome wait_for_answer(struct broker *broker, struct deadline deadline,
				    struct reason *reason)
{
	amqp_frame_t frame;
	enum step step = STEP_FRAME;

	while (step == STEP_FRAME && !broker->channel_closed && broker->blocked == NULL) {
		step = broker_step(broker, -1, deadline, &frame);
		if (step == STEP_FRAME && frame.frame_type == AMQP_FRAME_METHOD &&
		    frame.channel == BROKER_CHANNEL &&
		    frame.payload.method.id == AMQP_TX_ROLLBACK_OK_METHOD)
			return OUTCOME_OK;
	}
	if (broker->blocked != NULL)
		return outcome_retry(reason, STATUS_BUSY, "RabbitMQ at %s takes no messages: %s",
				     broker->peer, broker->blocked);
	if (step == STEP_TIMEOUT)
		broker_give_up(broker, STATUS_UNREACHABLE, "no answer in time");
	return broker_usable(broker, reason);
}

enum outcome broker_rehearse(struct broker *broker, const char *exchange, struct deadline deadline,
			     struct reason *reason)
{
	amqp_tx_select_t select = {0};
	amqp_tx_rollback_t rollback = {0};

	if (!broker_short_string("the exchange's name", exchange, reason) ||
	    broker_call(broker, AMQP_TX_SELECT_METHOD, &select, AMQP_TX_SELECT_OK_METHOD, NULL,
			deadline, reason) != OUTCOME_OK ||
	    send_one(broker, exchange, deadline, reason) != OUTCOME_OK ||
	    broker_send(broker, AMQP_TX_ROLLBACK_METHOD, &rollback, deadline, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return wait_for_answer(broker, deadline, reason);
}
