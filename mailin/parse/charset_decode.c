#include "mailin/parse/charset_decode.h"

#include <string.h>

enum { ESC = 0x1B, SHIFT_OUT = 0x0E, SHIFT_IN = 0x0F };

enum {
	EIGHTH_BIT = 0x80,
	EUC_SINGLE_SHIFT_2 = 0x8E, /* before a half-width katakana */
	EUC_SINGLE_SHIFT_3 = 0x8F, /* before a character of JIS X 0212 */
	EUC_NOTHING = 0xFF,
	GRAPHIC_FIRST = 0x21, /* of a 94-character set */
	GRAPHIC_LAST = 0x7E,
	KATAKANA_LAST = 0x5F,
};

/* 0x80 to 0x9F; 0: not assigned. */
static const uint16_t western_c1[] = {
	0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
	0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
	0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static void append_bad(GString *out, size_t *bad)
{
	g_string_append(out, CHARSET_REPLACEMENT);
	++*bad;
}

void charset_decode_utf8(const char *bytes, size_t size, GString *out, size_t *bad)
{
	while (size > 0) {
		const char *end;

		if (g_utf8_validate_len(bytes, size, &end)) {
			g_string_append_len(out, bytes, (gssize)size);
			return;
		}
		g_string_append_len(out, bytes, end - bytes);
		size -= (size_t)(end - bytes);
		bytes = end;
		append_bad(out, bad);
		bytes++;
		size--;
	}
}

void charset_decode_western(const char *bytes, size_t size, GString *out, size_t *bad)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == 0 || (c >= 0x80 && c < 0xA0 && western_c1[c - 0x80] == 0))
			append_bad(out, bad);
		else if (c < 0x80)
			g_string_append_c(out, (char)c);
		else
			g_string_append_unichar(out, c < 0xA0 ? western_c1[c - 0x80] : c);
	}
}

static uint32_t unit(const unsigned char *bytes, size_t size, bool big)
{
	uint32_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[big ? i : size - 1 - i];
	return value;
}

static void append_code_point(GString *out, uint32_t c, size_t *bad)
{
	if (c != 0 && g_unichar_validate(c))
		g_string_append_unichar(out, c);
	else
		append_bad(out, bad);
}

void charset_decode_utf16(const char *bytes, size_t size, bool big, GString *out, size_t *bad)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t i = 0;

	for (; size - i >= 2; i += 2) {
		uint32_t c = unit(p + i, 2, big);

		if ((c & 0xFC00) == 0xD800 && size - i >= 4) {
			uint32_t low = unit(p + i + 2, 2, big);

			if ((low & 0xFC00) == 0xDC00) {
				c = 0x10000 + ((c & 0x3FF) << 10) + (low & 0x3FF);
				i += 2;
			}
		}
		append_code_point(out, c, bad);
	}
	if (i < size)
		append_bad(out, bad);
}

void charset_decode_utf32(const char *bytes, size_t size, bool big, GString *out, size_t *bad)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t i = 0;

	for (; size - i >= 4; i += 4)
		append_code_point(out, unit(p + i, 4, big), bad);
	if (i < size)
		append_bad(out, bad);
}

/* ISO 2022's character sets that stand for themselves, in pairs, or one of them after a single
 * shift. */
enum set { SET_ASCII, SET_KATAKANA, SET_KANJI, SET_KANJI_2 };

static const struct escape {
	const char *sequence;
	enum set set;
} escapes[] = {
	{"(B", SET_ASCII},  {"(J", SET_ASCII},    {"(H", SET_ASCII},  {"(I", SET_KATAKANA},
	{"$@", SET_KANJI},  {"$B", SET_KANJI},    {"$(@", SET_KANJI}, {"$(B", SET_KANJI},
	{"$(O", SET_KANJI}, /* JIS X 0213 extends 0208 */
	{"$(Q", SET_KANJI}, {"$(D", SET_KANJI_2},
};

/* ESC & @ announces the newer JIS X 0208, which everybody means anyway. */
#define ESCAPE_ANNOUNCE "&@"

/* Bytes of the escape sequence after ESC; 0 if it is none. */
static size_t read_escape(const char *bytes, size_t size, enum set *set)
{
	if (size >= strlen(ESCAPE_ANNOUNCE) &&
	    memcmp(bytes, ESCAPE_ANNOUNCE, strlen(ESCAPE_ANNOUNCE)) == 0)
		return strlen(ESCAPE_ANNOUNCE);
	for (size_t i = 0; i < G_N_ELEMENTS(escapes); i++) {
		size_t length = strlen(escapes[i].sequence);

		if (size >= length && memcmp(bytes, escapes[i].sequence, length) == 0) {
			*set = escapes[i].set;
			return length;
		}
	}
	return 0;
}

static void append_euc(GString *out, unsigned char shift, unsigned char c)
{
	g_string_append_c(out, (char)shift);
	g_string_append_c(out, (char)(c | EIGHTH_BIT));
}

static bool is_graphic(unsigned char c)
{
	return c >= GRAPHIC_FIRST && c <= GRAPHIC_LAST;
}

/* One character of the set that is shifted in; the number of bytes it took. */
static size_t append_japanese(const unsigned char *p, size_t size, enum set set, GString *out)
{
	unsigned char c = p[0];

	if (c > 0xA0 && c <= (KATAKANA_LAST | EIGHTH_BIT)) {
		append_euc(out, EUC_SINGLE_SHIFT_2, c);
		return 1;
	}
	if (c >= EIGHTH_BIT) {
		g_string_append_c(out, (char)EUC_NOTHING);
		return 1;
	}
	if (set == SET_ASCII || !is_graphic(c)) {
		g_string_append_c(out, (char)c);
		return 1;
	}
	if (set == SET_KATAKANA && c <= KATAKANA_LAST) {
		append_euc(out, EUC_SINGLE_SHIFT_2, c);
		return 1;
	}
	if (set == SET_KATAKANA || size < 2 || !is_graphic(p[1])) {
		g_string_append_c(out, (char)EUC_NOTHING);
		return 1;
	}
	if (set == SET_KANJI_2)
		g_string_append_c(out, (char)EUC_SINGLE_SHIFT_3);
	append_euc(out, c | EIGHTH_BIT, p[1]);
	return 2;
}

void charset_iso_2022_jp_to_euc(const char *bytes, size_t size, GString *out)
{
	enum set set = SET_ASCII;
	bool shifted = false;

	for (size_t i = 0; i < size;) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == ESC) {
			size_t length = read_escape(bytes + i + 1, size - i - 1, &set);

			if (length == 0)
				g_string_append_c(out, (char)EUC_NOTHING);
			i += 1 + length;
			continue;
		}
		if (c == SHIFT_OUT || c == SHIFT_IN) {
			shifted = c == SHIFT_OUT;
			i++;
			continue;
		}
		/* RFC 1468: lines end in ASCII.  A truncated escape must not spoil the next line.
		 */
		if (c == '\n') {
			set = SET_ASCII;
			shifted = false;
		}
		i += append_japanese((const unsigned char *)bytes + i, size - i,
				     shifted ? SET_KATAKANA : set, out);
	}
}

void charset_hz_to_gb(const char *bytes, size_t size, GString *out)
{
	bool chinese = false;

	for (size_t i = 0; i < size;) {
		unsigned char c = (unsigned char)bytes[i];
		unsigned char next = i + 1 < size ? (unsigned char)bytes[i + 1] : 0;

		if (c == '~' && (next == '{' || next == '}')) {
			chinese = next == '{';
			i += 2;
		} else if (c == '~' && next == '~' && !chinese) {
			g_string_append_c(out, '~');
			i += 2;
		} else if (c == '~' && next == '\n') {
			i += 2;
		} else if (chinese && is_graphic(c) && is_graphic(next)) {
			append_euc(out, c | EIGHTH_BIT, next);
			i += 2;
		} else {
			/* RFC 1843: a line ends in ASCII. */
			chinese = chinese && c != '\n';
			g_string_append_c(out, (char)c);
			i++;
		}
	}
}
