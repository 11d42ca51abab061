/*
 * Numbered migrations of the database, compiled in from mailctl/migrations/NNNN_name.sql.
 *
 * Each is applied once, in order, and recorded in schema_migrations after its last statement.  DDL
 * commits by itself: a run that was cut off is not recorded and runs again as a whole, so every
 * statement of a migration is safe to repeat.  A lock keeps two runs apart.
 */
#ifndef MAILCTL_MIGRATE_H
#define MAILCTL_MIGRATE_H

#include <stddef.h>

#include "common/db.h"
#include "common/outcome.h"

struct migration {
	unsigned int version;
	const char *name;
	const char *sql;
};

extern const struct migration migrations[]; /* by version */
extern const size_t migration_count;

/* The statements of a migration without comments, NULL at the end; g_strfreev() them.  A statement
 * ends with ';' at the end of a line; a line that begins with "--", white space apart, is a
 * comment. */
char **migration_statements(const char *sql);

/* What the database lacks. */
struct migration_state {
	size_t applied;
	size_t missing;
	unsigned int newest; /* 0: none */
};

/* RETRY with a reason in plain words if the database is newer than this program, or another one's.
 * A database without the table counts as one without migrations. */
enum outcome migrate_state(struct db *db, struct migration_state *state, struct reason *reason);

/* Apply what is missing; `say` is called with "0001 inbound" and "applied" or "already there". */
enum outcome migrate(struct db *db, void (*say)(const char *what, const char *done, void *context),
		     void *context, struct reason *reason);

#endif
