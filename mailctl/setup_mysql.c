#include "mailctl/setup_mysql.h"

#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "common/hostport.h"
#include "mailctl/addresses.h"
#include "mailctl/check.h"
#include "mailctl/connect.h"
#include "mailctl/grants.h"
#include "mailctl/migrate.h"

/* A migration may have to copy a large table. */
enum { SETUP_TIMEOUT_MS = 60 * 60 * 1000 };
enum { ER_ACCESS_DENIED_CODE = 1045, ER_ACCESS_DENIED_NO_PASSWORD_CODE = 1698 };

struct work {
	const struct setup_mysql *setup;
	const struct config *config;
	struct db *db;
	struct reason *reason;
};

__attribute__((format(printf, 3, 4))) static void tell(const struct work *work, const char *done,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *what = g_strdup_vprintf(format, args);
	va_end(args);
	work->setup->say(what, done, work->setup->context);
}

static bool take_text(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(char **)context = g_strdup(columns[0].data);
	return false;
}

/* ---- the database ---- */

static enum outcome make_database(const struct work *work)
{
	const char *database = work->config->mysql_database;
	struct db_value name = db_text(database);
	g_autofree char *quoted = db_quote_name(database);
	g_autofree char *use = g_strdup_printf("USE %s", quoted);
	g_autofree char *charset = NULL;
	g_autofree char *sql = NULL;
	enum outcome outcome =
		db_query_once(work->db,
			      "SELECT default_character_set_name "
			      "FROM information_schema.schemata WHERE schema_name = ?",
			      &name, 1, take_text, &charset, work->reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (g_strcmp0(charset, "utf8mb4") == 0) {
		tell(work, "already there", "database %s", database);
		return db_exec(work->db, use, work->reason);
	}
	sql = g_strdup_printf("%s DATABASE %s CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
			      charset == NULL ? "CREATE" : "ALTER", quoted);
	outcome = db_exec(work->db, sql, work->reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	tell(work, charset == NULL ? "created" : "default character set changed to utf8mb4",
	     "database %s", database);
	return db_exec(work->db, use, work->reason);
}

static void tell_migration(const char *what, const char *done, void *context)
{
	tell(context, done, "migration %s", what);
}

static enum outcome sync_addresses(const struct work *work)
{
	struct addresses_changes changes;
	enum outcome outcome = addresses_sync(work->db, work->config, &changes, work->reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (changes.added + changes.changed + changes.removed == 0) {
		tell(work, "already there", "addresses (%zu)", changes.kept);
	} else {
		g_autofree char *done = g_strdup_printf(
			"%zu added, %zu changed, %zu removed, %zu already there", changes.added,
			changes.changed, changes.removed, changes.kept);

		tell(work, done, "addresses");
	}
	return OUTCOME_OK;
}

/* ---- users ---- */

static bool is_loopback(const char *text)
{
	struct hostport host;
	bool loopback;

	if (!hostport_parse(&host, text, 1))
		return false;
	loopback = strcmp(host.host, "localhost") == 0 || strcmp(host.host, "::1") == 0 ||
		   g_str_has_prefix(host.host, "127.");
	hostport_clear(&host);
	return loopback;
}

static bool take_number(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context = columns[0].number;
	return false;
}

/* From where our programs come, as the server sees it: if it runs on this host "localhost",
 * provided that it looks up names. */
static const char *client_host(const struct work *work)
{
	int64_t no_names = 0;

	if (*work->config->mysql_socket != '\0')
		return "localhost";
	for (char **host = work->config->mysql_hosts; *host != NULL; host++)
		if (!is_loopback(*host))
			return "%";
	db_query_once(work->db, "SELECT @@skip_name_resolve", NULL, 0, take_number, &no_names,
		      NULL);
	return no_names != 0 ? "%" : "localhost";
}

/* SQL with the password in it stays out of every message: the server quotes what it cannot parse.
 */
static enum outcome set_password(const struct work *work, const char *verb, const char *account,
				 const char *password)
{
	g_autofree char *quoted = db_quote(work->db, password);
	g_autofree char *sql =
		g_strdup_printf("%s USER %s IDENTIFIED BY %s", verb, account, quoted);
	enum outcome outcome = db_exec(work->db, sql, work->reason);

	if (outcome != OUTCOME_OK && strstr(work->reason->text, password) != NULL)
		outcome_retry(work->reason, work->reason->status, "database error %u",
			      db_errno(work->db));
	return outcome;
}

/* 1 or 0: the user's password opens a connection, or not; -1: something else is wrong. */
static int lets_in(const struct work *work, const char *user, const char *password)
{
	struct connect_db how = {
		.config = work->config,
		.socket = work->setup->socket,
		.user = user,
		.password = password,
	};
	struct db *db = connect_db(&how, work->reason);
	unsigned int error = db_open_errno();

	if (db != NULL) {
		db_close(&db);
		return 1;
	}
	if (error == ER_ACCESS_DENIED_CODE || error == ER_ACCESS_DENIED_NO_PASSWORD_CODE)
		return 0;
	return -1;
}

static enum outcome make_account(const struct work *work, const char *user, const char *host,
				 const char *account, const char *password)
{
	struct db_value values[] = {db_text(user), db_text(host)};
	int64_t there = 0;
	enum outcome outcome = db_query_once(
		work->db, "SELECT COUNT(*) FROM mysql.user WHERE user = ? AND host = ?", values,
		G_N_ELEMENTS(values), take_number, &there, work->reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (there == 0) {
		outcome = set_password(work, "CREATE", account, password);
		if (outcome == OUTCOME_OK)
			tell(work, "created", "user %s@%s", user, host);
		return outcome;
	}
	switch (lets_in(work, user, password)) {
	case 1:
		tell(work, "already there", "user %s@%s", user, host);
		return OUTCOME_OK;
	case 0:
		outcome = set_password(work, "ALTER", account, password);
		if (outcome == OUTCOME_OK)
			tell(work, "password changed", "user %s@%s", user, host);
		return outcome;
	default:
		return OUTCOME_RETRY;
	}
}

static enum outcome change_grants(const struct work *work, const char *account,
				  const GPtrArray *grants, const char *verb,
				  const char *preposition)
{
	for (size_t i = 0; i < grants->len; i++) {
		g_autofree char *sql = g_strdup_printf(
			"%s %s %s %s", verb, (const char *)grants->pdata[i], preposition, account);
		enum outcome outcome = db_exec(work->db, sql, work->reason);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

/* Who gave a user rights for the whole server had other things in mind, too: say so, touch nothing.
 */
static void leave_global(const struct work *work, GPtrArray *surplus, const char *account)
{
	for (size_t i = surplus->len; i-- > 0;) {
		if (!grant_is_global(surplus->pdata[i]))
			continue;
		report_add(work->setup->report, REPORT_ERROR, "mysql rights", "revoke it by hand",
			   "%s has a right for the whole server: %s", account,
			   (const char *)surplus->pdata[i]);
		g_ptr_array_remove_index(surplus, (guint)i);
	}
}

/* Only what differs is changed: a worker that runs never lacks a right. */
static enum outcome apply_grants(const struct work *work, GHashTable *wanted, GHashTable *had,
				 const char *account)
{
	GPtrArray *missing = grants_missing(wanted, had);
	GPtrArray *surplus = grants_missing(had, wanted);
	enum outcome outcome = change_grants(work, account, missing, "GRANT", "TO");

	leave_global(work, surplus, account);
	if (outcome == OUTCOME_OK)
		outcome = change_grants(work, account, surplus, "REVOKE", "FROM");
	if (outcome == OUTCOME_OK && missing->len + surplus->len == 0) {
		tell(work, "already there", "rights of %s", account);
	} else if (outcome == OUTCOME_OK) {
		g_autofree char *done =
			g_strdup_printf("%u granted, %u revoked", missing->len, surplus->len);

		tell(work, done, "rights of %s", account);
	}
	g_ptr_array_unref(missing);
	g_ptr_array_unref(surplus);
	return outcome;
}

static enum outcome make_grants(const struct work *work, enum db_role role, const char *user,
				const char *host, const char *account)
{
	const char *database = work->config->mysql_database;
	GHashTable *wanted = grants_wanted(role, database);
	GHashTable *had = NULL;
	g_autofree char *grantee = g_strdup_printf("'%s'@'%s'", user, host);
	enum outcome outcome = grants_read(work->db, grantee, database, &had, work->reason);

	if (outcome == OUTCOME_OK)
		outcome = apply_grants(work, wanted, had, account);
	g_hash_table_unref(wanted);
	g_hash_table_unref(had);
	return outcome;
}

/* Taking its rights down to a role's would lock everybody out. */
static enum outcome refuse_own_user(const struct work *work, const char *user, enum db_role role)
{
	if (strcmp(user, work->setup->user) != 0)
		return OUTCOME_OK;
	return outcome_retry(work->reason, "4.3.5", "mysql.%s_user is the user that sets up",
			     role_name(role));
}

static enum outcome make_user(const struct work *work, enum db_role role, const char *host)
{
	const struct config_user *user = role_user(role, work->config);
	const char *key = role_password_key(role);
	enum outcome outcome;

	if (*user->password_file == '\0') {
		g_autofree char *done = g_strdup_printf("left out, for %s is not set", key);

		tell(work, done, "user %s", user->name);
		return OUTCOME_OK;
	}
	g_autofree char *password = config_password(user, key, work->reason);

	if (password == NULL)
		return OUTCOME_RETRY;
	g_autofree char *quoted_user = db_quote(work->db, user->name);
	g_autofree char *quoted_host = db_quote(work->db, host);
	g_autofree char *account = g_strdup_printf("%s@%s", quoted_user, quoted_host);

	outcome = refuse_own_user(work, user->name, role);
	if (outcome == OUTCOME_OK)
		outcome = make_account(work, user->name, host, account, password);
	if (outcome != OUTCOME_OK)
		return outcome;
	return make_grants(work, role, user->name, host, account);
}

static enum outcome make_users(const struct work *work)
{
	const char *host = client_host(work);

	for (int role = 0; role < ROLE_COUNT; role++) {
		enum outcome outcome = make_user(work, role, host);

		if (outcome != OUTCOME_OK) {
			g_autofree char *where =
				g_strdup_printf("user %s", role_user(role, work->config)->name);

			reason_prefix(work->reason, where);
			return outcome;
		}
	}
	return OUTCOME_OK;
}

/* ---- all of it ---- */

static enum outcome set_up(struct work *work)
{
	enum outcome outcome = make_database(work);

	if (outcome == OUTCOME_OK)
		outcome = migrate(work->db, tell_migration, work, work->reason);
	if (outcome == OUTCOME_OK)
		outcome = sync_addresses(work);
	if (outcome == OUTCOME_OK)
		outcome = make_users(work);
	if (outcome == OUTCOME_OK)
		check_mysql_server(work->db, work->config, work->setup->report);
	return outcome;
}

enum outcome setup_mysql(const struct setup_mysql *setup, struct reason *reason)
{
	struct connect_db how = {
		.config = setup->config,
		.socket = setup->socket,
		.user = setup->user,
		.password = setup->password,
		.timeout_ms = SETUP_TIMEOUT_MS,
	};
	struct work work = {setup, setup->config, connect_db(&how, reason), reason};
	enum outcome outcome = OUTCOME_RETRY;

	if (work.db != NULL)
		outcome = set_up(&work);
	db_close(&work.db);
	return outcome;
}
