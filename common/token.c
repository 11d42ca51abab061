#include "common/token.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "common/route.h"

/* RFC 4648, 6: 5 bits a character. */
static const char ALPHABET[] = "abcdefghijklmnopqrstuvwxyz234567";

enum {
	BITS_PER_CHARACTER = 5,
	BITS_PER_BYTE = 8,
	CHARACTER_MASK = 31,
	/* The last character has 3 bits of the token, and these are 0. */
	UNUSED_BITS_MASK = 3,
	/* As many letters and digits in a row are taken for a token that was damaged: the rest of
	 * it could be guessed. */
	SECRET_RUN = 16,
};

static const char MASKED[] = "...";

bool token_new(char token[TOKEN_TEXT_SIZE])
{
	unsigned char bytes[TOKEN_BYTES];
	unsigned int bits = 0;
	unsigned int count = 0;
	size_t used = 0;

	/* So few bytes come whole or not at all (getrandom(2)). */
	while (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		if (errno != EINTR)
			return false;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bits = bits << BITS_PER_BYTE | bytes[i];
		count += BITS_PER_BYTE;
		while (count >= BITS_PER_CHARACTER) {
			count -= BITS_PER_CHARACTER;
			token[used++] = ALPHABET[bits >> count & CHARACTER_MASK];
		}
	}
	token[used++] = ALPHABET[bits << (BITS_PER_CHARACTER - count) & CHARACTER_MASK];
	token[used] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

/* Percent-encoding decoded, once; a '%' that begins none stays.  Returns the size. */
static size_t decode(char *decoded, const char *text, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		int high = size - i > 2 ? g_ascii_xdigit_value(text[i + 1]) : -1;
		int low = size - i > 2 ? g_ascii_xdigit_value(text[i + 2]) : -1;

		if (text[i] == '%' && high >= 0 && low >= 0) {
			decoded[used++] = (char)(high << 4 | low);
			i += 2;
		} else {
			decoded[used++] = text[i];
		}
	}
	return used;
}

bool token_parse(char token[TOKEN_TEXT_SIZE], const char *extension, size_t size)
{
	char decoded[TOKEN_EXTENSION_MAX];
	const char *last = NULL;
	size_t start = 0;

	if (size < TOKEN_LENGTH || size > sizeof(decoded))
		return false;
	size = decode(decoded, extension, size);
	while (start < size && g_ascii_ispunct(decoded[start]))
		start++;
	while (size > start && g_ascii_ispunct(decoded[size - 1]))
		size--;
	if (size - start != TOKEN_LENGTH)
		return false;
	for (size_t i = 0; i < TOKEN_LENGTH; i++) {
		char c = g_ascii_tolower(decoded[start + i]);

		last = c != '\0' ? strchr(ALPHABET, c) : NULL;
		if (last == NULL)
			return false;
		token[i] = c;
	}
	token[TOKEN_LENGTH] = '\0';
	return ((last - ALPHABET) & UNUSED_BITS_MASK) == 0;
}

void token_hash(const char token[TOKEN_TEXT_SIZE], unsigned char hash[TOKEN_HASH_SIZE])
{
	sha256_of(token, TOKEN_LENGTH, hash);
}

bool token_hash_equal(const unsigned char a[TOKEN_HASH_SIZE],
		      const unsigned char b[TOKEN_HASH_SIZE])
{
	unsigned char different = 0;

	for (size_t i = 0; i < TOKEN_HASH_SIZE; i++)
		different |= a[i] ^ b[i];
	return different == 0;
}

static bool has_secret(const char *text)
{
	size_t run = 0;

	for (; *text != '\0'; text++) {
		run = g_ascii_isalnum(*text) ? run + 1 : 0;
		if (run == SECRET_RUN)
			return true;
	}
	return false;
}

char *token_mask(const char *delimiters, const char *address, bool all)
{
	g_autofree char *extension = route_mailbox_hash(delimiters, address);
	const char *at = strrchr(address, '@');

	if (*extension == '\0' || !(all || has_secret(extension)))
		return g_strdup(address);
	size_t before = (at != NULL ? (size_t)(at - address) : strlen(address)) - strlen(extension);

	return g_strdup_printf("%.*s%s%s", (int)before, address, MASKED, at != NULL ? at : "");
}

size_t token_blot(char *text, size_t size, const char token[TOKEN_TEXT_SIZE])
{
	size_t found = 0;

	for (size_t i = 0; i + TOKEN_LENGTH <= size; i++) {
		if (g_ascii_strncasecmp(text + i, token, TOKEN_LENGTH) != 0)
			continue;
		memset(text + i, '*', TOKEN_LENGTH);
		i += TOKEN_LENGTH - 1;
		found++;
	}
	return found;
}
