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

/* The next character with its percent-encoding decoded, once; a '%' that begins none is one. */
static char next_character(const char **at, const char *end)
{
	const char *text = *at;
	int high = end - text > 2 ? g_ascii_xdigit_value(text[1]) : -1;
	int low = high >= 0 ? g_ascii_xdigit_value(text[2]) : -1;

	if (*text == '%' && low >= 0) {
		*at += strlen("%2B");
		return (char)(high << 4 | low);
	}
	(*at)++;
	return *text;
}

bool token_parse(char token[TOKEN_TEXT_SIZE], const char *extension, size_t size)
{
	const char *end = extension + size;
	const char *found = NULL; /* the last character's place in the alphabet */
	size_t used = 0;
	bool over = false;

	while (extension < end) {
		char c = g_ascii_tolower(next_character(&extension, end));

		if (g_ascii_ispunct(c)) {
			over = used > 0;
			continue;
		}
		found = c != '\0' ? strchr(ALPHABET, c) : NULL;
		if (found == NULL || over || used == TOKEN_LENGTH)
			return false;
		token[used++] = c;
	}
	token[used] = '\0';
	return used == TOKEN_LENGTH && ((found - ALPHABET) & UNUSED_BITS_MASK) == 0;
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
	const char *end = text + strlen(text);
	size_t run = 0;

	while (text < end) {
		run = g_ascii_isalnum(next_character(&text, end)) ? run + 1 : 0;
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
