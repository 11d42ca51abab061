/*
 * mailin-ingest: stores the inbound documents that wait in RabbitMQ in MySQL.  See
 * mailin-ingest(8).
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/config.h"
#include "common/log.h"
#include "common/stop.h"
#include "common/supervisor.h"
#include "mailin/ingest/worker.h"

#define PROGRAM "mailin-ingest"

struct options {
	const char *config_file;
	bool foreground;
};

static void usage(FILE *out)
{
	fputs("usage: " PROGRAM " [-c FILE] [-f]\n"
	      "  -c, --config FILE   instead of " CONFIG_FILE_DEFAULT "\n"
	      "  -f, --foreground    log to standard error, whatever log.target says\n"
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

/* What no waiting mends: it is said at the start, not at the first message. */
static bool check_config(const struct config *config, struct reason *reason)
{
	if (config->route_count == 0) {
		outcome_retry(reason, "4.3.5", "%s: no [route NAME]: there is nothing to consume",
			      config->file);
		return false;
	}
	g_autofree char *amqp_password =
		config_password(&config->amqp_consume, "amqp.consume_password_file", reason);

	if (amqp_password == NULL)
		return false;
	g_autofree char *mysql_password =
		config_password(&config->mysql_ingest, "mysql.ingest_password_file", reason);

	return mysql_password != NULL;
}

int main(int argc, char **argv)
{
	struct options options = {.config_file = CONFIG_FILE_DEFAULT};
	struct reason reason;
	int status = parse_options(argc, argv, &options);

	if (status >= 0)
		return status;
	struct config *config = config_load(options.config_file, &reason);

	if (config == NULL || !check_config(config, &reason)) {
		fprintf(stderr, PROGRAM ": %s\n", reason.text);
		config_free(&config);
		return EX_CONFIG;
	}
	log_open(PROGRAM, options.foreground ? "stderr" : config->log_target,
		 (int)config->log_level);
	if (stop_init() != 0) {
		log_text(LOG_ERR, "start", "signals: %s", g_strerror(errno));
		return EX_OSERR;
	}
	log_text(LOG_NOTICE, "start", "%s, %d workers", MAILPIPE_VERSION,
		 (int)config->ingest_workers);
	status = supervisor_run(config, (size_t)config->ingest_workers, worker_run);
	log_text(LOG_NOTICE, "stop", "status %d", status);
	config_free(&config);
	return status;
}
