/*
 * mailctl watch: looks after the pipeline and alerts the operator.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/deadline.h"
#include "common/log.h"
#include "common/stop.h"
#include "mailctl/alert.h"
#include "mailctl/alert_tell.h"
#include "mailctl/alert_text.h"
#include "mailctl/mailctl.h"
#include "mailctl/probe.h"
#include "mailctl/queue_watch.h"
#include "mailctl/report.h"

const char watch_options[] =
	"\n"
	"  --once                 one round; the exit status is 1 if something is wrong\n"
	"  --json                 with --once: one JSON object instead of lines\n"
	"  --quiet                with --once: look, but tell nobody and remember nothing\n"
	"  --test                 send a test through all ways out and say which worked\n"
	"  -f, --foreground       log to standard error, whatever log.target says\n";

enum {
	OPTION_ONCE = 1,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_TEST,
	CONFIRM_MS = 2000, /* what is new and still there after this is no hiccup */
	STATE_MODE = 0644,
	MS_PER_S = 1000,
	CLOCK_JUMP_MS = 10 * MS_PER_S, /* less is a clock that is put right */
};

struct options {
	const char *config_file;
	bool once;
	bool json;
	bool quiet;
	bool test;
	bool foreground;
};

struct watch {
	const struct config *config;
	struct alerts *alerts;
	struct queue_watch *queues;
	int64_t clock_ms; /* how far the clock is ahead of the one that nobody sets */
	struct prober *prober;
	char *state_file;
	int lock; /* -1: another one watches, or the folder cannot be used */
	bool tells;
	struct report *report; /* NULL: a resident has none */
};

/* ---- what survives ---- */

/* One watcher at a time, or everything would be told twice.  False if there is another one. */
static bool lock_state(struct watch *watch)
{
	g_autofree char *file = g_build_filename(watch->config->state_dir, "watch.lock", NULL);

	watch->lock = open(file, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, STATE_MODE);
	if (watch->lock < 0) {
		log_text(LOG_WARNING, "state", "%s: %s; a restart will tell everything again", file,
			 g_strerror(errno));
		return true;
	}
	if (flock(watch->lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	bool other = errno == EWOULDBLOCK;

	close(watch->lock);
	watch->lock = -1;
	return !other;
}

static void restore(struct watch *watch)
{
	g_autofree char *text = NULL;
	gsize size;
	struct reason reason = {.text = ""};

	/* The first start has none. */
	if (!g_file_get_contents(watch->state_file, &text, &size, NULL))
		return;
	struct wire *saved = wire_parse(text, size, &reason);

	if (saved == NULL) {
		log_text(LOG_WARNING, "state", "%s: %s; begun anew", watch->state_file,
			 reason.text);
		return;
	}
	alerts_restore(watch->alerts, wire_get_object(saved, "Alerts"));
	queue_watch_restore(watch->queues, wire_get_object(saved, "Queues"));
	wire_free(&saved);
}

static void save(const struct watch *watch)
{
	struct wire *state = wire_object();
	size_t size;
	g_autoptr(GError) error = NULL;

	wire_set(state, "Alerts", alerts_save(watch->alerts));
	wire_set(state, "Queues", queue_watch_save(watch->queues));
	g_autofree char *text = wire_print(state, true, &size);

	wire_free(&state);
	if (watch->lock >= 0 &&
	    !g_file_set_contents_full(watch->state_file, text, (gssize)size,
				      G_FILE_SET_CONTENTS_CONSISTENT, STATE_MODE, &error))
		log_text(LOG_WARNING, "state", "%s", error->message);
}

/* ---- one round ---- */

static void wait_ms(int64_t ms)
{
	struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};

	if (stop_requested() == 0)
		poll(&stop, 1, deadline_left_ms(deadline_in(ms)));
}

static bool has_new(const struct watch *watch, const struct alert_finding findings[ALERT_KINDS])
{
	for (int kind = 0; kind < ALERT_KINDS; kind++)
		if (findings[kind].bad && !alerts_is_open(watch->alerts, kind))
			return true;
	return false;
}

/* A server that is just being restarted is no alert. */
static void look(struct watch *watch, struct alert_finding findings[ALERT_KINDS])
{
	prober_look(watch->prober, realtime_ms(), findings);
	if (!has_new(watch, findings))
		return;
	wait_ms(MIN(CONFIRM_MS, watch->config->alerts_interval));
	findings_clear(findings);
	prober_look(watch->prober, realtime_ms(), findings);
}

static void log_incident(int kind, bool over, const char *text)
{
	struct log_line *line =
		log_event(over ? LOG_NOTICE : LOG_WARNING, NULL, NULL, over ? "over" : "trouble");

	log_str(line, "kind", alert_kind_name(kind));
	if (!over && text != NULL)
		log_str(line, "reason", text);
	log_end(line);
}

static void observe(struct watch *watch, const struct alert_finding findings[ALERT_KINDS])
{
	bool before[ALERT_KINDS];

	for (int kind = 0; kind < ALERT_KINDS; kind++)
		before[kind] = alerts_is_open(watch->alerts, kind);
	alerts_observe(watch->alerts, findings, realtime_ms());
	for (int kind = 0; kind < ALERT_KINDS; kind++)
		if (before[kind] != alerts_is_open(watch->alerts, kind))
			log_incident(kind, before[kind], findings[kind].text);
}

static void log_telling(enum alert_way way, const struct alert_telling *telling)
{
	g_autofree char *kinds = alert_notice_kinds(&telling->notice);
	struct log_line *line = log_event(telling->why != NULL ? LOG_ERR : LOG_NOTICE, NULL, NULL,
					  telling->worked ? "alert" : "alert-failed");

	log_str(line, "way", alert_way_name(way));
	log_str(line, "news", alert_news_name(telling->notice.news));
	log_str(line, "kinds", kinds);
	if (telling->why != NULL)
		log_str(line, "reason", telling->why);
	log_end(line);
}

static void report_telling(const struct watch *watch, enum alert_way way,
			   const struct alert_telling *telling)
{
	g_autofree char *subject = g_strdup_printf("alert by %s", alert_way_name(way));

	if (watch->report == NULL)
		return;
	report_add(watch->report,
		   telling->worked ? telling->why == NULL ? REPORT_OK : REPORT_WARNING
				   : REPORT_ERROR,
		   subject, NULL, "%s: %s", alert_news_name(telling->notice.news),
		   telling->why != NULL ? telling->why : "told");
}

/* Log, report and forget what became of the tellings. */
static void account(struct watch *watch, struct alert_telling tellings[ALERT_WAYS])
{
	for (int way = 0; way < ALERT_WAYS; way++) {
		if (!tellings[way].wanted)
			continue;
		log_telling(way, &tellings[way]);
		report_telling(watch, way, &tellings[way]);
		g_clear_pointer(&tellings[way].why, g_free);
	}
}

static void tell(struct watch *watch)
{
	struct alert_telling tellings[ALERT_WAYS] = {{.wanted = false}};
	int64_t now_ms = realtime_ms();
	bool any = false;

	for (int way = 0; way < ALERT_WAYS; way++) {
		if (!alert_way_is_used(watch->config, way))
			continue;
		tellings[way].wanted = alerts_due(watch->alerts, way, now_ms,
						  &tellings[way].notice) != ALERT_NOTHING;
		any = any || tellings[way].wanted;
	}
	if (!any)
		return;
	alert_tell(watch->config, tellings, now_ms);
	for (int way = 0; way < ALERT_WAYS; way++)
		if (tellings[way].wanted)
			alerts_told(watch->alerts, way, &tellings[way].notice, tellings[way].worked,
				    realtime_ms());
	account(watch, tellings);
}

static void report_findings(const struct watch *watch,
			    const struct alert_finding findings[ALERT_KINDS])
{
	for (int kind = 0; kind < ALERT_TEST; kind++) {
		const struct alert_finding *finding = &findings[kind];

		if (finding->unknown)
			report_add(watch->report, REPORT_WARNING, alert_kind_name(kind), NULL,
				   "not known");
		else if (finding->bad)
			report_add(watch->report, REPORT_ERROR, alert_kind_name(kind), NULL,
				   "%s: %s", alert_title(kind, false), finding->text);
		else
			report_add(watch->report, REPORT_OK, alert_kind_name(kind), NULL,
				   "nothing is wrong");
	}
}

static void one_round(struct watch *watch)
{
	struct alert_finding findings[ALERT_KINDS];

	look(watch, findings);
	if (watch->report != NULL)
		report_findings(watch, findings);
	if (watch->tells && stop_requested() == 0) {
		observe(watch, findings);
		tell(watch);
		save(watch);
	}
	findings_clear(findings);
}

/* ---- the command ---- */

/* Set while we look on, it makes no queue older. */
static void heed_clock(struct watch *watch)
{
	int64_t clock_ms = realtime_ms() - monotonic_ms();
	int64_t jump_ms = clock_ms - watch->clock_ms;

	if (jump_ms < CLOCK_JUMP_MS && jump_ms > -CLOCK_JUMP_MS)
		return;
	watch->clock_ms = clock_ms;
	queue_watch_shift(watch->queues, jump_ms);
	log_text(LOG_NOTICE, "clock", "was set by %" PRId64 " s", jump_ms / MS_PER_S);
}

static void stay(struct watch *watch)
{
	watch->clock_ms = realtime_ms() - monotonic_ms();
	log_text(LOG_NOTICE, "start", "%s, watching", MAILPIPE_VERSION);
	while (stop_requested() == 0) {
		heed_clock(watch);
		one_round(watch);
		wait_ms(watch->config->alerts_interval);
	}
	log_text(LOG_NOTICE, "stop", "watched");
}

static void test_ways(struct watch *watch)
{
	struct alert_telling tellings[ALERT_WAYS] = {{.wanted = false}};
	int64_t now_ms = realtime_ms();
	bool any = false;

	for (int way = 0; way < ALERT_WAYS; way++) {
		struct alert_notice *notice = &tellings[way].notice;

		tellings[way].wanted = alert_way_is_used(watch->config, way);
		any = any || tellings[way].wanted;
		notice->news = ALERT_NEW;
		notice->items[0] =
			(struct alert_item){.kind = ALERT_TEST, .fresh = true, .since_ms = now_ms};
		notice->count = 1;
	}
	if (!any)
		report_add(watch->report, REPORT_ERROR, "alerts", "set alerts.to",
			   "there is no way out");
	alert_tell(watch->config, tellings, now_ms);
	account(watch, tellings);
}

static int work(struct watch *watch, const struct options *options)
{
	if (!options->once && !options->test) {
		stay(watch);
		return EXIT_FINE;
	}
	watch->report = report_new(options->json);
	if (options->test)
		test_ways(watch);
	else
		one_round(watch);
	return report_end(&watch->report) ? EXIT_FINE : EXIT_WRONG;
}

static int watch_with(const struct config *config, const struct options *options)
{
	const struct alert_limits limits = {
		.pauses = config->alerts_pause_delays,
		.pause_count = config->alerts_pause_count,
		.clear_after_ms = config->alerts_clear_after,
	};
	struct watch watch = {.config = config, .lock = -1, .tells = !options->quiet};
	int status = EX_TEMPFAIL;

	if (!options->quiet && !options->test && !lock_state(&watch)) {
		watch.tells = false;
		fprintf(stderr, "mailctl: another mailctl watch uses %s%s\n", config->state_dir,
			options->once ? ": nobody is told of what this one finds" : "");
	}
	watch.state_file = g_build_filename(config->state_dir, "watch.json", NULL);
	watch.alerts = alerts_new(&limits);
	watch.queues = queue_watch_new();
	watch.prober = prober_new(config, watch.queues);
	restore(&watch);
	if (watch.tells || options->once || options->test)
		status = work(&watch, options);
	prober_free(&watch.prober);
	queue_watch_free(&watch.queues);
	alerts_free(&watch.alerts);
	g_free(watch.state_file);
	if (watch.lock >= 0)
		close(watch.lock);
	return status;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"once", no_argument, NULL, OPTION_ONCE},
		{"json", no_argument, NULL, OPTION_JSON},
		{"quiet", no_argument, NULL, OPTION_QUIET},
		{"test", no_argument, NULL, OPTION_TEST},
		{"foreground", no_argument, NULL, 'f'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:f", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config_file = optarg;
			break;
		case 'f':
			options->foreground = true;
			break;
		case OPTION_ONCE:
			options->once = true;
			break;
		case OPTION_JSON:
			options->json = true;
			break;
		case OPTION_QUIET:
			options->quiet = true;
			break;
		case OPTION_TEST:
			options->test = true;
			break;
		default:
			return mailctl_usage("watch");
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mailctl: watch takes no argument: %s\n", argv[optind]);
		return mailctl_usage("watch");
	}
	if ((options->json || options->quiet) && !options->once) {
		fprintf(stderr, "mailctl: watch: --json and --quiet need --once\n");
		return mailctl_usage("watch");
	}
	return -1;
}

int command_watch(int argc, char **argv, const char *config_file)
{
	struct options options = {.config_file = config_file};
	int status = parse(argc, argv, &options);

	if (status >= 0)
		return status;
	struct config *config = mailctl_config(options.config_file);

	if (config == NULL)
		return EXIT_BAD_CONFIG;
	log_open("mailctl", options.foreground ? "stderr" : config->log_target,
		 (int)config->log_level);
	if (stop_init() != 0) {
		fprintf(stderr, "mailctl: signals: %s\n", g_strerror(errno));
		status = EX_OSERR;
	} else {
		status = watch_with(config, &options);
	}
	config_free(&config);
	return status;
}
