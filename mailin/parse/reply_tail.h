/*
 * What stands below somebody's words and is not part of them: the end of a quote, a signature, the
 * footer of a phone or of a list.
 */
#ifndef MAILIN_PARSE_REPLY_TAIL_H
#define MAILIN_PARSE_REPLY_TAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "mailin/parse/reply_lines.h"

struct reply_tail {
	size_t end; /* behind the last line that stays */
	const char
		*rule; /* that removed the most important of the rest; NULL: nothing was removed */
};

/*
 * Of the lines `from` to `to`, those that stay; at least one with text does, if there is one.
 * `signature` is a line where HTML says that one begins, SIZE_MAX if it does not.
 * With `quotes` a quote at the end goes, too.
 */
struct reply_tail reply_tail_find(const struct reply_lines *lines, size_t from, size_t to,
				  size_t signature, bool quotes);

#endif
