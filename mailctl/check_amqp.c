#include <glib.h>
#include <string.h>

#include "common/broker.h"
#include "common/topology.h"
#include "mailctl/check.h"
#include "mailctl/connect.h"
#include "mailctl/rabbitmqctl.h"

#define SETUP "run mailctl setup"

/* RabbitMQ's max_message_size where it is not configured. */
enum { MESSAGE_SIZE_CHANGED_IN = 4, DECIMAL = 10 };
static const int64_t MESSAGE_SIZE_OLD = INT64_C(128) * 1024 * 1024;
static const int64_t MESSAGE_SIZE_NEW = INT64_C(16) * 1024 * 1024;

/* Connect as a role and say so; NULL if that is not possible or the role is not used. */
static struct broker *open_role(const struct config *config, enum amqp_role role,
				const char *subject, struct report *report)
{
	const struct config_user *user = amqp_role_user(role, config);
	struct reason reason = {0};

	if (*user->password_file == '\0') {
		report_add(report, role == AMQP_SETUP ? REPORT_OK : REPORT_WARNING, subject, NULL,
			   "not checked, for %s is not set", amqp_role_password_key(role));
		return NULL;
	}
	g_autofree char *password = config_password(user, amqp_role_password_key(role), &reason);

	if (password == NULL)
		return NULL; /* check_config() has told it */
	struct broker *broker = connect_broker(config, user->name, password, &reason);

	if (broker == NULL)
		report_add(report, REPORT_ERROR, subject, NULL, "%s", reason.text);
	else
		report_add(report, REPORT_OK, subject, NULL, "logs in");
	return broker;
}

/* ---- sizes ---- */

static void compare_sizes(const struct config *config, int64_t limit, bool is_default,
			  struct report *report)
{
	static const char subject[] = "amqp max_message_size";
	int64_t needed = check_largest_document(config);
	g_autofree char *has = check_size_text(limit);
	g_autofree char *needs = check_size_text(needed);

	if (needed <= limit)
		report_add(report, REPORT_OK, subject, NULL,
			   "%s is enough for limits.message_size (%s)", has, needs);
	else
		report_add(report, is_default ? REPORT_WARNING : REPORT_ERROR, subject,
			   "raise max_message_size in rabbitmq.conf, or lower limits.message_size",
			   "%s%s, but a mail of limits.message_size can make a document of %s: it "
			   "would "
			   "wait for ever",
			   has, is_default ? " unless it was changed" : "", needs);
}

static void check_size(const struct config *config, const struct broker *broker,
		       const char *rabbitmqctl, struct report *report)
{
	struct reason reason = {0};
	int64_t limit;

	if (rabbitmqctl != NULL) {
		if (rabbitmqctl_message_size(rabbitmqctl, &limit, &reason) == OUTCOME_OK)
			compare_sizes(config, limit, false, report);
		else
			report_add(report, REPORT_ERROR, "amqp max_message_size", NULL, "%s",
				   reason.text);
		return;
	}
	const char *version = broker_server_version(broker);
	const char *digits = strpbrk(version, "0123456789");
	int64_t major = digits != NULL ? g_ascii_strtoll(digits, NULL, DECIMAL) : 0;

	compare_sizes(config,
		      major >= MESSAGE_SIZE_CHANGED_IN ? MESSAGE_SIZE_NEW : MESSAGE_SIZE_OLD, true,
		      report);
}

/* ---- rights ---- */

/* Declaring what is there changes nothing, but needs the right to configure it: the broker must
 * refuse that.  Ends the broker's usefulness. */
static void check_cannot_configure(struct broker *broker, const char *subject,
				   struct report *report)
{
	struct reason reason = {0};

	if (broker_declare_exchange(broker, EXCHANGE_IN, "topic", connect_deadline(), &reason) ==
	    OUTCOME_OK)
		report_add(report, REPORT_ERROR, subject,
			   "take that right away: " SETUP " --rabbitmqctl",
			   "may configure exchanges and queues");
}

static void check_rights(const struct config *config, enum amqp_role role, const char *rabbitmqctl,
			 const char *subject, struct report *report)
{
	g_autofree char *wanted = amqp_rights_text(role);
	g_autofree char *had = NULL;
	struct reason reason = {0};

	if (rabbitmqctl_rights(rabbitmqctl, config, amqp_role_user(role, config)->name, &had,
			       &reason) != OUTCOME_OK)
		report_add(report, REPORT_ERROR, subject, NULL, "%s", reason.text);
	else if (had == NULL)
		report_add(report, REPORT_ERROR, subject, SETUP " --rabbitmqctl",
			   "has no rights in virtual host %s", config->amqp_vhost);
	else if (strcmp(had, wanted) != 0)
		report_add(report, REPORT_ERROR, subject, SETUP " --rabbitmqctl",
			   "its rights are %s, and should be %s", had, wanted);
	else
		report_add(report, REPORT_OK, subject, NULL, "has just the rights it needs");
}

/* ---- exchanges and queues ---- */

static bool check_exchange(struct broker *broker, const char *name, struct report *report)
{
	struct reason reason = {0};
	g_autofree char *subject = g_strdup_printf("amqp exchange %s", name);

	if (broker_check_exchange(broker, name, connect_deadline(), &reason) != OUTCOME_OK) {
		report_add(report, REPORT_ERROR, subject, SETUP, "%s", reason.text);
		return false;
	}
	report_add(report, REPORT_OK, subject, NULL, "is there");
	return true;
}

/* `consumer`: the program that should consume it, or NULL if none does. */
static bool check_queue(struct broker *broker, const char *name, const char *consumer,
			struct report *report)
{
	struct reason reason = {0};
	int64_t messages = 0;
	int64_t consumers = 0;
	g_autofree char *subject = g_strdup_printf("amqp queue %s", name);

	if (broker_check_queue(broker, name, &messages, &consumers, connect_deadline(), &reason) !=
	    OUTCOME_OK) {
		report_add(report, REPORT_ERROR, subject, SETUP, "%s", reason.text);
		return false;
	}
	if (strcmp(name, QUEUE_DEAD) == 0 && messages > 0) {
		report_add(report, REPORT_WARNING, subject, "mailctl dead list says why",
			   "%" G_GINT64_FORMAT " dead %s", messages,
			   messages == 1 ? "letter" : "letters");
	} else if (consumer != NULL && consumers == 0) {
		g_autofree char *advice = g_strdup_printf("start %s", consumer);

		report_add(report, REPORT_WARNING, subject, advice,
			   "nobody consumes it; %" G_GINT64_FORMAT " messages wait", messages);
	} else {
		report_add(report, REPORT_OK, subject, NULL,
			   "is there; %" G_GINT64_FORMAT " messages wait", messages);
	}
	return true;
}

static bool check_queues(struct broker *broker, const struct config *config, struct report *report)
{
	bool fine = check_exchange(broker, EXCHANGE_DEAD, report) &&
		    check_queue(broker, QUEUE_DEAD, NULL, report);

	for (size_t i = 0; fine && i < config->route_count; i++) {
		g_autofree char *queue = topology_inbound_queue(config->routes[i].name);

		fine = check_queue(broker, queue, "mailin-ingest", report);
	}
	return fine;
}

static bool check_outbound(struct broker *broker, const struct config *config,
			   struct report *report)
{
	bool fine = check_exchange(broker, EXCHANGE_OUT, report) &&
		    check_exchange(broker, EXCHANGE_EVENTS, report);

	for (size_t i = 0; fine && i < config->stream_count; i++) {
		g_autofree char *queue = topology_outbound_queue(config->streams[i].name);

		fine = check_queue(broker, queue, "mailout", report);
	}
	for (size_t i = 0; fine && i < config->retry_tier_count; i++) {
		g_autofree char *tier = topology_retry_tier(config->retry_tiers[i]);

		fine = check_exchange(broker, tier, report) &&
		       check_queue(broker, tier, NULL, report);
	}
	return fine;
}

/* ---- what an older version or another config has left ---- */

void check_difference(const struct topology_difference *difference, void *context)
{
	const struct check_difference *check = context;
	/* With another limit it works, but what is looked at too often may leave it. */
	bool works = strcmp(difference->argument, "x-delivery-limit") == 0;
	g_autofree char *subject = g_strdup_printf("amqp queue %s", difference->queue);
	g_autofree char *advice = g_strdup_printf(
		"%sempty it, rabbitmqctl delete_queue -p %s %s, mailctl setup: see UPGRADING in "
		"mailctl(1)",
		works ? "when there is time, " : "", check->config->amqp_vhost, difference->queue);

	report_add(check->report, works ? REPORT_WARNING : REPORT_ERROR, subject, advice,
		   "was declared otherwise, by an older version or with another config: its %s is "
		   "%s, and should be %s%s",
		   difference->argument, difference->found, difference->wanted,
		   works ? "; mail flows all the same" : "");
}

static void check_differences(struct broker *broker, const struct config *config,
			      struct report *report)
{
	struct check_difference differences = {config, report};
	const struct topology_listener listener = {NULL, check_difference, &differences};
	struct reason reason = {0};

	if (topology_compare(broker, config, &listener, connect_deadline(), &reason) != OUTCOME_OK)
		report_add(report, REPORT_ERROR, "amqp queues", SETUP, "%s", reason.text);
}

/* ---- users ---- */

static void check_role(const struct config *config, enum amqp_role role, const char *rabbitmqctl,
		       struct report *report)
{
	g_autofree char *subject =
		g_strdup_printf("amqp user %s", amqp_role_user(role, config)->name);
	struct broker *broker = open_role(config, role, subject, report);
	bool fine = broker != NULL;

	if (fine && role == AMQP_PUBLISH) {
		check_size(config, broker, rabbitmqctl, report);
		fine = check_exchange(broker, EXCHANGE_IN, report);
	} else if (fine && role == AMQP_CONSUME) {
		fine = check_queues(broker, config, report);
	} else if (fine && role == AMQP_MAILOUT) {
		fine = check_outbound(broker, config, report);
	} else if (fine && role == AMQP_SETUP) {
		check_differences(broker, config, report);
	}
	if (rabbitmqctl != NULL)
		check_rights(config, role, rabbitmqctl, subject, report);
	else if (fine && role != AMQP_SETUP)
		check_cannot_configure(broker, subject, report);
	broker_close(&broker);
}

void check_amqp(const struct config *config, const char *rabbitmqctl, struct report *report)
{
	for (int role = 0; role < AMQP_ROLE_COUNT; role++)
		check_role(config, role, rabbitmqctl, report);
}
