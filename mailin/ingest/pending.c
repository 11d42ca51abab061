#include "mailin/ingest/pending.h"

#include <glib.h>

#include "common/state.h"

enum { ROWS_MAX = 10000, MS_PER_SECOND = 1000 };

struct row {
	struct id id;
	char *route;
	const char *status;
	int64_t attempt;
	char *first_seen; /* these as DATETIME(3) */
	char *next_attempt;
	char *at;
	char *reason;
};

struct pending {
	GQueue rows;
};

/* That one was dropped is the last word on it; else its copies that are on their way would not be
 * known any more.  (The assignments are made from left to right: `reason` comes before the time.)
 */
#define IF_NEWER(column)                                                                           \
#column " = IF(VALUES(updated_at) >= inbound_pending.updated_at"                           \
		" AND inbound_pending.reason NOT LIKE '" DROPPED_FROM_QUARANTINE                   \
		"%', VALUES(" #column "), inbound_pending." #column ")"

static const char insert[] =
	"INSERT INTO inbound_pending (id, route, status, attempt, first_seen, next_attempt, reason,"
	" updated_at)"
	" SELECT ?, ?, ?, ?, ?, ?, ?, ? FROM DUAL"
	" WHERE NOT EXISTS (SELECT 1 FROM messages WHERE id = ?)"
	" ON DUPLICATE KEY UPDATE " IF_NEWER(route) ", " IF_NEWER(status) ", " IF_NEWER(
		attempt) ", " IF_NEWER(next_attempt) ", " IF_NEWER(reason) ", " IF_NEWER(updated_at);

static char *time_text(int64_t ms)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / MS_PER_SECOND);
	g_autofree char *seconds =
		time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;

	if (ms <= 0 || seconds == NULL)
		return NULL;
	return g_strdup_printf("%s.%03d", seconds, (int)(ms % MS_PER_SECOND));
}

static void free_row(void *pointer)
{
	struct row *row = pointer;

	g_free(row->route);
	g_free(row->first_seen);
	g_free(row->next_attempt);
	g_free(row->at);
	g_free(row->reason);
	g_free(row);
}

struct pending *pending_new(void)
{
	struct pending *pending = g_new0(struct pending, 1);

	g_queue_init(&pending->rows);
	return pending;
}

void pending_free(struct pending **pending)
{
	if (*pending == NULL)
		return;
	g_queue_clear_full(&(*pending)->rows, free_row);
	g_free(*pending);
	*pending = NULL;
}

void pending_add(struct pending *pending, const struct fate *fate)
{
	/* What went into quarantine has its row by the same transaction. */
	if (!fate->has_id || fate->kind == FATE_STORED || fate->kind == FATE_QUARANTINED)
		return;
	struct row *row = g_new0(struct row, 1);

	row->id = fate->id;
	row->route = g_strdup(fate->route);
	row->status = fate_name(fate->kind);
	row->attempt = fate->attempt;
	row->at = time_text(fate->at_ms);
	row->first_seen = time_text(fate->first_seen_ms);
	if (row->first_seen == NULL)
		row->first_seen = g_strdup(row->at);
	row->next_attempt = time_text(fate->next_attempt_ms);
	row->reason = g_utf8_make_valid(fate->reason, -1);
	g_queue_push_tail(&pending->rows, row);
	if (pending->rows.length > ROWS_MAX)
		free_row(g_queue_pop_head(&pending->rows));
}

size_t pending_count(const struct pending *pending)
{
	return pending->rows.length;
}

static enum outcome write_rows(struct pending *pending, struct db_stmt *stmt, struct reason *reason)
{
	for (const GList *link = pending->rows.head; link != NULL; link = link->next) {
		const struct row *row = link->data;
		struct db_value id = db_bytes(&row->id, sizeof(row->id));
		struct db_value values[] = {
			id,
			db_text(row->route),
			db_text(row->status),
			db_int(row->attempt),
			db_text(row->first_seen),
			db_text(row->next_attempt),
			db_text(row->reason),
			db_text(row->at),
			id,
		};
		enum outcome outcome = db_run(stmt, values, G_N_ELEMENTS(values), NULL, reason);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

static enum outcome write_all(struct pending *pending, struct db *db, struct reason *reason)
{
	enum outcome outcome = db_begin(db, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	struct db_stmt *stmt = db_prepare(db, insert, &outcome, reason);

	if (stmt != NULL)
		outcome = write_rows(pending, stmt, reason);
	db_stmt_free(&stmt);
	if (outcome == OUTCOME_OK)
		outcome = db_commit(db, NULL, reason);
	if (outcome != OUTCOME_OK)
		db_rollback(db);
	return outcome;
}

enum outcome pending_write(struct pending *pending, struct db *db, struct reason *reason)
{
	if (pending->rows.length == 0)
		return OUTCOME_OK;
	enum outcome outcome = write_all(pending, db, reason);

	if (outcome != OUTCOME_RETRY)
		g_queue_clear_full(&pending->rows, free_row);
	return outcome;
}
