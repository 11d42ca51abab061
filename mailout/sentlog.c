#include "mailout/sentlog.h"

#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "common/dial.h"
#include "common/rows.h"
#include "mailout/threadlog.h"

/* A claim of another run that is younger than this may be one of a run that is alive: a broker that
 * was restarted delivers again what is in flight, and an application may publish a request twice.
 */
enum { BUSY_MS = 4 * SENTLOG_RENEW_MS };

/* Widths of columns in characters; what is longer is cut. */
enum {
	STREAM_MAX = 64,
	TEMPLATE_MAX = 64,
	TAG_MAX = 1000,
	FROM_MAX = 320,
	MESSAGE_ID_MAX = 998,
	EMAIL_MAX = 254,
	ENHANCED_MAX = 11,
	REPLY_MAX = 4000
};

enum { TIME_TEXT_SIZE = 40, US_PER_MS = 1000 };

enum { RECORD_COLUMNS = 15, RECIPIENT_COLUMNS = 7 };

#define OUTBOUND_COLUMNS                                                                           \
	"INSERT INTO outbound (id, stream, template, tag, metadata, from_email, subject,"          \
	" message_id_header, size, status, attempts, requeued, last_reply, next_attempt, claim,"   \
	" claimed_at)"                                                                             \
	" VALUES "
#define OUTBOUND_ROW "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,CURRENT_TIMESTAMP(3))"

/* Claims of what is new, and of what is not: their shapes differ in what happens to a row that is
 * there. */
static const struct rows_shape insert_shape = {OUTBOUND_COLUMNS, OUTBOUND_ROW,
					       " ON DUPLICATE KEY UPDATE id = id", RECORD_COLUMNS};

static const struct rows_shape record_shape = {
	OUTBOUND_COLUMNS, OUTBOUND_ROW,
	" ON DUPLICATE KEY UPDATE from_email = VALUES(from_email), subject = VALUES(subject),"
	" message_id_header = VALUES(message_id_header), size = VALUES(size),"
	" status = VALUES(status), attempts = VALUES(attempts),"
	" requeued = GREATEST(requeued, VALUES(requeued)), last_reply = VALUES(last_reply),"
	" next_attempt = VALUES(next_attempt), claim = VALUES(claim),"
	" claimed_at = VALUES(claimed_at)",
	RECORD_COLUMNS};

static const struct rows_shape recipient_shape = {
	"INSERT INTO outbound_recipients (outbound_id, email, status, attempts, code, enhanced, "
	"reply)"
	" VALUES ",
	"(?,?,?,?,?,?,?)",
	" ON DUPLICATE KEY UPDATE status = VALUES(status), attempts = VALUES(attempts),"
	" code = VALUES(code), enhanced = VALUES(enhanced), reply = VALUES(reply)",
	RECIPIENT_COLUMNS};

static const struct rows_shape known_shape = {
	"SELECT id, status, claim,"
	" TIMESTAMPDIFF(MICROSECOND, claimed_at, CURRENT_TIMESTAMP(3)), requeued"
	" FROM outbound WHERE id IN (",
	"?", ") FOR UPDATE", 1};

static const struct rows_shape renew_shape = {
	"UPDATE outbound SET claimed_at = CURRENT_TIMESTAMP(3), updated_at = updated_at"
	" WHERE status = 'sending' AND id IN (",
	"?", ")", 1};

static const struct rows_shape done_shape = {
	"SELECT outbound_id, email, status FROM outbound_recipients WHERE status IN ('sent', "
	"'failed')"
	" AND outbound_id IN (",
	"?", ")", 1};

/* For what an operator brought back. */
static const struct rows_shape afresh_shape = {
	"UPDATE outbound_recipients SET status = 'deferred' WHERE status = 'failed'"
	" AND outbound_id IN (",
	"?", ")", 1};

struct sentlog {
	struct db *db;
	struct id token; /* of this run's claims */
	struct rows inserts;
	struct rows records;
	struct rows recipients;
	struct rows known;
	struct rows done;
	struct rows renewals;
	struct rows afresh;
	GArray *values;      /* of the statement in hand */
	GStringChunk *texts; /* of values that had to be made */
};

/* One per process: a run that connects again must know its own claims. */
static struct id run_token;
static bool has_run_token;

/* ---- rows ---- */

static const char *recipient_status(enum sent_state state)
{
	static const char *const names[] = {
		[SENT_OK] = "sent",
		[SENT_DEFERRED] = "deferred",
		[SENT_FAILED] = "failed",
		[SENT_IN_DOUBT] = "in-doubt",
	};

	return names[state];
}

/* ---- connection ---- */

struct sentlog *sentlog_open(const struct config *config, struct deadline deadline,
			     struct reason *reason)
{
	const struct dial who = {.user = &config->mysql_mailout,
				 .password_key = "mysql.mailout_password_file"};
	struct db *db = dial_db(config, &who, deadline, reason);

	if (db == NULL)
		return NULL;
	if (!has_run_token)
		id_new(&run_token);
	has_run_token = true;
	struct sentlog *sentlog = g_new0(struct sentlog, 1);

	sentlog->db = db;
	sentlog->token = run_token;
	sentlog->values = g_array_new(FALSE, FALSE, sizeof(struct db_value));
	sentlog->texts = g_string_chunk_new(4096);
	rows_init(&sentlog->inserts, &insert_shape, db);
	rows_init(&sentlog->records, &record_shape, db);
	rows_init(&sentlog->recipients, &recipient_shape, db);
	rows_init(&sentlog->known, &known_shape, db);
	rows_init(&sentlog->done, &done_shape, db);
	rows_init(&sentlog->renewals, &renew_shape, db);
	rows_init(&sentlog->afresh, &afresh_shape, db);
	return sentlog;
}

void sentlog_close(struct sentlog **sentlog)
{
	struct sentlog *old = *sentlog;

	if (old == NULL)
		return;
	rows_clear(&old->inserts);
	rows_clear(&old->records);
	rows_clear(&old->recipients);
	rows_clear(&old->known);
	rows_clear(&old->done);
	rows_clear(&old->renewals);
	rows_clear(&old->afresh);
	db_close(&old->db);
	g_array_unref(old->values);
	g_string_chunk_free(old->texts);
	g_free(old);
	*sentlog = NULL;
}

struct db *sentlog_db(struct sentlog *sentlog)
{
	return sentlog->db;
}

bool sentlog_lost(const struct sentlog *sentlog)
{
	return db_lost(sentlog->db);
}

/* ---- values ---- */

static void begin_values(struct sentlog *sentlog)
{
	g_array_set_size(sentlog->values, 0);
	g_string_chunk_clear(sentlog->texts);
}

static void add(struct sentlog *sentlog, struct db_value value)
{
	g_array_append_val(sentlog->values, value);
}

static const struct db_value *values(const struct sentlog *sentlog)
{
	return (const struct db_value *)sentlog->values->data;
}

static size_t length(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

/* Cut to a column's width in characters. */
static void add_cut(struct sentlog *sentlog, const char *text, size_t max)
{
	size_t size = length(text);

	if (size > max && (size_t)g_utf8_strlen(text, (gssize)size) > max)
		size = (size_t)(g_utf8_offset_to_pointer(text, (glong)max) - text);
	add(sentlog, db_textn(text, size));
}

static void add_present(struct sentlog *sentlog, const char *text, size_t max)
{
	add_cut(sentlog, text != NULL ? text : "", max);
}

static void add_time(struct sentlog *sentlog, int64_t ms)
{
	char text[TIME_TEXT_SIZE];

	if (ms <= 0) {
		add(sentlog, db_null());
		return;
	}
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / US_PER_MS);
	g_autofree char *seconds =
		time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;

	if (seconds == NULL) {
		add(sentlog, db_null());
		return;
	}
	g_snprintf(text, sizeof(text), "%s.%03d", seconds, (int)(ms % US_PER_MS));
	add(sentlog, db_text(g_string_chunk_insert(sentlog->texts, text)));
}

static void add_row(struct sentlog *sentlog, const struct outbound *row,
		    enum outbound_status status)
{
	add(sentlog, db_bytes(&row->id, sizeof(row->id)));
	add_present(sentlog, row->stream, STREAM_MAX);
	add_cut(sentlog, row->template_alias, TEMPLATE_MAX);
	add_present(sentlog, row->tag, TAG_MAX);
	add(sentlog, db_text(row->metadata != NULL ? row->metadata : "{}"));
	add_present(sentlog, row->from_email, FROM_MAX);
	add(sentlog, db_text(row->subject));
	add_cut(sentlog, row->message_id_header, MESSAGE_ID_MAX);
	add(sentlog, row->size >= 0 ? db_int(row->size) : db_null());
	add(sentlog, db_text(outbound_status_name(status)));
	add(sentlog, db_int(row->attempt));
	add(sentlog, db_int(row->requeued));
	add_cut(sentlog, row->last_reply, REPLY_MAX);
	add_time(sentlog, row->next_attempt_ms);
	add(sentlog, db_bytes(&sentlog->token, sizeof(sentlog->token)));
}

static void add_recipient(struct sentlog *sentlog, const struct outbound *row,
			  const struct sent_recipient *recipient)
{
	add(sentlog, db_bytes(&row->id, sizeof(row->id)));
	add_present(sentlog, recipient->email, EMAIL_MAX);
	add(sentlog, db_text(recipient_status(recipient->state)));
	add(sentlog, db_int(row->attempt));
	add(sentlog, recipient->code != 0 ? db_int(recipient->code) : db_null());
	add_present(sentlog, recipient->status, ENHANCED_MAX);
	add_cut(sentlog, recipient->reply, REPLY_MAX);
}

/* ---- results ---- */

/* A scheduled one must not cover what a twin of it came to. */
static enum outcome write_rows(struct sentlog *sentlog, struct outbound *const *rows, size_t count,
			       bool scheduled, struct reason *reason)
{
	size_t taken = 0;

	begin_values(sentlog);
	for (size_t i = 0; i < count; i++) {
		if ((rows[i]->status == OUTBOUND_SCHEDULED) != scheduled)
			continue;
		add_row(sentlog, rows[i], rows[i]->status);
		taken++;
	}
	return rows_insert(scheduled ? &sentlog->inserts : &sentlog->records, values(sentlog),
			   taken, NULL, reason);
}

static enum outcome write_recipients(struct sentlog *sentlog, struct outbound *const *rows,
				     size_t count, struct reason *reason)
{
	size_t taken = 0;

	begin_values(sentlog);
	for (size_t i = 0; i < count; i++) {
		for (size_t r = 0; r < rows[i]->recipient_count; r++)
			add_recipient(sentlog, rows[i], &rows[i]->recipients[r]);
		taken += rows[i]->recipient_count;
	}
	return rows_insert(&sentlog->recipients, values(sentlog), taken, NULL, reason);
}

static enum outcome record(struct sentlog *sentlog, struct outbound *const *rows, size_t count,
			   struct reason *reason)
{
	enum outcome outcome = write_rows(sentlog, rows, count, false, reason);

	if (outcome == OUTCOME_OK)
		outcome = write_rows(sentlog, rows, count, true, reason);
	if (outcome == OUTCOME_OK)
		outcome = write_recipients(sentlog, rows, count, reason);
	return outcome;
}

/* ---- claims ---- */

struct claiming {
	struct sentlog *sentlog;
	GHashTable *by_id; /* struct id -> struct claim */
};

static struct claim *find_claim(const struct claiming *claiming, const struct db_value *id)
{
	return id->size == sizeof(struct id) ? g_hash_table_lookup(claiming->by_id, id->data)
					     : NULL;
}

static enum claim_state judge(const struct sentlog *sentlog, const struct db_value *columns)
{
	const char *status = columns[1].data;
	const struct db_value *token = &columns[2];
	int64_t age_us = columns[3].type == DB_INT ? columns[3].number : INT64_MAX;

	if (strcmp(status, "deferred") == 0 || strcmp(status, "scheduled") == 0)
		return CLAIM_NEW;
	if (strcmp(status, "held") == 0)
		return CLAIM_IN_DOUBT;
	if (strcmp(status, "sending") != 0)
		return CLAIM_DONE;
	/* Our own: of a moment ago, or of a delivery that was lost before it was sent. */
	if (token->size == sizeof(struct id) &&
	    memcmp(token->data, &sentlog->token, sizeof(struct id)) == 0)
		return CLAIM_NEW;
	return age_us < (int64_t)BUSY_MS * US_PER_MS ? CLAIM_BUSY : CLAIM_IN_DOUBT;
}

/* Brought back from mail.dead since it came to that, by an operator who wants it sent.  (The same
 * requeue may come twice, if mailctl was interrupted: only the first one is newer.) */
static bool is_brought_back(const struct claim *claim, const struct db_value *columns)
{
	const char *status = columns[1].data;

	return (strcmp(status, "failed") == 0 || strcmp(status, "held") == 0) &&
	       claim->row->requeued > columns[4].number;
}

static bool take_known(const struct db_value *columns, size_t count, void *context)
{
	const struct claiming *claiming = context;
	struct claim *claim = find_claim(claiming, &columns[0]);

	(void)count;
	if (claim == NULL)
		return true;
	claim->state = judge(claiming->sentlog, columns);
	claim->failed = strcmp(columns[1].data, "failed") == 0;
	claim->afresh = is_brought_back(claim, columns);
	if (claim->afresh)
		claim->state = CLAIM_NEW;
	return true;
}

static bool take_done(const struct db_value *columns, size_t count, void *context)
{
	struct claim *claim = find_claim(context, &columns[0]);

	(void)count;
	if (claim == NULL || columns[1].data == NULL)
		return true;
	claim->sent_before = claim->sent_before || strcmp(columns[2].data, "sent") == 0;
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	if (claim->recipients_done != NULL)
		g_strv_builder_addv(builder, (const char **)claim->recipients_done);
	g_strv_builder_add(builder, columns[1].data);
	g_strfreev(claim->recipients_done);
	claim->recipients_done = g_strv_builder_end(builder);
	return true;
}

static bool is_claimed(const struct claim *claim)
{
	return claim->state == CLAIM_NEW || claim->state == CLAIM_IN_DOUBT;
}

/* So that the record says that they wait, whatever becomes of this run. */
static enum outcome forget_failures(struct sentlog *sentlog, const struct claim *claims,
				    size_t count, struct reason *reason)
{
	begin_values(sentlog);
	for (size_t i = 0; i < count; i++)
		if (claims[i].afresh)
			add(sentlog, db_bytes(&claims[i].row->id, sizeof(struct id)));
	return rows_insert(&sentlog->afresh, values(sentlog), sentlog->values->len, NULL, reason);
}

/* Some are in the record already: see what it says, and take over those that may be sent. */
static enum outcome claim_known(struct sentlog *sentlog, struct claim *claims, size_t count,
				struct reason *reason)
{
	g_autoptr(GHashTable) by_id = g_hash_table_new(id_hash, id_equal);
	struct claiming claiming = {sentlog, by_id};
	size_t taken = 0;

	begin_values(sentlog);
	for (size_t i = 0; i < count; i++) {
		g_hash_table_insert(by_id, &claims[i].row->id, &claims[i]);
		add(sentlog, db_bytes(&claims[i].row->id, sizeof(struct id)));
	}
	enum outcome outcome =
		rows_select(&sentlog->known, values(sentlog), count, take_known, &claiming, reason);

	if (outcome == OUTCOME_OK)
		outcome = forget_failures(sentlog, claims, count, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	begin_values(sentlog);
	for (size_t i = 0; i < count; i++)
		if (is_claimed(&claims[i]))
			add(sentlog, db_bytes(&claims[i].row->id, sizeof(struct id)));
	outcome = rows_select(&sentlog->done, values(sentlog), sentlog->values->len, take_done,
			      &claiming, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	begin_values(sentlog);
	for (size_t i = 0; i < count; i++) {
		if (!is_claimed(&claims[i]))
			continue;
		add_row(sentlog, claims[i].row, OUTBOUND_SENDING);
		taken++;
	}
	return rows_insert(&sentlog->records, values(sentlog), taken, NULL, reason);
}

static enum outcome claim_all(struct sentlog *sentlog, struct claim *claims, size_t count,
			      struct reason *reason)
{
	int64_t affected;

	if (count == 0)
		return OUTCOME_OK;
	begin_values(sentlog);
	for (size_t i = 0; i < count; i++) {
		claims[i].state = CLAIM_NEW;
		claims[i].failed = false;
		claims[i].sent_before = false;
		claims[i].afresh = false;
		g_clear_pointer(&claims[i].recipients_done, g_strfreev);
		add_row(sentlog, claims[i].row, OUTBOUND_SENDING);
	}
	enum outcome outcome =
		rows_insert(&sentlog->inserts, values(sentlog), count, &affected, reason);

	/* A row that was there counts as 0. */
	if (outcome != OUTCOME_OK || affected == (int64_t)count)
		return outcome;
	return claim_known(sentlog, claims, count, reason);
}

enum outcome sentlog_renew(struct sentlog *sentlog, const struct id *ids, size_t count,
			   struct reason *reason)
{
	begin_values(sentlog);
	for (size_t i = 0; i < count; i++)
		add(sentlog, db_bytes(&ids[i], sizeof(ids[i])));
	return rows_insert(&sentlog->renewals, values(sentlog), count, NULL, reason);
}

/* ---- threads ---- */

/* Results and claims at once: threads are locked in one order.  What is not claimed has nothing to
 * say: the same id may have been given to something else. */
static enum outcome record_threads(struct sentlog *sentlog, struct outbound *const *rows,
				   size_t row_count, const struct claim *claims, size_t claim_count,
				   struct reason *reason)
{
	g_autoptr(GPtrArray) threaded = g_ptr_array_new();

	for (size_t i = 0; i < row_count; i++)
		if (rows[i]->thread != NULL)
			g_ptr_array_add(threaded, rows[i]);
	for (size_t i = 0; i < claim_count; i++)
		if (claims[i].row->thread != NULL && is_claimed(&claims[i]))
			g_ptr_array_add(threaded, claims[i].row);
	return threadlog_record(sentlog->db, (struct outbound **)threaded->pdata, threaded->len,
				reason);
}

/* ---- the transaction ---- */

enum outcome sentlog_write(struct sentlog *sentlog, struct outbound *const *rows, size_t row_count,
			   struct claim *claims, size_t claim_count, struct reason *reason)
{
	enum outcome outcome;

	if (row_count + claim_count == 0)
		return OUTCOME_OK;
	outcome = db_begin(sentlog->db, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = record(sentlog, rows, row_count, reason);
	if (outcome == OUTCOME_OK)
		outcome = claim_all(sentlog, claims, claim_count, reason);
	if (outcome == OUTCOME_OK)
		outcome = record_threads(sentlog, rows, row_count, claims, claim_count, reason);
	/* Whether an unanswered COMMIT happened does not matter: writing the same again is
	 * harmless. */
	if (outcome == OUTCOME_OK)
		outcome = db_commit(sentlog->db, NULL, reason);
	if (outcome != OUTCOME_OK)
		db_rollback(sentlog->db);
	return outcome;
}

/* ---- attachments ---- */

static bool take_attachment(const struct db_value *columns, size_t count, void *context)
{
	struct request_attachment *attachment = context;

	(void)count;
	if (attachment->name == NULL || attachment->name[0] == '\0') {
		g_free(attachment->name);
		attachment->name = g_strdup(columns[0].data);
	}
	if (attachment->content_type == NULL || attachment->content_type[0] == '\0') {
		g_free(attachment->content_type);
		attachment->content_type = g_strdup(columns[1].data);
	}
	attachment->size = columns[2].size;
	/* g_memdup2() of nothing is NULL, which means that there is no content yet. */
	attachment->data = g_malloc(columns[2].size + 1);
	if (columns[2].size > 0)
		memcpy(attachment->data, columns[2].data, columns[2].size);
	return false;
}

enum outcome sentlog_attachment(struct sentlog *sentlog, struct request_attachment *attachment,
				struct reason *reason)
{
	struct db_value id = db_bytes(&attachment->stored, sizeof(attachment->stored));
	char text[ID_TEXT_SIZE];
	enum outcome outcome = db_query_once(
		sentlog->db,
		"SELECT a.name, COALESCE(NULLIF(a.detected_type, ''), a.content_type), b.data"
		" FROM attachments a JOIN blobs b ON b.sha256 = a.sha256 WHERE a.id = ?",
		&id, 1, take_attachment, attachment, reason);

	if (outcome != OUTCOME_OK || attachment->data != NULL)
		return outcome;
	return outcome_reject(reason, "5.6.0", "there is no stored attachment %s",
			      id_text(&attachment->stored, text));
}
