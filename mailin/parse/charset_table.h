/*
 * The charsets that mail uses, and their names.
 */
#ifndef MAILIN_PARSE_CHARSET_TABLE_H
#define MAILIN_PARSE_CHARSET_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum charset_kind {
	CHARSET_ASCII,
	CHARSET_UTF8,
	CHARSET_WESTERN, /* windows-1252 */
	CHARSET_UTF16,   /* by its byte order mark, or guessed */
	CHARSET_UTF16LE,
	CHARSET_UTF16BE,
	CHARSET_UTF32,
	CHARSET_UTF32LE,
	CHARSET_UTF32BE,
	CHARSET_ISO_2022_JP, /* to EUC-JP first, which iconv then reads */
	CHARSET_HZ,          /* to GB18030 first */
	CHARSET_SEVEN_BIT,   /* iconv; ASCII's characters may mean others */
	CHARSET_EIGHT_BIT, /* iconv; ASCII's characters mean themselves as long as all are ASCII */
};

enum { CHARSET_COUNT = 68 };

struct charset {
	const char *iconv; /* glibc's name for what is left to iconv; NULL if nothing is */
	enum charset_kind kind;
};

/* By label, in any spelling; NULL if mail does not use it. */
const struct charset *charset_find(const char *label, size_t size);

/* 0 to CHARSET_COUNT - 1. */
size_t charset_index(const struct charset *charset);

/* For the unit test. */
bool charset_table_is_sorted(void);

#endif
