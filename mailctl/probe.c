#include "mailctl/probe.h"

#include <glib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/broker.h"
#include "common/db.h"
#include "common/deadline.h"
#include "common/dial.h"
#include "common/restarts.h"
#include "common/topology.h"
#include "mailctl/probe_smtp.h"
#include "mailout/prepare.h"

enum {
	LOOK_MS = 20 * 1000, /* one step: a connection, a reply */
	NAMED_MAX = 5,       /* what is wrong is named so often, the rest counted */
	MS_PER_MINUTE = 60 * 1000,
};

struct prober {
	const struct config *config;
	struct queue_watch *queues;
	/* Under an alarm RabbitMQ reads a publisher's connection no more and would not notice its
	 * end, so that one is kept, and asked whether the alarm is over. */
	struct broker *blocked;
};

struct prober *prober_new(const struct config *config, struct queue_watch *queues)
{
	struct prober *prober = g_new0(struct prober, 1);

	prober->config = config;
	prober->queues = queues;
	return prober;
}

void prober_free(struct prober **prober)
{
	if (*prober != NULL)
		broker_close(&(*prober)->blocked);
	g_clear_pointer(prober, g_free);
}

void findings_clear(struct alert_finding findings[ALERT_KINDS])
{
	for (int kind = 0; kind < ALERT_KINDS; kind++) {
		g_free(findings[kind].text);
		findings[kind] = (struct alert_finding){.text = NULL};
	}
}

static void set_bad(struct alert_finding *finding, const char *text)
{
	finding->bad = true;
	g_free(finding->text);
	finding->text = g_strdup(text);
}

/* Several things are wrong in the same way: the first ones are named. */
static void add_bad(struct alert_finding *finding, int *named, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add_bad(struct alert_finding *finding, int *named, const char *format, ...)
{
	va_list args;

	finding->bad = true;
	if (++*named > NAMED_MAX)
		return;
	va_start(args, format);
	g_autofree char *one = g_strdup_vprintf(format, args);

	va_end(args);
	char *all = finding->text != NULL ? g_strdup_printf("%s; %s", finding->text, one)
					  : g_strdup(one);

	g_free(finding->text);
	finding->text = all;
}

static void end_bad(struct alert_finding *finding, int named)
{
	if (named <= NAMED_MAX)
		return;
	char *all = g_strdup_printf("%s; and %d more", finding->text, named - NAMED_MAX);

	g_free(finding->text);
	finding->text = all;
}

/* ---- database and SMTP ---- */

static void look_at_database(const struct config *config, struct alert_finding *finding)
{
	const bool as_mailout = *config->mysql_mailout.password_file != '\0';
	const struct dial who = {
		.user = as_mailout ? &config->mysql_mailout : &config->mysql_ingest,
		.password_key =
			as_mailout ? "mysql.mailout_password_file" : "mysql.ingest_password_file",
		.name = "mailctl watch",
	};
	struct reason reason = {.text = ""};
	struct db *db = dial_db(config, &who, deadline_in(LOOK_MS), &reason);

	if (db == NULL || db_query_once(db, "SELECT 1", NULL, 0, NULL, NULL, &reason) != OUTCOME_OK)
		set_bad(finding, reason.text);
	db_close(&db);
}

static void look_at_smtp(const struct config *config, struct alert_finding *finding)
{
	struct reason reason = {.text = ""};

	if (probe_smtp(config, deadline_in(LOOK_MS), &reason) != OUTCOME_OK)
		set_bad(finding, reason.text);
}

/* ---- broker ---- */

static struct broker *open_broker(const struct config *config, struct reason *reason)
{
	const bool as_mailout = *config->amqp_mailout.password_file != '\0';
	const struct dial who = {
		.user = as_mailout ? &config->amqp_mailout : &config->amqp_consume,
		.password_key =
			as_mailout ? "amqp.mailout_password_file" : "amqp.consume_password_file",
		.name = "mailctl watch",
	};

	return dial_broker(config, &who, deadline_in(LOOK_MS), reason);
}

/* What is counted while the queues are gone through. */
struct named {
	int consumers;
	int depth;
	int age;
};

static void judge_queue(struct prober *prober, const char *queue, int64_t messages,
			int64_t consumers, int64_t now_ms, struct named *named,
			struct alert_finding findings[ALERT_KINDS])
{
	int64_t age_ms = queue_watch_note(prober->queues, queue, messages, now_ms);

	if (consumers == 0)
		add_bad(&findings[ALERT_CONSUMERS], &named->consumers,
			"%s (%" G_GINT64_FORMAT " messages wait)", queue, messages);
	if (messages > prober->config->alerts_queue_depth) {
		add_bad(&findings[ALERT_QUEUE_DEPTH], &named->depth,
			"%" G_GINT64_FORMAT " messages wait in %s", messages, queue);
		findings[ALERT_QUEUE_DEPTH].number =
			MAX(findings[ALERT_QUEUE_DEPTH].number, messages);
	}
	if (age_ms >= prober->config->alerts_queue_age)
		add_bad(&findings[ALERT_QUEUE_AGE], &named->age,
			"%s has not become shorter for %" G_GINT64_FORMAT " min, %" G_GINT64_FORMAT
			" messages wait",
			queue, age_ms / MS_PER_MINUTE, messages);
}

static void look_at_queue(struct prober *prober, struct broker *broker, const char *queue,
			  int64_t now_ms, struct named *named,
			  struct alert_finding findings[ALERT_KINDS])
{
	struct reason reason = {.text = ""};
	int64_t messages = 0;
	int64_t consumers = 0;

	if (broker_check_queue(broker, queue, &messages, &consumers, deadline_in(LOOK_MS),
			       &reason) == OUTCOME_OK)
		judge_queue(prober, queue, messages, consumers, now_ms, named, findings);
	else
		add_bad(&findings[ALERT_CONSUMERS], &named->consumers, "%s: %s", queue,
			reason.text);
}

static void look_at_dead_letters(const struct prober *prober, struct broker *broker,
				 struct alert_finding *finding)
{
	struct reason reason = {.text = ""};
	int64_t messages = 0;

	if (broker_check_queue(broker, QUEUE_DEAD, &messages, NULL, deadline_in(LOOK_MS),
			       &reason) != OUTCOME_OK) {
		set_bad(finding, reason.text);
	} else if (messages > prober->config->alerts_dead_letters) {
		g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT " wait in " QUEUE_DEAD
							" (mailctl dead list)",
							messages);

		set_bad(finding, text);
		finding->number = messages;
	}
}

static void look_at_queues(struct prober *prober, struct broker *broker, int64_t now_ms,
			   struct alert_finding findings[ALERT_KINDS])
{
	const struct config *config = prober->config;
	struct named named = {.age = 0};

	for (size_t i = 0; i < config->route_count; i++) {
		g_autofree char *queue = topology_inbound_queue(config->routes[i].name);

		look_at_queue(prober, broker, queue, now_ms, &named, findings);
	}
	for (size_t i = 0; i < config->stream_count; i++) {
		g_autofree char *queue = topology_outbound_queue(config->streams[i].name);

		look_at_queue(prober, broker, queue, now_ms, &named, findings);
	}
	end_bad(&findings[ALERT_CONSUMERS], named.consumers);
	end_bad(&findings[ALERT_QUEUE_DEPTH], named.depth);
	end_bad(&findings[ALERT_QUEUE_AGE], named.age);
	queue_watch_forget(prober->queues);
	look_at_dead_letters(prober, broker, &findings[ALERT_DEAD_LETTERS]);
}

/* True if the alarm of an earlier round goes on. */
static bool is_still_blocked(struct prober *prober)
{
	struct broker_delivery delivery;
	struct reason reason;

	/* It consumes nothing: what comes is the end of the alarm, or of the connection. */
	if (prober->blocked != NULL &&
	    broker_next(prober->blocked, &delivery, -1, deadline_in(0), &reason) ==
		    BROKER_TIMEOUT &&
	    broker_blocked(prober->blocked) != NULL)
		return true;
	broker_close(&prober->blocked);
	return false;
}

/* Takes the broker if it is to be kept. */
static void rehearse(struct prober *prober, struct broker **broker, struct alert_finding *finding)
{
	struct reason reason = {.text = ""};

	if (is_still_blocked(prober)) {
		g_autofree char *text = g_strdup_printf("RabbitMQ takes no messages: %s",
							broker_blocked(prober->blocked));

		set_bad(finding, text);
		return;
	}
	if (broker_rehearse(*broker, EXCHANGE_EVENTS, deadline_in(LOOK_MS), &reason) == OUTCOME_OK)
		return;
	set_bad(finding, reason.text);
	if (broker_blocked(*broker) != NULL)
		prober->blocked = g_steal_pointer(broker);
}

static void look_at_broker(struct prober *prober, int64_t now_ms,
			   struct alert_finding findings[ALERT_KINDS])
{
	struct reason reason = {.text = ""};
	struct broker *broker = open_broker(prober->config, &reason);

	if (broker == NULL) {
		set_bad(&findings[ALERT_BROKER], reason.text);
		findings[ALERT_BROKER_BLOCKED].unknown = true;
		findings[ALERT_CONSUMERS].unknown = true;
		findings[ALERT_DEAD_LETTERS].unknown = true;
		findings[ALERT_QUEUE_DEPTH].unknown = true;
		findings[ALERT_QUEUE_AGE].unknown = true;
		broker_close(&prober->blocked);
		return;
	}
	look_at_queues(prober, broker, now_ms, findings);
	rehearse(prober, &broker, &findings[ALERT_BROKER_BLOCKED]);
	broker_close(&broker);
}

/* ---- workers and templates ---- */

static void look_at_restarts(const struct config *config, int64_t now_ms,
			     struct alert_finding *finding)
{
	struct reason reason = {.text = ""};
	size_t count = 0;
	int named = 0;
	struct restarts *list = restarts_since(
		config->state_dir, now_ms - config->alerts_restart_period, &count, &reason);

	/* Without the folder nothing is known; that is said once, at the start. */
	finding->unknown = list == NULL;
	for (size_t i = 0; list != NULL && i < count; i++) {
		int status = list[i].last_status;

		if (list[i].count <= config->alerts_restarts)
			continue;
		add_bad(finding, &named,
			"%" G_GINT64_FORMAT " workers of %s have ended, the last one by %s %d",
			list[i].count, list[i].program, WIFSIGNALED(status) ? "signal" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		finding->number = MAX(finding->number, list[i].count);
	}
	end_bad(finding, named);
	restarts_free(&list, count);
}

struct complaints {
	struct alert_finding *finding;
	int named;
};

static void complain(const char *text, void *context)
{
	struct complaints *complaints = context;

	add_bad(complaints->finding, &complaints->named, "%s", text);
}

/* All of them anew: a set that is kept would tell of each edit once only. */
static void look_at_templates(const struct config *config, struct alert_finding *finding)
{
	struct complaints complaints = {.finding = finding};
	struct template_set *set = prepare_templates(config, complain, &complaints);

	template_set_free(&set);
	end_bad(finding, complaints.named);
}

void prober_look(struct prober *prober, int64_t now_ms, struct alert_finding findings[ALERT_KINDS])
{
	for (int kind = 0; kind < ALERT_KINDS; kind++)
		findings[kind] = (struct alert_finding){.text = NULL};
	look_at_database(prober->config, &findings[ALERT_DATABASE]);
	look_at_broker(prober, now_ms, findings);
	look_at_smtp(prober->config, &findings[ALERT_SMTP]);
	look_at_restarts(prober->config, now_ms, &findings[ALERT_RESTARTS]);
	look_at_templates(prober->config, &findings[ALERT_TEMPLATES]);
}
