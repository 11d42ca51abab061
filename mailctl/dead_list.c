/*
 * mailctl dead list and show: looking, and leaving everything where it is.
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/topology.h"
#include "mailctl/dead.h"
#include "mailctl/mailctl.h"
#include "mailctl/select.h"
#include "mailctl/table.h"

enum {
	LIMIT_DEFAULT = 100,
	GROUPS_MAX = 1000,      /* of a summary */
	GROUP_REASON_MAX = 100, /* bytes: what follows differs from message to message */
	REASON_MINIMUM = 20,    /* columns */
	ID_MINIMUM = 36,
	TEXT_MAX = 200,   /* bytes of a string in a body that is shown */
	PLAIN_MAX = 4000, /* ... of a body that is no JSON */
	MS_PER_S = 1000
};

/* ---- list ---- */

struct listing {
	struct table *table; /* NULL: JSON */
	bool begun;
};

static const struct table_column columns[] = {
	{"ID", TABLE_LEFT, ID_MINIMUM}, {"ORIGIN", TABLE_LEFT, 0},
	{"AGE", TABLE_RIGHT, 0},        {"TRIES", TABLE_RIGHT, 0},
	{"SIZE", TABLE_RIGHT, 0},       {"REASON", TABLE_LEFT, REASON_MINIMUM},
};

static char *age_text(int64_t since_s)
{
	int64_t age_ms = realtime_ms() - since_s * MS_PER_S;

	return since_s > 0 ? table_age(MAX(age_ms, 0)) : NULL;
}

static void list_row(struct table *table, const struct letter *letter)
{
	g_autofree char *age = age_text(letter->since_s);

	table_cell(table, TABLE_PLAIN, letter->id);
	table_cell(table, letter_origin(letter->delivery) != NULL ? TABLE_PLAIN : TABLE_WARNING,
		   letter->origin);
	table_cell(table, TABLE_PLAIN, age);
	table_number(table, TABLE_PLAIN, MAX(letter->delivery->attempt, 1));
	table_number(table, TABLE_PLAIN, (int64_t)letter->delivery->body_size);
	table_cell(table, TABLE_PLAIN, letter->reason);
}

static enum outcome list_one(struct sweep *sweep, const struct letter *letter,
			     struct broker_delivery *delivery, void *context, struct reason *reason)
{
	struct listing *listing = context;

	(void)sweep;
	(void)delivery;
	(void)reason;
	if (listing->table != NULL) {
		list_row(listing->table, letter);
		return OUTCOME_OK;
	}
	struct wire *object = letter_json(letter);
	g_autofree char *text = wire_print(object, false, NULL);

	printf("%s%s", listing->begun ? ",\n" : "\n", text);
	listing->begun = true;
	wire_free(&object);
	return OUTCOME_OK;
}

static void list_end(const struct dead *dead, const struct walk *way)
{
	if (dead->json)
		printf("], \"Total\": %" PRId64 ", \"Seen\": %" PRId64 ", \"Matched\": %" PRId64
		       "}\n",
		       way->total, way->seen, way->matched);
	else if (way->total == 0)
		fputs("no dead letters\n", stderr);
	else
		fprintf(stderr, "%" PRId64 " shown; %" PRId64 " of %" PRId64 " looked at\n",
			way->matched, way->seen, way->total);
}

static int list_all(const struct dead *dead)
{
	struct walk way = dead_walk(dead, NULL);
	struct reason reason = {0};
	struct listing listing = {0};

	if (dead->limit < 0)
		way.enough = LIMIT_DEFAULT;
	way.visit = list_one;
	way.context = &listing;
	if (dead->json)
		printf("{\"Queue\": \"" QUEUE_DEAD "\", \"Messages\": [");
	else
		listing.table = table_new(columns, G_N_ELEMENTS(columns), stdout, NULL);
	enum walk_end end = walk(&way, &reason);

	table_end(&listing.table);
	fflush(stdout);
	if (end != WALK_FAILED || dead->json)
		list_end(dead, &way);
	return walk_status(end, "dead list", &reason);
}

/* ---- summary ---- */

struct group {
	char *origin;
	char *reason;
	int64_t count;
	int64_t oldest_s; /* 0: not known */
};

static void free_group(void *data)
{
	struct group *group = data;

	g_free(group->origin);
	g_free(group->reason);
	g_free(group);
}

/* Cut where a character ends. */
static char *beginning(const char *text, size_t max)
{
	const char *end = text + MIN(strlen(text), max);

	return strlen(text) <= max
		       ? g_strdup(text)
		       : g_strdup_printf("%.*s...",
					 (int)(g_utf8_find_prev_char(text, end + 1) - text), text);
}

static enum outcome summarise(struct sweep *sweep, const struct letter *letter,
			      struct broker_delivery *delivery, void *context,
			      struct reason *reason)
{
	GHashTable *groups = context;
	g_autofree char *why = beginning(letter->reason, GROUP_REASON_MAX);
	char *key = g_strconcat(letter->origin, "\n", why, NULL);

	(void)sweep;
	(void)delivery;
	(void)reason;
	/* Reasons may be as many as letters. */
	if (g_hash_table_size(groups) >= GROUPS_MAX && !g_hash_table_contains(groups, key)) {
		g_free(key);
		key = g_strconcat(letter->origin, "\n", NULL);
		*why = '\0';
	}
	struct group *group = g_hash_table_lookup(groups, key);

	if (group == NULL) {
		group = g_new0(struct group, 1);
		group->origin = g_strdup(letter->origin);
		group->reason = g_strdup(why);
		g_hash_table_insert(groups, g_strdup(key), group);
	}
	g_free(key);
	group->count++;
	if (letter->since_s > 0 && (group->oldest_s == 0 || letter->since_s < group->oldest_s))
		group->oldest_s = letter->since_s;
	return OUTCOME_OK;
}

static int by_count(const void *a, const void *b)
{
	const struct group *one = *(struct group *const *)a;
	const struct group *other = *(struct group *const *)b;

	if (one->count != other->count)
		return one->count < other->count ? 1 : -1;
	int order = strcmp(one->origin, other->origin);

	return order != 0 ? order : strcmp(one->reason, other->reason);
}

static void print_groups(const GPtrArray *groups)
{
	static const struct table_column heads[] = {{"COUNT", TABLE_RIGHT, 0},
						    {"ORIGIN", TABLE_LEFT, 0},
						    {"OLDEST", TABLE_RIGHT, 0},
						    {"REASON", TABLE_LEFT, REASON_MINIMUM}};
	struct table *table = table_new(heads, G_N_ELEMENTS(heads), stdout, NULL);

	for (guint i = 0; i < groups->len; i++) {
		const struct group *group = groups->pdata[i];
		g_autofree char *age = age_text(group->oldest_s);

		table_number(table, TABLE_PLAIN, group->count);
		table_cell(table, TABLE_PLAIN, group->origin);
		table_cell(table, TABLE_PLAIN, age);
		table_cell(table, TABLE_PLAIN, group->reason);
	}
	table_end(&table);
}

static void print_groups_json(const GPtrArray *groups, const struct walk *way)
{
	struct wire *answer = wire_object();
	struct wire *list = wire_array();

	for (guint i = 0; i < groups->len; i++) {
		const struct group *group = groups->pdata[i];
		struct wire *item = wire_object();

		wire_set_int(item, "Count", group->count);
		wire_set_text(item, "Origin", group->origin);
		wire_set_text(item, "Reason", group->reason);
		if (group->oldest_s > 0) {
			g_autofree char *time = table_time(group->oldest_s * MS_PER_S);

			wire_set_text(item, "Oldest", time);
		}
		wire_append(list, item);
	}
	wire_set_text(answer, "Queue", QUEUE_DEAD);
	wire_set(answer, "Groups", list);
	wire_set_int(answer, "Total", way->total);
	wire_set_int(answer, "Matched", way->matched);
	select_print(&answer);
}

static int list_groups(const struct dead *dead)
{
	struct walk way = dead_walk(dead, "look");
	struct reason reason = {0};
	g_autoptr(GHashTable) groups =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_group);
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	GHashTableIter iterator;
	void *group;

	way.visit = summarise;
	way.context = groups;
	enum walk_end end = walk(&way, &reason);

	g_hash_table_iter_init(&iterator, groups);
	while (g_hash_table_iter_next(&iterator, NULL, &group))
		g_ptr_array_add(sorted, group);
	g_ptr_array_sort(sorted, by_count);
	if (dead->json)
		print_groups_json(sorted, &way);
	else
		print_groups(sorted);
	return walk_status(end, "dead list", &reason);
}

int dead_list(const struct dead *dead)
{
	return dead->summary ? list_groups(dead) : list_all(dead);
}

/* ---- show ---- */

static void show_fact(const char *name, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	g_autofree char *escaped = table_escape(text);

	printf("%-14s %s\n", name, escaped);
}

static bool show_member(const char *key, const struct wire *value, void *context)
{
	const char *text = wire_text(value);
	g_autofree char *printed = text == NULL ? wire_print(value, false, NULL) : NULL;
	g_autofree char *name = table_escape(key);
	g_autofree char *escaped = table_escape(text != NULL ? text : printed);

	printf("%s%s: %s\n", (const char *)context, name, escaped);
	return true;
}

static bool show_property(const char *key, const struct wire *value, void *context)
{
	static char indent[] = "    ";

	if (strcmp(key, "headers") != 0)
		return show_member(key, value, context);
	printf("%sheaders:\n", (const char *)context);
	return wire_each(value, show_member, indent);
}

/* Bytes of the string literal that begins here, with its quotes. */
static size_t literal_size(const char *json)
{
	size_t size = 1;

	while (json[size] != '"' && json[size] != '\0')
		size += json[size] == '\\' && json[size + 1] != '\0' ? 2 : 1;
	return json[size] == '"' ? size + 1 : size;
}

/* The beginning of a literal; neither an escape nor a character is cut. */
static size_t literal_beginning(const char *json)
{
	size_t size = 1;

	while (size < TEXT_MAX)
		size += json[size] == '\\'
				? 2
				: (size_t)(g_utf8_next_char(json + size) - (json + size));
	return size;
}

/* Pretty JSON with the long strings in it (attachments, raw mails) cut. */
static char *without_long_strings(const char *json)
{
	GString *result = g_string_new(NULL);

	while (*json != '\0') {
		size_t size = *json == '"' ? literal_size(json) : 1;

		if (size <= TEXT_MAX + 2) {
			g_string_append_len(result, json, (gssize)size);
		} else {
			g_string_append_len(result, json, (gssize)literal_beginning(json));
			g_string_append_printf(result, "... (%zu bytes)\"", size - 2);
		}
		json += size;
	}
	return g_string_free(result, FALSE);
}

static void show_text(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		g_autofree char *escaped = table_escape(*line);

		printf("  %s\n", escaped);
	}
}

static void show_body(const struct broker_delivery *delivery)
{
	struct wire *body = wire_parse(delivery->body, delivery->body_size, NULL);

	puts("Body");
	if (body != NULL) {
		g_autofree char *pretty = wire_print(body, true, NULL);
		g_autofree char *text = without_long_strings(pretty);

		show_text(text);
		wire_free(&body);
		return;
	}
	size_t size = MIN(delivery->body_size, PLAIN_MAX);
	g_autofree char *text = g_utf8_make_valid(delivery->body, (gssize)size);

	show_text(text);
	if (size < delivery->body_size)
		printf("  ... (%zu bytes)\n", delivery->body_size);
}

static void show_for_people(const struct letter *letter)
{
	static const char *const facts[] = {"MessageID", "Origin",      "Reason",    "LastError",
					    "DeadSince", "PublishedAt", "FirstSeen", "Attempts",
					    "Requeued",  "RequeuedAt",  "QueueID",   "Size"};
	static char indent[] = "  ";
	struct wire *object = letter_json(letter);
	struct wire *properties = broker_properties_json(letter->delivery->properties);

	for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
		const struct wire *value = wire_get(object, facts[i]);
		const char *text = value != NULL ? wire_text(value) : NULL;
		g_autofree char *printed =
			value != NULL && text == NULL ? wire_print(value, false, NULL) : NULL;

		show_fact(facts[i], text != NULL ? text : printed);
	}
	puts("Properties");
	wire_each(properties, show_property, indent);
	show_body(letter->delivery);
	wire_free(&properties);
	wire_free(&object);
}

static void show_as_json(const struct letter *letter)
{
	const struct broker_delivery *delivery = letter->delivery;
	struct wire *object = letter_json(letter);
	struct wire *body = wire_parse(delivery->body, delivery->body_size, NULL);

	wire_set(object, "Properties", broker_properties_json(delivery->properties));
	if (body != NULL)
		wire_set(object, "Body", body);
	else
		wire_set_base64(object, "BodyBase64", delivery->body, delivery->body_size);
	fflush(stdout);
	wire_write(object, STDOUT_FILENO, true);
	wire_free(&object);
}

static enum outcome show_one(struct sweep *sweep, const struct letter *letter,
			     struct broker_delivery *delivery, void *context, struct reason *reason)
{
	const struct dead *dead = context;

	(void)sweep;
	(void)reason;
	if (dead->body)
		fwrite(delivery->body, 1, delivery->body_size, stdout);
	else if (dead->json)
		show_as_json(letter);
	else
		show_for_people(letter);
	return OUTCOME_OK;
}

int dead_show(const struct dead *dead)
{
	struct walk way = dead_walk(dead, "look");
	struct reason reason = {0};

	way.visit = show_one;
	way.context = (void *)dead;
	way.enough = 1;
	enum walk_end end = walk(&way, &reason);

	if (end == WALK_DONE && way.matched == 0) {
		fprintf(stderr,
			"mailctl: dead show: %s: none of the %" PRId64
			" dead letters has that id\n",
			dead->filter.ids[0], way.total);
		return EXIT_WRONG;
	}
	return walk_status(end, "dead show", &reason);
}
