#include "mailctl/select.h"

#include <stdio.h>

#include "common/config.h"
#include "common/topology.h"

enum { DECIMAL = 10 };

struct selection *select_new(const char *config_file)
{
	struct selection *selection = g_new0(struct selection, 1);

	selection->config_file = config_file;
	selection->origins = g_ptr_array_new_with_free_func(g_free);
	selection->ids = g_ptr_array_new_with_free_func(g_free);
	selection->older_ms = -1;
	selection->younger_ms = -1;
	return selection;
}

void select_free(struct selection **selection)
{
	if (*selection == NULL)
		return;
	g_ptr_array_unref((*selection)->origins);
	g_ptr_array_unref((*selection)->ids);
	g_free(*selection);
	*selection = NULL;
}

static bool take_time(const char *option, const char *text, int64_t *ms)
{
	struct reason reason = {0};

	if (config_parse_time(text, 0, INT64_MAX, ms, &reason) == OUTCOME_OK)
		return true;
	fprintf(stderr, "mailctl: %s: %s\n", option, reason.text);
	return false;
}

void select_id(struct selection *selection, const char *id)
{
	g_ptr_array_add(selection->ids, g_strdup(id));
}

bool select_option(struct selection *selection, int option, const char *argument)
{
	switch (option) {
	case 'c':
		selection->config_file = argument;
		return true;
	case SELECT_ROUTE:
		g_ptr_array_add(selection->origins, topology_inbound_queue(argument));
		return true;
	case SELECT_STREAM:
		g_ptr_array_add(selection->origins, topology_outbound_queue(argument));
		return true;
	case SELECT_ID:
		select_id(selection, argument);
		return true;
	case SELECT_JSON:
		selection->json = true;
		return true;
	case SELECT_REASON:
		selection->reason = argument;
		return true;
	case SELECT_OLDER:
		return take_time("--older-than", argument, &selection->older_ms);
	case SELECT_NEWER:
		return take_time("--newer-than", argument, &selection->younger_ms);
	default:
		return false;
	}
}

/* NULL for none. */
static char **as_strings(GPtrArray *array)
{
	if (array->len == 0)
		return NULL;
	if (array->pdata[array->len - 1] != NULL)
		g_ptr_array_add(array, NULL);
	return (char **)array->pdata;
}

struct letter_filter select_filter(const struct selection *selection)
{
	return (struct letter_filter){
		.origins = as_strings(selection->origins),
		.ids = as_strings(selection->ids),
		.reason = selection->reason,
		.older_ms = selection->older_ms,
		.younger_ms = selection->younger_ms,
	};
}

bool select_number(const char *option, const char *text, int64_t *number)
{
	guint64 value;

	if (g_ascii_string_to_unsigned(text, DECIMAL, 0, INT64_MAX, &value, NULL)) {
		*number = (int64_t)value;
		return true;
	}
	fprintf(stderr, "mailctl: %s: \"%s\" is no number\n", option, text);
	return false;
}

void select_print(struct wire **answer)
{
	g_autofree char *text = wire_print(*answer, false, NULL);

	if (text != NULL)
		puts(text);
	wire_free(answer);
}
