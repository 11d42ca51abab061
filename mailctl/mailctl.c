/*
 * mailctl: the operator's tool.  mailctl(1)
 */
#include "mailctl/mailctl.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/stop.h"
#include "mailctl/migrate.h"

static int command_version(int argc, char **argv, const char *config_file);
static int command_help(int argc, char **argv, const char *config_file);

static const struct command commands[] = {
	{"setup", "make or update database, users, rights, exchanges and queues", setup_options,
	 command_setup},
	{"check", "say what is wrong with config, connections, rights and limits", check_options,
	 command_check},
	{"status", "show what waits where, and whether all is up", status_options, command_status},
	{"send", "queue a mail to be sent, from a template or as given", send_options,
	 command_send},
	{"address", "say who may post where: addresses, senders, tokens", address_options,
	 command_address},
	{"purge", "remove what is older than it should be kept", purge_options, command_purge},
	{"dead", "look at what was given up; requeue, drop or export it", dead_options,
	 command_dead},
	{"quarantine", "look at mails of unproven senders; release or drop them",
	 quarantine_options, command_quarantine},
	{"retry", "try now what waits for its next try", retry_options, command_retry},
	{"config", "print the config as it is understood", config_options, command_config},
	{"preview", "make a web page of all templates", preview_options, command_preview},
	{"show", "a stored message, or the record of an outgoing one", show_options, command_show},
	{"export", "a stored message as files", export_options, command_export},
	{"trace", "the life of a message: log, broker and database", trace_options, command_trace},
	{"render", "render one template file with a model", render_options, command_render},
	{"watch", "look after the pipeline and alert the operator", watch_options, command_watch},
	{"version", "print the version", "", command_version},
	{"help", "explain a command", "", command_help},
};

/* The name of the command that runs. */
static const char *running = "";

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void print_usage(FILE *out)
{
	fputs("usage: mailctl [-c FILE] COMMAND [OPTION ...]\n\n", out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\n  -c, --config FILE    config file (" CONFIG_FILE_DEFAULT ")\n"
	      "\nExit status: 0 all is well, 1 something is wrong, 2 something waits for you "
	      "(status),"
	      "\n64 usage, 75 another one runs (watch), 78 config, 130 interrupted.\n",
	      out);
}

static int help_on(const struct command *command)
{
	printf("usage: mailctl [-c FILE] %s%s\n\n%s\n%s", command->name,
	       *command->options != '\0' ? " [OPTION ...]" : "", command->summary,
	       command->options);
	return EXIT_FINE;
}

/* `mailctl dead --help`, `mailctl dead list --help`.  Further on it may be an option's value. */
static bool wants_help(int argc, char **argv)
{
	int last = argc > 2 && argv[1][0] != '-' ? 2 : 1;

	for (int i = 1; i <= last && i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int command_help(int argc, char **argv, const char *config_file)
{
	const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

	(void)config_file;
	if (argc > 1 && command == NULL) {
		fprintf(stderr, "mailctl: %s: no such command\n", argv[1]);
		return mailctl_usage(NULL);
	}
	if (command != NULL)
		return help_on(command);
	print_usage(stdout);
	return EXIT_FINE;
}

static int command_version(int argc, char **argv, const char *config_file)
{
	(void)argc;
	(void)argv;
	(void)config_file;
	printf("mailctl %s, migrations up to %u\n", MAILPIPE_VERSION,
	       migrations[migration_count - 1].version);
	return EXIT_FINE;
}

struct config *mailctl_config(const char *config_file)
{
	struct reason reason = {0};
	struct config *config = config_load(config_file, &reason);

	if (config == NULL)
		fprintf(stderr, "mailctl: %s\n", reason.text);
	return config;
}

void mailctl_vcomplain(const char *format, va_list arguments)
{
	fprintf(stderr, "mailctl: %s: ", running);
	/* clang-tidy sees no va_start() when it reads several files in one run.
	 * NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

bool mailctl_complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	mailctl_vcomplain(format, arguments);
	va_end(arguments);
	return false;
}

int mailctl_usage(const char *command)
{
	fprintf(stderr, "mailctl: try `mailctl help%s%s'\n", command != NULL ? " " : "",
		command != NULL ? command : "");
	return EXIT_BAD_USAGE;
}

bool mailctl_may_be_interrupted(void)
{
	if (stop_init() != 0) {
		perror("mailctl: signals");
		return false;
	}
	stop_second_exits(EXIT_INTERRUPTED);
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *config_file = CONFIG_FILE_DEFAULT;
	int option;

	signal(SIGPIPE, SIG_IGN); /* a server that goes away is an error like any other */
	while ((option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_file = optarg;
			break;
		case 'h':
			print_usage(stdout);
			return EXIT_FINE;
		case 'V':
			return command_version(0, NULL, NULL);
		default:
			return mailctl_usage(NULL);
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return EXIT_BAD_USAGE;
	}
	const struct command *command = find_command(argv[optind]);

	if (command == NULL) {
		fprintf(stderr, "mailctl: %s: no such command\n", argv[optind]);
		return mailctl_usage(NULL);
	}
	argc -= optind;
	argv += optind;
	if (wants_help(argc, argv))
		return help_on(command);
	running = command->name;
	optind = 0; /* getopt(3): start anew */
	return command->run(argc, argv, config_file);
}
