#include "mailctl/address_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "mailctl/table.h"

enum { DATE_LENGTH = 10 }; /* of 2026-12-31 */

/* "2026-12-31 18:00:00.000" as RFC 3339. */
static char *rfc3339(const char *time)
{
	char *text = time != NULL ? g_strconcat(time, "Z", NULL) : NULL;

	if (text != NULL && strlen(text) > DATE_LENGTH)
		text[DATE_LENGTH] = 'T';
	return text;
}

static bool is_routed(const struct config *config, const struct registration *r)
{
	const struct config_route *route = config_route(config, r->address);

	return route != NULL && strcmp(route->name, r->route) == 0;
}

char *address_with_token(const struct config *config, const char *address, const char *token)
{
	const char *at = strrchr(address, '@');

	return g_strdup_printf("%.*s%c%s%s", (int)(at - address), address,
			       config->recipient_delimiter[0], token, at);
}

static struct wire *registration_json(const struct config *config, const struct registration *r)
{
	struct wire *json = wire_object();
	struct wire *senders = wire_array();
	g_autofree char *valid_until = rfc3339(r->valid_until);
	g_autofree char *created_at = rfc3339(r->created_at);

	wire_set_int(json, "ID", r->id);
	wire_set_text(json, "Address", r->address);
	wire_set_text(json, "Route", r->route);
	wire_set_bool(json, "Routed", is_routed(config, r));
	wire_set_text(json, "Owner", r->owner);
	for (guint i = 0; i < r->senders->len; i++)
		wire_append_text(senders, r->senders->pdata[i]);
	wire_set(json, "Senders", senders);
	wire_set_bool(json, "NeedsToken", r->needs_token);
	wire_set_int(json, "Tokens", r->tokens);
	wire_set_text(json, "Proof", r->proof);
	wire_set_text(json, "ValidUntil", valid_until);
	wire_set_bool(json, "Valid", r->valid);
	wire_set_text(json, "Label", r->label);
	wire_set_text(json, "CreatedAt", created_at);
	return json;
}

/* Takes json. */
static void print_json(struct wire *json)
{
	g_autofree char *text = wire_print(json, true, NULL);

	fputs(text, stdout);
	wire_free(&json);
}

void address_show(const struct config *config, const struct registration *r, const char *what,
		  const char *token, bool as_json)
{
	g_autofree char *post_to = token != NULL ? address_with_token(config, r->address, token)
						 : g_strdup(r->address);

	if (as_json) {
		struct wire *json = registration_json(config, r);

		wire_set_text(json, "Token", token);
		if (token != NULL)
			wire_set_text(json, "TokenAddress", post_to);
		print_json(json);
		return;
	}
	printf("%s %" PRId64 ": %s\n", what, r->id, post_to);
	if (token != NULL)
		puts("The token is not shown again: the database has only its digest.");
}

static void print_table(const struct config *config, const GPtrArray *registrations)
{
	static const struct table_column columns[] = {
		{"ID", TABLE_RIGHT, 0},      {"ADDRESS", TABLE_LEFT, 12},
		{"ROUTE", TABLE_LEFT, 8},    {"OWNER", TABLE_LEFT, 8},
		{"SENDERS", TABLE_LEFT, 12}, {"TOKENS", TABLE_RIGHT, 0},
		{"PROOF", TABLE_LEFT, 0},    {"VALID UNTIL (UTC)", TABLE_LEFT, 0},
		{"LABEL", TABLE_LEFT, 8},
	};
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), stdout, NULL);

	for (guint i = 0; i < registrations->len; i++) {
		const struct registration *r = registrations->pdata[i];
		g_autofree char *tokens =
			r->needs_token ? g_strdup_printf("%" PRId64, r->tokens) : NULL;
		GString *senders = g_string_new(NULL);

		for (guint s = 0; s < r->senders->len; s++)
			g_string_append_printf(senders, "%s%s", s > 0 ? " " : "",
					       (const char *)r->senders->pdata[s]);
		table_number(table, TABLE_PLAIN, r->id);
		table_cell(table, TABLE_PLAIN, r->address);
		table_cellf(table, is_routed(config, r) ? TABLE_PLAIN : TABLE_BAD, "%s%s", r->route,
			    is_routed(config, r) ? "" : " (not routed)");
		table_cell(table, TABLE_PLAIN, r->owner);
		table_cell(table, TABLE_PLAIN, senders->str);
		table_cell(table, TABLE_PLAIN, tokens);
		table_cell(table, TABLE_PLAIN, r->proof);
		table_cellf(table, r->valid ? TABLE_PLAIN : TABLE_WARNING, "%s%s",
			    r->valid_until != NULL ? r->valid_until : "",
			    r->valid ? "" : " (over)");
		table_cell(table, TABLE_PLAIN, r->label);
		g_string_free(senders, TRUE);
	}
	table_end(&table);
}

void address_show_list(const struct config *config, const GPtrArray *registrations, bool as_json)
{
	if (!as_json) {
		print_table(config, registrations);
		return;
	}
	struct wire *json = wire_object();
	struct wire *array = wire_array();

	for (guint i = 0; i < registrations->len; i++)
		wire_append(array, registration_json(config, registrations->pdata[i]));
	wire_set(json, "Addresses", array);
	print_json(json);
}
