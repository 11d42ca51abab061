#include "mailin/ingest/target_token.h"

#include <glib.h>
#include <limits.h>
#include <string.h>

static size_t left(const struct target_cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

static bool starts(const struct target_cursor *cursor, const char *text)
{
	size_t size = strlen(text);

	return left(cursor) >= size && memcmp(cursor->at, text, size) == 0;
}

/* '$' and everything above ASCII may stand in a name. */
static bool is_word(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '$' || (unsigned char)c > SCHAR_MAX;
}

static bool is_parameter(char c)
{
	return g_ascii_isalnum(c) || c == '_';
}

/* "--" begins a comment only before white space or a control character. */
static bool starts_line_comment(const struct target_cursor *cursor)
{
	static const size_t mark = sizeof("--") - 1;

	if (starts(cursor, "#"))
		return true;
	return starts(cursor, "--") && (left(cursor) == mark || cursor->at[mark] == ' ' ||
					g_ascii_iscntrl(cursor->at[mark]));
}

/* A doubled quote looks like the end of one string and the begin of the next: for us the same. */
static const char *quoted_end(const struct target_cursor *cursor)
{
	char quote = *cursor->at;

	for (const char *p = cursor->at + 1; p < cursor->end; p++) {
		if (*p == quote)
			return p + 1;
		if (*p == '\\' && quote != '`')
			p++;
	}
	return NULL;
}

static const char *comment_end(const struct target_cursor *cursor)
{
	static const char mark[] = "*/";
	const char *found =
		memmem(cursor->at + strlen(mark), left(cursor) - strlen(mark), mark, strlen(mark));

	return found != NULL ? found + strlen(mark) : NULL;
}

static const char *line_end(const struct target_cursor *cursor)
{
	const char *found = memchr(cursor->at, '\n', left(cursor));

	return found != NULL ? found : cursor->end;
}

static const char *run_end(const struct target_cursor *cursor, const char *p, bool (*member)(char))
{
	while (p < cursor->end && member(*p))
		p++;
	return p;
}

static bool is_space(char c)
{
	return g_ascii_isspace(c) || c == '\v';
}

static const char *colon_end(const struct target_cursor *cursor, enum target_token_kind *kind)
{
	const char *next = cursor->at + 1;

	*kind = TOKEN_OTHER;
	if (next == cursor->end)
		return next;
	if (*next == ':' || *next == '=')
		return next + 1;
	if (!g_ascii_isalpha(*next) && *next != '_')
		return next;
	*kind = TOKEN_PARAMETER;
	return run_end(cursor, next, is_parameter);
}

/* The end of the token that begins here; NULL if it has none. */
static const char *token_end(const struct target_cursor *cursor, enum target_token_kind *kind)
{
	if (is_space(*cursor->at)) {
		*kind = TOKEN_SPACE;
		return run_end(cursor, cursor->at, is_space);
	}
	if (starts_line_comment(cursor)) {
		*kind = TOKEN_COMMENT;
		return line_end(cursor);
	}
	if (starts(cursor, "/*")) {
		*kind = TOKEN_COMMENT;
		return comment_end(cursor);
	}
	if (is_word(*cursor->at)) {
		*kind = TOKEN_WORD;
		return run_end(cursor, cursor->at, is_word);
	}
	switch (*cursor->at) {
	case '\'':
	case '"':
		*kind = TOKEN_STRING;
		return quoted_end(cursor);
	case '`':
		*kind = TOKEN_NAME;
		return quoted_end(cursor);
	case ':':
		return colon_end(cursor, kind);
	case '?':
		*kind = TOKEN_PLACEHOLDER;
		break;
	case ';':
		*kind = TOKEN_SEMICOLON;
		break;
	default:
		*kind = TOKEN_OTHER;
		break;
	}
	return cursor->at + 1;
}

struct target_token target_token_next(struct target_cursor *cursor)
{
	struct target_token token = {TOKEN_END, cursor->at, 0, cursor->line};

	if (cursor->at == cursor->end)
		return token;
	const char *end = token_end(cursor, &token.kind);

	if (end == NULL) {
		token.kind = TOKEN_UNCLOSED;
		end = cursor->end;
	}
	token.size = (size_t)(end - cursor->at);
	for (const char *p = cursor->at; p < end; p++)
		cursor->line += *p == '\n';
	cursor->at = end;
	return token;
}

bool target_token_is_word(const struct target_token *token, const char *word)
{
	return token->kind == TOKEN_WORD && token->size == strlen(word) &&
	       g_ascii_strncasecmp(token->text, word, token->size) == 0;
}
