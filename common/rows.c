#include "common/rows.h"

#include <glib.h>
#include <string.h>

/* Rows of one statement measure this at most, unless it is one row: far below any
 * max_allowed_packet. */
static const size_t STATEMENT_BYTES = (size_t)1024 * 1024;

void rows_init(struct rows *rows, const struct rows_shape *shape, struct db *db)
{
	*rows = (struct rows){.shape = shape, .db = db};
}

void rows_clear(struct rows *rows)
{
	for (size_t i = 0; i < ROWS_CLASSES; i++)
		db_stmt_free(&rows->statements[i]);
}

static struct db_stmt *statement(struct rows *rows, size_t class, enum outcome *outcome,
				 struct reason *reason)
{
	const struct rows_shape *shape = rows->shape;

	if (rows->statements[class] != NULL)
		return rows->statements[class];
	g_autoptr(GString) sql = g_string_new(shape->head);

	for (size_t i = 0; i < (size_t)1 << class; i++) {
		if (i > 0)
			g_string_append_c(sql, ',');
		g_string_append(sql, shape->row);
	}
	g_string_append(sql, shape->tail);
	rows->statements[class] = db_prepare(rows->db, sql->str, outcome, reason);
	return rows->statements[class];
}

static size_t row_bytes(const struct db_value *values, size_t columns)
{
	size_t bytes = 0;

	for (size_t i = 0; i < columns; i++)
		bytes += values[i].size;
	return bytes;
}

/* The largest class that has no more rows than there are and keeps within STATEMENT_BYTES. */
static size_t fitting_class(const struct db_value *values, size_t columns, size_t count)
{
	size_t class = 0;
	size_t rows = 1;
	size_t bytes = row_bytes(values, columns);

	while (class + 1 < ROWS_CLASSES && rows * 2 <= count) {
		for (size_t i = rows; i < rows * 2; i++)
			bytes += row_bytes(values + i * columns, columns);
		if (bytes > STATEMENT_BYTES)
			break;
		rows *= 2;
		class += 1;
	}
	return class;
}

enum outcome rows_insert(struct rows *rows, const struct db_value *values, size_t count,
			 int64_t *affected, struct reason *reason)
{
	size_t columns = rows->shape->columns;
	int64_t sum = 0;

	if (affected == NULL)
		affected = &sum;
	*affected = 0;
	while (count > 0) {
		size_t class = fitting_class(values, columns, count);
		size_t taken = (size_t)1 << class;
		enum outcome outcome = OUTCOME_RETRY;
		struct db_stmt *stmt = statement(rows, class, &outcome, reason);

		if (stmt == NULL)
			return outcome;
		int64_t changed = 0;

		outcome = db_run(stmt, values, taken * columns, &changed, reason);
		if (outcome != OUTCOME_OK)
			return outcome;
		*affected += changed;
		values += taken * columns;
		count -= taken;
	}
	return OUTCOME_OK;
}

/* The smallest class that has as many rows as there are, or the largest one. */
static size_t covering_class(size_t count)
{
	size_t class = 0;

	while (class + 1 < ROWS_CLASSES && (size_t)1 << class < count)
		class ++;
	return class;
}

enum outcome rows_select(struct rows *rows, const struct db_value *values, size_t count,
			 bool (*row)(const struct db_value *columns, size_t columns_count,
				     void *context),
			 void *context, struct reason *reason)
{
	size_t columns = rows->shape->columns;
	g_autofree struct db_value *padded =
		g_new(struct db_value, columns << covering_class(count));

	while (count > 0) {
		size_t class = covering_class(count);
		size_t size = (size_t)1 << class;
		size_t taken = MIN(size, count);
		enum outcome outcome = OUTCOME_RETRY;
		struct db_stmt *stmt = statement(rows, class, &outcome, reason);

		if (stmt == NULL)
			return outcome;
		memcpy(padded, values, taken * columns * sizeof(*values));
		for (size_t i = taken; i < size; i++)
			memcpy(padded + i * columns, values + (taken - 1) * columns,
			       columns * sizeof(*values));
		outcome = db_query(stmt, padded, size * columns, row, context, reason);
		if (outcome != OUTCOME_OK)
			return outcome;
		values += taken * columns;
		count -= taken;
	}
	return OUTCOME_OK;
}
