/*
 * Secret tokens in the extension of an address: photos+TOKEN@example.com.
 *
 * A token is 128 random bits as 26 letters and digits of RFC 4648's base32 in lower case (a-z, 2-7:
 * neither 0 nor 1, which look like letters).  Only token_hash() is stored and compared.  Who has a
 * token may post, so no token stands in a log, a reason or a column: token_mask() and token_blot()
 * see to it.
 */
#ifndef COMMON_TOKEN_H
#define COMMON_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/sha256.h"

enum {
	TOKEN_BYTES = 16,
	TOKEN_LENGTH = 26,
	TOKEN_TEXT_SIZE = 27,
	TOKEN_HASH_SIZE = SHA256_SIZE,
};

/* A new one, from the kernel's random numbers.  False if there are none (errno). */
bool token_new(char token[TOKEN_TEXT_SIZE]);

/*
 * Read what stands behind the delimiter of an address (`size` bytes, of a stranger).  Upper case,
 * percent-encoding (RFC 3986, 2.1) and punctuation around it, however much, are forgiven, a
 * character more or less is not.  False if it is no token.  `token` gets the lower case text.
 */
bool token_parse(char token[TOKEN_TEXT_SIZE], const char *extension, size_t size);

/* SHA-256 of the 26 lower-case characters: in SQL UNHEX(SHA2(token, 256)). */
void token_hash(const char token[TOKEN_TEXT_SIZE], unsigned char hash[TOKEN_HASH_SIZE]);

/* In a time that does not depend on where they differ. */
bool token_hash_equal(const unsigned char a[TOKEN_HASH_SIZE],
		      const unsigned char b[TOKEN_HASH_SIZE]);

/*
 * An address for logs, reasons and people: an extension that could be a token, or most of one
 * (too long, cut, encoded), becomes "...".  With `all`, for a route that takes tokens only, every
 * extension does.  delimiters: Postfix's recipient_delimiter.  g_free() it.
 */
char *token_mask(const char *delimiters, const char *address, bool all);

/* Overwrite each occurrence of the token, in upper or lower case, by asterisks; the size stays.
 * Returns how many there were. */
size_t token_blot(char *text, size_t size, const char token[TOKEN_TEXT_SIZE]);

#endif
