#include "mailin/parse/encoded_word.h"

#include "mailin/parse/charset.h"
#include "mailin/parse/transfer.h"

struct word {
	struct span charset; /* without the language of RFC 2231, 5 */
	bool base64;
	struct span payload;
	const char *end;
};

struct decoder {
	GString *out;
	GString *pending;       /* decoded bytes of neighbouring words, not converted yet */
	struct span charset;    /* of pending */
	const char *terminator; /* the first "?=" at or after where it was last looked for */
	const char *hint;
	bool recode;
	struct defects *defects;
};

static const char *find_terminator(struct decoder *d, const char *from, const char *end)
{
	/* Remembered, for many beginnings may share one far end. */
	if (d->terminator == NULL || d->terminator < from) {
		d->terminator = from < end ? memmem(from, (size_t)(end - from), "?=", 2) : NULL;
		if (d->terminator == NULL)
			d->terminator = end;
	}
	return d->terminator < end ? d->terminator : NULL;
}

static bool is_charset_char(char c)
{
	return g_ascii_isalnum(c) || strchr("-_.:+()", c) != NULL;
}

static bool is_base64_payload(struct span payload)
{
	for (size_t i = 0; i < payload.size; i++) {
		char c = payload.data[i];
		if (!g_ascii_isalnum(c) && c != '+' && c != '/' && c != '=' && !is_space(c))
			return false;
	}
	return true;
}

/* "=?charset*language?encoding?payload?=" at p. */
static bool read_word(struct decoder *d, const char *p, const char *end, struct word *word)
{
	enum { LABEL_MAX = 64 };
	const char *limit = end - p > LABEL_MAX ? p + LABEL_MAX : end;

	p += strlen("=?");
	word->charset.data = p;
	while (p < limit && is_charset_char(*p) && *p != '\0')
		p++;
	word->charset.size = (size_t)(p - word->charset.data);
	if (p < limit && *p == '*')
		while (p < limit && *p != '?')
			p++;
	if (word->charset.size == 0 || end - p < 3 || p[0] != '?' || p[2] != '?')
		return false;
	if (strchr("bBqQ", p[1]) == NULL || p[1] == '\0')
		return false;
	word->base64 = g_ascii_tolower(p[1]) == 'b';
	p += strlen("?B?");
	const char *terminator = find_terminator(d, p, end);
	if (terminator == NULL)
		return false;
	word->payload.data = p;
	word->payload.size = (size_t)(terminator - p);
	word->end = terminator + strlen("?=");
	return !word->base64 || is_base64_payload(word->payload);
}

static void decode_q(GString *out, struct span payload)
{
	for (size_t i = 0; i < payload.size; i++) {
		char c = payload.data[i];
		if (c == '=' && payload.size - i > 2 && g_ascii_isxdigit(payload.data[i + 1]) &&
		    g_ascii_isxdigit(payload.data[i + 2])) {
			c = (char)(g_ascii_xdigit_value(payload.data[i + 1]) << 4 |
				   g_ascii_xdigit_value(payload.data[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		g_string_append_c(out, c);
	}
}

static void decode_b(GString *out, struct span payload)
{
	size_t before = out->len;

	g_string_set_size(out, before + transfer_base64_room(payload.size));
	g_string_set_size(out, before + transfer_base64(payload, out->str + before));
}

static void append_text(struct decoder *d, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		g_string_append_c(d->out, g_ascii_iscntrl(text[i]) ? ' ' : text[i]);
}

static void flush_words(struct decoder *d)
{
	if (d->pending->len == 0)
		return;
	size_t size;
	bool wrong = false;
	g_autofree char *label = g_strndup(d->charset.data, d->charset.size);
	g_autofree char *text =
		charset_to_utf8(label, d->pending->str, d->pending->len, &size, &wrong);
	if (wrong)
		defect_note(d->defects, DEFECT_HEADER_CHARSET);
	if (d->recode && size > 0) {
		g_autofree char *base64 = g_base64_encode((const guchar *)text, size);
		g_string_append_printf(d->out, "=?UTF-8?B?%s?=", base64);
	} else {
		append_text(d, text, size);
	}
	g_string_truncate(d->pending, 0);
}

static void add_word(struct decoder *d, const struct word *word)
{
	bool same = word->charset.size == d->charset.size &&
		    g_ascii_strncasecmp(word->charset.data, d->charset.data, d->charset.size) == 0;
	if (!same)
		flush_words(d);
	d->charset = word->charset;
	if (word->base64)
		decode_b(d->pending, word->payload);
	else
		decode_q(d->pending, word->payload);
}

static void add_raw(struct decoder *d, const char *text, size_t size)
{
	bool ascii = true;
	for (size_t i = 0; i < size && ascii; i++)
		ascii = (signed char)text[i] > 0 && text[i] != '\033';
	if (ascii) {
		append_text(d, text, size);
		return;
	}
	size_t out_size;
	bool wrong = false;
	bool utf8 = g_utf8_validate(text, (gssize)size, NULL); /* RFC 6532 allows it */
	bool escapes = memchr(text, '\033', size) != NULL;
	const char *label = utf8 && !escapes ? "utf-8" : d->hint;
	if (!utf8)
		defect_note(d->defects, DEFECT_HEADER_8BIT);
	g_autofree char *decoded = charset_to_utf8(label, text, size, &out_size, &wrong);
	append_text(d, decoded, out_size);
}

/* RFC 5322, 2.2.3: without the line ends; a fold is one space, whatever blanks it has. */
static GString *unfold(struct span value, struct defects *defects)
{
	GString *line = g_string_sized_new(value.size + 1);

	value = span_trim(value);
	for (size_t i = 0; i < value.size; i++) {
		char c = value.data[i];
		if (c == '\r' || c == '\n') {
			while (i + 1 < value.size && is_space(value.data[i + 1]))
				i++;
			c = ' ';
		} else if (c == '\0') {
			defect_note(defects, DEFECT_NUL);
			c = ' ';
		}
		g_string_append_c(line, c);
	}
	return line;
}

static bool all_blank(const char *from, const char *to)
{
	while (from < to && is_blank(*from))
		from++;
	return from == to;
}

static void decode(struct decoder *d, const char *p, const char *end)
{
	const char *raw = p; /* text that is not out yet begins here */
	struct word word;

	while (p < end) {
		p = memmem(p, (size_t)(end - p), "=?", 2);
		if (p == NULL)
			break;
		if (!read_word(d, p, end, &word)) {
			defect_note(d->defects, DEFECT_ENCODED_WORD);
			p += strlen("=?");
			continue;
		}
		/* Blanks between words are only there to fold (RFC 2047, 6.2). */
		if (d->pending->len == 0 || !all_blank(raw, p)) {
			flush_words(d);
			add_raw(d, raw, (size_t)(p - raw));
		}
		add_word(d, &word);
		p = raw = word.end;
	}
	flush_words(d);
	add_raw(d, raw, (size_t)(end - raw));
}

static char *run(struct span value, const char *hint, bool recode, struct defects *defects)
{
	GString *line = unfold(value, defects);
	struct decoder d = {
		.out = g_string_sized_new(line->len + 1),
		.pending = g_string_new(NULL),
		.hint = hint,
		.recode = recode,
		.defects = defects,
	};

	decode(&d, line->str, line->str + line->len);
	g_string_free(line, TRUE);
	g_string_free(d.pending, TRUE);
	return g_string_free(d.out, FALSE);
}

char *encoded_word_decode(struct span value, const char *hint, struct defects *defects)
{
	return run(value, hint, false, defects);
}

char *encoded_word_recode(struct span value, const char *hint, struct defects *defects)
{
	return run(value, hint, true, defects);
}
