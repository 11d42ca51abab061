#include "mailin/ingest/store.h"

#include <glib.h>
#include <string.h>

#include "common/broker.h"
#include "common/db.h"
#include "common/dial.h"
#include "common/rows.h"
#include "mailin/ingest/admit.h"
#include "mailin/ingest/fence.h"
#include "mailin/ingest/insert.h"
#include "mailin/ingest/loop.h"
#include "mailin/ingest/quarantine.h"
#include "mailin/ingest/recall.h"
#include "mailin/ingest/resolve.h"
#include "mailin/ingest/target.h"
#include "mailin/ingest/thread.h"

static const struct rows_shape known_message_shape = {"SELECT id FROM messages WHERE id IN (", "?",
						      ")", 1};

/* Of messages that were put off or given up before. */
static const struct rows_shape told_shape = {"DELETE FROM inbound_pending WHERE id IN (", "?", ")",
					     1};

struct store {
	const struct config *config;
	struct db *db;
	struct insert *insert;
	struct quarantine *quarantine;
	struct resolve *resolve;
	struct loops *loops;
	struct threads *threads;
	struct recall *recall;
	struct targets *targets;
	struct rows told;
	struct rows known_messages;
	struct fences *fences;
	GArray *values; /* of the statement in hand */
};

/* ---- connection ---- */

struct store *store_open(const struct config *config, struct fences *fences,
			 struct deadline deadline, struct reason *reason)
{
	const struct dial who = {.user = &config->mysql_ingest,
				 .password_key = "mysql.ingest_password_file"};
	struct db *db = dial_db(config, &who, deadline, reason);

	if (db == NULL)
		return NULL;
	struct store *store = g_new0(struct store, 1);

	store->config = config;
	store->db = db;
	store->insert = insert_new(db);
	store->quarantine = quarantine_new(db);
	store->resolve = resolve_new(db, config);
	store->loops = loops_new(db);
	store->threads = threads_new(config, db);
	store->recall = recall_new(config, db);
	store->targets = targets_new(config, db);
	store->values = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	rows_init(&store->told, &told_shape, db);
	rows_init(&store->known_messages, &known_message_shape, db);
	store->fences = fences;
	fences_reconnected(fences);
	return store;
}

void store_close(struct store **store)
{
	struct store *old = *store;

	if (old == NULL)
		return;
	insert_free(&old->insert);
	quarantine_free(&old->quarantine);
	resolve_free(&old->resolve);
	loops_free(&old->loops);
	threads_free(&old->threads);
	recall_free(&old->recall);
	targets_free(&old->targets);
	rows_clear(&old->told);
	rows_clear(&old->known_messages);
	g_array_unref(old->values);
	db_close(&old->db);
	g_free(old);
	*store = NULL;
}

struct db *store_db(struct store *store)
{
	return store->db;
}

bool store_complaint(struct store *store, struct reason *reason)
{
	return targets_complaint(store->targets, reason);
}

bool store_lost(const struct store *store)
{
	return db_lost(store->db);
}

/* ---- values ---- */

static void add(struct store *store, struct db_value value)
{
	g_array_append_val(store->values, value);
}

static const struct db_value *values(const struct store *store)
{
	return (const struct db_value *)store->values->data;
}

/* ---- which are there? ---- */

/* Of several that are the same, one that an operator has let through comes first. */
static int compare_for_sort(const void *a, const void *b)
{
	const struct inbound *const *left = a;
	const struct inbound *const *right = b;
	int order = inbound_compare(a, b);

	return order != 0
		       ? order
		       : (int)inbound_comes_released(*right) - (int)inbound_comes_released(*left);
}

struct sorted {
	struct inbound **messages;
	size_t count;
};

static bool mark_known(const struct db_value *columns, size_t count, void *context)
{
	const struct sorted *sorted = context;
	struct inbound *found =
		inbound_find(sorted->messages, sorted->count, columns[0].data, columns[0].size);

	(void)count;
	if (found != NULL)
		found->duplicate = true;
	return true;
}

/* Sort by id, mark what is a duplicate in the batch itself or in the database, and leave the new
 * ones in `sorted`. */
static enum outcome find_new(struct store *store, struct sorted *sorted, struct reason *reason)
{
	size_t unique = 0;

	qsort(sorted->messages, sorted->count, sizeof(struct inbound *), compare_for_sort);
	for (size_t i = 0; i < sorted->count; i++) {
		struct inbound *message = sorted->messages[i];

		inbound_begin(message);
		if (unique > 0 &&
		    memcmp(&sorted->messages[unique - 1]->id, &message->id, sizeof(struct id)) == 0)
			message->same = sorted->messages[unique - 1];
		else
			sorted->messages[unique++] = message;
	}
	sorted->count = unique;
	g_array_set_size(store->values, 0);
	for (size_t i = 0; i < unique; i++)
		add(store, db_bytes(&sorted->messages[i]->id, sizeof(struct id)));
	enum outcome outcome = rows_select(&store->known_messages, values(store), unique,
					   mark_known, sorted, reason);
	size_t count = 0;

	if (outcome != OUTCOME_OK)
		return outcome;
	for (size_t i = 0; i < unique; i++) {
		if (!sorted->messages[i]->duplicate)
			sorted->messages[count++] = sorted->messages[i];
		else if (sorted->messages[i]->in_doubt)
			sorted->messages[i]->duplicate = false; /* it was we who stored it */
	}
	sorted->count = count;
	return OUTCOME_OK;
}

/* ---- what was told of them before ---- */

/* Of those that are stored, now or before. */
static enum outcome delete_told(struct store *store, struct inbound *const *messages, size_t count,
				struct reason *reason)
{
	g_array_set_size(store->values, 0);
	for (size_t i = 0; i < count; i++)
		if (messages[i]->told && !inbound_is_left_out(messages[i]))
			add(store, db_bytes(&messages[i]->id, sizeof(struct id)));
	return rows_insert(&store->told, values(store), store->values->len, NULL, reason);
}

/* ---- the transaction ---- */

static void keep_wanted(struct sorted *sorted)
{
	size_t count = 0;

	for (size_t i = 0; i < sorted->count; i++) {
		struct inbound *message = sorted->messages[i];

		message->fresh = inbound_is_wanted(message);
		if (message->fresh)
			sorted->messages[count++] = message;
	}
	sorted->count = count;
}

/* Those that are in the batch twice. */
static void share_fates(struct inbound *const *messages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct inbound *same = messages[i]->same;

		if (same == NULL)
			continue;
		messages[i]->quarantined = same->quarantined;
		messages[i]->dropped = same->dropped;
		messages[i]->rejected = same->rejected;
		messages[i]->why = same->why;
		messages[i]->duplicate = !inbound_is_left_out(same);
	}
}

/* Those that may not be stored are left out. */
static enum outcome let_in(struct store *store, struct sorted *sorted, struct reason *reason)
{
	for (size_t i = 0; i < sorted->count; i++)
		admit_message(store->config, sorted->messages[i]);
	enum outcome outcome =
		quarantine_take(store->quarantine, sorted->messages, sorted->count, reason);

	if (outcome == OUTCOME_OK)
		keep_wanted(sorted);
	return outcome;
}

/* The order of the steps: each may rely on what the ones before it have set in the messages, and
 * from threads_assign() on nothing is turned down any more.  (Whose a duplicate is must be known,
 * too: no token may get into the log.) */
static enum outcome fill_transaction(struct store *store, struct sorted *sorted,
				     struct inbound **messages, size_t count, struct reason *reason)
{
	enum outcome outcome = find_new(store, sorted, reason);

	if (outcome == OUTCOME_OK)
		outcome = resolve_batch(store->resolve, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = let_in(store, sorted, reason);
	if (outcome == OUTCOME_OK)
		outcome = loops_find(store->loops, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = recall_threads(store->recall, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = threads_assign(store->threads, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = insert_mails(store->insert, sorted->messages, sorted->count, reason);
	if (outcome == OUTCOME_OK)
		outcome = targets_run(store->targets, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = quarantine_forget(store->quarantine, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = delete_told(store, messages, count, reason);
	return outcome;
}

static size_t largest_value(const struct inbound *message)
{
	size_t largest = MAX(message->text_body.size, message->html_body.size);

	largest = MAX(largest, MAX(message->headers.size, message->raw.size));
	for (size_t a = 0; a < message->attachment_count; a++)
		largest = MAX(largest, message->attachments[a].blob.size);
	return largest;
}

/*
 * The server refuses such a value at every try, and all other mail would wait behind it: it is put
 * aside, to be requeued when the server takes more.
 */
static enum outcome check_sizes(const struct store *store, struct inbound **messages, size_t count,
				struct reason *reason)
{
	int64_t limit = db_max_packet(store->db);

	for (size_t i = 0; i < count; i++) {
		size_t size = largest_value(messages[i]);

		if (size >= (size_t)limit)
			return outcome_reject(
				reason, "5.3.4",
				"a part of %zu bytes does not fit into the database's "
				"max_allowed_packet of %" G_GINT64_FORMAT,
				size, limit);
	}
	return OUTCOME_OK;
}

/* The transaction of what has not to wait for something else. */
static enum outcome store_usable(struct store *store, struct inbound **messages, size_t count,
				 struct reason *reason)
{
	g_autofree struct inbound **copy = g_memdup2(messages, count * sizeof(struct inbound *));
	struct sorted sorted = {.messages = copy, .count = count};
	bool unknown = false;
	enum outcome outcome = fences_take(store->fences, store->db, messages, count, reason);

	if (outcome == OUTCOME_OK)
		outcome = db_begin(store->db, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = fences_hold(store->fences, store->db, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = fill_transaction(store, &sorted, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = db_commit(store->db, &unknown, reason);
	if (outcome == OUTCOME_OK) {
		share_fates(messages, count);
		return OUTCOME_OK;
	}
	if (unknown) {
		for (size_t i = 0; i < sorted.count; i++)
			sorted.messages[i]->in_doubt = true;
	}
	db_rollback(store->db);
	return outcome;
}

enum outcome store_batch(struct store *store, struct inbound **messages, size_t count,
			 struct reason *reason)
{
	g_autofree struct inbound **usable = g_new(struct inbound *, count);
	size_t usable_count = 0;
	enum outcome outcome = check_sizes(store, messages, count, reason);

	if (outcome == OUTCOME_OK)
		outcome = targets_prepare(store->targets, messages, count, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	for (size_t i = 0; i < count; i++)
		if (!messages[i]->held_up)
			usable[usable_count++] = messages[i];
	if (usable_count == 0)
		return OUTCOME_OK;
	return store_usable(store, usable, usable_count, reason);
}
