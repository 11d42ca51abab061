#include "mailin/ingest/fence.h"

#include <glib.h>
#include <stdint.h>

#include "common/db.h"

enum { ER_LOCK_WAIT_TIMEOUT_CODE = 1205 };

static const char STATUS[] = "4.3.0"; /* RFC 3463: other or undefined mail system status */

struct fence {
	bool wanted;   /* by the messages in hand */
	bool named;    /* the row has the id of this connection to the database */
	int64_t epoch; /* 0: not taken */
};

struct fences {
	const struct config *config;
	struct fence *of_route; /* by index in the config */
	bool lost;
};

struct fences *fences_new(const struct config *config)
{
	struct fences *fences = g_new0(struct fences, 1);

	fences->config = config;
	fences->of_route = g_new0(struct fence, config->route_count);
	return fences;
}

void fences_free(struct fences **fences)
{
	if (*fences == NULL)
		return;
	g_free((*fences)->of_route);
	g_free(*fences);
	*fences = NULL;
}

void fences_forget(struct fences *fences)
{
	for (size_t i = 0; i < fences->config->route_count; i++)
		fences->of_route[i] = (struct fence){0};
	fences->lost = false;
}

void fences_reconnected(struct fences *fences)
{
	for (size_t i = 0; i < fences->config->route_count; i++)
		fences->of_route[i].named = false;
}

bool fences_lost(const struct fences *fences)
{
	return fences->lost;
}

/* False if there is none. */
static bool mark_wanted(struct fences *fences, struct inbound *const *messages, size_t count)
{
	const struct config *config = fences->config;
	bool any = false;

	for (size_t i = 0; i < config->route_count; i++)
		fences->of_route[i].wanted = false;
	for (size_t i = 0; i < count; i++) {
		const struct config_route *route =
			config_route_named(config, messages[i]->route.data);

		if (route == NULL || !route->serial)
			continue;
		fences->of_route[route - config->routes].wanted = true;
		any = true;
	}
	return any;
}

static bool take_number(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context = columns[0].number;
	return false;
}

static enum outcome lost(struct fences *fences, const char *route, struct reason *reason)
{
	fences->lost = true;
	return outcome_retry(reason, STATUS, "the serial route %s is another worker's now", route);
}

/* ---- taking ---- */

static enum outcome raise_epoch(struct db *db, const char *route, int64_t *epoch,
				struct reason *reason)
{
	const struct db_value name = db_text(route);
	enum outcome outcome = db_query_once(
		db,
		"INSERT INTO fences (route, epoch, connection_id) VALUES (?, LAST_INSERT_ID(1), "
		"CONNECTION_ID()) ON DUPLICATE KEY UPDATE epoch = LAST_INSERT_ID(epoch + 1), "
		"connection_id = CONNECTION_ID()",
		&name, 1, NULL, NULL, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	return db_query_once(db, "SELECT LAST_INSERT_ID()", NULL, 0, take_number, epoch, reason);
}

/* Whoever has the lock is in the middle of a transaction, and has been for too long.  The server
 * allows this between connections of the same user. */
static enum outcome kill_holder(struct db *db, const char *route, struct reason *reason)
{
	const struct db_value name = db_text(route);
	int64_t connection = 0;
	enum outcome outcome = db_query_once(db, "SELECT connection_id FROM fences WHERE route = ?",
					     &name, 1, take_number, &connection, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	g_autofree char *kill = g_strdup_printf("KILL CONNECTION %" G_GINT64_FORMAT, connection);

	/* It may be gone already. */
	db_exec(db, kill, NULL);
	return db_lost(db) ? OUTCOME_RETRY : OUTCOME_OK;
}

static enum outcome take(struct fence *fence, struct db *db, const char *route,
			 struct reason *reason)
{
	int64_t epoch = 0;
	enum outcome outcome = raise_epoch(db, route, &epoch, reason);

	if (outcome != OUTCOME_OK && db_errno(db) == ER_LOCK_WAIT_TIMEOUT_CODE) {
		outcome = kill_holder(db, route, reason);
		if (outcome == OUTCOME_OK)
			outcome = raise_epoch(db, route, &epoch, reason);
	}
	if (outcome != OUTCOME_OK)
		return outcome;
	fence->epoch = epoch;
	fence->named = true;
	return OUTCOME_OK;
}

/* A new connection to the database, and the old turn: who comes next must know whom to kill. */
static enum outcome name_connection(struct fences *fences, struct fence *fence, struct db *db,
				    const char *route, struct reason *reason)
{
	const struct db_value values[] = {db_text(route), db_int(fence->epoch)};
	enum outcome outcome;
	int64_t changed = 0;
	struct db_stmt *stmt = db_prepare(
		db,
		"UPDATE fences SET connection_id = CONNECTION_ID() WHERE route = ? AND epoch = ?",
		&outcome, reason);

	if (stmt == NULL)
		return outcome;
	outcome = db_run(stmt, values, G_N_ELEMENTS(values), &changed, reason);
	db_stmt_free(&stmt);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (changed == 0)
		return lost(fences, route, reason);
	fence->named = true;
	return OUTCOME_OK;
}

enum outcome fences_take(struct fences *fences, struct db *db, struct inbound *const *messages,
			 size_t count, struct reason *reason)
{
	const struct config *config = fences->config;
	enum outcome outcome = OUTCOME_OK;

	if (!mark_wanted(fences, messages, count))
		return OUTCOME_OK;
	for (size_t i = 0; i < config->route_count && outcome == OUTCOME_OK; i++) {
		struct fence *fence = &fences->of_route[i];
		const char *route = config->routes[i].name;

		if (fence->wanted && fence->epoch == 0)
			outcome = take(fence, db, route, reason);
		else if (fence->wanted && !fence->named)
			outcome = name_connection(fences, fence, db, route, reason);
	}
	return outcome;
}

/* ---- holding ---- */

static enum outcome hold(struct fences *fences, const struct fence *fence, struct db *db,
			 const char *route, struct reason *reason)
{
	const struct db_value name = db_text(route);
	int64_t epoch = 0;
	enum outcome outcome =
		db_query_once(db, "SELECT epoch FROM fences WHERE route = ? LOCK IN SHARE MODE",
			      &name, 1, take_number, &epoch, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	return epoch == fence->epoch ? OUTCOME_OK : lost(fences, route, reason);
}

enum outcome fences_hold(struct fences *fences, struct db *db, struct inbound *const *messages,
			 size_t count, struct reason *reason)
{
	const struct config *config = fences->config;
	enum outcome outcome = OUTCOME_OK;

	if (!mark_wanted(fences, messages, count))
		return OUTCOME_OK;
	/* Always in this order: two workers with several routes wait for each other and do not
	 * deadlock. */
	for (size_t i = 0; i < config->route_count && outcome == OUTCOME_OK; i++)
		if (fences->of_route[i].wanted)
			outcome = hold(fences, &fences->of_route[i], db, config->routes[i].name,
				       reason);
	return outcome;
}
