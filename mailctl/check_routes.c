/*
 * What the routes ask for, beside what there is to meet it.
 */
#include <glib.h>
#include <string.h>

#include "mailctl/check.h"

static const char *fate(int64_t unverified)
{
	switch ((enum config_unverified)unverified) {
	case CONFIG_UNVERIFIED_REFUSE:
		return "is refused";
	case CONFIG_UNVERIFIED_ACCEPT:
		return "is stored as not verified";
	case CONFIG_UNVERIFIED_QUARANTINE:
		break;
	}
	return "goes into quarantine";
}

static void check_proof(const struct config *config, const struct config_route *route,
			const char *subject, struct report *report)
{
	g_autofree char *require = config_route_text(route, "require");

	if (route->require != CONFIG_REQUIRE_NONE && route->require != CONFIG_REQUIRE_TOKEN &&
	    config->authserv_ids[0] == NULL)
		report_add(report, REPORT_WARNING, subject, "set mailpipe.authserv_ids",
			   "require = %s, but no Authentication-Results are believed: all mail %s "
			   "unless its client has logged in",
			   require, fate(route->unverified));
	if (route->thread_by_subject && route->require == CONFIG_REQUIRE_NONE)
		report_add(report, REPORT_WARNING, subject, "set require",
			   "thread_by_subject without require: whoever forges a participant's From "
			   "gets into the threads");
}

/* Nobody misses an acknowledgement that never came: the operator has to hear of it here. */
static void check_acknowledged(const struct config *config, const struct config_route *route,
			       const char *subject, struct report *report)
{
	if (config_route_answer(route) != CONFIG_ANSWER_NONE && config->notify_require_auth &&
	    config->authserv_ids[0] == NULL)
		report_add(report, REPORT_WARNING, subject,
			   "set mailpipe.authserv_ids, or acknowledge = no",
			   "no Authentication-Results are believed: only posters whose client has "
			   "logged in get an acknowledgement");
}

static void check_unused(const struct config_route *route, const char *subject,
			 struct report *report)
{
	static const char gallery[] = "gallery";
	const char *key = config_route_is_set(route, "attachments_other") ? "attachments_other"
			  : config_route_is_set(route, "inline_side")     ? "inline_side"
									  : NULL;

	if (key != NULL && strcmp(route->target, gallery) != 0)
		report_add(report, REPORT_WARNING, subject, "remove it, or set target = gallery",
			   "%s counts for galleries alone, and the target is %s", key,
			   route->target);
}

/* "mx.example.com;" as it stands in the field: it would never match. */
static void check_authserv_ids(const struct config *config, struct report *report)
{
	for (char **id = config->authserv_ids; *id != NULL; id++)
		if (strpbrk(*id, ";\"") != NULL)
			report_add(report, REPORT_ERROR, "config mailpipe.authserv_ids",
				   "write the first word of Authentication-Results, without quotes "
				   "and semicolon",
				   "%s: matches nothing", *id);
}

void check_routes_fit(const struct config *config, struct report *report)
{
	check_authserv_ids(config, report);
	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];
		g_autofree char *subject = g_strdup_printf("route %s", route->name);

		check_proof(config, route, subject, report);
		check_acknowledged(config, route, subject, report);
		check_unused(route, subject, report);
	}
}

static bool take_route(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	g_hash_table_add(context, g_strdup(columns[0].data));
	return true;
}

void check_registered(struct db *db, const struct config *config, struct report *report)
{
	GHashTable *routes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct reason reason = {0};
	enum outcome outcome =
		db_query_once(db,
			      "SELECT DISTINCT route FROM registered_addresses "
			      "WHERE valid_until IS NULL OR valid_until > UTC_TIMESTAMP(3)",
			      NULL, 0, take_route, routes, &reason);

	for (size_t i = 0; outcome == OUTCOME_OK && i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];
		g_autofree char *subject = g_strdup_printf("route %s", route->name);
		g_autofree char *require = config_route_text(route, "require");

		if (config_route_closed(route) && !g_hash_table_contains(routes, route->name))
			report_add(
				report, REPORT_WARNING, subject,
				"register one with mailctl address add",
				"require = %s, and no address is registered: Postfix refuses all "
				"mail to it",
				require);
	}
	g_hash_table_unref(routes);
}
