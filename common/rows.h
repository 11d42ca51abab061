/*
 * Multi-row statements of a fixed shape, prepared once per power of two of rows.
 *
 * Any number of rows is run as a few statements of 2^k rows each, so that neither every count needs
 * a statement of its own nor every row a round trip.
 */
#ifndef COMMON_ROWS_H
#define COMMON_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/db.h"

enum { ROWS_CLASSES = 9 }; /* 1, 2, 4 ... 256 rows */

/* head row, row, row tail */
struct rows_shape {
	const char *head;
	const char *row; /* "(?,?,?)" */
	const char *tail;
	size_t columns; /* "?" in a row */
};

struct rows {
	const struct rows_shape *shape;
	struct db *db; /* borrowed; must outlive this */
	struct db_stmt *statements[ROWS_CLASSES];
};

void rows_init(struct rows *rows, const struct rows_shape *shape, struct db *db);
void rows_clear(struct rows *rows);

/* Run an INSERT of `count` rows (count * columns values), or an UPDATE ... IN (...) of so many.
 * *affected (may be NULL) is the sum. */
enum outcome rows_insert(struct rows *rows, const struct db_value *values, size_t count,
			 int64_t *affected, struct reason *reason);

/* Run a SELECT ... IN (...) of `count` rows (count * columns values): the last one is repeated to
 * fill a statement. */
enum outcome rows_select(struct rows *rows, const struct db_value *values, size_t count,
			 bool (*row)(const struct db_value *columns, size_t columns_count,
				     void *context),
			 void *context, struct reason *reason);

#endif
