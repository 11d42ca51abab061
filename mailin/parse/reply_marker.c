#include "mailin/parse/reply_marker.h"

#include <string.h>

#include <glib.h>

#include "mailin/parse/reply_words.h"

enum {
	LABEL_MAX = 40,         /* bytes in front of the colon */
	BLOCK_MAX = 60,         /* lines of a block, with recipients on lines of their own */
	WRAPPED_VALUE_MAX = 20, /* lines that one of its fields goes on for */
	RAW_ABOVE_MAX = 20,     /* lines that are looked at for a pasted header */
	UNKNOWN_MAX = 2,        /* labels in a row that are in no table */
	DASHES_MIN = 2,         /* on a side of "Original Message" */
	RULE_MIN = 5,           /* characters of a line above a block */
	BLOCKS_MAX = 500,       /* readings of blocks in one text; counted as tries */
};

/* ---- labels ---- */

/* The end of "From" in "*From:* Ann" or "From : Ann"; NULL if no colon is near. */
static const char *colon_of(const char *text, const char *end, size_t *colon_size)
{
	static const char wide[] = "：";
	size_t near = MIN((size_t)(end - text), LABEL_MAX);
	const char *colon = memchr(text, ':', near);

	size_t before = colon != NULL ? (size_t)(colon - text) : near;
	const char *first = memchr(text, *wide, before);

	*colon_size = 1;
	if (first == NULL)
		return colon;
	first = memmem(first, before - (size_t)(first - text), wide, strlen(wide));
	if (first == NULL)
		return colon;
	*colon_size = strlen(wide);
	return first;
}

/* The line is a label, a colon and perhaps a value; `label` is NULL if the label is unknown. */
static bool read_label(const struct reply_lines *lines, size_t line,
		       const struct reply_label **label)
{
	const struct reply_line *this = &lines->line[line];
	const char *text = lines->text + this->text;
	const char *end = lines->text + this->end;
	char folded[LABEL_MAX + 1];
	size_t colon_size;

	*label = NULL;
	if (this->kind != REPLY_TEXT)
		return false;
	const char *colon = colon_of(text, end, &colon_size);

	if (colon == NULL)
		return false;
	size_t size = reply_fold(text, (size_t)(colon - text), folded, sizeof(folded));

	if (size == 0)
		return false;
	*label = reply_label_find(folded, size);
	/* "http://" and "10:15" are none. */
	return *label != NULL || (colon[1] != '/' && !g_ascii_isdigit(folded[size - 1]));
}

static bool has_at_sign(const struct reply_lines *lines, size_t line)
{
	const struct reply_line *this = &lines->line[line];

	return memchr(lines->text + this->text, '@', this->end - this->text) != NULL;
}

/* No client shows these: somebody pasted a mail's header. */
static bool is_raw_field(const struct reply_lines *lines, size_t line)
{
	static const char *const names[] = {"received:",
					    "return-path:",
					    "message-id:",
					    "dkim-",
					    "mime-version:",
					    "content-type:",
					    "arc-",
					    "x-",
					    "authentication-results:",
					    "content-transfer-encoding:"};
	const char *text = lines->text + lines->line[line].text;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strncasecmp(text, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* In the lines right above, too. */
static bool is_raw_above(const struct reply_lines *lines, size_t line)
{
	for (size_t i = line; i > 0 && line - i < RAW_ABOVE_MAX; i--) {
		if (lines->line[i - 1].kind == REPLY_BLANK)
			return false;
		if (is_raw_field(lines, i - 1))
			return true;
	}
	return false;
}

/* ---- blocks ---- */

struct block {
	unsigned kinds; /* of labels seen */
	unsigned labels;
	unsigned unknown; /* of them in a row */
	unsigned wrapped; /* lines of the value in hand */
	bool address;
	bool raw;
	const char *language;
	size_t end;
};

static unsigned count_bits(unsigned bits)
{
	unsigned count = 0;

	for (; bits != 0; bits &= bits - 1)
		count++;
	return count;
}

/* False: the line is not of the block. */
static bool take_line(const struct reply_lines *lines, size_t line, bool shape, struct block *block)
{
	const struct reply_label *label;
	bool labelled = read_label(lines, line, &label);

	block->raw = block->raw || (labelled && is_raw_field(lines, line));
	block->address = block->address || has_at_sign(lines, line);
	if (label != NULL) {
		if ((block->kinds & label->kind & ~(unsigned)(LABEL_CC | LABEL_OTHER)) != 0)
			return false;
		if (label->kind == LABEL_FROM || block->language == NULL)
			block->language = label->language;
		block->kinds |= label->kind;
		block->labels++;
		block->unknown = 0;
		block->wrapped = 0;
		block->end = line + 1;
		return true;
	}
	if (labelled && shape) {
		block->labels++;
		block->wrapped = 0;
		block->end = line + 1;
		return true;
	}
	if (labelled && ++block->unknown <= UNKNOWN_MAX)
		return block->labels > 0;
	return block->labels > 0 && ++block->wrapped <= WRAPPED_VALUE_MAX;
}

static bool is_block(const struct block *block, bool ruled, bool shape)
{
	enum { SHAPE_LABELS = 3, SURE_KINDS = 4, KINDS_MIN = 3 };
	unsigned kinds = count_bits(block->kinds);
	bool dated = (block->kinds & LABEL_DATE) != 0;
	bool titled = (block->kinds & (LABEL_TO | LABEL_SUBJECT)) != 0;

	if (shape)
		return block->labels >= SHAPE_LABELS;
	if (block->raw || (block->kinds & LABEL_FROM) == 0 || !titled)
		return false;
	if (!dated)
		return ruled && kinds >= KINDS_MIN;
	return kinds >= SURE_KINDS || (kinds >= KINDS_MIN && (ruled || block->address));
}

/* A rule or "Original Message" stands above. */
static bool is_ruled(const struct reply_lines *lines, size_t line)
{
	size_t above = reply_lines_end(lines, 0, line);

	return above > 0 && reply_line_is_rule(lines, above - 1, RULE_MIN);
}

size_t reply_header_block(struct reply_lines *lines, size_t line, bool shape, const char **language)
{
	struct block block = {0};
	const struct reply_label *label;
	bool blank = false;
	bool ruled = is_ruled(lines, line) || shape;

	if (!read_label(lines, line, &label) || lines->tries >= BLOCKS_MAX)
		return 0;
	if (!shape && (label == NULL || (label->kind & (LABEL_FROM | LABEL_DATE)) == 0 ||
		       is_raw_above(lines, line)))
		return 0;
	lines->tries++;
	for (size_t i = line; i < lines->count && i < line + BLOCK_MAX; i++) {
		if (lines->line[i].kind == REPLY_BLANK) {
			/* Clients that make text of HTML put one behind each field. */
			if (blank)
				break;
			blank = true;
			continue;
		}
		if (blank && (!read_label(lines, i, &label) || label == NULL))
			break;
		if (!take_line(lines, i, shape, &block))
			break;
		blank = false;
	}
	if (!is_block(&block, ruled, shape))
		return 0;
	*language = block.language != NULL ? block.language : "any";
	return block.end;
}

/* ---- lines ---- */

static bool is_decoration(gunichar c)
{
	return (c < 0x80 && strchr("-_=*~#+<>|[( ", (int)c) != NULL) ||
	       (c >= 0x2010 && c <= 0x2015) || c == 0x2500 || c == 0x300C || c == 0x3010;
}

/* Behind the decoration; `dashes` counts it. */
static const char *skip_decoration(const char *text, const char *end, size_t *dashes)
{
	*dashes = 0;
	while (text < end) {
		gunichar c = g_utf8_get_char(text);

		if (!is_decoration(c))
			break;
		*dashes += c != ' ';
		text = g_utf8_next_char(text);
	}
	return text;
}

static bool find_phrase(const struct reply_lines *lines, size_t line, struct reply_marker *marker)
{
	const char *text = lines->text + lines->line[line].text;
	const char *end = lines->text + lines->line[line].end;
	char folded[REPLY_FOLDED_MAX];
	size_t dashes;
	const char *words = skip_decoration(text, end, &dashes);
	bool dashed = dashes >= DASHES_MIN;

	/* "Begin forwarded message:" has none. */
	if (words == end || (!dashed && end[-1] != ':' && (unsigned char)end[-1] != 0x9A))
		return false;
	reply_fold(words, (size_t)(end - words), folded, sizeof(folded));
	const struct reply_phrase *phrase = reply_phrase_find(folded);

	if (phrase == NULL && dashed && reply_asks_to_write_above(folded)) {
		*marker = (struct reply_marker){.kind = MARKER_ORIGINAL, .rule = "reply-line"};
	} else if (phrase != NULL && (dashed || phrase->forward)) {
		*marker = (struct reply_marker){
			.kind = phrase->forward ? MARKER_FORWARD : MARKER_ORIGINAL,
			.rule = "original-message",
			.language = phrase->language,
		};
	} else {
		return false;
	}
	marker->sure = true;
	marker->start = line;
	marker->end = line + 1;
	return true;
}

static bool find_block(struct reply_lines *lines, size_t floor, size_t line,
		       struct reply_marker *marker)
{
	const char *language;
	size_t end = reply_header_block(lines, line, false, &language);

	if (end == 0)
		return false;
	*marker = (struct reply_marker){
		.kind = MARKER_ORIGINAL,
		.start = line,
		.end = end,
		.sure = true,
		.rule = "header-block",
		.language = language,
	};
	size_t above = reply_lines_end(lines, floor, line);

	if (above > floor && reply_line_is_rule(lines, above - 1, RULE_MIN))
		marker->start = above - 1;
	return true;
}

bool reply_marker_find(struct reply_lines *lines, size_t floor, size_t line,
		       struct reply_marker *marker)
{
	enum reply_line_kind kind = lines->line[line].kind;

	if (kind == REPLY_QUOTE)
		return (line == floor || lines->line[line - 1].kind != REPLY_QUOTE) &&
		       reply_attribution_find(lines, floor, line, marker);
	if (kind != REPLY_TEXT)
		return false;
	return find_phrase(lines, line, marker) || find_block(lines, floor, line, marker) ||
	       reply_attribution_find(lines, floor, line, marker);
}
