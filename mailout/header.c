#include "mailout/header.h"

#include <string.h>

enum {
	FOLD_AT = 78,     /* RFC 5322, 2.1.1, without CRLF */
	ENCODED_MAX = 75, /* of one encoded word (RFC 2047, 2) */
	SEGMENT_MAX = 60, /* of one piece of an RFC 2231 value */
	DELETE = 0x7F,
	C1_LEAD = 0xC2,
	C1_LAST = 0x9F,
};

static const char word_begin_b[] = "=?UTF-8?B?";
static const char word_begin_q[] = "=?UTF-8?Q?";
static const char word_end[] = "?=";
static const char fold[] = "\r\n ";

bool header_is_line(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p < ' ' || *p == DELETE || (*p == C1_LEAD && p[1] <= C1_LAST))
			return false;
	return g_utf8_validate(text, -1, NULL);
}

/* ---- lines ---- */

/* Bytes of the line that `out` ends with. */
static size_t column(const GString *out)
{
	size_t size = 0;

	while (size < out->len && out->str[out->len - 1 - size] != '\n')
		size++;
	return size;
}

/* A word and the blanks before it, which go to the next line with it. */
static void append_word(GString *out, const char *blanks, size_t blank_size, const char *word,
			size_t size)
{
	if (column(out) + blank_size + size > FOLD_AT)
		g_string_append(out, "\r\n");
	g_string_append_len(out, blanks, (gssize)blank_size);
	g_string_append_len(out, word, (gssize)size);
}

/* The first word stays behind the name, however long it is: a line with nothing but the name
 * confuses some. */
static void append_folded(GString *out, const char *text)
{
	size_t first = strcspn(text, " ");

	g_string_append_c(out, ' ');
	g_string_append_len(out, text, (gssize)first);
	for (text += first; *text != '\0';) {
		size_t blanks = strspn(text, " ");
		size_t word = strcspn(text + blanks, " ");

		append_word(out, text, blanks, text + blanks, word);
		text += blanks + word;
	}
}

/* ---- encoded words ---- */

static bool is_printable_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if (!g_ascii_isprint(*text))
			return false;
	return true;
}

/* RFC 2047, 5 (3): what may stand as it is, even in a phrase. */
static bool is_plain(char c)
{
	return g_ascii_isalnum(c) || (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t q_size(const char *text, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++)
		length += is_plain(text[i]) || text[i] == ' ' ? 1 : strlen("=XX");
	return length;
}

static size_t b_size(size_t size)
{
	return (size + 2) / 3 * 4;
}

static void append_q(GString *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (is_plain(text[i]))
			g_string_append_c(out, text[i]);
		else if (text[i] == ' ')
			g_string_append_c(out, '_');
		else
			g_string_append_printf(out, "=%02X", (unsigned char)text[i]);
	}
}

static void append_b(GString *out, const char *text, size_t size)
{
	g_autofree char *encoded = g_base64_encode((const guchar *)text, size);

	g_string_append(out, encoded);
}

/*
 * How much of the text, in whole characters, fits into an encoded word with that much room for its
 * inside.  In base64 a multiple of three bytes, if there is one: some decoders (GMime's) join
 * neighbouring words and stop at padding.
 */
static size_t fitting(const char *text, bool q, size_t room)
{
	size_t size = 0;
	size_t unpadded = 0;

	while (text[size] != '\0') {
		size_t next = size + (size_t)(g_utf8_next_char(text + size) - (text + size));

		if ((q ? q_size(text, next) : b_size(next)) > room)
			break;
		size = next;
		unpadded = size % 3 == 0 ? size : unpadded;
	}
	return q || text[size] == '\0' || unpadded == 0 ? size : unpadded;
}

/* A blank and an encoded word again and again; decoders drop the blanks between them.  `reserve`
 * bytes stay free behind the last one. */
static void append_encoded(GString *out, const char *text, size_t reserve)
{
	/* An encoded word of one character must fit on a new line. */
	enum { FRAME = sizeof(word_begin_b) - 1 + sizeof(word_end) - 1, CHARACTER_MAX = 12 };
	size_t length = strlen(text);
	bool q = q_size(text, length) <= b_size(length);

	while (*text != '\0') {
		size_t used = column(out) + 1 + FRAME + reserve;
		size_t room = used < FOLD_AT ? FOLD_AT - used : 0;

		if (room < CHARACTER_MAX) {
			g_string_append(out, fold);
			room = FOLD_AT - 1 - FRAME - reserve;
		} else {
			g_string_append_c(out, ' ');
		}
		size_t size = fitting(text, q, MIN(room, ENCODED_MAX - FRAME));

		g_string_append(out, q ? word_begin_q : word_begin_b);
		(q ? append_q : append_b)(out, text, size);
		g_string_append(out, word_end);
		text += size;
	}
}

/* ---- fields ---- */

static void begin_field(GString *out, const char *name)
{
	g_string_append(out, name);
	g_string_append_c(out, ':');
}

static void end_field(GString *out)
{
	g_string_append(out, "\r\n");
}

static bool has_long_word(const char *text)
{
	while (*text != '\0') {
		size_t word = strcspn(text, " ");

		if (word > ENCODED_MAX)
			return true;
		text += word;
		text += strspn(text, " ");
	}
	return false;
}

/* Would blanks get lost, or something be taken for an encoded word that is none? */
static bool needs_encoding(const char *text)
{
	size_t size = strlen(text);

	return !is_printable_ascii(text) || strstr(text, "=?") != NULL || has_long_word(text) ||
	       (size > 0 && (text[0] == ' ' || text[size - 1] == ' '));
}

void header_unstructured(GString *out, const char *name, const char *text)
{
	begin_field(out, name);
	if (needs_encoding(text))
		append_encoded(out, text, 0);
	else
		append_folded(out, text);
	end_field(out);
}

void header_words(GString *out, const char *name, const char *text)
{
	begin_field(out, name);
	if (is_printable_ascii(text))
		append_folded(out, text);
	else
		append_encoded(out, text, 0);
	end_field(out);
}

/* ---- addresses ---- */

static bool is_atoms(const char *text)
{
	for (; *text != '\0'; text++)
		if (!g_ascii_isalnum(*text) && strchr(" !#$%&'*+-/=?^_`{|}~", *text) == NULL)
			return false;
	return true;
}

/* As a quoted string if it must be one (RFC 5322, 3.2.4). */
static char *phrase(const char *name)
{
	if (is_atoms(name))
		return g_strdup(name);
	GString *quoted = g_string_new("\"");

	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *name);
	}
	g_string_append_c(quoted, '"');
	return g_string_free(quoted, FALSE);
}

/* Two blanks in a phrase are one to some readers; a long name in quotes could not be folded safely.
 */
static bool name_needs_encoding(const char *name)
{
	return needs_encoding(name) || strstr(name, "  ") != NULL || strlen(name) > ENCODED_MAX - 2;
}

static void append_mailbox(GString *out, const struct header_mailbox *mailbox, bool last)
{
	const char *comma = last ? "" : ",";
	g_autofree char *address =
		g_strdup_printf(*mailbox->name == '\0' ? "%s%s" : "<%s>%s", mailbox->email, comma);

	if (*mailbox->name != '\0' && name_needs_encoding(mailbox->name)) {
		append_encoded(out, mailbox->name, 0);
	} else if (*mailbox->name != '\0') {
		g_autofree char *name = phrase(mailbox->name);
		g_autofree char *both = g_strdup_printf("%s %s", name, address);
		bool together = strlen(both) < FOLD_AT;

		append_word(out, " ", 1, together ? both : name, strlen(together ? both : name));
		if (together)
			return;
	}
	append_word(out, " ", 1, address, strlen(address));
}

void header_mailboxes(GString *out, const char *name, const struct header_mailbox *mailboxes,
		      size_t count)
{
	begin_field(out, name);
	for (size_t i = 0; i < count; i++)
		append_mailbox(out, &mailboxes[i], i + 1 == count);
	end_field(out);
}

/* ---- parameters ---- */

static void begin_parameter(GString *out, const char *name)
{
	g_string_append(out, ";\r\n\t");
	g_string_append(out, name);
}

/* RFC 2231, 7: attribute-char. */
static bool is_attribute_character(char c)
{
	return g_ascii_isalnum(c) || (c != '\0' && strchr("!#$&+-.^_`{|}~", c) != NULL);
}

static size_t percent_size(const char *text, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++)
		length += is_attribute_character(text[i]) ? 1 : strlen("%XX");
	return length;
}

static void append_percent(GString *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (is_attribute_character(text[i]))
			g_string_append_c(out, text[i]);
		else
			g_string_append_printf(out, "%%%02X", (unsigned char)text[i]);
	}
}

static void append_quoted(GString *out, const char *value)
{
	g_string_append(out, "=\"");
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *value);
	}
	g_string_append_c(out, '"');
}

/* "name*0*=UTF-8''Gr%C3%BC"; cut between characters, for readers that decode each piece for itself.
 */
static void append_segments(GString *out, const char *name, const char *value)
{
	size_t number = 0;
	bool one = percent_size(value, strlen(value)) <= SEGMENT_MAX;

	for (const char *p = value; *p != '\0'; number++) {
		const char *end = p;

		while (*end != '\0' &&
		       percent_size(p, (size_t)(g_utf8_next_char(end) - p)) <= SEGMENT_MAX)
			end = g_utf8_next_char(end);
		begin_parameter(out, name);
		if (one)
			g_string_append(out, "*=UTF-8''");
		else
			g_string_append_printf(out, "*%zu*=%s", number,
					       number == 0 ? "UTF-8''" : "");
		append_percent(out, p, (size_t)(end - p));
		p = end;
	}
}

void header_parameter(GString *out, const char *name, const char *value)
{
	if (!is_printable_ascii(value) || strlen(value) > SEGMENT_MAX) {
		append_segments(out, name, value);
		return;
	}
	begin_parameter(out, name);
	append_quoted(out, value);
}

void header_parameter_words(GString *out, const char *name, const char *value)
{
	begin_parameter(out, name);
	if (is_printable_ascii(value) && strlen(value) <= SEGMENT_MAX) {
		append_quoted(out, value);
		return;
	}
	g_string_append(out, "=\"");
	/* The first word has no blank before it: some readers would keep it. */
	size_t start = out->len;

	append_encoded(out, value, 1);
	if (out->str[start] == ' ')
		g_string_erase(out, (gssize)start, 1);
	g_string_append_c(out, '"');
}
