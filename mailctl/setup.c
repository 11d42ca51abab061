/*
 * mailctl setup: makes what the pipeline needs, or brings it up to date; safe to repeat.
 */
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/topology.h"
#include "mailctl/check.h"
#include "mailctl/connect.h"
#include "mailctl/mailctl.h"
#include "mailctl/rabbitmqctl.h"
#include "mailctl/report.h"
#include "mailctl/setup_mysql.h"

const char setup_options[] =
	"\n"
	"  --only=mysql|amqp             just the database or just the broker\n"
	"  --mysql-user=USER             instead of mysql.setup_user\n"
	"  --mysql-password-file=FILE    instead of mysql.setup_password_file\n"
	"  --mysql-socket=PATH           instead of mysql.socket and mysql.hosts\n"
	"  --amqp-user=USER              instead of amqp.setup_user\n"
	"  --amqp-password-file=FILE     instead of amqp.setup_password_file\n"
	"  --rabbitmqctl[=PATH]          make the broker's users, too, by rabbitmqctl(8)\n"
	"  --print-rabbitmq              only print the rabbitmqctl commands for that\n";

enum { DECLARE_MS = 60 * 1000 };

struct setup {
	bool mysql;
	bool amqp;
	bool print_rabbitmq;
	const char *mysql_socket;
	const char *rabbitmqctl;       /* NULL: leave users alone */
	struct config_user mysql_user; /* borrowed; NULL: of the config */
	struct config_user amqp_user;
	struct config *config;
};

static void say(const char *what, const char *done, void *context)
{
	printf("%s: %s: %s\n", (const char *)context, what, done);
	fflush(stdout);
}

/* The topology does not tell what was there before. */
static void say_topology(const char *line, void *context)
{
	static char name[] = "amqp";

	(void)context;
	say(line, "there", name);
}

/* Who does it: the command line's word counts before the config's.  NULL with a reason. */
static char *password_of(struct config_user *user, const struct config_user *configured,
			 const char *key, struct reason *reason)
{
	const char *option = user->password_file != NULL ? "the password file given" : key;

	if (user->name == NULL)
		user->name = configured->name;
	else if (user->password_file == NULL && strcmp(user->name, configured->name) != 0)
		return g_strdup(""); /* the config's password is another user's */
	if (user->password_file == NULL)
		user->password_file = configured->password_file;
	return config_password(user, option, reason);
}

static enum outcome run_mysql(struct setup *setup, struct report *report, struct reason *reason)
{
	g_autofree char *password = password_of(&setup->mysql_user, &setup->config->mysql_setup,
						"mysql.setup_password_file", reason);
	static char name[] = "mysql";

	if (password == NULL)
		return OUTCOME_RETRY;
	struct setup_mysql what = {
		.config = setup->config,
		.socket = setup->mysql_socket,
		.user = setup->mysql_user.name,
		.password = password,
		.report = report,
		.say = say,
		.context = name,
	};

	return setup_mysql(&what, reason);
}

static enum outcome declare(struct setup *setup, struct report *report, struct reason *reason)
{
	struct check_difference differences = {setup->config, report};
	const struct topology_listener listener = {say_topology, check_difference, &differences};

	g_autofree char *password = password_of(&setup->amqp_user, &setup->config->amqp_setup,
						"amqp.setup_password_file", reason);
	struct broker *broker;
	enum outcome outcome;

	if (password == NULL)
		return OUTCOME_RETRY;
	broker = connect_broker(setup->config, setup->amqp_user.name, password, reason);
	if (broker == NULL)
		return OUTCOME_RETRY;
	outcome =
		topology_declare(broker, setup->config, &listener, deadline_in(DECLARE_MS), reason);
	broker_close(&broker);
	return outcome;
}

static enum outcome run_amqp(struct setup *setup, struct report *report, struct reason *reason)
{
	static char name[] = "amqp";

	if (setup->rabbitmqctl != NULL) {
		enum outcome outcome =
			rabbitmqctl_apply(setup->rabbitmqctl, setup->config, say, name, reason);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return declare(setup, report, reason);
}

/* Both parts are tried, whatever becomes of the first. */
static bool run(struct setup *setup)
{
	struct report *report = report_new(false);
	struct reason reason = {0};

	if (setup->mysql && run_mysql(setup, report, &reason) != OUTCOME_OK) {
		fprintf(stderr, "mailctl: mysql: %s\n", reason.text);
		report_count_error(report);
	}
	if (setup->amqp && run_amqp(setup, report, &reason) != OUTCOME_OK) {
		fprintf(stderr, "mailctl: amqp: %s\n", reason.text);
		report_count_error(report);
	}
	return report_end(&report);
}

enum {
	OPTION_ONLY = 1,
	OPTION_MYSQL_USER,
	OPTION_MYSQL_PASSWORD_FILE,
	OPTION_MYSQL_SOCKET,
	OPTION_AMQP_USER,
	OPTION_AMQP_PASSWORD_FILE,
	OPTION_RABBITMQCTL,
	OPTION_PRINT_RABBITMQ,
};

static bool take_option(struct setup *setup, int option)
{
	switch (option) {
	case OPTION_ONLY:
		setup->mysql = strcmp(optarg, "mysql") == 0;
		setup->amqp = strcmp(optarg, "amqp") == 0;
		if (!setup->mysql && !setup->amqp)
			fprintf(stderr, "mailctl: --only is mysql or amqp\n");
		return setup->mysql || setup->amqp;
	case OPTION_MYSQL_USER:
		setup->mysql_user.name = optarg;
		return true;
	case OPTION_MYSQL_PASSWORD_FILE:
		setup->mysql_user.password_file = optarg;
		return true;
	case OPTION_MYSQL_SOCKET:
		setup->mysql_socket = optarg;
		return true;
	case OPTION_AMQP_USER:
		setup->amqp_user.name = optarg;
		return true;
	case OPTION_AMQP_PASSWORD_FILE:
		setup->amqp_user.password_file = optarg;
		return true;
	case OPTION_RABBITMQCTL:
		setup->rabbitmqctl = optarg != NULL ? optarg : "rabbitmqctl";
		return true;
	case OPTION_PRINT_RABBITMQ:
		setup->print_rabbitmq = true;
		return true;
	default:
		return false;
	}
}

int command_setup(int argc, char **argv, const char *config_file)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"only", required_argument, NULL, OPTION_ONLY},
		{"mysql-user", required_argument, NULL, OPTION_MYSQL_USER},
		{"mysql-password-file", required_argument, NULL, OPTION_MYSQL_PASSWORD_FILE},
		{"mysql-socket", required_argument, NULL, OPTION_MYSQL_SOCKET},
		{"amqp-user", required_argument, NULL, OPTION_AMQP_USER},
		{"amqp-password-file", required_argument, NULL, OPTION_AMQP_PASSWORD_FILE},
		{"rabbitmqctl", optional_argument, NULL, OPTION_RABBITMQCTL},
		{"print-rabbitmq", no_argument, NULL, OPTION_PRINT_RABBITMQ},
		{NULL, 0, NULL, 0},
	};
	struct setup setup = {.mysql = true, .amqp = true};
	int option;
	bool fine = true;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (!take_option(&setup, option))
			return mailctl_usage("setup");
	}
	if (optind < argc) {
		fprintf(stderr, "mailctl: setup takes no argument: %s\n", argv[optind]);
		return mailctl_usage("setup");
	}
	setup.config = mailctl_config(config_file);
	if (setup.config == NULL)
		return EXIT_BAD_CONFIG;
	if (setup.print_rabbitmq)
		rabbitmqctl_print(setup.config, stdout);
	else
		fine = run(&setup);
	config_free(&setup.config);
	return fine ? EXIT_FINE : EXIT_WRONG;
}
