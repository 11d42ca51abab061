/*
 * mailctl config: the config as the programs understand it.
 */
#include "common/config.h"

#include <getopt.h>
#include <stdio.h>

#include "mailctl/mailctl.h"

const char config_options[] =
	"\n"
	"  --help-all    explain every parameter, with type, range and default\n";

int command_config(int argc, char **argv, const char *config_file)
{
	enum { HELP_ALL = 1 };
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"help-all", no_argument, NULL, HELP_ALL},
		{NULL, 0, NULL, 0},
	};
	bool with_help = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_file = optarg;
			break;
		case HELP_ALL:
			with_help = true;
			break;
		default:
			return mailctl_usage("config");
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mailctl: config takes no argument: %s\n", argv[optind]);
		return mailctl_usage("config");
	}
	struct config *config = mailctl_config(config_file);

	if (config == NULL)
		return EXIT_BAD_CONFIG;
	config_print(config, stdout, with_help);
	config_free(&config);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("mailctl: standard output");
		return EXIT_WRONG;
	}
	return EXIT_FINE;
}
