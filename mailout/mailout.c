/*
 * mailout: sends the mails that applications ask for.  See mailout(8).
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/config.h"
#include "common/deadline.h"
#include "common/log.h"
#include "common/stop.h"
#include "common/supervisor.h"
#include "mailout/build.h"
#include "mailout/prepare.h"
#include "mailout/worker.h"

#define PROGRAM "mailout"

enum { MS_PER_SECOND = 1000, OPTION_DRY_RUN = 1 };

struct options {
	const char *config_file; /* NULL: not given */
	bool foreground;
	bool dry_run;
};

static void usage(FILE *out)
{
	fputs("usage: " PROGRAM " [-c FILE] [-f]\n"
	      "       " PROGRAM " [-c FILE] --dry-run < REQUEST\n"
	      "  -c, --config FILE   instead of " CONFIG_FILE_DEFAULT "\n"
	      "  -f, --foreground    log to standard error, whatever log.target says\n"
	      "      --dry-run       print the message that the request on standard input asks "
	      "for\n"
	      "  -h, --help          this text\n"
	      "  -V, --version       the version\n",
	      out);
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"foreground", no_argument, NULL, 'f'},
		{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:fhV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config_file = optarg;
			break;
		case 'f':
			options->foreground = true;
			break;
		case OPTION_DRY_RUN:
			options->dry_run = true;
			break;
		case 'h':
			usage(stdout);
			return EX_OK;
		case 'V':
			puts(PROGRAM " " MAILPIPE_VERSION);
			return EX_OK;
		default:
			usage(stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EX_USAGE;
	}
	return -1;
}

/* ---- dry run ---- */

/* All of standard input, up to one byte more than a request may have. */
static GByteArray *read_request(const struct config *config)
{
	GByteArray *body = g_byte_array_new();
	size_t most = (size_t)config->limits.request_size + 1;
	unsigned char piece[BUFSIZ];
	ssize_t size = 1;

	while (size > 0 && body->len < most) {
		size = read(STDIN_FILENO, piece, MIN(sizeof(piece), most - body->len));
		if (size < 0 && errno == EINTR)
			size = 1;
		else if (size > 0)
			g_byte_array_append(body, piece, (guint)size);
	}
	return body;
}

static void complain(const char *text, void *context)
{
	(void)context;
	fprintf(stderr, PROGRAM ": %s\n", text);
}

/* Nothing is fetched: there is no database here. */
static bool has_stored(const struct request *request, struct reason *reason)
{
	for (size_t i = 0; i < request->attachment_count; i++) {
		if (!request->attachments[i].is_stored)
			continue;
		outcome_reject(reason, "5.6.0",
			       "Attachments[%zu]: a dry run fetches no stored attachment", i);
		return true;
	}
	return false;
}

static enum outcome make_message(const struct config *config, struct prepared *prepared,
				 struct reason *reason)
{
	g_autoptr(GByteArray) body = read_request(config);
	struct request *request = request_new((const char *)body->data, body->len, NULL,
					      config->streams[0].name, config, reason);
	enum outcome outcome = OUTCOME_REJECT;

	if (request == NULL)
		return outcome;
	if (!request->has_id)
		id_new(&request->id);
	if (!has_stored(request, reason)) {
		struct template_set *templates = prepare_templates(config, complain, NULL);

		outcome = prepare(config, templates, request, realtime_ms() / MS_PER_SECOND,
				  prepared, reason);
		template_set_free(&templates);
	}
	request_free(&request);
	return outcome;
}

static int dry_run(const struct config *config)
{
	struct prepared prepared = {0};
	struct reason reason;
	int status = EX_DATAERR;

	build_init();
	if (make_message(config, &prepared, &reason) == OUTCOME_OK) {
		gsize size;
		const void *message = g_bytes_get_data(prepared.message, &size);

		status = fwrite(message, 1, size, stdout) == size && fflush(stdout) == 0 ? EX_OK
											 : EX_IOERR;
	} else {
		fprintf(stderr, PROGRAM ": %s %s\n", reason.status, reason.text);
	}
	prepared_clear(&prepared);
	return status;
}

/* ---- service ---- */

static bool has_password(const struct config_user *user, const char *key, struct reason *reason)
{
	g_autofree char *password = config_password(user, key, reason);

	return password != NULL;
}

/* What no waiting mends: it is said at the start, not at the first message. */
static bool check_config(const struct config *config, struct reason *reason)
{
	return has_password(&config->amqp_mailout, "amqp.mailout_password_file", reason) &&
	       has_password(&config->mysql_mailout, "mysql.mailout_password_file", reason) &&
	       (config->smtp.name[0] == '\0' ||
		has_password(&config->smtp, "smtp.password_file", reason));
}

static int serve(const struct config *config, const struct options *options)
{
	log_open(PROGRAM, options->foreground ? "stderr" : config->log_target,
		 (int)config->log_level);
	if (stop_init() != 0) {
		log_text(LOG_ERR, "start", "signals: %s", g_strerror(errno));
		return EX_OSERR;
	}
	log_text(LOG_NOTICE, "start", "%s, %d workers", MAILPIPE_VERSION,
		 (int)config->mailout_workers);
	int status = supervisor_run(config, (size_t)config->mailout_workers, worker_run);

	log_text(LOG_NOTICE, "stop", "status %d", status);
	return status;
}

/* A dry run is of use before there is a config. */
static struct config *load(const struct options *options, struct reason *reason)
{
	if (options->config_file == NULL && options->dry_run &&
	    access(CONFIG_FILE_DEFAULT, F_OK) != 0)
		return config_default();
	return config_load(
		options->config_file != NULL ? options->config_file : CONFIG_FILE_DEFAULT, reason);
}

int main(int argc, char **argv)
{
	struct options options = {.config_file = NULL};
	struct reason reason;
	int status = parse_options(argc, argv, &options);

	if (status >= 0)
		return status;
	struct config *config = load(&options, &reason);

	if (config == NULL || (!options.dry_run && !check_config(config, &reason))) {
		fprintf(stderr, PROGRAM ": %s\n", reason.text);
		config_free(&config);
		return EX_CONFIG;
	}
	status = options.dry_run ? dry_run(config) : serve(config, &options);
	config_free(&config);
	return status;
}
