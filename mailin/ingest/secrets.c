#include "mailin/ingest/secrets.h"

#include <glib.h>
#include <string.h>

/* All that is stored where others read it and may hold an address.  The whole mail (raw) and
 * attachments are kept as they came. */
static const size_t texts[] = {
	offsetof(struct inbound, recipient),   offsetof(struct inbound, mailbox_hash),
	offsetof(struct inbound, sender),      offsetof(struct inbound, from_email),
	offsetof(struct inbound, from_name),   offsetof(struct inbound, to_json),
	offsetof(struct inbound, cc_json),     offsetof(struct inbound, bcc_json),
	offsetof(struct inbound, reply_to),    offsetof(struct inbound, subject),
	offsetof(struct inbound, text_body),   offsetof(struct inbound, html_body),
	offsetof(struct inbound, text_reply),  offsetof(struct inbound, text_quote),
	offsetof(struct inbound, headers),     offsetof(struct inbound, defects),
	offsetof(struct inbound, in_reply_to), offsetof(struct inbound, reference_ids),
	offsetof(struct inbound, date_header), offsetof(struct inbound, message_id_header),
};

static const struct inbound_text *text_at(const struct inbound *message, size_t i)
{
	return (const void *)((const char *)message + texts[i]);
}

static void add(struct secrets *secrets, const char token[TOKEN_TEXT_SIZE])
{
	for (size_t i = 0; i < secrets->count; i++)
		if (strcmp(secrets->item[i].token, token) == 0)
			return;
	if (secrets->count == SECRETS_MAX)
		return;
	struct secret *secret = &secrets->item[secrets->count++];

	memcpy(secret->token, token, TOKEN_TEXT_SIZE);
	token_hash(token, secret->hash);
	secret->known = false;
}

static void find_before(struct secrets *secrets, const struct inbound_text *text, char mark)
{
	const char *end = text->data + text->size;
	const char *found = text->data;
	char token[TOKEN_TEXT_SIZE];

	while ((found = memchr(found, mark, (size_t)(end - found))) != NULL) {
		if (found - text->data >= TOKEN_LENGTH &&
		    token_parse(token, found - TOKEN_LENGTH, TOKEN_LENGTH))
			add(secrets, token);
		found++;
	}
}

/* One that has a character too many, or others behind it, is none, but could be read out of the
 * address. */
static void find_within(struct secrets *secrets, const struct inbound_text *text)
{
	char token[TOKEN_TEXT_SIZE];

	for (size_t i = 0; i + TOKEN_LENGTH <= text->size; i++)
		if (token_parse(token, text->data + i, TOKEN_LENGTH))
			add(secrets, token);
}

void secrets_find(const struct inbound *message, struct secrets *secrets)
{
	secrets->count = 0;
	if (message->token[0] != '\0')
		add(secrets, message->token);
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		const struct inbound_text *text = text_at(message, i);

		if (text->size <= TOKEN_LENGTH)
			continue;
		find_before(secrets, text, '@');
		find_before(secrets, text, '%');
	}
	find_within(secrets, &message->recipient);
}

void secrets_blot(struct inbound *message, const char token[TOKEN_TEXT_SIZE])
{
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		const struct inbound_text *text = text_at(message, i);

		/* The message owns its texts (inbound->texts), none of which is a constant. */
		if (text->size >= TOKEN_LENGTH)
			token_blot((char *)(uintptr_t)text->data, text->size, token);
	}
}
