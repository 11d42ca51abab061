#include "mailout/threadlog.h"

#include <glib.h>
#include <string.h>

#include "common/message_id.h"
#include "common/route.h"
#include "common/sha256.h"
#include "common/thread_key.h"
#include "common/token.h"
#include "common/wire.h"

enum {
	ADDRESS_MAX = 320,      /* of thread_tokens.address */
	IDS_BYTES_MAX = 262144, /* of in_reply_to or reference_ids; mailin writes less */
};

/* ---- the address ---- */

/* A thread and the mail of it that is answered. */
struct found {
	char *route; /* NULL: no such thread */
	/* Of the mail; each is NULL if there is none. */
	char *message_id;
	struct wire *in_reply_to;
	struct wire *references;
};

static void found_clear(struct found *found)
{
	g_free(found->route);
	g_free(found->message_id);
	wire_free(&found->in_reply_to);
	wire_free(&found->references);
}

static struct wire *read_ids(const struct db_value *column)
{
	return column->data != NULL && column->size <= IDS_BYTES_MAX
		       ? wire_parse(column->data, column->size, NULL)
		       : NULL;
}

static bool take_thread(const struct db_value *columns, size_t count, void *context)
{
	struct found *found = context;

	(void)count;
	found->route = g_strdup(columns[0].data);
	found->message_id = g_strdup(columns[1].data);
	found->in_reply_to = read_ids(&columns[2]);
	found->references = read_ids(&columns[3]);
	return false;
}

enum outcome threadlog_refuse(const struct id *thread, struct reason *reason)
{
	char text[ID_TEXT_SIZE];

	return outcome_reject(reason, "5.6.0", "ReplyTo.Thread: there is no thread %s",
			      id_text(thread, text));
}

/* What is tried again answers what it answered at first: its Message-ID is the same, and what came
 * since may be an answer to it. */
static enum outcome find_thread(struct db *db, const struct request *request, struct found *found,
				struct reason *reason)
{
	const struct db_value thread = db_bytes(&request->thread, sizeof(request->thread));
	const struct db_value values[] = {thread, db_bytes(&request->id, sizeof(request->id)),
					  thread};
	enum outcome outcome = db_query_once(
		db,
		"SELECT t.route, m.message_id_header, m.in_reply_to, m.reference_ids"
		" FROM threads t LEFT JOIN thread_received m ON m.id ="
		" (SELECT r.id FROM thread_received r WHERE r.thread_id = ? AND r.stored_at <="
		" COALESCE((SELECT o.created_at FROM outbound o WHERE o.id = ?), r.stored_at)"
		" ORDER BY r.received_at DESC, r.id DESC LIMIT 1)"
		" WHERE t.id = ?",
		values, G_N_ELEMENTS(values), take_thread, found, reason);

	return outcome != OUTCOME_OK || found->route != NULL
		       ? outcome
		       : threadlog_refuse(&request->thread, reason);
}

/* LOCAL+TOKEN@DOMAIN in the place of an address of that route; an extension that is there is
 * replaced.  NULL if mail to it would not come by that route, or could not be written to (RFC
 * 6531).  g_free() it. */
static char *with_token(const struct config *config, const struct config_route *route,
			const char *address, const char *token)
{
	g_autofree char *base = route_base_address(config->recipient_delimiter, address);
	const char *at = strrchr(base, '@');

	if (at == NULL)
		return NULL;
	g_autofree char *made = g_strdup_printf("%.*s%c%s%s", (int)(at - base), base,
						config->recipient_delimiter[0], token, at);

	return g_str_is_ascii(made) && config_route(config, made) == route ? g_steal_pointer(&made)
									   : NULL;
}

/* Of From, if that is the route's, else of the first of the route's own that will do. */
static char *reply_address(const struct config *config, const char *name, const char *from,
			   const char *token)
{
	const struct config_route *route = config_route_named(config, name);

	if (route == NULL)
		return NULL;
	char *made = from != NULL ? with_token(config, route, from, token) : NULL;

	for (char **pattern = route->recipients; made == NULL && *pattern != NULL; pattern++)
		if (route_pattern_kind(*pattern) == ROUTE_EXACT)
			made = with_token(config, route, *pattern, token);
	return made;
}

static void add_header(struct request *request, const char *name, char *value)
{
	request->headers =
		g_renew(struct request_header, request->headers, request->header_count + 1);
	request->headers[request->header_count++] =
		(struct request_header){.name = g_strdup(name), .value = value};
}

/* RFC 5322, 3.6.4. */
static void add_references(struct request *request, const struct found *found)
{
	bool usable = found->message_id != NULL && message_id_is_usable(found->message_id);

	if (usable && !request_has_header(request, "In-Reply-To"))
		add_header(request, "In-Reply-To", g_strdup_printf("<%s>", found->message_id));
	if (request_has_header(request, "References"))
		return;
	char *references =
		message_id_references(found->references, found->in_reply_to, found->message_id);

	if (references != NULL)
		add_header(request, "References", references);
}

static enum outcome address_found(const struct config *config, struct request *request,
				  const struct found *found, struct reason *reason)
{
	char token[TOKEN_TEXT_SIZE];

	if (config->recipient_delimiter[0] == '\0')
		return outcome_retry(reason, "4.3.5",
				     "ReplyTo.Thread: mailpipe.recipient_delimiter is empty");
	if (!token_new(token))
		return outcome_retry(reason, "4.3.0", "no random numbers for a reply address");
	char *address = reply_address(config, found->route, request->from.email, token);

	if (address == NULL)
		return outcome_retry(reason, "4.3.5",
				     "ReplyTo.Thread: route %s has no exact address in its "
				     "recipients that could be answered to",
				     found->route);
	token_hash(token, request->thread_token);
	g_free(request->thread_address);
	request->thread_address = route_base_address(config->recipient_delimiter, address);
	request->reply_to.item = g_new0(struct address, 1);
	request->reply_to.count = 1;
	request->reply_to.item[0] = (struct address){.email = address, .name = g_strdup("")};
	add_references(request, found);
	return OUTCOME_OK;
}

enum outcome threadlog_address(struct db *db, const struct config *config, struct request *request,
			       struct reason *reason)
{
	struct found found = {0};

	if (!request->has_thread || request->reply_to.count > 0)
		return OUTCOME_OK;
	enum outcome outcome = find_thread(db, request, &found, reason);

	if (outcome == OUTCOME_OK)
		outcome = address_found(config, request, &found, reason);
	if (outcome == OUTCOME_OK) {
		g_free(request->thread_route);
		request->thread_route = g_strdup(found.route);
	}
	found_clear(&found);
	return outcome;
}

/* ---- the record ---- */

struct step {
	struct db *db;
	struct reason *reason;
	enum outcome outcome; /* of what ran so far; nothing runs after a failure */
};

static int64_t run(struct step *step, const char *sql, const struct db_value *values, size_t count)
{
	int64_t affected = 0;

	if (step->outcome != OUTCOME_OK)
		return 0;
	struct db_stmt *stmt = db_prepare(step->db, sql, &step->outcome, step->reason);

	if (stmt == NULL)
		return 0;
	step->outcome = db_run(stmt, values, count, &affected, step->reason);
	db_stmt_free(&stmt);
	return affected;
}

static bool take_count(const struct db_value *columns, size_t count, void *context)
{
	int64_t *found = context;

	(void)count;
	*found = columns[0].number;
	return false;
}

/* Lock the thread, before everything else of it.  False: it is gone. */
static bool lock_thread(struct step *step, const struct db_value *thread)
{
	int64_t found = 0;

	run(step,
	    "UPDATE threads SET last_at = GREATEST(last_at, CURRENT_TIMESTAMP(3)) WHERE id = ?",
	    thread, 1);
	if (step->outcome == OUTCOME_OK)
		step->outcome = db_query_once(step->db, "SELECT COUNT(*) FROM threads WHERE id = ?",
					      thread, 1, take_count, &found, step->reason);
	return step->outcome == OUTCOME_OK && found == 1;
}

static void add_message_id(struct step *step, const struct outbound *row,
			   const struct db_value *thread)
{
	unsigned char hash[SHA256_SIZE];

	if (row->message_id_header == NULL)
		return;
	thread_key_id(hash, row->thread->route, row->message_id_header);
	const struct db_value values[] = {db_bytes(hash, sizeof(hash)), *thread};

	run(step,
	    "INSERT INTO thread_ids (id_hash, thread_id, own) VALUES (?, ?, 1)"
	    " ON DUPLICATE KEY UPDATE own = 1",
	    values, G_N_ELEMENTS(values));
}

/* Those whom it was addressed to before everybody's eyes. */
static void add_participants(struct step *step, const struct outbound *row,
			     const struct db_value *thread)
{
	for (char **email = row->thread->addressed; *email != NULL; email++) {
		g_autofree char *key = thread_key_email(*email);
		const struct db_value values[] = {db_text(key), *thread, db_text(key)};

		if (key != NULL)
			run(step,
			    "INSERT INTO thread_participants (thread_id, email)"
			    " SELECT t.id, ? FROM threads t WHERE t.id = ? AND NOT EXISTS"
			    " (SELECT 1 FROM thread_participants p WHERE p.thread_id = t.id"
			    " AND p.email = ?)",
			    values, G_N_ELEMENTS(values));
	}
}

/* What the database cannot take stands in the mail alone: tried again, it would hold up all
 * results. */
static struct db_value text_that_fits(const struct db *db, const char *text)
{
	bool fits = text == NULL || strlen(text) < (size_t)db_max_packet(db);

	return fits ? db_text(text) : db_null();
}

/* Now the requester is to answer, unless somebody has written since the answer was first recorded:
 * it waited, or its result did, and it answers nothing of that.  (A message that was received
 * earlier may be stored later; what an application wrote there has no message.) */
static void await_requester(struct step *step, const struct outbound *row,
			    const struct db_value *thread)
{
	const struct db_value values[] = {db_bytes(&row->id, sizeof(row->id)), *thread, *thread};

	run(step,
	    "UPDATE tickets SET last_at = GREATEST(last_at, CURRENT_TIMESTAMP(3)),"
	    " status = IF(status = 'open' AND NOT EXISTS (SELECT 1 FROM ticket_messages m"
	    " JOIN outbound o ON o.id = ? LEFT JOIN thread_received r ON r.id = m.message_id"
	    " WHERE m.ticket_id = ? AND m.direction = 'in' AND m.auto = 'no'"
	    " AND COALESCE(r.stored_at, m.at) > o.created_at), 'pending', status) WHERE id = ?",
	    values, G_N_ELEMENTS(values));
}

/* In the ticket, if the thread is one. */
static void add_ticket_message(struct step *step, const struct outbound *row,
			       const struct db_value *thread)
{
	const struct outbound_thread *in = row->thread;
	const struct db_value id = db_bytes(&row->id, sizeof(row->id));
	const struct db_value values[] = {id,
					  id,
					  db_text(row->from_email),
					  db_text(in->from_name),
					  text_that_fits(step->db, in->text),
					  text_that_fits(step->db, in->full_text),
					  text_that_fits(step->db, in->html),
					  *thread,
					  id};
	int64_t added =
		run(step,
		    "INSERT INTO ticket_messages (id, ticket_id, direction, outbound_id, at,"
		    " from_email, from_name, text, full_text, html)"
		    " SELECT ?, t.id, 'out', ?, CURRENT_TIMESTAMP(3), ?, ?, ?, ?, ?"
		    " FROM tickets t WHERE t.id = ? AND NOT EXISTS"
		    " (SELECT 1 FROM ticket_messages m WHERE m.id = ?)",
		    values, G_N_ELEMENTS(values));

	if (added > 0)
		await_requester(step, row, thread);
}

/* From now on an answer finds the thread. */
static void add_token(struct step *step, const struct outbound *row, const struct db_value *thread)
{
	const struct db_value hash =
		db_bytes(row->thread->token_hash, sizeof(row->thread->token_hash));
	const char *address = row->thread->address;
	bool fits = address != NULL && strlen(address) <= ADDRESS_MAX;
	const struct db_value values[] = {hash, fits ? db_text(address) : db_null(), *thread, hash};

	run(step,
	    "INSERT INTO thread_tokens (token_hash, address, thread_id) SELECT ?, ?, t.id FROM"
	    " threads t WHERE t.id = ? AND NOT EXISTS (SELECT 1 FROM thread_tokens k WHERE "
	    "k.token_hash = ?)",
	    values, G_N_ELEMENTS(values));
}

static void record_one(struct step *step, struct outbound *row)
{
	const struct db_value thread = db_bytes(&row->thread->id, sizeof(row->thread->id));
	const struct db_value link[] = {thread, db_bytes(&row->id, sizeof(row->id))};

	row->thread->gone = !lock_thread(step, &thread);
	if (row->thread->gone)
		return;
	run(step, "UPDATE outbound SET thread_id = ?, updated_at = updated_at WHERE id = ?", link,
	    G_N_ELEMENTS(link));
	add_token(step, row, &thread);
	/* Others may still wait for it: those who have it can answer. */
	if (!outbound_has_reached(row))
		return;
	add_message_id(step, row, &thread);
	if (row->thread->automatic)
		return;
	add_participants(step, row, &thread);
	add_ticket_message(step, row, &thread);
}

static int compare_threads(const void *a, const void *b)
{
	const struct outbound *const *left = a;
	const struct outbound *const *right = b;

	return memcmp(&(*left)->thread->id, &(*right)->thread->id, sizeof(struct id));
}

enum outcome threadlog_record(struct db *db, struct outbound **rows, size_t count,
			      struct reason *reason)
{
	struct step step = {.db = db, .reason = reason, .outcome = OUTCOME_OK};

	if (count == 0)
		return OUTCOME_OK; /* `rows` may be NULL, which qsort() must not get */
	/* All who lock threads do so by id. */
	qsort(rows, count, sizeof(void *), compare_threads);
	for (size_t i = 0; i < count; i++)
		record_one(&step, rows[i]);
	return step.outcome;
}
