#include "mailin/parse/reply.h"

#include <stdint.h>
#include <string.h>

#include <glib.h>

#include "mailin/parse/reply_lines.h"
#include "mailin/parse/reply_marker.h"
#include "mailin/parse/reply_tail.h"
#include "mailin/parse/reply_words.h"

enum {
	CITED_MAX = 8,       /* lines with text between a client's mark and its quote ... */
	ATTRIBUTION_MAX = 3, /* ... and of them, where no words tell that they announce it */
	HEAD_MAX = 10,       /* lines of a container in which its attribution stands */
	RULES_MAX = 2,       /* lines of dashes between its mark and the original's head */
	RULE_MIN = 5,        /* characters of such a line */
	CHAIN_MAX = 20,      /* quotes behind each other, each with its own head */
	SAID_MAX = 1 << 16,  /* bytes in which "see inline" is looked for */
};

/* Lines that stay, from the first to the last but one; what is removed of them is a hole. */
struct cut {
	size_t from;
	size_t to;
	size_t hole;
	size_t hole_end;
	const char *rule;
	const char *language;
};

struct split {
	struct reply_lines lines;
	const struct reply_hints *hints;
	size_t next_mark; /* of the hints', not looked at yet */
	size_t signature; /* a line; SIZE_MAX: none */
	size_t signature_end;
	const char *client; /* whose mark the marker in hand was found by; NULL: none */
	enum reply_forward forward;
};

/* ---- marks ---- */

static size_t line_at(const struct reply_lines *lines, size_t offset)
{
	size_t low = 0;
	size_t high = lines->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lines->line[middle].start < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* "X wrote:", "From: X": a container begins so in any language. */
static bool has_colon(const struct reply_lines *lines, size_t from, size_t to)
{
	to = MIN(to, from + HEAD_MAX);
	size_t start = lines->line[from].text;

	return memchr(lines->text + start, ':', lines->line[to - 1].end - start) != NULL;
}

static bool has_digit(const struct reply_lines *lines, size_t from, size_t to)
{
	for (size_t i = lines->line[from].text; i < lines->line[to - 1].end; i++)
		if (g_ascii_isdigit(lines->text[i]))
			return true;
	return false;
}

/* Where the element that was begun by mark number `index` ends. */
static size_t end_of_element(const struct split *split, size_t index)
{
	size_t depth = 0;

	for (size_t i = index; i < split->hints->mark_count; i++) {
		const struct html_mark *mark = &split->hints->marks[i];

		if (mark->kind == HTML_MARK_CONTAINER || mark->kind == HTML_MARK_SIGNATURE)
			depth++;
		else if (mark->kind == HTML_MARK_END && --depth == 0)
			return line_at(&split->lines, mark->offset);
	}
	return split->lines.count;
}

/* What stands between the mark and the quote is its attribution, in whatever language; but people
 * write in that element, too. */
static bool find_cited(struct reply_lines *lines, size_t line, struct reply_marker *marker)
{
	size_t quote = line;
	size_t texts = 0;

	for (; quote < lines->count && lines->line[quote].kind != REPLY_QUOTE; quote++)
		if (lines->line[quote].kind != REPLY_BLANK && ++texts > CITED_MAX)
			return false;
	if (quote == lines->count)
		return false;
	size_t end = reply_lines_end(lines, line, quote);

	if (end > line && reply_attribution_find(lines, line, end - 1, marker))
		return true;
	if (texts > ATTRIBUTION_MAX || (texts > 1 && !has_digit(lines, line, end)))
		return false;
	*marker = (struct reply_marker){.kind = MARKER_ATTRIBUTION, .start = line, .end = quote};
	return true;
}

static bool find_original(struct reply_lines *lines, size_t line, struct reply_marker *marker)
{
	const char *language;
	size_t head = line;

	for (size_t i = 0; i < RULES_MAX && head < lines->count; i++)
		if (reply_line_is_rule(lines, head, RULE_MIN))
			head = reply_lines_next(lines, head + 1, lines->count);
	size_t end = head < lines->count ? reply_header_block(lines, head, true, &language) : 0;

	if (end == 0)
		return false;
	*marker = (struct reply_marker){
		.kind = MARKER_ORIGINAL, .start = line, .end = end, .sure = true};
	return true;
}

static bool find_by_mark(struct split *split, size_t index, size_t line,
			 struct reply_marker *marker)
{
	const struct html_mark *mark = &split->hints->marks[index];

	switch (mark->kind) {
	case HTML_MARK_CITE:
		return find_cited(&split->lines, line, marker);
	case HTML_MARK_ORIGINAL:
		return find_original(&split->lines, line, marker);
	case HTML_MARK_CONTAINER:
		*marker = (struct reply_marker){.kind = MARKER_CONTAINER, .start = line};
		marker->end = end_of_element(split, index);
		return marker->end > line && has_colon(&split->lines, line, marker->end);
	case HTML_MARK_FORWARD:
		*marker = (struct reply_marker){.kind = MARKER_FORWARD, .start = line, .end = line};
		return true;
	case HTML_MARK_SIGNATURE:
		if (split->signature == SIZE_MAX) {
			split->signature = line;
			split->signature_end = end_of_element(split, index);
		}
		return false;
	case HTML_MARK_NONE:
	case HTML_MARK_END:
		break;
	}
	return false;
}

/* The marks that hold from this line on. */
static bool find_by_marks(struct split *split, size_t line, struct reply_marker *marker)
{
	bool found = false;

	while (split->next_mark < split->hints->mark_count &&
	       split->hints->marks[split->next_mark].offset <= split->lines.line[line].text) {
		size_t index = split->next_mark++;

		if (found || !find_by_mark(split, index, line, marker))
			continue;
		found = true;
		split->client = split->hints->marks[index].client;
	}
	return found;
}

/* ---- markers ---- */

/* The first one at or behind `from`. */
static bool find_marker(struct split *split, size_t from, struct reply_marker *marker)
{
	struct reply_lines *lines = &split->lines;

	for (size_t i = from; i < lines->count; i++) {
		struct reply_marker by_words;

		if (lines->line[i].kind == REPLY_BLANK)
			continue;
		split->client = NULL;
		bool marked = find_by_marks(split, i, marker);
		bool worded = reply_marker_find(lines, from, i, &by_words);

		/* A client puts what it forwards into the same element as what it quotes. */
		if (worded && (!marked || by_words.kind == MARKER_FORWARD)) {
			*marker = by_words;
			split->client = NULL;
		}
		if (marked || worded)
			return true;
	}
	return false;
}

/* One that begins at the first line with text at or behind `from`; it may end some lines below. */
static bool find_marker_at(struct split *split, size_t from, struct reply_marker *marker)
{
	enum { LOOK_MAX = 6 };
	struct reply_lines *lines = &split->lines;
	size_t start = reply_lines_next(lines, from, lines->count);

	for (size_t i = start; i < lines->count && i < start + LOOK_MAX; i++)
		if (lines->line[i].kind != REPLY_BLANK &&
		    reply_marker_find(lines, start, i, marker))
			return marker->start == start;
	return false;
}

static size_t end_of_quote(const struct reply_lines *lines, size_t from, bool bars)
{
	while (from < lines->count &&
	       (lines->line[from].kind == REPLY_BLANK || reply_is_quoted(lines, from, bars)))
		from++;
	return from;
}

/* The marker may be two: "Original Message" and the head of the original. */
static void join_markers(struct split *split, struct reply_marker *marker)
{
	struct reply_marker more;

	for (size_t i = 0; i < CHAIN_MAX && find_marker_at(split, marker->end, &more); i++) {
		if (more.kind == MARKER_FORWARD)
			break;
		marker->end = more.end;
		marker->sure = marker->sure || more.sure;
		marker->bars = marker->bars || more.bars;
	}
}

/* Behind the quote whose marker that is, and behind those that follow at once; `from` itself if
 * nothing there is quoted. */
static size_t end_of_quotes(struct split *split, size_t from, bool bars)
{
	struct reply_lines *lines = &split->lines;
	size_t end = end_of_quote(lines, from, bars);
	struct reply_marker more;

	for (size_t i = 0; i < CHAIN_MAX && find_marker_at(split, end, &more); i++) {
		if (more.kind == MARKER_FORWARD)
			break;
		join_markers(split, &more);
		size_t next = reply_lines_next(lines, more.end, lines->count);

		if (!reply_is_quoted(lines, next, more.bars))
			return more.sure ? lines->count : end;
		end = end_of_quote(lines, more.end, more.bars);
	}
	return end;
}

/* ---- what stays ---- */

static bool has_kind(const struct reply_lines *lines, size_t from, size_t to,
		     enum reply_line_kind kind)
{
	for (size_t i = from; i < to; i++)
		if (lines->line[i].kind == kind)
			return true;
	return false;
}

/* Something that was written, not only dashes. */
static bool has_words(const struct reply_lines *lines, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (lines->line[i].kind == REPLY_CODE ||
		    (lines->line[i].kind == REPLY_TEXT && !reply_line_is_rule(lines, i, 1)))
			return true;
	return false;
}

static bool announces_inline(const struct reply_lines *lines, size_t to)
{
	size_t size = to < lines->count ? lines->line[to].start : lines->size;
	g_autofree char *folded = g_malloc(MIN(size, SAID_MAX) + 3);

	reply_fold(lines->text, size, folded, MIN(size, SAID_MAX) + 3);
	return reply_announces_inline(folded);
}

static void name_rule(const struct split *split, const struct reply_marker *marker, struct cut *cut)
{
	cut->rule = split->client != NULL ? "html" : marker->rule;
	cut->language = split->client != NULL ? split->client : marker->language;
}

static struct reply_tail find_tail(const struct split *split, size_t from, size_t to, bool quotes)
{
	const struct reply_lines *lines = &split->lines;
	struct reply_tail tail = reply_tail_find(lines, from, to, SIZE_MAX, quotes);

	/* Below a signature's element there may be a footer; with more it is none. */
	if (split->signature < tail.end && !has_words(lines, split->signature_end, tail.end))
		tail = reply_tail_find(lines, from, to, split->signature, quotes);
	return tail;
}

static void trim_tail(const struct split *split, struct cut *cut)
{
	/* Where the original was found, a quote above it is what the sender cites. */
	bool quotes = cut->to == split->lines.count;
	struct reply_tail tail = find_tail(split, cut->from, cut->to, quotes);

	if (tail.rule == NULL)
		return;
	cut->to = tail.end;
	if (cut->rule == NULL)
		cut->rule = tail.rule;
}

/* The original is quoted from `start` (its marker's) to `end`; there may be words on both sides. */
static void cut_quoted(const struct split *split, const struct reply_marker *marker, size_t end,
		       struct cut *cut)
{
	const struct reply_lines *lines = &split->lines;
	bool before = has_words(lines, 0, marker->start);
	struct reply_tail rest = find_tail(split, end, lines->count, true);
	bool after = rest.end > end && has_words(lines, end, rest.end);

	if (!after && !before)
		return;
	if (!after) {
		cut->to = marker->start;
	} else if (!has_kind(lines, end, lines->count, REPLY_QUOTE)) {
		cut->hole = marker->start;
		cut->hole_end = end;
	} else if (!before && marker->kind == MARKER_ATTRIBUTION) {
		/* Answers between the lines: only the head goes. */
		cut->hole = marker->start;
		cut->hole_end = marker->end;
		if (marker->end == marker->start)
			return;
	} else {
		return;
	}
	name_rule(split, marker, cut);
}

/* All behind the marker is the original, unless it says otherwise. */
static void cut_unquoted(const struct split *split, const struct reply_marker *marker,
			 struct cut *cut)
{
	const struct reply_lines *lines = &split->lines;
	bool after = has_words(lines, marker->end, lines->count);

	if (has_words(lines, 0, marker->start)) {
		if (after && announces_inline(lines, marker->start))
			return;
		cut->to = marker->start;
	} else if (marker->kind == MARKER_ATTRIBUTION && after) {
		/* An answer below or nothing but the original: nobody can tell. */
		cut->hole = marker->start;
		cut->hole_end = marker->end;
	} else {
		return;
	}
	name_rule(split, marker, cut);
}

static bool may_be_forwarded(const struct split *split, const struct reply_marker *marker)
{
	if (split->forward == FORWARD_UNLESS_FINNISH)
		return marker->kind == MARKER_ORIGINAL && g_strcmp0(marker->language, "fi") != 0;
	return split->forward == FORWARD_YES;
}

/* "She told me:" in front of what looks like the original makes it part of what is said. */
static bool is_introduced(const struct split *split, const struct reply_marker *marker)
{
	const struct reply_lines *lines = &split->lines;
	size_t above = reply_lines_end(lines, 0, marker->start);

	if (split->client != NULL || marker->start == marker->end ||
	    (marker->kind != MARKER_ATTRIBUTION && strcmp(marker->rule, "header-block") != 0))
		return false;
	return above > 0 && !reply_line_is_rule(lines, marker->start, RULE_MIN) &&
	       lines->line[above - 1].kind == REPLY_TEXT &&
	       lines->text[lines->line[above - 1].end - 1] == ':';
}

/* False: a forwarded mail, of which nothing may go. */
static bool cut_at_marker(struct split *split, struct cut *cut)
{
	struct reply_lines *lines = &split->lines;
	struct reply_marker marker;

	for (size_t from = 0; find_marker(split, from, &marker); from = marker.end) {
		if (marker.kind == MARKER_FORWARD || may_be_forwarded(split, &marker))
			return false;
		if (marker.kind == MARKER_CONTAINER) {
			if (!announces_inline(lines, marker.start))
				cut_quoted(split, &marker, marker.end, cut);
			return true;
		}
		if (is_introduced(split, &marker))
			return true;
		join_markers(split, &marker);
		size_t next = reply_lines_next(lines, marker.end, lines->count);

		if (reply_is_quoted(lines, next, marker.bars)) {
			cut_quoted(split, &marker, end_of_quotes(split, next, marker.bars), cut);
			return true;
		}
		if (marker.sure) {
			cut_unquoted(split, &marker, cut);
			return true;
		}
	}
	return true;
}

/* ---- the result ---- */

static void append_lines(GString *out, const struct reply_lines *lines, size_t from, size_t to)
{
	if (from >= to)
		return;
	size_t start = lines->line[from].start;
	size_t end = to < lines->count ? lines->line[to].start : lines->size;

	g_string_append_len(out, lines->text + start, (gssize)(end - start));
}

/* Without the blank lines at both ends. */
static char *trimmed(GString *text)
{
	struct reply_lines lines;

	reply_lines_init(&lines, text->str, text->len);
	size_t from = reply_lines_next(&lines, 0, lines.count);
	GString *out = g_string_new(NULL);

	append_lines(out, &lines, from, reply_lines_end(&lines, from, lines.count));
	reply_lines_clear(&lines);
	g_string_free(text, TRUE);
	return g_string_free(out, FALSE);
}

static void write_result(const struct split *split, const struct cut *cut, struct reply *reply)
{
	const struct reply_lines *lines = &split->lines;
	GString *text = g_string_new(NULL);
	GString *quote = g_string_new(NULL);

	append_lines(text, lines, cut->from, MIN(cut->hole, cut->to));
	append_lines(text, lines, MIN(cut->hole_end, cut->to), cut->to);
	append_lines(quote, lines, 0, cut->from);
	append_lines(quote, lines, MIN(cut->hole, cut->to), MIN(cut->hole_end, cut->to));
	append_lines(quote, lines, cut->to, lines->count);
	reply->text = trimmed(text);
	reply->quote = trimmed(quote);
	g_strlcpy(reply->rule, cut->rule, sizeof(reply->rule));
	if (cut->language != NULL) {
		g_strlcat(reply->rule, "-", sizeof(reply->rule));
		g_strlcat(reply->rule, cut->language, sizeof(reply->rule));
	}
}

/* False: all of it stays. */
static bool find_cut(struct split *split, struct cut *cut)
{
	if (split->forward == FORWARD_YES || !cut_at_marker(split, cut))
		return false;
	if (cut->hole == cut->hole_end)
		cut->hole = cut->hole_end = cut->to;
	trim_tail(split, cut);
	return cut->rule != NULL &&
	       (has_words(&split->lines, cut->from, MIN(cut->hole, cut->to)) ||
		has_words(&split->lines, MIN(cut->hole_end, cut->to), cut->to));
}

void reply_split(const char *text, size_t size, const struct reply_hints *hints,
		 struct reply *reply)
{
	struct split split = {.hints = hints, .signature = SIZE_MAX};
	bool found = false;

	split.forward =
		hints->subject != NULL ? reply_subject_forwards(hints->subject) : FORWARD_NO;
	if (reply_lines_init(&split.lines, text, size)) {
		struct cut cut = {.to = split.lines.count};

		found = find_cut(&split, &cut);
		if (found)
			write_result(&split, &cut, reply);
	}
	reply_lines_clear(&split.lines);
	if (found)
		return;
	reply->text = g_strndup(text, size);
	reply->quote = g_strdup("");
	reply->rule[0] = '\0';
}

void reply_clear(struct reply *reply)
{
	g_free(reply->text);
	g_free(reply->quote);
	reply->text = NULL;
	reply->quote = NULL;
}
