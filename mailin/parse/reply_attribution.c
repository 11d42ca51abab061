#include <string.h>

#include <glib.h>

#include "mailin/parse/reply_evidence.h"
#include "mailin/parse/reply_marker.h"
#include "mailin/parse/reply_words.h"

enum {
	WRAPPED_MAX = 6,    /* lines of one attribution */
	TRIES_MAX = 2000,   /* readings of several lines in one text */
	NAME_WORDS_MAX = 4, /* of an attribution that is only "First Last wrote:" */
};

static bool ends_with_address(const char *text)
{
	size_t size = strlen(text);

	while (size > 0 && (text[size - 1] == ':' || text[size - 1] == ' '))
		size--;
	if (size > 0 && (text[size - 1] == '>' || text[size - 1] == ')'))
		return true;
	while (size > 0 && text[size - 1] != ' ' && text[size - 1] != '@')
		size--;
	return size > 0 && text[size - 1] == '@';
}

/* "> wrote:" without its "<": the line before belongs to it. */
static bool is_cut_off(const char *text)
{
	const char *open = strchr(text, '<');
	const char *close = strchr(text, '>');

	return (close != NULL && (open == NULL || close < open)) || *text == '<' ||
	       (open == NULL && close == NULL && *text == ':');
}

/* ---- names ---- */

/* As a name does: "Ann", "<ann@...", "Анна". */
static bool begins_as_name(const char *word)
{
	return g_ascii_isupper(*word) || (unsigned char)*word >= 0x80 ||
	       (*word != '\0' && strchr("\"<([", *word) != NULL);
}

/* The words before the verb look like a name, and not like "As you wrote:". */
static bool is_name_only(const struct reply_lines *lines, size_t line)
{
	static const char *const others[] = {
		"As ",   "You ",  "He ",   "She ", "I ",   "We ",   "They ", "It ",
		"What ", "This ", "That ", "In ",  "The ", "My ",   "Our ",  "Your ",
		"His ",  "Her ",  "Sie ",  "Er ",  "Ich ", "Wie ",  "Du ",   "Wir ",
		"Es ",   "Was ",  "Der ",  "Die ", "Das ", "Mein ", "Ein ",  "Je ",
		"Il ",   "Elle ", "Le ",   "La ",  "El ",  "Un ",   "Une ",  "Ese ",
	};
	const char *p = lines->text + lines->line[line].text;
	const char *end = lines->text + lines->line[line].end;
	size_t words = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		if (strncmp(p, others[i], strlen(others[i])) == 0)
			return false;
	while (p < end) {
		const char *next = memchr(p, ' ', (size_t)(end - p));

		/* The last word is the verb. */
		if (next == NULL)
			break;
		if (!begins_as_name(p) || ++words > NAME_WORDS_MAX ||
		    strchr(",;!?", next[-1]) != NULL)
			return false;
		p = next + 1;
	}
	return words > 0;
}

/* Who wrote stands behind the verb or in front of it: "schrieb Ann", and not "schrieb der Server
 * ins Log". */
static bool has_name_beside(const struct reply_lines *lines, size_t first, size_t last, size_t verb,
			    size_t verb_end)
{
	char joined[REPLY_FOLDED_MAX];
	size_t size = reply_lines_join(lines, first, last, joined);

	if (verb_end >= size)
		return false;
	const char *behind = joined + verb_end + strspn(joined + verb_end, " ");

	if (strchr(":(-/", *behind) == NULL && !g_ascii_isdigit(*behind))
		return begins_as_name(behind);
	while (verb > 0 && strchr(" ,", joined[verb - 1]) != NULL)
		verb--;
	while (verb > 0 && joined[verb - 1] != ' ')
		verb--;
	return begins_as_name(joined + verb);
}

/* "On 5 March 2019 at 10:15 you wrote:" may go on with what was written, in the sender's words. */
static bool speaks_of_somebody(const char *text)
{
	static const char *const who[] = {
		" i wrote",    " you wrote",   " we wrote",    " he wrote",      " she wrote",
		" they wrote", " schrieb ich", " ich schrieb", " schrieben sie", " schriebst du",
		" my ",        " our ",        " your ",       " his ",          " her ",
		" their ",     " mein ",       " meine ",      " unser ",        " unsere "};

	for (size_t i = 0; i < G_N_ELEMENTS(who); i++)
		if (strstr(text, who[i]) != NULL)
			return true;
	return false;
}

/* ---- one reading ---- */

struct reading {
	struct reply_evidence evidence;
	bool accepted;
	bool sure;
	bool with_verb;
	bool within; /* its first line begins with something else */
	const char *language;
};

/* Zoho writes no colon: "On ..., Ann <ann@example.org> wrote". */
static const char bare_end[] = "> wrote";

static bool has_end(const char *text)
{
	size_t size = strlen(text);

	return size > 0 && (text[size - 1] == ':' || text[size - 1] == '-');
}

/* "That is fine. On Monday, 4 March 2019, Ann wrote:": the attribution's beginning is not its
 * line's, and what stands in front of it is somebody's words. */
static bool begins_within(const struct reply_lines *lines, size_t first, size_t last)
{
	static const char *const begins[] = {" On ", " Am ",  " Le ", " El ",  " Il ",    " Em ",
					     " Op ", " Den ", " På ", " Dne ", " W dniu "};
	char joined[REPLY_FOLDED_MAX];

	if (reply_lines_join(lines, first, last, joined) == 0)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(begins); i++) {
		char *p = strstr(joined, begins[i]);

		if (p == NULL || strpbrk(p, "0123456789") == NULL)
			continue;
		*p = '\0';
		bool words = joined[strspn(joined, "-_ ")] != '\0' &&
			     strpbrk(joined, "0123456789@") == NULL;
		*p = ' ';
		if (words)
			return true;
	}
	return false;
}

/* `verb` stands at `where` in the folded lines. */
static struct reading with_verb(const struct reply_lines *lines, size_t first, size_t last,
				const char *folded, const struct reply_verb *verb, size_t where,
				bool quoted)
{
	struct reading reading = {.evidence = reply_evidence_of(folded),
				  .language = verb->language,
				  .with_verb = true};
	const struct reply_evidence *e = &reading.evidence;
	bool any = e->date || e->time || e->address;

	reading.sure = (e->address && (e->date || e->time)) ||
		       (e->date && e->time && !speaks_of_somebody(folded) &&
			(verb->place == VERB_INNER ||
			 has_name_beside(lines, first, last, where, where + strlen(verb->words))));
	reading.accepted = reading.sure || (quoted && any) ||
			   (quoted && first == last && is_name_only(lines, first));
	return reading;
}

/* Gmail in Russian, Japanese, Hebrew, and everybody in a language that is not known here. */
static struct reading without_verb(const char *folded, bool quoted)
{
	struct reading reading = {.evidence = reply_evidence_of(folded), .language = "any"};
	const struct reply_evidence *e = &reading.evidence;
	bool colon = has_end(folded);
	bool begins_with_date = g_ascii_isdigit(*folded);

	if (e->address && e->date && e->time && colon && ends_with_address(folded))
		reading.sure = true;
	reading.accepted =
		reading.sure || (quoted && e->address && colon && (e->date || e->time)) ||
		(quoted && colon && begins_with_date && e->date && e->time) ||
		(quoted && e->address && begins_with_date && e->date && ends_with_address(folded));
	return reading;
}

static bool read_lines(struct reply_lines *lines, size_t first, size_t last, bool quoted,
		       char folded[REPLY_FOLDED_MAX], struct reading *reading)
{
	size_t size = reply_lines_fold(lines, first, last, folded);
	const char *text = folded + strspn(folded, "- ");

	*reading = (struct reading){0};
	if (size == 0 || lines->tries >= TRIES_MAX)
		return false;
	lines->tries++;
	const char *where = NULL;
	bool bare = g_str_has_suffix(text, bare_end);
	const struct reply_verb *verb =
		bare || has_end(text) ? reply_verb_find(text, &where) : NULL;

	*reading = verb != NULL ? with_verb(lines, first, last, text, verb,
					    (size_t)(where - folded), quoted)
				: without_verb(text, quoted);
	reading->within = begins_within(lines, first, last);
	if (is_cut_off(text) || (bare && !reading->sure) || (reading->within && !quoted))
		reading->accepted = false;
	return true;
}

/* ---- lines ---- */

/* Cheap: may it be the last line of one? */
static bool may_end(const struct reply_lines *lines, size_t line)
{
	const struct reply_line *this = &lines->line[line];
	const char *text = lines->text + this->text;
	const char *end = lines->text + this->end;
	static const char dashes[] = "---";

	while (end > text && (end[-1] == '*' || end[-1] == '_' || end[-1] == ' '))
		end--;
	if (end == text)
		return false;
	switch (end[-1]) {
	case ':':
		return true;
	case '-':
		/* "---- On ... wrote ----", which may be on two lines. */
		return *text == '-' || ((size_t)(end - text) >= strlen(dashes) &&
					memcmp(end - strlen(dashes), dashes, strlen(dashes)) == 0);
	case '>':
		return g_ascii_isdigit(*text); /* "2013/7/20 Ann <ann@example.net>" */
	case 'e':
		return (size_t)(end - text) >= strlen(bare_end) &&
		       memcmp(end - strlen(bare_end), bare_end, strlen(bare_end)) == 0;
	default:
		/* The last byte of a full-width colon (U+FF1A). */
		return (unsigned char)end[-1] == 0x9A;
	}
}

/* May `line` and what is behind it be one attribution?  A blank line is only within where the
 * address was put on a line of its own. */
static bool may_go_on(const struct reply_lines *lines, size_t line, size_t next)
{
	char folded[REPLY_FOLDED_MAX];

	if (lines->line[line].kind != REPLY_TEXT)
		return false;
	if (next == line + 1)
		return true;
	return lines->text[lines->line[next].text] == '<' &&
	       reply_lines_fold(lines, line, line, folded) > 0 &&
	       reply_begins_with_preposition(folded);
}

/* The line above the one found begins one: "On Tuesday, March 5," "2019 at 10:11, Ann wrote:". */
static bool begins_above(const struct reply_lines *lines, size_t floor, size_t first, size_t last)
{
	char folded[REPLY_FOLDED_MAX];

	if (first <= floor || lines->line[first - 1].kind != REPLY_TEXT ||
	    last - first + 2 > WRAPPED_MAX)
		return false;
	if (reply_lines_fold(lines, first, last, folded) == 0 ||
	    reply_begins_with_preposition(folded))
		return false;
	size_t size = reply_lines_fold(lines, first - 1, first - 1, folded);

	return size > 0 && reply_begins_with_preposition(folded) &&
	       strchr(".!?:", folded[size - 1]) == NULL && strpbrk(folded, "0123456789") != NULL;
}

bool reply_is_quoted(const struct reply_lines *lines, size_t line, bool bars)
{
	if (line >= lines->count)
		return false;
	return lines->line[line].kind == REPLY_QUOTE ||
	       (bars && lines->text[lines->line[line].text] == '|' &&
		lines->line[line].kind == REPLY_TEXT);
}

static void take(const struct reading *reading, size_t first, size_t last, bool bars,
		 struct reply_marker *marker)
{
	*marker = (struct reply_marker){
		.kind = MARKER_ATTRIBUTION,
		.start = reading->within ? last + 1 : first,
		.end = last + 1,
		.sure = reading->sure,
		.bars = bars,
		.rule = "attribution",
		.language = reading->language,
	};
}

/* The best of the readings that end at the same line counts; of equals the shortest. */
enum worth { WORTH_NOTHING, WORTH_SOMETHING, WORTH_DATE, WORTH_VERB, WORTH_MOST };

static enum worth worth_of(const struct reading *reading)
{
	if (!reading->accepted)
		return WORTH_NOTHING;
	if (reading->with_verb)
		return reading->evidence.date ? WORTH_MOST : WORTH_VERB;
	return reading->evidence.date ? WORTH_DATE : WORTH_SOMETHING;
}

bool reply_attribution_find(struct reply_lines *lines, size_t floor, size_t line,
			    struct reply_marker *marker)
{
	char folded[REPLY_FOLDED_MAX];
	struct reading reading;
	size_t next = reply_lines_next(lines, line + 1, lines->count);
	bool bars = next < lines->count && lines->text[lines->line[next].text] == '|';
	bool quoted = reply_is_quoted(lines, next, bars);
	enum worth best = WORTH_NOTHING;

	if (!may_end(lines, line))
		return false;
	/* From the last line upwards, so that no sentence before it is taken for its beginning. */
	for (size_t first = line, below = line + 1, taken = 0; taken < WRAPPED_MAX; taken++) {
		if (first != line && !may_go_on(lines, first, below))
			break;
		/* What looks like a quote is "> wrote:", whose beginning stands above. */
		if (lines->line[first].kind != REPLY_QUOTE) {
			if (!read_lines(lines, first, line, quoted, folded, &reading))
				break;
			enum worth worth = worth_of(&reading);
			if (worth > best) {
				best = worth;
				take(&reading, first, line, bars, marker);
			}
			if (best == WORTH_MOST)
				break;
		}
		below = first;
		if (first <= floor)
			break;
		first--;
		while (first > floor && lines->line[first].kind == REPLY_BLANK)
			first--;
	}
	if (best != WORTH_NOTHING && marker->start <= line &&
	    begins_above(lines, floor, marker->start, line))
		marker->start--;
	return best != WORTH_NOTHING;
}
