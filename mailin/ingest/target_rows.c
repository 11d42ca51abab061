#include "mailin/ingest/target_rows.h"

#include <glib.h>
#include <string.h>

#include "mailin/ingest/target_file.h"
#include "mailin/ingest/target_token.h"

/* What may stand in a row beside parameters, literals and signs: functions that give the same
 * whenever in a transaction they are called, and their words. */
static const char row_words[] =
	" ABS AND AS BINARY BOTH CASE CAST CEIL CEILING CHAR CHARSET CHAR_LENGTH "
	"COALESCE CONCAT CONCAT_WS CONVERT CRC32 CURRENT_TIMESTAMP DATE DATETIME "
	"DATE_ADD DATE_FORMAT DATE_SUB DAY DECIMAL DEFAULT DIV ELSE END FALSE FLOOR "
	"FROM GREATEST HEX HOUR IF IFNULL IN INSTR INTERVAL IS JSON_ARRAY JSON_EXTRACT "
	"JSON_OBJECT JSON_UNQUOTE JSON_VALUE LCASE LEADING LEAST LEFT LENGTH LIKE "
	"LOCATE LOWER LTRIM MD5 MINUTE MOD MONTH NOT NOW NULL NULLIF OR REGEXP REPLACE "
	"RIGHT ROUND RTRIM SECOND SHA1 SHA2 SIGNED SUBSTR SUBSTRING SUBSTRING_INDEX "
	"THEN TRAILING TRIM TRUE UCASE UNHEX UNSIGNED UPPER USING UTC_DATE "
	"UTC_TIMESTAMP UTF8MB4 WHEN XOR YEAR ";

/* In ON DUPLICATE KEY UPDATE there are columns, too; what is called must be of those, or this. */
static const char VALUES[] = "VALUES";

/* The significant tokens of a statement. */
struct reader {
	struct target_cursor cursor;
	struct target_token token;
};

static void advance(struct reader *reader)
{
	do
		reader->token = target_token_next(&reader->cursor);
	while (reader->token.kind == TOKEN_SPACE || reader->token.kind == TOKEN_COMMENT);
}

static void begin(struct reader *reader, const char *sql)
{
	reader->cursor = (struct target_cursor){sql, sql + strlen(sql), 1};
	advance(reader);
}

static bool take_word(struct reader *reader, const char *word)
{
	if (!target_token_is_word(&reader->token, word))
		return false;
	advance(reader);
	return true;
}

static bool is_sign(const struct reader *reader, char sign)
{
	return reader->token.kind == TOKEN_OTHER && reader->token.size == 1 &&
	       *reader->token.text == sign;
}

static bool take_sign(struct reader *reader, char sign)
{
	if (!is_sign(reader, sign))
		return false;
	advance(reader);
	return true;
}

static bool is_row_word(const struct target_token *token)
{
	if (g_ascii_isdigit(*token->text))
		return true;
	g_autofree char *upper = g_ascii_strup(token->text, (gssize)token->size);
	g_autofree char *word = g_strdup_printf(" %s ", upper);

	return strstr(row_words, word) != NULL;
}

static bool take_name(struct reader *reader)
{
	if (reader->token.kind != TOKEN_WORD && reader->token.kind != TOKEN_NAME)
		return false;
	advance(reader);
	return true;
}

/* db.table: *table is what stands behind the last dot, without backticks. */
static bool take_table(struct reader *reader, char **table)
{
	struct target_token name;

	do {
		name = reader->token;
		if (!take_name(reader))
			return false;
	} while (take_sign(reader, '.'));
	if (name.kind == TOKEN_NAME)
		*table = g_strndup(name.text + 1, name.size - 2);
	else
		*table = g_strndup(name.text, name.size);
	return true;
}

static bool take_columns(struct reader *reader)
{
	if (!take_sign(reader, '('))
		return true;
	do {
		if (!take_name(reader))
			return false;
	} while (take_sign(reader, ','));
	return take_sign(reader, ')');
}

/* From one parenthesis to its partner. */
static bool take_row(struct reader *reader)
{
	size_t depth = 0;

	if (!is_sign(reader, '('))
		return false;
	do {
		switch (reader->token.kind) {
		case TOKEN_WORD:
			if (!is_row_word(&reader->token))
				return false;
			break;
		case TOKEN_STRING:
		case TOKEN_PLACEHOLDER:
			break;
		case TOKEN_OTHER:
			if (is_sign(reader, '@') || reader->token.size > 1)
				return false;
			depth += is_sign(reader, '(');
			depth -= is_sign(reader, ')');
			break;
		default:
			return false;
		}
		advance(reader);
	} while (depth > 0);
	return true;
}

/* ON DUPLICATE KEY UPDATE, without parameters: they would stand behind all rows. */
static bool take_update(struct reader *reader)
{
	struct target_token before = {0};

	if (reader->token.kind == TOKEN_END)
		return true;
	if (!take_word(reader, "ON") || !take_word(reader, "DUPLICATE") ||
	    !take_word(reader, "KEY") || !take_word(reader, "UPDATE"))
		return false;
	while (reader->token.kind != TOKEN_END) {
		bool called = is_sign(reader, '(') &&
			      (before.kind == TOKEN_WORD || before.kind == TOKEN_NAME);

		if (reader->token.kind == TOKEN_PLACEHOLDER ||
		    target_token_is_word(&reader->token, "SELECT") ||
		    target_token_is_word(&reader->token, "RETURNING") ||
		    (called && !is_row_word(&before) && !target_token_is_word(&before, VALUES)))
			return false;
		before = reader->token;
		advance(reader);
	}
	return true;
}

bool target_rows_find(const char *sql, struct target_rows *rows)
{
	struct reader reader;
	g_autofree char *table = NULL;

	*rows = (struct target_rows){0};
	begin(&reader, sql);
	if (!take_word(&reader, "INSERT") && !take_word(&reader, "REPLACE"))
		return false;
	take_word(&reader, "IGNORE");
	take_word(&reader, "INTO");
	if (!take_table(&reader, &table) || !take_columns(&reader))
		return false;
	if (!take_word(&reader, VALUES) && !take_word(&reader, "VALUE"))
		return false;
	const char *row = reader.token.text;
	const char *tail;

	do {
		if (!take_row(&reader))
			return false;
		tail = reader.token.text;
	} while (take_sign(&reader, ','));
	if (!take_update(&reader))
		return false;
	rows->head = g_strndup(sql, (gsize)(row - sql));
	rows->row = g_strndup(row, (gsize)(tail - row));
	rows->tail = g_strdup_printf(" %s", tail);
	rows->table = g_steal_pointer(&table);
	return true;
}

void target_rows_clear(struct target_rows *rows)
{
	g_free(rows->head);
	g_free(rows->row);
	g_free(rows->tail);
	g_free(rows->table);
}

bool target_rows_forbidden(const char *sql)
{
	static const char *const words[] = {"LAST_INSERT_ID", "ROW_COUNT", "FOUND_ROWS"};
	struct reader reader;

	for (begin(&reader, sql); reader.token.kind != TOKEN_END; advance(&reader)) {
		if (is_sign(&reader, '@'))
			return true;
		for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
			if (target_token_is_word(&reader.token, words[i]))
				return true;
	}
	return false;
}
