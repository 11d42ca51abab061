#include "mailin/ingest/insert.h"

#include <glib.h>
#include <string.h>

#include "common/rows.h"
#include "mailin/ingest/policy.h"

/*
 * The inserts have no ON DUPLICATE KEY UPDATE: what is there is asked first, so a duplicate key
 * (1062) means that another worker was faster in between, which is a RETRY whose replay sees the
 * row.  With it MariaDB wants the right to UPDATE every column that is inserted, and this user
 * needs none.
 */
enum { MESSAGE_COLUMNS = 37, ATTACHMENT_COLUMNS = 13, REFUSED_COLUMNS = 10, BLOB_COLUMNS = 3 };

static const struct rows_shape message_shape = {
	"INSERT INTO messages (id, route, recipient, mailbox_hash, sender, queue_id, "
	"client_address,"
	" client_name, helo, sasl_username, size, received_at, date_header, date_utc,"
	" message_id_header, in_reply_to, reference_ids, from_email, from_name, to_json, cc_json,"
	" bcc_json, reply_to, subject, text_body, html_body, text_reply, text_quote, reply_rule,"
	" headers, auto, defects, raw_sha256,"
	" verified, verdicts, owner_id, thread_id)"
	" VALUES ",
	"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", "",
	MESSAGE_COLUMNS};

static const struct rows_shape attachment_shape = {
	"INSERT INTO attachments (id, message_id, position, name, content_type, detected_type,"
	" disposition, content_id, size, sha256, image_width, image_height, image_orientation)"
	" VALUES ",
	"(?,?,?,?,?,?,?,?,?,?,?,?,?)", "", ATTACHMENT_COLUMNS};

static const struct rows_shape refused_shape = {
	"INSERT INTO refused_attachments (message_id, position, name, content_type, detected_type,"
	" size, sha256, reason, entry_name, entry_size) VALUES ",
	"(?,?,?,?,?,?,?,?,?,?)", "", REFUSED_COLUMNS};

static const struct rows_shape blob_shape = {"INSERT INTO blobs (sha256, size, data) VALUES ",
					     "(?,?,?)", "", BLOB_COLUMNS};

static const struct rows_shape known_blob_shape = {"SELECT sha256 FROM blobs WHERE sha256 IN (",
						   "?", ")", 1};

struct insert {
	struct rows messages;
	struct rows attachments;
	struct rows refused;
	struct rows blobs;
	struct rows known_blobs;
	GArray *values; /* of the statement in hand */
};

/* What is to be stored, in the order of its ids. */
struct sorted {
	struct inbound *const *messages;
	size_t count;
};

struct insert *insert_new(struct db *db)
{
	struct insert *insert = g_new0(struct insert, 1);

	rows_init(&insert->messages, &message_shape, db);
	rows_init(&insert->attachments, &attachment_shape, db);
	rows_init(&insert->refused, &refused_shape, db);
	rows_init(&insert->blobs, &blob_shape, db);
	rows_init(&insert->known_blobs, &known_blob_shape, db);
	insert->values = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	return insert;
}

void insert_free(struct insert **insert)
{
	struct insert *old = *insert;

	if (old == NULL)
		return;
	rows_clear(&old->messages);
	rows_clear(&old->attachments);
	rows_clear(&old->refused);
	rows_clear(&old->blobs);
	rows_clear(&old->known_blobs);
	g_array_unref(old->values);
	g_free(old);
	*insert = NULL;
}

/* ---- values ---- */

static void add(struct insert *insert, struct db_value value)
{
	g_array_append_val(insert->values, value);
}

static void add_text(struct insert *insert, const struct inbound_text *text)
{
	add(insert, db_textn(text->data, text->size));
}

/* For columns where NULL says that the mail has none. */
static void add_unless_empty(struct insert *insert, const struct inbound_text *text)
{
	add(insert, text->size > 0 ? db_textn(text->data, text->size) : db_null());
}

/* For columns that are NOT NULL. */
static void add_present(struct insert *insert, const struct inbound_text *text)
{
	add(insert, text->data != NULL ? db_textn(text->data, text->size) : db_textn("", 0));
}

static const struct db_value *values(const struct insert *insert)
{
	return (const struct db_value *)insert->values->data;
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

static enum outcome insert_blobs(struct insert *insert, const struct sorted *sorted,
				 struct reason *reason)
{
	g_autoptr(GPtrArray) blobs = collect_blobs(sorted);
	g_autoptr(GHashTable) missing = g_hash_table_new(sha256_hash, sha256_equal);

	if (blobs->len == 0)
		return OUTCOME_OK;
	g_array_set_size(insert->values, 0);
	for (guint i = 0; i < blobs->len; i++) {
		struct inbound_blob *blob = blobs->pdata[i];

		g_hash_table_add(missing, blob->digest);
		add(insert, db_bytes(blob->digest, SHA256_SIZE));
	}
	enum outcome outcome = rows_select(&insert->known_blobs, values(insert), blobs->len,
					   drop_known, missing, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	g_array_set_size(insert->values, 0);
	for (guint i = 0; i < blobs->len; i++) {
		const struct inbound_blob *blob = blobs->pdata[i];

		if (!g_hash_table_contains(missing, blob->digest))
			continue;
		add(insert, db_bytes(blob->digest, SHA256_SIZE));
		add(insert, db_int((int64_t)blob->size));
		add(insert, db_bytes(blob->data, blob->size));
	}
	return rows_insert(&insert->blobs, values(insert), insert->values->len / BLOB_COLUMNS, NULL,
			   reason);
}

/* ---- messages and attachments ---- */

static void add_message(struct insert *insert, const struct inbound *m)
{
	static const struct inbound_text no = {"no", sizeof("no") - 1};

	add(insert, db_bytes(&m->id, sizeof(m->id)));
	add_present(insert, &m->route);
	add_present(insert, &m->recipient);
	add_present(insert, &m->mailbox_hash);
	add_present(insert, &m->sender);
	add_present(insert, &m->queue_id);
	add_present(insert, &m->client_address);
	add_present(insert, &m->client_name);
	add_present(insert, &m->helo);
	add_present(insert, &m->sasl_username);
	add(insert, m->size >= 0 ? db_int(m->size) : db_null());
	add(insert, db_text(m->received_at));
	add_unless_empty(insert, &m->date_header);
	add(insert, m->date_utc[0] != '\0' ? db_text(m->date_utc) : db_null());
	add_unless_empty(insert, &m->message_id_header);
	add_present(insert, &m->in_reply_to);
	add_present(insert, &m->reference_ids);
	add_present(insert, &m->from_email);
	add_unless_empty(insert, &m->from_name);
	add_present(insert, &m->to_json);
	add_present(insert, &m->cc_json);
	add_present(insert, &m->bcc_json);
	add_unless_empty(insert, &m->reply_to);
	add_text(insert, &m->subject);
	add_text(insert, &m->text_body);
	add_text(insert, &m->html_body);
	add_text(insert, &m->text_reply);
	add_unless_empty(insert, &m->text_quote);
	add_present(insert, &m->reply_rule);
	add_present(insert, &m->headers);
	add_present(insert, m->automatic.data != NULL ? &m->automatic : &no);
	add_present(insert, &m->defects);
	add(insert, m->raw.data != NULL ? db_bytes(m->raw.digest, SHA256_SIZE) : db_null());
	add(insert, db_text(inbound_verified_name(m->verified)));
	add_text(insert, &m->verdicts_json);
	add_text(insert, &m->owner_id);
	add(insert, m->has_thread ? db_bytes(&m->thread_id, sizeof(m->thread_id)) : db_null());
}

static enum outcome insert_messages(struct insert *insert, const struct sorted *sorted,
				    struct reason *reason)
{
	g_array_set_size(insert->values, 0);
	for (size_t i = 0; i < sorted->count; i++)
		add_message(insert, sorted->messages[i]);
	return rows_insert(&insert->messages, values(insert), sorted->count, NULL, reason);
}

/* Of an image alone. */
static void add_pixels(struct insert *insert, const struct inbound_attachment *attachment,
		       int64_t pixels)
{
	add(insert, attachment->image_width > 0 ? db_int(pixels) : db_null());
}

static void add_attachment(struct insert *insert, const struct inbound *message,
			   struct inbound_attachment *attachment)
{
	id_new(&attachment->id);
	add(insert, db_bytes(&attachment->id, sizeof(attachment->id)));
	add(insert, db_bytes(&message->id, sizeof(message->id)));
	add(insert, db_int((int64_t)attachment->position));
	add_present(insert, &attachment->name);
	add_present(insert, &attachment->content_type);
	add_present(insert, &attachment->detected_type);
	add_present(insert, &attachment->disposition);
	add_unless_empty(insert, &attachment->content_id);
	add(insert, db_int((int64_t)attachment->blob.size));
	add(insert, db_bytes(attachment->blob.digest, SHA256_SIZE));
	add_pixels(insert, attachment, attachment->image_width);
	add_pixels(insert, attachment, attachment->image_height);
	add_pixels(insert, attachment, attachment->image_orientation);
}

static enum outcome insert_attachments(struct insert *insert, const struct sorted *sorted,
				       struct reason *reason)
{
	size_t count = 0;

	g_array_set_size(insert->values, 0);
	for (size_t i = 0; i < sorted->count; i++) {
		const struct inbound *message = sorted->messages[i];

		count += message->attachment_count;
		for (size_t a = 0; a < message->attachment_count; a++)
			add_attachment(insert, message, &message->attachments[a]);
	}
	return rows_insert(&insert->attachments, values(insert), count, NULL, reason);
}

static void add_entry(struct insert *insert, const struct inbound_entry *entry)
{
	add(insert, entry != NULL ? db_textn(entry->name.data, entry->name.size) : db_null());
	add(insert, entry != NULL ? db_int(entry->size) : db_null());
}

/* What the routes do not take: their names, so that nobody need wonder. */
static enum outcome insert_refused(struct insert *insert, const struct sorted *sorted,
				   struct reason *reason)
{
	size_t count = 0;

	g_array_set_size(insert->values, 0);
	for (size_t i = 0; i < sorted->count; i++) {
		const struct inbound *message = sorted->messages[i];

		count += message->refused_count;
		for (size_t a = 0; a < message->refused_count; a++) {
			const struct inbound_attachment *refused = &message->refused[a];

			add(insert, db_bytes(&message->id, sizeof(message->id)));
			add(insert, db_int((int64_t)refused->position));
			add_present(insert, &refused->name);
			add_present(insert, &refused->content_type);
			add_present(insert, &refused->detected_type);
			add(insert, db_int((int64_t)refused->blob.size));
			add(insert, db_bytes(refused->blob.digest, SHA256_SIZE));
			add(insert, db_text(policy_refused_name(refused->why)));
			add_entry(insert, refused->refused_entry);
		}
	}
	return rows_insert(&insert->refused, values(insert), count, NULL, reason);
}

enum outcome insert_mails(struct insert *insert, struct inbound *const *messages, size_t count,
			  struct reason *reason)
{
	const struct sorted sorted = {.messages = messages, .count = count};
	enum outcome outcome = insert_blobs(insert, &sorted, reason);

	if (outcome == OUTCOME_OK)
		outcome = insert_messages(insert, &sorted, reason);
	if (outcome == OUTCOME_OK)
		outcome = insert_attachments(insert, &sorted, reason);
	if (outcome == OUTCOME_OK)
		outcome = insert_refused(insert, &sorted, reason);
	return outcome;
}
