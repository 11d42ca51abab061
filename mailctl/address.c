/*
 * mailctl address: who may post where.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/domain.h"
#include "common/token.h"
#include "mailctl/address_show.h"
#include "mailctl/connect.h"
#include "mailctl/mailctl.h"
#include "mailctl/registry.h"

const char address_options[] =
	"\n"
	"  add ADDRESS          register an address of a route\n"
	"  list [ADDRESS]       what is registered\n"
	"  rotate ID            a new token instead of the old one\n"
	"  remove ID            away with it\n"
	"\n"
	"add:\n"
	"  --token              who posts needs a secret token: it is shown once\n"
	"  --sender=SENDER      who may post: ann@example.com, *@example.com or *\n"
	"                       (anyone); may be repeated; with --token anyone by default\n"
	"  --owner=ID           whose the posts are, as the application knows them\n"
	"  --proof=PROOF        route (as the config says), none, spf-or-dkim or dmarc\n"
	"  --valid-for=TIME     for so long: 12h, 30d\n"
	"  --valid-until=DATE   until then: 2026-12-31, 2026-12-31T18:00:00Z\n"
	"  --label=TEXT         for people\n"
	"  --route=ROUTE        it must be the route that the config sends the address to\n"
	"\n"
	"  --route=ROUTE --owner=ID\n"
	"                       list: only of these\n"
	"  --grace=TIME         rotate: the old token is good for so long\n"
	"  --json               print JSON\n";

enum {
	OPTION_TOKEN = 1,
	OPTION_SENDER,
	OPTION_OWNER,
	OPTION_PROOF,
	OPTION_VALID_FOR,
	OPTION_VALID_UNTIL,
	OPTION_LABEL,
	OPTION_ROUTE,
	OPTION_GRACE,
	OPTION_JSON,
	DATE_LENGTH = 10, /* of 2026-12-31 */
	US_PER_MS = 1000,
};

static const int64_t TIME_MIN_MS = 1000;
static const int64_t TIME_MAX_MS = INT64_C(36500) * 86400 * 1000;
static const char *const proofs[] = {"route", "none", "spf-or-dkim", "dmarc", NULL};

struct address_command {
	const char *config_file;
	struct config *config;
	struct db *db;
	struct registration *given;
	bool token;
	bool json;
	int64_t grace_ms;
	unsigned int options; /* a bit for each OPTION_ that was given */
	const char *argument; /* NULL: none */
	int64_t id;
};

/* ---- options ---- */

static bool is_printable(const char *text)
{
	if (!g_utf8_validate(text, -1, NULL))
		return false;
	for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return false;
	return true;
}

static bool take_text(char **to, const char *option, const char *text, size_t max)
{
	if (!is_printable(text) || g_utf8_strlen(text, -1) > (glong)max)
		return mailctl_complain(
			"%s: no more than %zu characters of UTF-8, no control characters", option,
			max);
	g_free(*to);
	*to = g_strdup(text);
	return true;
}

static bool take_time(int64_t *ms, const char *option, const char *text, int64_t minimum)
{
	struct reason reason;

	if (config_parse_time(text, minimum, TIME_MAX_MS, ms, &reason) == OUTCOME_OK)
		return true;
	return mailctl_complain("%s: %s", option, reason.text);
}

/* Takes the time, which may be NULL. */
static bool set_valid_until(struct address_command *command, GDateTime *time, const char *option)
{
	g_autoptr(GDateTime) until = time;
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();

	if (until == NULL)
		return mailctl_complain("%s: a date is 2026-12-31 or 2026-12-31T18:00:00Z", option);
	if (g_date_time_compare(until, now) <= 0)
		return mailctl_complain("%s: that has passed", option);
	g_autoptr(GDateTime) utc = g_date_time_to_utc(until);

	g_free(command->given->valid_until);
	command->given->valid_until = g_date_time_format(utc, "%Y-%m-%d %H:%M:%S.000");
	return true;
}

static bool take_valid_for(struct address_command *command, const char *text)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	int64_t ms;

	if (!take_time(&ms, "--valid-for", text, TIME_MIN_MS))
		return false;
	return set_valid_until(command, g_date_time_add(now, ms * US_PER_MS), "--valid-for");
}

static bool take_valid_until(struct address_command *command, const char *text)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autofree char *whole = strlen(text) == DATE_LENGTH ? g_strconcat(text, "T00:00:00Z", NULL)
							     : g_strdup(text);

	return set_valid_until(command, g_date_time_new_from_iso8601(whole, utc), "--valid-until");
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* local@domain without what would never be a mailbox' name here. */
static bool is_address(const char *address)
{
	const char *at = strrchr(address, '@');

	return is_printable(address) && at != NULL && at != address && at[1] != '\0' &&
	       strpbrk(address, " \t<>,;\"") == NULL && strchr(address, '@') == at &&
	       g_utf8_strlen(address, -1) <= REGISTRY_ADDRESS_MAX;
}

static bool take_sender(struct address_command *command, const char *text)
{
	GPtrArray *senders = command->given->senders;
	bool anyone = strcmp(text, "*") == 0;
	bool domain = g_str_has_prefix(text, "*@");

	if (!anyone && (!is_address(text) || strchr(domain ? text + 1 : text, '*') != NULL))
		return mailctl_complain(
			"--sender: %s is none of ann@example.com, *@example.com and *", text);
	g_autofree char *sender = anyone ? g_strdup(text) : domain_address(text);

	if (sender == NULL)
		return mailctl_complain("--sender: %s has no domain that could be written to",
					text);
	if (g_ptr_array_find_with_equal_func(senders, sender, g_str_equal, NULL))
		return true;
	if (senders->len == REGISTRY_SENDERS_MAX)
		return mailctl_complain("--sender: no more than %d", REGISTRY_SENDERS_MAX);
	g_ptr_array_add(senders, g_steal_pointer(&sender));
	return true;
}

static bool take_proof(struct address_command *command, const char *text)
{
	if (!g_strv_contains(proofs, text))
		return mailctl_complain("--proof: route, none, spf-or-dkim or dmarc");
	g_free(command->given->proof);
	command->given->proof = g_strdup(text);
	return true;
}

static bool take_option(struct address_command *command, int option, const char *text)
{
	struct registration *given = command->given;

	switch (option) {
	case 'c':
		command->config_file = text;
		return true;
	case OPTION_TOKEN:
		command->token = true;
		return true;
	case OPTION_SENDER:
		return take_sender(command, text);
	case OPTION_OWNER:
		return take_text(&given->owner, "--owner", text, REGISTRY_OWNER_MAX);
	case OPTION_PROOF:
		return take_proof(command, text);
	case OPTION_VALID_FOR:
		return take_valid_for(command, text);
	case OPTION_VALID_UNTIL:
		return take_valid_until(command, text);
	case OPTION_LABEL:
		return take_text(&given->label, "--label", text, REGISTRY_LABEL_MAX);
	case OPTION_ROUTE:
		g_free(given->route);
		given->route = g_strdup(text);
		return true;
	case OPTION_GRACE:
		return take_time(&command->grace_ms, "--grace", text, 0);
	case OPTION_JSON:
		command->json = true;
		return true;
	default:
		return false;
	}
}

static bool take_options(struct address_command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"token", no_argument, NULL, OPTION_TOKEN},
		{"sender", required_argument, NULL, OPTION_SENDER},
		{"owner", required_argument, NULL, OPTION_OWNER},
		{"proof", required_argument, NULL, OPTION_PROOF},
		{"valid-for", required_argument, NULL, OPTION_VALID_FOR},
		{"valid-until", required_argument, NULL, OPTION_VALID_UNTIL},
		{"label", required_argument, NULL, OPTION_LABEL},
		{"route", required_argument, NULL, OPTION_ROUTE},
		{"grace", required_argument, NULL, OPTION_GRACE},
		{"json", no_argument, NULL, OPTION_JSON},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (!take_option(command, option, optarg))
			return false;
		if (option != 'c')
			command->options |= 1U << option;
	}
	return true;
}

/* ---- the verbs ---- */

static bool draw(char token[TOKEN_TEXT_SIZE])
{
	return token_new(token) || mailctl_complain("no random numbers: %s", g_strerror(errno));
}

/* The config decides where mail goes: what it sends elsewhere cannot be registered. */
static bool check_route(const struct address_command *command, const char *address)
{
	struct registration *given = command->given;
	const struct config_route *route = config_route(command->config, address);

	if (route == NULL)
		return mailctl_complain("%s: no route of %s takes it", address,
					command->config->file);
	if (given->route != NULL && strcmp(given->route, route->name) != 0)
		return mailctl_complain("%s: %s sends it to the route %s, not to %s", address,
					command->config->file, route->name, given->route);
	if (route->require == CONFIG_REQUIRE_TOKEN && !command->token)
		return mailctl_complain("%s: the route %s takes mail with a token only (--token)",
					address, route->name);
	if (given->route == NULL)
		given->route = g_strdup(route->name);
	return true;
}

static bool check_given(struct address_command *command)
{
	struct registration *given = command->given;
	const char *delimiters = command->config->recipient_delimiter;
	char token[TOKEN_TEXT_SIZE];

	if (!is_address(command->argument) || strchr(command->argument, '*') != NULL)
		return mailctl_complain("%s: no address", command->argument);
	given->address = route_base_address("", command->argument);
	g_autofree char *base = route_base_address(delimiters, command->argument);

	if (strcmp(base, given->address) != 0)
		return mailctl_complain("%s: without what follows the delimiter, please: %s",
					given->address, base);
	if (!check_route(command, given->address))
		return false;
	if (!command->token)
		return given->senders->len > 0 ||
		       mailctl_complain("who may post? (--sender, or --token)");
	if (*delimiters == '\0')
		return mailctl_complain("--token: mailpipe.recipient_delimiter is empty");
	if (given->senders->len == 0)
		take_sender(command, "*");
	/* An expression need not match with an extension. */
	memset(token, 'a', TOKEN_LENGTH);
	token[TOKEN_LENGTH] = '\0';
	g_autofree char *tagged = address_with_token(command->config, given->address, token);

	return check_route(command, tagged);
}

static void show(const struct address_command *command, const struct registration *r,
		 const char *what, const char *token)
{
	address_show(command->config, r, what, token, command->json);
}

static bool failed(const struct reason *reason)
{
	return mailctl_complain("%s", reason->text);
}

static bool add(struct address_command *command)
{
	struct registration *given = command->given;
	struct reason reason = {0};
	char token[TOKEN_TEXT_SIZE];

	if (!check_given(command) || (command->token && !draw(token)))
		return false;
	given->needs_token = command->token;
	if (given->proof == NULL)
		given->proof = g_strdup("route");
	if (given->label == NULL)
		given->label = g_strdup("");
	g_ptr_array_sort(given->senders, compare_texts);
	command->db = connect_db_admin(command->config, false, &reason);
	if (command->db == NULL ||
	    registry_add(command->db, given, command->token ? token : NULL, &reason) != OUTCOME_OK)
		return failed(&reason);
	show(command, given, "registered", command->token ? token : NULL);
	return true;
}

static bool list(struct address_command *command)
{
	const struct registration *given = command->given;
	struct reason reason = {0};
	g_autofree char *address =
		command->argument != NULL ? route_base_address("", command->argument) : NULL;
	const struct registry_filter filter = {
		.address = address, .route = given->route, .owner = given->owner};
	g_autoptr(GPtrArray) found = NULL;

	command->db = connect_db_admin(command->config, false, &reason);
	if (command->db == NULL ||
	    registry_list(command->db, &filter, &found, &reason) != OUTCOME_OK)
		return failed(&reason);
	address_show_list(command->config, found, command->json);
	return true;
}

/* The one with the id of the command line, in an array that the caller frees; NULL if there is
 * none. */
static struct registration *find(struct address_command *command, GPtrArray **found)
{
	const struct registry_filter filter = {.id = command->id};
	struct reason reason = {0};

	command->db = connect_db_admin(command->config, false, &reason);
	if (command->db == NULL ||
	    registry_list(command->db, &filter, found, &reason) != OUTCOME_OK) {
		failed(&reason);
		return NULL;
	}
	if ((*found)->len == 0) {
		mailctl_complain("no address is registered as number %" PRId64
				 ", see mailctl address list",
				 command->id);
		return NULL;
	}
	return (*found)->pdata[0];
}

static bool rotate(struct address_command *command)
{
	g_autoptr(GPtrArray) found = NULL;
	struct registration *r = find(command, &found);
	struct reason reason = {0};
	char token[TOKEN_TEXT_SIZE];

	if (r == NULL)
		return false;
	if (!r->needs_token)
		return mailctl_complain("%" PRId64 " has no token", r->id);
	/* Nobody could use it. */
	if (!r->valid)
		return mailctl_complain("%" PRId64
					" was valid until %s (UTC): remove it, and add it again",
					r->id, r->valid_until);
	if (!draw(token))
		return false;
	if (registry_rotate(command->db, r->id, token, command->grace_ms, &reason) != OUTCOME_OK)
		return failed(&reason);
	r->tokens = command->grace_ms > 0 ? r->tokens + 1 : 1;
	show(command, r, "rotated", token);
	return true;
}

static bool forget(struct address_command *command)
{
	g_autoptr(GPtrArray) found = NULL;
	struct registration *r = find(command, &found);
	struct reason reason = {0};

	if (r == NULL)
		return false;
	if (registry_remove(command->db, r->id, &reason) != OUTCOME_OK)
		return failed(&reason);
	show(command, r, "removed", NULL);
	return true;
}

/* ---- the command ---- */

#define BIT(option) (1U << (option))

enum argument { ARGUMENT_ADDRESS, ARGUMENT_ANY_ADDRESS, ARGUMENT_ID };

static const struct verb {
	const char *name;
	bool (*run)(struct address_command *command);
	enum argument argument;
	unsigned int options;
} verbs[] = {
	{"add", add, ARGUMENT_ADDRESS,
	 BIT(OPTION_TOKEN) | BIT(OPTION_SENDER) | BIT(OPTION_OWNER) | BIT(OPTION_PROOF) |
		 BIT(OPTION_VALID_FOR) | BIT(OPTION_VALID_UNTIL) | BIT(OPTION_LABEL) |
		 BIT(OPTION_ROUTE) | BIT(OPTION_JSON)},
	{"list", list, ARGUMENT_ANY_ADDRESS,
	 BIT(OPTION_ROUTE) | BIT(OPTION_OWNER) | BIT(OPTION_JSON)},
	{"rotate", rotate, ARGUMENT_ID, BIT(OPTION_GRACE) | BIT(OPTION_JSON)},
	{"remove", forget, ARGUMENT_ID, BIT(OPTION_JSON)},
};

static bool take_id(struct address_command *command)
{
	guint64 id;

	if (!g_ascii_string_to_unsigned(command->argument, 10, 1, G_MAXUINT32, &id, NULL))
		return mailctl_complain("%s: an ID is a number, see mailctl address list",
					command->argument);
	command->id = (int64_t)id;
	return true;
}

static const struct verb *take_verb(struct address_command *command, int argc, char **argv)
{
	const char *name = optind < argc ? argv[optind] : "";
	const struct verb *verb = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			verb = &verbs[i];
	if (verb == NULL) {
		mailctl_complain("%s%sadd, list, rotate or remove?", name,
				 *name != '\0' ? ": " : "");
		return NULL;
	}
	int arguments = argc - optind - 1;

	command->argument = arguments > 0 ? argv[optind + 1] : NULL;
	if (arguments > 1 || (arguments == 0 && verb->argument != ARGUMENT_ANY_ADDRESS)) {
		mailctl_complain("%s takes one argument, %s", name,
				 verb->argument == ARGUMENT_ID ? "the number of an address"
							       : "an address");
		return NULL;
	}
	if (verb->argument == ARGUMENT_ID && !take_id(command))
		return NULL;
	if ((command->options & ~verb->options) != 0) {
		mailctl_complain("%s does not take all of these options", name);
		return NULL;
	}
	if ((command->options & BIT(OPTION_VALID_FOR)) != 0 &&
	    (command->options & BIT(OPTION_VALID_UNTIL)) != 0) {
		mailctl_complain("--valid-for and --valid-until: which?");
		return NULL;
	}
	return verb;
}

static int run(struct address_command *command, int argc, char **argv)
{
	const struct verb *verb = NULL;

	if (take_options(command, argc, argv))
		verb = take_verb(command, argc, argv);
	if (verb == NULL)
		return mailctl_usage("address");
	command->config = mailctl_config(command->config_file);
	if (command->config == NULL)
		return EXIT_BAD_CONFIG;
	if (!verb->run(command))
		return EXIT_WRONG;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		mailctl_complain("standard output: %s", g_strerror(errno));
		return EXIT_WRONG;
	}
	return EXIT_FINE;
}

int command_address(int argc, char **argv, const char *config_file)
{
	struct address_command command = {.config_file = config_file, .given = registration_new()};
	int status = run(&command, argc, argv);

	db_close(&command.db);
	config_free(&command.config);
	registration_free(command.given);
	return status;
}
