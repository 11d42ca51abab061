#include "mailctl/purge_threads.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "common/db.h"
#include "common/id.h"

enum { PAGE = 256, SENDERS = 500 };

static bool take_id(const struct db_value *columns, size_t count, void *context)
{
	GArray *ids = context;
	struct id id;

	(void)count;
	if (columns[0].size != sizeof(id))
		return true;
	memcpy(&id, columns[0].data, sizeof(id));
	g_array_append_val(ids, id);
	return true;
}

static enum outcome read_page(struct db *db, const char *route, const char *before, struct id after,
			      GArray *ids, struct reason *reason)
{
	const struct db_value values[] = {db_text(route), db_text(before),
					  db_bytes(&after, sizeof(after)), db_int(PAGE)};

	g_array_set_size(ids, 0);
	return db_query_once(db,
			     "SELECT t.id FROM threads t WHERE t.route = ?"
			     " AND t.last_at < CAST(? AS DATETIME(3)) AND t.id > ?"
			     " AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = t.id)"
			     " ORDER BY t.id LIMIT ?",
			     values, G_N_ELEMENTS(values), take_id, ids, reason);
}

/* A worker that has added a message meanwhile has set last_at. */
static enum outcome remove_page(struct db_stmt *stmt, const char *before, const GArray *ids,
				struct reason *reason)
{
	enum outcome outcome = OUTCOME_OK;

	for (guint i = 0; i < ids->len && outcome == OUTCOME_OK; i++) {
		const struct db_value values[] = {
			db_bytes(&g_array_index(ids, struct id, i), sizeof(struct id)),
			db_text(before)};

		outcome = db_run(stmt, values, G_N_ELEMENTS(values), NULL, reason);
	}
	return outcome;
}

static enum outcome remove_threads(struct db *db, const char *route, const char *before,
				   struct reason *reason)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(struct id));
	struct id after = {0};
	enum outcome outcome;
	struct db_stmt *stmt = db_prepare(
		db, "DELETE FROM threads WHERE id = ? AND last_at < CAST(? AS DATETIME(3))",
		&outcome, reason);

	if (stmt == NULL)
		return outcome;
	do {
		outcome = read_page(db, route, before, after, ids, reason);
		if (outcome == OUTCOME_OK)
			outcome = remove_page(stmt, before, ids, reason);
		if (ids->len > 0)
			after = g_array_index(ids, struct id, ids->len - 1);
	} while (outcome == OUTCOME_OK && ids->len == PAGE);
	db_stmt_free(&stmt);
	return outcome;
}

static enum outcome remove_senders(struct db *db, struct reason *reason)
{
	const struct db_value limit = db_int(SENDERS);
	int64_t removed;
	enum outcome outcome;
	struct db_stmt *stmt = db_prepare(
		db,
		"DELETE FROM thread_senders WHERE used_on < UTC_DATE() - INTERVAL 2 DAY LIMIT ?",
		&outcome, reason);

	if (stmt == NULL)
		return outcome;
	do
		outcome = db_run(stmt, &limit, 1, &removed, reason);
	while (outcome == OUTCOME_OK && removed == SENDERS);
	db_stmt_free(&stmt);
	return outcome;
}

enum outcome purge_threads(struct db *db, const char *route, const char *before,
			   struct reason *reason)
{
	enum outcome outcome = remove_threads(db, route, before, reason);

	return outcome == OUTCOME_OK ? remove_senders(db, reason) : outcome;
}
