#include "mailin/ingest/target.h"

#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/db.h"
#include "common/deadline.h"
#include "common/rows.h"
#include "mailin/ingest/target_file.h"

enum { LOOK_MS = 1000 };

static const char STATUS[] = "4.3.5"; /* RFC 3463: system incorrectly configured */

/* Errors of the server that may be a race's or the data's: told apart by trying again. */
enum {
	ER_DUP_ENTRY_CODE = 1062,
	ER_ROW_IS_REFERENCED_CODE = 1451,
	ER_NO_REFERENCED_ROW_CODE = 1452,
	CONFLICTS_MAX = 2,
};
/* SIGNAL SQLSTATE '45000': a trigger or function refuses the data. */
enum { ER_SIGNAL_EXCEPTION_CODE = 1644 };

/* A statement of a file on this connection. */
struct prepared {
	const struct target_file *file;
	const struct target_statement *statement;
	struct db_stmt *stmt; /* NULL: rows */
	struct rows_shape shape;
	struct rows rows;
	GArray *values; /* struct db_value: rows to be written, or those of one execution */
	size_t row_count;
};

struct version {
	struct target_file *file;
	struct prepared *statements;
};

/* What tells an edit. */
struct stamp {
	bool there;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct target {
	char *name;              /* as in the config */
	struct version *version; /* NULL: not read yet, or never usable */
	struct stamp taken;      /* of the version, or of an edit that was refused */
	struct stamp seen;       /* at the last look */
	struct deadline next_look;
	uint64_t batch; /* the last one that needed it, and whether it could be used then */
	bool usable;
	struct reason why;
};

struct targets {
	const struct config *config;
	struct db *db;
	GPtrArray *targets;       /* struct target * */
	struct target **of_route; /* by index in the config */
	GPtrArray *waiting;       /* struct prepared *: those that have rows to be written */
	uint64_t batch;           /* counts them */
	struct reason complaint;
	bool complains;
};

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

/* The tables are not only ours: what mends ours need not mend it. */
static void drop_hint(struct reason *reason)
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
		drop_hint(reason);
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

/* A file that vanished stays what it was. */
static void take_edit(struct targets *targets, struct target *target, const char *path)
{
	struct stamp stamp = stamp_of(path);
	bool settled = is_same(&stamp, &target->seen);
	struct reason reason = {.status = ""};

	target->seen = stamp;
	target->next_look = deadline_in(LOOK_MS);
	if (!stamp.there || !settled || is_same(&stamp, &target->taken))
		return;
	struct version *version = read_version(targets, path, &reason);

	if (version != NULL) {
		free_version(&target->version);
		target->version = version;
	} else if (db_lost(targets->db)) {
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
static struct target *target_of(const struct targets *targets, const struct inbound *message)
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

/* ---- failures ---- */

static bool is_conflict(unsigned int code)
{
	return code == ER_DUP_ENTRY_CODE || code == ER_ROW_IS_REFERENCED_CODE ||
	       code == ER_NO_REFERENCED_ROW_CODE;
}

static enum outcome refuse(struct reason *reason)
{
	struct reason why = *reason;

	return outcome_reject(reason, "5.6.0", "%s", why.text);
}

/*
 * A conflict of keys can be a race with another worker, which a repetition does not see again, or
 * the data's, which it does: one of many messages is looked for by halving, and one alone has so
 * many tries.
 */
static enum outcome judge(const struct targets *targets, const struct prepared *prepared,
			  struct inbound *const *messages, size_t count, enum outcome outcome,
			  struct reason *reason)
{
	unsigned int code = db_errno(targets->db);
	g_autofree char *place = target_file_place(prepared->file, prepared->statement);

	reason_prefix(reason, place);
	drop_hint(reason);
	if (outcome != OUTCOME_RETRY)
		return outcome;
	if (code == ER_SIGNAL_EXCEPTION_CODE)
		return refuse(reason);
	if (!is_conflict(code))
		return OUTCOME_RETRY;
	if (count == 1 && messages[0]->target_conflicts++ < CONFLICTS_MAX)
		return OUTCOME_RETRY;
	return refuse(reason);
}

/* ---- running ---- */

struct run {
	struct targets *targets;
	struct inbound *const *messages;
	size_t count;
	struct reason *reason;
};

static void forget_values(struct prepared *prepared)
{
	g_array_set_size(prepared->values, 0);
	prepared->row_count = 0;
}

static void forget_waiting(struct targets *targets)
{
	for (guint i = 0; i < targets->waiting->len; i++)
		forget_values(targets->waiting->pdata[i]);
	g_ptr_array_set_size(targets->waiting, 0);
}

/* Write the rows that wait. */
static enum outcome flush(const struct run *run)
{
	GPtrArray *waiting = run->targets->waiting;
	enum outcome outcome = OUTCOME_OK;

	for (guint i = 0; i < waiting->len && outcome == OUTCOME_OK; i++) {
		struct prepared *prepared = waiting->pdata[i];

		outcome = rows_insert(&prepared->rows,
				      (const struct db_value *)prepared->values->data,
				      prepared->row_count, NULL, run->reason);
		if (outcome != OUTCOME_OK)
			outcome = judge(run->targets, prepared, run->messages, run->count, outcome,
					run->reason);
	}
	forget_waiting(run->targets);
	return outcome;
}

static void add_values(struct prepared *prepared, const struct inbound *message, size_t attachment)
{
	const struct target_statement *statement = prepared->statement;

	for (size_t i = 0; i < statement->parameter_count; i++) {
		struct db_value value =
			target_parameter_value(statement->parameters[i], message, attachment);

		g_array_append_val(prepared->values, value);
	}
}

/* Does another statement's row for the same table wait?  Then the order shows. */
static bool is_table_waited_for(const struct targets *targets, const struct prepared *prepared)
{
	for (guint i = 0; i < targets->waiting->len; i++) {
		const struct prepared *other = targets->waiting->pdata[i];

		if (other != prepared && g_ascii_strcasecmp(other->statement->rows.table,
							    prepared->statement->rows.table) == 0)
			return true;
	}
	return false;
}

static enum outcome add_row(const struct run *run, struct prepared *prepared,
			    const struct inbound *message, size_t attachment)
{
	enum outcome outcome = OUTCOME_OK;

	if (is_table_waited_for(run->targets, prepared))
		outcome = flush(run);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (prepared->row_count == 0)
		g_ptr_array_add(run->targets->waiting, prepared);
	add_values(prepared, message, attachment);
	prepared->row_count++;
	return OUTCOME_OK;
}

static enum outcome run_alone(const struct run *run, struct prepared *prepared,
			      const struct inbound *message, size_t attachment)
{
	enum outcome outcome = flush(run);

	if (outcome != OUTCOME_OK)
		return outcome;
	add_values(prepared, message, attachment);
	outcome = db_run(prepared->stmt, (const struct db_value *)prepared->values->data,
			 prepared->values->len, NULL, run->reason);
	forget_values(prepared);
	if (outcome == OUTCOME_OK)
		return OUTCOME_OK;
	return judge(run->targets, prepared, run->messages, run->count, outcome, run->reason);
}

static bool applies(const struct target_section *section, const struct inbound *message,
		    size_t attachment)
{
	if (section->flag == NULL)
		return true;
	struct db_value value = target_parameter_value(section->flag, message, attachment);

	return (value.number != 0) != section->negated;
}

/* The statements from `first` up to `end` are those of one section. */
static enum outcome run_statements(const struct run *run, const struct version *version,
				   size_t first, size_t end, const struct inbound *message,
				   size_t attachment)
{
	const struct target_file *file = version->file;
	const struct target_section *section = &file->sections[file->statements[first].section];

	if (!applies(section, message, attachment))
		return OUTCOME_OK;
	for (size_t i = first; i < end; i++) {
		struct prepared *prepared = &version->statements[i];
		enum outcome outcome = prepared->stmt == NULL
					       ? add_row(run, prepared, message, attachment)
					       : run_alone(run, prepared, message, attachment);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

static enum outcome run_section(const struct run *run, const struct version *version, size_t first,
				size_t end, const struct inbound *message)
{
	const struct target_file *file = version->file;
	enum outcome outcome = OUTCOME_OK;

	if (!file->sections[file->statements[first].section].per_attachment)
		return run_statements(run, version, first, end, message, 0);
	for (size_t i = 0; i < message->attachment_count && outcome == OUTCOME_OK; i++)
		outcome = run_statements(run, version, first, end, message, i);
	return outcome;
}

static enum outcome run_message(const struct run *run, const struct inbound *message)
{
	const struct target *target = target_of(run->targets, message);
	const struct version *version = target != NULL ? target->version : NULL;
	enum outcome outcome = OUTCOME_OK;

	if (version == NULL)
		return OUTCOME_OK;
	const struct target_file *file = version->file;

	for (size_t first = 0, end; first < file->statement_count; first = end) {
		for (end = first + 1;
		     end < file->statement_count &&
		     file->statements[end].section == file->statements[first].section;)
			end++;
		outcome = run_section(run, version, first, end, message);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

enum outcome targets_run(struct targets *targets, struct inbound *const *messages, size_t count,
			 struct reason *reason)
{
	const struct run run = {targets, messages, count, reason};
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++)
		if (messages[i]->fresh)
			outcome = run_message(&run, messages[i]);
	if (outcome == OUTCOME_OK)
		outcome = flush(&run);
	forget_waiting(targets);
	return outcome;
}
