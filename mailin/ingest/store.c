#include "mailin/ingest/store.h"

#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "common/dial.h"
#include "common/rows.h"
#include "mailin/ingest/policy.h"
#include "mailin/ingest/target.h"

/*
 * The inserts have no ON DUPLICATE KEY UPDATE: what is there is asked first, so a duplicate key
 * (1062) means that another worker was faster in between, which is a RETRY whose replay sees the
 * row.  With it MariaDB wants the right to UPDATE every column that is inserted, and this user
 * needs none.
 */
enum { MESSAGE_COLUMNS = 33, ATTACHMENT_COLUMNS = 13, REFUSED_COLUMNS = 8, BLOB_COLUMNS = 3 };

static const struct rows_shape message_shape = {
	"INSERT INTO messages (id, route, recipient, mailbox_hash, sender, queue_id, "
	"client_address,"
	" client_name, helo, sasl_username, size, received_at, date_header, date_utc,"
	" message_id_header, in_reply_to, reference_ids, from_email, from_name, to_json, cc_json,"
	" bcc_json, reply_to, subject, text_body, html_body, text_reply, text_quote, reply_rule, "
	"headers, auto, defects, raw_sha256)"
	" VALUES ",
	"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", "", MESSAGE_COLUMNS};

static const struct rows_shape attachment_shape = {
	"INSERT INTO attachments (id, message_id, position, name, content_type, detected_type,"
	" disposition, content_id, size, sha256, image_width, image_height, image_orientation)"
	" VALUES ",
	"(?,?,?,?,?,?,?,?,?,?,?,?,?)", "", ATTACHMENT_COLUMNS};

static const struct rows_shape refused_shape = {
	"INSERT INTO refused_attachments (message_id, position, name, content_type, detected_type,"
	" size, sha256, reason) VALUES ",
	"(?,?,?,?,?,?,?,?)", "", REFUSED_COLUMNS};

static const struct rows_shape blob_shape = {"INSERT INTO blobs (sha256, size, data) VALUES ",
					     "(?,?,?)", "", BLOB_COLUMNS};

static const struct rows_shape known_message_shape = {"SELECT id FROM messages WHERE id IN (", "?",
						      ")", 1};

static const struct rows_shape known_blob_shape = {"SELECT sha256 FROM blobs WHERE sha256 IN (",
						   "?", ")", 1};

/* Of messages that were put off or given up before. */
static const struct rows_shape told_shape = {"DELETE FROM inbound_pending WHERE id IN (", "?", ")",
					     1};

struct store {
	struct db *db;
	struct rows messages;
	struct rows attachments;
	struct rows refused;
	struct rows blobs;
	struct rows told;
	struct rows known_messages;
	struct rows known_blobs;
	struct targets *targets;
	GArray *values; /* of the statement in hand */
};

/* ---- connection ---- */

struct store *store_open(const struct config *config, struct deadline deadline,
			 struct reason *reason)
{
	const struct dial who = {.user = &config->mysql_ingest,
				 .password_key = "mysql.ingest_password_file"};
	struct db *db = dial_db(config, &who, deadline, reason);

	if (db == NULL)
		return NULL;
	struct store *store = g_new0(struct store, 1);

	store->db = db;
	store->values = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	rows_init(&store->messages, &message_shape, db);
	rows_init(&store->attachments, &attachment_shape, db);
	rows_init(&store->refused, &refused_shape, db);
	rows_init(&store->blobs, &blob_shape, db);
	rows_init(&store->told, &told_shape, db);
	rows_init(&store->known_messages, &known_message_shape, db);
	rows_init(&store->known_blobs, &known_blob_shape, db);
	store->targets = targets_new(config, db);
	return store;
}

void store_close(struct store **store)
{
	struct store *old = *store;

	if (old == NULL)
		return;
	rows_clear(&old->messages);
	rows_clear(&old->attachments);
	rows_clear(&old->refused);
	rows_clear(&old->blobs);
	rows_clear(&old->told);
	rows_clear(&old->known_messages);
	rows_clear(&old->known_blobs);
	targets_free(&old->targets);
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

static void add_text(struct store *store, const struct inbound_text *text)
{
	add(store, db_textn(text->data, text->size));
}

/* For columns where NULL says that the mail has none. */
static void add_unless_empty(struct store *store, const struct inbound_text *text)
{
	add(store, text->size > 0 ? db_textn(text->data, text->size) : db_null());
}

/* For columns that are NOT NULL. */
static void add_present(struct store *store, const struct inbound_text *text)
{
	add(store, text->data != NULL ? db_textn(text->data, text->size) : db_textn("", 0));
}

static const struct db_value *values(const struct store *store)
{
	return (const struct db_value *)store->values->data;
}

/* ---- which are there? ---- */

static int compare_ids(const void *a, const void *b)
{
	const struct inbound *const *left = a;
	const struct inbound *const *right = b;

	return memcmp(&(*left)->id, &(*right)->id, sizeof(struct id));
}

struct sorted {
	struct inbound **messages;
	size_t count;
};

static bool mark_known(const struct db_value *columns, size_t count, void *context)
{
	const struct sorted *sorted = context;
	struct inbound wanted;
	struct inbound *key = &wanted;

	(void)count;
	if (columns[0].size != sizeof(wanted.id))
		return true;
	memcpy(&wanted.id, columns[0].data, sizeof(wanted.id));
	struct inbound **found = bsearch(&key, sorted->messages, sorted->count,
					 sizeof(struct inbound *), compare_ids);

	if (found != NULL)
		(*found)->duplicate = true;
	return true;
}

/* Sort by id, mark what is a duplicate in the batch itself or in the database, and leave the new
 * ones in `sorted`. */
static enum outcome find_new(struct store *store, struct sorted *sorted, struct reason *reason)
{
	size_t unique = 0;

	qsort(sorted->messages, sorted->count, sizeof(struct inbound *), compare_ids);
	for (size_t i = 0; i < sorted->count; i++) {
		struct inbound *message = sorted->messages[i];

		message->fresh = false;
		message->duplicate = unique > 0 && memcmp(&sorted->messages[unique - 1]->id,
							  &message->id, sizeof(struct id)) == 0;
		if (!message->duplicate)
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
	for (size_t i = 0; i < count; i++)
		sorted->messages[i]->fresh = true;
	sorted->count = count;
	return OUTCOME_OK;
}

/* ---- blobs ---- */

static int compare_digests(const void *a, const void *b)
{
	const struct inbound_blob *const *left = a;
	const struct inbound_blob *const *right = b;

	return memcmp((*left)->digest, (*right)->digest, SHA256_SIZE);
}

/* Each content of the messages once, by digest. */
static GPtrArray *collect_blobs(const struct sorted *sorted)
{
	GPtrArray *blobs = g_ptr_array_new();
	guint unique = 0;

	for (size_t i = 0; i < sorted->count; i++) {
		struct inbound *message = sorted->messages[i];

		for (size_t a = 0; a < message->attachment_count; a++)
			g_ptr_array_add(blobs, &message->attachments[a].blob);
		if (message->raw.data != NULL)
			g_ptr_array_add(blobs, &message->raw);
	}
	if (blobs->len == 0)
		return blobs;
	qsort(blobs->pdata, blobs->len, sizeof(void *), compare_digests);
	for (guint i = 0; i < blobs->len; i++) {
		if (unique == 0 ||
		    compare_digests(&blobs->pdata[unique - 1], &blobs->pdata[i]) != 0)
			blobs->pdata[unique++] = blobs->pdata[i];
	}
	g_ptr_array_set_size(blobs, (gint)unique);
	return blobs;
}

static bool drop_known(const struct db_value *columns, size_t count, void *context)
{
	GHashTable *missing = context;

	(void)count;
	if (columns[0].size == SHA256_SIZE)
		g_hash_table_remove(missing, columns[0].data);
	return true;
}

static guint hash_digest(gconstpointer digest)
{
	guint hash;

	memcpy(&hash, digest, sizeof(hash));
	return hash;
}

static gboolean equal_digests(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, SHA256_SIZE) == 0;
}

static enum outcome insert_blobs(struct store *store, const struct sorted *sorted,
				 struct reason *reason)
{
	g_autoptr(GPtrArray) blobs = collect_blobs(sorted);
	g_autoptr(GHashTable) missing = g_hash_table_new(hash_digest, equal_digests);

	if (blobs->len == 0)
		return OUTCOME_OK;
	g_array_set_size(store->values, 0);
	for (guint i = 0; i < blobs->len; i++) {
		struct inbound_blob *blob = blobs->pdata[i];

		g_hash_table_add(missing, blob->digest);
		add(store, db_bytes(blob->digest, SHA256_SIZE));
	}
	enum outcome outcome = rows_select(&store->known_blobs, values(store), blobs->len,
					   drop_known, missing, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	g_array_set_size(store->values, 0);
	for (guint i = 0; i < blobs->len; i++) {
		const struct inbound_blob *blob = blobs->pdata[i];

		if (!g_hash_table_contains(missing, blob->digest))
			continue;
		add(store, db_bytes(blob->digest, SHA256_SIZE));
		add(store, db_int((int64_t)blob->size));
		add(store, db_bytes(blob->data, blob->size));
	}
	return rows_insert(&store->blobs, values(store), store->values->len / BLOB_COLUMNS, NULL,
			   reason);
}

/* ---- messages and attachments ---- */

static void add_message(struct store *store, const struct inbound *m)
{
	static const struct inbound_text no = {"no", sizeof("no") - 1};

	add(store, db_bytes(&m->id, sizeof(m->id)));
	add_present(store, &m->route);
	add_present(store, &m->recipient);
	add_present(store, &m->mailbox_hash);
	add_present(store, &m->sender);
	add_present(store, &m->queue_id);
	add_present(store, &m->client_address);
	add_present(store, &m->client_name);
	add_present(store, &m->helo);
	add_present(store, &m->sasl_username);
	add(store, m->size >= 0 ? db_int(m->size) : db_null());
	add(store, db_text(m->received_at));
	add_unless_empty(store, &m->date_header);
	add(store, m->date_utc[0] != '\0' ? db_text(m->date_utc) : db_null());
	add_unless_empty(store, &m->message_id_header);
	add_present(store, &m->in_reply_to);
	add_present(store, &m->reference_ids);
	add_present(store, &m->from_email);
	add_unless_empty(store, &m->from_name);
	add_present(store, &m->to_json);
	add_present(store, &m->cc_json);
	add_present(store, &m->bcc_json);
	add_unless_empty(store, &m->reply_to);
	add_text(store, &m->subject);
	add_text(store, &m->text_body);
	add_text(store, &m->html_body);
	add_text(store, &m->text_reply);
	add_unless_empty(store, &m->text_quote);
	add_present(store, &m->reply_rule);
	add_present(store, &m->headers);
	add_present(store, m->automatic.data != NULL ? &m->automatic : &no);
	add_present(store, &m->defects);
	add(store, m->raw.data != NULL ? db_bytes(m->raw.digest, SHA256_SIZE) : db_null());
}

static enum outcome insert_messages(struct store *store, const struct sorted *sorted,
				    struct reason *reason)
{
	g_array_set_size(store->values, 0);
	for (size_t i = 0; i < sorted->count; i++)
		add_message(store, sorted->messages[i]);
	return rows_insert(&store->messages, values(store), sorted->count, NULL, reason);
}

/* Of an image alone. */
static void add_pixels(struct store *store, const struct inbound_attachment *attachment,
		       int64_t pixels)
{
	add(store, attachment->image_width > 0 ? db_int(pixels) : db_null());
}

static void add_attachment(struct store *store, const struct inbound *message,
			   struct inbound_attachment *attachment)
{
	id_new(&attachment->id);
	add(store, db_bytes(&attachment->id, sizeof(attachment->id)));
	add(store, db_bytes(&message->id, sizeof(message->id)));
	add(store, db_int((int64_t)attachment->position));
	add_present(store, &attachment->name);
	add_present(store, &attachment->content_type);
	add_present(store, &attachment->detected_type);
	add_present(store, &attachment->disposition);
	add_unless_empty(store, &attachment->content_id);
	add(store, db_int((int64_t)attachment->blob.size));
	add(store, db_bytes(attachment->blob.digest, SHA256_SIZE));
	add_pixels(store, attachment, attachment->image_width);
	add_pixels(store, attachment, attachment->image_height);
	add_pixels(store, attachment, attachment->image_orientation);
}

static enum outcome insert_attachments(struct store *store, const struct sorted *sorted,
				       struct reason *reason)
{
	size_t count = 0;

	g_array_set_size(store->values, 0);
	for (size_t i = 0; i < sorted->count; i++) {
		const struct inbound *message = sorted->messages[i];

		count += message->attachment_count;
		for (size_t a = 0; a < message->attachment_count; a++)
			add_attachment(store, message, &message->attachments[a]);
	}
	return rows_insert(&store->attachments, values(store), count, NULL, reason);
}

/* What the routes do not take: their names, so that nobody need wonder. */
static enum outcome insert_refused(struct store *store, const struct sorted *sorted,
				   struct reason *reason)
{
	size_t count = 0;

	g_array_set_size(store->values, 0);
	for (size_t i = 0; i < sorted->count; i++) {
		const struct inbound *message = sorted->messages[i];

		count += message->refused_count;
		for (size_t a = 0; a < message->refused_count; a++) {
			const struct inbound_attachment *refused = &message->refused[a];

			add(store, db_bytes(&message->id, sizeof(message->id)));
			add(store, db_int((int64_t)refused->position));
			add_present(store, &refused->name);
			add_present(store, &refused->content_type);
			add_present(store, &refused->detected_type);
			add(store, db_int((int64_t)refused->blob.size));
			add(store, db_bytes(refused->blob.digest, SHA256_SIZE));
			add(store, db_text(policy_refused_name(refused->why)));
		}
	}
	return rows_insert(&store->refused, values(store), count, NULL, reason);
}

/* ---- what was told of them before ---- */

/* Of duplicates, too. */
static enum outcome delete_told(struct store *store, struct inbound *const *messages, size_t count,
				struct reason *reason)
{
	g_array_set_size(store->values, 0);
	for (size_t i = 0; i < count; i++)
		if (messages[i]->told)
			add(store, db_bytes(&messages[i]->id, sizeof(struct id)));
	return rows_insert(&store->told, values(store), store->values->len, NULL, reason);
}

/* ---- the transaction ---- */

static enum outcome fill_transaction(struct store *store, struct sorted *sorted,
				     struct reason *reason)
{
	enum outcome outcome = find_new(store, sorted, reason);

	if (outcome == OUTCOME_OK)
		outcome = insert_blobs(store, sorted, reason);
	if (outcome == OUTCOME_OK)
		outcome = insert_messages(store, sorted, reason);
	if (outcome == OUTCOME_OK)
		outcome = insert_attachments(store, sorted, reason);
	if (outcome == OUTCOME_OK)
		outcome = insert_refused(store, sorted, reason);
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

enum outcome store_batch(struct store *store, struct inbound **messages, size_t count,
			 struct reason *reason)
{
	g_autofree struct inbound **copy = g_memdup2(messages, count * sizeof(struct inbound *));
	struct sorted sorted = {.messages = copy, .count = count};
	bool unknown = false;
	enum outcome outcome = check_sizes(store, messages, count, reason);

	if (outcome == OUTCOME_OK)
		outcome = targets_prepare(store->targets, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = db_begin(store->db, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = fill_transaction(store, &sorted, reason);
	if (outcome == OUTCOME_OK)
		outcome = targets_run(store->targets, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = delete_told(store, messages, count, reason);
	if (outcome == OUTCOME_OK)
		outcome = db_commit(store->db, &unknown, reason);
	if (outcome == OUTCOME_OK)
		return OUTCOME_OK;
	if (unknown) {
		for (size_t i = 0; i < sorted.count; i++)
			sorted.messages[i]->in_doubt = true;
	}
	db_rollback(store->db);
	return outcome;
}
