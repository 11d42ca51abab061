/*
 * mailctl purge: removes what is older than it should be kept.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/stop.h"
#include "common/wire.h"
#include "mailctl/mailctl.h"
#include "mailctl/progress.h"
#include "mailctl/purge_db.h"
#include "mailctl/purge_threads.h"
#include "mailctl/quarantine_db.h"
#include "mailctl/table.h"

const char purge_options[] =
	"\n"
	"  --older-than=TIME    2h, 90d ...; without it each route's and stream's keep\n"
	"  --route=ROUTE        stored mails of this route only; may be repeated\n"
	"  --outbound           records of outgoing mail only\n"
	"  -n, --dry-run        say what would be removed\n"
	"  --json               one JSON object\n"
	"\n"
	"Safe at any time and to be interrupted; run again it goes on.\n";

enum { OPTION_JSON = 1, OPTION_OLDER_THAN, OPTION_ROUTE, OPTION_OUTBOUND, SWEEP_BYTES = 4 };

static const int64_t AGE_MIN_MS = 1000;
static const int64_t AGE_MAX_MS = INT64_C(36500) * 86400 * 1000;
/* How far a sweep is: blobs are in the order of their digests, which are evenly spread. */
static const int64_t SWEEP_END = INT64_C(1) << (SWEEP_BYTES * 8);

struct target {
	bool is_route;
	char *name;
	char before[PURGE_TIME_SIZE];
	int64_t age_ms;
	int64_t found;
	int64_t quarantined; /* of these it found so many in quarantine, too ... */
	int64_t dropped;     /* ... and removed them */
	struct purge_range range;
};

struct purge {
	struct config *config;
	struct purge_db *db;
	int64_t older_than_ms; /* 0: each one's keep */
	GPtrArray *routes;     /* names; empty: all */
	bool outbound;
	bool dry_run;
	bool json;
	GPtrArray *targets; /* struct target * */
	struct purge_sweep sweep;
	bool swept;
	struct reason reason; /* why it ended early; text "": it did not */
};

/* ---- what is to be done ---- */

static void free_target(void *data)
{
	struct target *target = data;

	g_free(target->name);
	g_free(target);
}

static void add_target(struct purge *purge, bool is_route, const char *name, int64_t keep_ms)
{
	struct target *target;
	int64_t age_ms = purge->older_than_ms != 0 ? purge->older_than_ms : keep_ms;

	if (age_ms == 0)
		return;
	target = g_new0(struct target, 1);
	target->is_route = is_route;
	target->name = g_strdup(name);
	target->age_ms = age_ms;
	g_ptr_array_add(purge->targets, target);
}

static bool is_wanted(const struct purge *purge, const char *route)
{
	for (guint i = 0; i < purge->routes->len; i++)
		if (strcmp(purge->routes->pdata[i], route) == 0)
			return true;
	return purge->routes->len == 0 && !purge->outbound;
}

static void add_configured(struct purge *purge)
{
	const struct config *config = purge->config;

	for (size_t i = 0; i < config->route_count; i++)
		if (is_wanted(purge, config->routes[i].name))
			add_target(purge, true, config->routes[i].name, config->routes[i].keep);
	if (purge->routes->len > 0 && !purge->outbound)
		return;
	for (size_t i = 0; i < config->stream_count; i++)
		add_target(purge, false, config->streams[i].name, config->streams[i].keep);
}

/* Rows may be of routes and streams that the config knows no more. */
static enum outcome add_found(struct purge *purge)
{
	g_autoptr(GPtrArray) routes = NULL;
	g_autoptr(GPtrArray) streams = NULL;

	if (purge_routes(purge->db, &routes, &purge->reason) != OUTCOME_OK ||
	    purge_streams(purge->db, &streams, &purge->reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	for (guint i = 0; i < routes->len; i++)
		if (is_wanted(purge, routes->pdata[i]))
			add_target(purge, true, routes->pdata[i], 0);
	for (guint i = 0; i < streams->len && purge->outbound; i++)
		add_target(purge, false, streams->pdata[i], 0);
	return OUTCOME_OK;
}

static enum outcome find_targets(struct purge *purge)
{
	if (purge->older_than_ms == 0)
		add_configured(purge);
	else if (add_found(purge) != OUTCOME_OK)
		return OUTCOME_RETRY;
	for (guint i = 0; i < purge->targets->len; i++) {
		struct target *target = purge->targets->pdata[i];

		target->range = purge_range(target->name, target->before);
		if (purge_before(purge->db, target->age_ms, target->before, &purge->reason) !=
			    OUTCOME_OK ||
		    (target->is_route ? purge_count_messages : purge_count_records)(
			    purge->db, &target->range, &target->found, &purge->reason) !=
			    OUTCOME_OK)
			return OUTCOME_RETRY;
		if (target->is_route &&
		    quarantine_count_before(purge_connection(purge->db), target->name,
					    target->before, &target->quarantined,
					    &purge->reason) != OUTCOME_OK)
			return OUTCOME_RETRY;
	}
	return OUTCOME_OK;
}

/* ---- doing it ---- */

static enum outcome interrupted(struct purge *purge)
{
	return outcome_retry(&purge->reason, "4.3.2", "interrupted; run again it goes on");
}

static enum outcome drop_quarantined(struct purge *purge, struct target *target)
{
	enum outcome outcome = OUTCOME_OK;
	int64_t removed = 1;

	while (outcome == OUTCOME_OK && removed > 0) {
		outcome = quarantine_purge(purge_connection(purge->db), target->name,
					   target->before, &removed, &purge->reason);
		target->dropped += outcome == OUTCOME_OK ? removed : 0;
		if (outcome == OUTCOME_OK && removed > 0 && stop_requested() > 0)
			outcome = interrupted(purge);
	}
	return outcome;
}

static enum outcome purge_target(struct purge *purge, struct target *target)
{
	struct progress *progress = progress_new(target->name, target->found);
	enum outcome outcome = OUTCOME_OK;
	bool done = false;

	while (outcome == OUTCOME_OK && !done) {
		outcome = (target->is_route ? purge_messages : purge_records)(
			purge->db, &target->range, &done, &purge->reason);
		progress_set(progress, target->range.removed);
		if (outcome == OUTCOME_OK && !done && stop_requested() > 0)
			outcome = interrupted(purge);
	}
	if (outcome == OUTCOME_OK && target->is_route)
		outcome = purge_pending(purge->db, &target->range, &purge->reason);
	if (outcome == OUTCOME_OK && target->is_route)
		outcome = purge_threads(purge_connection(purge->db), target->range.name,
					target->range.before, &purge->reason);
	if (outcome == OUTCOME_OK && target->is_route)
		outcome = drop_quarantined(purge, target);
	progress_end(&progress);
	return outcome;
}

static int64_t sweep_position(const struct purge_sweep *sweep)
{
	int64_t position = 0;

	for (size_t i = 0; i < SWEEP_BYTES; i++)
		position = position << 8 | sweep->at[i];
	return position;
}

static enum outcome sweep(struct purge *purge)
{
	enum { PARTS = 1000 };
	struct progress *progress = progress_new("unreferenced", PARTS);
	enum outcome outcome = OUTCOME_OK;
	bool done = false;

	purge->sweep.dry_run = purge->dry_run;
	while (outcome == OUTCOME_OK && !done) {
		outcome = purge_sweep(purge->db, &purge->sweep, &done, &purge->reason);
		progress_set(progress, sweep_position(&purge->sweep) * PARTS / SWEEP_END);
		if (outcome == OUTCOME_OK && !done && stop_requested() > 0)
			outcome = interrupted(purge);
	}
	purge->swept = outcome == OUTCOME_OK;
	progress_end(&progress);
	return outcome;
}

static enum outcome run(struct purge *purge)
{
	bool only_outbound = purge->outbound && purge->routes->len == 0;

	purge->db = purge_open(purge->config, &purge->reason);
	if (purge->db == NULL || find_targets(purge) != OUTCOME_OK)
		return OUTCOME_RETRY;
	for (guint i = 0; i < purge->targets->len && !purge->dry_run; i++)
		if (purge_target(purge, purge->targets->pdata[i]) != OUTCOME_OK)
			return OUTCOME_RETRY;
	return only_outbound ? OUTCOME_OK : sweep(purge);
}

/* ---- what was done ---- */

static void print_table(const struct purge *purge)
{
	static const struct table_column columns[] = {
		{"KIND", TABLE_LEFT, 0},         {"NAME", TABLE_LEFT, 8},
		{"BEFORE (UTC)", TABLE_LEFT, 0}, {"FOUND", TABLE_RIGHT, 0},
		{"REMOVED", TABLE_RIGHT, 0},     {"REFERENCED", TABLE_RIGHT, 0},
		{"ATTACHMENTS", TABLE_RIGHT, 0}, {"BLOBS", TABLE_RIGHT, 0},
		{"BYTES", TABLE_RIGHT, 0},       {"QUARANTINED", TABLE_RIGHT, 0},
	};
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), stdout, NULL);

	for (guint i = 0; i < purge->targets->len; i++) {
		const struct target *target = purge->targets->pdata[i];
		const struct purge_range *range = &target->range;

		table_cell(table, TABLE_PLAIN, target->is_route ? "route" : "stream");
		table_cell(table, TABLE_PLAIN, target->name);
		table_cell(table, TABLE_PLAIN, target->before);
		table_number(table, TABLE_PLAIN, target->found);
		table_number(table, TABLE_PLAIN, range->removed);
		table_number(table, range->kept > 0 ? TABLE_WARNING : TABLE_PLAIN, range->kept);
		table_number(table, TABLE_PLAIN, range->attachments);
		table_number(table, TABLE_PLAIN, range->blobs);
		table_number(table, TABLE_PLAIN, range->blob_bytes);
		table_number(table, TABLE_PLAIN,
			     purge->dry_run ? target->quarantined : target->dropped);
	}
	if (purge->swept) {
		table_cell(table, TABLE_PLAIN, "blobs");
		table_cell(table, TABLE_PLAIN, "unreferenced");
		for (int i = 0; i < 5; i++)
			table_cell(table, TABLE_PLAIN, NULL);
		table_number(table, TABLE_PLAIN, purge->sweep.blobs);
		table_number(table, TABLE_PLAIN, purge->sweep.bytes);
		table_cell(table, TABLE_PLAIN, NULL);
	}
	table_end(&table);
	if (purge->dry_run)
		puts("Nothing was removed.");
	else if (purge->targets->len == 0 && purge->older_than_ms == 0)
		puts("No route or stream of the config has keep.");
}

static struct wire *target_json(const struct target *target)
{
	const struct purge_range *range = &target->range;
	struct wire *json = wire_object();

	wire_set_text(json, "Name", target->name);
	wire_set_text(json, "Before", target->before);
	wire_set_int(json, "Found", target->found);
	wire_set_int(json, "Removed", range->removed);
	if (!target->is_route)
		return json;
	wire_set_int(json, "Referenced", range->kept);
	wire_set_int(json, "Attachments", range->attachments);
	wire_set_int(json, "Blobs", range->blobs);
	wire_set_int(json, "BlobBytes", range->blob_bytes);
	wire_set_int(json, "QuarantineFound", target->quarantined);
	wire_set_int(json, "QuarantineRemoved", target->dropped);
	return json;
}

static void print_json(const struct purge *purge)
{
	struct wire *json = wire_object();
	struct wire *routes = wire_array();
	struct wire *streams = wire_array();

	wire_set_bool(json, "DryRun", purge->dry_run);
	wire_set_bool(json, "Complete", purge->reason.text[0] == '\0');
	if (purge->reason.text[0] != '\0')
		wire_set_text(json, "Reason", purge->reason.text);
	for (guint i = 0; i < purge->targets->len; i++) {
		const struct target *target = purge->targets->pdata[i];

		wire_append(target->is_route ? routes : streams, target_json(target));
	}
	wire_set(json, "Routes", routes);
	wire_set(json, "Streams", streams);
	if (purge->swept) {
		struct wire *blobs = wire_object();

		wire_set_int(blobs, "Blobs", purge->sweep.blobs);
		wire_set_int(blobs, "BlobBytes", purge->sweep.bytes);
		wire_set(json, "Unreferenced", blobs);
	}
	g_autofree char *text = wire_print(json, true, NULL);

	fputs(text, stdout);
	wire_free(&json);
}

/* ---- the command ---- */

static bool take_age(struct purge *purge, const char *text)
{
	struct reason reason;

	if (config_parse_time(text, AGE_MIN_MS, AGE_MAX_MS, &purge->older_than_ms, &reason) ==
	    OUTCOME_OK)
		return true;
	return mailctl_complain("--older-than: %s", reason.text);
}

static bool take_options(struct purge *purge, int argc, char **argv, const char **config_file)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"dry-run", no_argument, NULL, 'n'},
		{"json", no_argument, NULL, OPTION_JSON},
		{"older-than", required_argument, NULL, OPTION_OLDER_THAN},
		{"outbound", no_argument, NULL, OPTION_OUTBOUND},
		{"route", required_argument, NULL, OPTION_ROUTE},
		{NULL, 0, NULL, 0},
	};
	bool fine = true;
	int option;

	while (fine && (option = getopt_long(argc, argv, "c:n", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			*config_file = optarg;
			break;
		case 'n':
			purge->dry_run = true;
			break;
		case OPTION_JSON:
			purge->json = true;
			break;
		case OPTION_OLDER_THAN:
			fine = take_age(purge, optarg);
			break;
		case OPTION_OUTBOUND:
			purge->outbound = true;
			break;
		case OPTION_ROUTE:
			g_ptr_array_add(purge->routes, optarg);
			break;
		default:
			return false;
		}
	}
	return fine &&
	       (optind == argc || mailctl_complain("no argument expected: %s", argv[optind]));
}

/* A misspelt route is an error, not nothing to do. */
static bool check_routes(const struct purge *purge)
{
	for (guint i = 0; i < purge->routes->len; i++) {
		const char *name = purge->routes->pdata[i];
		const struct config_route *route = config_route_named(purge->config, name);

		if (purge->older_than_ms != 0)
			continue;
		if (route == NULL)
			return mailctl_complain("--route: there is no route %s", name);
		if (route->keep == 0)
			return mailctl_complain("--route: route %s has no keep: say --older-than",
						name);
	}
	return true;
}

static int finish(struct purge *purge, enum outcome outcome)
{
	if (purge->json)
		print_json(purge);
	else if (purge->db != NULL)
		print_table(purge);
	if (outcome != OUTCOME_OK)
		mailctl_complain("%s", purge->reason.text);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		mailctl_complain("standard output: %s", g_strerror(errno));
		return EXIT_WRONG;
	}
	return outcome == OUTCOME_OK ? EXIT_FINE : EXIT_WRONG;
}

int command_purge(int argc, char **argv, const char *config_file)
{
	struct purge purge = {.routes = g_ptr_array_new(),
			      .targets = g_ptr_array_new_with_free_func(free_target)};
	int status = EXIT_BAD_CONFIG;

	if (!take_options(&purge, argc, argv, &config_file)) {
		status = mailctl_usage("purge");
	} else if ((purge.config = mailctl_config(config_file)) != NULL) {
		if (!check_routes(&purge))
			status = mailctl_usage("purge");
		else if (!mailctl_may_be_interrupted())
			status = EXIT_WRONG;
		else
			status = finish(&purge, run(&purge));
	}
	purge_close(&purge.db);
	config_free(&purge.config);
	g_ptr_array_unref(purge.targets);
	g_ptr_array_unref(purge.routes);
	return status;
}
