/*
 * Dead letters for tests, with the admin's rights (environment: AMQP_HOST, AMQP_PORT, AMQP_VHOST,
 * AMQP_ADMIN_USER, AMQP_ADMIN_PASSWORD):
 *
 *	dead_probe fill EXCHANGE KEY COUNT FIRST REASON [BYTES]
 *				documents with the ids 00000000-0000-8000-8000-NUMBER from FIRST on
 *	dead_probe put EXCHANGE KEY [ID]
 *				standard input is one, with headers that must be dropped or kept
 *	dead_probe ids QUEUE	the id of each message, in order; they stay, so no more than 65,000
 *	dead_probe take QUEUE	the same; they are gone then
 *	dead_probe all QUEUE	as ids, with lines of properties and body
 *	dead_probe count QUEUE	how many are ready
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/broker.h"
#include "common/topology.h"
#include "common/wire.h"

enum { WAIT_MS = 60000, LAST_MS = 1000, PREFETCH = 65000, CHUNK = 1000, BODY_BYTES = 100 };

static struct reason reason;

static int fail(void)
{
	fprintf(stderr, "dead_probe: %s\n", reason.text);
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
		.name = "dead_probe",
	};

	return broker_open(&options, deadline_in(WAIT_MS), &reason);
}

struct fill {
	const char *exchange;
	const char *key;
	const char *reason;
	int64_t size;
};

/* One publish of at most CHUNK. */
static enum outcome fill_chunk(struct broker *broker, const struct fill *fill, int64_t first,
			       size_t count)
{
	struct broker_message messages[CHUNK];
	enum outcome outcomes[CHUNK];
	g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
	const struct broker_header headers[] = {
		{.name = HEADER_ATTEMPT, .number = 3},
		{.name = HEADER_FIRST_SEEN, .number = realtime_ms() / 1000 - 7200},
		{.name = HEADER_LAST_ERROR, .text = fill->reason},
		{.name = HEADER_DEAD_SINCE, .number = realtime_ms() / 1000 - 3600},
	};

	for (size_t i = 0; i < count; i++) {
		char *id =
			g_strdup_printf("00000000-0000-8000-8000-%012" PRId64, first + (int64_t)i);
		g_autofree char *filler = g_strnfill((gsize)fill->size, 'x');
		char *body = g_strdup_printf("{\"MessageID\": \"%s\", \"TextBody\": \"%s\"}", id,
					     filler);

		g_ptr_array_add(owned, id);
		g_ptr_array_add(owned, body);
		messages[i] = (struct broker_message){
			.exchange = fill->exchange,
			.routing_key = fill->key,
			.body = body,
			.body_size = strlen(body),
			.content_type = CONTENT_TYPE_JSON,
			.message_id = id,
			.headers = headers,
			.header_count = G_N_ELEMENTS(headers),
		};
	}
	return broker_publish_all(broker, messages, count, outcomes, deadline_in(WAIT_MS), &reason);
}

static int fill(struct broker *broker, char **argv)
{
	const struct fill fill = {argv[2], argv[3], argv[6],
				  argv[7] != NULL ? atoll(argv[7]) : BODY_BYTES};
	int64_t count = atoll(argv[4]);
	int64_t first = atoll(argv[5]);

	if (broker_confirm_select(broker, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
		return fail();
	for (int64_t done = 0; done < count; done += CHUNK)
		if (fill_chunk(broker, &fill, first + done, (size_t)MIN(count - done, CHUNK)) !=
		    OUTCOME_OK)
			return fail();
	return EXIT_SUCCESS;
}

static int put(struct broker *broker, char **argv)
{
	static char body[65536];
	const struct broker_header headers[] = {
		{.name = HEADER_QUEUE_ID, .text = "4QUEUEID"},
		{.name = HEADER_ATTEMPT, .number = 5},
		{.name = HEADER_FIRST_SEEN, .number = 1795348000},
		{.name = HEADER_LAST_ERROR, .text = "no JSON"},
		{.name = HEADER_DEAD_SINCE, .number = 1795348100},
		{.name = HEADER_DELAY_NOTICED, .number = 1795348050000},
		{.name = "x-producer", .text = "\u00fcber"},
	};
	const struct broker_message message = {
		.exchange = argv[2],
		.routing_key = argv[3],
		.body = body,
		.body_size = fread(body, 1, sizeof(body), stdin),
		.content_type = CONTENT_TYPE_JSON,
		.type = "a-type",
		.app_id = "a-producer",
		.message_id = argv[4],
		.timestamp = 1795347999,
		.headers = headers,
		.header_count = G_N_ELEMENTS(headers),
	};

	if (broker_confirm_select(broker, deadline_in(WAIT_MS), &reason) != OUTCOME_OK ||
	    broker_publish(broker, &message, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
		return fail();
	return EXIT_SUCCESS;
}

/* all: with all properties as JSON and the body.  take: they do not stay. */
static int ids(struct broker *broker, const char *queue, bool all, bool take)
{
	struct broker_delivery delivery = {0};
	int64_t ready = 0;

	if (all)
		broker_keep_properties(broker);
	/* However long it takes until they come; others may still be on their way back. */
	if (broker_check_queue(broker, queue, &ready, NULL, deadline_in(WAIT_MS), &reason) !=
		    OUTCOME_OK ||
	    broker_consume(broker, queue, PREFETCH, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
		return fail();
	while (broker_next(broker, &delivery, -1, deadline_in(ready-- > 0 ? WAIT_MS : LAST_MS),
			   &reason) == BROKER_DELIVERY) {
		printf("%s\n", delivery.message_id != NULL ? delivery.message_id : "-");
		if (all) {
			struct wire *properties = broker_properties_json(delivery.properties);
			g_autofree char *text = wire_print(properties, false, NULL);

			printf("%s\n%.*s\n", text, (int)delivery.body_size, delivery.body);
			wire_free(&properties);
		}
		if (take && broker_ack(broker, delivery.tag, false, &reason) != OUTCOME_OK)
			return fail();
		broker_delivery_clear(&delivery);
	}
	return EXIT_SUCCESS;
}

static int count_ready(struct broker *broker, const char *queue)
{
	int64_t messages;

	if (broker_check_queue(broker, queue, &messages, NULL, deadline_in(WAIT_MS), &reason) !=
	    OUTCOME_OK)
		return fail();
	printf("%" PRId64 "\n", messages);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *command = argc > 2 ? argv[1] : "";
	struct broker *broker = open_broker();
	int status = EXIT_FAILURE;

	if (broker == NULL)
		return fail();
	if (strcmp(command, "fill") == 0 && argc > 6)
		status = fill(broker, argv);
	else if (strcmp(command, "put") == 0 && argc > 3)
		status = put(broker, argv);
	else if (strcmp(command, "ids") == 0 || strcmp(command, "all") == 0 ||
		 strcmp(command, "take") == 0)
		status = ids(broker, argv[2], *command == 'a', *command == 't');
	else if (strcmp(command, "count") == 0)
		status = count_ready(broker, argv[2]);
	broker_close(&broker);
	return status;
}
