#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "common/db_private.h"

/* Values above this go to the server in packets of their own before the statement is executed. */
static const size_t LONG_VALUE = (size_t)256 * 1024;
static const size_t PIECE = (size_t)512 * 1024;
/* What the statement's own packet may hold, at most and as a part of max_allowed_packet. */
static const size_t INLINE_MAX = (size_t)8 * 1024 * 1024;
enum { INLINE_SHARE = 2 };
/* Room for a value's length prefix, type and null bit. */
enum { VALUE_OVERHEAD = 12 };
/* Columns of a result start with this and grow when a value is larger. */
enum { COLUMN_BUFFER = 256 };
/* The number of the character set "binary" in a column's description. */
enum { CHARSET_BINARY = 63 };

struct db_stmt {
	struct db *db;
	MYSQL_STMT *stmt;
	MYSQL_BIND *parameters;
	size_t parameter_count;
	MYSQL_BIND *columns; /* of a query's result, else NULL */
	struct column *buffers;
	struct db_value *row;
	size_t column_count;
};

struct column {
	enum db_type type;
	int64_t number;
	char *data;
	size_t allocated;
	unsigned long length;
	db_bool is_null;
	db_bool error;
};

struct db_value db_null(void)
{
	return (struct db_value){.type = DB_NULL};
}

struct db_value db_int(int64_t number)
{
	return (struct db_value){.type = DB_INT, .number = number};
}

struct db_value db_text(const char *text)
{
	return text == NULL ? db_null() : db_textn(text, strlen(text));
}

struct db_value db_textn(const char *text, size_t size)
{
	return (struct db_value){
		.type = text == NULL ? DB_NULL : DB_TEXT, .data = text, .size = size};
}

struct db_value db_bytes(const void *data, size_t size)
{
	return (struct db_value){
		.type = data == NULL ? DB_NULL : DB_BYTES, .data = data, .size = size};
}

/* What comes in the place of a row, Connector/C keeps with the connection alone. */
static enum outcome statement_failed(struct db_stmt *stmt, struct reason *reason)
{
	unsigned int code = mysql_stmt_errno(stmt->stmt);

	if (code != 0)
		return db_failed(stmt->db, code, mysql_stmt_error(stmt->stmt), reason);
	return db_failed(stmt->db, mysql_errno(stmt->db->mysql), mysql_error(stmt->db->mysql),
			 reason);
}

/* ---- preparing ---- */

/* Describe the result's columns, if the statement has a result. */
static void prepare_columns(struct db_stmt *stmt)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(stmt->stmt);

	if (meta == NULL)
		return;
	stmt->column_count = mysql_num_fields(meta);
	stmt->columns = g_new0(MYSQL_BIND, stmt->column_count);
	stmt->buffers = g_new0(struct column, stmt->column_count);
	stmt->row = g_new0(struct db_value, stmt->column_count);
	for (size_t i = 0; i < stmt->column_count; i++) {
		const MYSQL_FIELD *field = mysql_fetch_field_direct(meta, (unsigned int)i);
		struct column *column = &stmt->buffers[i];

		switch (field->type) {
		case MYSQL_TYPE_TINY:
		case MYSQL_TYPE_SHORT:
		case MYSQL_TYPE_INT24:
		case MYSQL_TYPE_LONG:
		case MYSQL_TYPE_LONGLONG:
		case MYSQL_TYPE_YEAR:
			column->type = DB_INT;
			break;
		case MYSQL_TYPE_TINY_BLOB:
		case MYSQL_TYPE_BLOB:
		case MYSQL_TYPE_MEDIUM_BLOB:
		case MYSQL_TYPE_LONG_BLOB:
		case MYSQL_TYPE_STRING:
		case MYSQL_TYPE_VAR_STRING:
			column->type = field->charsetnr == CHARSET_BINARY ? DB_BYTES : DB_TEXT;
			break;
		default:
			column->type = DB_TEXT;
			break;
		}
	}
	mysql_free_result(meta);
}

struct db_stmt *db_prepare(struct db *db, const char *sql, enum outcome *outcome,
			   struct reason *reason)
{
	struct db_stmt *stmt = g_new0(struct db_stmt, 1);

	stmt->db = db;
	stmt->stmt = mysql_stmt_init(db->mysql);
	if (stmt->stmt == NULL)
		g_error("out of memory");
	if (mysql_stmt_prepare(stmt->stmt, sql, strlen(sql)) != 0) {
		*outcome = statement_failed(stmt, reason);
		db_stmt_free(&stmt);
		return NULL;
	}
	stmt->parameter_count = mysql_stmt_param_count(stmt->stmt);
	stmt->parameters = g_new0(MYSQL_BIND, stmt->parameter_count);
	prepare_columns(stmt);
	*outcome = OUTCOME_OK;
	return stmt;
}

void db_stmt_free(struct db_stmt **stmt)
{
	struct db_stmt *s = *stmt;

	if (s == NULL)
		return;
	mysql_stmt_close(s->stmt);
	for (size_t i = 0; i < s->column_count; i++)
		g_free(s->buffers[i].data);
	g_free(s->parameters);
	g_free(s->columns);
	g_free(s->buffers);
	g_free(s->row);
	g_free(s);
	*stmt = NULL;
}

size_t db_stmt_parameters(const struct db_stmt *stmt)
{
	return stmt->parameter_count;
}

/* ---- executing ---- */

/* The bytes are borrowed until the statement was executed; the library does not write to them. */
static void bind_value(MYSQL_BIND *bind, const struct db_value *value)
{
	switch (value->type) {
	case DB_NULL:
		bind->buffer_type = MYSQL_TYPE_NULL;
		break;
	case DB_INT:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = (void *)(uintptr_t)&value->number;
		break;
	case DB_TEXT:
	case DB_BYTES:
		bind->buffer_type = value->type == DB_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
		bind->buffer = (void *)(uintptr_t)value->data;
		bind->buffer_length = value->size;
		break;
	}
}

static size_t inline_budget(const struct db *db)
{
	size_t share = (size_t)db->max_packet / INLINE_SHARE;

	return MIN(share, INLINE_MAX);
}

static bool is_long(const struct db_value *value, size_t used, size_t budget)
{
	if (value->type != DB_TEXT && value->type != DB_BYTES)
		return false;
	return value->size > LONG_VALUE || used + value->size > budget;
}

static bool send_long(struct db_stmt *stmt, size_t index, const struct db_value *value)
{
	const char *data = value->data;
	size_t piece = MIN(PIECE, inline_budget(stmt->db));
	size_t done = 0;

	do {
		size_t size = MIN(value->size - done, piece);

		if (mysql_stmt_send_long_data(stmt->stmt, (unsigned int)index, data + done, size) !=
		    0)
			return false;
		done += size;
	} while (done < value->size);
	return true;
}

static enum outcome check_values(struct db_stmt *stmt, const struct db_value *values, size_t count,
				 struct reason *reason)
{
	if (count != stmt->parameter_count)
		return outcome_retry(reason, "4.3.0", "statement has %zu parameters, not %zu",
				     stmt->parameter_count, count);
	for (size_t i = 0; i < count; i++)
		if (values[i].size >= (size_t)stmt->db->max_packet)
			return outcome_retry(reason, "4.3.0",
					     "a value of %zu bytes is over the database's "
					     "max_allowed_packet (%" G_GINT64_FORMAT "); raise it",
					     values[i].size, stmt->db->max_packet);
	return OUTCOME_OK;
}

static enum outcome execute(struct db_stmt *stmt, const struct db_value *values, size_t count,
			    struct reason *reason)
{
	enum outcome outcome = check_values(stmt, values, count, reason);
	size_t budget = inline_budget(stmt->db);
	size_t used = 0;

	if (outcome != OUTCOME_OK) {
		stmt->db->error = 0;
		return outcome;
	}
	if (count > 0) {
		memset(stmt->parameters, 0, count * sizeof(*stmt->parameters));
		for (size_t i = 0; i < count; i++)
			bind_value(&stmt->parameters[i], &values[i]);
		if (mysql_stmt_bind_param(stmt->stmt, stmt->parameters) != 0)
			return statement_failed(stmt, reason);
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_long(&values[i], used, budget))
			used += VALUE_OVERHEAD + values[i].size;
		else if (!send_long(stmt, i, &values[i]))
			return statement_failed(stmt, reason);
	}
	if (mysql_stmt_execute(stmt->stmt) == 0)
		return OUTCOME_OK;
	outcome = statement_failed(stmt, reason);
	if (!stmt->db->lost)
		mysql_stmt_reset(stmt->stmt); /* forget long data that was not used */
	return outcome;
}

/* An error may come in the place of any row (of a lock, of a function): dropping the result unread
 * would hide it, and perhaps that the server has rolled back. */
static enum outcome skip_rows(struct db_stmt *stmt, struct reason *reason)
{
	int fetched;

	/* (Not column_count: INSERT ... RETURNING has columns only when it is executed.) */
	if (mysql_stmt_field_count(stmt->stmt) == 0)
		return OUTCOME_OK;
	do
		fetched = mysql_stmt_fetch(stmt->stmt);
	while (fetched == 0 || fetched == MYSQL_DATA_TRUNCATED);
	return fetched == MYSQL_NO_DATA ? OUTCOME_OK : statement_failed(stmt, reason);
}

enum outcome db_run(struct db_stmt *stmt, const struct db_value *values, size_t count,
		    int64_t *affected, struct reason *reason)
{
	enum outcome outcome = execute(stmt, values, count, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (affected != NULL)
		*affected = (int64_t)mysql_stmt_affected_rows(stmt->stmt);
	outcome = skip_rows(stmt, reason);
	mysql_stmt_free_result(stmt->stmt);
	return outcome;
}

/* ---- reading rows ---- */

static bool bind_columns(struct db_stmt *stmt)
{
	for (size_t i = 0; i < stmt->column_count; i++) {
		struct column *column = &stmt->buffers[i];
		MYSQL_BIND *bind = &stmt->columns[i];

		memset(bind, 0, sizeof(*bind));
		bind->is_null = &column->is_null;
		bind->length = &column->length;
		bind->error = &column->error;
		if (column->type == DB_INT) {
			bind->buffer_type = MYSQL_TYPE_LONGLONG;
			bind->buffer = &column->number;
			continue;
		}
		if (column->data == NULL) {
			column->allocated = COLUMN_BUFFER;
			column->data = g_malloc(column->allocated + 1);
		}
		bind->buffer_type = column->type == DB_BYTES ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
		bind->buffer = column->data;
		bind->buffer_length = column->allocated;
	}
	return mysql_stmt_bind_result(stmt->stmt, stmt->columns) == 0;
}

/* Fetch once more what did not fit into its buffer. */
static bool fetch_rest(struct db_stmt *stmt, size_t index)
{
	struct column *column = &stmt->buffers[index];
	MYSQL_BIND bind = stmt->columns[index];

	g_free(column->data);
	column->allocated = column->length;
	column->data = g_malloc(column->allocated + 1);
	bind.buffer = column->data;
	bind.buffer_length = column->allocated;
	return mysql_stmt_fetch_column(stmt->stmt, &bind, (unsigned int)index, 0) == 0;
}

/* Fill stmt->row; *grown if a buffer moved and must be bound again. */
static bool take_row(struct db_stmt *stmt, bool *grown)
{
	for (size_t i = 0; i < stmt->column_count; i++) {
		struct column *column = &stmt->buffers[i];
		struct db_value *value = &stmt->row[i];

		if (column->is_null) {
			*value = db_null();
		} else if (column->type == DB_INT) {
			*value = db_int(column->number);
		} else {
			if (column->length > column->allocated) {
				if (!fetch_rest(stmt, i))
					return false;
				*grown = true;
			}
			column->data[column->length] = '\0';
			*value = (struct db_value){
				.type = column->type, .data = column->data, .size = column->length};
		}
	}
	return true;
}

static enum outcome read_rows(struct db_stmt *stmt, db_row *row, void *context,
			      struct reason *reason)
{
	if (!bind_columns(stmt))
		return statement_failed(stmt, reason);
	for (;;) {
		bool grown = false;
		int fetched = mysql_stmt_fetch(stmt->stmt);

		if (fetched == MYSQL_NO_DATA)
			return OUTCOME_OK;
		if (fetched != 0 && fetched != MYSQL_DATA_TRUNCATED)
			return statement_failed(stmt, reason);
		if (!take_row(stmt, &grown))
			return statement_failed(stmt, reason);
		if (!row(stmt->row, stmt->column_count, context))
			return OUTCOME_OK;
		if (grown && !bind_columns(stmt))
			return statement_failed(stmt, reason);
	}
}

enum outcome db_query(struct db_stmt *stmt, const struct db_value *values, size_t count,
		      db_row *row, void *context, struct reason *reason)
{
	enum outcome outcome = execute(stmt, values, count, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (row == NULL)
		outcome = skip_rows(stmt, reason);
	else if (stmt->column_count > 0)
		outcome = read_rows(stmt, row, context, reason);
	/* Drops the rows that nobody wanted. */
	mysql_stmt_free_result(stmt->stmt);
	return outcome;
}

enum outcome db_query_once(struct db *db, const char *sql, const struct db_value *values,
			   size_t count, db_row *row, void *context, struct reason *reason)
{
	enum outcome outcome;
	struct db_stmt *stmt = db_prepare(db, sql, &outcome, reason);

	if (stmt == NULL)
		return outcome;
	outcome = db_query(stmt, values, count, row, context, reason);
	db_stmt_free(&stmt);
	return outcome;
}
