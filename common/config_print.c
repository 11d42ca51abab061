/*
 * The table of parameters for people: as a config file, and for the manual page's test.
 */
#include <glib.h>
#include <string.h>

#include "common/config_table.h"

static const struct parameter *route_parameter(const char *name)
{
	for (size_t i = 0; i < config_route_parameter_count; i++)
		if (strcmp(config_route_parameters[i].name, name) == 0)
			return &config_route_parameters[i];
	g_assert_not_reached();
}

char *config_route_text(const struct config_route *route, const char *name)
{
	return config_value_text(route_parameter(name), route);
}

bool config_route_is_set(const struct config_route *route, const char *name)
{
	g_autofree char *text = config_route_text(route, name);

	return strcmp(text, route_parameter(name)->default_value) != 0;
}

static void print_help(const struct parameter *parameter, FILE *out)
{
	g_autofree char *range = config_range_text(parameter);

	fprintf(out, "# %s\n# %s", parameter->help, config_type_name(parameter->type));
	if (*range != '\0')
		fprintf(out, ", %s", range);
	if (*parameter->default_value != '\0')
		fprintf(out, "; default %s", parameter->default_value);
	fputc('\n', out);
}

static void print_one(const struct parameter *parameter, const void *base, FILE *out,
		      bool with_help)
{
	g_autofree char *value = config_value_text(parameter, base);

	if (with_help)
		print_help(parameter, out);
	fprintf(out, "%s =%s%s\n", parameter->name, *value != '\0' ? " " : "", value);
	if (with_help)
		fputc('\n', out);
}

/* One pattern a line: the file's lines are bounded. */
static void print_patterns(const struct parameter *parameter, char **patterns, FILE *out)
{
	fprintf(out, "%s =", parameter->name);
	for (char **pattern = patterns; *pattern != NULL; pattern++)
		fprintf(out, "%s%s\n", pattern == patterns ? " " : "\t", *pattern);
}

static void print_routes(const struct config *config, FILE *out, bool with_help)
{
	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];

		fprintf(out, "\n[route %s]\n", route->name);
		for (size_t k = 0; k < config_route_parameter_count; k++) {
			const struct parameter *parameter = &config_route_parameters[k];

			if (parameter->type == PARAMETER_PATTERNS)
				print_patterns(parameter, route->recipients, out);
			else
				print_one(parameter, route, out, with_help);
		}
	}
}

static void print_streams(const struct config *config, FILE *out, bool with_help)
{
	for (size_t i = 0; i < config->stream_count; i++) {
		fprintf(out, "\n[stream %s]\n", config->streams[i].name);
		for (size_t k = 0; k < config_stream_parameter_count; k++)
			print_one(&config_stream_parameters[k], &config->streams[i], out,
				  with_help);
	}
}

void config_print(const struct config *config, FILE *out, bool with_help)
{
	const char *section = "";

	for (size_t i = 0; i < config_parameter_count; i++) {
		const struct parameter *parameter = &config_parameters[i];

		if (strcmp(section, parameter->section) != 0) {
			fprintf(out, "%s[%s]\n", i > 0 ? "\n" : "", parameter->section);
			section = parameter->section;
		}
		print_one(parameter, config, out, with_help);
	}
	print_routes(config, out, with_help);
	print_streams(config, out, with_help);
}

static void each(const struct parameter *table, size_t count,
		 void (*visit)(const struct config_description *description, void *context),
		 void *context)
{
	for (size_t i = 0; i < count; i++) {
		g_autofree char *range = config_range_text(&table[i]);
		struct config_description description = {
			.section = table[i].section,
			.name = table[i].name,
			.type = config_type_name(table[i].type),
			.default_value = table[i].default_value,
			.range = range,
			.help = table[i].help,
		};

		visit(&description, context);
	}
}

void config_each_parameter(void (*visit)(const struct config_description *description,
					 void *context),
			   void *context)
{
	each(config_parameters, config_parameter_count, visit, context);
	each(config_route_parameters, config_route_parameter_count, visit, context);
	each(config_stream_parameters, config_stream_parameter_count, visit, context);
}
