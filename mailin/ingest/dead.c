#include "mailin/ingest/dead.h"

#include <glib.h>

#include "common/broker.h"
#include "common/deadline.h"
#include "common/dial.h"
#include "common/retry.h"
#include "common/topology.h"

enum { PUBLISH_MS = 10000 };

struct dead {
	const struct config *config;
	struct broker *broker;
};

struct dead *dead_new(const struct config *config)
{
	struct dead *dead = g_new0(struct dead, 1);

	dead->config = config;
	return dead;
}

void dead_rest(struct dead *dead)
{
	broker_close(&dead->broker);
}

void dead_free(struct dead **dead)
{
	if (*dead == NULL)
		return;
	dead_rest(*dead);
	g_free(*dead);
	*dead = NULL;
}

static enum outcome open_publisher(struct dead *dead, struct deadline deadline,
				   struct reason *reason)
{
	if (dead->broker != NULL)
		return OUTCOME_OK;
	const struct dial who = {.user = &dead->config->amqp_consume,
				 .password_key = "amqp.consume_password_file",
				 .name = "mailin-ingest dead letters"};

	dead->broker = dial_broker(dead->config, &who, deadline, reason);
	if (dead->broker == NULL)
		return OUTCOME_RETRY;
	enum outcome outcome = broker_confirm_select(dead->broker, deadline, reason);

	if (outcome != OUTCOME_OK)
		dead_rest(dead);
	return outcome;
}

static enum outcome publish(struct dead *dead, const struct item *item, struct deadline deadline,
			    struct reason *reason)
{
	const struct broker_delivery *delivery = &item->delivery;
	const struct retry_headers headers = {.attempt = delivery->attempt,
					      .first_seen_s = delivery->first_seen,
					      .last_error = item->reason.text};
	struct broker_header room[RETRY_HEADERS];
	const struct broker_message message =
		retry_message(delivery, EXCHANGE_DEAD, delivery->queue, &headers, room);

	return broker_publish(dead->broker, &message, deadline, reason);
}

enum outcome dead_publish(struct dead *dead, const struct item *item, struct reason *reason)
{
	struct deadline deadline = deadline_in(PUBLISH_MS);

	if (open_publisher(dead, deadline, reason) == OUTCOME_OK) {
		if (publish(dead, item, deadline, reason) == OUTCOME_OK)
			return OUTCOME_OK;
		dead_rest(dead);
	}
	reason_prefix(reason, "dead letter");
	return OUTCOME_RETRY;
}
