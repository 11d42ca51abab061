#include "mailctl/migrate.h"

#include <glib.h>
#include <string.h>

#define STATUS "4.3.5" /* RFC 3463: system incorrectly configured */
/* A lock's name is valid in the whole server and has 64 characters in MySQL. */
#define LOCK "CONCAT('mailpipe ', LEFT(DATABASE(), 50))"

enum { LOCK_WAIT_S = 5, ER_NO_SUCH_TABLE_CODE = 1146 };

static const char create_table[] =
	"CREATE TABLE IF NOT EXISTS schema_migrations ("
	"version INT UNSIGNED NOT NULL,"
	"name VARCHAR(64) NOT NULL,"
	"applied_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),"
	"PRIMARY KEY (version)"
	") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci "
	"COMMENT='Migrations that were applied by mailctl setup'";

char **migration_statements(const char *sql)
{
	g_auto(GStrv) lines = g_strsplit(sql, "\n", -1);
	GPtrArray *statements = g_ptr_array_new();
	g_autoptr(GString) statement = g_string_new(NULL);

	for (char **line = lines; *line != NULL; line++) {
		char *text = g_strchomp(*line);
		bool comment = g_str_has_prefix(text + strspn(text, " \t"), "--");

		if (comment || (*text == '\0' && statement->len == 0))
			continue;
		g_string_append_printf(statement, "%s\n", text);
		if (g_str_has_suffix(text, ";")) {
			g_string_truncate(statement, statement->len - strlen(";\n"));
			g_ptr_array_add(statements, g_strdup(statement->str));
			g_string_truncate(statement, 0);
		}
	}
	if (statement->len > 0)
		g_ptr_array_add(statements, g_strchomp(g_strdup(statement->str)));
	g_ptr_array_add(statements, NULL);
	return (char **)g_ptr_array_free(statements, FALSE);
}

/* ---- what is there ---- */

struct reading {
	GHashTable *versions; /* version -> name */
	unsigned int newest;
};

static bool take_migration(const struct db_value *columns, size_t count, void *context)
{
	struct reading *reading = context;
	unsigned int version = (unsigned int)columns[0].number;

	(void)count;
	g_hash_table_insert(reading->versions, GUINT_TO_POINTER(version),
			    g_strdup(columns[1].data));
	reading->newest = MAX(reading->newest, version);
	return true;
}

static enum outcome read_versions(struct db *db, struct reading *reading, struct reason *reason)
{
	enum outcome outcome = db_query_once(db, "SELECT version, name FROM schema_migrations",
					     NULL, 0, take_migration, reading, reason);

	if (outcome != OUTCOME_OK && db_errno(db) == ER_NO_SUCH_TABLE_CODE)
		return OUTCOME_OK;
	return outcome;
}

static enum outcome compare(const struct reading *reading, struct migration_state *state,
			    struct reason *reason)
{
	unsigned int own = migrations[migration_count - 1].version;

	*state = (struct migration_state){.newest = reading->newest};
	if (reading->newest > own)
		return outcome_retry(
			reason, STATUS,
			"the database is at migration %u, but this mailctl knows only those "
			"up to %u: use the newer mailpipe's",
			reading->newest, own);
	for (size_t i = 0; i < migration_count; i++) {
		const char *name = g_hash_table_lookup(reading->versions,
						       GUINT_TO_POINTER(migrations[i].version));

		if (name == NULL) {
			state->missing++;
		} else if (strcmp(name, migrations[i].name) != 0) {
			return outcome_retry(reason, STATUS,
					     "migration %u of the database is called \"%s\", not "
					     "\"%s\": it belongs to another program",
					     migrations[i].version, name, migrations[i].name);
		} else {
			state->applied++;
		}
	}
	return OUTCOME_OK;
}

static enum outcome examine(struct db *db, struct reading *reading, struct migration_state *state,
			    struct reason *reason)
{
	enum outcome outcome = read_versions(db, reading, reason);

	return outcome == OUTCOME_OK ? compare(reading, state, reason) : outcome;
}

enum outcome migrate_state(struct db *db, struct migration_state *state, struct reason *reason)
{
	struct reading reading = {.versions = g_hash_table_new_full(NULL, NULL, NULL, g_free)};
	enum outcome outcome = examine(db, &reading, state, reason);

	g_hash_table_destroy(reading.versions);
	return outcome;
}

/* ---- applying ---- */

static enum outcome apply(struct db *db, const struct migration *migration, struct reason *reason)
{
	g_auto(GStrv) statements = migration_statements(migration->sql);
	struct db_value record[] = {db_int(migration->version), db_text(migration->name)};

	for (char **statement = statements; *statement != NULL; statement++) {
		enum outcome outcome = db_exec(db, *statement, reason);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return db_query_once(db, "INSERT INTO schema_migrations (version, name) VALUES (?, ?)",
			     record, G_N_ELEMENTS(record), NULL, NULL, reason);
}

static bool take_number(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context = columns[0].number;
	return false;
}

static enum outcome lock(struct db *db, struct reason *reason)
{
	struct db_value values[] = {db_int(LOCK_WAIT_S)};
	int64_t got = 0;
	enum outcome outcome = db_query_once(db, "SELECT GET_LOCK(" LOCK ", ?)", values,
					     G_N_ELEMENTS(values), take_number, &got, reason);

	if (outcome == OUTCOME_OK && got != 1)
		return outcome_retry(reason, STATUS,
				     "another mailctl setup is at work: try again later");
	return outcome;
}

static enum outcome apply_missing(struct db *db,
				  void (*say)(const char *what, const char *done, void *context),
				  void *context, const struct reading *reading,
				  struct reason *reason)
{
	for (size_t i = 0; i < migration_count; i++) {
		const struct migration *migration = &migrations[i];
		g_autofree char *what =
			g_strdup_printf("%04u %s", migration->version, migration->name);
		enum outcome outcome;

		if (g_hash_table_contains(reading->versions,
					  GUINT_TO_POINTER(migration->version))) {
			say(what, "already there", context);
			continue;
		}
		outcome = apply(db, migration, reason);
		if (outcome != OUTCOME_OK) {
			g_autofree char *where = g_strdup_printf("migration %s", what);

			reason_prefix(reason, where);
			return outcome;
		}
		say(what, "applied", context);
	}
	return OUTCOME_OK;
}

enum outcome migrate(struct db *db, void (*say)(const char *what, const char *done, void *context),
		     void *context, struct reason *reason)
{
	struct reading reading = {.versions = g_hash_table_new_full(NULL, NULL, NULL, g_free)};
	struct migration_state state;
	enum outcome outcome = lock(db, reason);

	if (outcome == OUTCOME_OK) {
		outcome = examine(db, &reading, &state, reason);
		/* Not before: an older program must not touch a newer database. */
		if (outcome == OUTCOME_OK)
			outcome = db_exec(db, create_table, reason);
		if (outcome == OUTCOME_OK)
			outcome = apply_missing(db, say, context, &reading, reason);
		if (!db_lost(db))
			db_exec(db, "DO RELEASE_LOCK(" LOCK ")", NULL);
	}
	g_hash_table_destroy(reading.versions);
	return outcome;
}
