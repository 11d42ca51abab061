#include "mailin/ingest/resolve.h"

#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "common/domain.h"
#include "common/rows.h"
#include "mailin/ingest/secrets.h"

/* Of the schema: registered_senders.lookup and its two parts. */
enum { ADDRESS_MAX = 320, LOOKUPS = 3 };

#define VALID(table) "(" table ".valid_until IS NULL OR " table ".valid_until > UTC_TIMESTAMP(3))"

static const char ANYONE[] = "*";

/* A row for each sender of a token's address: also of tokens that are not valid any more, for these
 * are taken out of the texts, too. */
static const struct rows_shape token_shape = {
	"SELECT t.token_hash, s.sender, r.id, r.route, r.owner_id, r.proof, r.address,"
	" " VALID("t") " AND " VALID("r") " FROM registered_tokens t"
					  " JOIN registered_addresses r ON r.id = t.registered_id"
					  " LEFT JOIN registered_senders s ON s.registered_id = "
					  "r.id WHERE t.token_hash IN (",
	"?", ")", 1};

static const struct rows_shape sender_shape = {
	"SELECT s.lookup, s.sender, r.id, r.route, r.owner_id, r.proof"
	" FROM registered_senders s JOIN registered_addresses r ON r.id = s.registered_id"
	" WHERE NOT r.needs_token AND " VALID("r") " AND s.lookup IN (",
	"?", ")", 1};

static const struct rows_shape thread_shape = {
	"SELECT k.token_hash, t.id, t.route, k.valid FROM thread_tokens k"
	" JOIN threads t ON t.id = k.thread_id WHERE k.token_hash IN (",
	"?", ")", 1};

enum { THREAD_HASH, THREAD_ID, THREAD_ROUTE, THREAD_VALID };

enum {
	COLUMN_KEY,
	COLUMN_SENDER,
	COLUMN_ID,
	COLUMN_ROUTE,
	COLUMN_OWNER,
	COLUMN_PROOF,
	COLUMN_ADDRESS,
	COLUMN_VALID
};

struct resolve {
	const struct config *config; /* borrowed */
	struct rows tokens;
	struct rows threads;
	struct rows senders;
};

/* What a message asks for.  `form` is how its sender may be registered: by name, by domain, or as
 * anyone; the first that is found counts. */
struct question {
	struct inbound *message;
	struct secrets secrets;
	char *form[LOOKUPS];   /* NULL: From is no address */
	char *lookup[LOOKUPS]; /* with the address */
	int rank;              /* the form that was found; LOOKUPS: none */
};

struct batch {
	struct question *questions;
	size_t count;
	GHashTable *askers; /* token's digest in hexadecimal, or lookup -> GPtrArray of question */
	GArray *values;     /* struct db_value, of the statement in hand */
};

struct resolve *resolve_new(struct db *db, const struct config *config)
{
	struct resolve *resolve = g_new0(struct resolve, 1);

	resolve->config = config;
	rows_init(&resolve->tokens, &token_shape, db);
	rows_init(&resolve->threads, &thread_shape, db);
	rows_init(&resolve->senders, &sender_shape, db);
	return resolve;
}

void resolve_free(struct resolve **resolve)
{
	if (*resolve == NULL)
		return;
	rows_clear(&(*resolve)->tokens);
	rows_clear(&(*resolve)->threads);
	rows_clear(&(*resolve)->senders);
	g_free(*resolve);
	*resolve = NULL;
}

/* ---- what is asked ---- */

static void prepare_forms(struct question *question)
{
	const struct inbound *message = question->message;
	g_autofree char *from = domain_address(message->from_email.data);
	const char *at = from != NULL ? strrchr(from, '@') : NULL;

	memset(question->form, 0, sizeof(question->form));
	memset(question->lookup, 0, sizeof(question->lookup));
	if (at != NULL && at != from && at[1] != '\0') {
		question->form[0] = g_strdup(from);
		question->form[1] = g_strconcat(ANYONE, at, NULL);
	}
	question->form[LOOKUPS - 1] = g_strdup(ANYONE);
	for (int i = 0; i < LOOKUPS; i++) {
		const char *form = question->form[i];

		if (form != NULL && g_utf8_strlen(form, -1) <= ADDRESS_MAX &&
		    g_utf8_strlen(message->base_address.data, -1) <= ADDRESS_MAX)
			question->lookup[i] =
				g_strconcat(form, " ", message->base_address.data, NULL);
	}
}

static void clear_question(struct question *question)
{
	for (int i = 0; i < LOOKUPS; i++) {
		g_free(question->form[i]);
		g_free(question->lookup[i]);
	}
}

/* True if nobody has asked for that yet. */
static bool ask(struct batch *batch, const char *key, struct question *question)
{
	GPtrArray *askers = g_hash_table_lookup(batch->askers, key);
	bool is_new = askers == NULL;

	if (is_new) {
		askers = g_ptr_array_new();
		g_hash_table_insert(batch->askers, g_strdup(key), askers);
	}
	g_ptr_array_add(askers, question);
	return is_new;
}

static void add_value(struct batch *batch, struct db_value value)
{
	g_array_append_val(batch->values, value);
}

/* ---- what is found ---- */

static int64_t proof_of(const char *name)
{
	static const struct {
		const char *name;
		enum config_require require;
	} proofs[] = {{"spf-or-dkim", CONFIG_REQUIRE_SPF_OR_DKIM}, {"dmarc", CONFIG_REQUIRE_DMARC}};

	for (size_t i = 0; i < G_N_ELEMENTS(proofs); i++)
		if (strcmp(proofs[i].name, name) == 0)
			return proofs[i].require;
	return CONFIG_REQUIRE_NONE;
}

static int rank_of(const struct question *question, const char *sender)
{
	for (int i = 0; i < LOOKUPS; i++)
		if (question->form[i] != NULL && sender != NULL &&
		    strcmp(question->form[i], sender) == 0)
			return i;
	return LOOKUPS;
}

/* A registration that the sender may use; of several the first one by name, domain, anyone. */
static void take_registration(struct question *question, const struct db_value *columns)
{
	struct inbound *message = question->message;
	int rank = rank_of(question, columns[COLUMN_SENDER].data);
	int64_t id = columns[COLUMN_ID].number;
	const struct db_value *owner = &columns[COLUMN_OWNER];

	if (strcmp(columns[COLUMN_ROUTE].data, message->route.data) != 0 || rank == LOOKUPS ||
	    rank > question->rank || (rank == question->rank && id > message->address_id))
		return;
	question->rank = rank;
	message->address_id = id;
	message->sender_registered = true;
	message->own_proof = strcmp(columns[COLUMN_PROOF].data, "route") != 0;
	message->proof = proof_of(columns[COLUMN_PROOF].data);
	message->owner_id = (struct inbound_text){NULL, 0};
	if (owner->type == DB_NULL)
		return;
	message->owner_id.size = owner->size;
	message->owner_id.data =
		g_string_chunk_insert_len(message->texts, owner->data, (gssize)owner->size);
}

/* Somebody's token: is it the recipient's? */
static bool take_known(struct question *question, const unsigned char *hash)
{
	const struct inbound *message = question->message;

	for (size_t i = 0; i < question->secrets.count; i++)
		if (token_hash_equal(question->secrets.item[i].hash, hash))
			question->secrets.item[i].known = true;
	return message->token[0] != '\0' && token_hash_equal(message->token_hash, hash);
}

static const GPtrArray *askers_of(const struct batch *batch, const struct db_value *hash)
{
	char key[SHA256_TEXT_SIZE];

	if (hash->size != TOKEN_HASH_SIZE)
		return NULL;
	return g_hash_table_lookup(batch->askers, sha256_text(hash->data, key));
}

static bool take_token(const struct db_value *columns, size_t count, void *context)
{
	const GPtrArray *askers = askers_of(context, &columns[COLUMN_KEY]);

	(void)count;
	for (guint i = 0; askers != NULL && i < askers->len; i++) {
		struct question *question = askers->pdata[i];
		struct inbound *message = question->message;

		if (!take_known(question, columns[COLUMN_KEY].data) ||
		    columns[COLUMN_VALID].number == 0 ||
		    strcmp(columns[COLUMN_ADDRESS].data, message->base_address.data) != 0)
			continue;
		take_registration(question, columns);
		message->token_ok = message->address_id != 0;
	}
	return true;
}

static bool take_thread(const struct db_value *columns, size_t count, void *context)
{
	const GPtrArray *askers = askers_of(context, &columns[THREAD_HASH]);

	(void)count;
	for (guint i = 0; askers != NULL && i < askers->len; i++) {
		struct question *question = askers->pdata[i];
		struct inbound *message = question->message;

		if (!take_known(question, columns[THREAD_HASH].data) ||
		    columns[THREAD_VALID].number == 0 ||
		    columns[THREAD_ID].size != sizeof(message->token_thread) ||
		    strcmp(columns[THREAD_ROUTE].data, message->route.data) != 0)
			continue;
		memcpy(&message->token_thread, columns[THREAD_ID].data,
		       sizeof(message->token_thread));
		message->has_token_thread = true;
		message->token_ok = true;
	}
	return true;
}

static bool take_sender(const struct db_value *columns, size_t count, void *context)
{
	struct batch *batch = context;
	const GPtrArray *askers = g_hash_table_lookup(batch->askers, columns[COLUMN_KEY].data);

	(void)count;
	for (guint i = 0; askers != NULL && i < askers->len; i++)
		take_registration(askers->pdata[i], columns);
	return true;
}

/* ---- the statements ---- */

static enum outcome ask_tokens(struct resolve *resolve, struct batch *batch, struct reason *reason)
{
	char key[SHA256_TEXT_SIZE];

	g_array_set_size(batch->values, 0);
	for (size_t i = 0; i < batch->count; i++) {
		struct question *question = &batch->questions[i];

		for (size_t s = 0; s < question->secrets.count; s++) {
			const struct secret *secret = &question->secrets.item[s];

			if (ask(batch, sha256_text(secret->hash, key), question))
				add_value(batch, db_bytes(secret->hash, TOKEN_HASH_SIZE));
		}
	}
	if (batch->values->len == 0)
		return OUTCOME_OK;
	const struct db_value *values = (const struct db_value *)batch->values->data;
	enum outcome outcome = rows_select(&resolve->tokens, values, batch->values->len, take_token,
					   batch, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	return rows_select(&resolve->threads, values, batch->values->len, take_thread, batch,
			   reason);
}

/* Of those that no token of an address has told. */
static enum outcome ask_senders(struct resolve *resolve, struct batch *batch, struct reason *reason)
{
	g_array_set_size(batch->values, 0);
	for (size_t i = 0; i < batch->count; i++) {
		struct question *question = &batch->questions[i];

		for (int l = 0; l < LOOKUPS && question->message->address_id == 0; l++)
			if (question->lookup[l] != NULL &&
			    ask(batch, question->lookup[l], question))
				add_value(batch, db_text(question->lookup[l]));
	}
	if (batch->values->len == 0)
		return OUTCOME_OK;
	return rows_select(&resolve->senders, (const struct db_value *)batch->values->data,
			   batch->values->len, take_sender, batch, reason);
}

/* ---- what is stored of it ---- */

static bool is_closed(const struct resolve *resolve, const struct inbound *message)
{
	const struct config_route *route = config_route_named(resolve->config, message->route.data);

	return route != NULL && route->require == CONFIG_REQUIRE_TOKEN;
}

static void hide(const struct resolve *resolve, struct question *question)
{
	struct inbound *message = question->message;
	bool hidden = is_closed(resolve, message);

	for (size_t i = 0; i < question->secrets.count; i++) {
		const struct secret *secret = &question->secrets.item[i];

		if (!secret->known)
			continue;
		hidden = hidden || strcmp(secret->token, message->token) == 0;
		secrets_blot(message, secret->token);
	}
	if (!hidden)
		return;
	message->recipient = message->base_address;
	message->recipient_masked = message->base_address;
	message->mailbox_hash = (struct inbound_text){"", 0};
}

/* ---- all of it ---- */

static void begin(struct batch *batch, struct inbound **messages, size_t count)
{
	*batch = (struct batch){
		.questions = g_new(struct question, count),
		.count = count,
		.askers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						(GDestroyNotify)g_ptr_array_unref),
		.values = g_array_new(FALSE, FALSE, sizeof(struct db_value)),
	};
	for (size_t i = 0; i < count; i++) {
		struct inbound *message = messages[i];
		struct question *question = &batch->questions[i];

		message->address_id = 0;
		message->token_ok = false;
		message->sender_registered = false;
		message->own_proof = false;
		message->proof = CONFIG_REQUIRE_NONE;
		message->owner_id = (struct inbound_text){NULL, 0};
		message->has_token_thread = false;
		question->message = message;
		question->rank = LOOKUPS;
		secrets_find(message, &question->secrets);
		prepare_forms(question);
	}
}

static void end(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		clear_question(&batch->questions[i]);
	g_free(batch->questions);
	g_hash_table_unref(batch->askers);
	g_array_unref(batch->values);
}

enum outcome resolve_batch(struct resolve *resolve, struct inbound **messages, size_t count,
			   struct reason *reason)
{
	struct batch batch;
	enum outcome outcome;

	begin(&batch, messages, count);
	outcome = ask_tokens(resolve, &batch, reason);
	if (outcome == OUTCOME_OK)
		outcome = ask_senders(resolve, &batch, reason);
	for (size_t i = 0; outcome == OUTCOME_OK && i < count; i++)
		hide(resolve, &batch.questions[i]);
	end(&batch);
	return outcome;
}
