#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "mailctl/addresses.h"
#include "mailctl/check.h"
#include "mailctl/connect.h"
#include "mailctl/grants.h"
#include "mailctl/migrate.h"

#define SETUP "run mailctl setup"

enum { GRANTS_SHOWN = 4 };

static bool take_text(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(char **)context = g_strdup(columns[0].data);
	return false;
}

/* ---- rights ---- */

/* "SELECT ON ..., INSERT ON ... and 3 more" */
static char *grants_text(const GPtrArray *grants)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < grants->len && i < GRANTS_SHOWN; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (char *)grants->pdata[i]);
	if (grants->len > GRANTS_SHOWN)
		g_string_append_printf(text, " and %u more", grants->len - GRANTS_SHOWN);
	return g_string_free(text, FALSE);
}

static void compare_grants(GHashTable *wanted, GHashTable *had, const char *subject,
			   struct report *report)
{
	GPtrArray *missing = grants_missing(wanted, had);
	GPtrArray *surplus = grants_missing(had, wanted);

	if (missing->len > 0) {
		g_autofree char *text = grants_text(missing);

		report_add(report, REPORT_ERROR, subject, SETUP, "lacks rights: %s", text);
	}
	if (surplus->len > 0) {
		g_autofree char *text = grants_text(surplus);

		report_add(report, REPORT_ERROR, subject,
			   SETUP " to revoke them (those ON *.* by hand)",
			   "has rights that it should not have: %s", text);
	}
	if (missing->len + surplus->len == 0)
		report_add(report, REPORT_OK, subject, NULL,
			   "logs in, and has just the rights it needs");
	g_ptr_array_unref(missing);
	g_ptr_array_unref(surplus);
}

/* The account as information_schema writes it. */
static enum outcome current_account(struct db *db, char **account, struct reason *reason)
{
	return db_query_once(
		db,
		"SELECT CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', "
		"CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(REPLACE(CURRENT_USER(), '@', ''))), "
		"'''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')",
		NULL, 0, take_text, account, reason);
}

static void check_grants(struct db *db, enum db_role role, const struct config *config,
			 const char *subject, struct report *report)
{
	g_autofree char *account = NULL;
	GHashTable *wanted = grants_wanted(role, config->mysql_database);
	GHashTable *had = NULL;
	struct reason reason = {0};
	enum outcome outcome = current_account(db, &account, &reason);

	if (outcome == OUTCOME_OK)
		outcome = grants_read(db, account, config->mysql_database, &had, &reason);
	if (outcome == OUTCOME_OK)
		compare_grants(wanted, had, subject, report);
	else
		report_add(report, REPORT_ERROR, subject, NULL, "%s", reason.text);
	g_hash_table_unref(wanted);
	if (had != NULL)
		g_hash_table_unref(had);
}

/* ---- schema and addresses ---- */

static void check_migrations(struct db *db, struct report *report)
{
	static const char subject[] = "mysql migrations";
	struct migration_state state;
	struct reason reason = {0};

	if (migrate_state(db, &state, &reason) != OUTCOME_OK)
		report_add(report, REPORT_ERROR, subject, NULL, "%s", reason.text);
	else if (state.missing > 0)
		report_add(report, REPORT_ERROR, subject, SETUP, "%zu of %zu are missing",
			   state.missing, migration_count);
	else
		report_add(report, REPORT_OK, subject, NULL, "all %zu are there", state.applied);
}

static bool takes(const struct config *config, const struct config_route *route,
		  const char *address)
{
	struct route_set *set = route_set_new(config->recipient_delimiter);
	struct reason reason = {0};

	for (char **pattern = route->recipients; *pattern != NULL; pattern++)
		route_add(set, 0, *pattern, &reason); /* config_load() has done so, too */
	bool matches = route_match(set, address) >= 0;

	route_set_free(&set);
	return matches;
}

/* What Postfix takes because of an open route goes to the closed one, which stands before it. */
static void check_closed(const struct config *config, const char *subject, struct report *report)
{
	for (size_t c = 0; c < config->route_count; c++) {
		const struct config_route *closed = &config->routes[c];

		for (char **address = closed->recipients; *address != NULL; address++)
			for (size_t o = 0; o < config->route_count; o++) {
				const struct config_route *open = &config->routes[o];

				if (!config_route_closed(closed) || config_route_closed(open) ||
				    route_pattern_kind(*address) != ROUTE_EXACT ||
				    config_route(config, *address) != closed ||
				    !takes(config, open, *address))
					continue;
				report_add(report, REPORT_WARNING, subject, NULL,
					   "Postfix takes %s of the closed route %s from anyone, "
					   "for the route %s takes it, too",
					   *address, closed->name, open->name);
			}
	}
}

static void check_addresses(struct db *db, const struct config *config, struct report *report)
{
	static const char subject[] = "mysql addresses";
	GPtrArray *wanted = addresses_wanted(config);
	const struct address *first;
	struct reason reason = {0};
	size_t missing;

	if (addresses_compare(db, wanted, &missing, &first, &reason) != OUTCOME_OK)
		report_add(report, REPORT_ERROR, subject, NULL, "%s", reason.text);
	else if (missing > 0)
		report_add(report, REPORT_ERROR, subject, SETUP,
			   "Postfix would refuse mail for %zu of %u patterns of the routes, such "
			   "as %s of "
			   "route %s",
			   missing, wanted->len, first->pattern, first->route);
	else
		report_add(report, REPORT_OK, subject, NULL,
			   "all %u patterns of the routes are there", wanted->len);
	check_closed(config, subject, report);
	g_ptr_array_unref(wanted);
}

/* ---- users ---- */

static void check_user(const struct config *config, enum db_role role, struct report *report)
{
	const struct config_user *user = role_user(role, config);
	g_autofree char *subject = g_strdup_printf("mysql user %s", user->name);
	struct reason reason = {0};

	if (*user->password_file == '\0') {
		report_add(report, role == ROLE_MAILOUT ? REPORT_OK : REPORT_WARNING, subject, NULL,
			   "not checked, for %s is not set", role_password_key(role));
		return;
	}
	g_autofree char *password = config_password(user, role_password_key(role), &reason);

	if (password == NULL)
		return; /* check_config() has told it */
	struct connect_db how = {
		.config = config,
		.user = user->name,
		.password = password,
		.with_database = true,
		/* The worker needs a server that takes writes, the others only read. */
		.read_only_too = role != ROLE_INGEST,
	};
	struct db *db = connect_db(&how, &reason);

	if (db == NULL) {
		report_add(report, REPORT_ERROR, subject, NULL, "%s", reason.text);
		return;
	}
	check_grants(db, role, config, subject, report);
	if (role == ROLE_INGEST) {
		check_migrations(db, report);
		check_mysql_server(db, config, report);
		check_targets(db, config, report);
		check_registered(db, config, report);
	} else if (role == ROLE_POSTFIX) {
		check_addresses(db, config, report);
	}
	db_close(&db);
}

void check_mysql(const struct config *config, struct report *report)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		check_user(config, role, report);
}
