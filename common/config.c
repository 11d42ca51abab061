#include "common/config.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "common/config_table.h"

enum {
	PASSWORD_MAX = 512,
	INSTANCE_MAX = 64,
	RISING_MAX = 20,
};

static const char STATUS[] = "4.3.5"; /* RFC 3463: system incorrectly configured */
static const int64_t RISING_DELAY_MIN = 100;
static const int64_t RISING_DELAY_MAX = INT64_C(7) * 24 * 60 * 60 * 1000;

/* A list of rising times. */
struct rising {
	const char *name; /* "[retry] tiers" */
	char **words;
	int64_t **delays;
	size_t *count;
};

static bool check_rising(const struct config *config, const struct rising *list,
			 struct reason *reason)
{
	int64_t before = 0;
	g_autofree char *where = g_strdup_printf("%s: %s", config->file, list->name);

	*list->count = g_strv_length(list->words);
	if (*list->count == 0 || *list->count > RISING_MAX) {
		outcome_retry(reason, STATUS, "%s: 1 to %d of them", where, RISING_MAX);
		return false;
	}
	*list->delays = g_new(int64_t, *list->count);
	for (size_t i = 0; i < *list->count; i++) {
		int64_t *delay = &(*list->delays)[i];

		if (config_parse_time(list->words[i], RISING_DELAY_MIN, RISING_DELAY_MAX, delay,
				      reason) != OUTCOME_OK) {
			reason_prefix(reason, where);
			return false;
		}
		if (*delay <= before) {
			outcome_retry(reason, STATUS, "%s: %s is not longer than the one before",
				      where, list->words[i]);
			return false;
		}
		before = *delay;
	}
	return true;
}

static bool check_times(struct config *config, struct reason *reason)
{
	const struct rising tiers = {"[retry] tiers", config->retry_tiers, &config->retry_delays,
				     &config->retry_tier_count};
	const struct rising pauses = {"[alerts] pauses", config->alerts_pauses,
				      &config->alerts_pause_delays, &config->alerts_pause_count};

	return check_rising(config, &tiers, reason) && check_rising(config, &pauses, reason);
}

static bool check_alerts(const struct config *config, struct reason *reason)
{
	if (*config->alerts_url == '\0' || g_str_has_prefix(config->alerts_url, "https://") ||
	    g_str_has_prefix(config->alerts_url, "http://"))
		return true;
	outcome_retry(reason, STATUS, "%s: [alerts] url: begins neither with https:// nor http://",
		      config->file);
	return false;
}

/* A name cannot lead out of the folders. */
static bool check_target(const struct config *config, const struct config_route *route,
			 struct reason *reason)
{
	const char *target = route->target;
	size_t size = strspn(target, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	if (*target == '/' || (size > 0 && target[size] == '\0'))
		return true;
	outcome_retry(reason, STATUS,
		      "%s:%d: [route %s] target: \"%s\" is neither a name of a-z 0-9 - _ nor an "
		      "absolute path",
		      config->file, route->line, route->name, target);
	return false;
}

/* "jpg" and "image" look like something, but would never match. */
static bool check_attachments(const struct config *config, const struct config_route *route,
			      const char *name, char **patterns, struct reason *reason)
{
	for (char **pattern = patterns; *pattern != NULL; pattern++) {
		if (strpbrk(*pattern, "/.*?") != NULL)
			continue;
		outcome_retry(reason, STATUS,
			      "%s:%d: [route %s] %s: \"%s\" is neither a media type (image/*) nor "
			      "a file name (*.jpg)",
			      config->file, route->line, route->name, name, *pattern);
		return false;
	}
	return true;
}

static bool check_acknowledge(const struct config *config, const struct config_route *route,
			      struct reason *reason)
{
	if (route->acknowledge != CONFIG_ACKNOWLEDGE_YES ||
	    config_route_answer(route) != CONFIG_ANSWER_NONE)
		return true;
	outcome_retry(reason, STATUS,
		      "%s:%d: [route %s] acknowledge: only the targets support and gallery have "
		      "something to tell, not \"%s\"",
		      config->file, route->line, route->name, route->target);
	return false;
}

static bool check_routes(struct config *config, struct reason *reason)
{
	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];

		for (char **pattern = route->recipients; *pattern != NULL; pattern++) {
			if (route_add(config->route_set, i, *pattern, reason) != OUTCOME_OK) {
				g_autofree char *where =
					g_strdup_printf("%s:%d: [route %s] recipients",
							config->file, route->line, route->name);

				reason_prefix(reason, where);
				return false;
			}
		}
		if (route->recipients[0] == NULL) {
			outcome_retry(reason, STATUS, "%s:%d: [route %s] recipients: is missing",
				      config->file, route->line, route->name);
			return false;
		}
		if (!check_target(config, route, reason) ||
		    !check_acknowledge(config, route, reason) ||
		    !check_attachments(config, route, "attachments_allow", route->attachments_allow,
				       reason) ||
		    !check_attachments(config, route, "attachments_refuse",
				       route->attachments_refuse, reason))
			return false;
	}
	return true;
}

static bool check_notify(const struct config *config, struct reason *reason)
{
	const char *from = config->notify_from;

	if (*config->notify_stream != '\0' &&
	    config_stream_named(config, config->notify_stream) == NULL) {
		outcome_retry(reason, STATUS, "%s: [notify] stream: no stream is named \"%s\"",
			      config->file, config->notify_stream);
		return false;
	}
	if (*from != '\0' && strchr(from, '@') == NULL) {
		outcome_retry(reason, STATUS, "%s: [notify] from: \"%s\" is no address",
			      config->file, from);
		return false;
	}
	return true;
}

/* What the table cannot say. */
static bool check(struct config *config, struct reason *reason)
{
	if (strcmp(config->log_target, "syslog") != 0 &&
	    strcmp(config->log_target, "stderr") != 0) {
		outcome_retry(reason, STATUS,
			      "%s: [log] target: \"%s\" is neither syslog nor stderr", config->file,
			      config->log_target);
		return false;
	}
	if (*config->instance == '\0' || strlen(config->instance) > INSTANCE_MAX) {
		outcome_retry(reason, STATUS, "%s: [mailpipe] instance: 1 to %d bytes",
			      config->file, INSTANCE_MAX);
		return false;
	}
	return check_times(config, reason) && check_alerts(config, reason) &&
	       check_notify(config, reason) && check_routes(config, reason);
}

/* What stands in no file but is always there. */
static void add_default_streams(struct config *config)
{
	if (config->stream_count > 0)
		return;
	config_stream_begin(config, "transactional", 0);
	config_stream_begin(config, "bulk", 0);
}

static struct config *config_blank(const char *file)
{
	struct config *config = g_new0(struct config, 1);

	config->file = g_strdup(file);
	for (size_t i = 0; i < config_parameter_count; i++)
		config_set(&config_parameters[i], config, config_parameters[i].default_value, NULL);
	return config;
}

struct config *config_default(void)
{
	struct config *config = config_blank("(defaults)");

	config->route_set = route_set_new(config->recipient_delimiter);
	add_default_streams(config);
	check_times(config, NULL);
	return config;
}

struct config *config_load(const char *file, struct reason *reason)
{
	struct config *config = config_blank(file);

	if (config_read(config, reason)) {
		add_default_streams(config);
		config->route_set = route_set_new(config->recipient_delimiter);
		if (check(config, reason))
			return config;
	}
	config_free(&config);
	return NULL;
}

void config_free(struct config **config)
{
	struct config *old = *config;

	if (old == NULL)
		return;
	for (size_t i = 0; i < config_parameter_count; i++)
		config_clear(&config_parameters[i], old);
	for (size_t i = 0; i < old->route_count; i++) {
		for (size_t k = 0; k < config_route_parameter_count; k++)
			config_clear(&config_route_parameters[k], &old->routes[i]);
		g_free(old->routes[i].name);
	}
	g_free(old->routes);
	for (size_t i = 0; i < old->stream_count; i++)
		g_free(old->streams[i].name);
	g_free(old->streams);
	g_free(old->retry_delays);
	g_free(old->alerts_pause_delays);
	route_set_free(&old->route_set);
	g_free(old->file);
	g_free(old);
	*config = NULL;
}

const struct config_route *config_route(const struct config *config, const char *recipient)
{
	int index = route_match(config->route_set, recipient);

	return index >= 0 ? &config->routes[index] : NULL;
}

const struct config_route *config_route_named(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->route_count; i++) {
		if (strcmp(config->routes[i].name, name) == 0)
			return &config->routes[i];
	}
	return NULL;
}

bool config_route_closed(const struct config_route *route)
{
	return route->require == CONFIG_REQUIRE_TOKEN ||
	       route->require == CONFIG_REQUIRE_REGISTERED;
}

static enum config_answer answer_of(const struct config_route *route)
{
	if (strcmp(route->target, "support") == 0)
		return CONFIG_ANSWER_TICKET;
	if (strcmp(route->target, "gallery") == 0)
		return CONFIG_ANSWER_GALLERY;
	return CONFIG_ANSWER_NONE;
}

enum config_answer config_route_answer(const struct config_route *route)
{
	return route->acknowledge == CONFIG_ACKNOWLEDGE_NO ? CONFIG_ANSWER_NONE : answer_of(route);
}

const struct config_stream *config_stream_named(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->stream_count; i++) {
		if (strcmp(config->streams[i].name, name) == 0)
			return &config->streams[i];
	}
	return NULL;
}

char *config_loop(const struct config *config)
{
	return g_strconcat("mailpipe/", config->instance, NULL);
}

const char *config_notify_stream(const struct config *config)
{
	return *config->notify_stream != '\0' ? config->notify_stream : config->streams[0].name;
}

char *config_password(const struct config_user *user, const char *key, struct reason *reason)
{
	char line[PASSWORD_MAX + 2];

	if (*user->password_file == '\0')
		return g_strdup("");
	FILE *file = fopen(user->password_file, "re");

	if (file == NULL) {
		outcome_retry(reason, STATUS, "%s: %s: %s", key, user->password_file,
			      g_strerror(errno));
		return NULL;
	}
	errno = 0;
	char *found = fgets(line, sizeof(line), file);
	int error = errno;

	fclose(file);
	if (found == NULL || strcspn(line, "\r\n") == 0) {
		outcome_retry(reason, STATUS, "%s: %s: %s", key, user->password_file,
			      error != 0 ? g_strerror(error) : "its first line is empty");
		return NULL;
	}
	size_t size = strcspn(line, "\r\n");

	if (size > PASSWORD_MAX) {
		outcome_retry(reason, STATUS, "%s: %s: the password is longer than %d bytes", key,
			      user->password_file, PASSWORD_MAX);
		return NULL;
	}
	char *password = g_strndup(line, size);

	explicit_bzero(line, sizeof(line));
	return password;
}
