#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/wire.h"
#include "mailctl/table.h"
#include "mailctl/trace.h"

enum { MS_PER_S = 1000 };

static const char *const source_names[] = {
	[TRACE_POSTFIX] = "postfix",
	[TRACE_LOG] = "log",
	[TRACE_BROKER] = "broker",
	[TRACE_DATABASE] = "database",
};

static const char *const kind_words[] = {
	[KIND_ID] = "id",
	[KIND_QUEUE_ID] = "queue id",
	[KIND_MESSAGE_ID] = "Message-ID",
	[KIND_ADDRESS] = "address",
	[KIND_ANY_ADDRESS] = "address or Message-ID",
};

static const char *const direction_names[] = {
	[DIRECTION_UNKNOWN] = "mail",
	[DIRECTION_INBOUND] = "inbound",
	[DIRECTION_OUTBOUND] = "outbound",
};

static GList *sorted_queue_ids(const struct subject *subject)
{
	return g_list_sort(g_hash_table_get_keys(subject->queue_ids), (GCompareFunc)strcmp);
}

/* With milliseconds where they are known: much happens within a second. */
static char *event_time(const struct trace_event *event)
{
	if (event->at_ms < 0)
		return NULL;
	g_autofree char *text = table_time(event->at_ms);
	char *zone = strchr(text, 'Z');

	if (!event->exact || zone == NULL)
		return g_steal_pointer(&text);
	return g_strdup_printf("%.*s.%03dZ", (int)(zone - text), text,
			       (int)(event->at_ms % MS_PER_S));
}

/* ---- for programs ---- */

static void set_time(struct wire *object, const char *key, int64_t ms)
{
	if (ms <= 0)
		return;
	g_autofree char *text = table_time(ms);

	wire_set_text(object, key, text);
}

static struct wire *texts(const GPtrArray *array)
{
	struct wire *list = wire_array();

	for (unsigned int i = 0; i < array->len; i++)
		wire_append_text(list, array->pdata[i]);
	return list;
}

static struct wire *event_json(const struct trace_event *event)
{
	struct wire *object = wire_object();
	g_autofree char *time = event_time(event);

	wire_set_text(object, "At", time);
	wire_set_text(object, "Source", source_names[event->source]);
	wire_set_text(object, "Event", event->what);
	wire_set_text(object, "Text", event->text);
	wire_set_text(object, "QueueID", event->queue_id);
	return object;
}

static void set_place(struct wire *object, const struct subject *subject)
{
	const struct trace_place *place =
		subject->dead.queue != NULL ? &subject->dead : &subject->tier;

	if (place->queue == NULL)
		return;
	wire_set_text(object, "Queue", place->queue);
	wire_set_text(object, "ReturnsTo", place->back_to);
	wire_set_text(object, "LastError", place->last_error);
	if (place->attempt > 0)
		wire_set_int(object, "Attempt", place->attempt);
}

static struct wire *subject_json(const struct subject *subject)
{
	struct wire *object = wire_object();
	struct wire *queue_ids = wire_array();
	struct wire *events = wire_array();
	g_autoptr(GList) sorted = sorted_queue_ids(subject);

	wire_set_text(object, "MessageID", subject->id);
	wire_set_text(object, "Direction", direction_names[subject->direction]);
	for (const GList *item = sorted; item != NULL; item = item->next)
		wire_append_text(queue_ids, item->data);
	wire_set(object, "QueueIDs", queue_ids);
	wire_set_text(object, "MessageIDHeader", subject->header_id);
	wire_set_text(object, "MessageStream", subject->stream);
	wire_set_text(object, "From", subject->sender);
	wire_set_text(object, "To", subject->recipient);
	wire_set_text(object, "Subject", subject->title);
	wire_set_text(object, "State", subject->state);
	wire_set_text(object, "Conclusion", subject->conclusion);
	set_time(object, "NextAttempt", subject->next_attempt_ms);
	set_place(object, subject);
	for (unsigned int i = 0; i < subject->events->len; i++)
		wire_append(events, event_json(subject->events->pdata[i]));
	wire_set(object, "Events", events);
	return object;
}

void trace_print_json(const struct trace *trace)
{
	struct wire *object = wire_object();
	struct wire *messages = wire_array();

	wire_set_text(object, "Key", trace->key);
	wire_set_text(object, "Kind", kind_words[trace->kind]);
	for (unsigned int i = 0; i < trace->subjects->len; i++)
		wire_append(messages, subject_json(trace->subjects->pdata[i]));
	wire_set(object, "Messages", messages);
	wire_set_bool(object, "More", trace->more);
	wire_set(object, "LookedAt", texts(trace->looked));
	wire_set(object, "NotLookedAt", texts(trace->gaps));
	fflush(stdout);
	wire_write(object, STDOUT_FILENO, true);
	wire_free(&object);
}

/* ---- for people ---- */

static enum table_colour state_colour(const char *state)
{
	static const char *const good[] = {"stored", "sent", "dry-run", NULL};
	static const char *const bad[] = {"dead", "bounced", "failed", "refused", NULL};

	if (g_strv_contains(good, state))
		return TABLE_GOOD;
	return g_strv_contains(bad, state) ? TABLE_BAD : TABLE_WARNING;
}

static void print_field(const char *name, const char *value)
{
	if (value == NULL)
		return;
	g_autofree char *escaped = table_escape(value);

	printf("  %-10s  %s\n", name, *escaped != '\0' ? escaped : "<>");
}

static void print_head(const struct subject *subject)
{
	g_autoptr(GList) sorted = sorted_queue_ids(subject);
	g_autoptr(GString) queue_ids = g_string_new(NULL);
	struct terminal terminal = terminal_of(stdout);

	for (const GList *item = sorted; item != NULL; item = item->next)
		g_string_append_printf(queue_ids, "%s%s", queue_ids->len > 0 ? " " : "",
				       (const char *)item->data);
	printf("%s%s%s  %s\n", table_colour_on(&terminal, TABLE_STRONG),
	       subject->id != NULL ? subject->id : queue_ids->str,
	       table_colour_off(&terminal, TABLE_STRONG), direction_names[subject->direction]);
	print_field("subject", subject->title);
	print_field("from", subject->sender);
	print_field("to", subject->recipient);
	print_field(subject->direction == DIRECTION_OUTBOUND ? "stream" : "route", subject->stream);
	print_field("message-id", subject->header_id);
	if (queue_ids->len > 0)
		print_field("queue id", queue_ids->str);
	g_autofree char *conclusion = table_escape(subject->conclusion);

	printf("  %-10s  %s%s%s: %s\n\n", "state",
	       table_colour_on(&terminal, state_colour(subject->state)), subject->state,
	       table_colour_off(&terminal, state_colour(subject->state)), conclusion);
}

static void print_events(const struct subject *subject)
{
	static const struct table_column columns[] = {
		{"TIME", TABLE_LEFT, 0},
		{"SOURCE", TABLE_LEFT, 0},
		{"EVENT", TABLE_LEFT, 0},
		{"WHAT", TABLE_LEFT, 0},
	};
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), stdout, NULL);

	for (unsigned int i = 0; i < subject->events->len; i++) {
		const struct trace_event *event = subject->events->pdata[i];
		g_autofree char *time = event_time(event);

		table_cell(table, TABLE_DIM, time);
		table_cell(table, TABLE_DIM, source_names[event->source]);
		table_cell(table, event->fate == FATE_BOUNCED ? TABLE_BAD : TABLE_PLAIN,
			   event->what);
		table_cell(table, TABLE_PLAIN, event->text);
	}
	table_end(&table);
	putchar('\n');
}

static void print_list(const char *title, const GPtrArray *items)
{
	for (unsigned int i = 0; i < items->len; i++) {
		g_autofree char *escaped = table_escape(items->pdata[i]);

		printf("%s%s\n", title, escaped);
	}
}

void trace_print(const struct trace *trace)
{
	g_autofree char *key = table_escape(trace->key);

	printf("%s (%s): %u message%s%s\n\n", key, kind_words[trace->kind], trace->subjects->len,
	       trace->subjects->len == 1 ? "" : "s",
	       trace->more ? ", the latest of them (--limit)" : "");
	for (unsigned int i = 0; i < trace->subjects->len; i++) {
		const struct subject *subject = trace->subjects->pdata[i];

		print_head(subject);
		if (subject->events->len > 0)
			print_events(subject);
	}
	if (trace->subjects->len == 0)
		puts("Nothing is known of it where it was looked for.\n");
	print_list("looked at: ", trace->looked);
	print_list("NOT looked at: ", trace->gaps);
}
