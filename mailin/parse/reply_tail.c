#include "mailin/parse/reply_tail.h"

#include <string.h>

#include <glib.h>

#include "mailin/parse/reply_footer.h"

enum {
	SIGNATURE_LINES_MAX =
		30,            /* behind "-- ", which is there for nothing else (RFC 3676, 4.3) */
	DASHES_LINES_MAX = 10, /* behind other dashes, which may be there for anything */
	SIGNATURE_LINE_MAX = 200, /* bytes of one of those lines */
	LIST_LINES_MAX = 8,
	LIST_RULE_MIN = 30, /* underscores above Mailman's footer ... */
	LIST_RULE_CUT = 2,  /* ... of which some gateways leave two */
	SENTENCE_WORDS_MIN = 6,
	RULE_MIN = 2,
	PASSES_MAX = 20,
	FOOTERS_MAX = 100, /* looked for in each of them */
};

static bool line_is(const struct reply_lines *lines, size_t line, const char *text)
{
	const struct reply_line *this = &lines->line[line];
	size_t size = strlen(text);

	return this->end - this->text == size && memcmp(lines->text + this->text, text, size) == 0;
}

/* ---- the end of a quote ---- */

/* What diff writes above lines with ">": "3a4,5", or the lines of the other side and "---". */
static bool is_of_diff(const struct reply_lines *lines, size_t line)
{
	static const char figures[] = "0123456789,";
	const char *text = lines->text + lines->line[line].text;
	const char *end = lines->text + lines->line[line].end;

	if (line_is(lines, line, "---"))
		return line > 0 && lines->text[lines->line[line - 1].text] == '<';
	size_t before = strspn(text, figures);

	if (before == 0 || text + before >= end || strchr("acd", text[before]) == NULL)
		return false;
	size_t behind = strspn(text + before + 1, figures);

	return behind > 0 && text + before + 1 + behind == end;
}

/* "You asked:" or "When you say," in front of a quote makes it part of what is said. */
static bool leads_to_quote(const struct reply_lines *lines, size_t line)
{
	const struct reply_line *this = &lines->line[line];

	return strchr(":,", lines->text[this->end - 1]) != NULL ||
	       (unsigned char)lines->text[this->end - 1] == 0x9A;
}

static size_t without_quote(const struct reply_lines *lines, size_t from, size_t to)
{
	size_t end = to;

	while (end > from && lines->line[end - 1].kind == REPLY_QUOTE)
		end = reply_lines_end(lines, from, end - 1);
	if (end == from || leads_to_quote(lines, end - 1) || is_of_diff(lines, end - 1))
		return to;
	return end;
}

/* ---- signatures ---- */

/* Trailing white space does not count as text, so it stands behind the line's end. */
static bool is_separator(const struct reply_lines *lines, size_t line)
{
	const struct reply_line *this = &lines->line[line];

	return this->start == this->text && this->end + 1 < lines->size &&
	       line_is(lines, line, "--") && lines->text[this->end] == ' ' &&
	       lines->text[this->end + 1] == '\n';
}

static bool is_dashes(const struct reply_lines *lines, size_t line)
{
	return lines->line[line].kind == REPLY_TEXT &&
	       (line_is(lines, line, "--") || line_is(lines, line, "—") ||
		line_is(lines, line, "––"));
}

/* Few lines and short ones. */
static bool is_small(const struct reply_lines *lines, size_t from, size_t to, size_t lines_max)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++) {
		if (lines->line[i].kind == REPLY_BLANK)
			continue;
		if (lines->line[i].kind != REPLY_TEXT ||
		    lines->line[i].end - lines->line[i].text > SIGNATURE_LINE_MAX ||
		    ++count > lines_max)
			return false;
	}
	return true;
}

/* Many words and a full stop: nobody's name or address. */
static bool has_sentence(const struct reply_lines *lines, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const char *p = lines->text + lines->line[i].text;
		const char *end = lines->text + lines->line[i].end;
		size_t words = 0;

		if (p == end || strchr(".?!", end[-1]) == NULL)
			continue;
		for (bool within = false; p < end; p++) {
			words += *p != ' ' && !within;
			within = *p != ' ';
		}
		if (words >= SENTENCE_WORDS_MIN)
			return true;
	}
	return false;
}

static size_t without_signature(const struct reply_lines *lines, size_t from, size_t to,
				size_t marked)
{
	size_t dashes = 0;
	size_t last = to;

	if (marked > from && marked < to && is_small(lines, marked, to, SIGNATURE_LINES_MAX))
		return marked;
	for (size_t i = from + 1; i < to; i++) {
		if (is_separator(lines, i) && is_small(lines, i, to, SIGNATURE_LINES_MAX))
			return i;
		if (is_dashes(lines, i)) {
			dashes++;
			last = i;
		}
	}
	/* Two of them separate something else. */
	if (dashes == 1 && last + 1 < to && is_small(lines, last, to, DASHES_LINES_MAX) &&
	    !has_sentence(lines, last, to))
		return last;
	return to;
}

/* The signature that OpenPGP appends to a text. */
static size_t without_armour(const struct reply_lines *lines, size_t from, size_t to)
{
	static const char begin[] = "-----BEGIN PGP SIGNATURE-----";

	if (to == from || !line_is(lines, to - 1, "-----END PGP SIGNATURE-----"))
		return to;
	for (size_t i = to - 1; i > from; i--)
		if (line_is(lines, i, begin))
			return i;
	return to;
}

/* ---- footers ---- */

static bool tells_of_list(const char *text, size_t size, bool cut)
{
	static const char list[] = " mailing list\n";
	static const char link[] = "://";

	if (cut)
		return memmem(text, size, list, strlen(list)) != NULL &&
		       memmem(text, size, link, strlen(link)) != NULL;
	static const char *const words[] = {"mailman", "mailing list", "unsubscribe"};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (memmem(text, size, words[i], strlen(words[i])) != NULL)
			return true;
	return false;
}

/* Mailman's: a line of underscores, the list's name, address and page. */
static size_t without_list_footer(const struct reply_lines *lines, size_t from, size_t to)
{
	for (size_t i = to; i > from + 1 && to - i <= LIST_LINES_MAX; i--) {
		const struct reply_line *line = &lines->line[i - 1];
		const struct reply_line *last = &lines->line[to - 1];

		if (lines->text[line->text] != '_' ||
		    !reply_line_is_rule(lines, i - 1, LIST_RULE_CUT))
			continue;
		bool cut = !reply_line_is_rule(lines, i - 1, LIST_RULE_MIN);
		bool tells = tells_of_list(lines->text + line->end, last->end - line->end, cut);

		return tells ? i - 1 : to;
	}
	return to;
}

static size_t without_footer(const struct reply_lines *lines, size_t from, size_t to)
{
	const struct reply_line *last = &lines->line[to - 1];

	if (to - from <= 1 || last->kind != REPLY_TEXT ||
	    !reply_is_footer(lines->text + last->text, last->end - last->text))
		return to;
	return to - 1;
}

/* ---- all of them ---- */

static void keep(struct reply_tail *tail, size_t end, const char *rule, unsigned *rank,
		 unsigned new_rank)
{
	if (end == tail->end)
		return;
	tail->end = end;
	if (new_rank > *rank) {
		*rank = new_rank;
		tail->rule = rule;
	}
}

struct reply_tail reply_tail_find(const struct reply_lines *lines, size_t from, size_t to,
				  size_t signature, bool quotes)
{
	enum { FOOTER = 1, SIGNATURE, QUOTE };
	struct reply_tail tail = {.end = reply_lines_end(lines, from, to)};
	unsigned rank = 0;
	size_t first = reply_lines_next(lines, from, to);

	/* Under each there may be another one.  The first line stays in any case. */
	for (size_t pass = 0, before = 0;
	     pass < PASSES_MAX && tail.end > first + 1 && before != tail.end; pass++) {
		before = tail.end;
		if (quotes)
			keep(&tail, without_quote(lines, first, tail.end), "quote", &rank, QUOTE);
		keep(&tail, without_armour(lines, first, tail.end), "signature", &rank, SIGNATURE);
		keep(&tail, without_list_footer(lines, first, tail.end), "footer", &rank, FOOTER);
		keep(&tail, without_signature(lines, first, tail.end, signature), "signature",
		     &rank, SIGNATURE);
		tail.end = reply_lines_end(lines, first, tail.end);
		for (size_t i = 0; i < FOOTERS_MAX && tail.end > first + 1; i++) {
			size_t end = without_footer(lines, first, tail.end);
			if (end == tail.end && reply_line_is_rule(lines, end - 1, RULE_MIN))
				end--;
			if (end == tail.end)
				break;
			keep(&tail, end, "footer", &rank, FOOTER);
			tail.end = reply_lines_end(lines, first, tail.end);
		}
	}
	return tail;
}
