#include "mailctl/browse.h"

#include <glib.h>
#include <string.h>

#include "common/deadline.h"
#include "mailctl/connect.h"

enum {
	PREFETCH_MAX = 65535, /* 16 bits on the wire */
	DECIMAL = 10,
	IDLE_MS = 1000,
	COUNTING_SINCE = 4 /* RabbitMQ's major version */
};

struct broker *browse_connect(const struct config *config, struct reason *reason)
{
	g_autofree char *password =
		config_password(&config->amqp_setup, "amqp.setup_password_file", reason);

	if (password == NULL)
		return NULL;
	return connect_broker(config, config->amqp_setup.name, password, reason);
}

bool browse_allowed(const struct broker *broker)
{
	const char *digits = strpbrk(broker_server_version(broker), "0123456789");

	return digits == NULL || g_ascii_strtoll(digits, NULL, DECIMAL) < COUNTING_SINCE;
}

static enum outcome visit_all(struct browse *browse, struct broker *broker, struct reason *reason)
{
	struct deadline end = deadline_in(browse->time_ms);
	int64_t most = MIN(browse->there, PREFETCH_MAX);
	int64_t bytes = 0;
	enum outcome outcome = broker_consume(broker, browse->queue, (uint16_t)most, end, reason);

	while (outcome == OUTCOME_OK && browse->seen < most && bytes < browse->bytes_max &&
	       !deadline_passed(end)) {
		struct deadline soon = deadline_earlier(end, deadline_in(IDLE_MS));
		struct broker_delivery delivery;

		switch (broker_next(broker, &delivery, -1, soon, reason)) {
		case BROKER_DELIVERY:
			bytes += (int64_t)delivery.body_size;
			browse->visit(&delivery, browse->context);
			broker_delivery_clear(&delivery);
			browse->seen++;
			break;
		case BROKER_TIMEOUT:
			/* The others have left meanwhile: their time was over. */
			return OUTCOME_OK;
		default:
			outcome = OUTCOME_RETRY;
		}
	}
	return outcome;
}

enum outcome browse_queue(struct browse *browse, struct reason *reason)
{
	struct broker *broker = browse_connect(browse->config, reason);
	int64_t consumers;
	enum outcome outcome;

	browse->there = 0;
	browse->seen = 0;
	if (broker == NULL)
		return OUTCOME_RETRY;
	broker_keep_properties(broker);
	outcome = broker_check_queue(broker, browse->queue, &browse->there, &consumers,
				     connect_deadline(), reason);
	if (outcome == OUTCOME_OK && browse->there > 0)
		outcome = visit_all(browse, broker, reason);
	broker_close(&broker);
	return outcome;
}
