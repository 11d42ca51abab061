/*
 * mailctl trace: where is it, and what happened to it?
 */
#include "mailctl/trace.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/deadline.h"
#include "common/id.h"
#include "mailctl/logline.h"
#include "mailctl/mailctl.h"

const char trace_options[] =
	"  KEY                  Postfix's queue id, our id, a Message-ID (<...>) or an address\n"
	"  --as=KIND            what KEY is: queue-id, id, message-id or address\n"
	"  --since=TIME         search the logs so far back (7d; unless KEY tells its time)\n"
	"  --limit=N            the latest N messages at most (20)\n"
	"  --log=PATTERN        log files, or journal, instead of log.files; may be repeated\n"
	"  --no-log             read no logs\n"
	"  --postfix-config=DIR Postfix's config_directory, if it is not the default one\n"
	"  --json               one JSON object\n"
	"  -c, --config=FILE    config file\n";

enum {
	OPTION_AS = 256,
	OPTION_SINCE,
	OPTION_LIMIT,
	OPTION_LOG,
	OPTION_NO_LOG,
	OPTION_POSTFIX,
	OPTION_JSON
};

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 1000, DECIMAL = 10 };

#define HOUR_MS (INT64_C(60) * 60 * 1000)
#define SINCE_DEFAULT_MS (INT64_C(7) * 24 * HOUR_MS)
#define SINCE_MAX_MS (INT64_C(10) * 365 * 24 * HOUR_MS)

/* ---- what is searched for ---- */

static void want(struct trace *trace, GHashTable *set, const char *text)
{
	/* g_hash_table_add() would put the new key in place of the old one, which somebody may be
	 * looking at. */
	if (g_hash_table_contains(set, text))
		return;
	g_hash_table_add(set, g_strdup(text));
	trace->growth++;
}

/* What notices and acknowledgements of a message would have as their ids. */
static void expect_notices(struct trace *trace, const struct id *id, const char *text)
{
	static const char *const kinds[] = {ID_NOTICE_DELAYED, ID_NOTICE_FAILED, ID_TICKET_RECEIVED,
					    ID_GALLERY_RECEIVED};

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct id derived;
		char notice[ID_TEXT_SIZE];

		id_derived(&derived, id, kinds[i]);
		g_hash_table_insert(trace->notices, g_strdup(id_text(&derived, notice)),
				    g_strdup(text));
	}
}

void trace_want_id(struct trace *trace, const char *text)
{
	struct id id;
	char canonical[ID_TEXT_SIZE];

	if (text == NULL || !id_parse(&id, text))
		return;
	want(trace, trace->ids, id_text(&id, canonical));
	expect_notices(trace, &id, canonical);
}

const char *trace_notice_about(const struct trace *trace, const char *id)
{
	return g_hash_table_lookup(trace->notices, id);
}

enum trace_step trace_notice_step(const char *about, const char *id)
{
	struct id from;
	struct id notice;
	struct id failed;

	if (!id_parse(&from, about) || !id_parse(&notice, id))
		return STEP_TRIED;
	id_derived(&failed, &from, ID_NOTICE_FAILED);
	return memcmp(&failed, &notice, sizeof(failed)) == 0 ? STEP_TOLD : STEP_TRIED;
}

void trace_want_queue_id(struct trace *trace, const char *queue_id)
{
	if (queue_id != NULL && *queue_id != '\0')
		want(trace, trace->queue_ids, queue_id);
}

char *trace_id_of_header(const char *header)
{
	struct id id;
	char text[ID_TEXT_SIZE];
	const char *at = strrchr(header, '@');

	if (at == NULL)
		return NULL;
	g_autofree char *local = g_strndup(header, (size_t)(at - header));

	return id_parse(&id, local) ? g_strdup(id_text(&id, text)) : NULL;
}

bool trace_wants_id(const struct trace *trace, const char *id)
{
	return *id != '\0' && g_hash_table_contains(trace->ids, id);
}

bool trace_wants_queue_id(const struct trace *trace, const char *queue_id)
{
	return *queue_id != '\0' && g_hash_table_contains(trace->queue_ids, queue_id);
}

bool trace_is_address(const struct trace *trace, const char *text)
{
	return trace->address != NULL && strcasecmp(trace->address, text) == 0;
}

static bool in_address(char c)
{
	return c != '\0' && (g_ascii_isalnum(c) || strchr(".-_+=!#$%&*/?^{|}~@", c) != NULL);
}

bool trace_holds_address(const struct trace *trace, const char *text)
{
	size_t length;

	if (trace->address == NULL)
		return false;
	length = strlen(trace->address);
	for (const char *p = strcasestr(text, trace->address); p != NULL;
	     p = strcasestr(p + 1, trace->address))
		if ((p == text || !in_address(p[-1])) && !in_address(p[length]))
			return true;
	return false;
}

void trace_gap(struct trace *trace, const char *source, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *text = g_strdup_printf("%s: %s", source, why);

	if (!g_ptr_array_find_with_equal_func(trace->gaps, text, g_str_equal, NULL))
		g_ptr_array_add(trace->gaps, g_steal_pointer(&text));
}

void trace_looked(struct trace *trace, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	if (!g_ptr_array_find_with_equal_func(trace->looked, text, g_str_equal, NULL))
		g_ptr_array_add(trace->looked, g_steal_pointer(&text));
}

/* ---- the key ---- */

static const char *const kind_names[] = {
	[KIND_ID] = "id",
	[KIND_QUEUE_ID] = "queue-id",
	[KIND_MESSAGE_ID] = "message-id",
	[KIND_ADDRESS] = "address",
};

static bool guess_kind(const char *key, enum trace_kind *kind)
{
	struct id id;

	if (id_parse(&id, key))
		*kind = KIND_ID;
	else if (*key == '<')
		*kind = KIND_MESSAGE_ID;
	else if (strchr(key, '@') != NULL)
		*kind = KIND_ANY_ADDRESS;
	else if (logline_is_queue_id(key))
		*kind = KIND_QUEUE_ID;
	else
		return false;
	return true;
}

static bool kind_named(const char *name, enum trace_kind *kind)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kind_names); i++)
		if (strcmp(kind_names[i], name) == 0) {
			*kind = (enum trace_kind)i;
			return true;
		}
	return false;
}

/* An id has the time of its mail in it. */
static void since_id(struct trace *trace, const struct id *id)
{
	int64_t ms = 0;
	int version = id->byte[6] >> 4;

	if (version != 7 && version != 8)
		return;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->byte[i];
	trace->since_ms = MIN(trace->since_ms, ms - HOUR_MS);
}

static void want_header(struct trace *trace, const char *key)
{
	size_t length = strlen(key);
	bool brackets = length > 1 && key[0] == '<' && key[length - 1] == '>';
	char *header = brackets ? g_strndup(key + 1, length - 2) : g_strdup(key);
	g_autofree char *id = trace_id_of_header(header);

	trace_want_id(trace, id);
	g_hash_table_add(trace->header_ids, header);
}

static bool take_key(struct trace *trace)
{
	struct id id;
	int64_t ms;

	switch (trace->kind) {
	case KIND_ID:
		if (!id_parse(&id, trace->key))
			return false;
		trace_want_id(trace, trace->key);
		since_id(trace, &id);
		return true;
	case KIND_QUEUE_ID:
		if (!logline_is_queue_id(trace->key))
			return false;
		trace_want_queue_id(trace, trace->key);
		if (id_queue_time(trace->key, &ms))
			trace->since_ms = MIN(trace->since_ms, ms - HOUR_MS);
		return true;
	case KIND_MESSAGE_ID:
		want_header(trace, trace->key);
		return true;
	case KIND_ANY_ADDRESS:
		want_header(trace, trace->key);
		break;
	case KIND_ADDRESS:
		break;
	}
	trace->address = g_utf8_strdown(trace->key, -1);
	return true;
}

/* ---- the command ---- */

struct arguments {
	const char *config_file;
	const char *since;
	bool any_kind;
	bool print_json;
	bool no_log;
	GPtrArray *logs;
};

static bool number_of(const char *text, int64_t *number)
{
	char *end;

	*number = g_ascii_strtoll(text, &end, DECIMAL);
	return *end == '\0' && *number >= 1 && *number <= LIMIT_MAX;
}

static bool bad(const char *option, const char *value)
{
	fprintf(stderr, "mailctl: trace: --%s: %s: not understood\n", option, value);
	return false;
}

static bool take_option(struct trace *trace, struct arguments *arguments, int option)
{
	int64_t ms;

	switch (option) {
	case 'c':
		arguments->config_file = optarg;
		return true;
	case OPTION_AS:
		arguments->any_kind = false;
		return kind_named(optarg, &trace->kind) || bad("as", optarg);
	case OPTION_SINCE:
		if (config_parse_time(optarg, 1, SINCE_MAX_MS, &ms, NULL) != OUTCOME_OK)
			return bad("since", optarg);
		trace->since_ms = realtime_ms() - ms;
		return true;
	case OPTION_LIMIT:
		return number_of(optarg, &trace->limit) || bad("limit", optarg);
	case OPTION_LOG:
		g_ptr_array_add(arguments->logs, optarg);
		return true;
	case OPTION_NO_LOG:
		arguments->no_log = true;
		return true;
	case OPTION_POSTFIX:
		trace->postfix_config = optarg;
		return true;
	case OPTION_JSON:
		arguments->print_json = true;
		return true;
	default:
		return false;
	}
}

static bool take_arguments(struct trace *trace, struct arguments *arguments, int argc, char **argv)
{
	static const struct option options[] = {
		{"as", required_argument, NULL, OPTION_AS},
		{"since", required_argument, NULL, OPTION_SINCE},
		{"limit", required_argument, NULL, OPTION_LIMIT},
		{"log", required_argument, NULL, OPTION_LOG},
		{"no-log", no_argument, NULL, OPTION_NO_LOG},
		{"postfix-config", required_argument, NULL, OPTION_POSTFIX},
		{"json", no_argument, NULL, OPTION_JSON},
		{"config", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1)
		if (!take_option(trace, arguments, option))
			return false;
	if (optind + 1 != argc) {
		fputs("mailctl: trace: one queue id, id, Message-ID or address\n", stderr);
		return false;
	}
	trace->key = argv[optind];
	if ((arguments->any_kind && !guess_kind(trace->key, &trace->kind)) || !take_key(trace)) {
		fprintf(stderr,
			"mailctl: trace: %s: neither a queue id nor an id, a Message-ID in angle "
			"brackets or an address\n",
			trace->key);
		return false;
	}
	return true;
}

static void free_queue(void *item)
{
	struct trace_queue *queue = item;

	g_free(queue->name);
	g_free(queue);
}

static GHashTable *text_set(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void trace_init(struct trace *trace)
{
	*trace = (struct trace){
		.since_ms = realtime_ms() - SINCE_DEFAULT_MS,
		.limit = LIMIT_DEFAULT,
		.ids = text_set(),
		.notices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.queue_ids = text_set(),
		.header_ids = text_set(),
		.events = g_ptr_array_new_with_free_func(trace_event_free),
		.known = text_set(),
		.subjects = g_ptr_array_new_with_free_func(trace_subject_free),
		.senders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.mail_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.queues = g_ptr_array_new_with_free_func(free_queue),
		.looked = g_ptr_array_new_with_free_func(g_free),
		.gaps = g_ptr_array_new_with_free_func(g_free),
	};
}

static void trace_clear(struct trace *trace)
{
	g_hash_table_unref(trace->ids);
	g_hash_table_unref(trace->notices);
	g_hash_table_unref(trace->queue_ids);
	g_hash_table_unref(trace->header_ids);
	g_free(trace->address);
	g_ptr_array_unref(trace->subjects);
	g_ptr_array_unref(trace->events);
	g_hash_table_unref(trace->known);
	g_hash_table_unref(trace->senders);
	g_hash_table_unref(trace->mail_ids);
	g_ptr_array_unref(trace->queues);
	g_ptr_array_unref(trace->looked);
	g_ptr_array_unref(trace->gaps);
}

/* What one source tells leads to more in the others.  The database comes last again, for what the
 * others named, and because a message moves from Postfix to the broker to the database: looked at
 * in this order it cannot slip through. */
static void search(struct trace *trace)
{
	trace_database(trace);
	trace_postfix_queue(trace);
	trace_log(trace);
	trace_broker(trace);
	if (trace->saw_database)
		trace_database(trace);
	if (trace->saw_database)
		trace_looked(trace, "database");
	trace_sort_out(trace);
	trace_mask(trace);
	for (unsigned int i = 0; i < trace->subjects->len; i++)
		trace_conclude(trace, trace->subjects->pdata[i]);
}

static int run(struct trace *trace, struct arguments *arguments, int argc, char **argv)
{
	static char *none[] = {NULL};
	int status;

	if (!take_arguments(trace, arguments, argc, argv))
		return mailctl_usage("trace");
	struct config *config = mailctl_config(arguments->config_file);

	if (config == NULL)
		return EXIT_BAD_CONFIG;
	trace->config = config;
	trace->log_files = config->log_files;
	if (arguments->logs->len > 0) {
		g_ptr_array_add(arguments->logs, NULL);
		trace->log_files = (char **)arguments->logs->pdata;
	}
	if (arguments->no_log)
		trace->log_files = none;
	search(trace);
	if (arguments->print_json)
		trace_print_json(trace);
	else
		trace_print(trace);
	status = trace->subjects->len > 0 ? EXIT_FINE : EXIT_WRONG;
	config_free(&config);
	return status;
}

int command_trace(int argc, char **argv, const char *config_file)
{
	struct trace trace;
	struct arguments arguments = {
		.config_file = config_file, .any_kind = true, .logs = g_ptr_array_new()};

	trace_init(&trace);
	int status = run(&trace, &arguments, argc, argv);

	g_ptr_array_unref(arguments.logs);
	trace_clear(&trace);
	return status;
}
