#include "common/broker_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>

#include "common/watchdog.h"

enum {
	SHORT_STRING_MAX = 255,
	HEARTBEAT_FRACTION = 2, /* look this often within one heartbeat's time */
	CODE_CONNECTION_FORCED = 320
};

/* ---- the end of a connection or channel ---- */

enum outcome broker_give_up(struct broker *broker, const char *status, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	if (broker->lost) /* the first reason is the true one */
		return OUTCOME_RETRY;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	broker->lost = true;
	return outcome_retry(&broker->why, status, "RabbitMQ at %s: %s", broker->peer, text);
}

enum outcome broker_usable(const struct broker *broker, struct reason *reason)
{
	if (!broker->lost && !broker->channel_closed)
		return OUTCOME_OK;
	if (reason != NULL)
		*reason = broker->why;
	return OUTCOME_RETRY;
}

static void explain_close(struct broker *broker, uint16_t code, amqp_bytes_t said)
{
	/* Only 320 is a matter of time (shutting down, closed by an operator); all others are
	 * about names, rights and limits. */
	const char *status = code == CODE_CONNECTION_FORCED ? STATUS_BUSY : STATUS_MISCONFIGURED;

	outcome_retry(&broker->why, status, "RabbitMQ at %s says: %.*s (%u)", broker->peer,
		      (int)said.len, (const char *)said.bytes, (unsigned int)code);
}

static void on_connection_close(struct broker *broker, const amqp_connection_close_t *close)
{
	amqp_connection_close_ok_t answer = {0};

	if (!broker->lost)
		explain_close(broker, close->reply_code, close->reply_text);
	broker->lost = true;
	broker->hung_up = true;
	amqp_send_method(broker->amqp, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer);
}

static void on_channel_close(struct broker *broker, const amqp_channel_close_t *close)
{
	amqp_channel_close_ok_t answer = {0};

	explain_close(broker, close->reply_code, close->reply_text);
	broker->channel_closed = true;
	broker->confirming = false;
	broker->content = CONTENT_NONE;
	amqp_send_method(broker->amqp, BROKER_CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &answer);
}

/* ---- frames ---- */

/* multiple: for this one and all before it.  Confirms of what is not waited for any more are of no
 * interest. */
static void on_confirm(struct broker *broker, uint64_t number, bool multiple, enum confirm confirm)
{
	struct flight *flight = broker->flight;

	if (flight == NULL || number < flight->first)
		return;
	size_t last = (size_t)MIN(number - flight->first, flight->count - 1);

	for (size_t i = multiple ? 0 : last; i <= last; i++) {
		if (flight->confirms[i] != CONFIRM_NONE)
			continue;
		flight->confirms[i] = confirm;
		flight->open--;
	}
}

static bool is_text(amqp_bytes_t bytes, const char *text)
{
	return bytes.len == strlen(text) && memcmp(bytes.bytes, text, bytes.len) == 0;
}

static void on_return(struct broker *broker, const amqp_basic_return_t *method)
{
	struct flight *flight = broker->flight;

	for (size_t i = 0; flight != NULL && i < flight->count; i++)
		if (is_text(method->exchange, flight->messages[i].exchange) &&
		    is_text(method->routing_key, flight->messages[i].routing_key))
			flight->returned[i] = true;
	if (flight != NULL && flight->return_text == NULL)
		flight->return_text = g_strdup_printf("%.*s (%u)", (int)method->reply_text.len,
						      (const char *)method->reply_text.bytes,
						      (unsigned int)method->reply_code);
	broker->partial_at_ms = monotonic_ms();
	broker->content = CONTENT_HEADER;
	broker->discard = true;
}

static void on_connection_method(struct broker *broker, const amqp_method_t *method)
{
	if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
		on_connection_close(broker, method->decoded);
	} else if (method->id == AMQP_CONNECTION_BLOCKED_METHOD) {
		const amqp_connection_blocked_t *blocked = method->decoded;

		g_free(broker->blocked);
		broker->blocked = g_strndup(blocked->reason.bytes, blocked->reason.len);
	} else if (method->id == AMQP_CONNECTION_UNBLOCKED_METHOD) {
		g_clear_pointer(&broker->blocked, g_free);
	}
}

/* False: it makes no sense. */
static bool on_channel_method(struct broker *broker, const amqp_method_t *method)
{
	switch (method->id) {
	case AMQP_CHANNEL_CLOSE_METHOD:
		on_channel_close(broker, method->decoded);
		return true;
	case AMQP_BASIC_DELIVER_METHOD:
		return broker_content_start(broker, method->decoded);
	case AMQP_BASIC_RETURN_METHOD:
		on_return(broker, method->decoded);
		return true;
	case AMQP_BASIC_ACK_METHOD: {
		const amqp_basic_ack_t *ack = method->decoded;

		on_confirm(broker, ack->delivery_tag, ack->multiple != 0, CONFIRM_ACK);
		return true;
	}
	case AMQP_BASIC_NACK_METHOD: {
		const amqp_basic_nack_t *nack = method->decoded;

		on_confirm(broker, nack->delivery_tag, nack->multiple != 0, CONFIRM_NACK);
		return true;
	}
	case AMQP_BASIC_CANCEL_METHOD:
		broker_consumer_cancelled(
			broker, ((const amqp_basic_cancel_t *)method->decoded)->consumer_tag);
		return true;
	default: /* the answer to a question: the asker sees it */
		return true;
	}
}

static bool on_frame(struct broker *broker, const amqp_frame_t *frame)
{
	if (frame->frame_type == AMQP_FRAME_METHOD && frame->channel == 0) {
		on_connection_method(broker, &frame->payload.method);
		return true;
	}
	if (frame->channel != BROKER_CHANNEL) /* a heartbeat */
		return true;
	switch (frame->frame_type) {
	case AMQP_FRAME_METHOD:
		return on_channel_method(broker, &frame->payload.method);
	case AMQP_FRAME_HEADER:
		return broker_content_header(broker, frame);
	case AMQP_FRAME_BODY:
		return broker_content_body(broker, frame->payload.body_fragment);
	default:
		return true;
	}
}

/* Wait for the socket or wake_fd.  True: it was wake_fd. */
static bool wait_for_either(const struct broker *broker, int wake_fd, struct deadline deadline)
{
	struct pollfd fds[] = {{.fd = wake_fd, .events = POLLIN},
			       {.fd = amqp_get_sockfd(broker->amqp), .events = POLLIN}};
	int wait_ms = deadline_left_ms(deadline);

	/* rabbitmq-c sends heartbeats only while it is called. */
	if (broker->heartbeat_ms > 0)
		wait_ms = MIN(wait_ms, broker->heartbeat_ms / HEARTBEAT_FRACTION);
	return poll(fds, G_N_ELEMENTS(fds), wait_ms) > 0 && fds[0].revents != 0;
}

enum outcome broker_heartbeat(struct broker *broker, struct reason *reason)
{
	amqp_frame_t beat = {.frame_type = AMQP_FRAME_HEARTBEAT, .channel = 0};
	int64_t now = monotonic_ms();

	if (broker_usable(broker, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	if (broker->heartbeat_ms == 0 ||
	    now - broker->beat_at_ms < broker->heartbeat_ms / HEARTBEAT_FRACTION)
		return OUTCOME_OK;
	broker->beat_at_ms = now;
	int status = amqp_send_frame(broker->amqp, &beat);

	if (status == AMQP_STATUS_OK)
		return OUTCOME_OK;
	broker_give_up(broker, STATUS_LOST, "%s", amqp_error_string2(status));
	return broker_usable(broker, reason);
}

enum step broker_step(struct broker *broker, int wake_fd, struct deadline deadline,
		      amqp_frame_t *frame)
{
	static const struct timeval only_look = {0, 0};

	if (broker->lost)
		return STEP_LOST;
	amqp_maybe_release_buffers(broker->amqp);
	for (;;) {
		struct timeval left = wake_fd < 0 ? deadline_timeval(deadline) : only_look;
		int status = amqp_simple_wait_frame_noblock(broker->amqp, frame, &left);

		if (status == AMQP_STATUS_OK) {
			if (!on_frame(broker, frame))
				broker_give_up(broker, STATUS_LOST,
					       "frames that make no sense came in");
			return broker->lost ? STEP_LOST : STEP_FRAME;
		}
		if (status != AMQP_STATUS_TIMEOUT) {
			broker_give_up(broker, STATUS_LOST, "connection lost: %s",
				       amqp_error_string2(status));
			broker->hung_up = true;
			return STEP_LOST;
		}
		if (deadline_passed(deadline) ||
		    (wake_fd >= 0 && wait_for_either(broker, wake_fd, deadline)))
			return STEP_TIMEOUT;
	}
}

/* ---- questions and answers ---- */

bool broker_short_string(const char *what, const char *text, struct reason *reason)
{
	if (text == NULL || strlen(text) <= SHORT_STRING_MAX)
		return true;
	outcome_retry(reason, STATUS_MISCONFIGURED, "%s is longer than %d bytes: %.40s...", what,
		      SHORT_STRING_MAX, text);
	return false;
}

enum outcome broker_send(struct broker *broker, amqp_method_number_t id, void *method,
			 struct deadline deadline, struct reason *reason)
{
	int status = AMQP_STATUS_TIMER_FAILURE;

	if (broker_usable(broker, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	if (watchdog_arm(amqp_get_sockfd(broker->amqp), deadline))
		status = amqp_send_method(broker->amqp, BROKER_CHANNEL, id, method);
	bool late = watchdog_disarm();
	if (status == AMQP_STATUS_OK)
		return OUTCOME_OK;
	broker_give_up(broker, STATUS_LOST, "%s",
		       late ? "it takes nothing any more" : amqp_error_string2(status));
	return broker_usable(broker, reason);
}

enum outcome broker_call(struct broker *broker, amqp_method_number_t id, void *method,
			 amqp_method_number_t reply_id, void **reply, struct deadline deadline,
			 struct reason *reason)
{
	amqp_frame_t frame;
	enum step step = STEP_FRAME;

	if (broker_send(broker, id, method, deadline, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	while (step == STEP_FRAME && !broker->channel_closed) {
		step = broker_step(broker, -1, deadline, &frame);
		if (step == STEP_FRAME && frame.frame_type == AMQP_FRAME_METHOD &&
		    frame.channel == BROKER_CHANNEL && frame.payload.method.id == reply_id) {
			if (reply != NULL)
				*reply = frame.payload.method.decoded;
			return OUTCOME_OK;
		}
	}
	if (step == STEP_TIMEOUT)
		broker_give_up(broker, STATUS_UNREACHABLE, "no answer in time");
	return broker_usable(broker, reason);
}

enum outcome broker_channel_open(struct broker *broker, struct deadline deadline,
				 struct reason *reason)
{
	amqp_channel_open_t open = {.out_of_band = amqp_empty_bytes};

	broker->channel_closed = false;
	broker->published = 0;
	/* Nothing hangs on the answer: RabbitMQ works through a channel in order, and a channel
	 * that cannot be opened closes the connection.  One round trip saved. */
	return broker_send(broker, AMQP_CHANNEL_OPEN_METHOD, &open, deadline, reason);
}
