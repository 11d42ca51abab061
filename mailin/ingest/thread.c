#include "mailin/ingest/thread.h"

#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "common/rows.h"
#include "mailin/ingest/thread_clue.h"
#include "mailin/ingest/thread_join.h"

/* All values that a statement's row takes. */
enum { BEGUN_COLUMNS = 4, PARTICIPANT_COLUMNS = 2, CLAIM_COLUMNS = 3 };

enum shape {
	LOCK_SENDERS,
	FIND_CLAIMS,
	FIND_NUMBERS,
	FIND_PARTICIPANTS,
	LOCK_THREADS,
	INSERT_THREADS,
	INSERT_PARTICIPANTS,
	INSERT_CLAIMS,
	READ_NUMBERS,
	SHAPE_COUNT
};

/* Locks that others may hold are taken by statements which under READ COMMITTED lock nothing but
 * the rows of these primary keys: no gaps, and no row that was only looked at. */
static const struct rows_shape shapes[SHAPE_COUNT] = {
	[LOCK_SENDERS] = {"INSERT INTO thread_senders (sender, used_on) VALUES ", "(?,UTC_DATE())",
			  " ON DUPLICATE KEY UPDATE used_on = VALUES(used_on)", 1},
	[FIND_CLAIMS] = {"SELECT id_hash, thread_id, own FROM thread_ids WHERE id_hash IN (", "?",
			 ")", 1},
	[FIND_NUMBERS] = {"SELECT number, id, route FROM threads WHERE number IN (", "?", ")", 1},
	[FIND_PARTICIPANTS] = {"SELECT thread_id, email FROM thread_participants"
			       " WHERE (thread_id, email) IN (",
			       "(?,?)", ")", PARTICIPANT_COLUMNS},
	[LOCK_THREADS] = {"UPDATE threads FORCE INDEX (PRIMARY) SET last_at = UTC_TIMESTAMP(3)"
			  " WHERE id IN (",
			  "?", ")", 1},
	[INSERT_THREADS] = {"INSERT INTO threads (id, route, subject, created_at, last_at) VALUES ",
			    "(?,?,?,?,UTC_TIMESTAMP(3))", "", BEGUN_COLUMNS},
	[INSERT_PARTICIPANTS] = {"INSERT INTO thread_participants (thread_id, email) VALUES ",
				 "(?,?)", "", PARTICIPANT_COLUMNS},
	/* A reference to a message may stand there before the message comes. */
	[INSERT_CLAIMS] = {"INSERT INTO thread_ids (id_hash, thread_id, own) VALUES ", "(?,?,?)",
			   " ON DUPLICATE KEY UPDATE own = GREATEST(own, VALUES(own))",
			   CLAIM_COLUMNS},
	[READ_NUMBERS] = {"SELECT id, number FROM threads WHERE id IN (", "?", ")", 1},
};

struct threads {
	const struct config *config;
	struct db *db;
	struct rows rows[SHAPE_COUNT];
	GArray *values; /* of the statement in hand */
};

/* A batch in hand. */
struct work {
	struct threads *threads;
	struct thread_join *join;
	GPtrArray *messages; /* struct inbound *, those that want threads */
	struct reason *reason;
};

struct threads *threads_new(const struct config *config, struct db *db)
{
	struct threads *threads = g_new0(struct threads, 1);

	threads->config = config;
	threads->db = db;
	threads->values = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	for (size_t i = 0; i < SHAPE_COUNT; i++)
		rows_init(&threads->rows[i], &shapes[i], db);
	return threads;
}

void threads_free(struct threads **threads)
{
	struct threads *old = *threads;

	if (old == NULL)
		return;
	for (size_t i = 0; i < SHAPE_COUNT; i++)
		rows_clear(&old->rows[i]);
	g_array_unref(old->values);
	g_free(old);
	*threads = NULL;
}

/* ---- statements ---- */

static void begin(struct work *work)
{
	g_array_set_size(work->threads->values, 0);
}

static void add(struct work *work, struct db_value value)
{
	g_array_append_val(work->threads->values, value);
}

static const struct db_value *values(const struct work *work)
{
	return (const struct db_value *)(void *)work->threads->values->data;
}

static size_t row_count(const struct work *work, enum shape shape)
{
	return work->threads->values->len / shapes[shape].columns;
}

static enum outcome write_rows(struct work *work, enum shape shape)
{
	return rows_insert(&work->threads->rows[shape], values(work), row_count(work, shape), NULL,
			   work->reason);
}

static enum outcome read_rows(struct work *work, enum shape shape, db_row *row, void *context)
{
	return rows_select(&work->threads->rows[shape], values(work), row_count(work, shape), row,
			   context, work->reason);
}

static int compare_values(const void *a, const void *b)
{
	const struct db_value *left = a;
	const struct db_value *right = b;

	return memcmp(left->data, right->data, MIN(left->size, right->size));
}

/* Ascending, each once: all have the same size. */
static void sort_values(struct work *work)
{
	GArray *array = work->threads->values;
	guint count = 0;

	g_array_sort(array, compare_values);
	for (guint i = 0; i < array->len; i++) {
		struct db_value *all = (struct db_value *)(void *)array->data;

		if (count == 0 || compare_values(&all[count - 1], &all[i]) != 0)
			all[count++] = all[i];
	}
	g_array_set_size(array, count);
}

/* ---- finding ---- */

static enum outcome lock_senders(struct work *work)
{
	begin(work);
	for (guint i = 0; i < work->messages->len; i++) {
		const struct inbound *message = work->messages->pdata[i];

		if (message->clue.email != NULL)
			add(work, db_bytes(message->clue.sender, SHA256_SIZE));
	}
	sort_values(work);
	return write_rows(work, LOCK_SENDERS);
}

static bool read_id(struct id *id, const struct db_value *column)
{
	if (column->size != sizeof(*id))
		return false;
	memcpy(id, column->data, sizeof(*id));
	return true;
}

static bool take_claim(const struct db_value *columns, size_t count, void *context)
{
	struct work *work = context;
	struct thread_claim claim = {.own = columns[2].number != 0};

	(void)count;
	if (columns[0].size != SHA256_SIZE || !read_id(&claim.thread, &columns[1]))
		return true;
	memcpy(claim.hash, columns[0].data, SHA256_SIZE);
	thread_join_know_claim(work->join, &claim);
	return true;
}

static enum outcome find_claims(struct work *work)
{
	begin(work);
	for (guint i = 0; i < work->messages->len; i++) {
		const struct thread_clue *clue =
			&((const struct inbound *)work->messages->pdata[i])->clue;

		for (size_t k = 0; k < clue->id_count; k++)
			add(work, db_bytes(clue->ids[k].hash, SHA256_SIZE));
	}
	sort_values(work);
	return read_rows(work, FIND_CLAIMS, take_claim, work);
}

static bool take_number(const struct db_value *columns, size_t count, void *context)
{
	struct work *work = context;
	struct id thread;

	(void)count;
	if (read_id(&thread, &columns[1]))
		thread_join_know_number(work->join, columns[0].number, &thread, columns[2].data);
	return true;
}

static enum outcome find_numbers(struct work *work)
{
	begin(work);
	for (guint i = 0; i < work->messages->len; i++) {
		const struct inbound *message = work->messages->pdata[i];
		const struct config_route *route =
			config_route_named(work->threads->config, message->route.data);

		if (message->clue.number != 0 && route != NULL && route->thread_by_subject)
			add(work, db_int(message->clue.number));
	}
	return read_rows(work, FIND_NUMBERS, take_number, work);
}

static bool take_participant(const struct db_value *columns, size_t count, void *context)
{
	struct work *work = context;
	struct id thread;

	(void)count;
	if (read_id(&thread, &columns[0]))
		thread_join_know_participant(work->join, &thread, columns[1].data);
	return true;
}

static enum outcome decide(struct work *work)
{
	const struct thread_person *questions;
	size_t count;

	while ((count = thread_join_decide(work->join, &questions)) > 0) {
		begin(work);
		for (size_t i = 0; i < count; i++) {
			add(work, db_bytes(&questions[i].thread, sizeof(struct id)));
			add(work, db_text(questions[i].email));
		}
		enum outcome outcome = read_rows(work, FIND_PARTICIPANTS, take_participant, work);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

/* ---- writing ---- */

static enum outcome lock_threads(struct work *work, const struct thread_result *result)
{
	begin(work);
	for (size_t i = 0; i < result->joined_count; i++)
		add(work, db_bytes(&result->joined[i], sizeof(struct id)));
	return write_rows(work, LOCK_THREADS);
}

static enum outcome insert_threads(struct work *work, const struct thread_result *result)
{
	begin(work);
	for (size_t i = 0; i < result->begun_count; i++) {
		const struct inbound *first = result->begun[i].first;

		add(work, db_bytes(&result->begun[i].id, sizeof(struct id)));
		add(work, db_textn(first->route.data, first->route.size));
		add(work, db_textn(first->subject.data, first->subject.size));
		add(work, db_text(first->received_at));
	}
	return write_rows(work, INSERT_THREADS);
}

static enum outcome insert_participants(struct work *work, const struct thread_result *result)
{
	begin(work);
	for (size_t i = 0; i < result->participant_count; i++) {
		add(work, db_bytes(&result->participants[i].thread, sizeof(struct id)));
		add(work, db_text(result->participants[i].email));
	}
	return write_rows(work, INSERT_PARTICIPANTS);
}

static enum outcome insert_claims(struct work *work, const struct thread_result *result)
{
	begin(work);
	for (size_t i = 0; i < result->claim_count; i++) {
		add(work, db_bytes(result->claims[i].hash, SHA256_SIZE));
		add(work, db_bytes(&result->claims[i].thread, sizeof(struct id)));
		add(work, db_int(result->claims[i].own));
	}
	return write_rows(work, INSERT_CLAIMS);
}

static bool keep_number(const struct db_value *columns, size_t count, void *context)
{
	GHashTable *numbers = context;
	struct id thread;

	(void)count;
	if (read_id(&thread, &columns[0]))
		g_hash_table_insert(numbers, g_memdup2(&thread, sizeof(thread)),
				    g_memdup2(&columns[1].number, sizeof(int64_t)));
	return true;
}

static enum outcome read_numbers(struct work *work)
{
	g_autoptr(GHashTable) numbers = g_hash_table_new_full(id_hash, id_equal, g_free, g_free);
	enum outcome outcome;

	begin(work);
	for (guint i = 0; i < work->messages->len; i++) {
		const struct inbound *message = work->messages->pdata[i];

		add(work, db_bytes(&message->thread_id, sizeof(struct id)));
	}
	sort_values(work);
	outcome = read_rows(work, READ_NUMBERS, keep_number, numbers);
	for (guint i = 0; i < work->messages->len; i++) {
		struct inbound *message = work->messages->pdata[i];
		const int64_t *number = g_hash_table_lookup(numbers, &message->thread_id);

		message->thread_number = number != NULL ? *number : 0;
	}
	return outcome;
}

static enum outcome write_result(struct work *work)
{
	struct thread_result result;

	thread_join_result(work->join, &result);
	enum outcome outcome = lock_threads(work, &result);

	if (outcome == OUTCOME_OK)
		outcome = insert_threads(work, &result);
	if (outcome == OUTCOME_OK)
		outcome = insert_participants(work, &result);
	if (outcome == OUTCOME_OK)
		outcome = insert_claims(work, &result);
	return outcome == OUTCOME_OK ? read_numbers(work) : outcome;
}

/* ---- all ---- */

static enum outcome assign(struct work *work)
{
	enum outcome outcome = lock_senders(work);

	if (outcome == OUTCOME_OK)
		outcome = find_claims(work);
	if (outcome == OUTCOME_OK)
		outcome = find_numbers(work);
	if (outcome == OUTCOME_OK)
		outcome = decide(work);
	return outcome == OUTCOME_OK ? write_result(work) : outcome;
}

enum outcome threads_assign(struct threads *threads, struct inbound *const *messages, size_t count,
			    struct reason *reason)
{
	g_autoptr(GPtrArray) wanting = g_ptr_array_new();
	struct work work = {.threads = threads, .messages = wanting, .reason = reason};

	for (size_t i = 0; i < count; i++) {
		if (messages[i]->fresh && messages[i]->wants_thread)
			g_ptr_array_add(wanting, messages[i]);
	}
	if (wanting->len == 0)
		return OUTCOME_OK;
	work.join = thread_join_new();
	for (guint i = 0; i < wanting->len; i++)
		thread_join_add(work.join, wanting->pdata[i]);
	enum outcome outcome = assign(&work);

	thread_join_free(&work.join);
	return outcome;
}
