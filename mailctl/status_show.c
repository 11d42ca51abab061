#include "mailctl/status_show.h"

#include <glib.h>
#include <string.h>

#include "common/deadline.h"

enum { PER_MINUTE = 60, TENTHS = 10 };

static const char *const verdict_names[] = {
	[STATUS_FINE] = "ok", [STATUS_ATTENTION] = "attention", [STATUS_WRONG] = "wrong"};

static const enum table_colour verdict_colours[] = {
	[STATUS_FINE] = TABLE_GOOD, [STATUS_ATTENTION] = TABLE_WARNING, [STATUS_WRONG] = TABLE_BAD};

/* ---- what is wrong ---- */

static bool is_worked_on(const struct survey_queue *queue)
{
	return queue->kind == SURVEY_ROUTE || queue->kind == SURVEY_STREAM;
}

/* *text says it, or what is worth to be known otherwise, or is NULL; g_free() it. */
static enum status_verdict judge(const struct survey_queue *queue, const struct config *config,
				 char **text)
{
	const char *consumer = queue->kind == SURVEY_ROUTE ? "mailin-ingest" : "mailout";

	*text = NULL;
	if (!queue->there) {
		*text = g_strdup(queue->reason.text);
		return STATUS_WRONG;
	}
	if (is_worked_on(queue) && queue->consumers == 0) {
		*text = g_strdup_printf("nobody consumes it: start %s", consumer);
		return STATUS_WRONG;
	}
	if (queue->kind == SURVEY_DEAD && queue->waiting > 0) {
		*text = g_strdup("given up: see mailctl dead list");
		return STATUS_ATTENTION;
	}
	if (is_worked_on(queue) && queue->oldest.kind != OLDEST_AT_MOST &&
	    queue->oldest.ms > config->alerts_queue_age) {
		*text = g_strdup("waits for long");
		return STATUS_ATTENTION;
	}
	if (queue->kind == SURVEY_ROUTE && queue->quarantined > 0)
		*text = g_strdup_printf("%" G_GINT64_FORMAT
					" in quarantine: see mailctl quarantine list",
					queue->quarantined);
	return STATUS_FINE;
}

enum status_verdict status_verdict(const struct survey *survey, const struct config *config)
{
	size_t count;
	const struct survey_queue *queues = survey_queues(survey, &count);
	const struct survey_server *broker = survey_broker(survey);
	bool up = survey_database(survey)->up && broker->up && !broker->blocked;
	enum status_verdict worst = up ? STATUS_FINE : STATUS_WRONG;

	for (size_t i = 0; i < count; i++) {
		g_autofree char *text = NULL;

		enum status_verdict verdict = judge(&queues[i], config, &text);

		worst = MAX(worst, verdict);
	}
	return worst;
}

/* ---- text ---- */

static void show_server(struct table *table, const char *name, const struct survey_server *server)
{
	table_cell(table, TABLE_PLAIN, name);
	if (server->up && !server->blocked)
		table_cell(table, TABLE_GOOD, "up");
	else
		table_cell(table, TABLE_BAD, server->blocked ? "blocked" : "away");
	table_cell(table, TABLE_PLAIN, server->version);
	if (server->up)
		table_cellf(table, TABLE_PLAIN, "%" G_GINT64_FORMAT "ms", server->answer_ms);
	else
		table_cell(table, TABLE_PLAIN, NULL);
	table_cell(table, TABLE_PLAIN, server->reason.text);
}

static void show_servers(const struct survey *survey, FILE *out, const struct terminal *terminal)
{
	static const struct table_column columns[] = {
		{"SERVER", TABLE_LEFT, 0},  {"STATE", TABLE_LEFT, 0}, {"VERSION", TABLE_LEFT, 8},
		{"ANSWER", TABLE_RIGHT, 0}, {"NOTE", TABLE_LEFT, 8},
	};
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), out, terminal);

	show_server(table, "database", survey_database(survey));
	show_server(table, "broker", survey_broker(survey));
	table_end(&table);
}

static void show_count(struct table *table, int64_t number, enum table_colour colour)
{
	if (number < 0)
		table_cell(table, TABLE_DIM, "?");
	else
		table_number(table, number > 0 ? colour : TABLE_PLAIN, number);
}

static void show_rate(struct table *table, int64_t per_minute)
{
	if (per_minute < 0)
		table_cell(table, TABLE_DIM, "?");
	else
		table_cellf(table, TABLE_PLAIN, "%" G_GINT64_FORMAT ".%d", per_minute / PER_MINUTE,
			    (int)(per_minute % PER_MINUTE * TENTHS / PER_MINUTE));
}

static void show_queue(struct table *table, const struct survey_queue *queue,
		       const struct config *config)
{
	static const char *const kinds[] = {[SURVEY_ROUTE] = "route",
					    [SURVEY_STREAM] = "stream",
					    [SURVEY_TIER] = "retry",
					    [SURVEY_DEAD] = "dead"};
	g_autofree char *problem = NULL;
	enum status_verdict verdict = judge(queue, config, &problem);
	g_autofree char *age = oldest_text(&queue->oldest);
	bool full = is_worked_on(queue);

	table_cell(table, TABLE_PLAIN, kinds[queue->kind]);
	table_cell(table, TABLE_STRONG, queue->name);
	show_count(table, queue->there ? queue->waiting : -1,
		   queue->kind == SURVEY_DEAD ? TABLE_WARNING : TABLE_PLAIN);
	table_cell(table, TABLE_PLAIN, full ? age : NULL);
	if (full) {
		show_count(table, queue->delayed, TABLE_WARNING);
		show_count(table, queue->there ? queue->consumers : -1, TABLE_PLAIN);
		show_rate(table, queue->arrived_per_minute);
		show_rate(table, queue->handled_per_minute);
	} else {
		for (int i = 0; i < 4; i++)
			table_cell(table, TABLE_PLAIN, NULL);
	}
	table_cell(table, verdict == STATUS_FINE ? TABLE_PLAIN : verdict_colours[verdict], problem);
}

void status_text(const struct survey *survey, const struct config *config, FILE *out,
		 const struct terminal *terminal)
{
	static const struct table_column columns[] = {
		{"KIND", TABLE_LEFT, 0},     {"NAME", TABLE_LEFT, 8},
		{"WAITING", TABLE_RIGHT, 0}, {"OLDEST", TABLE_RIGHT, 0},
		{"DELAYED", TABLE_RIGHT, 0}, {"CONSUMERS", TABLE_RIGHT, 0},
		{"IN/S", TABLE_RIGHT, 0},    {"DONE/S", TABLE_RIGHT, 0},
		{"NOTE", TABLE_LEFT, 8},
	};
	size_t count;
	const struct survey_queue *queues = survey_queues(survey, &count);
	const char *no_ages = survey_no_ages(survey);

	show_servers(survey, out, terminal);
	fputc('\n', out);
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), out, terminal);

	for (size_t i = 0; i < count; i++)
		show_queue(table, &queues[i], config);
	table_end(&table);
	if (no_ages != NULL)
		fprintf(out, "\nAges are not known: %s\n", no_ages);
}

/* ---- JSON ---- */

static struct wire *server_json(const struct survey_server *server)
{
	struct wire *json = wire_object();

	wire_set_bool(json, "Up", server->up);
	if (server->blocked)
		wire_set_bool(json, "Blocked", true);
	if (server->version[0] != '\0')
		wire_set_text(json, "Version", server->version);
	if (server->up)
		wire_set_int(json, "AnswerMs", server->answer_ms);
	if (server->reason.text[0] != '\0')
		wire_set_text(json, "Reason", server->reason.text);
	return json;
}

static void set_known(struct wire *json, const char *key, int64_t number)
{
	if (number >= 0)
		wire_set_int(json, key, number);
}

static struct wire *queue_json(const struct survey_queue *queue, const struct config *config)
{
	g_autofree char *problem = NULL;
	enum status_verdict verdict = judge(queue, config, &problem);
	struct wire *json = wire_object();

	wire_set_text(json, "Name", queue->name);
	wire_set_text(json, "Queue", queue->queue);
	wire_set_text(json, "Status", verdict_names[verdict]);
	wire_set_text(json, "Note", problem);
	if (queue->there)
		wire_set_int(json, "Waiting", queue->waiting);
	if (!is_worked_on(queue))
		return json;
	if (queue->there)
		wire_set_int(json, "Consumers", queue->consumers);
	wire_set_text(json, "OldestKind", oldest_kind_name(queue->oldest.kind));
	if (queue->oldest.kind != OLDEST_NONE && queue->oldest.kind != OLDEST_UNKNOWN)
		wire_set_int(json, "OldestMs", queue->oldest.ms);
	set_known(json, "Delayed", queue->delayed);
	set_known(json, "DelayedOldestMs", queue->delayed_oldest_ms);
	if (queue->kind == SURVEY_ROUTE)
		set_known(json, "Quarantined", queue->quarantined);
	set_known(json, "ArrivedPerMinute", queue->arrived_per_minute);
	set_known(json, "HandledPerMinute", queue->handled_per_minute);
	return json;
}

struct wire *status_json(const struct survey *survey, const struct config *config)
{
	static const char *const lists[] = {[SURVEY_ROUTE] = "Routes",
					    [SURVEY_STREAM] = "Streams",
					    [SURVEY_TIER] = "RetryTiers"};
	size_t count;
	const struct survey_queue *queues = survey_queues(survey, &count);
	struct wire *json = wire_object();
	g_autofree char *now = table_time(realtime_ms());

	wire_set_text(json, "Time", now);
	wire_set_text(json, "Status", verdict_names[status_verdict(survey, config)]);
	wire_set(json, "Database", server_json(survey_database(survey)));
	wire_set(json, "Broker", server_json(survey_broker(survey)));
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		wire_set(json, lists[i], wire_array());
	for (size_t i = 0; i < count; i++) {
		struct wire *item = queue_json(&queues[i], config);

		if (queues[i].kind == SURVEY_DEAD)
			wire_set(json, "DeadLetters", item);
		else
			wire_append(wire_get_array(json, lists[queues[i].kind]), item);
	}
	wire_set_text(json, "AgesReason", survey_no_ages(survey));
	return json;
}
