#include "mailin/ingest/quarantine.h"

#include <glib.h>
#include <string.h>

#include "common/broker.h"
#include "common/db.h"
#include "common/rows.h"
#include "common/state.h"
#include "common/wire.h"

enum { QUARANTINE_COLUMNS = 13, STATE_COLUMNS = 5 };

static const struct rows_shape known_shape = {
	"SELECT id, released_at IS NOT NULL, document_sha256 FROM quarantine WHERE id IN (", "?",
	") FOR UPDATE", 1};

/* Released, and then dropped before it came here. */
static const struct rows_shape dropped_shape = {
	"SELECT id FROM inbound_pending WHERE status = 'failed'"
	" AND reason LIKE '" DROPPED_FROM_QUARANTINE "%' AND id IN (",
	"?", ")", 1};

static const struct rows_shape insert_shape = {
	"INSERT INTO quarantine (id, route, reason, verdicts, recipient, sender, queue_id,"
	" from_email, subject, received_at, document, document_sha256, properties) VALUES ",
	"(?,?,?,?,?,?,?,?,?,?,?,?,?)", "", QUARANTINE_COLUMNS};

/* What message_states shows of it. */
static const struct rows_shape state_shape = {
	"INSERT INTO inbound_pending (id, route, status, attempt, first_seen, next_attempt, reason,"
	" updated_at) VALUES ",
	"(?,?,'quarantined',?,?,NULL,?,NOW(3))",
	" ON DUPLICATE KEY UPDATE route = VALUES(route), status = VALUES(status),"
	" attempt = VALUES(attempt), next_attempt = VALUES(next_attempt),"
	" reason = VALUES(reason), updated_at = VALUES(updated_at)",
	STATE_COLUMNS};

static const struct rows_shape forget_shape = {
	"DELETE FROM quarantine WHERE released_at IS NOT NULL AND id IN (", "?", ")", 1};

struct quarantine {
	struct db *db;
	struct rows known;
	struct rows dropped;
	struct rows insert;
	struct rows state;
	struct rows forget;
	GArray *values; /* of the statement in hand */
};

struct quarantine *quarantine_new(struct db *db)
{
	struct quarantine *quarantine = g_new0(struct quarantine, 1);

	quarantine->db = db;
	rows_init(&quarantine->known, &known_shape, db);
	rows_init(&quarantine->dropped, &dropped_shape, db);
	rows_init(&quarantine->insert, &insert_shape, db);
	rows_init(&quarantine->state, &state_shape, db);
	rows_init(&quarantine->forget, &forget_shape, db);
	quarantine->values = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	return quarantine;
}

void quarantine_free(struct quarantine **quarantine)
{
	struct quarantine *old = *quarantine;

	if (old == NULL)
		return;
	rows_clear(&old->known);
	rows_clear(&old->dropped);
	rows_clear(&old->insert);
	rows_clear(&old->state);
	rows_clear(&old->forget);
	g_array_unref(old->values);
	g_free(old);
	*quarantine = NULL;
}

static void add(struct quarantine *quarantine, struct db_value value)
{
	g_array_append_val(quarantine->values, value);
}

static void add_text(struct quarantine *quarantine, const struct inbound_text *text)
{
	add(quarantine, db_textn(text->data, text->size));
}

/* For columns that are NOT NULL. */
static void add_present(struct quarantine *quarantine, const struct inbound_text *text)
{
	add(quarantine, text->data != NULL ? db_textn(text->data, text->size) : db_textn("", 0));
}

static const struct db_value *values(const struct quarantine *quarantine)
{
	return (const struct db_value *)(const void *)quarantine->values->data;
}

/* ---- who is there? ---- */

struct sorted {
	struct inbound **messages;
	size_t count;
};

/* The document as it came must be the one that was looked at. */
static bool is_document(const struct inbound *message, const struct db_value *digest)
{
	unsigned char ours[SHA256_SIZE];

	if (message->delivery == NULL || digest->size != SHA256_SIZE)
		return false;
	sha256_of(message->delivery->body, message->delivery->body_size, ours);
	return memcmp(ours, digest->data, SHA256_SIZE) == 0;
}

/* The one of a row's id; or NULL. */
static struct inbound *message_of(const struct sorted *sorted, const struct db_value *id)
{
	return inbound_find(sorted->messages, sorted->count, id->data, id->size);
}

/* An operator's word counts, not ours. */
static void decided_by_operator(struct inbound *message, bool *decision)
{
	*decision = true;
	message->quarantined = false;
	message->rejected = false;
}

/* One that is there needs no row; if it was released, it is stored after all. */
static bool take_known(const struct db_value *columns, size_t count, void *context)
{
	struct inbound *found = message_of(context, &columns[0]);

	(void)count;
	if (found == NULL)
		return true;
	found->put_aside = true;
	if (columns[1].number != 0 && is_document(found, &columns[2]))
		decided_by_operator(found, &found->released);
	return true;
}

/* The rows stay locked: whoever drops one meanwhile waits, and then finds it stored. */
static enum outcome look(struct quarantine *quarantine, struct sorted *sorted,
			 struct reason *reason)
{
	g_array_set_size(quarantine->values, 0);
	for (size_t i = 0; i < sorted->count; i++) {
		sorted->messages[i]->put_aside = false;
		add(quarantine, db_bytes(&sorted->messages[i]->id, sizeof(struct id)));
	}
	return rows_select(&quarantine->known, values(quarantine), sorted->count, take_known,
			   sorted, reason);
}

static bool take_dropped(const struct db_value *columns, size_t count, void *context)
{
	struct inbound *found = message_of(context, &columns[0]);

	(void)count;
	if (found != NULL)
		decided_by_operator(found, &found->dropped);
	return true;
}

/* Of those that come released, but have no row. */
static enum outcome look_for_dropped(struct quarantine *quarantine, struct sorted *sorted,
				     struct reason *reason)
{
	size_t count = 0;

	g_array_set_size(quarantine->values, 0);
	for (size_t i = 0; i < sorted->count; i++) {
		const struct inbound *message = sorted->messages[i];

		if (message->put_aside || !inbound_comes_released(message))
			continue;
		add(quarantine, db_bytes(&message->id, sizeof(struct id)));
		count++;
	}
	return rows_select(&quarantine->dropped, values(quarantine), count, take_dropped, sorted,
			   reason);
}

/* ---- putting aside ---- */

static void set_if(struct wire *object, const char *key, const char *text)
{
	if (text != NULL)
		wire_set_text(object, key, text);
}

/* What it is published with again; names as broker_properties_json() has them. */
static char *properties_of(const struct broker_delivery *delivery)
{
	struct wire *properties = wire_object();
	struct wire *headers = wire_object();

	set_if(properties, "content-type", delivery->content_type);
	set_if(properties, "message-id", delivery->message_id);
	set_if(properties, "type", delivery->type);
	set_if(properties, "app-id", delivery->app_id);
	if (delivery->timestamp > 0)
		wire_set_int(properties, "timestamp", delivery->timestamp);
	set_if(headers, HEADER_QUEUE_ID, delivery->queue_id);
	if (delivery->first_seen > 0)
		wire_set_int(headers, HEADER_FIRST_SEEN, delivery->first_seen);
	wire_set(properties, "headers", headers);
	char *text = wire_print(properties, false, NULL);

	wire_free(&properties);
	return text;
}

/* What the row needs beside the message goes to `owned`. */
static void add_row(struct quarantine *quarantine, const struct inbound *message, GPtrArray *owned)
{
	const struct broker_delivery *delivery = message->delivery;
	char *properties = properties_of(delivery);
	unsigned char *digest = g_malloc(SHA256_SIZE);

	g_ptr_array_add(owned, properties);
	g_ptr_array_add(owned, digest);
	sha256_of(delivery->body, delivery->body_size, digest);
	add(quarantine, db_bytes(&message->id, sizeof(message->id)));
	add_present(quarantine, &message->route);
	add(quarantine, db_text(message->why.text));
	add_text(quarantine, &message->verdicts_json);
	add_present(quarantine, &message->recipient);
	add_present(quarantine, &message->sender);
	add_present(quarantine, &message->queue_id);
	add_present(quarantine, &message->from_email);
	add_text(quarantine, &message->subject);
	add(quarantine, db_text(message->received_at));
	add(quarantine, db_bytes(delivery->body, delivery->body_size));
	add(quarantine, db_bytes(digest, SHA256_SIZE));
	add(quarantine, db_text(properties));
}

static enum outcome insert_rows(struct quarantine *quarantine, struct inbound *const *messages,
				size_t count, struct reason *reason)
{
	g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
	size_t rows = 0;

	g_array_set_size(quarantine->values, 0);
	for (size_t i = 0; i < count; i++) {
		if (!messages[i]->quarantined || messages[i]->put_aside)
			continue;
		add_row(quarantine, messages[i], owned);
		rows++;
	}
	return rows_insert(&quarantine->insert, values(quarantine), rows, NULL, reason);
}

/* Of those that were there before, too: what their row said may be gone. */
static enum outcome insert_states(struct quarantine *quarantine, struct inbound *const *messages,
				  size_t count, struct reason *reason)
{
	size_t rows = 0;

	g_array_set_size(quarantine->values, 0);
	for (size_t i = 0; i < count; i++) {
		const struct inbound *message = messages[i];

		if (!message->quarantined)
			continue;
		add(quarantine, db_bytes(&message->id, sizeof(message->id)));
		add_present(quarantine, &message->route);
		add(quarantine, db_int(MAX(message->delivery->attempt, 1)));
		add(quarantine, db_text(message->received_at));
		add(quarantine, db_text(message->why.text));
		rows++;
	}
	return rows_insert(&quarantine->state, values(quarantine), rows, NULL, reason);
}

/* Whether a document as a whole fits into the database may be another matter than its parts. */
static void refuse_large(struct quarantine *quarantine, const struct sorted *sorted)
{
	size_t limit = (size_t)db_max_packet(quarantine->db);

	for (size_t i = 0; i < sorted->count; i++) {
		struct inbound *message = sorted->messages[i];

		if (!message->quarantined || message->put_aside ||
		    message->delivery->body_size < limit)
			continue;
		message->quarantined = false;
		inbound_reject(message, "5.3.4",
			       "%s; and its document of %zu bytes does not fit into the "
			       "database's max_allowed_packet of %zu",
			       message->why.text, message->delivery->body_size, limit);
	}
}

/* The config may have changed since it was put aside: what an operator lets in is not refused. */
static bool may_be_released(const struct inbound *message)
{
	return message->rejected && inbound_comes_released(message);
}

enum outcome quarantine_take(struct quarantine *quarantine, struct inbound *const *messages,
			     size_t count, struct reason *reason)
{
	g_autofree struct inbound **ours = g_new(struct inbound *, count + 1);
	struct sorted sorted = {.messages = ours, .count = 0};

	for (size_t i = 0; i < count; i++)
		if (messages[i]->quarantined || may_be_released(messages[i]))
			ours[sorted.count++] = messages[i];
	if (sorted.count == 0)
		return OUTCOME_OK;
	enum outcome outcome = look(quarantine, &sorted, reason);

	if (outcome == OUTCOME_OK)
		outcome = look_for_dropped(quarantine, &sorted, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	refuse_large(quarantine, &sorted);
	outcome = insert_rows(quarantine, ours, sorted.count, reason);
	if (outcome == OUTCOME_OK)
		outcome = insert_states(quarantine, ours, sorted.count, reason);
	return outcome;
}

/* ---- stored ---- */

static bool may_have_row(const struct inbound *message)
{
	return message->released || (message->delivery != NULL && message->delivery->released != 0);
}

enum outcome quarantine_forget(struct quarantine *quarantine, struct inbound *const *messages,
			       size_t count, struct reason *reason)
{
	size_t rows = 0;

	g_array_set_size(quarantine->values, 0);
	for (size_t i = 0; i < count; i++) {
		if (inbound_is_left_out(messages[i]) || !may_have_row(messages[i]))
			continue;
		add(quarantine, db_bytes(&messages[i]->id, sizeof(struct id)));
		rows++;
	}
	return rows_insert(&quarantine->forget, values(quarantine), rows, NULL, reason);
}
