#include "mailctl/table.h"

#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	BLOCK_ROWS = 500,
	GAP = 2,
	DEFAULT_WIDTH = 80,
	DEFAULT_HEIGHT = 24,
	WIDE = 2, /* columns of an East Asian character */
};

static const char ELLIPSIS[] = "\xe2\x80\xa6";
static const char EMPTY[] = "-";
static const char COLOUR_OFF[] = "\033[0m";
static const char *const colours[] = {
	[TABLE_PLAIN] = "",       [TABLE_GOOD] = "\033[32m", [TABLE_WARNING] = "\033[33m",
	[TABLE_BAD] = "\033[31m", [TABLE_DIM] = "\033[2m",   [TABLE_STRONG] = "\033[1m",
};

struct cell {
	char *text; /* escaped */
	size_t width;
	enum table_colour colour;
};

struct table {
	const struct table_column *columns;
	size_t count;
	FILE *out;
	struct terminal terminal;
	GArray *cells;  /* struct cell: rows that are held, and the one that is begun */
	size_t *widths; /* of each column so far */
	size_t *shown;  /* the same, cut to the terminal */
	bool titled;
};

/* ---- terminals ---- */

static size_t positive(const char *name, size_t otherwise)
{
	const char *text = getenv(name);
	gint64 number = text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;

	return number > 0 ? (size_t)number : otherwise;
}

struct terminal terminal_of(FILE *out)
{
	const char *term = getenv("TERM");
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
	struct winsize size = {0};
	int fd = fileno(out);
	struct terminal terminal = {.is_terminal = fd >= 0 && isatty(fd) == 1};

	if (!terminal.is_terminal)
		return terminal;
	terminal.colour = (no_color == NULL || *no_color == '\0') && term != NULL &&
			  strcmp(term, "dumb") != 0;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0)
		size = (struct winsize){0};
	terminal.width = size.ws_col != 0 ? size.ws_col : positive("COLUMNS", DEFAULT_WIDTH);
	terminal.height = size.ws_row != 0 ? size.ws_row : positive("LINES", DEFAULT_HEIGHT);
	return terminal;
}

const char *table_colour_on(const struct terminal *terminal, enum table_colour colour)
{
	return terminal->colour ? colours[colour] : "";
}

const char *table_colour_off(const struct terminal *terminal, enum table_colour colour)
{
	return terminal->colour && colour != TABLE_PLAIN ? COLOUR_OFF : "";
}

/* ---- texts ---- */

/* Format characters order, join or hide others: a stranger's name could show as another's.  The
 * joiners are parts of words and of emoji. */
static bool is_harmless(gunichar c)
{
	enum { JOINER = 0x200d, NON_JOINER = 0x200c };

	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_PRIVATE_USE:
	case G_UNICODE_UNASSIGNED:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
		return false;
	case G_UNICODE_FORMAT:
		return c == JOINER || c == NON_JOINER;
	default:
		return true;
	}
}

static void append_escaped(GString *result, gunichar c)
{
	enum { ASCII_END = 0x80 };

	switch (c) {
	case '\n':
		g_string_append(result, "\\n");
		break;
	case '\r':
		g_string_append(result, "\\r");
		break;
	case '\t':
		g_string_append(result, "\\t");
		break;
	default:
		g_string_append_printf(result, c < ASCII_END ? "\\x%02x" : "\\u{%x}", c);
	}
}

char *table_escape(const char *text)
{
	GString *result = g_string_new(NULL);
	const char *end = text + strlen(text);

	while (text < end) {
		gunichar c = g_utf8_get_char_validated(text, end - text);

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			/* It is before `end`. NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
			g_string_append_printf(result, "\\x%02x", (unsigned char)*text++);
			continue;
		}
		if (is_harmless(c))
			g_string_append_unichar(result, c);
		else
			append_escaped(result, c);
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript): the same */
		text = g_utf8_next_char(text);
	}
	return g_string_free(result, FALSE);
}

static size_t char_width(gunichar c)
{
	if (g_unichar_iszerowidth(c))
		return 0;
	return g_unichar_iswide(c) ? WIDE : 1;
}

size_t table_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text = g_utf8_next_char(text))
		width += char_width(g_utf8_get_char(text));
	return width;
}

/* As much of it as fits, with an ellipsis if that is not all; *width becomes its width. */
static char *cut(const char *text, size_t limit, size_t *width)
{
	const char *end = text;
	size_t used = 0;

	*width = table_width(text);
	if (*width <= limit)
		return g_strdup(text);
	while (used + char_width(g_utf8_get_char(end)) < limit) {
		used += char_width(g_utf8_get_char(end));
		end = g_utf8_next_char(end);
	}
	*width = used + 1;
	return g_strdup_printf("%.*s%s", (int)(end - text), text, ELLIPSIS);
}

char *table_age(int64_t ms)
{
	static const struct {
		const char *unit;
		const char *smaller_unit;
		int64_t seconds;
		int64_t smaller;
	} UNITS[] = {{"d", "h", 86400, 3600}, {"h", "m", 3600, 60}, {"m", "s", 60, 1}};
	enum { MS_PER_S = 1000 };
	int64_t seconds = ms / MS_PER_S;

	if (seconds == 0)
		return g_strdup_printf("%" G_GINT64_FORMAT "ms", ms);
	for (size_t i = 0; i < G_N_ELEMENTS(UNITS); i++) {
		int64_t smaller = seconds % UNITS[i].seconds / UNITS[i].smaller;

		if (seconds < UNITS[i].seconds)
			continue;
		if (smaller == 0)
			return g_strdup_printf("%" G_GINT64_FORMAT "%s", seconds / UNITS[i].seconds,
					       UNITS[i].unit);
		return g_strdup_printf("%" G_GINT64_FORMAT "%s %" G_GINT64_FORMAT "%s",
				       seconds / UNITS[i].seconds, UNITS[i].unit, smaller,
				       UNITS[i].smaller_unit);
	}
	return g_strdup_printf("%" G_GINT64_FORMAT "s", seconds);
}

char *table_time(int64_t ms)
{
	enum { MS_PER_S = 1000 };
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / MS_PER_S);

	return time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("never");
}

/* ---- rows ---- */

static void clear_cell(void *cell)
{
	g_free(((struct cell *)cell)->text);
}

struct table *table_new(const struct table_column *columns, size_t count, FILE *out,
			const struct terminal *terminal)
{
	struct table *table = g_new0(struct table, 1);

	table->columns = columns;
	table->count = count;
	table->out = out;
	table->terminal = terminal != NULL ? *terminal : terminal_of(out);
	table->cells = g_array_new(FALSE, FALSE, sizeof(struct cell));
	g_array_set_clear_func(table->cells, clear_cell);
	table->widths = g_new0(size_t, count);
	table->shown = g_new0(size_t, count);
	for (size_t i = 0; i < count; i++)
		table->widths[i] = table_width(columns[i].title);
	return table;
}

/* The terminal's width is taken from the widest column first. */
static void fit(struct table *table)
{
	size_t sum = GAP * (table->count - 1);

	for (size_t i = 0; i < table->count; i++) {
		table->shown[i] = table->widths[i];
		sum += table->widths[i];
	}
	while (table->terminal.is_terminal && sum > table->terminal.width) {
		size_t widest = table->count;

		for (size_t i = 0; i < table->count; i++) {
			bool may = table->columns[i].minimum > 0 &&
				   table->shown[i] > table->columns[i].minimum;

			if (may &&
			    (widest == table->count || table->shown[i] > table->shown[widest]))
				widest = i;
		}
		if (widest == table->count)
			return;
		table->shown[widest]--;
		sum--;
	}
}

/* pending: blanks that are due if anything follows, so that no line ends in blanks. */
static void put(struct table *table, size_t column, const char *full, enum table_colour colour,
		size_t *pending)
{
	size_t width;
	g_autofree char *text = cut(full, table->shown[column], &width);
	size_t blanks = table->shown[column] - width;

	if (table->columns[column].align == TABLE_RIGHT) {
		*pending += blanks;
		blanks = 0;
	}
	fprintf(table->out, "%*s%s%s%s", (int)*pending, "",
		table_colour_on(&table->terminal, colour), text,
		table_colour_off(&table->terminal, colour));
	*pending = blanks + GAP;
}

static void write_rows(struct table *table)
{
	size_t pending = 0;

	fit(table);
	for (size_t i = 0; !table->titled && i < table->count; i++)
		put(table, i, table->columns[i].title, TABLE_STRONG, &pending);
	if (!table->titled)
		fputc('\n', table->out);
	table->titled = true;
	for (size_t i = 0; i < table->cells->len; i++) {
		const struct cell *cell = &g_array_index(table->cells, struct cell, i);
		/* A table has columns. NOLINTNEXTLINE(clang-analyzer-core.DivideZero) */
		size_t column = i % table->count;

		if (column == 0)
			pending = 0;
		put(table, column, cell->text, cell->colour, &pending);
		if (column == table->count - 1)
			fputc('\n', table->out);
	}
	g_array_set_size(table->cells, 0);
}

void table_cell(struct table *table, enum table_colour colour, const char *text)
{
	size_t column = table->cells->len % table->count;
	struct cell cell = {.colour = colour};

	if (column == 0 && table->cells->len >= BLOCK_ROWS * table->count)
		write_rows(table);
	cell.text = table_escape(text != NULL && *text != '\0' ? text : EMPTY);
	cell.width = table_width(cell.text);
	table->widths[column] = MAX(table->widths[column], cell.width);
	g_array_append_val(table->cells, cell);
}

void table_number(struct table *table, enum table_colour colour, int64_t number)
{
	table_cellf(table, colour, "%" G_GINT64_FORMAT, number);
}

void table_cellf(struct table *table, enum table_colour colour, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	table_cell(table, colour, text);
}

void table_end(struct table **table)
{
	struct table *old = *table;

	if (old == NULL)
		return;
	while (old->cells->len % old->count != 0)
		table_cell(old, TABLE_PLAIN, NULL);
	if (!old->titled || old->cells->len > 0)
		write_rows(old);
	g_array_unref(old->cells);
	g_free(old->widths);
	g_free(old->shown);
	g_free(old);
	*table = NULL;
}
