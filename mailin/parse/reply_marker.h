/*
 * Lines that announce the original: "On Monday, Ann wrote:", "-----Original Message-----", a block
 * of From, Sent, To, Subject.
 */
#ifndef MAILIN_PARSE_REPLY_MARKER_H
#define MAILIN_PARSE_REPLY_MARKER_H

#include <stdbool.h>
#include <stddef.h>

#include "mailin/parse/reply_lines.h"

enum reply_marker_kind {
	MARKER_NONE,
	MARKER_FORWARD,     /* a forwarded mail follows */
	MARKER_ATTRIBUTION, /* "X wrote:" */
	MARKER_ORIGINAL,    /* a line or a block, and all behind it is the original */
	MARKER_CONTAINER    /* the lines up to `end` are the original */
};

struct reply_marker {
	enum reply_marker_kind kind;
	size_t start; /* lines: its first one */
	size_t end;   /* behind its last one */
	/* Sure enough that the original may follow without ">"; else it must have it. */
	bool sure;
	bool bars; /* "|" in front of lines is a quote, too */
	const char *rule;
	const char *language; /* NULL: none */
};

/*
 * Is there a marker whose last line, or, of one that needs no end, whose first line is `line`?  It
 * does not begin before `floor`.  The first lines of an attribution, which may be on several, tell
 * nothing: ask for one line after the other.
 */
bool reply_marker_find(struct reply_lines *lines, size_t floor, size_t line,
		       struct reply_marker *marker);

/* A block of header lines that begins there, of any language if `shape` says that its being there
 * is known.  Returns the line behind it; 0 if there is none. */
size_t reply_header_block(struct reply_lines *lines, size_t line, bool shape,
			  const char **language);

/* An attribution whose last line is `line`. */
bool reply_attribution_find(struct reply_lines *lines, size_t floor, size_t line,
			    struct reply_marker *marker);

/* A line that begins with ">", or, if `bars`, with "|". */
bool reply_is_quoted(const struct reply_lines *lines, size_t line, bool bars);

#endif
