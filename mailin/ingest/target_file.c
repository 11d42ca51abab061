#include "mailin/ingest/target_file.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "mailin/ingest/target_rows.h"
#include "mailin/ingest/target_token.h"

static const char STATUS[] = "4.3.5"; /* RFC 3463: system incorrectly configured */
static const char SECTION_MARK[] = "-- mailpipe:";
static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";

enum { SHOWN_MAX = 40 }; /* characters of a word in a message */

/* What can run inside the message's transaction: nothing that commits, and nothing whose results
 * would have to be read one after the other. */
static const char *const verbs[] = {"INSERT", "REPLACE", "UPDATE", "DELETE",
				    "SELECT", "DO",      "WITH"};

struct parser {
	const char *path;
	struct target_cursor cursor;
	struct target_token token;
	GArray *sections;
	GArray *statements;
	bool nothing; /* "-- mailpipe: nothing" */
	struct reason *reason;
	/* The statement in hand. */
	GString *sql; /* empty: between statements */
	GPtrArray *parameters;
	int line;
};

__attribute__((format(printf, 3, 4))) static bool fail(const struct parser *parser, int line,
						       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *what = g_strdup_vprintf(format, args);
	va_end(args);
	outcome_retry(parser->reason, STATUS, "%s:%d: %s", parser->path, line, what);
	return false;
}

static const struct target_section *section(const struct parser *parser)
{
	return &g_array_index(parser->sections, struct target_section, parser->sections->len - 1);
}

static int shown(const struct target_token *token)
{
	return (int)MIN(token->size, (size_t)SHOWN_MAX);
}

/* ---- sections ---- */

static bool read_condition(struct parser *parser, char **words, struct target_section *section)
{
	if (words[0] == NULL)
		return true;
	if (strcmp(words[0], "where") != 0)
		return fail(parser, parser->token.line, "\"%s\" instead of where", words[0]);
	words++;
	if (words[0] != NULL && strcmp(words[0], "not") == 0) {
		section->negated = true;
		words++;
	}
	if (words[0] == NULL || words[1] != NULL)
		return fail(parser, parser->token.line, "where takes [not] and one name");
	section->flag = target_parameter_find(words[0], strlen(words[0]));
	if (section->flag == NULL || !target_parameter_is_flag(section->flag))
		return fail(parser, parser->token.line, "where %s: there is no such condition",
			    words[0]);
	if (target_parameter_is_attachments(section->flag) && !section->per_attachment)
		return fail(parser, parser->token.line, "where %s: is only for attachments",
			    words[0]);
	return true;
}

/* "-- mailpipe: attachment where image" */
static bool read_section(struct parser *parser)
{
	size_t mark = strlen(SECTION_MARK);
	g_autofree char *line = g_strndup(parser->token.text + mark, parser->token.size - mark);
	g_auto(GStrv) pieces = g_strsplit_set(line, " \t\r", -1);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	struct target_section next = {0};

	for (char **piece = pieces; *piece != NULL; piece++)
		if (**piece != '\0')
			g_ptr_array_add(words, *piece);
	g_ptr_array_add(words, NULL);
	const char *kind = words->pdata[0] != NULL ? words->pdata[0] : "";

	if (parser->sql->len > 0)
		return fail(parser, parser->token.line,
			    "the statement that begins in line %d is not ended", parser->line);
	if (strcmp(kind, "nothing") == 0) {
		parser->nothing = true;
		return words->pdata[1] == NULL ||
		       fail(parser, parser->token.line, "text behind nothing");
	}
	if (strcmp(kind, "message") != 0 && strcmp(kind, "attachment") != 0)
		return fail(parser, parser->token.line,
			    "\"%s\" is neither message, attachment nor nothing", kind);
	next.per_attachment = strcmp(kind, "attachment") == 0;
	if (!read_condition(parser, (char **)words->pdata + 1, &next))
		return false;
	g_array_append_val(parser->sections, next);
	return true;
}

static bool take_comment(struct parser *parser)
{
	const struct target_token *token = &parser->token;
	g_autofree char *text = g_strndup(token->text, token->size);

	if (g_str_has_prefix(text, SECTION_MARK))
		return read_section(parser);
	/* What only some servers take for a comment. */
	if (g_str_has_prefix(text, "/*!") || g_str_has_prefix(text, "/*M!"))
		return fail(parser, token->line, "a comment that servers execute");
	if (parser->sql->len > 0)
		g_string_append_len(parser->sql, token->text, (gssize)token->size);
	return true;
}

/* ---- statements ---- */

static bool take_parameter(struct parser *parser)
{
	const struct target_token *token = &parser->token;
	const struct target_parameter *parameter =
		target_parameter_find(token->text + 1, token->size - 1);

	if (parameter == NULL)
		return fail(parser, token->line, "unknown parameter %.*s", shown(token),
			    token->text);
	if (target_parameter_is_attachments(parameter) && !section(parser)->per_attachment)
		return fail(parser, token->line, "%.*s is only for sections of attachments",
			    shown(token), token->text);
	if (parser->parameters->len == TARGET_PARAMETERS_MAX)
		return fail(parser, token->line, "more than %d parameters in one statement",
			    TARGET_PARAMETERS_MAX);
	g_ptr_array_add(parser->parameters, (void *)(uintptr_t)parameter);
	g_string_append_c(parser->sql, '?');
	return true;
}

static bool begins_statement(const struct parser *parser)
{
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (target_token_is_word(&parser->token, verbs[i]))
			return true;
	return false;
}

static bool take_piece(struct parser *parser)
{
	const struct target_token *token = &parser->token;

	if (parser->sql->len == 0) {
		parser->line = token->line;
		if (!begins_statement(parser))
			return fail(parser, token->line,
				    "\"%.*s\" begins no statement of a target: INSERT, REPLACE, "
				    "UPDATE, DELETE, SELECT, DO or WITH does",
				    shown(token), token->text);
	}
	g_string_append_len(parser->sql, token->text, (gssize)token->size);
	return true;
}

/* A statement ends at the end of a line, so that one ';' too many is seen. */
static bool rest_of_line_is_empty(const struct parser *parser)
{
	struct target_cursor cursor = parser->cursor;
	struct target_token token = target_token_next(&cursor);

	if (token.kind == TOKEN_SPACE && memchr(token.text, '\n', token.size) == NULL)
		token = target_token_next(&cursor);
	return token.kind == TOKEN_SPACE || token.kind == TOKEN_COMMENT || token.kind == TOKEN_END;
}

static bool take_semicolon(struct parser *parser)
{
	if (parser->sql->len == 0)
		return fail(parser, parser->token.line, "';' without a statement");
	if (!rest_of_line_is_empty(parser))
		return fail(parser, parser->token.line, "text behind ';'");
	if (parser->statements->len == TARGET_STATEMENTS_MAX)
		return fail(parser, parser->line, "more than %d statements", TARGET_STATEMENTS_MAX);
	struct target_statement statement = {
		.line = parser->line,
		.section = parser->sections->len - 1,
		.sql = g_strdup(parser->sql->str),
		.parameter_count = parser->parameters->len,
	};

	statement.parameters =
		g_memdup2(parser->parameters->pdata, parser->parameters->len * sizeof(void *));
	g_array_append_val(parser->statements, statement);
	g_string_truncate(parser->sql, 0);
	g_ptr_array_set_size(parser->parameters, 0);
	return true;
}

/* False at the end or with a reason. */
static bool take_token(struct parser *parser)
{
	const struct target_token *token = &parser->token;

	switch (token->kind) {
	case TOKEN_SPACE:
		if (parser->sql->len > 0)
			g_string_append_len(parser->sql, token->text, (gssize)token->size);
		return true;
	case TOKEN_COMMENT:
		return take_comment(parser);
	case TOKEN_PARAMETER:
		return parser->sql->len > 0 ? take_parameter(parser) : take_piece(parser);
	case TOKEN_PLACEHOLDER:
		return fail(parser, token->line, "a bare '?': parameters have names");
	case TOKEN_SEMICOLON:
		return take_semicolon(parser);
	case TOKEN_UNCLOSED:
		return fail(parser, token->line, "%.*s does not end", *token->text == '/' ? 2 : 1,
			    token->text);
	case TOKEN_WORD:
	case TOKEN_NAME:
	case TOKEN_STRING:
	case TOKEN_OTHER:
	case TOKEN_END:
		break;
	}
	return take_piece(parser);
}

static bool parse(struct parser *parser)
{
	struct target_section first = {0};

	g_array_append_val(parser->sections, first);
	for (;;) {
		parser->token = target_token_next(&parser->cursor);
		if (parser->token.kind == TOKEN_END)
			break;
		if (!take_token(parser))
			return false;
	}
	if (parser->sql->len > 0)
		return fail(parser, parser->line, "the statement does not end with ';'");
	if (parser->nothing == (parser->statements->len > 0))
		return fail(parser, parser->token.line,
			    parser->nothing ? "statements and \"%s nothing\""
					    : "no statement, and no \"%s nothing\"",
			    SECTION_MARK);
	return true;
}

/* ---- rows ---- */

static void find_rows(struct target_file *file)
{
	for (size_t i = 0; i < file->statement_count; i++)
		if (target_rows_forbidden(file->statements[i].sql))
			return;
	for (size_t i = 0; i < file->statement_count; i++)
		target_rows_find(file->statements[i].sql, &file->statements[i].rows);
}

static bool wants_threads(const struct target_file *file)
{
	for (size_t i = 0; i < file->section_count; i++) {
		const struct target_parameter *flag = file->sections[i].flag;

		if (flag != NULL && target_parameter_is_threads(flag))
			return true;
	}
	for (size_t i = 0; i < file->statement_count; i++)
		for (size_t k = 0; k < file->statements[i].parameter_count; k++)
			if (target_parameter_is_threads(file->statements[i].parameters[k]))
				return true;
	return false;
}

/* ---- files ---- */

static bool check_text(const struct parser *parser, const char *text, size_t size)
{
	const char *end;

	if (size > TARGET_FILE_MAX)
		return fail(parser, 1, "more than %d bytes", TARGET_FILE_MAX);
	if (g_utf8_validate_len(text, size, &end))
		return true;
	int line = 1;

	for (const char *p = text; p < end; p++)
		line += *p == '\n';
	return fail(parser, line, "no valid UTF-8");
}

struct target_file *target_file_parse(const char *path, const char *text, size_t size,
				      struct reason *reason)
{
	struct parser parser = {
		.path = path,
		.cursor = {text, text + size, 1},
		.sections = g_array_new(FALSE, FALSE, sizeof(struct target_section)),
		.statements = g_array_new(FALSE, FALSE, sizeof(struct target_statement)),
		.reason = reason,
		.sql = g_string_new(NULL),
		.parameters = g_ptr_array_new(),
	};
	struct target_file *file = g_new0(struct target_file, 1);

	if (size >= strlen(BYTE_ORDER_MARK) &&
	    memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		parser.cursor.at += strlen(BYTE_ORDER_MARK);
	bool fine = check_text(&parser, text, size) && parse(&parser);

	file->path = g_strdup(path);
	file->section_count = parser.sections->len;
	file->sections = (struct target_section *)g_array_free(parser.sections, FALSE);
	file->statement_count = parser.statements->len;
	file->statements = (struct target_statement *)g_array_free(parser.statements, FALSE);
	g_string_free(parser.sql, TRUE);
	g_ptr_array_unref(parser.parameters);
	if (!fine) {
		target_file_free(&file);
		return NULL;
	}
	find_rows(file);
	file->wants_threads = wants_threads(file);
	return file;
}

struct target_file *target_file_read(const char *path, struct reason *reason)
{
	g_autofree char *text = g_malloc(TARGET_FILE_MAX + 1);
	FILE *stream = fopen(path, "re");

	if (stream == NULL) {
		outcome_retry(reason, STATUS, "%s: %s", path, g_strerror(errno));
		return NULL;
	}
	errno = 0;
	size_t size = fread(text, 1, TARGET_FILE_MAX + 1, stream);
	int error = ferror(stream) ? errno : 0;

	fclose(stream);
	if (error != 0) {
		outcome_retry(reason, STATUS, "%s: %s", path, g_strerror(error));
		return NULL;
	}
	return target_file_parse(path, text, size, reason);
}

void target_file_free(struct target_file **file)
{
	struct target_file *old = *file;

	if (old == NULL)
		return;
	for (size_t i = 0; i < old->statement_count; i++) {
		g_free(old->statements[i].sql);
		g_free(old->statements[i].parameters);
		target_rows_clear(&old->statements[i].rows);
	}
	g_free(old->statements);
	g_free(old->sections);
	g_free(old->path);
	g_free(old);
	*file = NULL;
}

char *target_file_find(const char *target, char *const *folders)
{
	if (*target == '/')
		return g_strdup(target);
	for (; *folders != NULL; folders++) {
		char *path = g_strdup_printf("%s/%s.sql", *folders, target);

		if (g_file_test(path, G_FILE_TEST_EXISTS))
			return path;
		g_free(path);
	}
	return NULL;
}

char *target_file_place(const struct target_file *file, const struct target_statement *statement)
{
	return g_strdup_printf("%s:%d", file->path, statement->line);
}
