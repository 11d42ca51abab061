/*
 * Tables for people.
 *
 * On a terminal: columns as wide as what is in them, cut (with an ellipsis) where the terminal
 * ends, and colours unless NO_COLOR is set or TERM is dumb.  Elsewhere plain text in the same
 * columns: nothing is cut or coloured. Columns are two blanks apart, an empty cell is "-". Programs
 * read --json (common/wire.h), not this.
 *
 * What stands in cells may come from strangers: control characters, what turns the direction of
 * writing and bytes that are no UTF-8 are escaped, so that a cell is one line and moves no cursor.
 */
#ifndef MAILCTL_TABLE_H
#define MAILCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a stream can show. */
struct terminal {
	bool is_terminal;
	bool colour;
	size_t width; /* columns; counts on a terminal only */
	size_t height;
};

struct terminal terminal_of(FILE *out);

enum table_colour {
	TABLE_PLAIN,
	TABLE_GOOD,    /* green */
	TABLE_WARNING, /* yellow */
	TABLE_BAD,     /* red */
	TABLE_DIM,
	TABLE_STRONG
};

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *title;
	enum table_align align;
	size_t minimum; /* on a terminal it may be cut to this; 0: it is never cut */
};

struct table;

/* columns and out are borrowed until table_end(); terminal is copied (NULL: terminal_of(out)). */
struct table *table_new(const struct table_column *columns, size_t count, FILE *out,
			const struct terminal *terminal);

/* The next cell, from left to right; after the last column's begins the next row.  Some hundred
 * rows at a time are held and written, so that a table may be of any length; later ones may be
 * wider. */
void table_cell(struct table *table, enum table_colour colour, const char *text); /* NULL: empty */
void table_number(struct table *table, enum table_colour colour, int64_t number);
void table_cellf(struct table *table, enum table_colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes what is held (the titles even if there is no row) and frees.  NULL is allowed; *table
 * becomes NULL. */
void table_end(struct table **table);

/* ---- for what stands outside of tables ---- */

/* Text as a cell shows it; g_free() it. */
char *table_escape(const char *text);
/* Columns that an escaped text takes. */
size_t table_width(const char *text);
/* The begin and end of a colour on that terminal, or "". */
const char *table_colour_on(const struct terminal *terminal, enum table_colour colour);
const char *table_colour_off(const struct terminal *terminal, enum table_colour colour);

/* "850ms", "12s", "5m 3s", "2h 5m", "3d 4h"; g_free() it. */
char *table_age(int64_t ms);
/* Milliseconds since 1970 as "2026-11-22T15:55:01Z"; g_free() it. */
char *table_time(int64_t ms);

#endif
