/*
 * What the tests of mailin need of a broker, with the admin's rights (environment: AMQP_HOST,
 *AMQP_PORT, AMQP_VHOST, AMQP_ADMIN_USER, AMQP_ADMIN_PASSWORD):
 *
 *	mailin_probe declare CONFIG		exchanges and queues of a config
 *	mailin_probe count QUEUE		how many messages are ready
 *	mailin_probe take QUEUE [N]		print each message: a line of properties, then the
 *body
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/topology.h"

enum { WAIT_MS = 60000, PREFETCH = 1 };

static struct reason reason;

static int fail(void)
{
	fprintf(stderr, "mailin_probe: %s\n", reason.text);
	return EXIT_FAILURE;
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "";
}

static struct broker *open_broker(void)
{
	char *host = g_strdup_printf("%s:%s", setting("AMQP_HOST"), setting("AMQP_PORT"));
	char *hosts[] = {host, NULL};
	struct broker_options options = {
		.hosts = hosts,
		.vhost = setting("AMQP_VHOST"),
		.user = setting("AMQP_ADMIN_USER"),
		.password = setting("AMQP_ADMIN_PASSWORD"),
		.name = "mailin_probe",
	};
	struct broker *broker = broker_open(&options, deadline_in(WAIT_MS), &reason);

	g_free(host);
	return broker;
}

static int declare(struct broker *broker, const char *file)
{
	struct config *config = config_load(file, &reason);

	if (config == NULL)
		return fail();
	static const struct topology_listener nobody = {NULL, NULL, NULL};
	enum outcome outcome =
		topology_declare(broker, config, &nobody, deadline_in(WAIT_MS), &reason);

	config_free(&config);
	return outcome == OUTCOME_OK ? EXIT_SUCCESS : fail();
}

static int count(struct broker *broker, const char *queue)
{
	int64_t messages;
	int64_t consumers;

	if (broker_check_queue(broker, queue, &messages, &consumers, deadline_in(WAIT_MS),
			       &reason) != OUTCOME_OK)
		return fail();
	printf("%" PRId64 "\n", messages);
	return EXIT_SUCCESS;
}

static void print_delivery(const struct broker_delivery *delivery)
{
	printf("exchange=%s key=%s content_type=%s message_id=%s type=%s app_id=%s "
	       "timestamp=%" PRId64 " queue_id=%s first_seen=%" PRId64 " attempt=%" PRId64 "\n",
	       delivery->exchange, delivery->routing_key, delivery->content_type,
	       delivery->message_id, delivery->type, delivery->app_id, delivery->timestamp,
	       delivery->queue_id, delivery->first_seen, delivery->attempt);
	fwrite(delivery->body, 1, delivery->body_size, stdout);
	putchar('\n');
}

static int take(struct broker *broker, const char *queue, int wanted)
{
	struct broker_delivery delivery;

	if (broker_consume(broker, queue, PREFETCH, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
		return fail();
	for (int i = 0; i < wanted; i++) {
		if (broker_next(broker, &delivery, -1, deadline_in(WAIT_MS), &reason) !=
		    BROKER_DELIVERY)
			return fail();
		print_delivery(&delivery);
		if (broker_ack(broker, delivery.tag, false, &reason) != OUTCOME_OK)
			return fail();
		broker_delivery_clear(&delivery);
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int status = EXIT_FAILURE;

	if (argc < 3)
		return EXIT_FAILURE;
	struct broker *broker = open_broker();

	if (broker == NULL)
		return fail();
	if (strcmp(argv[1], "declare") == 0)
		status = declare(broker, argv[2]);
	else if (strcmp(argv[1], "count") == 0)
		status = count(broker, argv[2]);
	else if (strcmp(argv[1], "take") == 0)
		status = take(broker, argv[2], argc > 3 ? atoi(argv[3]) : 1);
	broker_close(&broker);
	return status;
}
