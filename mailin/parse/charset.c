#include "mailin/parse/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "mailin/parse/charset_decode.h"
#include "mailin/parse/charset_table.h"

#define NOT_OPEN ((iconv_t)-1)

enum {
	LABELS_MAX = 65536,       /* different from the one before, in one mail */
	CANDIDATES_MAX = 1048576, /* "=" that look as if they belonged to one */
	LABEL_BYTES_MAX = 80,
	PARAMETER_SPACE_MAX = 80, /* around "=", folded lines included */
	SHORT_STEP = 16,          /* "=" that stand this near are not worth a memchr() */
	INPUT_STEP = 1024,
	OUTPUT_STEP = 4096,
	BAD_FREE = 1024,    /* bytes that may be bad before the share of them counts */
	BAD_SHARE = 8,      /* one in so many is too much to go on */
	BELIEVED_SHARE = 3, /* one in so many beyond ASCII may be bad, or the label lies */
};

/* Code pages of the names in winmail.dat, which are hidden in base64. */
static const char *const tnef_charsets[] = {
	"windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255",
	"windows-1256", "windows-1257", "windows-1258", "windows-874",  "shift_jis",
	"gb18030",      "big5",         "euc-kr",
};

/* Process-wide, as the sandbox is. */
static struct {
	iconv_t open[CHARSET_COUNT];
	bool tried[CHARSET_COUNT];
	bool sealed; /* charset_preload() was here: open nothing more */
} state;

static iconv_t open_charset(const struct charset *charset)
{
	size_t index = charset_index(charset);

	if (charset->iconv == NULL)
		return NOT_OPEN;
	if (!state.tried[index] && !state.sealed) {
		state.tried[index] = true;
		state.open[index] = iconv_open("UTF-8", charset->iconv);
	}
	return state.tried[index] ? state.open[index] : NOT_OPEN;
}

/* ---- before the sandbox ---- */

static void preload_label(const char *label, size_t size)
{
	const struct charset *charset = charset_find(label, size);

	if (charset != NULL)
		open_charset(charset);
}

void charset_preload_label(const char *label)
{
	preload_label(label, strlen(label));
}

static bool is_label_byte(char c)
{
	return g_ascii_isalnum(c) || strchr("-_.:+", c) != NULL;
}

static size_t label_size(const char *label, const char *end)
{
	size_t size = 0;

	while (label + size < end && size < LABEL_BYTES_MAX && label[size] != '\0' &&
	       is_label_byte(label[size]))
		size++;
	return size;
}

static const char *skip_space(const char *p, const char *end)
{
	for (int i = 0;
	     p < end && i < PARAMETER_SPACE_MAX && strchr(" \t\r\n\"'", *p) != NULL && *p != '\0';
	     i++)
		p++;
	return p;
}

/* Does "charset", "charset*" or "charset*0*", with spaces, end before the equals sign? */
static bool is_charset_parameter(const char *mail, const char *equals)
{
	static const char name[] = "charset";
	size_t end = (size_t)(equals - mail);
	size_t first = end > PARAMETER_SPACE_MAX ? end - PARAMETER_SPACE_MAX : 0;

	while (end > first && mail[end - 1] != '\0' && strchr(" \t\r\n*0", mail[end - 1]) != NULL)
		end--;
	return end >= strlen(name) &&
	       g_ascii_strncasecmp(mail + end - strlen(name), name, strlen(name)) == 0;
}

struct label {
	const char *start;
	size_t size;
};

/* The label that the equals sign belongs to; of no size if it does not. */
static struct label label_at(const char *mail, const char *equals, const char *end)
{
	static const char tnef_name[] = "winmail.dat";
	struct label label = {skip_space(equals + 1, end), 0};

	if (equals + 1 < end && equals[1] == '?') {
		label.start = equals + 2;
		label.size = label_size(label.start, end);
	} else if (equals > mail && is_charset_parameter(mail, equals)) {
		/* <meta charset=...> in quoted-printable */
		if (end - label.start > 2 && memcmp(label.start, "3D", 2) == 0)
			label.start = skip_space(label.start + 2, end);
		label.size = label_size(label.start, end);
		/* "us-ascii'en'koi8-r": the value's own charset, its language, the value */
		const char *quote = label.start + label.size;
		if (quote < end && *quote == '\'')
			quote = memchr(quote + 1, '\'',
				       (size_t)MIN(end - quote - 1, LABEL_BYTES_MAX));
		else
			quote = NULL;
		if (quote != NULL) {
			label.start = quote + 1;
			label.size = label_size(label.start, end);
		}
	} else if (equals > mail && equals[-1] == '*') {
		label.size = label_size(label.start, end);
		if (label.start + label.size < end && label.start[label.size] != '\'')
			label.size = 0;
	} else if ((size_t)(end - label.start) >= strlen(tnef_name) &&
		   g_ascii_strncasecmp(label.start, tnef_name, strlen(tnef_name)) == 0) {
		for (size_t i = 0; i < G_N_ELEMENTS(tnef_charsets); i++)
			preload_label(tnef_charsets[i], strlen(tnef_charsets[i]));
	}
	return label;
}

/* memchr() is fastest over base64, a plain loop in quoted-printable. */
static const char *next_equals(const char *p, const char *end)
{
	const char *near = end - p > SHORT_STEP ? p + SHORT_STEP : end;

	for (; p < near; p++)
		if (*p == '=')
			return p;
	return p < end ? memchr(p, '=', (size_t)(end - p)) : NULL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cheap, and false for nearly all of quoted-printable's. */
static bool is_candidate(const char *mail, const char *equals, const char *end)
{
	char next = (char)(equals + 1 < end ? equals[1] : '\0');
	char before = (char)(equals > mail ? equals[-1] : '\0');

	if (next == '?' || before == 't' || before == 'T' || before == '*')
		return true;
	if (g_ascii_isxdigit(next))
		return false;
	return is_space(before) || next == '"' || next == 'w' || next == 'W' || is_space(next);
}

static void scan(const char *mail, size_t size)
{
	const char *end = mail + size;
	struct label last = {mail, 0};
	int candidates = 0;
	int labels = 0;

	for (const char *p = mail; (p = next_equals(p, end)) != NULL; p++) {
		if (!is_candidate(mail, p, end))
			continue;
		struct label label = label_at(mail, p, end);
		if (++candidates > CANDIDATES_MAX || labels > LABELS_MAX)
			return;
		if (label.size == 0 ||
		    (label.size == last.size && memcmp(label.start, last.start, last.size) == 0))
			continue;
		preload_label(label.start, label.size);
		last = label;
		labels++;
	}
}

void charset_preload(const char *mail, size_t size)
{
	scan(mail, size);
	state.sealed = true;
}

void charset_deinit(void)
{
	for (size_t i = 0; i < CHARSET_COUNT; i++)
		if (state.tried[i] && state.open[i] != NOT_OPEN)
			iconv_close(state.open[i]);
	memset(&state, 0, sizeof(state));
}

/* ---- conversion ---- */

static bool is_ascii(const char *bytes, size_t size)
{
	size_t i = 0;

	for (; size - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, bytes + i, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			return false;
	}
	for (; i < size; i++)
		if (((unsigned char)bytes[i] & 0x80) != 0)
			return false;
	return true;
}

/* Those whose first byte is `first` or more. */
static size_t count_characters(const GString *text, unsigned char first)
{
	size_t count = 0;

	for (size_t i = 0; i < text->len; i++) {
		unsigned char c = (unsigned char)text->str[i];

		count += c >= first && (c & 0xC0) != 0x80;
	}
	return count;
}

static void append_without_nul(GString *out, const char *text, size_t size, size_t *bad)
{
	while (size > 0) {
		const char *nul = memchr(text, '\0', size);
		size_t part = nul != NULL ? (size_t)(nul - text) : size;

		g_string_append_len(out, text, (gssize)part);
		if (nul == NULL)
			return;
		g_string_append(out, CHARSET_REPLACEMENT);
		++*bad;
		text += part + 1;
		size -= part + 1;
	}
}

/* One step; false if it made none. */
static bool convert_some(iconv_t cd, char **in, size_t *left, GString *out, size_t *bad)
{
	char buffer[OUTPUT_STEP];
	char *to = buffer;
	size_t room = sizeof(buffer);
	size_t some = MIN(*left, INPUT_STEP);
	size_t before = some;
	size_t result = iconv(cd, in, &some, &to, &room);
	bool illegal = result == (size_t)-1 && errno == EILSEQ;

	*left -= before - some;
	append_without_nul(out, buffer, sizeof(buffer) - room, bad);
	return !illegal && (some < before || room < sizeof(buffer));
}

/* All of it, unless so much is bad that it must be something else: then false. */
static bool decode_iconv(iconv_t cd, const char *bytes, size_t size, GString *out, size_t *bad)
{
	char *in = (char *)bytes; /* iconv() does not write there, in spite of its prototype */
	size_t left = size;

	iconv(cd, NULL, NULL, NULL, NULL);
	while (left > 0) {
		if (convert_some(cd, &in, &left, out, bad) || left == 0)
			continue;
		g_string_append(out, CHARSET_REPLACEMENT);
		in++;
		left--;
		if (++*bad > BAD_FREE && *bad > (size - left) / BAD_SHARE)
			return false;
	}
	/* Characters that wait for a combining one (windows-1258, TCVN). */
	char rest[OUTPUT_STEP];
	char *to = rest;
	size_t room = sizeof(rest);
	iconv(cd, NULL, NULL, &to, &room);
	append_without_nul(out, rest, sizeof(rest) - room, bad);
	return true;
}

/* No byte order mark: zero bytes are the high halves of ASCII's characters. */
static bool guess_big_endian(const char *bytes, size_t size, size_t width)
{
	size_t first = 0;
	size_t last = 0;

	for (size_t i = 0; size - i >= width; i += width) {
		first += bytes[i] == 0;
		last += bytes[i + width - 1] == 0;
	}
	return first > last;
}

static bool has_prefix(const char *bytes, size_t size, const char *prefix, size_t prefix_size)
{
	return size >= prefix_size && memcmp(bytes, prefix, prefix_size) == 0;
}

static bool decode_utf32_any(const char *bytes, size_t size, GString *out, size_t *bad)
{
	bool big = !has_prefix(bytes, size, "\xFF\xFE\0\0", 4) &&
		   (has_prefix(bytes, size, "\0\0\xFE\xFF", 4) || guess_big_endian(bytes, size, 4));

	charset_decode_utf32(bytes, size, big, out, bad);
	return true;
}

static bool decode_through(const struct charset *charset, const char *bytes, size_t size,
			   void (*step)(const char *, size_t, GString *), GString *out, size_t *bad)
{
	g_autoptr(GString) between = g_string_sized_new(size);
	iconv_t cd = open_charset(charset);

	if (cd == NOT_OPEN)
		return false;
	step(bytes, size, between);
	return decode_iconv(cd, between->str, between->len, out, bad);
}

/* False if the charset is not there or certainly not this one. */
static bool decode(const struct charset *charset, const char *bytes, size_t size, GString *out,
		   size_t *bad)
{
	iconv_t cd;

	switch (charset->kind) {
	case CHARSET_ASCII:
		return false; /* eight-bit bytes are here, or the text would have been copied */
	case CHARSET_UTF8:
		charset_decode_utf8(bytes, size, out, bad);
		return true;
	case CHARSET_WESTERN:
		charset_decode_western(bytes, size, out, bad);
		return true;
	case CHARSET_UTF16:
		charset_decode_utf16(bytes, size, guess_big_endian(bytes, size, 2), out, bad);
		return true;
	case CHARSET_UTF16LE:
	case CHARSET_UTF16BE:
		charset_decode_utf16(bytes, size, charset->kind == CHARSET_UTF16BE, out, bad);
		return true;
	case CHARSET_UTF32:
		return decode_utf32_any(bytes, size, out, bad);
	case CHARSET_UTF32LE:
	case CHARSET_UTF32BE:
		charset_decode_utf32(bytes, size, charset->kind == CHARSET_UTF32BE, out, bad);
		return true;
	case CHARSET_ISO_2022_JP:
		return decode_through(charset, bytes, size, charset_iso_2022_jp_to_euc, out, bad);
	case CHARSET_HZ:
		return decode_through(charset, bytes, size, charset_hz_to_gb, out, bad);
	case CHARSET_SEVEN_BIT:
	case CHARSET_EIGHT_BIT:
		cd = open_charset(charset);
		return cd != NOT_OPEN && decode_iconv(cd, bytes, size, out, bad);
	}
	return false;
}

/* A byte order mark is the best label; UTF-32's begins like UTF-16's and has to be named. */
static const struct charset *charset_of(const char *label, const char *bytes, size_t size)
{
	const struct charset *named = label == NULL || *label == '\0'
					      ? charset_find("us-ascii", strlen("us-ascii"))
					      : charset_find(label, strlen(label));
	const char *marked = NULL;

	if (named != NULL && named->kind >= CHARSET_UTF32 && named->kind <= CHARSET_UTF32BE)
		return named;
	if (has_prefix(bytes, size, "\xEF\xBB\xBF", 3))
		marked = "utf-8";
	else if (has_prefix(bytes, size, "\xFF\xFE", 2))
		marked = "utf-16le";
	else if (has_prefix(bytes, size, "\xFE\xFF", 2))
		marked = "utf-16be";
	return marked != NULL ? charset_find(marked, strlen(marked)) : named;
}

static bool is_wide(const struct charset *charset)
{
	return charset->kind >= CHARSET_UTF16 && charset->kind <= CHARSET_UTF32BE;
}

static bool is_seven_bit(const struct charset *charset)
{
	return charset->kind == CHARSET_ISO_2022_JP || charset->kind == CHARSET_HZ ||
	       charset->kind == CHARSET_SEVEN_BIT;
}

/* UTF-8, which has no NUL here, where the label wants zero bytes in between or seven bits. */
static bool is_certainly_utf8(const struct charset *charset, bool ascii, const char *bytes,
			      size_t size)
{
	return (is_wide(charset) || (is_seven_bit(charset) && !ascii)) &&
	       g_utf8_validate_len(bytes, size, NULL);
}

/* Is a text of ASCII's bytes itself in this charset? */
static bool keeps_ascii(const struct charset *charset)
{
	return charset == NULL || charset->kind == CHARSET_ASCII || charset->kind == CHARSET_UTF8 ||
	       charset->kind == CHARSET_WESTERN || charset->kind == CHARSET_EIGHT_BIT;
}

/* As the label says.  False: not to be believed. */
static bool decode_as_told(const struct charset *charset, const char *bytes, size_t size,
			   GString *out, size_t *bad)
{
	bool ascii = is_ascii(bytes, size);

	if (ascii && keeps_ascii(charset)) {
		append_without_nul(out, bytes, size, bad);
		return true;
	}
	if (charset == NULL || is_certainly_utf8(charset, ascii, bytes, size))
		return false;
	if (!decode(charset, bytes, size, out, bad))
		return false;
	if (*bad == 0 || charset->kind == CHARSET_WESTERN)
		return true;
	size_t all = is_wide(charset) ? count_characters(out, 0) : count_characters(out, 0x80);
	return *bad * BELIEVED_SHARE <= all;
}

static void decode_by_guess(const char *bytes, size_t size, GString *out)
{
	size_t bad = 0;

	if (g_utf8_validate_len(bytes, size, NULL))
		charset_decode_utf8(bytes, size, out, &bad);
	else
		charset_decode_western(bytes, size, out, &bad);
}

char *charset_to_utf8(const char *label, const char *bytes, size_t size, size_t *out_size,
		      bool *wrong)
{
	static const char mark[] = "\xEF\xBB\xBF";
	const struct charset *charset = charset_of(label, bytes, size);
	GString *out = g_string_sized_new(size + 1);
	size_t bad = 0;

	*wrong = charset == NULL;
	if (!decode_as_told(charset, bytes, size, out, &bad)) {
		*wrong = true;
		g_string_truncate(out, 0);
		decode_by_guess(bytes, size, out);
	}
	*wrong = *wrong || bad > 0;
	if (has_prefix(out->str, out->len, mark, strlen(mark)))
		g_string_erase(out, 0, (gssize)strlen(mark));
	*out_size = out->len;
	return g_string_free(out, FALSE);
}
