#include "mailctl/registry.h"

#include <string.h>

enum { US_PER_MS = 1000 };

struct registration *registration_new(void)
{
	struct registration *registration = g_new0(struct registration, 1);

	registration->senders = g_ptr_array_new_with_free_func(g_free);
	return registration;
}

void registration_free(struct registration *registration)
{
	if (registration == NULL)
		return;
	g_free(registration->address);
	g_free(registration->route);
	g_free(registration->owner);
	g_free(registration->proof);
	g_free(registration->valid_until);
	g_free(registration->label);
	g_free(registration->created_at);
	g_ptr_array_unref(registration->senders);
	g_free(registration);
}

static void free_item(void *item)
{
	registration_free(item);
}

static enum outcome run(struct db *db, const char *sql, const struct db_value *values, size_t count,
			struct reason *reason)
{
	return db_query_once(db, sql, values, count, NULL, NULL, reason);
}

/* Commit, or undo what failed. */
static enum outcome finish(struct db *db, enum outcome outcome, struct reason *reason)
{
	if (outcome == OUTCOME_OK)
		return db_commit(db, NULL, reason);
	db_rollback(db);
	return outcome;
}

static bool take_number(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(int64_t *)context = columns[0].number;
	return true;
}

/* ---- adding ---- */

/* The domain as people write it, for clients that send it so; and with the letters' case folded as
 * Unicode says, which makes ss of a sharp s: so Postfix asks. */
static char *as_postfix_asks(const char *address)
{
	const char *at = strrchr(address, '@');
	g_autofree char *domain = g_hostname_to_unicode(at + 1);
	g_autofree char *whole = g_strdup_printf("%.*s%s", (int)(at + 1 - address), address,
						 domain != NULL ? domain : at + 1);
	g_autofree char *folded = g_utf8_casefold(whole, -1);
	char *composed = g_utf8_normalize(folded, -1, G_NORMALIZE_NFC);

	return composed != NULL ? composed : g_steal_pointer(&whole);
}

static enum outcome add_address(struct db *db, struct registration *r, struct reason *reason)
{
	g_autofree char *asked = as_postfix_asks(r->address);
	const struct db_value values[] = {
		db_text(r->address),     db_text(asked),         db_text(r->route),
		db_text(r->owner),       db_int(r->needs_token), db_text(r->proof),
		db_text(r->valid_until), db_text(r->label),
	};
	enum outcome outcome =
		run(db,
		    "INSERT INTO registered_addresses (address, address_utf8, route, owner_id,"
		    " needs_token, proof, valid_until, label) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		    values, G_N_ELEMENTS(values), reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	return db_query_once(db, "SELECT CAST(LAST_INSERT_ID() AS SIGNED)", NULL, 0, take_number,
			     &r->id, reason);
}

static enum outcome add_senders(struct db *db, const struct registration *r, struct reason *reason)
{
	enum outcome outcome = OUTCOME_OK;

	for (guint i = 0; outcome == OUTCOME_OK && i < r->senders->len; i++) {
		const char *sender = r->senders->pdata[i];
		g_autofree char *lookup = g_strconcat(sender, " ", r->address, NULL);
		const struct db_value values[] = {db_int(r->id), db_text(sender), db_text(lookup)};

		outcome = run(db,
			      "INSERT INTO registered_senders (registered_id, sender, lookup)"
			      " VALUES (?, ?, ?)",
			      values, G_N_ELEMENTS(values), reason);
	}
	return outcome;
}

static enum outcome add_token(struct db *db, int64_t id, const char *token, struct reason *reason)
{
	unsigned char hash[TOKEN_HASH_SIZE];

	token_hash(token, hash);
	const struct db_value values[] = {db_bytes(hash, sizeof(hash)), db_int(id)};

	return run(db, "INSERT INTO registered_tokens (token_hash, registered_id) VALUES (?, ?)",
		   values, G_N_ELEMENTS(values), reason);
}

enum outcome registry_add(struct db *db, struct registration *registration, const char *token,
			  struct reason *reason)
{
	enum outcome outcome = db_begin(db, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = add_address(db, registration, reason);
	if (outcome == OUTCOME_OK)
		outcome = add_senders(db, registration, reason);
	if (outcome == OUTCOME_OK && token != NULL)
		outcome = add_token(db, registration->id, token, reason);
	registration->valid = true;
	registration->tokens = token != NULL ? 1 : 0;
	return finish(db, outcome, reason);
}

/* ---- listing ---- */

#define VALID(table) "(" table ".valid_until IS NULL OR " table ".valid_until > UTC_TIMESTAMP(3))"

static const char query[] =
	"SELECT r.id, r.address, r.route, r.owner_id, r.needs_token, r.proof,"
	" CAST(r.valid_until AS CHAR), " VALID(
		"r") ", r.label, CAST(r.created_at AS CHAR),"
		     " (SELECT COUNT(*) FROM registered_tokens t WHERE t.registered_id = r.id "
		     "AND " VALID("t") "),"
				       " s.sender"
				       " FROM registered_addresses r LEFT JOIN registered_senders "
				       "s ON s.registered_id = r.id"
				       " WHERE (? = 0 OR r.id = ?) AND (? IS NULL OR r.address = ?)"
				       " AND (? IS NULL OR r.route = ?) AND (? IS NULL OR "
				       "r.owner_id = ?)"
				       " ORDER BY r.address, r.id, s.sender";

enum {
	COLUMN_ID,
	COLUMN_ADDRESS,
	COLUMN_ROUTE,
	COLUMN_OWNER,
	COLUMN_NEEDS_TOKEN,
	COLUMN_PROOF,
	COLUMN_VALID_UNTIL,
	COLUMN_VALID,
	COLUMN_LABEL,
	COLUMN_CREATED_AT,
	COLUMN_TOKENS,
	COLUMN_SENDER,
};

static char *take_text(const struct db_value *value)
{
	return value->type == DB_NULL ? NULL : g_strndup(value->data, value->size);
}

/* A row for each sender. */
static bool take_row(const struct db_value *columns, size_t count, void *context)
{
	GPtrArray *registrations = context;
	struct registration *r =
		registrations->len > 0 ? registrations->pdata[registrations->len - 1] : NULL;

	(void)count;
	if (r == NULL || r->id != columns[COLUMN_ID].number) {
		r = registration_new();
		r->id = columns[COLUMN_ID].number;
		r->address = take_text(&columns[COLUMN_ADDRESS]);
		r->route = take_text(&columns[COLUMN_ROUTE]);
		r->owner = take_text(&columns[COLUMN_OWNER]);
		r->needs_token = columns[COLUMN_NEEDS_TOKEN].number != 0;
		r->proof = take_text(&columns[COLUMN_PROOF]);
		r->valid_until = take_text(&columns[COLUMN_VALID_UNTIL]);
		r->valid = columns[COLUMN_VALID].number != 0;
		r->label = take_text(&columns[COLUMN_LABEL]);
		r->created_at = take_text(&columns[COLUMN_CREATED_AT]);
		r->tokens = columns[COLUMN_TOKENS].number;
		g_ptr_array_add(registrations, r);
	}
	if (columns[COLUMN_SENDER].type != DB_NULL)
		g_ptr_array_add(r->senders, take_text(&columns[COLUMN_SENDER]));
	return true;
}

enum outcome registry_list(struct db *db, const struct registry_filter *filter,
			   GPtrArray **registrations, struct reason *reason)
{
	const struct db_value id = db_int(filter->id);
	const struct db_value address = db_text(filter->address);
	const struct db_value route = db_text(filter->route);
	const struct db_value owner = db_text(filter->owner);
	const struct db_value values[] = {id, id, address, address, route, route, owner, owner};

	*registrations = g_ptr_array_new_with_free_func(free_item);
	return db_query_once(db, query, values, G_N_ELEMENTS(values), take_row, *registrations,
			     reason);
}

/* ---- changing ---- */

enum outcome registry_rotate(struct db *db, int64_t id, const char *token, int64_t grace_ms,
			     struct reason *reason)
{
	const struct db_value values[] = {db_int(grace_ms * US_PER_MS), db_int(id),
					  db_int(grace_ms * US_PER_MS)};
	enum outcome outcome = db_begin(db, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = run(db,
		      "UPDATE registered_tokens"
		      " SET valid_until = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND"
		      " WHERE registered_id = ? AND (valid_until IS NULL"
		      " OR valid_until > UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND)",
		      values, G_N_ELEMENTS(values), reason);
	if (outcome == OUTCOME_OK)
		outcome = add_token(db, id, token, reason);
	return finish(db, outcome, reason);
}

enum outcome registry_remove(struct db *db, int64_t id, struct reason *reason)
{
	const struct db_value value = db_int(id);

	return run(db, "DELETE FROM registered_addresses WHERE id = ?", &value, 1, reason);
}
