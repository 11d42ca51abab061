/*
 * One connection to MySQL or MariaDB.  Wraps the MySQL client library (Debian: MariaDB
 * Connector/C), of which only what both servers' libraries offer is used.
 *
 * Statements are prepared, values are bound, never pasted.  Each call returns OK, RETRY (our or the
 * world's fault: lost connection, lock wait, deadlock, read-only, a missing right or table, and
 * everything unknown) or REJECT (the data can never be stored: too long, wrong, out of range), with
 * the server's text as the reason.  common/db_error.c has the table.
 * After anything but OK inside a transaction call db_rollback(), and replay the whole transaction.
 * Once db_lost() is true only db_close() makes sense: the connection is gone, or the server will
 * not take writes any more and another host should be tried.
 *
 * Each session is utf8mb4, time zone UTC, strict SQL mode, READ COMMITTED, autocommit on; affected
 * rows count what changed (CLIENT_FOUND_ROWS is off); a lock wait ends before the read time-out
 * does. Ignore SIGPIPE in the program.  A connection is used by one thread at a time.
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

enum { DB_PARAMETERS_MAX = 65535 }; /* "?" in one statement: 16 bits on the wire */

struct db_options {
	char **hosts;       /* host[:port], NULL at the end; tried in order */
	const char *socket; /* wins over hosts when set and not empty; never with TLS */
	const char *user;
	const char *password;
	const char *database;    /* NULL: none */
	bool tls;                /* verified: chain and host name */
	const char *tls_ca_file; /* NULL or "": the system's */
	int64_t timeout_ms;      /* of each connect, read and write (whole seconds, rounded up) */
	bool read_only_too;      /* take a read-only server, too (checks); else it is passed over */
};

/* Tries the hosts in order until one answers and takes writes.  NULL with a reason (a RETRY) that
 * tells each host's failure; db_open_errno() has the last one's error number. */
struct db *db_open(const struct db_options *options, struct deadline deadline,
		   struct reason *reason);
void db_close(struct db **db); /* NULL is allowed; *db becomes NULL.  Rolls back. */
unsigned int db_open_errno(void);

/* Around all calls of a thread that is not the first one. */
void db_thread_begin(void);
void db_thread_end(void);

bool db_lost(const struct db *db);
unsigned int db_errno(const struct db *db); /* of the last failure; ER_... or CR_...; 0: it was
					     not the server's */
const char *db_server_version(const struct db *db); /* "10.11.6-MariaDB" */
bool db_is_mariadb(const struct db *db);
bool db_is_encrypted(const struct db *db);
/* The server's max_allowed_packet.  No single value may be as large. */
int64_t db_max_packet(const struct db *db);

enum outcome db_begin(struct db *db, struct reason *reason);
void db_rollback(struct db *db);
/* RETRY may mean that the commit happened (*unknown, may be NULL, says so: the connection broke in
 * it).  Then look for the rows by their primary keys.  RETRY, too, when something has ended the
 * transaction already: what was written before is lost then, what came after is there. */
enum outcome db_commit(struct db *db, bool *unknown, struct reason *reason);

/* Run one statement of our own making (no foreign values), results are thrown away. */
enum outcome db_exec(struct db *db, const char *sql, struct reason *reason);

/* For statements about accounts, which take no parameters: a string literal with its quotes, and a
 * name with its backticks.  g_free() them. */
char *db_quote(struct db *db, const char *text);
char *db_quote_name(const char *name);

/* One value to bind, or one that came back.  The bytes are borrowed; text that came back has a NUL
 * behind it. */
enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BYTES };
struct db_value {
	enum db_type type;
	int64_t number;
	const void *data;
	size_t size;
};
struct db_value db_null(void);
struct db_value db_int(int64_t number);
struct db_value db_text(const char *text); /* NULL becomes DB_NULL */
struct db_value db_textn(const char *text, size_t size);
struct db_value db_bytes(const void *data, size_t size); /* NULL becomes DB_NULL */

/* Prepare "INSERT ... VALUES (?, ?)".  NULL with outcome in *outcome and a reason on failure.
 * Free it before the connection is closed. */
struct db_stmt *db_prepare(struct db *db, const char *sql, enum outcome *outcome,
			   struct reason *reason);
void db_stmt_free(struct db_stmt **stmt);
size_t db_stmt_parameters(const struct db_stmt *stmt);

/* Execute with `count` values, one per "?".  affected may be NULL.  Rows of a result are read, for
 * an error may stand in the place of one, and dropped.  Large values are sent in
 * pieces, so that no packet comes near max_allowed_packet; a value that is larger than it is a
 * RETRY. */
enum outcome db_run(struct db_stmt *stmt, const struct db_value *values, size_t count,
		    int64_t *affected, struct reason *reason);

/* Execute a query and hand each row over: integers as DB_INT, binary columns as DB_BYTES, all else
 * as DB_TEXT.  Stops reading rows (without an error) when row returns false.  row must not use the
 * connection: the rows are read while they come.  row may be NULL. */
typedef bool db_row(const struct db_value *columns, size_t columns_count, void *context);
enum outcome db_query(struct db_stmt *stmt, const struct db_value *values, size_t count,
		      db_row *row, void *context, struct reason *reason);

/* Prepare, query and forget: for set-up and checks. */
enum outcome db_query_once(struct db *db, const char *sql, const struct db_value *values,
			   size_t count, db_row *row, void *context, struct reason *reason);

#endif
