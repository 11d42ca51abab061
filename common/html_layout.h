/*
 * Text in lines: what html_text tells of blocks, breaks, quotes and lists becomes plain text.
 *
 * White space is put off until text follows it, so that no line ends in it and none is doubled.
 */
#ifndef COMMON_HTML_LAYOUT_H
#define COMMON_HTML_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

enum { HTML_MARKER_MAX = 16 };

struct html_layout {
	GString *out;
	size_t limit; /* bytes; beyond it nothing is added and `full` is set */
	bool full;
	unsigned pre; /* if not 0, white space is kept */
	/* The lines to come */
	unsigned quotes;              /* "> " before each */
	unsigned indents;             /* two spaces before each, behind the quotes */
	char marker[HTML_MARKER_MAX]; /* of a list's item: stands for the last indent once */
	/* What is due before the next text */
	unsigned breaks;       /* newlines that were asked for */
	unsigned margin;       /* newlines at least, because of blocks */
	unsigned outer_quotes; /* the fewest quotes since the last text: blank lines have these */
	bool space;
	bool cell; /* a tab instead of the space */
};

void html_layout_init(struct html_layout *layout, size_t limit);

/* Folded, or kept if `pre`.  Zero-width characters are dropped, except where they are spelling. */
void html_layout_text(struct html_layout *layout, const char *text, size_t size);

/* Right behind the text that is there, before any white space that is due. */
void html_layout_attach(struct html_layout *layout, const char *text);

/* <br>. */
void html_layout_break(struct html_layout *layout);

/* A block begins or ends: 1 for a new line, 2 for a blank line before the next text. */
void html_layout_block(struct html_layout *layout, unsigned margin);

/* A table's cell begins. */
void html_layout_cell(struct html_layout *layout);

/* An item's marker ("- ", "3. "), before the next text. */
void html_layout_marker(struct html_layout *layout, const char *marker);

void html_layout_quote(struct html_layout *layout, bool begin);

/* The text with a newline at its end, if there is any; g_free() it. */
char *html_layout_finish(struct html_layout *layout);

#endif
