#include "mailin/parse/reply_marker.h"

#include <string.h>

#include <glib.h>

#include "mailin/parse/reply_evidence.h"
#include "mailin/parse/reply_words.h"

enum {
	LABEL_MAX = 40,         /* bytes in front of the colon */
	BLOCK_MAX = 60,         /* lines of a block, with recipients on lines of their own */
	WRAPPED_VALUE_MAX = 20, /* lines that one of its fields goes on for */
	RAW_ABOVE_MAX = 20,     /* lines that are looked at for a pasted header */
	UNKNOWN_MAX = 2,        /* labels in a row that are in no table */
	DASHES_MIN = 2,         /* on a side of "Original Message" */
	RULE_MIN = 5,           /* characters of a line above a block */
	RULE_LONG = 20,         /* of one that says by itself that a block follows */
	TITLE_MIN = 5,          /* dashes on both sides of a title above a block */
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
	bool address;     /* in a field whose label is known */
	bool from;        /* the first field has an address */
	bool dated;       /* the second one has a date and a time */
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

/* Outlook's order: who, when, ... */
static void look_at_field(const struct reply_lines *lines, size_t line, struct block *block)
{
	enum { FIRST, SECOND };
	char folded[REPLY_FOLDED_MAX];

	if (block->labels > SECOND || reply_lines_fold(lines, line, line, folded) == 0)
		return;
	const struct reply_evidence evidence = reply_evidence_of(folded);

	if (block->labels == FIRST)
		block->from = evidence.address;
	else
		block->dated = evidence.date && evidence.time;
}

/* False: the line is not of the block. */
static bool take_line(const struct reply_lines *lines, size_t line, bool shape, struct block *block)
{
	const struct reply_label *label;
	bool labelled = read_label(lines, line, &label);

	block->raw = block->raw || (labelled && is_raw_field(lines, line));
	block->address = block->address ||
			 ((label != NULL || !labelled || shape) && has_at_sign(lines, line));
	if (labelled && shape)
		look_at_field(lines, line, block);
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

static bool is_block(const struct block *block, bool ruled, bool shape, bool strange)
{
	enum { SHAPE_LABELS = 3, SURE_KINDS = 4, KINDS_MIN = 3 };
	unsigned kinds = count_bits(block->kinds);
	bool dated = (block->kinds & LABEL_DATE) != 0;
	bool titled = (block->kinds & (LABEL_TO | LABEL_SUBJECT)) != 0;

	if (strange)
		return block->labels >= SURE_KINDS && block->from && block->dated && !block->raw;
	if (shape)
		return block->labels >= SHAPE_LABELS && (block->dated || kinds >= KINDS_MIN);
	if (block->raw || (block->kinds & LABEL_FROM) == 0 || !titled)
		return false;
	if (!dated)
		return ruled && kinds >= KINDS_MIN;
	return kinds >= SURE_KINDS || (kinds >= KINDS_MIN && (ruled || block->address));
}

/* "-----Ann Example wrote: -----", "------ Original ------". */
static bool is_title(const struct reply_lines *lines, size_t line)
{
	const struct reply_line *this = &lines->line[line];
	const char *text = lines->text + this->text;
	size_t size = this->end - this->text;
	size_t first = 0;
	size_t last = 0;

	if (this->kind != REPLY_TEXT)
		return false;
	while (first < size && text[first] == '-')
		first++;
	while (last < size && text[size - 1 - last] == '-')
		last++;
	return first >= TITLE_MIN && last >= TITLE_MIN;
}

/* Such a line or a rule stands above. */
static bool is_ruled(const struct reply_lines *lines, size_t line, size_t at_least)
{
	size_t above = reply_lines_end(lines, 0, line);

	return above > 0 &&
	       (reply_line_is_rule(lines, above - 1, at_least) || is_title(lines, above - 1));
}

/* May a block begin with this field?  The label is NULL if it is in no table: Outlook speaks more
 * languages than this. */
static bool may_begin(const struct reply_lines *lines, size_t line, const struct reply_label *label)
{
	bool ruled = is_ruled(lines, line, RULE_LONG);

	if (label == NULL)
		return ruled;
	return (label->kind & (LABEL_FROM | LABEL_DATE)) != 0 || (ruled && label->kind == LABEL_TO);
}

size_t reply_header_block(struct reply_lines *lines, size_t line, bool shape, const char **language)
{
	struct block block = {0};
	const struct reply_label *label;
	bool blank = false;
	bool ruled = is_ruled(lines, line, RULE_MIN) || shape;

	if (!read_label(lines, line, &label) || lines->tries >= BLOCKS_MAX)
		return 0;
	if (!shape && (!may_begin(lines, line, label) || is_raw_above(lines, line)))
		return 0;
	bool strange = !shape && label == NULL;

	lines->tries++;
	for (size_t i = line; i < lines->count && i < line + BLOCK_MAX; i++) {
		if (lines->line[i].kind == REPLY_BLANK) {
			/* Clients that make text of HTML put one behind each field. */
			if (blank)
				break;
			blank = true;
			continue;
		}
		if (blank && (!read_label(lines, i, &label) || (label == NULL && !strange)))
			break;
		if (!take_line(lines, i, shape || strange, &block))
			break;
		blank = false;
	}
	if (!is_block(&block, ruled, shape, strange))
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
	size_t next = reply_lines_next(lines, line + 1, lines->count);

	/* A bounce. */
	if (phrase != NULL && !phrase->forward && next < lines->count && is_raw_field(lines, next))
		return false;

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

	if (above > floor &&
	    (reply_line_is_rule(lines, above - 1, RULE_MIN) || is_title(lines, above - 1)))
		marker->start = above - 1;
	return true;
}

static bool has_colons(const char *p, const char *end, size_t at_least)
{
	size_t colons = 0;

	while (colons < at_least && (p = memchr(p, ':', (size_t)(end - p))) != NULL) {
		colons++;
		p++;
	}
	return colons == at_least;
}

/* All of it on one line: "Date: ... From: ... To: ... Subject: ...". */
static bool find_block_line(struct reply_lines *lines, size_t line, struct reply_marker *marker)
{
	enum { KINDS_MIN = 4 };
	char folded[REPLY_FOLDED_MAX];
	const struct reply_label *label;
	const char *language = NULL;
	unsigned kinds = 0;

	if (lines->tries >= BLOCKS_MAX ||
	    !has_colons(lines->text + lines->line[line].text, lines->text + lines->line[line].end,
			KINDS_MIN) ||
	    !read_label(lines, line, &label) || label == NULL ||
	    (label->kind & (LABEL_FROM | LABEL_DATE)) == 0 ||
	    reply_lines_fold(lines, line, line, folded) == 0)
		return false;
	lines->tries++;
	for (const char *colon = strchr(folded, ':'); colon != NULL;
	     colon = strchr(colon + 1, ':')) {
		const char *word = colon;

		while (word > folded && word[-1] != ' ')
			word--;
		label = reply_label_find(word, (size_t)(colon - word));
		if (label == NULL)
			continue;
		kinds |= label->kind;
		language = language != NULL ? language : label->language;
	}
	const struct reply_evidence evidence = reply_evidence_of(folded);

	if (count_bits(kinds) < KINDS_MIN || !evidence.address || !evidence.date || !evidence.time)
		return false;
	*marker = (struct reply_marker){
		.kind = MARKER_ORIGINAL,
		.start = line,
		.end = line + 1,
		.sure = true,
		.rule = "header-block",
		.language = language,
	};
	return true;
}

/* GroupWise: ">>> Ann Example <ann@example.org> 3/5/2019 10:11 AM >>>", and no ">" behind it. */
static bool find_arrows(const struct reply_lines *lines, size_t line, struct reply_marker *marker)
{
	static const char arrows[] = ">>>";
	const char *text = lines->text + lines->line[line].text;
	size_t size = lines->line[line].end - lines->line[line].text;
	size_t ends = strlen(arrows);
	char folded[REPLY_FOLDED_MAX];

	if (size <= 2 * ends || memcmp(text, arrows, ends) != 0 || text[ends] == '>' ||
	    memcmp(text + size - ends, arrows, ends) != 0 ||
	    reply_lines_fold(lines, line, line, folded) == 0)
		return false;
	const struct reply_evidence evidence = reply_evidence_of(folded);

	if (!evidence.date || !evidence.time)
		return false;
	*marker = (struct reply_marker){
		.kind = MARKER_ATTRIBUTION,
		.start = line,
		.end = line + 1,
		.sure = true,
		.rule = "attribution",
		.language = "any",
	};
	return true;
}

/* The first ":  " there, or NULL.  (Each line is asked; memmem() takes five times as long.) */
static const char *find_gap(const char *text, size_t size)
{
	const char *end = text + size;

	for (const char *p = text; (p = memchr(p, ':', (size_t)(end - p))) != NULL; p++)
		if (end - p > 2 && p[1] == ' ' && p[2] == ' ')
			return p;
	return NULL;
}

/* Yahoo's app puts the original on the attribution's line: "On ..., Ann<ann@example.org> wrote:
 * Hi". */
static bool find_run_on(struct reply_lines *lines, size_t line, struct reply_marker *marker)
{
	const char *text = lines->text + lines->line[line].text;
	const char *behind = find_gap(text, lines->line[line].end - lines->line[line].text);
	char folded[REPLY_FOLDED_MAX];
	const char *where;

	if (behind == NULL || lines->tries >= BLOCKS_MAX ||
	    (size_t)(behind - text) >= sizeof(folded) - 2)
		return false;
	lines->tries++;
	reply_fold(text, (size_t)(behind - text) + 1, folded, sizeof(folded));
	const struct reply_verb *verb = reply_verb_find(folded, &where);
	const struct reply_evidence evidence = reply_evidence_of(folded);

	if (verb == NULL || !evidence.date || !evidence.time || !evidence.address ||
	    (!reply_begins_with_preposition(folded) && !g_ascii_isdigit(*folded)))
		return false;
	/* Its first line cannot go without the attribution, so there is no answer below. */
	*marker = (struct reply_marker){
		.kind = MARKER_ORIGINAL,
		.start = line,
		.end = line + 1,
		.sure = true,
		.rule = "attribution",
		.language = verb->language,
	};
	return true;
}

/* Apple Mail: "> Begin forwarded message:", and all of it is quoted. */
static bool find_quoted_forward(const struct reply_lines *lines, size_t line,
				struct reply_marker *marker)
{
	const char *text = lines->text + lines->line[line].text;

	return strncmp(text, ">>", strlen(">>")) != 0 && find_phrase(lines, line, marker) &&
	       marker->kind == MARKER_FORWARD;
}

bool reply_marker_find(struct reply_lines *lines, size_t floor, size_t line,
		       struct reply_marker *marker)
{
	enum reply_line_kind kind = lines->line[line].kind;

	if (kind == REPLY_QUOTE)
		return (line == floor || lines->line[line - 1].kind != REPLY_QUOTE) &&
		       (find_arrows(lines, line, marker) ||
			find_quoted_forward(lines, line, marker) ||
			reply_attribution_find(lines, floor, line, marker));
	if (kind != REPLY_TEXT)
		return false;
	return find_phrase(lines, line, marker) || find_block(lines, floor, line, marker) ||
	       find_block_line(lines, line, marker) || find_run_on(lines, line, marker) ||
	       reply_attribution_find(lines, floor, line, marker);
}
