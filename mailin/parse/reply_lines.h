/*
 * A text as lines, each looked at once: for mailin/parse/reply*.
 */
#ifndef MAILIN_PARSE_REPLY_LINES_H
#define MAILIN_PARSE_REPLY_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REPLY_LINES_MAX = 200000, /* a text with more is nobody's answer: it stays whole */
	REPLY_FOLDED_MAX = 600,   /* bytes of lines that are read together */
};

enum reply_line_kind {
	REPLY_BLANK,
	REPLY_TEXT,
	REPLY_CODE, /* between two ``` */
	REPLY_QUOTE /* begins with ">" */
};

/* Offsets into the text. */
struct reply_line {
	uint32_t start; /* of the line */
	uint32_t text;  /* of its first visible character */
	uint32_t end;   /* behind the last one */
	enum reply_line_kind kind;
};

struct reply_lines {
	const char *text; /* borrowed */
	size_t size;
	struct reply_line *line; /* owned */
	size_t count;
	unsigned tries; /* readings of several lines, of which a text gets a bounded number */
};

/* False if the text has too many lines.  Clear it in any case. */
bool reply_lines_init(struct reply_lines *lines, const char *text, size_t size);
void reply_lines_clear(struct reply_lines *lines);

/* The first line at or behind `from`, before `to`, that is not blank; `to` if there is none. */
size_t reply_lines_next(const struct reply_lines *lines, size_t from, size_t to);

/* Behind the last line before `to`, at or behind `from`, that is not blank; `from` if none is. */
size_t reply_lines_end(const struct reply_lines *lines, size_t from, size_t to);

/*
 * Lines `first` to `last` as one, to be compared: white space and line ends become one space,
 * invisible characters, asterisks and what brackets them go, ASCII becomes lower case, full-width
 * colons, figures of other scripts and &lt; &gt; become plain.  Returns the length; 0 if it is
 * empty or too long.
 */
size_t reply_lines_fold(const struct reply_lines *lines, size_t first, size_t last,
			char folded[REPLY_FOLDED_MAX]);

/* The same, with capitals; each byte stands at the same place. */
size_t reply_lines_join(const struct reply_lines *lines, size_t first, size_t last,
			char joined[REPLY_FOLDED_MAX]);

/* Any text, as far as it fits. */
size_t reply_join(const char *text, size_t size, char *joined, size_t joined_size);
size_t reply_fold(const char *text, size_t size, char *folded, size_t folded_size);

/* Are there dashes, underscores and the like alone, so many at least? */
bool reply_line_is_rule(const struct reply_lines *lines, size_t line, size_t at_least);

#endif
