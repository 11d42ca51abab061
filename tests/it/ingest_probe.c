/*
 * What the tests of mailin-ingest need of a broker, with the admin's rights (environment:
 *AMQP_HOST, AMQP_PORT, AMQP_VHOST, AMQP_ADMIN_USER, AMQP_ADMIN_PASSWORD):
 *
 *	ingest_probe publish ROUTE	each line of standard input is a message
 *	ingest_probe give ROUTE [ID]	standard input is one message, with all properties (headers
 *					first-seen: FIRST_SEEN, released: RELEASED)
 *	ingest_probe take QUEUE [N]	N messages (none left: fewer): a line of properties each,
 *then the body
 *	ingest_probe count QUEUE	how many are ready
 *	ingest_probe return QUEUE	take the first message and give it back, until there is
 *none; prints how often ingest_probe listen QUEUE KEY	a queue that is bound to mail.events
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/broker.h"
#include "common/topology.h"

enum {
	WAIT_MS = 60000,
	EMPTY_MS = 10000,
	LAST_MS = 500,
	PREFETCH = 1,
	BUFFER = 65536,
	DECIMAL = 10
};

static const int64_t LONG_AGO_S = 1795348000;

static struct reason reason;

static int fail(void)
{
	fprintf(stderr, "ingest_probe: %s\n", reason.text);
	return EXIT_FAILURE;
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "";
}

static struct broker *open_broker(void)
{
	g_autofree char *host =
		g_strdup_printf("%s:%s", setting("AMQP_HOST"), setting("AMQP_PORT"));
	char *hosts[] = {host, NULL};
	const struct broker_options options = {
		.hosts = hosts,
		.vhost = setting("AMQP_VHOST"),
		.user = setting("AMQP_ADMIN_USER"),
		.password = setting("AMQP_ADMIN_PASSWORD"),
		.name = "ingest_probe",
	};

	return broker_open(&options, deadline_in(WAIT_MS), &reason);
}

static GString *read_input(void)
{
	GString *text = g_string_new(NULL);
	char buffer[BUFFER];
	size_t size;

	while ((size = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
		g_string_append_len(text, buffer, (gssize)size);
	return text;
}

static int publish(struct broker *broker, const char *route)
{
	g_autofree char *line = NULL;
	size_t allocated = 0;
	ssize_t size;

	if (broker_confirm_select(broker, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
		return fail();
	while ((size = getline(&line, &allocated, stdin)) > 0) {
		const struct broker_message message = {
			.exchange = EXCHANGE_IN,
			.routing_key = route,
			.body = line,
			.body_size = (size_t)size - (line[size - 1] == '\n'),
		};

		if (broker_publish(broker, &message, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
			return fail();
	}
	return EXIT_SUCCESS;
}

/* FIRST_SEEN, or a time long ago. */
static int64_t first_seen(void)
{
	const char *seconds = setting("FIRST_SEEN");

	return *seconds != '\0' ? g_ascii_strtoll(seconds, NULL, DECIMAL) : LONG_AGO_S;
}

static int give(struct broker *broker, const char *route, const char *id)
{
	const struct broker_header headers[] = {
		{.name = HEADER_QUEUE_ID, .text = "4QUEUEID"},
		{.name = HEADER_ATTEMPT, .number = 3},
		{.name = HEADER_FIRST_SEEN, .number = first_seen()},
		{.name = HEADER_LAST_ERROR, .text = "an older one"},
		{.name = HEADER_RELEASED,
		 .number = g_ascii_strtoll(setting("RELEASED"), NULL, DECIMAL)},
	};
	bool released = *setting("RELEASED") != '\0';
	g_autoptr(GString) body = read_input();
	const struct broker_message message = {
		.exchange = EXCHANGE_IN,
		.routing_key = route,
		.body = body->str,
		.body_size = body->len,
		.content_type = CONTENT_TYPE_JSON,
		.message_id = id,
		.type = TYPE_INBOUND,
		.app_id = "a-producer",
		.timestamp = 1795348001,
		.headers = headers,
		.header_count = G_N_ELEMENTS(headers) - (released ? 0 : 1),
	};

	if (broker_confirm_select(broker, deadline_in(WAIT_MS), &reason) != OUTCOME_OK ||
	    broker_publish(broker, &message, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
		return fail();
	return EXIT_SUCCESS;
}

static const char *or_none(const char *text)
{
	return text != NULL ? text : "-";
}

static void print_delivery(const struct broker_delivery *delivery)
{
	printf("key=%s content_type=%s message_id=%s type=%s app_id=%s timestamp=%" PRId64
	       " queue_id=%s first_seen=%" PRId64 " attempt=%" PRId64 " error=%s\n",
	       delivery->routing_key, or_none(delivery->content_type),
	       or_none(delivery->message_id), or_none(delivery->type), or_none(delivery->app_id),
	       delivery->timestamp, or_none(delivery->queue_id), delivery->first_seen,
	       delivery->attempt, or_none(delivery->last_error));
	if (delivery->delay_noticed != 0)
		printf("delay_noticed=%" PRId64 "\n", delivery->delay_noticed);
	fwrite(delivery->body, 1, delivery->body_size, stdout);
	putchar('\n');
}

static int take(struct broker *broker, const char *queue, int wanted)
{
	struct broker_delivery delivery;
	int64_t ready = 0;

	/* However long it takes until they come. */
	if (broker_check_queue(broker, queue, &ready, NULL, deadline_in(WAIT_MS), &reason) !=
		    OUTCOME_OK ||
	    broker_consume(broker, queue, PREFETCH, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
		return fail();
	for (int i = 0; i < wanted; i++) {
		int wait_ms = i < ready ? WAIT_MS : i == 0 ? EMPTY_MS : LAST_MS;
		enum broker_event event =
			broker_next(broker, &delivery, -1, deadline_in(wait_ms), &reason);

		if (event == BROKER_TIMEOUT)
			break;
		if (event != BROKER_DELIVERY)
			return fail();
		print_delivery(&delivery);
		if (broker_ack(broker, delivery.tag, false, &reason) != OUTCOME_OK)
			return fail();
		broker_delivery_clear(&delivery);
	}
	return EXIT_SUCCESS;
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

static int give_back(struct broker *broker, const char *queue)
{
	struct broker_delivery delivery = {0};
	bool found = true;
	int times = 0;

	while (found) {
		if (broker_get(broker, queue, &delivery, &found, deadline_in(WAIT_MS), &reason) !=
			    OUTCOME_OK ||
		    (found &&
		     broker_nack(broker, delivery.tag, false, true, &reason) != OUTCOME_OK))
			return fail();
		times += found;
		broker_delivery_clear(&delivery);
	}
	printf("%d\n", times);
	return EXIT_SUCCESS;
}

static int listen_to(struct broker *broker, const char *queue, const char *key)
{
	const struct broker_queue declared = {.name = queue};
	struct deadline deadline = deadline_in(WAIT_MS);

	if (broker_declare_queue(broker, &declared, deadline, &reason) != OUTCOME_OK ||
	    broker_bind(broker, queue, EXCHANGE_EVENTS, key, deadline, &reason) != OUTCOME_OK)
		return fail();
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
	if (strcmp(argv[1], "publish") == 0)
		status = publish(broker, argv[2]);
	else if (strcmp(argv[1], "give") == 0)
		status = give(broker, argv[2], argc > 3 ? argv[3] : "an-id");
	else if (strcmp(argv[1], "take") == 0)
		status = take(broker, argv[2], argc > 3 ? atoi(argv[3]) : 1);
	else if (strcmp(argv[1], "count") == 0)
		status = count(broker, argv[2]);
	else if (strcmp(argv[1], "return") == 0)
		status = give_back(broker, argv[2]);
	else if (strcmp(argv[1], "listen") == 0 && argc > 3)
		status = listen_to(broker, argv[2], argv[3]);
	broker_close(&broker);
	return status;
}
