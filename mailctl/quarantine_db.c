#include "mailctl/quarantine_db.h"

#include <string.h>

#include "common/state.h"

#define UTC_MS(column) "CAST(UNIX_TIMESTAMP(" column ") * 1000 AS SIGNED)"

enum { US_PER_MS = 1000 };

/* ---- which ones ---- */

/* A statement that grows, and its values. */
struct question {
	GString *sql;
	GArray *values; /* struct db_value */
	GPtrArray *owned;
};

static void begin(struct question *question, const char *sql)
{
	question->sql = g_string_new(sql);
	question->values = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	question->owned = g_ptr_array_new_with_free_func(g_free);
}

static void end(struct question *question)
{
	g_string_free(question->sql, TRUE);
	g_array_unref(question->values);
	g_ptr_array_unref(question->owned);
}

static void add(struct question *question, struct db_value value)
{
	g_array_append_val(question->values, value);
}

static void add_list(struct question *question, const char *column, guint count)
{
	g_string_append_printf(question->sql, " AND %s IN (", column);
	for (guint i = 0; i < count; i++)
		g_string_append(question->sql, i == 0 ? "?" : ",?");
	g_string_append_c(question->sql, ')');
}

static void add_filter(struct question *question, const struct quarantine_filter *filter)
{
	if (filter->routes != NULL && filter->routes->len > 0) {
		add_list(question, "route", filter->routes->len);
		for (guint i = 0; i < filter->routes->len; i++)
			add(question, db_text(filter->routes->pdata[i]));
	}
	if (filter->ids != NULL && filter->ids->len > 0) {
		add_list(question, "id", filter->ids->len);
		for (guint i = 0; i < filter->ids->len; i++)
			add(question,
			    db_bytes(&g_array_index(filter->ids, struct id, i), sizeof(struct id)));
	}
	if (filter->reason != NULL) {
		g_string_append(question->sql, " AND LOCATE(?, reason) > 0");
		add(question, db_text(filter->reason));
	}
	if (filter->from != NULL) {
		char *from = g_utf8_strdown(filter->from, -1);

		g_ptr_array_add(question->owned, from);
		g_string_append(question->sql,
				" AND (LOCATE(?, from_email) > 0 OR LOCATE(?, LOWER(sender)) > 0)");
		add(question, db_text(from));
		add(question, db_text(from));
	}
	if (filter->older_ms >= 0) {
		g_string_append(question->sql,
				" AND quarantined_at <= NOW(3) - INTERVAL ? MICROSECOND");
		add(question, db_int(filter->older_ms * US_PER_MS));
	}
	if (filter->younger_ms >= 0) {
		g_string_append(question->sql,
				" AND quarantined_at >= NOW(3) - INTERVAL ? MICROSECOND");
		add(question, db_int(filter->younger_ms * US_PER_MS));
	}
}

static enum outcome ask(struct db *db, const struct question *question, db_row *row, void *context,
			struct reason *reason)
{
	return db_query_once(db, question->sql->str,
			     (const struct db_value *)(const void *)question->values->data,
			     question->values->len, row, context, reason);
}

/* ---- rows ---- */

static void free_row(void *item)
{
	struct quarantined *row = item;

	g_free(row->route);
	g_free(row->reason);
	g_free(row->recipient);
	g_free(row->sender);
	g_free(row->queue_id);
	g_free(row->from_email);
	g_free(row->subject);
	g_free(row->verdicts);
	g_free(row);
}

static char *take_text(const struct db_value *value)
{
	return value->type == DB_NULL ? g_strdup("") : g_strndup(value->data, value->size);
}

static const char COLUMNS[] =
	"SELECT id, route, reason, recipient, sender, queue_id, from_email, subject, verdicts,"
	" " UTC_MS("received_at") ", " UTC_MS(
		"quarantined_at") ","
				  " COALESCE(" UTC_MS("released_at") ", 0), LENGTH(document)"
								     " FROM quarantine WHERE TRUE";

static bool take_row(const struct db_value *columns, size_t count, void *context)
{
	struct quarantined *row = g_new0(struct quarantined, 1);
	char **const texts[] = {&row->route,    &row->reason,     &row->recipient, &row->sender,
				&row->queue_id, &row->from_email, &row->subject,   &row->verdicts};
	const struct db_value *next = &columns[1];

	(void)count;
	if (columns[0].size == sizeof(row->id.byte))
		memcpy(row->id.byte, columns[0].data, sizeof(row->id.byte));
	id_text(&row->id, row->id_text);
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		*texts[i] = take_text(next++);
	row->received_ms = (next++)->number;
	row->quarantined_ms = (next++)->number;
	row->released_ms = (next++)->number;
	row->size = next->number;
	g_ptr_array_add(context, row);
	return true;
}

enum outcome quarantine_list(struct db *db, const struct quarantine_filter *filter,
			     GPtrArray **rows, struct reason *reason)
{
	struct question question;

	*rows = g_ptr_array_new_with_free_func(free_row);
	begin(&question, COLUMNS);
	add_filter(&question, filter);
	g_string_append(question.sql, " ORDER BY quarantined_at, id");
	if (filter->limit > 0) {
		g_string_append(question.sql, " LIMIT ?");
		add(&question, db_int(filter->limit));
	}
	enum outcome outcome = ask(db, &question, take_row, *rows, reason);

	end(&question);
	return outcome;
}

static bool take_count(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context = columns[0].number;
	return false;
}

enum outcome quarantine_count(struct db *db, const struct quarantine_filter *filter, int64_t *count,
			      struct reason *reason)
{
	struct question question;

	begin(&question, "SELECT COUNT(*) FROM quarantine WHERE TRUE");
	add_filter(&question, filter);
	enum outcome outcome = ask(db, &question, take_count, count, reason);

	end(&question);
	return outcome;
}

/* ---- one ---- */

struct contents {
	GBytes *document;
	char *properties;
};

static bool take_contents(const struct db_value *columns, size_t count, void *context)
{
	struct contents *contents = context;

	(void)count;
	contents->document = g_bytes_new(columns[0].data, columns[0].size);
	contents->properties = take_text(&columns[1]);
	return false;
}

enum outcome quarantine_document(struct db *db, const struct id *id, GBytes **document,
				 struct wire **properties, struct reason *reason)
{
	const struct db_value value = db_bytes(id, sizeof(*id));
	struct contents contents = {NULL, NULL};
	enum outcome outcome =
		db_query_once(db, "SELECT document, properties FROM quarantine WHERE id = ?",
			      &value, 1, take_contents, &contents, reason);
	g_autofree char *text = contents.properties;

	*document = contents.document;
	*properties = NULL;
	if (outcome != OUTCOME_OK || text == NULL)
		return outcome;
	*properties = wire_parse(text, strlen(text), reason);
	return *properties != NULL ? OUTCOME_OK : OUTCOME_RETRY;
}

static enum outcome run(struct db *db, const char *sql, const struct id *id, int64_t *affected,
			struct reason *reason)
{
	const struct db_value value = db_bytes(id, sizeof(*id));
	enum outcome outcome;
	struct db_stmt *stmt = db_prepare(db, sql, &outcome, reason);

	if (stmt != NULL)
		outcome = db_run(stmt, &value, 1, affected, reason);
	db_stmt_free(&stmt);
	return outcome;
}

enum outcome quarantine_mark_released(struct db *db, const struct id *id, bool *found,
				      struct reason *reason)
{
	int64_t count = 0;
	const struct db_value value = db_bytes(id, sizeof(*id));
	enum outcome outcome = run(db,
				   "UPDATE quarantine SET released_at = NOW(3)"
				   " WHERE id = ? AND released_at IS NULL",
				   id, NULL, reason);

	if (outcome == OUTCOME_OK)
		outcome = db_query_once(db, "SELECT COUNT(*) FROM quarantine WHERE id = ?", &value,
					1, take_count, &count, reason);
	*found = count > 0;
	return outcome;
}

enum outcome quarantine_delete(struct db *db, const struct id *id, bool *found,
			       struct reason *reason)
{
	const struct db_value value = db_bytes(id, sizeof(*id));
	int64_t count = 0;
	enum outcome outcome = db_begin(db, reason);

	/* mailin-ingest takes the locks in the same order. */
	if (outcome == OUTCOME_OK)
		outcome =
			db_query_once(db, "SELECT COUNT(*) FROM quarantine WHERE id = ? FOR UPDATE",
				      &value, 1, take_count, &count, reason);
	/* (One that was released may have become something else meanwhile.) */
	if (outcome == OUTCOME_OK)
		outcome = run(db,
			      "INSERT INTO inbound_pending (id, route, status, attempt, first_seen,"
			      " next_attempt, reason, updated_at)"
			      " SELECT q.id, q.route, 'failed', 1, q.received_at, NULL,"
			      " CONCAT('" DROPPED_FROM_QUARANTINE "', q.reason), NOW(3)"
			      " FROM quarantine q WHERE q.id = ?"
			      " ON DUPLICATE KEY UPDATE status = VALUES(status),"
			      " next_attempt = VALUES(next_attempt), reason = VALUES(reason),"
			      " updated_at = VALUES(updated_at)",
			      id, NULL, reason);
	if (outcome == OUTCOME_OK)
		outcome = run(db, "DELETE FROM quarantine WHERE id = ?", id, NULL, reason);
	if (outcome == OUTCOME_OK)
		outcome = db_commit(db, NULL, reason);
	if (outcome != OUTCOME_OK)
		db_rollback(db);
	*found = count > 0;
	return outcome;
}

/* ---- by age ---- */

#define OLD                                                                                        \
	" route = ? AND received_at < CAST(? AS DATETIME(3))"                                      \
	" AND COALESCE(released_at, quarantined_at) < CAST(? AS DATETIME(3))"

enum outcome quarantine_count_before(struct db *db, const char *route, const char *before,
				     int64_t *count, struct reason *reason)
{
	const struct db_value values[] = {db_text(route), db_text(before), db_text(before)};

	return db_query_once(db, "SELECT COUNT(*) FROM quarantine WHERE" OLD, values,
			     G_N_ELEMENTS(values), take_count, count, reason);
}

static enum outcome purge_step(struct db *db, const char *sql, const struct db_value *values,
			       size_t count, int64_t *affected, struct reason *reason)
{
	enum outcome outcome;
	struct db_stmt *stmt = db_prepare(db, sql, &outcome, reason);

	if (stmt != NULL)
		outcome = db_run(stmt, values, count, affected, reason);
	db_stmt_free(&stmt);
	return outcome;
}

/* The documents are large, hence few at a time; a row of inbound_pending that is left over, because
 * this was cut off, goes with the next ones. */
enum outcome quarantine_purge(struct db *db, const char *route, const char *before,
			      int64_t *removed, struct reason *reason)
{
	const struct db_value values[] = {db_text(route), db_text(before), db_text(before)};
	enum outcome outcome = purge_step(db, "DELETE FROM quarantine WHERE" OLD " LIMIT 100",
					  values, G_N_ELEMENTS(values), removed, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	return purge_step(db,
			  "DELETE FROM inbound_pending WHERE route = ? AND status = 'quarantined'"
			  " AND NOT EXISTS (SELECT 1 FROM quarantine q"
			  " WHERE q.id = inbound_pending.id)",
			  values, 1, NULL, reason);
}
