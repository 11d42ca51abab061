#include "mailin/ingest/outlet.h"

#include <glib.h>

#include "common/deadline.h"
#include "common/dial.h"

enum {
	PUBLISH_MS = 10000,
	TELL_MS = 1000,          /* to hand events to the socket */
	TELL_PAUSE_MS = 30000,   /* after they could not be */
	SERVE_INTERVAL_MS = 250, /* the shortest heartbeat is a second */
	REST_MS = 60000,         /* without anything to publish */
};

struct outlet {
	const struct config *config;
	struct broker *broker;     /* NULL: not connected */
	struct deadline tell_next; /* no events before */
	struct deadline serve_next;
	struct deadline rest_at;
};

struct outlet *outlet_new(const struct config *config)
{
	struct outlet *outlet = g_new0(struct outlet, 1);

	outlet->config = config;
	outlet->tell_next = deadline_in(0);
	outlet->serve_next = deadline_in(0);
	return outlet;
}

void outlet_rest(struct outlet *outlet)
{
	broker_close(&outlet->broker);
}

void outlet_free(struct outlet **outlet)
{
	if (*outlet == NULL)
		return;
	outlet_rest(*outlet);
	g_free(*outlet);
	*outlet = NULL;
}

static enum outcome open_broker(struct outlet *outlet, struct deadline deadline,
				struct reason *reason)
{
	if (outlet->broker != NULL)
		return OUTCOME_OK;
	const struct dial who = {.user = &outlet->config->amqp_consume,
				 .password_key = "amqp.consume_password_file",
				 .name = "mailin-ingest publishing"};

	outlet->broker = dial_broker(outlet->config, &who, deadline, reason);
	if (outlet->broker == NULL)
		return OUTCOME_RETRY;
	enum outcome outcome = broker_confirm_select(outlet->broker, deadline, reason);

	if (outcome != OUTCOME_OK)
		outlet_rest(outlet);
	return outcome;
}

/* Read what came.  Nothing is consumed here: whatever it says, but that nothing came, ends it. */
static void look(struct outlet *outlet)
{
	struct broker_delivery delivery = {0};
	struct reason reason;

	if (outlet->broker == NULL)
		return;
	outlet->serve_next = deadline_in(SERVE_INTERVAL_MS);
	if (broker_next(outlet->broker, &delivery, -1, deadline_in(0), &reason) != BROKER_TIMEOUT)
		outlet_rest(outlet);
}

enum outcome outlet_publish(struct outlet *outlet, const struct broker_message *messages,
			    size_t count, enum outcome *outcomes, struct reason *reason)
{
	struct deadline deadline = deadline_in(PUBLISH_MS);

	for (size_t i = 0; i < count; i++)
		outcomes[i] = OUTCOME_RETRY;
	look(outlet);
	if (open_broker(outlet, deadline, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	enum outcome outcome =
		broker_publish_all(outlet->broker, messages, count, outcomes, deadline, reason);

	outlet->rest_at = deadline_in(REST_MS);
	/* After a return or a nack it could be used on; all else needs a new one. */
	if (outcome != OUTCOME_OK)
		outlet_rest(outlet);
	return outcome;
}

void outlet_tell(struct outlet *outlet, const struct broker_message *messages, size_t count)
{
	struct deadline deadline = deadline_in(TELL_MS);

	if (count == 0 || !deadline_passed(outlet->tell_next))
		return;
	look(outlet);
	if (open_broker(outlet, deadline, NULL) == OUTCOME_OK) {
		outlet->rest_at = deadline_in(REST_MS);
		if (broker_blocked(outlet->broker) == NULL &&
		    broker_tell(outlet->broker, messages, count, deadline, NULL) == OUTCOME_OK)
			return;
		outlet_rest(outlet);
	}
	outlet->tell_next = deadline_in(TELL_PAUSE_MS);
}

bool outlet_ask(struct outlet *outlet, const struct broker_message *mandatory)
{
	struct deadline deadline = deadline_in(TELL_MS);

	if (!deadline_passed(outlet->tell_next))
		return false;
	look(outlet);
	if (open_broker(outlet, deadline, NULL) == OUTCOME_OK) {
		outlet->rest_at = deadline_in(REST_MS);
		if (broker_publish(outlet->broker, mandatory, deadline, NULL) == OUTCOME_OK)
			return true;
		/* Returned: nothing is wrong with the connection. */
		if (broker_heartbeat(outlet->broker, NULL) == OUTCOME_OK)
			return false;
		outlet_rest(outlet);
	}
	outlet->tell_next = deadline_in(TELL_PAUSE_MS);
	return false;
}

void outlet_serve(struct outlet *outlet)
{
	if (outlet->broker == NULL || !deadline_passed(outlet->serve_next))
		return;
	if (deadline_passed(outlet->rest_at))
		outlet_rest(outlet);
	else
		look(outlet);
}
