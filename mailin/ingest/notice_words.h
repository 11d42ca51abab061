/*
 * The words of a notice that no template makes: its language, times, lines.
 */
#ifndef MAILIN_INGEST_NOTICE_WORDS_H
#define MAILIN_INGEST_NOTICE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"

/* The locale of whoever wrote a mail with these headers: the first one of Accept-Language, else of
 * Content-Language (RFC 4021, RFC 8255), else `otherwise`.  "" if none of them is one; g_free() it.
 */
char *notice_words_locale(const struct wire *headers, const char *otherwise);

/* Is "de-AT" German: language "de"? */
bool notice_words_is_language(const char *locale, const char *language);

/* Milliseconds since 1970 in this host's time zone: "Sunday, 22 November 2026, 15:55 CET" in
 * English, which also is for no locale; likewise in German; "2026-11-22 15:55 CET" in others.  NULL
 * if it is no time; g_free() it. */
char *notice_words_time(int64_t ms, const char *locale);

/* Bytes, rounded down: "10 MB", "2.5 MB" (in German "2,5 MB"), "200 KB", "900 bytes" ("Byte"); a MB
 * has 1024 KB, as in the config.  g_free() it. */
char *notice_words_size(int64_t bytes, const char *locale);

/* One line of at most NOTICE_LINE_MAX characters without control characters; g_free() it. */
enum { NOTICE_LINE_MAX = 200 };
char *notice_words_line(const char *text);

#endif
