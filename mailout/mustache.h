/*
 * Mustache templates: https://mustache.github.io/mustache.5.html, the specification's six core
 * modules, inheritance ({{<layout}}, {{$block}}) and dynamic names ({{>*name}}).
 *
 * A template is compiled once and may then be rendered any number of times; rendering does no I/O.
 * Errors name template, line and column (both from 1, the column in bytes).
 */
#ifndef MAILOUT_MUSTACHE_H
#define MAILOUT_MUSTACHE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/outcome.h"
#include "mailout/model.h"

struct mustache;

/* `name` is for errors.  Copies both.  NULL with a reason (4.3.5) on a syntax error. */
struct mustache *mustache_new(const char *name, const char *text, size_t size,
			      struct reason *reason);
void mustache_free(struct mustache **template);

struct mustache_options {
	bool escape_html; /* of {{name}}: & < > " become entities */
	bool strict;      /* a name that the model lacks is REJECT 5.6.0 */
	/* Of a strict rendering: may the model lack this dotted name?  May be NULL: never. */
	bool (*optional)(const char *name, void *context);
	/* The partial, layout or parent of that name, borrowed; NULL if there is none: renders as
	 * nothing, or when strict is RETRY 4.3.5.  May be NULL. */
	const struct mustache *(*partial)(const char *name, void *context);
	void *context;
	const struct model *outer; /* where names are looked for last; may be NULL */
	size_t output_max;         /* bytes; more is REJECT 5.3.4 */
	unsigned int depth_max;    /* sections, partials and blocks within each other */
	unsigned int partials_max; /* partials and parents in all */
};

/* Append the result to `out`.  After a failure `out` holds a part. */
enum outcome mustache_render(const struct mustache *template, const struct model *model,
			     const struct mustache_options *options, GString *out,
			     struct reason *reason);

/* Each name that is interpolated or opens a section, and each partial's (kind '&', '#', '>'), once
 * per place. */
void mustache_each_name(const struct mustache *template,
			void (*visit)(char kind, const char *name, void *context), void *context);

#endif
