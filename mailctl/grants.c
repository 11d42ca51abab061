#include "mailctl/grants.h"

#include <string.h>

#include "mailctl/migrate.h"

struct grant {
	const char *privilege;
	const char *table;
};

static const struct grant ingest_grants[] = {
	{"SELECT", "schema_migrations"},
	{"SELECT", "blobs"},
	{"INSERT", "blobs"},
	{"SELECT", "messages"},
	{"INSERT", "messages"},
	{"SELECT", "attachments"},
	{"INSERT", "attachments"},
	{"INSERT", "refused_attachments"},
	{"INSERT", "gallery_photos"},
	{"SELECT", "inbound_pending"},
	{"INSERT", "inbound_pending"},
	{"UPDATE", "inbound_pending"},
	{"DELETE", "inbound_pending"},
	{"SELECT", "threads"},
	{"INSERT", "threads"},
	{"UPDATE", "threads"},
	{"SELECT", "thread_participants"},
	{"INSERT", "thread_participants"},
	{"SELECT", "thread_ids"},
	{"INSERT", "thread_ids"},
	{"UPDATE", "thread_ids"},
	{"SELECT", "thread_tokens"},
	{"SELECT", "thread_senders"},
	{"INSERT", "thread_senders"},
	{"UPDATE", "thread_senders"},
	{"SELECT", "tickets"},
	{"INSERT", "tickets"},
	{"UPDATE", "tickets"},
	{"SELECT", "ticket_messages"},
	{"INSERT", "ticket_messages"},
	{"SELECT", "outbound"},
	{"SELECT", "registered_addresses"},
	{"SELECT", "registered_senders"},
	{"SELECT", "registered_tokens"},
	{"SELECT", "quarantine"},
	{"INSERT", "quarantine"},
	{"DELETE", "quarantine"},
	{"SELECT", "fences"},
	{"INSERT", "fences"},
	{"UPDATE", "fences"},
	{NULL, NULL},
};

static const struct grant mailout_grants[] = {
	{"SELECT", "schema_migrations"},
	{"SELECT", "outbound"},
	{"INSERT", "outbound"},
	{"UPDATE", "outbound"},
	{"SELECT", "outbound_recipients"},
	{"INSERT", "outbound_recipients"},
	{"UPDATE", "outbound_recipients"},
	{"SELECT", "attachments"},
	{"SELECT", "blobs"},
	{"SELECT", "thread_received"},
	{"SELECT", "threads"},
	{"UPDATE", "threads"},
	{"SELECT", "thread_participants"},
	{"INSERT", "thread_participants"},
	{"SELECT", "thread_ids"},
	{"INSERT", "thread_ids"},
	{"UPDATE", "thread_ids"},
	{"SELECT", "thread_tokens"},
	{"INSERT", "thread_tokens"},
	{"SELECT", "tickets"},
	{"UPDATE", "tickets"},
	{"SELECT", "ticket_messages"},
	{"INSERT", "ticket_messages"},
	{NULL, NULL},
};

static const struct grant web_grants[] = {
	{"SELECT", "blobs"},
	{"SELECT", "messages"},
	{"SELECT", "attachments"},
	{"SELECT", "messages_readable"},
	{"SELECT", "attachments_readable"},
	{"SELECT", "refused_attachments"},
	{"SELECT", "refused_attachments_readable"},
	{"SELECT", "gallery_photos"},
	{"SELECT", "gallery_photos_readable"},
	{"SELECT", "outbound"},
	{"SELECT", "outbound_recipients"},
	{"SELECT", "outbound_readable"},
	{"SELECT", "outbound_recipients_readable"},
	{"SELECT", "inbound_pending"},
	{"SELECT", "inbound_pending_readable"},
	{"SELECT", "message_states"},
	{"SELECT", "threads"},
	{"SELECT", "thread_participants"},
	{"SELECT", "thread_messages"},
	{"SELECT", "threads_readable"},
	{"SELECT", "tickets"},
	{"SELECT", "tickets_readable"},
	{"SELECT", "ticket_messages"},
	{"SELECT", "ticket_messages_readable"},
	{"SELECT", "ticket_contents"},
	{"SELECT", "registered_addresses"},
	{"SELECT", "fences"},
	{NULL, NULL},
};

static const struct grant postfix_grants[] = {
	{"SELECT", "recipients"},
	{"SELECT", "recipient_addresses"},
	{"SELECT", "recipient_tokens"},
	{"SELECT", "recipient_threads"},
	{NULL, NULL},
};

static const struct role {
	const char *name;
	const char *password_key;
	size_t user; /* in struct config */
	const struct grant *grants;
} roles[ROLE_COUNT] = {
	[ROLE_INGEST] = {"ingest", "mysql.ingest_password_file",
			 offsetof(struct config, mysql_ingest), ingest_grants},
	[ROLE_MAILOUT] = {"mailout", "mysql.mailout_password_file",
			  offsetof(struct config, mysql_mailout), mailout_grants},
	[ROLE_WEB] = {"web", "mysql.web_password_file", offsetof(struct config, mysql_web),
		      web_grants},
	[ROLE_POSTFIX] = {"postfix", "mysql.postfix_password_file",
			  offsetof(struct config, mysql_postfix), postfix_grants},
};

const char *role_name(enum db_role role)
{
	return roles[role].name;
}

const char *role_password_key(enum db_role role)
{
	return roles[role].password_key;
}

const struct config_user *role_user(enum db_role role, const struct config *config)
{
	return (const void *)((const char *)config + roles[role].user);
}

bool grant_is_global(const char *grant)
{
	return g_str_has_suffix(grant, " ON *.*");
}

/* ---- sets ---- */

static GHashTable *new_set(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* A level's missing parts are NULL: of the whole server, of the whole database, of a table. */
static char *grant_text(const char *privilege, const char *database, const char *table,
			const char *column)
{
	g_autofree char *database_name = database != NULL ? db_quote_name(database) : g_strdup("*");
	g_autofree char *table_name = table != NULL ? db_quote_name(table) : g_strdup("*");

	if (column == NULL)
		return g_strdup_printf("%s ON %s.%s", privilege, database_name, table_name);
	g_autofree char *column_name = db_quote_name(column);

	return g_strdup_printf("%s (%s) ON %s.%s", privilege, column_name, database_name,
			       table_name);
}

GHashTable *grants_wanted(enum db_role role, const char *database)
{
	GHashTable *set = new_set();

	for (const struct grant *grant = roles[role].grants; grant->privilege != NULL; grant++)
		g_hash_table_add(set, grant_text(grant->privilege, database, grant->table, NULL));
	return set;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *grants_missing(GHashTable *a, GHashTable *b)
{
	GPtrArray *missing = g_ptr_array_new();
	GHashTableIter iter;
	void *grant;

	g_hash_table_iter_init(&iter, a);
	while (g_hash_table_iter_next(&iter, &grant, NULL))
		if (!g_hash_table_contains(b, grant))
			g_ptr_array_add(missing, grant);
	g_ptr_array_sort(missing, compare_texts);
	return missing;
}

/* ---- reading ---- */

/* USAGE stands for no privilege at all; the names of databases at that level are patterns.  All
 * columns: privilege, grantable, database, table, column. */
static const char query[] =
	"SELECT privilege_type, is_grantable, NULL, NULL, NULL "
	"FROM information_schema.user_privileges "
	"WHERE grantee = ? AND privilege_type <> 'USAGE' "
	"UNION ALL SELECT privilege_type, is_grantable, table_schema, NULL, NULL "
	"FROM information_schema.schema_privileges "
	"WHERE grantee = ? AND privilege_type <> 'USAGE' AND ? LIKE table_schema "
	"UNION ALL SELECT privilege_type, is_grantable, table_schema, table_name, NULL "
	"FROM information_schema.table_privileges "
	"WHERE grantee = ? AND privilege_type <> 'USAGE' AND table_schema = ? "
	"UNION ALL SELECT privilege_type, is_grantable, table_schema, table_name, column_name "
	"FROM information_schema.column_privileges "
	"WHERE grantee = ? AND privilege_type <> 'USAGE' AND table_schema = ?";

/* Does `sql` say that, and then the name alone? */
static bool says(const char *sql, const char *what, const char *name)
{
	g_autofree char *text = g_strdup_printf("%s %s", what, name);

	for (const char *p = strstr(sql, text); p != NULL; p = strstr(p + 1, text)) {
		char next = p[strlen(text)];

		if (!g_ascii_isalnum(next) && next != '_')
			return true;
	}
	return false;
}

static bool is_ours(const char *table)
{
	for (size_t i = 0; i < migration_count; i++)
		if (says(migrations[i].sql, "TABLE IF NOT EXISTS", table) ||
		    says(migrations[i].sql, "VIEW", table))
			return true;
	return strcmp(table, "schema_migrations") == 0;
}

enum { COLUMN_PRIVILEGE, COLUMN_GRANTABLE, COLUMN_DATABASE, COLUMN_TABLE, COLUMN_COLUMN };

static bool take_grant(const struct db_value *columns, size_t count, void *context)
{
	GHashTable *set = context;
	const char *database = columns[COLUMN_DATABASE].data;
	const char *table = columns[COLUMN_TABLE].data;

	(void)count;
	if (table != NULL && !is_ours(table))
		return true;
	g_hash_table_add(set, grant_text(columns[COLUMN_PRIVILEGE].data, database, table,
					 columns[COLUMN_COLUMN].data));
	if (strcmp(columns[COLUMN_GRANTABLE].data, "YES") == 0)
		g_hash_table_add(set, grant_text("GRANT OPTION", database, table, NULL));
	return true;
}

enum outcome grants_read(struct db *db, const char *account, const char *database,
			 GHashTable **grants, struct reason *reason)
{
	struct db_value who = db_text(account);
	struct db_value where = db_text(database);
	struct db_value values[] = {who, who, where, who, where, who, where};

	*grants = new_set();
	return db_query_once(db, query, values, G_N_ELEMENTS(values), take_grant, *grants, reason);
}
