/*
 * What a template is compiled into; private to mailout/mustache*.c.
 *
 * A flat list of steps.  Steps that contain others (sections, blocks, parents) know the index
 * of the step behind their content.
 */
#ifndef MAILOUT_MUSTACHE_PROGRAM_H
#define MAILOUT_MUSTACHE_PROGRAM_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailout/model.h"

enum step_kind {
	STEP_TEXT,     /* literal text */
	STEP_LINE,     /* a line of the template begins with a tag: where indentation goes */
	STEP_VALUE,    /* {{name}} */
	STEP_RAW,      /* {{{name}}}, {{&name}} */
	STEP_SECTION,  /* {{#name}} */
	STEP_INVERTED, /* {{^name}} */
	STEP_PARTIAL,  /* {{>name}}, {{>*name}} */
	STEP_PARENT,   /* {{<name}}: contains blocks */
	STEP_BLOCK     /* {{$name}} */
};

struct step {
	enum step_kind kind;
	bool line_start; /* of text: it begins a line */
	bool multi_line; /* of text: a line begins within it */
	bool dynamic;    /* of partials and parents: the name's value is the name */
	uint32_t end;    /* index behind the content */
	uint32_t line;   /* where the tag stands */
	uint32_t column;
	uint32_t key_count; /* parts of a dotted name; 0: "." */
	size_t size;        /* of the text */
	const char *text;   /* literal text; the (dotted) name, terminated */
	const char *indent; /* of partials, parents and blocks; "" for none */
	struct model_key *keys;
};

struct mustache {
	char *name;
	struct step *steps;
	uint32_t step_count;
	GStringChunk *strings; /* all texts of the steps */
	GPtrArray *key_lists;
};

#endif
