/*
 * mailout: sends the mails that applications ask for.  See mailout(8).
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/config.h"
#include "common/log.h"
#include "common/stop.h"
#include "common/supervisor.h"
#include "mailout/direct.h"
#include "mailout/worker.h"

#define PROGRAM "mailout"

enum { OPTION_DRY_RUN = 1, OPTION_DIRECT };

struct options {
	const char *config_file; /* NULL: not given */
	bool foreground;
	bool dry_run;
	bool direct;
};

static void usage(FILE *out)
{
	fputs("usage: " PROGRAM " [-c FILE] [-f]\n"
	      "       " PROGRAM " [-c FILE] --dry-run < REQUEST\n"
	      "       " PROGRAM " [-c FILE] [-f] --direct < REQUEST\n"
	      "  -c, --config FILE   instead of " CONFIG_FILE_DEFAULT "\n"
	      "  -f, --foreground    log to standard error, whatever log.target says\n"
	      "      --dry-run       print the message that the request on standard input asks "
	      "for\n"
	      "      --direct        send it at once, without broker, database and record\n"
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
		{"direct", no_argument, NULL, OPTION_DIRECT},
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
		case OPTION_DIRECT:
			options->direct = true;
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

/* ---- service ---- */

static bool has_password(const struct config_user *user, const char *key, struct reason *reason)
{
	g_autofree char *password = config_password(user, key, reason);

	return password != NULL;
}

/* What no waiting mends: it is said at the start, not at the first message. */
static bool check_config(const struct config *config, const struct options *options,
			 struct reason *reason)
{
	if (!options->direct &&
	    (!has_password(&config->amqp_mailout, "amqp.mailout_password_file", reason) ||
	     !has_password(&config->mysql_mailout, "mysql.mailout_password_file", reason)))
		return false;
	return config->smtp.name[0] == '\0' ||
	       has_password(&config->smtp, "smtp.password_file", reason);
}

static int run(const struct config *config, const struct options *options)
{
	log_open(PROGRAM, options->foreground ? "stderr" : config->log_target,
		 (int)config->log_level);
	if (stop_init() != 0) {
		log_text(LOG_ERR, "start", "signals: %s", g_strerror(errno));
		return EX_OSERR;
	}
	if (options->direct)
		return direct_send(config);
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

	if (config == NULL || (!options.dry_run && !check_config(config, &options, &reason))) {
		fprintf(stderr, PROGRAM ": %s\n", reason.text);
		config_free(&config);
		return EX_CONFIG;
	}
	status = options.dry_run ? direct_show(config) : run(config, &options);
	config_free(&config);
	return status;
}
