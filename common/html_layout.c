#include "common/html_layout.h"

#include <string.h>

enum {
	NEWLINES_MAX = 2, /* one blank line is enough anywhere */
	QUOTES_MAX = 16, /* deeper ones look the same: 100,000 nested quotes must not fill memory */
	INDENTS_MAX = 8,
};

enum {
	NO_BREAK_SPACE = 0xA0,
	SOFT_HYPHEN = 0xAD,
	GRAPHEME_JOINER = 0x34F,
	EN_QUAD = 0x2000,
	HAIR_SPACE = 0x200A,
	ZERO_WIDTH_SPACE = 0x200B,
	ZERO_WIDTH_NON_JOINER = 0x200C,
	ZERO_WIDTH_JOINER = 0x200D,
	NARROW_NO_BREAK_SPACE = 0x202F,
	MATHEMATICAL_SPACE = 0x205F,
	WORD_JOINER = 0x2060,
	BYTE_ORDER_MARK = 0xFEFF,
};

void html_layout_init(struct html_layout *layout, size_t limit)
{
	*layout = (struct html_layout){.out = g_string_new(NULL), .limit = limit};
}

static bool at_start(const struct html_layout *layout)
{
	return layout->out->len == 0;
}

static bool line_is_due(const struct html_layout *layout)
{
	return at_start(layout) || layout->breaks > 0 || layout->margin > 0;
}

static void append(struct html_layout *layout, const char *text, size_t size)
{
	size_t room = layout->limit - layout->out->len;

	if (size > room) {
		layout->full = true;
		while (room > 0 && ((unsigned char)text[room] & 0xC0) == 0x80)
			room--;
		size = room;
	}
	g_string_append_len(layout->out, text, (gssize)size);
}

/* "> > ", or "> >" on a blank line. */
static void append_quotes(struct html_layout *layout, unsigned quotes, bool blank)
{
	for (unsigned i = 0; i < MIN(quotes, QUOTES_MAX); i++)
		append(layout, i == 0 ? ">" : " >", i == 0 ? 1 : 2);
	if (quotes > 0 && !blank)
		append(layout, " ", 1);
}

static void begin_line(struct html_layout *layout)
{
	bool marked = layout->marker[0] != '\0';
	unsigned indents = MIN(layout->indents, INDENTS_MAX);

	append_quotes(layout, layout->quotes, false);
	for (unsigned i = marked ? 1 : 0; i < indents; i++)
		append(layout, "  ", 2);
	append(layout, layout->marker, strlen(layout->marker));
	layout->marker[0] = '\0';
}

/* All white space that is due, now that text follows. */
static void settle(struct html_layout *layout)
{
	unsigned newlines = MAX(layout->breaks, layout->margin);

	if (line_is_due(layout)) {
		if (layout->pre == 0)
			newlines = MIN(newlines, NEWLINES_MAX);
		for (unsigned i = 0; i < newlines && !at_start(layout) && !layout->full; i++) {
			append(layout, "\n", 1);
			if (i + 1 < newlines)
				append_quotes(layout, MIN(layout->outer_quotes, layout->quotes),
					      true);
		}
		begin_line(layout);
	} else if (layout->cell) {
		append(layout, "\t", 1);
	} else if (layout->space) {
		append(layout, " ", 1);
	}
	layout->breaks = 0;
	layout->margin = 0;
	layout->space = false;
	layout->cell = false;
	layout->outer_quotes = layout->quotes;
}

static bool is_space(gunichar c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == NO_BREAK_SPACE ||
	       (c >= EN_QUAD && c <= HAIR_SPACE) || c == NARROW_NO_BREAK_SPACE ||
	       c == MATHEMATICAL_SPACE;
}

/* Fillers behind a preheader, mostly.  The joiners are spelling inside of words and emoji only. */
static bool is_invisible(const struct html_layout *layout, gunichar c)
{
	switch (c) {
	case SOFT_HYPHEN:
	case GRAPHEME_JOINER:
	case ZERO_WIDTH_SPACE:
	case WORD_JOINER:
	case BYTE_ORDER_MARK:
		return true;
	case ZERO_WIDTH_JOINER:
	case ZERO_WIDTH_NON_JOINER:
		return layout->space || layout->cell || line_is_due(layout);
	default:
		return c < ' ' || c == 0x7F;
	}
}

static void add_kept(struct html_layout *layout, gunichar c, const char *p, size_t size)
{
	if (c == '\n') {
		html_layout_break(layout);
		return;
	}
	if (c != '\t' && is_invisible(layout, c))
		return;
	if (line_is_due(layout) || layout->space || layout->cell)
		settle(layout);
	append(layout, c == NO_BREAK_SPACE ? " " : p, c == NO_BREAK_SPACE ? 1 : size);
}

void html_layout_text(struct html_layout *layout, const char *text, size_t size)
{
	const char *end = text + size;

	while (text < end && !layout->full) {
		gunichar c = g_utf8_get_char(text);
		const char *next = g_utf8_next_char(text);

		if (layout->pre > 0) {
			add_kept(layout, c, text, (size_t)(next - text));
		} else if (is_space(c)) {
			layout->space = true;
		} else if (!is_invisible(layout, c)) {
			settle(layout);
			append(layout, text, (size_t)(next - text));
		}
		text = next;
	}
}

void html_layout_attach(struct html_layout *layout, const char *text)
{
	append(layout, text, strlen(text));
}

/* A break at the start of a line makes this line an empty one. */
void html_layout_break(struct html_layout *layout)
{
	layout->breaks += layout->margin + 1;
	layout->margin = 0;
	layout->space = false;
	layout->cell = false;
}

void html_layout_block(struct html_layout *layout, unsigned margin)
{
	layout->margin = MAX(layout->margin, MAX(margin, layout->breaks));
	layout->breaks = 0;
	layout->space = false;
	layout->cell = false;
}

void html_layout_cell(struct html_layout *layout)
{
	layout->cell = !line_is_due(layout);
}

void html_layout_marker(struct html_layout *layout, const char *marker)
{
	g_strlcpy(layout->marker, marker, sizeof(layout->marker));
}

void html_layout_quote(struct html_layout *layout, bool begin)
{
	if (begin)
		layout->quotes++;
	else if (layout->quotes > 0)
		layout->quotes--;
	layout->outer_quotes = MIN(layout->outer_quotes, layout->quotes);
}

char *html_layout_finish(struct html_layout *layout)
{
	if (!at_start(layout) && !layout->full)
		append(layout, "\n", 1);
	return g_string_free(layout->out, FALSE);
}
