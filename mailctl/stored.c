#include "mailctl/stored.h"

#include <string.h>

#define UTC_MS(column) "CAST(UNIX_TIMESTAMP(" column ") * 1000 AS SIGNED)"

static char *take_text(const struct db_value *value)
{
	return value->type == DB_NULL ? g_strdup("") : g_strndup(value->data, value->size);
}

static char *take_hex(const struct db_value *value)
{
	GString *hex = g_string_new(NULL);
	const unsigned char *bytes = value->data;

	for (size_t i = 0; value->type != DB_NULL && i < value->size; i++)
		g_string_append_printf(hex, "%02x", bytes[i]);
	return g_string_free(hex, FALSE);
}

static int64_t take_number(const struct db_value *value, int64_t otherwise)
{
	return value->type == DB_INT ? value->number : otherwise;
}

static void take_id(char text[ID_TEXT_SIZE], const struct db_value *value)
{
	struct id id = {0};

	if (value->type != DB_NULL && value->size == sizeof(id.byte))
		memcpy(id.byte, value->data, sizeof(id.byte));
	id_text(&id, text);
}

/* ---- inbound ---- */

static void free_attachment(void *item)
{
	struct stored_attachment *attachment = item;

	g_free(attachment->name);
	g_free(attachment->content_type);
	g_free(attachment->detected_type);
	g_free(attachment->disposition);
	g_free(attachment->content_id);
	g_free(attachment->sha256);
	g_clear_pointer(&attachment->data, g_bytes_unref);
	g_free(attachment);
}

static void free_refused(void *item)
{
	struct stored_refused *refused = item;

	g_free(refused->name);
	g_free(refused->content_type);
	g_free(refused->detected_type);
	g_free(refused->reason);
	g_free(refused->sha256);
	g_free(refused->entry);
	g_free(refused);
}

/* The columns that are texts, in the order of MESSAGE. */
static char **text_field(struct stored_message *message, size_t column)
{
	char **const fields[] = {
		&message->route,         &message->sender,
		&message->recipient,     &message->mailbox_hash,
		&message->queue_id,      &message->client_address,
		&message->client_name,   &message->helo,
		&message->sasl_username, &message->message_id_header,
		&message->date_header,   &message->from_email,
		&message->from_name,     &message->to_json,
		&message->cc_json,       &message->bcc_json,
		&message->reply_to,      &message->subject,
		&message->text_body,     &message->html_body,
		&message->headers,       &message->automatic,
		&message->defects,       &message->text_reply,
		&message->text_quote,    &message->reply_rule,
	};

	return column < G_N_ELEMENTS(fields) ? fields[column] : NULL;
}

enum { MESSAGE_TEXTS = 26, TEXT_BODY = 18, HTML_BODY = 19 };

static const char MESSAGE[] =
	"SELECT route, sender, recipient, mailbox_hash, queue_id, client_address, client_name, "
	"helo, sasl_username, message_id_header, date_header, from_email, from_name, to_json, "
	"cc_json, bcc_json, reply_to, subject, text_body, html_body, headers, auto, defects, "
	"text_reply, text_quote, reply_rule, raw_sha256, size, " UTC_MS("received_at") ", " UTC_MS(
		"stored_at") ", id FROM messages WHERE id = ?";

void stored_message_free(struct stored_message **message)
{
	if (*message == NULL)
		return;
	for (size_t i = 0; i < MESSAGE_TEXTS; i++)
		g_free(*text_field(*message, i));
	g_free((*message)->raw_sha256);
	g_ptr_array_unref((*message)->attachments);
	g_ptr_array_unref((*message)->refused);
	g_clear_pointer(&(*message)->raw, g_bytes_unref);
	g_free(*message);
	*message = NULL;
}

static bool take_message(const struct db_value *columns, size_t count, void *context)
{
	struct stored_message *message = g_new0(struct stored_message, 1);
	const struct db_value *rest = columns + MESSAGE_TEXTS;

	(void)count;
	message->attachments = g_ptr_array_new_with_free_func(free_attachment);
	message->refused = g_ptr_array_new_with_free_func(free_refused);
	for (size_t i = 0; i < MESSAGE_TEXTS; i++)
		*text_field(message, i) = take_text(&columns[i]);
	message->has_text = columns[TEXT_BODY].type != DB_NULL;
	message->has_html = columns[HTML_BODY].type != DB_NULL;
	message->raw_sha256 = take_hex(&rest[0]);
	message->size = take_number(&rest[1], -1);
	message->received_ms = take_number(&rest[2], 0);
	message->stored_ms = take_number(&rest[3], 0);
	take_id(message->id, &rest[4]);
	*(struct stored_message **)context = message;
	return false;
}

static bool take_attachment(const struct db_value *columns, size_t count, void *context)
{
	struct stored_message *message = context;
	struct stored_attachment *attachment = g_new0(struct stored_attachment, 1);

	(void)count;
	take_id(attachment->id, &columns[0]);
	attachment->name = take_text(&columns[1]);
	attachment->content_type = take_text(&columns[2]);
	attachment->detected_type = take_text(&columns[3]);
	attachment->disposition = take_text(&columns[4]);
	attachment->content_id = take_text(&columns[5]);
	attachment->size = take_number(&columns[6], 0);
	attachment->sha256 = take_hex(&columns[7]);
	attachment->image_width = take_number(&columns[8], 0);
	attachment->image_height = take_number(&columns[9], 0);
	attachment->image_orientation = take_number(&columns[10], 0);
	g_ptr_array_add(message->attachments, attachment);
	return true;
}

static bool take_refused(const struct db_value *columns, size_t count, void *context)
{
	struct stored_message *message = context;
	struct stored_refused *refused = g_new0(struct stored_refused, 1);

	(void)count;
	refused->name = take_text(&columns[0]);
	refused->content_type = take_text(&columns[1]);
	refused->detected_type = take_text(&columns[2]);
	refused->reason = take_text(&columns[3]);
	refused->size = take_number(&columns[4], 0);
	refused->sha256 = take_hex(&columns[5]);
	refused->entry = take_text(&columns[6]);
	refused->entry_size = take_number(&columns[7], 0);
	g_ptr_array_add(message->refused, refused);
	return true;
}

static bool take_bytes(const struct db_value *columns, size_t count, void *context)
{
	(void)count;
	*(GBytes **)context =
		columns[0].type != DB_NULL ? g_bytes_new(columns[0].data, columns[0].size) : NULL;
	return false;
}

/* One after the other: they may be large. */
static enum outcome read_contents(struct db *db, struct stored_message *message,
				  const struct db_value *id, struct reason *reason)
{
	enum outcome outcome = db_query_once(
		db,
		"SELECT b.data FROM messages m JOIN blobs b ON b.sha256 = m.raw_sha256 "
		"WHERE m.id = ?",
		id, 1, take_bytes, &message->raw, reason);

	for (unsigned int i = 0; outcome == OUTCOME_OK && i < message->attachments->len; i++) {
		struct stored_attachment *attachment = message->attachments->pdata[i];
		struct id part;

		if (!id_parse(&part, attachment->id))
			continue;
		const struct db_value value = db_bytes(part.byte, sizeof(part.byte));

		outcome = db_query_once(
			db,
			"SELECT b.data FROM attachments a JOIN blobs b ON b.sha256 = a.sha256 "
			"WHERE a.id = ?",
			&value, 1, take_bytes, &attachment->data, reason);
	}
	return outcome;
}

enum outcome stored_message_read(struct db *db, const struct id *id, bool with_contents,
				 struct stored_message **message, struct reason *reason)
{
	const struct db_value value = db_bytes(id->byte, sizeof(id->byte));
	enum outcome outcome;

	*message = NULL;
	outcome = db_query_once(db, MESSAGE, &value, 1, take_message, message, reason);
	if (outcome == OUTCOME_OK && *message != NULL)
		outcome = db_query_once(
			db,
			"SELECT id, name, content_type, detected_type, disposition, content_id, "
			"size, sha256, image_width, image_height, image_orientation "
			"FROM attachments WHERE message_id = ? ORDER BY position",
			&value, 1, take_attachment, *message, reason);
	if (outcome == OUTCOME_OK && *message != NULL)
		outcome = db_query_once(
			db,
			"SELECT name, content_type, detected_type, reason, size, sha256, "
			"entry_name, entry_size "
			"FROM refused_attachments WHERE message_id = ? ORDER BY position",
			&value, 1, take_refused, *message, reason);
	if (outcome == OUTCOME_OK && *message != NULL && with_contents)
		outcome = read_contents(db, *message, &value, reason);
	if (outcome != OUTCOME_OK)
		stored_message_free(message);
	return outcome;
}

/* ---- outbound ---- */

static const char RECORD[] =
	"SELECT id, stream, template, tag, metadata, from_email, subject, message_id_header, size, "
	"status, attempts, last_reply, " UTC_MS("next_attempt") ", " UTC_MS(
		"created_at") ", " UTC_MS("updated_at") " FROM outbound WHERE id = ?";

static const char RECIPIENTS[] = "SELECT email, status, attempts, code, enhanced, reply, " UTC_MS(
	"updated_at") " FROM outbound_recipients WHERE outbound_id = ? ORDER BY email";

static void free_recipient(void *item)
{
	struct stored_recipient *recipient = item;

	g_free(recipient->email);
	g_free(recipient->status);
	g_free(recipient->enhanced);
	g_free(recipient->reply);
	g_free(recipient);
}

void stored_outbound_free(struct stored_outbound **outbound)
{
	struct stored_outbound *old = *outbound;

	if (old == NULL)
		return;
	g_free(old->stream);
	g_free(old->template);
	g_free(old->tag);
	g_free(old->metadata);
	g_free(old->from_email);
	g_free(old->subject);
	g_free(old->message_id_header);
	g_free(old->status);
	g_free(old->last_reply);
	g_ptr_array_unref(old->recipients);
	g_free(old);
	*outbound = NULL;
}

static bool take_outbound(const struct db_value *columns, size_t count, void *context)
{
	struct stored_outbound *outbound = g_new0(struct stored_outbound, 1);

	(void)count;
	take_id(outbound->id, &columns[0]);
	outbound->stream = take_text(&columns[1]);
	outbound->template = take_text(&columns[2]);
	outbound->tag = take_text(&columns[3]);
	outbound->metadata = take_text(&columns[4]);
	outbound->from_email = take_text(&columns[5]);
	outbound->subject = take_text(&columns[6]);
	outbound->message_id_header = take_text(&columns[7]);
	outbound->size = take_number(&columns[8], -1);
	outbound->status = take_text(&columns[9]);
	outbound->attempts = take_number(&columns[10], 0);
	outbound->last_reply = take_text(&columns[11]);
	outbound->next_attempt_ms = take_number(&columns[12], 0);
	outbound->created_ms = take_number(&columns[13], 0);
	outbound->updated_ms = take_number(&columns[14], 0);
	outbound->recipients = g_ptr_array_new_with_free_func(free_recipient);
	*(struct stored_outbound **)context = outbound;
	return false;
}

static bool take_recipient(const struct db_value *columns, size_t count, void *context)
{
	struct stored_outbound *outbound = context;
	struct stored_recipient *recipient = g_new0(struct stored_recipient, 1);

	(void)count;
	recipient->email = take_text(&columns[0]);
	recipient->status = take_text(&columns[1]);
	recipient->attempts = take_number(&columns[2], 0);
	recipient->code = take_number(&columns[3], 0);
	recipient->enhanced = take_text(&columns[4]);
	recipient->reply = take_text(&columns[5]);
	recipient->updated_ms = take_number(&columns[6], 0);
	g_ptr_array_add(outbound->recipients, recipient);
	return true;
}

enum outcome stored_outbound_read(struct db *db, const struct id *id,
				  struct stored_outbound **outbound, struct reason *reason)
{
	const struct db_value value = db_bytes(id->byte, sizeof(id->byte));
	enum outcome outcome;

	*outbound = NULL;
	outcome = db_query_once(db, RECORD, &value, 1, take_outbound, outbound, reason);
	if (outcome == OUTCOME_OK && *outbound != NULL)
		outcome =
			db_query_once(db, RECIPIENTS, &value, 1, take_recipient, *outbound, reason);
	if (outcome != OUTCOME_OK)
		stored_outbound_free(outbound);
	return outcome;
}
