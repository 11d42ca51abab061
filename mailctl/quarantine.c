/*
 * mailctl quarantine: mails whose senders did not prove what their route requires.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/stop.h"
#include "common/topology.h"
#include "mailctl/connect.h"
#include "mailctl/mailctl.h"
#include "mailctl/quarantine_db.h"
#include "mailctl/rabbitmqctl.h"
#include "mailctl/select.h"
#include "mailctl/table.h"

const char quarantine_options[] =
	"\n"
	"  list                 what is there\n"
	"  show ID              all that is known of one\n"
	"  release [ID ...]     store them after all\n"
	"  drop [ID ...]        away with them, for good\n"
	"\n"
	"which ones:\n"
	"  --route=NAME         may be repeated\n"
	"  --reason=TEXT        a part of the reason\n"
	"  --from=TEXT          a part of the sender's address\n"
	"  --older-than=TIME --newer-than=TIME\n"
	"                       put there so long ago: 90m, 4h, 7d\n"
	"  --all                all of them; release and drop want it said\n"
	"  --limit=N            no more than so many; of a list 100 by default, 0: all\n"
	"\n"
	"  --body               show: the document alone, as it came\n"
	"  --yes                drop: really; without it they are only counted\n"
	"  --json               print JSON\n";

enum { LIMIT_DEFAULT = 100, MS_PER_S = 1000, REASON_MINIMUM = 20, SUBJECT_MINIMUM = 12 };

struct quarantine {
	const char *config_file;
	struct config *config;
	struct db *db;
	struct quarantine_filter filter;
	bool all;
	bool body;
	bool yes;
	bool json;
};

static int failed(const struct reason *reason)
{
	mailctl_complain("%s", reason->text);
	return EXIT_WRONG;
}

/* ---- list and show ---- */

static const struct table_column columns[] = {
	{"ID", TABLE_LEFT, 36},
	{"ROUTE", TABLE_LEFT, 0},
	{"AGE", TABLE_RIGHT, 0},
	{"SIZE", TABLE_RIGHT, 0},
	{"RELEASED", TABLE_LEFT, 0},
	{"FROM", TABLE_LEFT, SUBJECT_MINIMUM},
	{"SUBJECT", TABLE_LEFT, SUBJECT_MINIMUM},
	{"REASON", TABLE_LEFT, REASON_MINIMUM},
};

static void list_row(struct table *table, const struct quarantined *row)
{
	g_autofree char *age = table_age(MAX(realtime_ms() - row->quarantined_ms, 0));
	bool released = row->released_ms != 0;

	table_cell(table, TABLE_PLAIN, row->id_text);
	table_cell(table, TABLE_PLAIN, row->route);
	table_cell(table, TABLE_PLAIN, age);
	table_number(table, TABLE_PLAIN, row->size);
	table_cell(table, released ? TABLE_WARNING : TABLE_PLAIN, released ? "yes" : "no");
	table_cell(table, TABLE_PLAIN, row->from_email);
	table_cell(table, TABLE_PLAIN, row->subject);
	table_cell(table, TABLE_PLAIN, row->reason);
}

static struct wire *row_json(const struct quarantined *row)
{
	struct wire *object = wire_object();
	struct wire *verdicts = *row->verdicts != '\0'
					? wire_parse(row->verdicts, strlen(row->verdicts), NULL)
					: NULL;

	wire_set_text(object, "MessageID", row->id_text);
	wire_set_text(object, "Route", row->route);
	wire_set_text(object, "Reason", row->reason);
	wire_set_text(object, "Recipient", row->recipient);
	wire_set_text(object, "Sender", row->sender);
	wire_set_text(object, "From", row->from_email);
	wire_set_text(object, "Subject", row->subject);
	wire_set_text(object, "QueueID", row->queue_id);
	wire_set_time(object, "ReceivedAt", row->received_ms);
	wire_set_time(object, "QuarantinedAt", row->quarantined_ms);
	if (row->released_ms != 0)
		wire_set_time(object, "ReleasedAt", row->released_ms);
	wire_set_int(object, "Size", row->size);
	wire_set(object, "Verdicts", verdicts);
	return object;
}

static void list_json(const GPtrArray *rows, int64_t total)
{
	struct wire *answer = wire_object();
	struct wire *array = wire_array();

	for (guint i = 0; i < rows->len; i++)
		wire_append(array, row_json(rows->pdata[i]));
	wire_set(answer, "Messages", array);
	wire_set_int(answer, "Matched", total);
	select_print(&answer);
}

static int list(struct quarantine *quarantine, struct reason *reason)
{
	g_autoptr(GPtrArray) rows = NULL;
	int64_t total = 0;

	if (quarantine->filter.limit < 0)
		quarantine->filter.limit = LIMIT_DEFAULT;
	if (quarantine_list(quarantine->db, &quarantine->filter, &rows, reason) != OUTCOME_OK ||
	    quarantine_count(quarantine->db, &quarantine->filter, &total, reason) != OUTCOME_OK)
		return failed(reason);
	if (quarantine->json) {
		list_json(rows, total);
		return EXIT_FINE;
	}
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), stdout, NULL);

	for (guint i = 0; i < rows->len; i++)
		list_row(table, rows->pdata[i]);
	table_end(&table);
	fflush(stdout);
	fprintf(stderr, "%u of %" PRId64 " shown\n", rows->len, total);
	return EXIT_FINE;
}

static void print_line(const char *name, const char *text)
{
	g_autofree char *safe = table_escape(text);

	if (*text != '\0')
		printf("%-12s %s\n", name, safe);
}

static void print_time(const char *name, int64_t ms)
{
	g_autofree char *text = ms != 0 ? table_time(ms) : g_strdup("");

	print_line(name, text);
}

static void show_text(const struct quarantined *row)
{
	print_line("ID", row->id_text);
	print_line("Route", row->route);
	print_line("Reason", row->reason);
	print_line("From", row->from_email);
	print_line("Sender", row->sender);
	print_line("Recipient", row->recipient);
	print_line("Subject", row->subject);
	print_line("Queue id", row->queue_id);
	print_time("Received", row->received_ms);
	print_time("Quarantined", row->quarantined_ms);
	print_time("Released", row->released_ms);
	print_line("Verdicts", row->verdicts);
	printf("%-12s %" PRId64 "\n", "Size", row->size);
}

static int show_document(struct quarantine *quarantine, const struct quarantined *row,
			 struct reason *reason)
{
	GBytes *document = NULL;
	struct wire *properties = NULL;
	enum outcome outcome =
		quarantine_document(quarantine->db, &row->id, &document, &properties, reason);

	if (outcome == OUTCOME_OK && document == NULL)
		outcome = outcome_retry(reason, "4.3.0", "%s is not there any more", row->id_text);
	if (outcome == OUTCOME_OK && quarantine->body) {
		size_t size;
		const void *data = g_bytes_get_data(document, &size);

		fwrite(data, 1, size, stdout);
	} else if (outcome == OUTCOME_OK) {
		struct wire *answer = row_json(row);
		size_t size;
		const char *data = g_bytes_get_data(document, &size);

		wire_set(answer, "Properties", g_steal_pointer(&properties));
		wire_set(answer, "Document", wire_parse(data, size, NULL));
		select_print(&answer);
	}
	g_clear_pointer(&document, g_bytes_unref);
	wire_free(&properties);
	return outcome == OUTCOME_OK ? EXIT_FINE : failed(reason);
}

static int show(struct quarantine *quarantine, struct reason *reason)
{
	g_autoptr(GPtrArray) rows = NULL;

	if (quarantine_list(quarantine->db, &quarantine->filter, &rows, reason) != OUTCOME_OK)
		return failed(reason);
	if (rows->len == 0) {
		char id[ID_TEXT_SIZE];

		mailctl_complain("show: %s: not in quarantine; mailctl trace may know it",
				 id_text(&g_array_index(quarantine->filter.ids, struct id, 0), id));
		return EXIT_WRONG;
	}
	if (quarantine->body || quarantine->json)
		return show_document(quarantine, rows->pdata[0], reason);
	show_text(rows->pdata[0]);
	return EXIT_FINE;
}

/* ---- release ---- */

static struct broker *connect_publisher(const struct config *config, struct reason *reason)
{
	const struct config_user *user = amqp_role_user(AMQP_SETUP, config);
	g_autofree char *password =
		config_password(user, amqp_role_password_key(AMQP_SETUP), reason);
	struct broker *broker =
		password != NULL ? connect_broker(config, user->name, password, reason) : NULL;

	if (broker != NULL &&
	    broker_confirm_select(broker, connect_deadline(), reason) != OUTCOME_OK)
		broker_close(&broker);
	return broker;
}

/* With the properties that it came with; straight to its queue, and to that alone. */
static enum outcome publish(struct broker *broker, const struct quarantined *row, GBytes *document,
			    const struct wire *properties, struct reason *reason)
{
	g_autofree char *queue = topology_inbound_queue(row->route);
	const struct wire *came_with = wire_get_object(properties, "headers");
	struct broker_header headers[] = {
		{.name = HEADER_RELEASED, .number = realtime_ms() / MS_PER_S},
		{.name = HEADER_FIRST_SEEN, .number = 0},
		{.name = HEADER_QUEUE_ID, .text = wire_get_text(came_with, HEADER_QUEUE_ID)},
	};
	struct broker_message message = {
		.exchange = "",
		.routing_key = queue,
		.body = g_bytes_get_data(document, NULL),
		.body_size = g_bytes_get_size(document),
		.content_type = wire_get_text(properties, "content-type"),
		.message_id = wire_get_text(properties, "message-id"),
		.type = wire_get_text(properties, "type"),
		.app_id = wire_get_text(properties, "app-id"),
		.headers = headers,
		.header_count = headers[2].text != NULL ? 3 : 2,
	};

	if (!wire_get_int(properties, "timestamp", &message.timestamp))
		message.timestamp = 0;
	if (!wire_get_int(came_with, HEADER_FIRST_SEEN, &headers[1].number))
		headers[1].number = row->received_ms / MS_PER_S;
	return broker_publish(broker, &message, connect_deadline(), reason);
}

/* First the record, then the message: the other way round it would be put aside again.  Whoever is
 * interrupted in between releases it again. */
static enum outcome release_one(struct quarantine *quarantine, struct broker *broker,
				const struct quarantined *row, bool *found, struct reason *reason)
{
	GBytes *document = NULL;
	struct wire *properties = NULL;
	enum outcome outcome =
		quarantine_document(quarantine->db, &row->id, &document, &properties, reason);

	*found = document != NULL;
	if (outcome == OUTCOME_OK && *found)
		outcome = quarantine_mark_released(quarantine->db, &row->id, found, reason);
	if (outcome == OUTCOME_OK && *found)
		outcome = publish(broker, row, document, properties, reason);
	g_clear_pointer(&document, g_bytes_unref);
	wire_free(&properties);
	return outcome;
}

/* ---- release and drop ---- */

typedef enum outcome act(struct quarantine *quarantine, struct broker *broker,
			 const struct quarantined *row, bool *found, struct reason *reason);

static enum outcome drop_one(struct quarantine *quarantine, struct broker *broker,
			     const struct quarantined *row, bool *found, struct reason *reason)
{
	(void)broker;
	return quarantine_delete(quarantine->db, &row->id, found, reason);
}

static int tell(const struct quarantine *quarantine, const char *done, guint matched, int64_t count)
{
	g_autofree char *key = g_strdup(done);

	key[0] = g_ascii_toupper(key[0]);
	if (quarantine->json) {
		struct wire *answer = wire_object();

		wire_set_int(answer, "Matched", matched);
		wire_set_int(answer, key, count);
		select_print(&answer);
	} else {
		printf("%" PRId64 " of %u %s\n", count, matched, done);
	}
	/* An id that is not there is a mistake. */
	return quarantine->filter.ids->len > matched ? EXIT_WRONG : EXIT_FINE;
}

static int act_on_all(struct quarantine *quarantine, act *what, const char *done,
		      struct broker *broker, struct reason *reason)
{
	g_autoptr(GPtrArray) rows = NULL;
	enum outcome outcome = quarantine_list(quarantine->db, &quarantine->filter, &rows, reason);
	int64_t count = 0;

	for (guint i = 0; outcome == OUTCOME_OK && i < rows->len; i++) {
		bool found = false;

		outcome = stop_requested() > 0
				  ? outcome_retry(reason, "4.3.2", "interrupted")
				  : what(quarantine, broker, rows->pdata[i], &found, reason);
		count += outcome == OUTCOME_OK && found;
	}
	int status = tell(quarantine, done, rows->len, count);

	if (outcome == OUTCOME_OK)
		return status;
	failed(reason);
	return stop_requested() > 0 ? EXIT_INTERRUPTED : EXIT_WRONG;
}

static int release(struct quarantine *quarantine, struct reason *reason)
{
	struct broker *broker = connect_publisher(quarantine->config, reason);

	if (broker == NULL)
		return failed(reason);
	int status = act_on_all(quarantine, release_one, "released", broker, reason);

	broker_close(&broker);
	return status;
}

static int drop(struct quarantine *quarantine, struct reason *reason)
{
	int64_t count = 0;

	if (quarantine->yes)
		return act_on_all(quarantine, drop_one, "dropped", NULL, reason);
	if (quarantine_count(quarantine->db, &quarantine->filter, &count, reason) != OUTCOME_OK)
		return failed(reason);
	if (count == 0)
		return tell(quarantine, "dropped", 0, 0);
	mailctl_complain("drop: %" PRId64 " %s would be lost for good; say --yes to drop %s", count,
			 count == 1 ? "mail" : "mails", count == 1 ? "it" : "them");
	return EXIT_WRONG;
}

/* ---- the command ---- */

struct verb {
	const char *name;
	int (*run)(struct quarantine *quarantine, struct reason *reason);
	bool takes_id;
	bool wants_choice; /* ids, a filter or --all */
};

static const struct verb verbs[] = {
	{"list", list, false, false},
	{"show", show, true, false},
	{"release", release, false, true},
	{"drop", drop, false, true},
};

enum {
	OPTION_ROUTE = 256, /* no character */
	OPTION_REASON,
	OPTION_FROM,
	OPTION_OLDER,
	OPTION_NEWER,
	OPTION_ALL,
	OPTION_LIMIT,
	OPTION_BODY,
	OPTION_YES,
	OPTION_JSON
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"route", required_argument, NULL, OPTION_ROUTE},
	{"reason", required_argument, NULL, OPTION_REASON},
	{"from", required_argument, NULL, OPTION_FROM},
	{"older-than", required_argument, NULL, OPTION_OLDER},
	{"newer-than", required_argument, NULL, OPTION_NEWER},
	{"all", no_argument, NULL, OPTION_ALL},
	{"limit", required_argument, NULL, OPTION_LIMIT},
	{"body", no_argument, NULL, OPTION_BODY},
	{"yes", no_argument, NULL, OPTION_YES},
	{"json", no_argument, NULL, OPTION_JSON},
	{NULL, 0, NULL, 0},
};

static bool take_age(const char *option, const char *text, int64_t *ms)
{
	struct reason reason = {0};

	return config_parse_time(text, 0, INT64_MAX, ms, &reason) == OUTCOME_OK ||
	       mailctl_complain("%s: %s", option, reason.text);
}

static bool take_option(struct quarantine *quarantine, int option)
{
	struct quarantine_filter *filter = &quarantine->filter;

	switch (option) {
	case 'c':
		quarantine->config_file = optarg;
		return true;
	case OPTION_ROUTE:
		g_ptr_array_add(filter->routes, optarg);
		return true;
	case OPTION_REASON:
		filter->reason = optarg;
		return true;
	case OPTION_FROM:
		filter->from = optarg;
		return true;
	case OPTION_OLDER:
		return take_age("--older-than", optarg, &filter->older_ms);
	case OPTION_NEWER:
		return take_age("--newer-than", optarg, &filter->younger_ms);
	case OPTION_LIMIT:
		return select_number("--limit", optarg, &filter->limit);
	case OPTION_ALL:
		return quarantine->all = true;
	case OPTION_BODY:
		return quarantine->body = true;
	case OPTION_YES:
		return quarantine->yes = true;
	case OPTION_JSON:
		return quarantine->json = true;
	default:
		return false;
	}
}

static bool take_ids(struct quarantine *quarantine, int argc, char **argv)
{
	for (; optind < argc; optind++) {
		struct id id;

		if (!id_parse(&id, argv[optind]))
			return mailctl_complain("%s: no id of a message", argv[optind]);
		g_array_append_val(quarantine->filter.ids, id);
	}
	return true;
}

static bool is_filtered(const struct quarantine_filter *filter)
{
	return filter->routes->len > 0 || filter->ids->len > 0 || filter->reason != NULL ||
	       filter->from != NULL || filter->older_ms >= 0 || filter->younger_ms >= 0;
}

static const struct verb *take_verb(struct quarantine *quarantine, int argc, char **argv)
{
	const char *name = optind < argc ? argv[optind++] : "";
	const struct verb *verb = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			verb = &verbs[i];
	if (verb == NULL) {
		mailctl_complain("%s%slist, show, release or drop?", name,
				 *name != '\0' ? ": " : "");
		return NULL;
	}
	if (!take_ids(quarantine, argc, argv))
		return NULL;
	guint ids = quarantine->filter.ids->len;

	if (verb->takes_id ? ids != 1 : ids > 0 && !verb->wants_choice) {
		mailctl_complain("%s: takes %s", name, verb->takes_id ? "one id" : "no argument");
		return NULL;
	}
	if (verb->wants_choice && quarantine->all == is_filtered(&quarantine->filter)) {
		mailctl_complain(quarantine->all ? "%s: --all and others: which?"
						 : "%s: which ones? (--all: all of them)",
				 name);
		return NULL;
	}
	return verb;
}

static int run(struct quarantine *quarantine, int argc, char **argv)
{
	struct reason reason = {0};
	int option;

	while ((option = getopt_long(argc, argv, "c:", long_options, NULL)) != -1)
		if (!take_option(quarantine, option))
			return mailctl_usage("quarantine");
	const struct verb *verb = take_verb(quarantine, argc, argv);

	if (verb == NULL)
		return mailctl_usage("quarantine");
	quarantine->config = mailctl_config(quarantine->config_file);
	if (quarantine->config == NULL)
		return EXIT_BAD_CONFIG;
	if (stop_init() != 0)
		return EXIT_WRONG;
	quarantine->db = connect_db_admin(quarantine->config, false, &reason);
	int status = quarantine->db != NULL ? verb->run(quarantine, &reason) : failed(&reason);

	if (fflush(stdout) != 0 || ferror(stdout)) {
		mailctl_complain("standard output: %s", g_strerror(errno));
		status = EXIT_WRONG;
	}
	return status;
}

int command_quarantine(int argc, char **argv, const char *config_file)
{
	struct quarantine quarantine = {
		.config_file = config_file,
		.filter = {.routes = g_ptr_array_new(),
			   .ids = g_array_new(FALSE, FALSE, sizeof(struct id)),
			   .older_ms = -1,
			   .younger_ms = -1,
			   .limit = -1},
	};
	int status = run(&quarantine, argc, argv);

	db_close(&quarantine.db);
	config_free(&quarantine.config);
	g_ptr_array_unref(quarantine.filter.routes);
	g_array_unref(quarantine.filter.ids);
	return status;
}
