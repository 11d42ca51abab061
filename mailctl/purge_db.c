#include "mailctl/purge_db.h"

#include <string.h>

#include "common/db.h"
#include "common/rows.h"
#include "mailctl/connect.h"

enum {
	BATCH = 100,      /* messages or records in one transaction */
	PAGE = 1000,      /* blobs that are looked at at a time */
	TRIES = 8,        /* of a transaction that others are in the way of */
	PAUSE_US = 50000, /* before the second one; then longer */
	US_PER_MS = 1000,
	ROW_IS_REFERENCED = 1451,
};

/* Of a request that is finished: one of the others may be tried again by what is on the broker. */
static const char *const finished[] = {"sent", "failed", "expired", "held", "dry-run"};

static const char BEGINNING[] = "1000-01-01 00:00:00.000";

static const struct rows_shape attachments_shape = {
	"SELECT sha256 FROM attachments WHERE message_id IN (", "?", ")", 1};
static const struct rows_shape delete_messages_shape = {"DELETE FROM messages WHERE id IN (", "?",
							")", 1};
static const struct rows_shape lock_blobs_shape = {"SELECT sha256 FROM blobs WHERE sha256 IN (",
						   "?", ") FOR UPDATE SKIP LOCKED", 1};
static const struct rows_shape orphans_shape = {
	"SELECT b.sha256, b.size FROM blobs b WHERE b.sha256 IN (", "?",
	") AND NOT EXISTS (SELECT 1 FROM attachments a WHERE a.sha256 = b.sha256)"
	" AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.raw_sha256 = b.sha256)",
	1};
static const struct rows_shape delete_blobs_shape = {"DELETE FROM blobs WHERE sha256 IN (", "?",
						     ")", 1};
/* One that was brought back to life meanwhile stays. */
static const struct rows_shape delete_records_shape = {
	"DELETE FROM outbound WHERE status IN ('sent', 'failed', 'expired', 'held', 'dry-run')"
	" AND id IN (",
	"?", ")", 1};

struct purge_db {
	struct db *db;
	struct rows attachments;
	struct rows delete_messages;
	struct rows lock_blobs;
	struct rows orphans;
	struct rows delete_blobs;
	struct rows delete_records;
	struct db_stmt *some_messages;
	struct db_stmt *some_records;
	struct db_stmt *some_blobs;
};

struct digest {
	unsigned char byte[SHA256_SIZE];
};

/* ---- connection ---- */

static bool prepare(struct purge_db *purge, struct reason *reason)
{
	enum outcome outcome;

	rows_init(&purge->attachments, &attachments_shape, purge->db);
	rows_init(&purge->delete_messages, &delete_messages_shape, purge->db);
	rows_init(&purge->lock_blobs, &lock_blobs_shape, purge->db);
	rows_init(&purge->orphans, &orphans_shape, purge->db);
	rows_init(&purge->delete_blobs, &delete_blobs_shape, purge->db);
	rows_init(&purge->delete_records, &delete_records_shape, purge->db);
	purge->some_messages = db_prepare(
		purge->db,
		"SELECT id, CAST(received_at AS CHAR), raw_sha256 FROM messages WHERE route = ?"
		" AND received_at < CAST(? AS DATETIME(3)) AND stored_at < CAST(? AS DATETIME(3))"
		" AND received_at >= CAST(? AS DATETIME(3))"
		" AND (received_at > CAST(? AS DATETIME(3)) OR id > ?)"
		" ORDER BY received_at, id LIMIT ?",
		&outcome, reason);
	if (purge->some_messages == NULL)
		return false;
	purge->some_records =
		db_prepare(purge->db,
			   "SELECT id, CAST(updated_at AS CHAR) FROM outbound WHERE status = ?"
			   " AND stream = ? AND updated_at < CAST(? AS DATETIME(3))"
			   " AND updated_at >= CAST(? AS DATETIME(3))"
			   " AND (updated_at > CAST(? AS DATETIME(3)) OR id > ?)"
			   " ORDER BY updated_at, id LIMIT ?",
			   &outcome, reason);
	if (purge->some_records == NULL)
		return false;
	purge->some_blobs =
		db_prepare(purge->db,
			   "SELECT b.sha256, b.size,"
			   " EXISTS (SELECT 1 FROM attachments a WHERE a.sha256 = b.sha256)"
			   " OR EXISTS (SELECT 1 FROM messages m WHERE m.raw_sha256 = b.sha256)"
			   " FROM blobs b WHERE b.sha256 > ? ORDER BY b.sha256 LIMIT ?",
			   &outcome, reason);
	return purge->some_blobs != NULL;
}

struct purge_db *purge_open(const struct config *config, struct reason *reason)
{
	struct db *db = connect_db_admin(config, false, reason);
	struct purge_db *purge = db != NULL ? g_new0(struct purge_db, 1) : NULL;

	if (purge == NULL)
		return NULL;
	purge->db = db;
	if (!prepare(purge, reason))
		purge_close(&purge);
	return purge;
}

void purge_close(struct purge_db **purge)
{
	struct purge_db *old = *purge;

	if (old == NULL)
		return;
	rows_clear(&old->attachments);
	rows_clear(&old->delete_messages);
	rows_clear(&old->lock_blobs);
	rows_clear(&old->orphans);
	rows_clear(&old->delete_blobs);
	rows_clear(&old->delete_records);
	db_stmt_free(&old->some_messages);
	db_stmt_free(&old->some_records);
	db_stmt_free(&old->some_blobs);
	db_close(&old->db);
	g_free(old);
	*purge = NULL;
}

struct db *purge_connection(struct purge_db *purge)
{
	return purge->db;
}

/* ---- questions ---- */

static bool take_time(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	g_strlcpy(context, columns[0].data, PURGE_TIME_SIZE);
	return false;
}

enum outcome purge_before(struct purge_db *purge, int64_t age_ms, char before[PURGE_TIME_SIZE],
			  struct reason *reason)
{
	struct db_value age = db_int(age_ms * US_PER_MS);

	return db_query_once(purge->db, "SELECT CAST(NOW(3) - INTERVAL ? MICROSECOND AS CHAR)",
			     &age, 1, take_time, before, reason);
}

static bool take_name(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	g_ptr_array_add(context, g_strndup(columns[0].data, columns[0].size));
	return true;
}

static enum outcome names(struct purge_db *purge, const char *sql, GPtrArray **to,
			  struct reason *reason)
{
	*to = g_ptr_array_new_with_free_func(g_free);
	return db_query_once(purge->db, sql, NULL, 0, take_name, *to, reason);
}

enum outcome purge_routes(struct purge_db *purge, GPtrArray **to, struct reason *reason)
{
	return names(purge, "SELECT route FROM messages UNION SELECT route FROM quarantine", to,
		     reason);
}

enum outcome purge_streams(struct purge_db *purge, GPtrArray **to, struct reason *reason)
{
	return names(purge, "SELECT DISTINCT stream FROM outbound ORDER BY stream", to, reason);
}

static bool take_count(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context = columns[0].number;
	return false;
}

enum outcome purge_count_messages(struct purge_db *purge, const struct purge_range *range,
				  int64_t *count, struct reason *reason)
{
	const struct db_value values[] = {db_text(range->name), db_text(range->before),
					  db_text(range->before)};

	return db_query_once(purge->db,
			     "SELECT COUNT(*) FROM messages WHERE route = ?"
			     " AND received_at < CAST(? AS DATETIME(3))"
			     " AND stored_at < CAST(? AS DATETIME(3))",
			     values, G_N_ELEMENTS(values), take_count, count, reason);
}

enum outcome purge_count_records(struct purge_db *purge, const struct purge_range *range,
				 int64_t *count, struct reason *reason)
{
	const struct db_value values[] = {db_text(range->name), db_text(range->before)};

	return db_query_once(purge->db,
			     "SELECT COUNT(*) FROM outbound WHERE stream = ?"
			     " AND status IN ('sent', 'failed', 'expired', 'held', 'dry-run')"
			     " AND updated_at < CAST(? AS DATETIME(3))",
			     values, G_N_ELEMENTS(values), take_count, count, reason);
}

/* ---- transactions ---- */

/* What a transaction does; its numbers count when it is committed. */
struct work {
	GArray *ids;     /* struct id: messages or records */
	GArray *digests; /* struct digest: blobs that may have lost their last reference */
	char last_at[PURGE_TIME_SIZE];
	int64_t removed;
	int64_t attachments;
	int64_t blobs;
	int64_t blob_bytes;
};

static void work_init(struct work *work)
{
	*work = (struct work){0};
	work->ids = g_array_new(FALSE, FALSE, sizeof(struct id));
	work->digests = g_array_new(FALSE, FALSE, sizeof(struct digest));
}

static void work_clear(struct work *work)
{
	g_array_unref(work->ids);
	g_array_unref(work->digests);
}

typedef enum outcome purge_step(struct purge_db *purge, struct work *work, struct reason *reason);

/* Again while other transactions are in the way. */
static enum outcome in_transaction(struct purge_db *purge, purge_step *step, struct work *work,
				   struct reason *reason)
{
	enum outcome outcome = OUTCOME_RETRY;

	for (int i = 0; i < TRIES; i++) {
		outcome = db_begin(purge->db, reason);
		if (outcome == OUTCOME_OK)
			outcome = step(purge, work, reason);
		if (outcome == OUTCOME_OK)
			outcome = db_commit(purge->db, NULL, reason);
		if (outcome == OUTCOME_OK)
			return OUTCOME_OK;
		bool referenced = db_errno(purge->db) == ROW_IS_REFERENCED;

		db_rollback(purge->db);
		if (db_lost(purge->db) || referenced)
			return outcome;
		g_usleep((gulong)PAUSE_US << i);
	}
	return outcome;
}

/* ---- blobs ---- */

static void add_digest(GArray *digests, const struct db_value *value)
{
	struct digest digest;

	if (value->size != sizeof(digest))
		return; /* NULL */
	memcpy(&digest, value->data, sizeof(digest));
	g_array_append_val(digests, digest);
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct digest));
}

static void unique(GArray *digests)
{
	guint count = 0;

	g_array_sort(digests, compare_digests);
	for (guint i = 0; i < digests->len; i++) {
		struct digest *all = (struct digest *)(void *)digests->data;

		if (count == 0 || compare_digests(&all[count - 1], &all[i]) != 0)
			all[count++] = all[i];
	}
	g_array_set_size(digests, count);
}

static bool take_digest(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	add_digest(context, &columns[0]);
	return true;
}

struct orphans {
	GArray *digests;
	int64_t bytes;
};

static bool take_orphan(const struct db_value *columns, size_t count, void *context)
{
	struct orphans *orphans = context;

	(void)count;
	add_digest(orphans->digests, &columns[0]);
	orphans->bytes += columns[1].number;
	return true;
}

static struct db_value *values_of(const GArray *items)
{
	struct db_value *values = g_new(struct db_value, items->len);
	size_t size = g_array_get_element_size((GArray *)items);

	for (guint i = 0; i < items->len; i++)
		values[i] = db_bytes(items->data + i * size, size);
	return values;
}

/* First lock, then ask: see the header. */
static enum outcome remove_blobs(struct purge_db *purge, struct work *work, struct reason *reason)
{
	g_autoptr(GArray) locked = g_array_new(FALSE, FALSE, sizeof(struct digest));
	struct orphans orphans = {.digests = g_array_new(FALSE, FALSE, sizeof(struct digest))};
	g_autoptr(GArray) digests = orphans.digests;
	enum outcome outcome;

	work->blobs = 0;
	work->blob_bytes = 0;
	unique(work->digests);
	g_autofree struct db_value *wanted = values_of(work->digests);

	outcome = rows_select(&purge->lock_blobs, wanted, work->digests->len, take_digest, locked,
			      reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	g_autofree struct db_value *ours = values_of(locked);

	outcome = rows_select(&purge->orphans, ours, locked->len, take_orphan, &orphans, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	struct db_value *gone = values_of(digests);

	work->blob_bytes = orphans.bytes;
	outcome = rows_insert(&purge->delete_blobs, gone, digests->len, &work->blobs, reason);
	g_free(gone);
	return outcome;
}

/* ---- messages ---- */

struct purge_range purge_range(const char *name, const char *before)
{
	struct purge_range range = {.name = name, .before = before};

	g_strlcpy(range.at, BEGINNING, sizeof(range.at));
	return range;
}

static void add_id(struct work *work, const struct db_value *columns)
{
	struct id id;

	if (columns[0].size != sizeof(id))
		return;
	memcpy(&id, columns[0].data, sizeof(id));
	g_array_append_val(work->ids, id);
	g_strlcpy(work->last_at, columns[1].data, sizeof(work->last_at));
}

static bool take_message(const struct db_value *columns, size_t count, void *context)
{
	struct work *work = context;

	(void)count;
	add_id(work, columns);
	add_digest(work->digests, &columns[2]);
	return true;
}

/* By the key to attachments they go with their message. */
static enum outcome remove_messages(struct purge_db *purge, struct work *work,
				    struct reason *reason)
{
	g_autofree struct db_value *ids = values_of(work->ids);
	guint raw_mails = work->digests->len;
	/* A repetition finds digests twice: remove_blobs() makes them unique. */
	enum outcome outcome = rows_select(&purge->attachments, ids, work->ids->len, take_digest,
					   work->digests, reason);

	work->attachments = work->digests->len - raw_mails;
	if (outcome == OUTCOME_OK)
		outcome = rows_insert(&purge->delete_messages, ids, work->ids->len, &work->removed,
				      reason);
	return outcome == OUTCOME_OK ? remove_blobs(purge, work, reason) : outcome;
}

static void advance(struct purge_range *range, const struct work *work)
{
	g_strlcpy(range->at, work->last_at, sizeof(range->at));
	range->id = g_array_index(work->ids, struct id, work->ids->len - 1);
}

static enum outcome some_messages(struct purge_db *purge, const struct purge_range *range,
				  struct work *work, struct reason *reason)
{
	const struct db_value values[] = {
		db_text(range->name),
		db_text(range->before),
		db_text(range->before),
		db_text(range->at),
		db_text(range->at),
		db_bytes(&range->id, sizeof(range->id)),
		db_int(range->singly > 0 ? 1 : BATCH),
	};

	return db_query(purge->some_messages, values, G_N_ELEMENTS(values), take_message, work,
			reason);
}

/* An application's table may refer to a message: it stays, and the others of the batch are removed
 * one by one. */
static enum outcome step_around(struct purge_range *range, const struct work *work)
{
	if (range->singly == 0) {
		range->singly = BATCH;
		return OUTCOME_OK;
	}
	range->singly--;
	range->kept++;
	advance(range, work);
	return OUTCOME_OK;
}

enum outcome purge_messages(struct purge_db *purge, struct purge_range *range, bool *done,
			    struct reason *reason)
{
	struct work work;
	enum outcome outcome;

	work_init(&work);
	outcome = some_messages(purge, range, &work, reason);
	*done = outcome == OUTCOME_OK && work.ids->len == 0;
	if (outcome == OUTCOME_OK && !*done) {
		outcome = in_transaction(purge, remove_messages, &work, reason);
		if (outcome == OUTCOME_OK) {
			range->singly -= range->singly > 0;
			range->removed += work.removed;
			range->attachments += work.attachments;
			range->blobs += work.blobs;
			range->blob_bytes += work.blob_bytes;
			advance(range, &work);
		} else if (db_errno(purge->db) == ROW_IS_REFERENCED) {
			outcome = step_around(range, &work);
		}
	}
	work_clear(&work);
	return outcome;
}

enum outcome purge_pending(struct purge_db *purge, const struct purge_range *range,
			   struct reason *reason)
{
	const struct db_value values[] = {db_text(range->name), db_text(range->before),
					  db_text(range->before)};
	enum outcome outcome;
	struct db_stmt *stmt = db_prepare(purge->db,
					  "DELETE FROM inbound_pending WHERE route = ?"
					  " AND status = 'failed'"
					  " AND first_seen < CAST(? AS DATETIME(3))"
					  " AND updated_at < CAST(? AS DATETIME(3))",
					  &outcome, reason);

	if (stmt == NULL)
		return outcome;
	outcome = db_run(stmt, values, G_N_ELEMENTS(values), NULL, reason);
	db_stmt_free(&stmt);
	return outcome;
}

/* ---- records of requests ---- */

static bool take_record(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	add_id(context, columns);
	return true;
}

static enum outcome remove_records(struct purge_db *purge, struct work *work, struct reason *reason)
{
	g_autofree struct db_value *ids = values_of(work->ids);

	return rows_insert(&purge->delete_records, ids, work->ids->len, &work->removed, reason);
}

enum outcome purge_records(struct purge_db *purge, struct purge_range *range, bool *done,
			   struct reason *reason)
{
	const struct db_value values[] = {
		db_text(finished[range->status]),
		db_text(range->name),
		db_text(range->before),
		db_text(range->at),
		db_text(range->at),
		db_bytes(&range->id, sizeof(range->id)),
		db_int(BATCH),
	};
	struct work work;
	enum outcome outcome;

	work_init(&work);
	outcome = db_query(purge->some_records, values, G_N_ELEMENTS(values), take_record, &work,
			   reason);
	*done = false;
	if (outcome == OUTCOME_OK && work.ids->len == 0) {
		size_t next = range->status + 1;

		*done = next == G_N_ELEMENTS(finished);
		range->status = *done ? range->status : next;
		range->id = (struct id){0};
		g_strlcpy(range->at, BEGINNING, sizeof(range->at));
	} else if (outcome == OUTCOME_OK) {
		outcome = in_transaction(purge, remove_records, &work, reason);
		if (outcome == OUTCOME_OK) {
			range->removed += work.removed;
			advance(range, &work);
		}
	}
	work_clear(&work);
	return outcome;
}

/* ---- what nothing refers to ---- */

struct page {
	struct purge_sweep *sweep;
	struct work *work;
	int64_t bytes; /* of what nothing refers to */
	size_t seen;
};

static bool take_blob(const struct db_value *columns, size_t count, void *context)
{
	struct page *page = context;

	(void)count;
	page->seen++;
	if (columns[0].size == SHA256_SIZE)
		memcpy(page->sweep->at, columns[0].data, SHA256_SIZE);
	if (columns[2].number == 0) {
		add_digest(page->work->digests, &columns[0]);
		page->bytes += columns[1].number;
	}
	return true;
}

enum outcome purge_sweep(struct purge_db *purge, struct purge_sweep *sweep, bool *done,
			 struct reason *reason)
{
	struct digest at; /* a copy: the sweep's own moves while the rows come */
	struct db_value values[] = {db_null(), db_int(PAGE)};
	struct work work;
	struct page page = {.sweep = sweep, .work = &work};
	enum outcome outcome;

	memcpy(&at, sweep->at, sizeof(at));
	values[0] = db_bytes(&at, sizeof(at));
	work_init(&work);
	outcome =
		db_query(purge->some_blobs, values, G_N_ELEMENTS(values), take_blob, &page, reason);
	*done = page.seen < PAGE;
	if (outcome == OUTCOME_OK && sweep->dry_run) {
		work.blobs = work.digests->len;
		work.blob_bytes = page.bytes;
	} else if (outcome == OUTCOME_OK && work.digests->len > 0) {
		outcome = in_transaction(purge, remove_blobs, &work, reason);
	}
	if (outcome == OUTCOME_OK) {
		sweep->blobs += work.blobs;
		sweep->bytes += work.blob_bytes;
	}
	work_clear(&work);
	return outcome;
}
