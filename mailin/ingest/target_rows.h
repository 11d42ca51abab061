/*
 * Which statements of a target can write the rows of many messages at once, without anybody being
 * able to tell the difference.
 */
#ifndef MAILIN_INGEST_TARGET_ROWS_H
#define MAILIN_INGEST_TARGET_ROWS_H

#include <stdbool.h>
#include <stddef.h>

struct target_rows;

/* `sql` is that of one statement, with "?" for its parameters.  True with *rows filled
 * (target_rows_clear() it) if it is an INSERT or REPLACE of VALUES that depend on nothing but
 * parameters and literals, with all parameters among them. */
bool target_rows_find(const char *sql, struct target_rows *rows);
void target_rows_clear(struct target_rows *rows);

/* Does it look at what a statement before it left behind (@variables, LAST_INSERT_ID()), so that
 * the statements of a file must run message by message? */
bool target_rows_forbidden(const char *sql);

#endif
