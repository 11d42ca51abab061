/*
 * The pieces of a target's SQL, as far as parameters, statements' ends and quoting go.
 *
 * Quoting is that of our sessions: neither ANSI_QUOTES nor NO_BACKSLASH_ESCAPES.  Of a colon only
 * `:name` is a parameter; `::` and `:=` are what they are.
 */
#ifndef MAILIN_INGEST_TARGET_TOKEN_H
#define MAILIN_INGEST_TARGET_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum target_token_kind {
	TOKEN_END,
	TOKEN_SPACE,
	TOKEN_COMMENT, /* without the end of its line */
	TOKEN_WORD,    /* keyword, name or number */
	TOKEN_NAME,    /* in backticks */
	TOKEN_STRING,
	TOKEN_PARAMETER,   /* with its colon */
	TOKEN_PLACEHOLDER, /* a bare ? */
	TOKEN_SEMICOLON,
	TOKEN_OTHER,    /* one character, or `::` or `:=` */
	TOKEN_UNCLOSED, /* a quote or comment that does not end */
};

struct target_token {
	enum target_token_kind kind;
	const char *text; /* in the file */
	size_t size;
	int line; /* where it begins; the first one is 1 */
};

struct target_cursor {
	const char *at;
	const char *end;
	int line;
};

struct target_token target_token_next(struct target_cursor *cursor);

/* Letter case does not matter. */
bool target_token_is_word(const struct target_token *token, const char *word);

#endif
