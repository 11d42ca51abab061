/*
 * trace_probe TIER QUEUE ID NEXT_MS ERROR: put the message on standard input into a retry tier, for
 * its second try, as a worker does; trace_probe notice ID: the id of its notice of a delay.  With
 * the admin's rights (environment: AMQP_HOST, AMQP_PORT, AMQP_VHOST, AMQP_ADMIN_USER,
 * AMQP_ADMIN_PASSWORD).
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/broker.h"
#include "common/id.h"
#include "common/retry.h"
#include "common/topology.h"

enum { WAIT_MS = 60000, ARGUMENTS = 6, BODY_MAX = 1024 * 1024, DECIMAL = 10 };

static struct broker *open_broker(struct reason *reason)
{
	g_autofree char *host = g_strdup_printf("%s:%s", getenv("AMQP_HOST"), getenv("AMQP_PORT"));
	char *hosts[] = {host, NULL};
	const struct broker_options options = {
		.hosts = hosts,
		.vhost = getenv("AMQP_VHOST"),
		.user = getenv("AMQP_ADMIN_USER"),
		.password = getenv("AMQP_ADMIN_PASSWORD"),
		.name = "trace_probe",
	};

	return broker_open(&options, deadline_in(WAIT_MS), reason);
}

static enum outcome publish(struct broker *broker, char **argv, char *body, size_t size,
			    struct reason *reason)
{
	g_autofree char *tier = topology_retry_tier(argv[1]);
	struct broker_delivery delivery = {
		.body = body,
		.body_size = size,
		.content_type = (char *)(uintptr_t)CONTENT_TYPE_JSON,
		.message_id = argv[3],
	};
	const struct retry_headers headers = {
		.attempt = 2,
		.first_seen_s = realtime_ms() / 1000,
		.last_error = argv[5],
		.next_attempt_ms = g_ascii_strtoll(argv[4], NULL, DECIMAL),
	};
	struct broker_header room[RETRY_HEADERS];
	const struct broker_message message =
		retry_message(&delivery, tier, argv[2], &headers, room);
	enum outcome outcome = broker_confirm_select(broker, deadline_in(WAIT_MS), reason);

	return outcome == OUTCOME_OK
		       ? broker_publish(broker, &message, deadline_in(WAIT_MS), reason)
		       : outcome;
}

static int print_notice(const char *text)
{
	struct id id;
	struct id notice;
	char line[ID_TEXT_SIZE];

	if (!id_parse(&id, text))
		return EXIT_FAILURE;
	id_derived(&notice, &id, ID_NOTICE_DELAYED);
	puts(id_text(&notice, line));
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct reason reason = {0};
	g_autofree char *body = g_malloc(BODY_MAX);

	if (argc == 3 && strcmp(argv[1], "notice") == 0)
		return print_notice(argv[2]);
	if (argc != ARGUMENTS)
		return EXIT_FAILURE;
	size_t size = fread(body, 1, BODY_MAX, stdin);
	struct broker *broker = open_broker(&reason);
	enum outcome outcome =
		broker != NULL ? publish(broker, argv, body, size, &reason) : OUTCOME_RETRY;

	if (outcome != OUTCOME_OK)
		fprintf(stderr, "trace_probe: %s\n", reason.text);
	broker_close(&broker);
	return outcome == OUTCOME_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
