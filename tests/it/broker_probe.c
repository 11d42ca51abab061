/*
 * The broker module by hand: reads commands from standard input, one a line, and says what came of
 * each, one line too.  tests/it/broker-*.t tell it what to do against real servers.
 *
 * Environment: PROBE_HOSTS (comma separated), PROBE_VHOST, PROBE_USER, PROBE_PASSWORD, PROBE_TLS,
 * PROBE_CA, PROBE_HEARTBEAT (seconds), PROBE_DEADLINE (milliseconds, for each command).
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/broker.h"
#include "common/topology.h"

enum { DEADLINE_MS = 30000, ARGUMENTS_MAX = 6, BATCH = 256, KIB = 1024, MS_PER_S = 1000 };

struct probe {
	struct broker *broker;
	uint64_t tag;
	struct reason reason;
};

typedef void command(struct probe *probe, char **arguments);

static const char *setting(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value != NULL ? value : fallback;
}

static struct deadline deadline(void)
{
	const char *ms = getenv("PROBE_DEADLINE");

	return deadline_in(ms != NULL ? atoi(ms) : DEADLINE_MS);
}

static void say(const struct probe *probe, enum outcome outcome)
{
	if (outcome == OUTCOME_OK)
		puts("ok");
	else
		printf("%s %s %s\n", outcome_name(outcome), probe->reason.status,
		       probe->reason.text);
}

static void run_open(struct probe *probe, char **arguments)
{
	g_auto(GStrv) hosts = g_strsplit(setting("PROBE_HOSTS", "127.0.0.1"), ",", -1);
	struct broker_options options = {
		.hosts = hosts,
		.vhost = setting("PROBE_VHOST", "/"),
		.user = setting("PROBE_USER", "guest"),
		.password = setting("PROBE_PASSWORD", ""),
		.tls = getenv("PROBE_TLS") != NULL,
		.tls_ca_file = getenv("PROBE_CA"),
		.heartbeat_s = atoi(setting("PROBE_HEARTBEAT", "60")),
		.name = "broker_probe",
	};

	(void)arguments;
	broker_close(&probe->broker);
	probe->broker = broker_open(&options, deadline(), &probe->reason);
	say(probe, probe->broker != NULL ? OUTCOME_OK : OUTCOME_RETRY);
}

static void run_close(struct probe *probe, char **arguments)
{
	(void)arguments;
	broker_close(&probe->broker);
	puts("ok");
}

static void run_confirm(struct probe *probe, char **arguments)
{
	(void)arguments;
	say(probe, broker_confirm_select(probe->broker, deadline(), &probe->reason));
}

static enum outcome publish(struct probe *probe, char **arguments, const void *body, size_t size)
{
	struct broker_header headers[] = {
		{.name = HEADER_QUEUE_ID, .text = "4XYZ"},
		{.name = HEADER_ATTEMPT, .number = 3},
		{.name = HEADER_FIRST_SEEN, .number = 1700000000},
		{.name = HEADER_LAST_ERROR, .text = "4.3.0 later"},
	};
	struct broker_message message = {
		.exchange = arguments[0],
		.routing_key = arguments[1],
		.body = body,
		.body_size = size,
		.content_type = CONTENT_TYPE_JSON,
		.message_id = "probe-1",
		.type = TYPE_INBOUND,
		.app_id = "probe",
		.timestamp = 1700000001,
		.headers = headers,
		.header_count = G_N_ELEMENTS(headers),
	};

	return broker_publish(probe->broker, &message, deadline(), &probe->reason);
}

/* publish EXCHANGE KEY TEXT */
static void run_publish(struct probe *probe, char **arguments)
{
	say(probe, publish(probe, arguments, arguments[2], strlen(arguments[2])));
}

/* publish-bytes EXCHANGE KEY BYTES [COUNT]: from a mapped file, as mailin does */
static void run_publish_bytes(struct probe *probe, char **arguments)
{
	size_t size = (size_t)atol(arguments[2]);
	int count = arguments[3] != NULL ? atoi(arguments[3]) : 1;
	int fd = memfd_create("body", MFD_CLOEXEC);
	enum outcome outcome = OUTCOME_OK;

	if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
		abort();
	void *body = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (body == MAP_FAILED)
		abort();
	for (int i = 0; i < count && outcome == OUTCOME_OK; i++)
		outcome = publish(probe, arguments, body, size);
	say(probe, outcome);
	munmap(body, size);
	close(fd);
}

/* consume QUEUE PREFETCH */
static void run_consume(struct probe *probe, char **arguments)
{
	say(probe, broker_consume(probe->broker, arguments[0], (uint16_t)atoi(arguments[1]),
				  deadline(), &probe->reason));
}

static void say_delivery(const struct broker_delivery *d)
{
	printf("delivery queue=%s redelivered=%d size=%zu body=%.*s exchange=%s key=%s type=%s/%s "
	       "id=%s app=%s time=%lld queue-id=%s attempt=%lld first-seen=%lld last-error=%s\n",
	       d->queue, d->redelivered, d->body_size, (int)MIN(d->body_size, 20), d->body,
	       d->exchange, d->routing_key, d->content_type, d->type, d->message_id, d->app_id,
	       (long long)d->timestamp, d->queue_id, (long long)d->attempt,
	       (long long)d->first_seen, d->last_error);
}

/* next [MILLISECONDS [WAKE-FD]] */
static void run_next(struct probe *probe, char **arguments)
{
	struct broker_delivery delivery = {0};
	struct deadline until = arguments[0] != NULL ? deadline_in(atoi(arguments[0])) : deadline();
	int wake_fd = arguments[0] != NULL && arguments[1] != NULL ? atoi(arguments[1]) : -1;

	switch (broker_next(probe->broker, &delivery, wake_fd, until, &probe->reason)) {
	case BROKER_DELIVERY:
		probe->tag = delivery.tag;
		say_delivery(&delivery);
		break;
	case BROKER_TIMEOUT:
		puts("timeout");
		break;
	case BROKER_CANCELLED:
		printf("cancelled %s %s\n", probe->reason.status, probe->reason.text);
		break;
	case BROKER_LOST:
		printf("lost %s %s\n", probe->reason.status, probe->reason.text);
		break;
	}
	broker_delivery_clear(&delivery);
}

/* get QUEUE: without consuming it */
static void run_get(struct probe *probe, char **arguments)
{
	struct broker_delivery delivery = {0};
	bool found = false;
	enum outcome outcome = broker_get(probe->broker, arguments[0], &delivery, &found,
					  deadline(), &probe->reason);

	if (outcome != OUTCOME_OK) {
		say(probe, outcome);
	} else if (!found) {
		puts("empty");
	} else {
		probe->tag = delivery.tag;
		printf("got queue=%d redelivered=%d count=%d size=%zu body=%.*s id=%s time=%d\n",
		       delivery.queue != NULL, delivery.redelivered, (int)delivery.delivery_count,
		       delivery.body_size, (int)MIN(delivery.body_size, 40), delivery.body,
		       delivery.message_id, (int)delivery.timestamp);
	}
	broker_delivery_clear(&delivery);
}

/* drain COUNT [BATCH [rate]]: take and ack that many, and tell how fast on standard error */
static void run_drain(struct probe *probe, char **arguments)
{
	int wanted = atoi(arguments[0]);
	int batch = arguments[1] != NULL ? atoi(arguments[1]) : BATCH;
	int64_t begun = monotonic_ms();
	size_t bytes = 0;

	for (int i = 1; i <= wanted; i++) {
		struct broker_delivery delivery = {0};
		enum broker_event event =
			broker_next(probe->broker, &delivery, -1, deadline(), &probe->reason);
		if (event != BROKER_DELIVERY) {
			printf("after %d: %s\n", i - 1,
			       event == BROKER_TIMEOUT ? "timeout" : probe->reason.text);
			return;
		}
		bytes += delivery.body_size;
		if (i % batch == 0 || i == wanted)
			broker_ack(probe->broker, delivery.tag, true, &probe->reason);
		broker_delivery_clear(&delivery);
	}
	int64_t took = MAX(monotonic_ms() - begun, 1);
	if (arguments[1] != NULL && arguments[2] != NULL)
		fprintf(stderr, "# %d messages, %zu KiB in %lld ms: %lld/s\n", wanted, bytes / KIB,
			(long long)took, (long long)wanted * MS_PER_S / (long long)took);
	puts("ok");
}

static void run_ack(struct probe *probe, char **arguments)
{
	(void)arguments;
	say(probe, broker_ack(probe->broker, probe->tag, true, &probe->reason));
}

/* nack REQUEUE(0, 1) */
static void run_nack(struct probe *probe, char **arguments)
{
	say(probe,
	    broker_nack(probe->broker, probe->tag, false, atoi(arguments[0]) != 0, &probe->reason));
}

/* declare-exchange NAME TYPE */
static void run_declare_exchange(struct probe *probe, char **arguments)
{
	say(probe, broker_declare_exchange(probe->broker, arguments[0], arguments[1], deadline(),
					   &probe->reason));
}

/* declare-queue NAME [DELIVERY-LIMIT] */
static void run_declare_queue(struct probe *probe, char **arguments)
{
	struct broker_queue queue = {
		.name = arguments[0],
		.delivery_limit = arguments[1] != NULL ? atoi(arguments[1]) : 0,
		.single_active_consumer = arguments[1] != NULL && arguments[2] != NULL,
	};

	say(probe, broker_declare_queue(probe->broker, &queue, deadline(), &probe->reason));
}

/* bind QUEUE EXCHANGE KEY */
static void run_bind(struct probe *probe, char **arguments)
{
	say(probe, broker_bind(probe->broker, arguments[0], arguments[1], arguments[2], deadline(),
			       &probe->reason));
}

static void run_check_exchange(struct probe *probe, char **arguments)
{
	say(probe, broker_check_exchange(probe->broker, arguments[0], deadline(), &probe->reason));
}

static void run_check_queue(struct probe *probe, char **arguments)
{
	int64_t messages;
	int64_t consumers;

	if (broker_check_queue(probe->broker, arguments[0], &messages, &consumers, deadline(),
			       &probe->reason) == OUTCOME_OK)
		printf("ok %lld messages %lld consumers\n", (long long)messages,
		       (long long)consumers);
	else
		say(probe, OUTCOME_RETRY);
}

static void say_line(const char *line, void *context)
{
	(void)context;
	puts(line);
}

/* topology CONFIG-FILE */
static void run_topology(struct probe *probe, char **arguments)
{
	static const struct topology_listener listener = {.say = say_line};
	struct config *config = config_load(arguments[0], &probe->reason);

	say(probe, config == NULL ? OUTCOME_RETRY
				  : topology_declare(probe->broker, config, &listener, deadline(),
						     &probe->reason));
	config_free(&config);
}

/* system COMMAND: by the shell, between two steps */
static void run_system(struct probe *probe, char **arguments)
{
	(void)probe;
	fflush(stdout);
	if (system(arguments[0]) != 0)
		puts("failed");
}

/* sleep MILLISECONDS without a call of the broker */
static void run_sleep(struct probe *probe, char **arguments)
{
	(void)probe;
	g_usleep((gulong)atoi(arguments[0]) * MS_PER_S);
}

static void run_blocked(struct probe *probe, char **arguments)
{
	const char *why = broker_blocked(probe->broker);

	(void)arguments;
	puts(why != NULL ? why : "not blocked");
}

static void run_version(struct probe *probe, char **arguments)
{
	(void)arguments;
	puts(broker_server_version(probe->broker));
}

/* memory LIMIT-KIB: had this process never more than that in core, mapped files included? */
static void run_memory(struct probe *probe, char **arguments)
{
	struct rusage usage;

	(void)probe;
	getrusage(RUSAGE_SELF, &usage);
	if (usage.ru_maxrss <= atol(arguments[0]))
		puts("ok");
	else
		printf("%ld KiB\n", usage.ru_maxrss);
}

static const struct {
	const char *name;
	command *run;
	int arguments;
	bool offline; /* needs no connection */
} commands[] = {
	{"open", run_open, 0, true},
	{"close", run_close, 0, false},
	{"confirm", run_confirm, 0, false},
	{"publish", run_publish, 3, false},
	{"publish-bytes", run_publish_bytes, 3, false},
	{"consume", run_consume, 2, false},
	{"next", run_next, 0, false},
	{"get", run_get, 1, false},
	{"drain", run_drain, 1, false},
	{"ack", run_ack, 0, false},
	{"nack", run_nack, 1, false},
	{"declare-exchange", run_declare_exchange, 2, false},
	{"declare-queue", run_declare_queue, 1, false},
	{"bind", run_bind, 3, false},
	{"check-exchange", run_check_exchange, 1, false},
	{"check-queue", run_check_queue, 1, false},
	{"topology", run_topology, 1, false},
	{"system", run_system, 1, true},
	{"sleep", run_sleep, 1, true},
	{"blocked", run_blocked, 0, false},
	{"version", run_version, 0, false},
	{"memory", run_memory, 1, true},
};

/* Appends how long it took if the line begins with "timed". */
static bool run_line(struct probe *probe, const char *line)
{
	g_auto(GStrv) words = NULL;
	char *arguments[ARGUMENTS_MAX + 1] = {NULL};
	int count;

	if (!g_shell_parse_argv(line, &count, &words, NULL) || count > ARGUMENTS_MAX)
		return false;
	bool timed = strcmp(words[0], "timed") == 0;
	char **rest = words + (timed ? 1 : 0);
	int64_t begun = monotonic_ms();
	for (size_t i = 0; rest[0] != NULL && i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(rest[0], commands[i].name) != 0)
			continue;
		for (int j = 1; rest[j] != NULL; j++)
			arguments[j - 1] = rest[j];
		if ((int)g_strv_length(rest) - 1 < commands[i].arguments)
			return false;
		if (probe->broker == NULL && !commands[i].offline)
			puts("no connection");
		else
			commands[i].run(probe, arguments);
		if (timed)
			printf("%lld ms\n", (long long)(monotonic_ms() - begun));
		fflush(stdout);
		return true;
	}
	return false;
}

int main(void)
{
	struct probe probe = {0};
	g_autofree char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		g_strchomp(line);
		if (!run_line(&probe, line)) {
			printf("what? %s\n", line);
			return EXIT_FAILURE;
		}
	}
	broker_close(&probe.broker);
	return EXIT_SUCCESS;
}
