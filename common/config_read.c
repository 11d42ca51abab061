/*
 * The config file's lines, by inih, into a struct config.
 */
#include <errno.h>
#include <glib.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "common/config_table.h"

enum {
	NAME_MAX_BYTES = 40, /* of a route or stream; inih cuts a section's name at 49 bytes */
	SECTION_MAX = 64,
};

static const char ROUTE_PREFIX[] = "route ";
static const char STREAM_PREFIX[] = "stream ";
static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";
static const char STATUS[] = "4.3.5"; /* RFC 3463: system incorrectly configured */

/* What goes through inih to on_value(). */
struct reader {
	FILE *file;
	const char *name;
	int line;
	char section[SECTION_MAX]; /* the last that began */
	struct config *config;
	GHashTable *seen; /* "section.key" of parameters that may stand once */
	struct reason *reason;
	bool failed; /* the reason is that of the first error */
};

static void fail(struct reader *reader, const char *what)
{
	if (!reader->failed)
		outcome_retry(reader->reason, STATUS, "%s:%d: %s", reader->name, reader->line,
			      what);
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

static bool name_ok(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return size > 0 && size <= NAME_MAX_BYTES && name[size] == '\0';
}

static void set_defaults(const struct parameter *table, size_t count, void *base)
{
	for (size_t i = 0; i < count; i++)
		config_set(&table[i], base, table[i].default_value, NULL);
}

static void route_begin(struct config *config, const char *name, int line)
{
	config->routes = g_renew(struct config_route, config->routes, config->route_count + 1);
	struct config_route *route = &config->routes[config->route_count++];

	*route = (struct config_route){.name = g_strdup(name), .line = line};
	set_defaults(config_route_parameters, config_route_parameter_count, route);
}

void config_stream_begin(struct config *config, const char *name, int line)
{
	config->streams = g_renew(struct config_stream, config->streams, config->stream_count + 1);
	struct config_stream *stream = &config->streams[config->stream_count++];

	*stream = (struct config_stream){.name = g_strdup(name), .line = line};
	set_defaults(config_stream_parameters, config_stream_parameter_count, stream);
}

/* [route NAME] or [stream NAME]. */
static void named_begin(struct reader *reader, bool is_route, const char *name)
{
	const char *kind = is_route ? "route" : "stream";
	bool twice = is_route ? config_route_named(reader->config, name) != NULL
			      : config_stream_named(reader->config, name) != NULL;

	if (twice || !name_ok(name)) {
		g_autofree char *what =
			twice ? g_strdup_printf("[%s %s]: stands twice", kind, name)
			      : g_strdup_printf("[%s %s]: a %s's name is 1 to %d of a-z 0-9 - _",
						kind, name, kind, NAME_MAX_BYTES);

		fail(reader, what);
	} else if (is_route) {
		route_begin(reader->config, name, reader->line);
	} else {
		config_stream_begin(reader->config, name, reader->line);
	}
}

/* inih tells of a section only with its first key; an empty one must not go unnoticed. */
static void section_begin(struct reader *reader, const char *line)
{
	const char *end = strchr(line, ']');

	if (end == NULL)
		return; /* inih says so */
	g_autofree char *section = g_strndup(line + 1, (size_t)(end - line - 1));

	g_strlcpy(reader->section, section, sizeof(reader->section));
	if (g_str_has_prefix(section, ROUTE_PREFIX)) {
		named_begin(reader, true, section + strlen(ROUTE_PREFIX));
	} else if (g_str_has_prefix(section, STREAM_PREFIX)) {
		named_begin(reader, false, section + strlen(STREAM_PREFIX));
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
	const char *text =
		g_str_has_prefix(line, BYTE_ORDER_MARK) ? line + strlen(BYTE_ORDER_MARK) : line;

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
	} else if (g_str_has_prefix(section, STREAM_PREFIX)) {
		*base = &reader->config->streams[reader->config->stream_count - 1];
		*parameter =
			find(config_stream_parameters, config_stream_parameter_count, NULL, key);
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
	bool is_list = parameter->type == PARAMETER_LIST || parameter->type == PARAMETER_PATTERNS;

	if (g_hash_table_add(reader->seen, g_strdup(full))) {
		config_clear(parameter, base); /* the default goes */
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

bool config_read(struct config *config, struct reason *reason)
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
