/*
 * What of a text its sender wrote: a reply without the mail that it quotes, signature and footer.
 *
 * Nobody's words may be lost, so when in doubt nothing is removed: answers between the lines of a
 * quote stay with it, forwarded mail is the message, and a text that would be empty stays whole.
 * The pieces are cut out of the text at line ends; none is made up, reordered or changed.
 *
 * Pure and bounded: time and memory grow with the size of the text, whatever is in it.
 */
#ifndef MAILIN_PARSE_REPLY_H
#define MAILIN_PARSE_REPLY_H

#include <stddef.h>

#include "common/html_mark.h"

enum { REPLY_RULE_MAX = 32 };

struct reply_hints {
	const char *subject;           /* NULL: none; "Fwd: ..." forwards */
	const struct html_mark *marks; /* where the text was made from HTML; in its order */
	size_t mark_count;
};

struct reply {
	char *text;                /* what is left, from its first to its last line */
	char *quote;               /* what was removed; "" if nothing was */
	char rule[REPLY_RULE_MAX]; /* the rule that removed the most important piece; "": none */
};

/*
 * `text` is UTF-8 with LF line ends, terminated.  Both results are pieces of it, in its order, that
 * have nothing in common but blank lines.  reply_clear() them.
 */
void reply_split(const char *text, size_t size, const struct reply_hints *hints,
		 struct reply *reply);
void reply_clear(struct reply *reply);

#endif
