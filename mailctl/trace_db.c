#include <string.h>

#include "common/id.h"
#include "mailctl/connect.h"
#include "mailctl/stored.h"
#include "mailctl/trace.h"

enum { NO_SUCH_TABLE = 1146, BYTE_BITS = 8, TIME_BYTES = 6 /* of an id, RFC 9562 */ };

#define UTC_MS(column) "CAST(UNIX_TIMESTAMP(" column ") * 1000 AS SIGNED)"

/* Its columns in take_message(). */
#define MESSAGES                                                                                   \
	"SELECT m.id, m.route, m.sender, m.recipient, m.queue_id, m.message_id_header, "           \
	"LEFT(m.subject, 500), " UTC_MS("m.received_at") ", " UTC_MS(                              \
		"m.stored_at") ", m.size, "                                                        \
			       "(SELECT COUNT(*) FROM attachments a WHERE a.message_id = m.id), "  \
			       "m.defects "                                                        \
			       "FROM messages m WHERE "
#define LATEST_MESSAGES " ORDER BY m.id DESC LIMIT ?"

/* Its columns in take_outbound(). */
#define OUTBOUND                                                                                   \
	"SELECT o.id, o.stream, o.from_email, LEFT(o.subject, 500), o.message_id_header, "         \
	"o.status, o.attempts, o.last_reply, " UTC_MS("o.next_attempt") ", " UTC_MS(               \
		"o.claimed_at") ", " UTC_MS("o.created_at") ", " UTC_MS("o.updated_at") ", "       \
											"o."       \
											"template" \
											", o.tag " \
											"FROM "    \
											"outbound" \
											" o "      \
											"WHERE "
#define LATEST_OUTBOUND " ORDER BY o.id DESC LIMIT ?"

struct lookup {
	struct trace *trace;
	struct db *db;
	struct reason reason;
	bool failed;
};

static char *id_of(const struct db_value *value)
{
	struct id id;
	char text[ID_TEXT_SIZE];

	if (value->size != sizeof(id.byte))
		return g_strdup("-");
	memcpy(id.byte, value->data, sizeof(id.byte));
	return g_strdup(id_text(&id, text));
}

static void set_text(char **to, const struct db_value *value)
{
	if (value->type == DB_NULL || *(const char *)value->data == '\0')
		return;
	g_free(*to);
	*to = g_strdup(value->data);
}

static int64_t number(const struct db_value *value)
{
	return value->type == DB_INT ? value->number : 0;
}

static const char *text(const struct db_value *value)
{
	return value->type == DB_NULL || value->data == NULL ? "" : value->data;
}

/* g_free() it. */
static char *tries(const struct db_value *value)
{
	gint64 count = number(value);

	return g_strdup_printf("%" G_GINT64_FORMAT " %s", count, count == 1 ? "try" : "tries");
}

static struct trace_event *add_event(struct trace *trace, const char *id, const char *what,
				     enum trace_step step, int64_t at_ms, const char *words)
{
	struct trace_event *event = trace_event_new(what, words);

	event->source = TRACE_DATABASE;
	event->step = step;
	event->message_id = g_strdup(id);
	event->at_ms = at_ms > 0 ? at_ms : -1;
	event->exact = at_ms > 0;
	trace_add(trace, event);
	return event;
}

/* ---- inbound ---- */

static bool take_message(const struct db_value *columns, size_t count, void *context)
{
	struct lookup *lookup = context;
	struct trace *trace = lookup->trace;
	g_autofree char *id = id_of(&columns[0]);
	struct subject *subject = trace_subject(trace, id);

	(void)count;
	trace_want_id(trace, id);
	trace_want_queue_id(trace, text(&columns[4]));
	if (subject->stored)
		return true;
	subject->direction = DIRECTION_INBOUND;
	set_text(&subject->stream, &columns[1]);
	g_free(subject->sender);
	subject->sender = g_strdup(text(&columns[2]));
	set_text(&subject->recipient, &columns[3]);
	if (*text(&columns[4]) != '\0')
		g_hash_table_add(subject->queue_ids, g_strdup(text(&columns[4])));
	set_text(&subject->header_id, &columns[5]);
	set_text(&subject->title, &columns[6]);
	subject->stored = true;
	subject->stored_ms = number(&columns[8]);
	subject->published = true;
	g_autofree char *words = g_strdup_printf(
		"in messages: %" G_GINT64_FORMAT " attachments%s%s", (gint64)number(&columns[10]),
		strcmp(text(&columns[11]), "[]") != 0 ? ", defects " : "",
		strcmp(text(&columns[11]), "[]") != 0 ? text(&columns[11]) : "");

	add_event(trace, id, "taken", STEP_PUBLISHED, number(&columns[7]),
		  "by mailin (ReceivedAt)");
	add_event(trace, id, "stored", STEP_STORED, number(&columns[8]), words);
	/* An old one is not in the log of the last days. */
	if (number(&columns[7]) > 0)
		trace->since_ms = MIN(trace->since_ms, number(&columns[7]));
	return true;
}

/* "waiting" or "given up", written while the message was not stored. */
static bool take_pending(const struct db_value *columns, size_t count, void *context)
{
	struct lookup *lookup = context;
	g_autofree char *id = id_of(&columns[0]);
	struct subject *subject = trace_subject(lookup->trace, id);
	g_autofree char *count_text = tries(&columns[3]);
	g_autofree char *words = g_strdup_printf("after %s: %s", count_text, text(&columns[6]));

	(void)count;
	subject->direction = DIRECTION_INBOUND;
	subject->published = true;
	set_text(&subject->stream, &columns[1]);
	set_text(&subject->status, &columns[2]);
	set_text(&subject->status_text, &columns[6]);
	subject->next_ms = number(&columns[5]);
	add_event(lookup->trace, id, "published", STEP_PUBLISHED, number(&columns[4]),
		  "first seen");
	add_event(lookup->trace, id, text(&columns[2]), STEP_TRIED, number(&columns[7]), words);
	return true;
}

/* Its columns in take_quarantined(). */
#define QUARANTINE                                                                                 \
	"SELECT q.id, q.route, q.sender, q.recipient, q.queue_id, LEFT(q.subject, 500), "          \
	"q.reason, " UTC_MS("q.received_at") ", " UTC_MS("q.quarantined_at") ", " UTC_MS(          \
		"q.released_at") " FROM quarantine q WHERE "

static bool take_quarantined(const struct db_value *columns, size_t count, void *context)
{
	struct lookup *lookup = context;
	g_autofree char *id = id_of(&columns[0]);
	struct subject *subject = trace_subject(lookup->trace, id);
	int64_t released_ms = number(&columns[9]);

	(void)count;
	trace_want_id(lookup->trace, id);
	trace_want_queue_id(lookup->trace, text(&columns[4]));
	if (subject->stored || subject->quarantined_ms > 0)
		return true;
	subject->direction = DIRECTION_INBOUND;
	subject->published = true;
	subject->quarantined_ms = number(&columns[8]);
	subject->released_ms = released_ms;
	set_text(&subject->stream, &columns[1]);
	set_text(&subject->sender, &columns[2]);
	set_text(&subject->recipient, &columns[3]);
	if (*text(&columns[4]) != '\0')
		g_hash_table_add(subject->queue_ids, g_strdup(text(&columns[4])));
	set_text(&subject->title, &columns[5]);
	set_text(&subject->status_text, &columns[6]);
	add_event(lookup->trace, id, "taken", STEP_PUBLISHED, number(&columns[7]),
		  "by mailin (ReceivedAt)");
	add_event(lookup->trace, id, "quarantined", STEP_TRIED, subject->quarantined_ms,
		  text(&columns[6]));
	if (released_ms > 0)
		add_event(lookup->trace, id, "released", STEP_TRIED, released_ms, "by an operator");
	return true;
}

/* ---- outbound ---- */

static bool take_outbound(const struct db_value *columns, size_t count, void *context)
{
	struct lookup *lookup = context;
	struct trace *trace = lookup->trace;
	g_autofree char *id = id_of(&columns[0]);
	struct subject *subject = trace_subject(trace, id);

	(void)count;
	trace_want_id(trace, id);
	if (subject->status != NULL)
		return true;
	subject->direction = DIRECTION_OUTBOUND;
	subject->published = true;
	set_text(&subject->stream, &columns[1]);
	set_text(&subject->sender, &columns[2]);
	set_text(&subject->title, &columns[3]);
	set_text(&subject->header_id, &columns[4]);
	subject->status = g_strdup(text(&columns[5]));
	set_text(&subject->status_text, &columns[7]);
	subject->next_ms = number(&columns[8]);
	g_autofree char *first = g_strdup_printf(
		"first recorded%s%s%s%s", *text(&columns[12]) != '\0' ? ", template " : "",
		text(&columns[12]), *text(&columns[13]) != '\0' ? ", tag " : "",
		text(&columns[13]));
	g_autofree char *count_text = tries(&columns[6]);
	g_autofree char *words =
		g_strdup_printf("after %s%s%s", count_text, *text(&columns[7]) != '\0' ? ": " : "",
				text(&columns[7]));

	add_event(trace, id, "request", STEP_PUBLISHED, number(&columns[10]), first);
	/* (Written anew with what came of it: then it tells nothing.) */
	if (strcmp(subject->status, "sending") == 0)
		add_event(trace, id, "claimed", STEP_TRIED, number(&columns[9]),
			  "a worker said last that it has it in hand");
	add_event(trace, id, text(&columns[5]), STEP_STORED, number(&columns[11]), words);
	if (number(&columns[10]) > 0)
		trace->since_ms = MIN(trace->since_ms, number(&columns[10]));
	return true;
}

static bool take_recipient(const struct db_value *columns, size_t count, void *context)
{
	struct lookup *lookup = context;
	g_autofree char *id = id_of(&columns[0]);
	struct subject *subject = trace_subject(lookup->trace, id);
	g_autofree char *code =
		columns[3].type == DB_INT
			? g_strdup_printf("%" G_GINT64_FORMAT " ", (gint64)columns[3].number)
			: g_strdup("");
	g_autofree char *words = g_strdup_printf("to %s: %s%s %s", text(&columns[1]), code,
						 text(&columns[4]), text(&columns[5]));

	(void)count;
	g_autofree char *all = g_strdup(subject->recipient);

	/* All of them, one after the other. */
	g_free(subject->recipient);
	subject->recipient = all == NULL ? g_strdup(text(&columns[1]))
					 : g_strconcat(all, ", ", text(&columns[1]), NULL);
	add_event(lookup->trace, id, text(&columns[2]), STEP_TRIED, number(&columns[6]), words);
	return true;
}

/* A notice about a message is an outgoing mail of its own; here it is a step of the message. */
static bool take_notice(const struct db_value *columns, size_t count, void *context)
{
	struct lookup *lookup = context;
	g_autofree char *id = id_of(&columns[0]);
	const char *about = trace_notice_about(lookup->trace, id);
	g_autofree char *words =
		g_strdup_printf("%s, %s: %s%s%s", text(&columns[12]), id, text(&columns[5]),
				*text(&columns[7]) != '\0' ? ": " : "", text(&columns[7]));

	(void)count;
	if (about != NULL)
		add_event(lookup->trace, about, "notice", trace_notice_step(about, id),
			  number(&columns[11]), words);
	return true;
}

/* ---- asking ---- */

static void ask(struct lookup *lookup, const char *sql, const struct db_value *values, size_t count,
		db_row *row)
{
	struct reason reason = {0};

	if (lookup->failed ||
	    db_query_once(lookup->db, sql, values, count, row, lookup, &reason) == OUTCOME_OK)
		return;
	/* A schema of an earlier version has no such table. */
	if (db_errno(lookup->db) == NO_SUCH_TABLE &&
	    (row == take_pending || row == take_quarantined))
		return;
	lookup->failed = true;
	lookup->reason = reason;
}

static void ask_latest(struct lookup *lookup, const char *sql, struct db_value value, db_row *row)
{
	const struct db_value values[] = {value, db_int(lookup->trace->limit + 1)};

	ask(lookup, sql, values, G_N_ELEMENTS(values), row);
}

static void ask_notices(struct lookup *lookup)
{
	g_autofree void **notices = g_hash_table_get_keys_as_array(lookup->trace->notices, NULL);

	for (void **notice = notices; *notice != NULL; notice++) {
		struct id id;

		if (!trace_wants_id(lookup->trace, *notice) && id_parse(&id, *notice))
			ask_latest(lookup, OUTBOUND "o.id = ?" LATEST_OUTBOUND,
				   db_bytes(id.byte, sizeof(id.byte)), take_notice);
	}
}

static void ask_by_id(struct lookup *lookup, const char *text_)
{
	struct id id;

	if (!id_parse(&id, text_))
		return;
	const struct db_value value = db_bytes(id.byte, sizeof(id.byte));

	ask_latest(lookup, MESSAGES "m.id = ?" LATEST_MESSAGES, value, take_message);
	ask_latest(lookup, OUTBOUND "o.id = ?" LATEST_OUTBOUND, value, take_outbound);
	ask(lookup, QUARANTINE "q.id = ?", &value, 1, take_quarantined);
	ask(lookup,
	    "SELECT id, route, status, attempt, " UTC_MS("first_seen") ", " UTC_MS(
		    "next_attempt") ", reason, " UTC_MS("updated_at") " FROM inbound_pending "
								      "WHERE id = ?",
	    &value, 1, take_pending);
}

/* The columns with a sender's or recipient's address have no index, but ids are in the order of
 * time: those since then are read. */
static void ask_by_address(struct lookup *lookup)
{
	struct trace *trace = lookup->trace;
	struct id since = {0};
	uint64_t ms = (uint64_t)MAX(trace->since_ms, 0);

	for (int i = TIME_BYTES - 1; i >= 0; i--, ms >>= BYTE_BITS)
		since.byte[i] = (unsigned char)ms;
	const struct db_value range[] = {
		db_bytes(since.byte, sizeof(since.byte)),
		db_text(trace->address),
		db_text(trace->address),
		db_int(trace->limit + 1),
	};
	const struct db_value held[] = {db_text(trace->address), db_text(trace->address),
					db_text(trace->address), db_int(trace->limit + 1)};

	ask(lookup,
	    QUARANTINE "q.from_email = ? OR LOWER(q.recipient) = ? OR LOWER(q.sender) = ?"
		       " ORDER BY q.id DESC LIMIT ?",
	    held, G_N_ELEMENTS(held), take_quarantined);
	ask_latest(lookup, MESSAGES "m.from_email = ?" LATEST_MESSAGES, db_text(trace->address),
		   take_message);
	ask(lookup,
	    MESSAGES
	    "m.id >= ? AND (LOWER(m.recipient) = ? OR LOWER(m.sender) = ?)" LATEST_MESSAGES,
	    range, G_N_ELEMENTS(range), take_message);
	ask_latest(lookup,
		   OUTBOUND "o.id IN (SELECT r.outbound_id FROM outbound_recipients r "
			    "WHERE r.email = ?)" LATEST_OUTBOUND,
		   db_text(trace->address), take_outbound);
	ask(lookup, OUTBOUND "o.id >= ? AND (o.from_email = ? OR o.from_email = ?)" LATEST_OUTBOUND,
	    range, G_N_ELEMENTS(range), take_outbound);
}

static void ask_all(struct lookup *lookup)
{
	struct trace *trace = lookup->trace;
	g_autofree void **ids = g_hash_table_get_keys_as_array(trace->ids, NULL);
	g_autofree void **queue_ids = g_hash_table_get_keys_as_array(trace->queue_ids, NULL);
	g_autofree void **headers = g_hash_table_get_keys_as_array(trace->header_ids, NULL);

	for (void **id = ids; *id != NULL; id++)
		ask_by_id(lookup, *id);
	for (void **queue_id = queue_ids; *queue_id != NULL; queue_id++) {
		ask_latest(lookup, MESSAGES "m.queue_id = ?" LATEST_MESSAGES, db_text(*queue_id),
			   take_message);
		ask_latest(lookup, QUARANTINE "q.queue_id = ? ORDER BY q.id DESC LIMIT ?",
			   db_text(*queue_id), take_quarantined);
	}
	for (void **header = headers; *header != NULL; header++) {
		ask_latest(lookup, MESSAGES "m.message_id_header = ?" LATEST_MESSAGES,
			   db_text(*header), take_message);
		ask_latest(lookup, OUTBOUND "o.message_id_header = ?" LATEST_OUTBOUND,
			   db_text(*header), take_outbound);
	}
	if (trace->address != NULL)
		ask_by_address(lookup);
}

/* What came of each recipient of the outbound ones that were found. */
static void ask_recipients(struct lookup *lookup)
{
	struct trace *trace = lookup->trace;

	for (unsigned int i = 0; i < trace->subjects->len; i++) {
		struct subject *subject = trace->subjects->pdata[i];
		struct id id;

		if (subject->direction != DIRECTION_OUTBOUND || subject->id == NULL ||
		    !id_parse(&id, subject->id))
			continue;
		const struct db_value value = db_bytes(id.byte, sizeof(id.byte));

		if (subject->status != NULL)
			g_clear_pointer(&subject->recipient, g_free);
		ask(lookup,
		    "SELECT outbound_id, email, status, code, enhanced, reply, " UTC_MS(
			    "updated_at") " FROM outbound_recipients WHERE outbound_id = ? "
					  "ORDER BY email LIMIT 1000",
		    &value, 1, take_recipient);
	}
}

void trace_database(struct trace *trace)
{
	struct lookup lookup = {.trace = trace};
	unsigned int growth;

	lookup.db = connect_db_admin(trace->config, true, &lookup.reason);
	if (lookup.db == NULL) {
		trace->saw_database = false;
		trace_gap(trace, "database", "%s", lookup.reason.text);
		return;
	}
	do {
		growth = trace->growth;
		ask_all(&lookup);
	} while (!lookup.failed && trace->growth != growth);
	ask_recipients(&lookup);
	ask_notices(&lookup);
	db_close(&lookup.db);
	trace->saw_database = !lookup.failed;
	if (lookup.failed)
		trace_gap(trace, "database", "%s", lookup.reason.text);
}
