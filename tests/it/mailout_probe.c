/*
 * What the tests of mailout need of a broker, with the admin's rights (environment: AMQP_HOST,
 * AMQP_PORT, AMQP_VHOST, AMQP_ADMIN_USER, AMQP_ADMIN_PASSWORD):
 *
 *	mailout_probe publish STREAM	each line of standard input is a request
 *	mailout_probe take QUEUE	its messages: a line of attempt, first-seen known or not,
 *last-error; then the body mailout_probe count QUEUE	how many are ready mailout_probe events
 *make the queue test.events, which gets all events
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/broker.h"
#include "common/topology.h"

enum { WAIT_MS = 60000, LAST_MS = 500, PREFETCH = 1, BUFFER = 65536 };

#define EVENTS_QUEUE "test.events"

static struct reason reason;

static int fail(void)
{
	fprintf(stderr, "mailout_probe: %s\n", reason.text);
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
		.name = "mailout_probe",
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

static int publish(struct broker *broker, const char *stream)
{
	g_autoptr(GString) input = read_input();
	g_auto(GStrv) lines = g_strsplit(g_strchomp(input->str), "\n", -1);
	size_t count = g_strv_length(lines);

	if (broker_confirm_select(broker, deadline_in(WAIT_MS), &reason) != OUTCOME_OK)
		return fail();
	struct broker_message *messages = g_new0(struct broker_message, count + 1);
	/* cppcheck-suppress AssignmentIntegerToAddress ; of a macro of GLib */
	enum outcome *outcomes = g_new0(enum outcome, count + 1);

	for (size_t i = 0; i < count; i++)
		messages[i] = (struct broker_message){.exchange = EXCHANGE_OUT,
						      .routing_key = stream,
						      .body = lines[i],
						      .body_size = strlen(lines[i]),
						      .content_type = CONTENT_TYPE_JSON};
	enum outcome outcome = broker_publish_all(broker, messages, count, outcomes,
						  deadline_in(WAIT_MS), &reason);

	g_free(messages);
	g_free(outcomes);
	return outcome == OUTCOME_OK ? EXIT_SUCCESS : fail();
}

static void show(const struct broker_delivery *delivery)
{
	printf("attempt=%" PRId64 " first-seen=%s key=%s error=%s\n%.*s\n", delivery->attempt,
	       delivery->first_seen > 0 ? "yes" : "no", delivery->routing_key,
	       delivery->last_error != NULL ? delivery->last_error : "", (int)delivery->body_size,
	       delivery->body);
}

static int take(struct broker *broker, const char *queue)
{
	struct broker_delivery delivery = {0};
	struct deadline deadline = deadline_in(WAIT_MS);
	int64_t ready = 0;

	/* However long it takes until they come. */
	if (broker_check_queue(broker, queue, &ready, NULL, deadline, &reason) != OUTCOME_OK ||
	    broker_consume(broker, queue, PREFETCH, deadline, &reason) != OUTCOME_OK)
		return fail();
	while (broker_next(broker, &delivery, -1, deadline_in(ready-- > 0 ? WAIT_MS : LAST_MS),
			   &reason) == BROKER_DELIVERY) {
		show(&delivery);
		if (broker_ack(broker, delivery.tag, false, &reason) != OUTCOME_OK)
			return fail();
		broker_delivery_clear(&delivery);
	}
	return EXIT_SUCCESS;
}

static int count_ready(struct broker *broker, const char *queue)
{
	int64_t messages;
	int64_t consumers;

	if (broker_check_queue(broker, queue, &messages, &consumers, deadline_in(WAIT_MS),
			       &reason) != OUTCOME_OK)
		return fail();
	printf("%" PRId64 "\n", messages);
	return EXIT_SUCCESS;
}

static int make_events(struct broker *broker)
{
	const struct broker_queue queue = {.name = EVENTS_QUEUE};
	struct deadline deadline = deadline_in(WAIT_MS);

	if (broker_declare_queue(broker, &queue, deadline, &reason) != OUTCOME_OK ||
	    broker_bind(broker, EVENTS_QUEUE, EXCHANGE_EVENTS, "#", deadline, &reason) !=
		    OUTCOME_OK)
		return fail();
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	const char *name = argc > 2 ? argv[2] : "";
	struct broker *broker = open_broker();
	int status = EXIT_FAILURE;

	if (broker == NULL)
		return fail();
	if (strcmp(command, "publish") == 0)
		status = publish(broker, name);
	else if (strcmp(command, "take") == 0)
		status = take(broker, name);
	else if (strcmp(command, "count") == 0)
		status = count_ready(broker, name);
	else if (strcmp(command, "events") == 0)
		status = make_events(broker);
	broker_close(&broker);
	return status;
}
