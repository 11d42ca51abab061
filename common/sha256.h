/*
 * SHA-256 (FIPS 180-4), by nettle.
 */
#ifndef COMMON_SHA256_H
#define COMMON_SHA256_H

#include <stddef.h>

enum { SHA256_SIZE = 32, SHA256_TEXT_SIZE = 65 };

void sha256_of(const void *data, size_t size, unsigned char digest[SHA256_SIZE]);

/* Lower case hexadecimal; returns text. */
char *sha256_text(const unsigned char digest[SHA256_SIZE], char text[SHA256_TEXT_SIZE]);

/* Exactly 64 hexadecimal characters. 0, or -1. */
int sha256_parse(unsigned char digest[SHA256_SIZE], const char *text);

/* For hash tables with a digest as key.  (Not for secrets: it takes as long as they are equal.) */
unsigned int sha256_hash(const void *digest);
int sha256_equal(const void *a, const void *b);

#endif
