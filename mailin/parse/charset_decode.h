/*
 * The decoders that iconv does not do, or not as mail needs them.
 *
 * Each appends to `out`; a byte (or 16 or 32 bit unit) that means nothing is counted in *bad and
 * gives one U+FFFD.
 */
#ifndef MAILIN_PARSE_CHARSET_DECODE_H
#define MAILIN_PARSE_CHARSET_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#define CHARSET_REPLACEMENT "\xEF\xBF\xBD"

void charset_decode_utf8(const char *bytes, size_t size, GString *out, size_t *bad);
void charset_decode_western(const char *bytes, size_t size, GString *out, size_t *bad);
void charset_decode_utf16(const char *bytes, size_t size, bool big, GString *out, size_t *bad);
void charset_decode_utf32(const char *bytes, size_t size, bool big, GString *out, size_t *bad);

/*
 * RFC 1468, RFC 2237 (JIS X 0212), and what Windows and Japanese mailers add: half-width katakana
 * by ESC ( I, SO or the eighth bit, NEC's and IBM's rows.  Appends EUC-JP; what means nothing
 * becomes 0xFF, which EUC-JP does not have.
 */
void charset_iso_2022_jp_to_euc(const char *bytes, size_t size, GString *out);

/* RFC 1843 to GB 2312 in its eight-bit form. */
void charset_hz_to_gb(const char *bytes, size_t size, GString *out);

#endif
