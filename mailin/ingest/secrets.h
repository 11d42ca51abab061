/*
 * Tokens of addresses (common/token.h) within a message's texts: headers and address lists, and
 * what a reply quotes.
 */
#ifndef MAILIN_INGEST_SECRETS_H
#define MAILIN_INGEST_SECRETS_H

#include "common/token.h"
#include "mailin/ingest/inbound.h"

enum { SECRETS_MAX = 16 }; /* of one message; there are hardly ever two */

struct secret {
	char token[TOKEN_TEXT_SIZE];
	unsigned char hash[TOKEN_HASH_SIZE];
	bool known; /* the caller's: it is somebody's */
};

struct secrets {
	struct secret item[SECRETS_MAX];
	size_t count;
};

/* What has the form of a token, in lower case and each once: that of the recipient first, then
 * those that stand before an "@" (or "%40") in the texts, and what is anywhere in the recipient. */
void secrets_find(const struct inbound *message, struct secrets *secrets);

/* Overwrite the token wherever it stands in the texts. */
void secrets_blot(struct inbound *message, const char token[TOKEN_TEXT_SIZE]);

#endif
