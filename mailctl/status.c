/*
 * mailctl status: what waits where, and whether everything is up.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/deadline.h"
#include "common/stop.h"
#include "mailctl/mailctl.h"
#include "mailctl/status_show.h"

const char status_options[] = "\n"
			      "  --json                one JSON object; with --watch one a line\n"
			      "  -w, --watch[=SECONDS] again and again, until interrupted (2)\n"
			      "\nExit status also: 2, mail flows but something waits for you.\n";

enum { OPTION_JSON = 1, DEFAULT_SECONDS = 2, MAX_SECONDS = 3600, MS_PER_S = 1000 };

/* Of a terminal (ECMA-48). */
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define CLEAR_ALL "\033[2J"
#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"

struct status {
	struct config *config;
	bool json;
	int64_t pause_ms; /* 0: look once */
};

static const int exits[] = {[STATUS_FINE] = EXIT_FINE,
			    [STATUS_ATTENTION] = EXIT_ATTENTION,
			    [STATUS_WRONG] = EXIT_WRONG};

/* ---- output ---- */

static void print_json(const struct status *status, const struct survey *survey)
{
	struct wire *json = status_json(survey, status->config);
	g_autofree char *text = wire_print(json, status->pause_ms == 0, NULL);

	fputs(text, stdout);
	if (status->pause_ms != 0)
		fputc('\n', stdout);
	wire_free(&json);
}

/* The text as a whole, for one write: what is drawn over the last one never shows half. */
static char *draw(const struct status *status, const struct survey *survey,
		  const struct terminal *terminal)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (status->pause_ms != 0) {
		g_autofree char *now = table_time(realtime_ms());

		fprintf(out, "%s, every %ds\n\n", now, (int)(status->pause_ms / MS_PER_S));
	}
	status_text(survey, status->config, out, terminal);
	fclose(out);
	return text;
}

/* Over the last frame, line by line, as far as the terminal reaches. */
static void draw_over(const char *text, const struct terminal *terminal)
{
	g_autoptr(GString) frame = g_string_new(HOME);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (size_t i = 0; i < terminal->height && lines[i] != NULL; i++)
		g_string_append_printf(frame, "%s%s" CLEAR_LINE, i > 0 ? "\r\n" : "", lines[i]);
	g_string_append(frame, CLEAR_BELOW);
	fputs(frame->str, stdout);
}

static void show(const struct status *status, const struct survey *survey)
{
	struct terminal terminal = terminal_of(stdout);

	if (status->json) {
		print_json(status, survey);
	} else {
		char *text = draw(status, survey, &terminal);

		if (status->pause_ms != 0 && terminal.is_terminal)
			draw_over(text, &terminal);
		else
			printf("%s%s", text, status->pause_ms != 0 ? "\n" : "");
		free(text);
	}
	fflush(stdout);
}

/* ---- again and again ---- */

/* False: interrupted, or nobody reads any more. */
static bool pause_until(struct survey *survey, struct deadline deadline)
{
	while (!deadline_passed(deadline)) {
		struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};

		if (poll(&stop, 1, MIN(deadline_left_ms(deadline), MS_PER_S)) > 0 ||
		    stop_requested() > 0 || ferror(stdout))
			return false;
		survey_idle(survey);
	}
	return true;
}

static void watch(const struct status *status, struct survey *survey)
{
	bool on_terminal = isatty(STDOUT_FILENO) == 1 && !status->json;
	struct deadline next;

	if (on_terminal)
		fputs(HIDE_CURSOR CLEAR_ALL, stdout);
	do {
		next = deadline_in(status->pause_ms);
		survey_look(survey);
		show(status, survey);
	} while (pause_until(survey, next));
	if (on_terminal)
		puts(SHOW_CURSOR);
}

static bool take_seconds(const char *text, int64_t *ms)
{
	char *end = NULL;
	gint64 seconds = text != NULL ? g_ascii_strtoll(text, &end, 10) : DEFAULT_SECONDS;

	if ((text != NULL && (end == text || *end != '\0')) || seconds < 1 ||
	    seconds > MAX_SECONDS) {
		fprintf(stderr, "mailctl: status: --watch: 1 to %d seconds, not %s\n", MAX_SECONDS,
			text);
		return false;
	}
	*ms = seconds * MS_PER_S;
	return true;
}

static int run(const struct status *status)
{
	struct survey *survey = survey_new(status->config);
	int result;

	if (status->pause_ms != 0) {
		watch(status, survey);
	} else {
		survey_look(survey);
		show(status, survey);
	}
	result = exits[status_verdict(survey, status->config)];
	if (ferror(stdout)) {
		fprintf(stderr, "mailctl: status: standard output: %s\n", g_strerror(errno));
		result = EXIT_WRONG;
	}
	survey_free(&survey);
	return result;
}

int command_status(int argc, char **argv, const char *config_file)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, OPTION_JSON},
		{"watch", optional_argument, NULL, 'w'},
		{NULL, 0, NULL, 0},
	};
	struct status status = {0};
	int option;

	while ((option = getopt_long(argc, argv, "c:w::", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_file = optarg;
			break;
		case OPTION_JSON:
			status.json = true;
			break;
		case 'w':
			if (!take_seconds(optarg, &status.pause_ms))
				return mailctl_usage("status");
			break;
		default:
			return mailctl_usage("status");
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mailctl: status takes no argument: %s\n", argv[optind]);
		return mailctl_usage("status");
	}
	if (stop_init() != 0) {
		fprintf(stderr, "mailctl: status: signals: %s\n", g_strerror(errno));
		return EXIT_WRONG;
	}
	status.config = mailctl_config(config_file);
	if (status.config == NULL)
		return EXIT_BAD_CONFIG;
	int result = run(&status);

	config_free(&status.config);
	return result;
}
