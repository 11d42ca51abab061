#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#include "mailctl/check.h"
#include "mailctl/grants.h"
#include "mailctl/rabbitmqctl.h"

/* A control character takes six bytes in JSON: \u0001. */
enum { JSON_ESCAPE_MAX = 6 };
/* RFC 4648, 4: three bytes become four characters. */
enum { BASE64_IN = 3, BASE64_OUT = 4 };
/* TextBody, HtmlBody, and TextBody again as reply and quote. */
enum { BODIES = 3 };

/* Everything but attachments and bodies in an ordinary document. */
static const int64_t DOCUMENT_ROOM = INT64_C(64) * 1024;

/* ---- sizes ---- */

int64_t check_largest_value(const struct config *config)
{
	const struct config_limits *limits = &config->limits;

	return MAX(MAX(limits->message_size, limits->body_bytes),
		   limits->header_bytes * JSON_ESCAPE_MAX);
}

static bool keeps_raw(const struct config *config)
{
	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].raw == CONFIG_RAW_YES)
			return true;
	return false;
}

int64_t check_largest_document(const struct config *config)
{
	const struct config_limits *limits = &config->limits;
	int64_t encoded = limits->message_size / BASE64_IN * BASE64_OUT;
	int64_t bodies = MIN(BODIES * limits->body_bytes, BODIES * limits->message_size);

	/* The raw mail comes on top of what was parsed, or, after a crash, instead of it. */
	return encoded * (keeps_raw(config) ? 2 : 1) + bodies + limits->header_bytes +
	       DOCUMENT_ROOM;
}

char *check_size_text(int64_t size)
{
	static const double mib = 1024 * 1024;

	return g_strdup_printf("%.1f MiB", (double)size / mib);
}

/* ---- limits beside each other ---- */

/* What is removed before its last repetition is stored or sent a second time. */
static bool check_keep(const struct config *config, const char *subject, struct report *report)
{
	bool fine = true;

	for (size_t i = 0; i < config->route_count + config->stream_count; i++) {
		bool is_route = i < config->route_count;
		size_t stream = i - config->route_count;
		int64_t keep = is_route ? config->routes[i].keep : config->streams[stream].keep;

		if (keep == 0 || keep > config->retry_max_age)
			continue;
		report_add(report, REPORT_WARNING, subject, "raise keep or lower retry.max_age",
			   "keep of %s %s is not longer than retry.max_age: what is tried again "
			   "after it was removed is %s twice",
			   is_route ? "route" : "stream",
			   is_route ? config->routes[i].name : config->streams[stream].name,
			   is_route ? "stored" : "sent");
		fine = false;
	}
	return fine;
}

static void check_times(const struct config *config, struct report *report)
{
	static const char subject[] = "config times";
	bool fine = true;

	if (config->mysql_timeout >= config->amqp_heartbeat) {
		report_add(report, REPORT_ERROR, subject,
			   "lower mysql.timeout or raise amqp.heartbeat",
			   "mysql.timeout is not less than amqp.heartbeat: the broker closes the "
			   "connection of a worker that waits so long for the database");
		fine = false;
	}
	if (config->limits.parse_wall >= config->limits.deadline) {
		report_add(
			report, REPORT_ERROR, subject,
			"lower limits.parse_wall or raise limits.deadline",
			"limits.parse_wall is not less than limits.deadline: a mail that keeps the "
			"parser busy would be deferred again and again");
		fine = false;
	}
	fine = check_keep(config, subject, report) && fine;
	if (fine)
		report_add(report, REPORT_OK, subject, NULL, "fit each other");
}

static void check_routes(const struct config *config, struct report *report)
{
	if (config->route_count == 0)
		report_add(report, REPORT_ERROR, "config routes", "add a [route NAME]",
			   "there is none: every mail would be refused");
	else
		report_add(report, REPORT_OK, "config routes", NULL, "%zu", config->route_count);
}

static void check_notify(const struct config *config, struct report *report)
{
	static const char subject[] = "config notify";

	if (!config->notify_enabled)
		report_add(report, REPORT_OK, subject, NULL, "no notices to posters");
	else if (config->notify_require_auth && config->authserv_ids[0] == NULL)
		report_add(report, REPORT_OK, subject, NULL,
			   "notices go only to posters who have logged in, for "
			   "mailpipe.authserv_ids is empty");
	else
		report_add(report, REPORT_OK, subject, NULL, "notices by stream %s",
			   config_notify_stream(config));
}

/* ---- password files ---- */

static void check_password_file(const struct config_user *user, const char *key,
				struct report *report)
{
	struct stat about;
	struct reason reason = {0};

	if (*user->password_file == '\0')
		return;
	g_autofree char *password = config_password(user, key, &reason);

	if (password == NULL)
		report_add(report, REPORT_ERROR, "config", "write the password into its first line",
			   "%s", reason.text);
	else if (stat(user->password_file, &about) == 0 &&
		 (about.st_mode & (S_IROTH | S_IWOTH)) != 0)
		report_add(report, REPORT_WARNING, "config", "chmod o-rw",
			   "%s: %s: everybody can read it", key, user->password_file);
	else
		report_add(report, REPORT_OK, "config", NULL, "%s: %s", key, user->password_file);
}

void check_config(const struct config *config, struct report *report)
{
	report_add(report, REPORT_OK, "config", NULL, "%s", config->file);
	check_routes(config, report);
	check_routes_fit(config, report);
	check_times(config, report);
	check_notify(config, report);
	for (int i = 0; i < AMQP_ROLE_COUNT; i++)
		check_password_file(amqp_role_user(i, config), amqp_role_password_key(i), report);
	for (int i = 0; i < ROLE_COUNT; i++)
		check_password_file(role_user(i, config), role_password_key(i), report);
	check_password_file(&config->redis, "redis.password_file", report);
}
