#include "mailin/ingest/target.h"

#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#include "mailin/ingest/target_private.h"

enum { LOOK_MS = 1000 };

static const char STATUS[] = "4.3.5"; /* RFC 3463: system incorrectly configured */

/* ---- preparing ---- */

static void clear_prepared(struct prepared *prepared)
{
	db_stmt_free(&prepared->stmt);
	rows_clear(&prepared->rows);
	if (prepared->values != NULL)
		g_array_unref(prepared->values);
}

static void free_version(struct version **version)
{
	struct version *old = *version;

	if (old == NULL)
		return;
	for (size_t i = 0; i < old->file->statement_count; i++)
		clear_prepared(&old->statements[i]);
	g_free(old->statements);
	target_file_free(&old->file);
	g_free(old);
	*version = NULL;
}

void target_drop_hint(struct reason *reason)
{
	char *hint = strstr(reason->text, "; run mailctl setup");

	if (hint != NULL)
		*hint = '\0';
}

/* The server takes it, with as many parameters as we count.  *error is its code. */
static struct db_stmt *prepare(struct db *db, const struct target_statement *statement,
			       unsigned int *error, struct reason *reason)
{
	enum outcome outcome;
	struct db_stmt *stmt = db_prepare(db, statement->sql, &outcome, reason);

	*error = stmt == NULL ? db_errno(db) : 0;
	if (stmt == NULL)
		target_drop_hint(reason);
	if (stmt != NULL && db_stmt_parameters(stmt) != statement->parameter_count) {
		outcome_retry(reason, STATUS, "the server counts %zu parameters instead of %zu",
			      db_stmt_parameters(stmt), statement->parameter_count);
		db_stmt_free(&stmt);
	}
	return stmt;
}

static bool prepare_one(struct prepared *prepared, struct db *db, struct reason *reason)
{
	const struct target_statement *statement = prepared->statement;
	unsigned int error;

	prepared->stmt = prepare(db, statement, &error, reason);
	if (prepared->stmt == NULL) {
		g_autofree char *place = target_file_place(prepared->file, statement);

		reason_prefix(reason, place);
		return false;
	}
	prepared->values = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	if (statement->rows.head == NULL)
		return true;
	db_stmt_free(&prepared->stmt);
	prepared->shape = (struct rows_shape){statement->rows.head, statement->rows.row,
					      statement->rows.tail, statement->parameter_count};
	rows_init(&prepared->rows, &prepared->shape, db);
	return true;
}

/* NULL with a reason. */
static struct version *read_version(struct targets *targets, const char *path,
				    struct reason *reason)
{
	struct target_file *file = target_file_read(path, reason);

	if (file == NULL)
		return NULL;
	struct version *version = g_new0(struct version, 1);

	version->file = file;
	version->statements = g_new0(struct prepared, file->statement_count);
	for (size_t i = 0; i < file->statement_count; i++) {
		struct prepared *prepared = &version->statements[i];

		prepared->file = file;
		prepared->statement = &file->statements[i];
		if (!prepare_one(prepared, targets->db, reason)) {
			free_version(&version);
			return NULL;
		}
	}
	return version;
}

void targets_check(const struct target_file *file, struct db *db,
		   void (*refused)(const char *place, unsigned int code,
				   const struct reason *reason, void *context),
		   void *context)
{
	for (size_t i = 0; i < file->statement_count && !db_lost(db); i++) {
		struct reason reason = {.status = ""};
		unsigned int error;
		struct db_stmt *stmt = prepare(db, &file->statements[i], &error, &reason);

		if (stmt == NULL) {
			g_autofree char *place = target_file_place(file, &file->statements[i]);

			refused(place, error, &reason, context);
		}
		db_stmt_free(&stmt);
	}
}

/* ---- files and their edits ---- */

bool targets_is_optional(const char *name)
{
	return strcmp(name, "inbox") == 0;
}

static struct stamp stamp_of(const char *path)
{
	struct stat about;

	if (path == NULL || stat(path, &about) != 0)
		return (struct stamp){0};
	return (struct stamp){true, about.st_dev, about.st_ino, about.st_size, about.st_mtim};
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->there == b->there && a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static void complain(struct targets *targets, const struct reason *reason)
{
	targets->complaint = *reason;
	targets->complains = true;
}

/* The first version: without one nothing of this target can be stored. */
static enum outcome read_first(struct targets *targets, struct target *target, const char *path,
			       struct reason *reason)
{
	struct stamp stamp = stamp_of(path);

	if (path == NULL && targets_is_optional(target->name))
		return OUTCOME_OK;
	if (path == NULL)
		return outcome_retry(reason, STATUS,
				     "target %s: %s.sql is in no folder of "
				     "ingest.targets",
				     target->name, target->name);
	target->version = read_version(targets, path, reason);
	if (target->version == NULL)
		return OUTCOME_RETRY;
	target->taken = target->seen = stamp;
	target->next_look = deadline_in(LOOK_MS);
	return OUTCOME_OK;
}

/* A file that vanished stays what it was.  (While something else waits to be told, edits wait.) */
static void take_edit(struct targets *targets, struct target *target, const char *path)
{
	struct stamp stamp = stamp_of(path);
	bool settled = is_same(&stamp, &target->seen);
	struct reason reason = {.status = ""};

	target->seen = stamp;
	target->next_look = deadline_in(LOOK_MS);
	if (!stamp.there || !settled || is_same(&stamp, &target->taken) || targets->complains)
		return;
	struct version *version = read_version(targets, path, &reason);

	if (version != NULL) {
		free_version(&target->version);
		target->version = version;
	} else if (db_lost(targets->db)) {
		target->why = reason;
		return; /* nothing is known of the file */
	} else {
		complain(targets, &reason);
	}
	target->taken = stamp;
}

static enum outcome look(struct targets *targets, struct target *target, struct reason *reason)
{
	if (target->version != NULL && !deadline_passed(target->next_look))
		return OUTCOME_OK;
	g_autofree char *path = target_file_find(target->name, targets->config->ingest_targets);

	if (target->version == NULL)
		return read_first(targets, target, path, reason);
	take_edit(targets, target, path);
	return OUTCOME_OK;
}

/* ---- the set ---- */

static void free_target(void *data)
{
	struct target *target = data;

	free_version(&target->version);
	g_free(target->name);
	g_free(target);
}

static struct target *target_named(struct targets *targets, const char *name)
{
	for (guint i = 0; i < targets->targets->len; i++) {
		struct target *target = targets->targets->pdata[i];

		if (strcmp(target->name, name) == 0)
			return target;
	}
	struct target *target = g_new0(struct target, 1);

	target->name = g_strdup(name);
	g_ptr_array_add(targets->targets, target);
	return target;
}

struct targets *targets_new(const struct config *config, struct db *db)
{
	struct targets *targets = g_new0(struct targets, 1);

	targets->config = config;
	targets->db = db;
	targets->targets = g_ptr_array_new_with_free_func(free_target);
	targets->waiting = g_ptr_array_new();
	targets->of_route = g_new0(struct target *, config->route_count);
	for (size_t i = 0; i < config->route_count; i++)
		targets->of_route[i] = target_named(targets, config->routes[i].target);
	return targets;
}

void targets_free(struct targets **targets)
{
	struct targets *old = *targets;

	if (old == NULL)
		return;
	g_ptr_array_unref(old->waiting);
	g_ptr_array_unref(old->targets);
	g_free(old->of_route);
	g_free(old);
	*targets = NULL;
}

bool targets_complaint(struct targets *targets, struct reason *reason)
{
	if (!targets->complains)
		return false;
	*reason = targets->complaint;
	targets->complains = false;
	return true;
}

/* Routes are few, and most messages of a batch have the same one. */
struct target *target_of(const struct targets *targets, const struct inbound *message)
{
	const struct config_route *route = config_route_named(targets->config, message->route.data);

	return route != NULL ? targets->of_route[route - targets->config->routes] : NULL;
}

static bool wants_thread(const struct targets *targets, const struct inbound *message,
			 const struct target *target)
{
	const struct config_route *route = config_route_named(targets->config, message->route.data);

	return route != NULL && (route->threads || (target != NULL && target->version != NULL &&
						    target->version->file->wants_threads));
}

enum outcome targets_prepare(struct targets *targets, struct inbound *const *messages, size_t count,
			     struct reason *reason)
{
	targets->batch++;
	for (size_t i = 0; i < count; i++) {
		struct target *target = target_of(targets, messages[i]);

		if (target != NULL && target->batch != targets->batch) {
			target->batch = targets->batch;
			target->usable = look(targets, target, &target->why) == OUTCOME_OK;
			if (db_lost(targets->db))
				return outcome_retry(reason, STATUS, "%s", target->why.text);
		}
		messages[i]->held_up = target != NULL && !target->usable;
		if (messages[i]->held_up)
			messages[i]->why = target->why;
		messages[i]->wants_thread = wants_thread(targets, messages[i], target);
	}
	return OUTCOME_OK;
}
