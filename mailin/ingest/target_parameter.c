#include "mailin/ingest/target_parameter.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "mailin/ingest/inbound.h"

/* How a member of struct inbound or struct inbound_attachment becomes a value. */
enum kind {
	KIND_ID,
	KIND_TEXT,         /* "" if there is none */
	KIND_TEXT_OR_NULL, /* NULL if it is empty */
	KIND_YES_NO,       /* "no" if there is none */
	KIND_VERIFIED,
	KIND_CHARS_OR_NULL, /* an array of char; NULL if it is empty */
	KIND_SIZE_OR_NULL,  /* int64_t; NULL below 0 */
	KIND_BLOB_SIZE,
	KIND_BLOB_DIGEST,
	KIND_COUNT,          /* size_t */
	KIND_NUMBER_OR_NULL, /* int64_t; NULL if it is 0 */
	KIND_FLAG,           /* bool */
	KIND_IS_AUTOMATIC,   /* it is neither missing nor "no" */
	KIND_IS_IMAGE,       /* it has a width */
};

struct target_parameter {
	const char *name;
	enum kind kind;
	bool of_attachment;
	size_t offset;
};

/* A member's name must not have parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define MESSAGE(name, kind, member)                                                                \
	{                                                                                          \
		name, kind, false, offsetof(struct inbound, member)                                \
	}
#define ATTACHMENT(name, kind, member)                                                             \
	{                                                                                          \
		name, kind, true, offsetof(struct inbound_attachment, member)                      \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

/* mailpipe-targets(7) has them in this order. */
static const struct target_parameter parameters[] = {
	MESSAGE("message_id", KIND_ID, id),
	MESSAGE("message_uuid", KIND_CHARS_OR_NULL, id_text),
	MESSAGE("route", KIND_TEXT, route),
	MESSAGE("recipient", KIND_TEXT, recipient),
	MESSAGE("mailbox_hash", KIND_TEXT, mailbox_hash),
	MESSAGE("sender", KIND_TEXT, sender),
	MESSAGE("queue_id", KIND_TEXT, queue_id),
	MESSAGE("client_address", KIND_TEXT, client_address),
	MESSAGE("sasl_username", KIND_TEXT_OR_NULL, sasl_username),
	MESSAGE("size", KIND_SIZE_OR_NULL, size),
	MESSAGE("received_at", KIND_CHARS_OR_NULL, received_at),
	MESSAGE("date_utc", KIND_CHARS_OR_NULL, date_utc),
	MESSAGE("message_id_header", KIND_TEXT_OR_NULL, message_id_header),
	MESSAGE("from_email", KIND_TEXT, from_email),
	MESSAGE("from_name", KIND_TEXT_OR_NULL, from_name),
	MESSAGE("reply_to", KIND_TEXT_OR_NULL, reply_to),
	MESSAGE("subject", KIND_TEXT, subject),
	MESSAGE("text", KIND_TEXT, text_body),
	MESSAGE("text_reply", KIND_TEXT, text_reply),
	MESSAGE("text_quote", KIND_TEXT, text_quote),
	MESSAGE("html", KIND_TEXT, html_body),
	MESSAGE("headers", KIND_TEXT, headers),
	MESSAGE("priority", KIND_TEXT, priority),
	MESSAGE("auto", KIND_YES_NO, automatic),
	MESSAGE("verified", KIND_VERIFIED, verified),
	MESSAGE("owner_id", KIND_TEXT_OR_NULL, owner_id),
	MESSAGE("thread_id", KIND_ID, thread_id),
	MESSAGE("thread_number", KIND_NUMBER_OR_NULL, thread_number),
	ATTACHMENT("attachment_id", KIND_ID, id),
	ATTACHMENT("attachment_position", KIND_COUNT, position),
	ATTACHMENT("attachment_name", KIND_TEXT, name),
	ATTACHMENT("attachment_type", KIND_TEXT, content_type),
	ATTACHMENT("attachment_detected_type", KIND_TEXT_OR_NULL, detected_type),
	ATTACHMENT("attachment_disposition", KIND_TEXT, disposition),
	ATTACHMENT("attachment_content_id", KIND_TEXT_OR_NULL, content_id),
	ATTACHMENT("attachment_size", KIND_BLOB_SIZE, blob),
	ATTACHMENT("attachment_sha256", KIND_BLOB_DIGEST, blob),
	ATTACHMENT("image_width", KIND_NUMBER_OR_NULL, image_width),
	ATTACHMENT("image_height", KIND_NUMBER_OR_NULL, image_height),
	ATTACHMENT("image_orientation", KIND_NUMBER_OR_NULL, image_orientation),
	MESSAGE("automatic", KIND_IS_AUTOMATIC, automatic),
	MESSAGE("thread_is_new", KIND_FLAG, thread_is_new),
	ATTACHMENT("image", KIND_IS_IMAGE, image_width),
	ATTACHMENT("photo", KIND_FLAG, photo),
};

const struct target_parameter *target_parameter_find(const char *name, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++)
		if (strlen(parameters[i].name) == size &&
		    memcmp(parameters[i].name, name, size) == 0)
			return &parameters[i];
	return NULL;
}

bool target_parameter_is_attachments(const struct target_parameter *parameter)
{
	return parameter->of_attachment;
}

bool target_parameter_is_flag(const struct target_parameter *parameter)
{
	return parameter->kind == KIND_FLAG || parameter->kind == KIND_IS_AUTOMATIC ||
	       parameter->kind == KIND_IS_IMAGE;
}

bool target_parameter_is_threads(const struct target_parameter *parameter)
{
	return g_str_has_prefix(parameter->name, "thread_");
}

static struct db_value text_value(const struct inbound_text *text)
{
	return text->data != NULL ? db_textn(text->data, text->size) : db_text("");
}

struct db_value target_parameter_value(const struct target_parameter *parameter,
				       const struct inbound *message, size_t attachment)
{
	const char *base = parameter->of_attachment
				   ? (const char *)&message->attachments[attachment]
				   : (const char *)message;
	const void *member = base + parameter->offset;
	const struct inbound_text *text = member;
	const int64_t *number = member;
	const struct inbound_blob *blob = member;
	const char *chars = member;

	switch (parameter->kind) {
	case KIND_ID:
		return db_bytes(member, sizeof(struct id));
	case KIND_TEXT:
		return text_value(text);
	case KIND_TEXT_OR_NULL:
		return text->size > 0 ? text_value(text) : db_null();
	case KIND_VERIFIED:
		return db_text(inbound_verified_name(*(const enum inbound_verified *)member));
	case KIND_YES_NO:
		return text->data != NULL ? text_value(text) : db_text("no");
	case KIND_CHARS_OR_NULL:
		return *chars != '\0' ? db_text(chars) : db_null();
	case KIND_SIZE_OR_NULL:
		return *number >= 0 ? db_int(*number) : db_null();
	case KIND_BLOB_SIZE:
		return db_int((int64_t)blob->size);
	case KIND_BLOB_DIGEST:
		return db_bytes(blob->digest, SHA256_SIZE);
	case KIND_COUNT:
		return db_int((int64_t) * (const size_t *)member);
	case KIND_NUMBER_OR_NULL:
		return *number != 0 ? db_int(*number) : db_null();
	case KIND_FLAG:
		return db_int(*(const bool *)member);
	case KIND_IS_AUTOMATIC:
		return db_int(text->data != NULL && strcmp(text->data, "no") != 0);
	case KIND_IS_IMAGE:
		return db_int(*number != 0);
	}
	return db_null();
}

void target_parameter_each(void (*visit)(const char *name, void *context), void *context)
{
	for (size_t i = 0; i < G_N_ELEMENTS(parameters); i++)
		visit(parameters[i].name, context);
}
