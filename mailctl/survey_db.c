#include "mailctl/survey_db.h"

#include <glib.h>
#include <string.h>

/* INTERVAL knows no milliseconds. */
enum { US_PER_MS = 1000, MS_PER_S = 1000 };

struct filling {
	struct survey_queue *queues;
	size_t count;
	enum survey_kind kind;
	int64_t *handled;
};

/* The queue that a row is of; its name may be one that the config knows no more. */
static bool find(const struct filling *filling, const struct db_value *name, size_t *index)
{
	for (size_t i = 0; i < filling->count; i++) {
		const struct survey_queue *queue = &filling->queues[i];

		if (queue->kind != filling->kind || strlen(queue->name) != name->size ||
		    memcmp(queue->name, name->data, name->size) != 0)
			continue;
		*index = i;
		return true;
	}
	return false;
}

static bool take_handled(const struct db_value *columns, size_t count, void *context)
{
	struct filling *filling = context;
	size_t index;

	(void)count;
	if (find(filling, &columns[0], &index))
		filling->handled[index] = columns[1].number;
	return true;
}

static bool take_delayed(const struct db_value *columns, size_t count, void *context)
{
	struct filling *filling = context;
	size_t index;

	if (!find(filling, &columns[0], &index))
		return true;
	filling->queues[index].delayed = columns[1].number;
	/* (A clock may have been set back.) */
	if (count > 2)
		filling->queues[index].delayed_oldest_ms = MAX(columns[2].number, 0) * MS_PER_S;
	return true;
}

static bool take_quarantined(const struct db_value *columns, size_t count, void *context)
{
	struct filling *filling = context;
	size_t index;

	(void)count;
	if (find(filling, &columns[0], &index))
		filling->queues[index].quarantined = columns[1].number;
	return true;
}

/* None unless a row says otherwise. */
static void start(struct filling *filling, enum survey_kind kind)
{
	filling->kind = kind;
	for (size_t i = 0; i < filling->count; i++) {
		if (filling->queues[i].kind != kind)
			continue;
		filling->handled[i] = 0;
		filling->queues[i].delayed = 0;
		filling->queues[i].quarantined = 0;
	}
}

static enum outcome ask_routes(struct db *db, struct filling *filling,
			       const struct db_value *window, struct reason *reason)
{
	start(filling, SURVEY_ROUTE);
	if (db_query_once(db,
			  "SELECT route, COUNT(*) FROM messages"
			  " WHERE stored_at >= NOW(3) - INTERVAL ? MICROSECOND GROUP BY route",
			  window, 1, take_handled, filling, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	if (db_query_once(db,
			  "SELECT route, COUNT(*) FROM quarantine WHERE released_at IS NULL"
			  " GROUP BY route",
			  NULL, 0, take_quarantined, filling, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return db_query_once(
		db,
		"SELECT route, COUNT(*), TIMESTAMPDIFF(SECOND, MIN(first_seen), NOW(3))"
		" FROM inbound_pending WHERE status = 'delayed' GROUP BY route",
		NULL, 0, take_delayed, filling, reason);
}

static enum outcome ask_streams(struct db *db, struct filling *filling,
				const struct db_value *window, struct reason *reason)
{
	start(filling, SURVEY_STREAM);
	if (db_query_once(db,
			  "SELECT stream, COUNT(*) FROM outbound"
			  " WHERE status IN ('sent', 'failed', 'held', 'expired', 'dry-run')"
			  " AND updated_at >= NOW(3) - INTERVAL ? MICROSECOND GROUP BY stream",
			  window, 1, take_handled, filling, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return db_query_once(db,
			     "SELECT stream, COUNT(*) FROM outbound"
			     " WHERE status IN ('deferred', 'scheduled') GROUP BY stream",
			     NULL, 0, take_delayed, filling, reason);
}

enum outcome survey_db_counts(struct db *db, struct survey_queue *queues, size_t count,
			      int64_t window_ms, int64_t *handled, struct reason *reason)
{
	struct filling filling = {.queues = queues, .count = count, .handled = handled};
	struct db_value window = db_int(window_ms * US_PER_MS);

	if (ask_routes(db, &filling, &window, reason) != OUTCOME_OK)
		return OUTCOME_RETRY;
	return ask_streams(db, &filling, &window, reason);
}
