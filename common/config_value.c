/*
 * Values of parameters: text to field and back.
 */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_table.h"

static const char BLANKS[] = " \t\r\n";
static const char SEPARATORS[] = " \t\r\n,";

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit size_units[] = {
	{"G", INT64_C(1) << 30}, {"M", INT64_C(1) << 20}, {"K", INT64_C(1) << 10}, {"", 1}};
static const struct unit time_units[] = {{"d", INT64_C(86400000)},
					 {"h", INT64_C(3600000)},
					 {"m", INT64_C(60000)},
					 {"s", INT64_C(1000)},
					 {"ms", INT64_C(1)}};
static const struct unit no_units[] = {{"", 1}};

struct units {
	const struct unit *unit;
	size_t count;
};

static struct units units_of(enum parameter_type type)
{
	if (type == PARAMETER_SIZE)
		return (struct units){size_units, G_N_ELEMENTS(size_units)};
	if (type == PARAMETER_TIME)
		return (struct units){time_units, G_N_ELEMENTS(time_units)};
	return (struct units){no_units, G_N_ELEMENTS(no_units)};
}

const char *config_type_name(enum parameter_type type)
{
	switch (type) {
	case PARAMETER_TEXT:
		return "text";
	case PARAMETER_LIST:
		return "list";
	case PARAMETER_PATTERNS:
		return "patterns";
	case PARAMETER_BOOL:
		return "yes or no";
	case PARAMETER_INT:
		return "number";
	case PARAMETER_SIZE:
		return "size";
	case PARAMETER_TIME:
		return "time";
	case PARAMETER_CHOICE:
		break;
	}
	return "choice";
}

static void *field(const struct parameter *parameter, void *base)
{
	return (char *)base + parameter->offset;
}

static char *number_text(enum parameter_type type, int64_t number)
{
	struct units units = units_of(type);

	for (size_t i = 0; i < units.count; i++) {
		const struct unit *unit = &units.unit[i];

		if ((number != 0 && number % unit->factor == 0) || i + 1 == units.count)
			return g_strdup_printf("%" G_GINT64_FORMAT "%s",
					       (gint64)(number / unit->factor), unit->suffix);
	}
	return g_strdup("");
}

char *config_range_text(const struct parameter *parameter)
{
	if (parameter->type == PARAMETER_CHOICE)
		return g_strjoinv(", ", (char **)parameter->choices);
	if (parameter->type != PARAMETER_INT && parameter->type != PARAMETER_SIZE &&
	    parameter->type != PARAMETER_TIME)
		return g_strdup("");
	g_autofree char *low = number_text(parameter->type, parameter->minimum);
	g_autofree char *high = number_text(parameter->type, parameter->maximum);

	return g_strdup_printf("%s to %s", low, high);
}

/* A number that may be left out; it is 0 then. */
static bool may_be_empty(const struct parameter *parameter)
{
	return parameter->default_value != NULL && *parameter->default_value == '\0';
}

static enum outcome set_number(const struct parameter *parameter, int64_t *to, const char *value,
			       struct reason *reason)
{
	struct units units = units_of(parameter->type);
	char *end;

	if (*value == '\0' && may_be_empty(parameter)) {
		*to = 0;
		return OUTCOME_OK;
	}
	errno = 0;
	long long number = strtoll(value, &end, 10);

	if (end == value || errno != 0)
		return outcome_retry(reason, "4.3.5", "\"%s\" is no %s", value,
				     config_type_name(parameter->type));
	for (size_t i = 0; i < units.count; i++) {
		const struct unit *unit = &units.unit[i];

		if (strcmp(end, unit->suffix) != 0)
			continue;
		if (number > parameter->maximum / unit->factor + 1 || number < 0 ||
		    number * unit->factor < parameter->minimum ||
		    number * unit->factor > parameter->maximum) {
			g_autofree char *range = config_range_text(parameter);

			return outcome_retry(reason, "4.3.5", "%s is not in the range %s", value,
					     range);
		}
		*to = number * unit->factor;
		return OUTCOME_OK;
	}
	return outcome_retry(reason, "4.3.5", "\"%s\" is no %s%s", value,
			     config_type_name(parameter->type),
			     parameter->type == PARAMETER_TIME   ? " (units: ms s m h d)"
			     : parameter->type == PARAMETER_SIZE ? " (units: K M G)"
								 : "");
}

enum outcome config_parse_time(const char *text, int64_t minimum, int64_t maximum, int64_t *ms,
			       struct reason *reason)
{
	const struct parameter parameter = {
		.type = PARAMETER_TIME, .minimum = minimum, .maximum = maximum};

	return set_number(&parameter, ms, text, reason);
}

static enum outcome set_bool(bool *to, const char *value, struct reason *reason)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return outcome_retry(reason, "4.3.5", "\"%s\" is neither yes nor no", value);
	*to = strcmp(value, "yes") == 0;
	return OUTCOME_OK;
}

static enum outcome set_choice(const struct parameter *parameter, int64_t *to, const char *value,
			       struct reason *reason)
{
	for (int64_t i = 0; parameter->choices[i] != NULL; i++) {
		if (strcmp(parameter->choices[i], value) == 0) {
			*to = i;
			return OUTCOME_OK;
		}
	}
	g_autofree char *all = config_range_text(parameter);

	return outcome_retry(reason, "4.3.5", "\"%s\" is none of: %s", value, all);
}

/* Append the words of `value` to a NULL-terminated list. */
static void add_words(char ***list, const char *value, bool patterns)
{
	GPtrArray *words = g_ptr_array_new();

	for (char **word = *list; word != NULL && *word != NULL; word++)
		g_ptr_array_add(words, *word);
	for (const char *p = value + strspn(value, SEPARATORS); *p != '\0';) {
		size_t size = strcspn(p, patterns && *p == '/' ? BLANKS : SEPARATORS);

		g_ptr_array_add(words, g_strndup(p, size));
		p += size;
		p += strspn(p, SEPARATORS);
	}
	g_ptr_array_add(words, NULL);
	g_free(*list);
	*list = (char **)g_ptr_array_free(words, FALSE);
}

enum outcome config_set(const struct parameter *parameter, void *base, const char *value,
			struct reason *reason)
{
	void *to = field(parameter, base);

	switch (parameter->type) {
	case PARAMETER_TEXT:
		g_free(*(char **)to);
		*(char **)to = g_strdup(value);
		return OUTCOME_OK;
	case PARAMETER_LIST:
		add_words(to, value, false);
		return OUTCOME_OK;
	case PARAMETER_PATTERNS:
		add_words(to, value, true);
		return OUTCOME_OK;
	case PARAMETER_BOOL:
		return set_bool(to, value, reason);
	case PARAMETER_CHOICE:
		return set_choice(parameter, to, value, reason);
	case PARAMETER_INT:
	case PARAMETER_SIZE:
	case PARAMETER_TIME:
		break;
	}
	return set_number(parameter, to, value, reason);
}

char *config_value_text(const struct parameter *parameter, const void *base)
{
	const void *from = (const char *)base + parameter->offset;

	switch (parameter->type) {
	case PARAMETER_TEXT:
		return g_strdup(*(char *const *)from);
	case PARAMETER_LIST:
	case PARAMETER_PATTERNS:
		return g_strjoinv(" ", *(char **const *)from);
	case PARAMETER_BOOL:
		return g_strdup(*(const bool *)from ? "yes" : "no");
	case PARAMETER_CHOICE:
		return g_strdup(parameter->choices[*(const int64_t *)from]);
	case PARAMETER_INT:
	case PARAMETER_SIZE:
	case PARAMETER_TIME:
		break;
	}
	if (*(const int64_t *)from == 0 && may_be_empty(parameter))
		return g_strdup("");
	return number_text(parameter->type, *(const int64_t *)from);
}

void config_clear(const struct parameter *parameter, void *base)
{
	void *at = field(parameter, base);

	if (parameter->type == PARAMETER_TEXT) {
		g_free(*(char **)at);
		*(char **)at = NULL;
	} else if (parameter->type == PARAMETER_LIST || parameter->type == PARAMETER_PATTERNS) {
		g_strfreev(*(char ***)at);
		*(char ***)at = NULL;
	}
}
