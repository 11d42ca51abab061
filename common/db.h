/*
 * One connection to MySQL or MariaDB.  Wraps the MySQL client library (Debian: MariaDB Connector/C).
 *
 * Statements are prepared, values are bound, never pasted.  Each call returns OK, RETRY (transient:
 * lost connection, lock wait, deadlock, read-only, too many connections ...) or REJECT (the data can
 * never be stored: too long, wrong, out of range), with the server's text as the reason.
 * After anything but OK inside a transaction call db_rollback().
 * After a lost connection db_lost() is true and only db_close() makes sense.
 * utf8mb4, time zone UTC, strict SQL mode, READ COMMITTED, autocommit on.
 */
#ifndef COMMON_DB_H
#define COMMON_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/deadline.h"
#include "common/outcome.h"

struct db;
struct db_stmt;

struct db_options {
	char **hosts;			/* host[:port], NULL at the end; tried in order */
	const char *socket;		/* wins over hosts when set */
	const char *user;
	const char *password;
	const char *database;		/* NULL: none */
	bool tls;			/* verified: chain and host name */
	const char *tls_ca_file;	/* NULL: the system's */
	int64_t timeout_ms;		/* of each read and write */
};

struct db *db_open(const struct db_options *options, struct deadline deadline,
		   struct reason *reason);
void db_close(struct db **db);

bool db_lost(const struct db *db);
unsigned int db_errno(const struct db *db);	/* of the last failure; ER_... / CR_... */
const char *db_server_version(const struct db *db);	/* "10.11.6-MariaDB" */
bool db_is_mariadb(const struct db *db);

enum outcome db_begin(struct db *db, struct reason *reason);
void db_rollback(struct db *db);
/* RETRY may mean that the commit happened (*unknown, may be NULL, says so: the connection broke in it). */
enum outcome db_commit(struct db *db, bool *unknown, struct reason *reason);

/* Run one statement of our own making (no foreign values), results are thrown away. */
enum outcome db_exec(struct db *db, const char *sql, struct reason *reason);

/* One value to bind, or one that came back.  The bytes are borrowed. */
enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BYTES };
struct db_value {
	enum db_type type;
	int64_t number;
	const void *data;
	size_t size;
};
struct db_value db_null(void);
struct db_value db_int(int64_t number);
struct db_value db_text(const char *text);			/* NULL becomes DB_NULL */
struct db_value db_textn(const char *text, size_t size);
struct db_value db_bytes(const void *data, size_t size);

/* Prepare "INSERT ... VALUES (?, ?)".  NULL with outcome in *outcome and a reason on failure. */
struct db_stmt *db_prepare(struct db *db, const char *sql, enum outcome *outcome,
			   struct reason *reason);
void db_stmt_free(struct db_stmt **stmt);
size_t db_stmt_parameters(const struct db_stmt *stmt);

/* Execute with `count` values, one per "?".  Large values are sent in pieces below max_allowed_packet. */
enum outcome db_run(struct db_stmt *stmt, const struct db_value *values, size_t count,
		    int64_t *affected, struct reason *reason);

/* Execute a query and hand each row over: text and byte columns, integers as DB_INT.
 * Stops reading rows (without an error) when row returns false. */
enum outcome db_query(struct db_stmt *stmt, const struct db_value *values, size_t count,
		      bool (*row)(const struct db_value *columns, size_t columns_count, void *context),
		      void *context, struct reason *reason);

/* Prepare, query and forget: for set-up and checks. */
enum outcome db_query_once(struct db *db, const char *sql, const struct db_value *values, size_t count,
			   bool (*row)(const struct db_value *columns, size_t columns_count,
				       void *context),
			   void *context, struct reason *reason);

#endif
