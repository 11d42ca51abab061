#include "mailin/parse/reply_lines.h"

#include <string.h>

#include <glib.h>

enum {
	LINES_FIRST = 64,
	UTF8_INVISIBLE = 3, /* bytes of the longest character that is_space_at() knows */
};

static const char fence[] = "```";

/* ---- characters ---- */

/* Bytes of the white space or invisible character there: no-break spaces, joiners, directions and
 * byte order marks are what clients put around names and times. */
static size_t space_at(const char *p, const char *end)
{
	const unsigned char *c = (const unsigned char *)p;
	size_t left = (size_t)(end - p);

	if (left == 0)
		return 0;
	if (*c == ' ' || (*c >= '\t' && *c <= '\r'))
		return 1;
	if (left >= 2 && c[0] == 0xC2 && (c[1] == 0xA0 || c[1] == 0xAD))
		return 2;
	if (left < UTF8_INVISIBLE)
		return 0;
	if (c[0] == 0xE2 && c[1] == 0x80 &&
	    ((c[2] >= 0x80 && c[2] <= 0x8F) || (c[2] >= 0xA8 && c[2] <= 0xAF)))
		return UTF8_INVISIBLE;
	if (c[0] == 0xE2 && c[1] == 0x81 && c[2] >= 0x9F && c[2] <= 0xAF)
		return UTF8_INVISIBLE;
	if ((c[0] == 0xE3 && c[1] == 0x80 && c[2] == 0x80) ||
	    (c[0] == 0xEF && c[1] == 0xBB && c[2] == 0xBF))
		return UTF8_INVISIBLE;
	return 0;
}

static bool is_visible_space(const char *p, size_t size)
{
	const unsigned char *c = (const unsigned char *)p;

	/* U+200B and what follows it, U+2060 ..., U+FEFF and the soft hyphen have no width. */
	if (size == 2)
		return c[1] == 0xA0;
	if (size < UTF8_INVISIBLE)
		return true;
	if (c[0] == 0xE2 && c[1] == 0x80)
		return c[2] <= 0x8A || c[2] == 0xA8 || c[2] == 0xA9 || c[2] == 0xAF;
	return c[0] == 0xE3 || (c[0] == 0xE2 && c[2] == 0x9F);
}

static const char *skip_space(const char *p, const char *end)
{
	for (size_t size; (size = space_at(p, end)) > 0;)
		p += size;
	return p;
}

/* The other way. */
static const char *trim_space(const char *start, const char *end)
{
	while (end > start) {
		size_t size = 1;

		while (size < UTF8_INVISIBLE && end - size > start &&
		       ((unsigned char)end[-(ptrdiff_t)size] & 0xC0) == 0x80)
			size++;
		if (space_at(end - size, end) != size)
			break;
		end -= size;
	}
	return end;
}

/* ---- lines ---- */

static enum reply_line_kind kind_of(const char *start, const char *end)
{
	if (start == end)
		return REPLY_BLANK;
	return *start == '>' ? REPLY_QUOTE : REPLY_TEXT;
}

/* A fence without its other end is none. */
static void mark_code(struct reply_lines *lines, size_t fences)
{
	bool within = false;

	if (fences < 2)
		return;
	for (size_t i = 0; i < lines->count; i++) {
		struct reply_line *line = &lines->line[i];
		bool is_fence = line->end - line->text >= strlen(fence) &&
				memcmp(lines->text + line->text, fence, strlen(fence)) == 0;

		if (is_fence && --fences == 0 && !within)
			return;
		if (is_fence)
			within = !within;
		if (within || is_fence)
			line->kind = REPLY_CODE;
	}
}

bool reply_lines_init(struct reply_lines *lines, const char *text, size_t size)
{
	GArray *array = g_array_sized_new(FALSE, FALSE, sizeof(struct reply_line), LINES_FIRST);
	const char *stop = text + size;
	size_t fences = 0;
	bool fits = size < UINT32_MAX;

	for (const char *p = text; fits && p < stop;) {
		const char *newline = memchr(p, '\n', (size_t)(stop - p));
		const char *end = newline != NULL ? newline : stop;
		const char *first = skip_space(p, end);
		const char *last = trim_space(first, end);
		const struct reply_line line = {(uint32_t)(p - text), (uint32_t)(first - text),
						(uint32_t)(last - text), kind_of(first, last)};

		g_array_append_val(array, line);
		fits = array->len <= REPLY_LINES_MAX;
		fences += *first == *fence && strncmp(first, fence, strlen(fence)) == 0;
		p = newline != NULL ? newline + 1 : stop;
	}
	*lines = (struct reply_lines){.text = text, .size = size, .count = array->len};
	lines->line = (struct reply_line *)(void *)g_array_free(array, FALSE);
	mark_code(lines, fences);
	return fits;
}

void reply_lines_clear(struct reply_lines *lines)
{
	g_free(lines->line);
	lines->line = NULL;
}

size_t reply_lines_next(const struct reply_lines *lines, size_t from, size_t to)
{
	while (from < to && lines->line[from].kind == REPLY_BLANK)
		from++;
	return from;
}

size_t reply_lines_end(const struct reply_lines *lines, size_t from, size_t to)
{
	while (to > from && lines->line[to - 1].kind == REPLY_BLANK)
		to--;
	return to;
}

/* ---- comparing ---- */

static size_t entity_at(const char *p, const char *end, char *c)
{
	static const size_t size = sizeof("&lt;") - 1;

	if ((size_t)(end - p) < size || p[0] != '&' || p[2] != 't' || p[3] != ';')
		return 0;
	if (p[1] != 'l' && p[1] != 'g')
		return 0;
	*c = p[1] == 'l' ? '<' : '>';
	return size;
}

/* Figures of other scripts, which clients write dates in: Arabic, Persian, Hindi, Thai and
 * full-width ones.  Returns the bytes of the one there; 0 if there is none. */
static size_t digit_at(const char *p, const char *end, char *c)
{
	static const struct {
		const char *zero;
		size_t size;
	} scripts[] = {{"\xD9\xA0", 2},
		       {"\xDB\xB0", 2},
		       {"\xE0\xA5\xA6", 3},
		       {"\xE0\xB9\x90", 3},
		       {"\xEF\xBC\x90", 3}};
	enum { DIGITS = 10 };

	if ((unsigned char)*p < 0x80)
		return 0;
	for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++) {
		size_t last = scripts[i].size - 1;

		if ((size_t)(end - p) <= last || memcmp(p, scripts[i].zero, last) != 0)
			continue;
		unsigned digit = (unsigned char)p[last] - (unsigned char)scripts[i].zero[last];
		if (digit >= DIGITS)
			continue;
		*c = (char)('0' + digit);
		return scripts[i].size;
	}
	return 0;
}

/* Most characters are: none of what is looked for below begins so. */
static bool is_just_itself(char c)
{
	return c > ' ' && c <= '~' && c != '&' && c != '*';
}

size_t reply_join(const char *text, size_t size, char *joined, size_t joined_size)
{
	static const char wide_colon[] = "：";
	const char *end = text + size;
	size_t out = 0;
	bool space = false;

	for (const char *p = text; p < end && out + 2 < joined_size;) {
		char c = *p;

		if (is_just_itself(c)) {
			if (space && out > 0)
				joined[out++] = ' ';
			space = false;
			joined[out++] = c;
			p++;
			continue;
		}
		size_t skipped = space_at(p, end);

		if (skipped > 0) {
			space = space || is_visible_space(p, skipped);
			p += skipped;
			continue;
		}
		skipped = entity_at(p, end, &c);
		if (skipped == 0)
			skipped = digit_at(p, end, &c);
		if (skipped == 0 && (size_t)(end - p) >= strlen(wide_colon) &&
		    memcmp(p, wide_colon, strlen(wide_colon)) == 0) {
			skipped = strlen(wide_colon);
			c = ':';
		}
		p += MAX(skipped, 1);
		if (c == '*')
			continue;
		if (space && out > 0)
			joined[out++] = ' ';
		space = false;
		joined[out++] = c;
	}
	joined[out] = '\0';
	return out;
}

size_t reply_fold(const char *text, size_t size, char *folded, size_t folded_size)
{
	size_t length = reply_join(text, size, folded, folded_size);

	for (size_t i = 0; i < length; i++)
		folded[i] = g_ascii_tolower(folded[i]);
	return length;
}

size_t reply_lines_join(const struct reply_lines *lines, size_t first, size_t last,
			char joined[REPLY_FOLDED_MAX])
{
	size_t start = lines->line[first].text;
	size_t end = lines->line[last].end;

	joined[0] = '\0';
	if (end <= start || end - start >= REPLY_FOLDED_MAX - 2)
		return 0;
	return reply_join(lines->text + start, end - start, joined, REPLY_FOLDED_MAX);
}

size_t reply_lines_fold(const struct reply_lines *lines, size_t first, size_t last,
			char folded[REPLY_FOLDED_MAX])
{
	size_t length = reply_lines_join(lines, first, last, folded);

	for (size_t i = 0; i < length; i++)
		folded[i] = g_ascii_tolower(folded[i]);
	return length;
}

bool reply_line_is_rule(const struct reply_lines *lines, size_t line, size_t at_least)
{
	const struct reply_line *this = &lines->line[line];
	const char *p = lines->text + this->text;
	const char *end = lines->text + this->end;
	size_t marks = 0;

	if (this->kind != REPLY_TEXT)
		return false;
	while (p < end) {
		gunichar c = g_utf8_get_char(p);

		if (c != ' ' && strchr("-_=*~#+", (int)(c < 0x80 ? c : 'x')) == NULL &&
		    (c < 0x2010 || c > 0x2015) && c != 0x2500)
			return false;
		marks += c != ' ';
		p = g_utf8_next_char(p);
	}
	return marks >= at_least;
}
