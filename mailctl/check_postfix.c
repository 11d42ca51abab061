#include <glib.h>
#include <string.h>

#include "mailctl/check.h"
#include "mailctl/run.h"

#define APPLY "run postfix/mailpipe-postfix"

static const char subject[] = "postfix";
static const char program[] = "postconf";

enum { NOT_STARTED = 127, DECIMAL = 10, ARGUMENTS_MAX = 24, MS_PER_S = 1000 };

/* What is asked for; pipe(8)'s limits take the service's name. */
static const char *const parameters[] = {
	"message_size_limit",    "mailbox_size_limit",
	"virtual_mailbox_limit", "recipient_delimiter",
	"enable_long_queue_ids", "smtpd_forbid_bare_newline",
	"virtual_mailbox_maps",  "command_time_limit",
	"mailpipe_time_limit",   "mailpipe_destination_recipient_limit",
};

struct postfix {
	const struct config *config;
	struct report *report;
	GHashTable *values;
};

/* ---- reading ---- */

/* "name = value" lines. */
static GHashTable *parse_values(const char *text)
{
	GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		char *equals = strchr(*line, '=');

		if (equals == NULL)
			continue;
		g_hash_table_insert(values, g_strstrip(g_strndup(*line, (size_t)(equals - *line))),
				    g_strstrip(g_strdup(equals + 1)));
	}
	return values;
}

/* postconf with the option and names given; its output, or NULL if it is not there or fails. */
static char *ask(const char *directory, const char *option, const char *const *names, size_t count,
		 struct run_result *result, struct reason *reason)
{
	const char *argv[ARGUMENTS_MAX] = {program};
	size_t used = 1;

	if (directory != NULL) {
		argv[used++] = "-c";
		argv[used++] = directory;
	}
	argv[used++] = option;
	for (size_t i = 0; i < count; i++)
		argv[used++] = names[i];
	if (run_program(argv, NULL, result, reason) != OUTCOME_OK || result->status != 0)
		return NULL;
	return result->output;
}

static const char *value_of(const struct postfix *postfix, const char *name)
{
	const char *value = g_hash_table_lookup(postfix->values, name);

	return value != NULL ? value : "";
}

static int64_t number_of(const struct postfix *postfix, const char *name)
{
	return g_ascii_strtoll(value_of(postfix, name), NULL, DECIMAL);
}

/* ---- comparing ---- */

static void check_sizes(const struct postfix *postfix)
{
	int64_t limit = number_of(postfix, "message_size_limit");
	int64_t own = postfix->config->limits.message_size;

	if (limit == 0 || limit > own)
		report_add(postfix->report, REPORT_WARNING, subject, APPLY,
			   "message_size_limit (%" G_GINT64_FORMAT
			   ") is above limits.message_size (%" G_GINT64_FORMAT
			   "): mails in between are accepted first and bounced then",
			   limit, own);
	else
		report_add(postfix->report, REPORT_OK, subject, NULL,
			   "message_size_limit fits limits.message_size");
	static const char *const others[] = {"mailbox_size_limit", "virtual_mailbox_limit"};

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		int64_t other = number_of(postfix, others[i]);

		if (other != 0 && (limit == 0 || other < limit))
			report_add(postfix->report, REPORT_WARNING, subject,
				   "raise it, or set it to 0",
				   "%s (%" G_GINT64_FORMAT
				   ") is below message_size_limit: Postfix's own "
				   "delivery agents refuse to run so",
				   others[i], other);
	}
}

static void check_delimiter(const struct postfix *postfix)
{
	const char *theirs = value_of(postfix, "recipient_delimiter");
	const char *ours = postfix->config->recipient_delimiter;

	if (strcmp(theirs, ours) != 0)
		report_add(postfix->report, REPORT_ERROR, subject, "make both the same",
			   "recipient_delimiter is \"%s\", but mailpipe.recipient_delimiter is "
			   "\"%s\": mail "
			   "for tagged addresses would be refused",
			   theirs, ours);
	else
		report_add(postfix->report, REPORT_OK, subject, NULL,
			   "recipient_delimiter is ours, too");
}

static void check_queue_ids(const struct postfix *postfix)
{
	if (strcmp(value_of(postfix, "enable_long_queue_ids"), "yes") != 0)
		report_add(postfix->report, REPORT_ERROR, subject, APPLY,
			   "enable_long_queue_ids is not yes: a mail that Postfix delivers again "
			   "is stored "
			   "twice");
	else
		report_add(postfix->report, REPORT_OK, subject, NULL, "queue ids are long");
	if (strcmp(value_of(postfix, "smtpd_forbid_bare_newline"), "no") == 0)
		report_add(postfix->report, REPORT_WARNING, subject, APPLY,
			   "smtpd_forbid_bare_newline is no: SMTP smuggling (CVE-2023-51764)");
}

/* "1000s", "5m"; -1 if it is none. */
static int64_t time_ms(const char *text)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	char *end;
	int64_t number = g_ascii_strtoll(text, &end, DECIMAL);

	for (size_t i = 0; end != text && i < G_N_ELEMENTS(units); i++)
		if (*end == units[i].unit)
			return number * units[i].seconds * MS_PER_S;
	return -1;
}

/* The map's file in virtual_mailbox_maps, "proxy:mysql:/etc/postfix/mailpipe/recipients.cf, ...";
 * NULL: none.  g_free() it. */
static char *map_file(const char *maps)
{
	static const char name[] = "mailpipe/recipients.cf";
	const char *found = strstr(maps, name);
	const char *begin = found;

	while (begin != NULL && begin > maps && strchr(": ,", begin[-1]) == NULL)
		begin--;
	return found != NULL ? g_strndup(begin, (size_t)(found - begin) + strlen(name)) : NULL;
}

/* mailpipe-postfix writes it once: an older one knows neither registered addresses nor tokens. */
static void check_map(const struct postfix *postfix)
{
	static const char *const views[] = {"recipients", "recipient_addresses", "recipient_tokens",
					    "recipient_threads"};
	g_autofree char *file = map_file(value_of(postfix, "virtual_mailbox_maps"));
	g_autofree char *text = NULL;

	if (file == NULL) {
		report_add(postfix->report, REPORT_WARNING, subject, APPLY,
			   "virtual_mailbox_maps does not ask the view recipients: unknown "
			   "recipients are accepted first and bounced then");
		return;
	}
	if (!g_file_get_contents(file, &text, NULL, NULL))
		return; /* it has a password: not everybody may read it */
	for (size_t i = 0; i < G_N_ELEMENTS(views); i++) {
		if (strstr(text, views[i]) != NULL)
			continue;
		report_add(postfix->report, REPORT_ERROR, subject, APPLY " again",
			   "%s is of an older version, without %s: mail to registered addresses, "
			   "tokens and reply addresses is refused",
			   file, views[i]);
		return;
	}
}

static void check_service(const struct postfix *postfix)
{
	const char *limit = value_of(postfix, "mailpipe_time_limit");
	int64_t ms = time_ms(*limit != '\0' ? limit : value_of(postfix, "command_time_limit"));

	if (ms >= 0 && ms <= postfix->config->limits.deadline)
		report_add(postfix->report, REPORT_ERROR, subject,
			   "raise mailpipe_time_limit or lower limits.deadline",
			   "the time limit of the service mailpipe is not above limits.deadline: "
			   "Postfix "
			   "would end mailin and might bounce the mail");
	if (strcmp(value_of(postfix, "mailpipe_destination_recipient_limit"), "1") != 0)
		report_add(postfix->report, REPORT_ERROR, subject, APPLY,
			   "mailpipe_destination_recipient_limit is not 1: mail for several "
			   "recipients is "
			   "deferred");
	check_map(postfix);
}

static bool knows_service(const char *directory, struct report *report)
{
	static const char *const names[] = {"mailpipe/unix"};
	struct run_result result = {0};
	struct reason reason = {0};
	const char *line = ask(directory, "-M", names, G_N_ELEMENTS(names), &result, &reason);
	bool known = line != NULL && strstr(line, "argv=") != NULL;

	if (!known && result.status == NOT_STARTED && directory == NULL)
		report_add(report, REPORT_OK, subject, NULL,
			   "not checked, for there is no postconf here");
	else if (!known && directory == NULL && result.errors != NULL &&
		 strstr(result.errors, "main.cf: No such file") != NULL)
		report_add(report, REPORT_OK, subject, NULL,
			   "not checked, for Postfix is not configured here");
	else if (!known && line == NULL)
		report_add(report, REPORT_ERROR, subject, NULL, "postconf: %s",
			   result.errors != NULL && *result.errors != '\0' ? result.errors
									   : reason.text);
	else if (!known)
		report_add(report, REPORT_WARNING, subject, APPLY,
			   "master.cf has no service mailpipe: no mail comes this way");
	else
		report_add(report, REPORT_OK, subject, NULL, "master.cf has the service mailpipe");
	run_result_clear(&result);
	return known;
}

void check_postfix(const struct config *config, const char *directory, struct report *report)
{
	struct run_result result = {0};
	struct reason reason = {0};

	if (!knows_service(directory, report))
		return;
	const char *text =
		ask(directory, "-x", parameters, G_N_ELEMENTS(parameters), &result, &reason);

	if (text == NULL) {
		report_add(report, REPORT_ERROR, subject, NULL, "postconf: %s",
			   result.errors != NULL ? result.errors : reason.text);
	} else {
		struct postfix postfix = {config, report, parse_values(text)};

		check_sizes(&postfix);
		check_delimiter(&postfix);
		check_queue_ids(&postfix);
		check_service(&postfix);
		g_hash_table_unref(postfix.values);
	}
	run_result_clear(&result);
}
