/*
 * Template sets: folders of templates with partials, layouts and locales; mailpipe-templates(7).
 *
 *	DIR/NAME/template.json subject.mustache text.mustache html.mustache [IMAGE files]
 *	DIR/NAME/LOCALE/...		overrides file by file: de-AT -> de -> none
 *	DIR/_partials/NAME.mustache	shared partials and layouts, [LOCALE/] likewise
 *
 * Edits are picked up without a restart (checked at most once a second, by the files' times and sizes); a broken edit keeps the last good
 * version and says so.
 */
#ifndef MAILOUT_TEMPLATE_SET_H
#define MAILOUT_TEMPLATE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/outcome.h"
#include "common/wire.h"
#include "mailout/model.h"

struct template_set;

struct template_limits {
	size_t file_bytes;		/* of one file */
	size_t output_bytes;		/* of one part */
	unsigned int depth;
	unsigned int partials;
};

/* `dirs`: NULL at the end; earlier ones win, by template name.  `complain` is called with what is broken in an edit. */
struct template_set *template_set_new(char *const *dirs, const struct template_limits *limits,
				      void (*complain)(const char *text, void *context),
				      void *context);
void template_set_free(struct template_set **set);

struct inline_image {
	char *content_id;		/* the name by which html refers to it: cid:logo.png */
	char *content_type;
	unsigned char *data;
	size_t size;
};

struct rendered {
	char *subject;			/* one line */
	char *text;			/* NULL if there is none: the builder makes it from html */
	char *html;			/* NULL if there is none */
	char *from;			/* template.json's default From, or NULL */
	char *stream;			/* template.json's default stream, or NULL */
	bool auto_submitted;		/* template.json: "AutoSubmitted": true */
	struct inline_image *images;	/* those that html refers to */
	size_t image_count;
};

/*
 * Render all parts of a template.  The model is checked against template.json (required and optional parameters, types).
 * REJECT 5.6.0: unknown template, parameter missing or of the wrong type, name that the model lacks, all by name.
 * RETRY 4.3.5: our template is broken and there is no good version of it.
 */
enum outcome template_set_render(struct template_set *set, const char *name, const char *locale,
				 const struct wire *model, struct rendered *rendered,
				 struct reason *reason);
void rendered_clear(struct rendered *rendered);

/* All template names (g_strfreev() them), and a template's locales ("" first). */
char **template_set_names(struct template_set *set);
char **template_set_locales(struct template_set *set, const char *name);
/* template.json, borrowed until the next call; NULL with a reason. */
const struct wire *template_set_description(struct template_set *set, const char *name,
					    struct reason *reason);

#endif
