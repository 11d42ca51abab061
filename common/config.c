#include "common/config.h"

#include <errno.h>
#include <glib.h>
#include <ini.h>
#include <string.h>

#include "common/config_table.h"

enum {
	ROUTE_NAME_MAX = 40,		/* inih cuts a section's name at 49 bytes */
	SECTION_MAX = 64,
	PASSWORD_MAX = 512,
	INSTANCE_MAX = 64,
};

static const char ROUTE_PREFIX[] = "route ";
static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";
static const char STATUS[] = "4.3.5";	/* RFC 3463: system incorrectly configured */

/* What goes through inih to on_value(). */
struct reader {
	FILE *file;
	const char *name;
	int line;
	char section[SECTION_MAX];	/* the last that began */
	struct config *config;
	GHashTable *seen;		/* "section.key" of parameters that may stand once */
	struct reason *reason;
	bool failed;			/* the reason is that of the first error */
};

static void fail(struct reader *reader, const char *what)
{
	if (!reader->failed)
		outcome_retry(reader->reason, STATUS, "%s:%d: %s", reader->name, reader->line, what);
	reader->failed = true;
}

static bool section_known(const char *section)
{
	for (size_t i = 0; i < config_parameter_count; i++) {
		if (strcmp(config_parameters[i].section, section) == 0)
			return true;
	}
	return false;
}

static bool route_name_ok(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return size > 0 && size <= ROUTE_NAME_MAX && name[size] == '\0';
}

static void route_begin(struct reader *reader, const char *name)
{
	struct config *config = reader->config;

	if (!route_name_ok(name) || config_route_named(config, name) != NULL) {
		g_autofree char *what = g_strdup_printf(
			route_name_ok(name) ? "[route %s]: stands twice"
					    : "[route %s]: a route's name is 1 to 40 of a-z 0-9 - _",
			name);

		fail(reader, what);
		return;
	}
	config->routes = g_renew(struct config_route, config->routes, config->route_count + 1);
	struct config_route *route = &config->routes[config->route_count++];

	*route = (struct config_route){.name = g_strdup(name), .line = reader->line};
	for (size_t i = 0; i < config_route_parameter_count; i++)
		config_set(&config_route_parameters[i], route,
			   config_route_parameters[i].default_value, NULL);
}

/* inih tells of a section only with its first key; an empty one must not go unnoticed. */
static void section_begin(struct reader *reader, const char *line)
{
	const char *end = strchr(line, ']');

	if (end == NULL)
		return;		/* inih says so */
	g_autofree char *section = g_strndup(line + 1, (size_t)(end - line - 1));

	g_strlcpy(reader->section, section, sizeof(reader->section));
	if (g_str_has_prefix(section, ROUTE_PREFIX)) {
		route_begin(reader, section + strlen(ROUTE_PREFIX));
	} else if (!section_known(section)) {
		g_autofree char *what = g_strdup_printf("[%s]: unknown section", section);

		fail(reader, what);
	}
}

/* inih asks for lines as by fgets(3); we count them, for it does not tell. */
static char *read_line(char *line, int size, void *stream)
{
	struct reader *reader = stream;

	if (reader->failed || fgets(line, size, reader->file) == NULL)
		return NULL;
	reader->line++;
	if (strchr(line, '\n') == NULL && !feof(reader->file)) {
		g_autofree char *what = g_strdup_printf("line is longer than %d bytes", size - 2);

		fail(reader, what);
		return NULL;
	}
	const char *text = g_str_has_prefix(line, BYTE_ORDER_MARK) ? line + strlen(BYTE_ORDER_MARK) : line;

	if (*text == '[')
		section_begin(reader, text);
	return reader->failed ? NULL : line;
}

static const struct parameter *find(const struct parameter *table, size_t count,
				    const char *section, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if ((section == NULL || strcmp(table[i].section, section) == 0) &&
		    strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

/* The field's base and description, or false with the error told. */
static bool locate(struct reader *reader, const char *section, const char *key,
		   const struct parameter **parameter, void **base)
{
	if (*section == '\0' || strcmp(section, reader->section) != 0) {
		g_autofree char *what = g_strdup_printf(
			*section == '\0' ? "%s: stands before any [section]"
					 : "%s: its [section] does not begin the line",
			key);

		fail(reader, what);
		return false;
	}
	if (g_str_has_prefix(section, ROUTE_PREFIX)) {
		*base = &reader->config->routes[reader->config->route_count - 1];
		*parameter = find(config_route_parameters, config_route_parameter_count, NULL, key);
	} else {
		*base = reader->config;
		*parameter = find(config_parameters, config_parameter_count, section, key);
	}
	if (*parameter == NULL) {
		g_autofree char *what = g_strdup_printf("[%s] %s: unknown key", section, key);
		fail(reader, what);
		return false;
	}
	return true;
}

/* inih's handler: 1 to go on. */
static int on_value(void *user, const char *section, const char *key, const char *value)
{
	struct reader *reader = user;
	const struct parameter *parameter = NULL;
	struct reason reason;
	void *base = NULL;

	if (reader->failed || !locate(reader, section, key, &parameter, &base))
		return 0;
	g_autofree char *full = g_strdup_printf("[%s] %s", section, key);
	bool is_list =
		parameter->type == PARAMETER_LIST || parameter->type == PARAMETER_PATTERNS;

	if (g_hash_table_add(reader->seen, g_strdup(full))) {
		config_clear(parameter, base);	/* the default goes */
	} else if (!is_list) {
		g_autofree char *what = g_strdup_printf("%s: stands twice", full);

		fail(reader, what);
		return 0;
	}
	if (config_set(parameter, base, value, &reason) != OUTCOME_OK) {
		g_autofree char *what = g_strdup_printf("%s: %s", full, reason.text);

		fail(reader, what);
		return 0;
	}
	return 1;
}

/* What the table cannot say. */
static bool check(struct config *config, struct reason *reason)
{
	if (strcmp(config->log_target, "syslog") != 0 && strcmp(config->log_target, "stderr") != 0) {
		outcome_retry(reason, STATUS, "%s: [log] target: \"%s\" is neither syslog nor stderr",
			      config->file, config->log_target);
		return false;
	}
	if (*config->instance == '\0' || strlen(config->instance) > INSTANCE_MAX) {
		outcome_retry(reason, STATUS, "%s: [mailpipe] instance: 1 to %d bytes", config->file,
			      INSTANCE_MAX);
		return false;
	}
	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];

		for (char **pattern = route->recipients; *pattern != NULL; pattern++) {
			if (route_add(config->route_set, i, *pattern, reason) != OUTCOME_OK) {
				g_autofree char *where =
					g_strdup_printf("%s:%d: [route %s] recipients", config->file,
							route->line, route->name);

				reason_prefix(reason, where);
				return false;
			}
		}
		if (route->recipients[0] == NULL) {
			outcome_retry(reason, STATUS, "%s:%d: [route %s] recipients: is missing",
				      config->file, route->line, route->name);
			return false;
		}
	}
	return true;
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
	return config;
}

static bool read_file(struct config *config, struct reason *reason)
{
	struct reader reader = {.name = config->file, .config = config, .reason = reason};

	reader.file = fopen(config->file, "re");
	if (reader.file == NULL) {
		outcome_retry(reason, STATUS, "%s: %s", config->file, g_strerror(errno));
		return false;
	}
	reader.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	errno = 0;
	int line = ini_parse_stream(read_line, &reader, on_value, &reader);

	if (ferror(reader.file)) {
		outcome_retry(reason, STATUS, "%s: %s", config->file, g_strerror(errno));
		reader.failed = true;
	} else if (line != 0) {
		fail(&reader, "neither [section] nor key = value");
	}
	g_hash_table_destroy(reader.seen);
	fclose(reader.file);
	return !reader.failed;
}

struct config *config_load(const char *file, struct reason *reason)
{
	struct config *config = config_blank(file);

	if (read_file(config, reason)) {
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
