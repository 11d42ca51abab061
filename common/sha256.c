#include "common/sha256.h"

#include <glib.h>
#include <nettle/sha2.h>
#include <string.h>

void sha256_of(const void *data, size_t size, unsigned char digest[SHA256_SIZE])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, size, data);
	sha256_digest(&context, SHA256_SIZE, digest);
}

char *sha256_text(const unsigned char digest[SHA256_SIZE], char text[SHA256_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_SIZE; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[SHA256_TEXT_SIZE - 1] = '\0';
	return text;
}

int sha256_parse(unsigned char digest[SHA256_SIZE], const char *text)
{
	if (strlen(text) != SHA256_TEXT_SIZE - 1)
		return -1;
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		int high = g_ascii_xdigit_value(text[2 * i]);
		int low = g_ascii_xdigit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		digest[i] = (unsigned char)(high * 16 + low);
	}
	return 0;
}

unsigned int sha256_hash(const void *digest)
{
	unsigned int hash;

	memcpy(&hash, digest, sizeof(hash));
	return hash;
}

int sha256_equal(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_SIZE) == 0;
}
