/*
 * mailctl check: looks at everything and says what is wrong and what to do.
 */
#include "mailctl/check.h"

#include <getopt.h>
#include <stdio.h>

#include "mailctl/mailctl.h"

const char check_options[] = "\n"
			     "  --json                     one JSON object instead of lines\n"
			     "  --postfix-config=DIR       Postfix's config_directory\n"
			     "  --rabbitmqctl[=PATH]       compare the broker's users and limits, "
			     "too, by rabbitmqctl(8)\n";

enum { OPTION_JSON = 1, OPTION_POSTFIX_CONFIG, OPTION_RABBITMQCTL };

int command_check(int argc, char **argv, const char *config_file)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, OPTION_JSON},
		{"postfix-config", required_argument, NULL, OPTION_POSTFIX_CONFIG},
		{"rabbitmqctl", optional_argument, NULL, OPTION_RABBITMQCTL},
		{NULL, 0, NULL, 0},
	};
	const char *postfix = NULL;
	const char *rabbitmqctl = NULL;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_file = optarg;
			break;
		case OPTION_JSON:
			json = true;
			break;
		case OPTION_POSTFIX_CONFIG:
			postfix = optarg;
			break;
		case OPTION_RABBITMQCTL:
			rabbitmqctl = optarg != NULL ? optarg : "rabbitmqctl";
			break;
		default:
			return mailctl_usage("check");
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mailctl: check takes no argument: %s\n", argv[optind]);
		return mailctl_usage("check");
	}
	struct config *config = mailctl_config(config_file);

	if (config == NULL)
		return EXIT_BAD_CONFIG;
	struct report *report = report_new(json);

	check_config(config, report);
	check_mysql(config, report);
	check_amqp(config, rabbitmqctl, report);
	check_redis(config, report);
	check_postfix(config, postfix, report);
	config_free(&config);
	return report_end(&report) ? EXIT_FINE : EXIT_WRONG;
}
