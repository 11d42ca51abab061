/*
 * Who may do what in the database: one table of the users' rights, for `mailctl setup` to grant and
 * `mailctl check` to compare with.
 *
 * A right is written as GRANT and REVOKE take it: "SELECT ON `mailpipe`.`messages`".  Sets of
 * rights are GHashTables of such strings (g_hash_table_unref() them).
 */
#ifndef MAILCTL_GRANTS_H
#define MAILCTL_GRANTS_H

#include <glib.h>

#include "common/config.h"
#include "common/db.h"
#include "common/outcome.h"

enum db_role { ROLE_INGEST, ROLE_MAILOUT, ROLE_WEB, ROLE_POSTFIX, ROLE_COUNT };

const char *role_name(enum db_role role);         /* "ingest" */
const char *role_password_key(enum db_role role); /* "mysql.ingest_password_file" */
const struct config_user *role_user(enum db_role role, const struct config *config);

GHashTable *grants_wanted(enum db_role role, const char *database);

/* What an account ("'user'@'host'", as information_schema writes it) has in that database, at every
 * level: of the server, the database, our tables and their columns.  Other databases, and tables
 * that no migration makes, are none of our business. */
enum outcome grants_read(struct db *db, const char *account, const char *database,
			 GHashTable **grants, struct reason *reason);

/* Is it a right for the whole server? */
bool grant_is_global(const char *grant);

/* The members of a that b lacks, sorted; g_ptr_array_unref() it before the set goes. */
GPtrArray *grants_missing(GHashTable *a, GHashTable *b);

#endif
