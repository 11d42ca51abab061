#include "mailin/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char OPTIONS_USAGE[] =
	"usage: mailin [-c FILE] --queue-id ID [--size BYTES] [--client ADDRESS]\n"
	"              [--client-name NAME] [--helo NAME] [--sasl-username NAME]\n"
	"              --sender ADDRESS -- RECIPIENT\n"
	"       mailin --dry-run [--pretty] [-c FILE] [--recipient ADDRESS] [--sender ADDRESS]\n"
	"              [--queue-id ID] [--route NAME] [--no-sandbox]\n"
	"       mailin --help | --version\n"
	"\n"
	"Reads one mail from standard input and publishes it as an inbound document.\n"
	"Meant to be run by Postfix's pipe(8); see mailin(8).\n";

enum {
	DECIMAL = 10,
	/* Postfix queue ids: 6 to about 20 letters and digits. */
	QUEUE_ID_MAX = 63,
};

static const char STATUS_USAGE[] = "4.3.5"; /* RFC 3463: system incorrectly configured */

/* What pipe(8) passes for the null sender unless null_sender= says otherwise. */
static const char NULL_SENDER_NAME[] = "MAILER-DAEMON";

enum {
	OPTION_QUEUE_ID = 256,
	OPTION_SIZE,
	OPTION_CLIENT,
	OPTION_CLIENT_NAME,
	OPTION_HELO,
	OPTION_SASL_USERNAME,
	OPTION_SENDER,
	OPTION_RECIPIENT,
	OPTION_ROUTE,
	OPTION_DRY_RUN,
	OPTION_PRETTY,
	OPTION_NO_SANDBOX,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option LONG_OPTIONS[] = {
	{"config", required_argument, NULL, 'c'},
	{"queue-id", required_argument, NULL, OPTION_QUEUE_ID},
	{"size", required_argument, NULL, OPTION_SIZE},
	{"client", required_argument, NULL, OPTION_CLIENT},
	{"client-name", required_argument, NULL, OPTION_CLIENT_NAME},
	{"helo", required_argument, NULL, OPTION_HELO},
	{"sasl-username", required_argument, NULL, OPTION_SASL_USERNAME},
	{"sender", required_argument, NULL, OPTION_SENDER},
	{"recipient", required_argument, NULL, OPTION_RECIPIENT},
	{"route", required_argument, NULL, OPTION_ROUTE},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"pretty", no_argument, NULL, OPTION_PRETTY},
	{"no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static bool parse_size(const char *text, int64_t *size)
{
	char *end;

	errno = 0;
	long long number = strtoll(text, &end, DECIMAL);

	if (errno != 0 || end == text || *end != '\0' || number < 0)
		return false;
	*size = number;
	return true;
}

/* False if the option or its argument is not usable. */
static bool take_option(struct options *options, int option)
{
	struct envelope *envelope = &options->envelope;

	switch (option) {
	case 'c':
		options->config_file = optarg;
		return true;
	case OPTION_QUEUE_ID:
		envelope->queue_id = optarg;
		return true;
	case OPTION_SIZE:
		return parse_size(optarg, &envelope->size);
	case OPTION_CLIENT:
		envelope->client_address = optarg;
		return true;
	case OPTION_CLIENT_NAME:
		envelope->client_name = optarg;
		return true;
	case OPTION_HELO:
		envelope->helo = optarg;
		return true;
	case OPTION_SASL_USERNAME:
		envelope->sasl_username = optarg;
		return true;
	case OPTION_SENDER:
		envelope->sender = strcmp(optarg, NULL_SENDER_NAME) == 0 ? "" : optarg;
		return true;
	case OPTION_RECIPIENT:
		envelope->recipient = optarg;
		return true;
	case OPTION_ROUTE:
		options->route = optarg;
		return true;
	case OPTION_DRY_RUN:
		options->dry_run = true;
		return true;
	case OPTION_PRETTY:
		options->pretty = true;
		return true;
	case OPTION_NO_SANDBOX:
		options->no_sandbox = true;
		return true;
	case OPTION_HELP:
		options->action = OPTIONS_HELP;
		return true;
	case OPTION_VERSION:
		options->action = OPTIONS_VERSION;
		return true;
	default:
		return false;
	}
}

/* Letters and digits, as Postfix makes them: it goes into message headers. */
static bool queue_id_is_usable(const char *queue_id)
{
	size_t size = strlen(queue_id);

	return size <= QUEUE_ID_MAX &&
	       strspn(queue_id,
		      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.") == size;
}

static enum outcome check(const struct options *options, bool sender_told, struct reason *reason)
{
	const struct envelope *envelope = &options->envelope;

	if (!queue_id_is_usable(envelope->queue_id))
		return outcome_retry(reason, STATUS_USAGE, "--queue-id: \"%s\" is no queue id",
				     envelope->queue_id);
	if (options->dry_run || options->action != OPTIONS_RUN)
		return OUTCOME_OK;
	if (options->pretty || options->route != NULL || options->no_sandbox)
		return outcome_retry(reason, STATUS_USAGE,
				     "--pretty, --route and --no-sandbox need --dry-run");
	if (*envelope->queue_id == '\0')
		return outcome_retry(reason, STATUS_USAGE, "--queue-id is missing");
	if (!sender_told)
		return outcome_retry(reason, STATUS_USAGE, "--sender is missing");
	if (*envelope->recipient == '\0')
		return outcome_retry(reason, STATUS_USAGE, "the recipient is missing");
	return OUTCOME_OK;
}

/* The recipient after the options. */
static enum outcome take_arguments(struct options *options, int count, char **arguments,
				   struct reason *reason)
{
	if (count > 1)
		return outcome_retry(
			reason, STATUS_USAGE,
			"more than one recipient: set mailin_destination_recipient_limit "
			"= 1 in Postfix's main.cf");
	if (count == 1)
		options->envelope.recipient = arguments[0];
	return OUTCOME_OK;
}

enum outcome options_parse(struct options *options, int argc, char **argv, struct reason *reason)
{
	bool sender_told = false;
	const char *bad = NULL;
	int option;

	*options = (struct options){.envelope = {.queue_id = "",
						 .sender = "",
						 .recipient = "",
						 .client_address = "",
						 .client_name = "",
						 .helo = "",
						 .sasl_username = "",
						 .size = -1}};
	opterr = 0;
	/* '+': an argument is never taken for an option because of what stands after it. */
	while ((option = getopt_long(argc, argv, "+:c:", LONG_OPTIONS, NULL)) != -1) {
		if (option == OPTION_SENDER)
			sender_told = true;
		if (!take_option(options, option) && bad == NULL)
			bad = argv[optind - 1];
	}
	if (bad != NULL)
		return outcome_retry(reason, STATUS_USAGE, "\"%s\" is not understood", bad);
	enum outcome outcome = take_arguments(options, argc - optind, argv + optind, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	return check(options, sender_told, reason);
}
