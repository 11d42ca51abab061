/*
 * Template sets: folders of templates with partials, layouts and locales; mailpipe-templates(7).
 *
 *	DIR/NAME/template.json subject.mustache text.mustache html.mustache [IMAGE files]
 *	DIR/NAME/LOCALE/...		overrides file by file: de-AT -> de -> none
 *	DIR/_partials/NAME.mustache	shared partials and layouts, [LOCALE/] likewise
 *
 *	DIR/_partials/IMAGE		images of layouts
 *
 * A template is used only if its sample renders in all its locales.  Edits are picked up without a
 * restart (looked for at most once a second and before a request is refused, by the files' times
 * and sizes); a broken edit, also one of a partial, keeps the last good version and says so once.
 * A template that vanished stays.
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
	size_t file_bytes;   /* of one file */
	size_t output_bytes; /* of one part */
	unsigned int depth;
	unsigned int partials;
};

/*
 * `dirs`: NULL at the end, copied; earlier ones win, by the name of a template or partial.
 * `complain` is called with what is broken, at once and after each edit, one line each.  Never
 * NULL.
 */
struct template_set *template_set_new(char *const *dirs, const struct template_limits *limits,
				      void (*complain)(const char *text, void *context),
				      void *context);
void template_set_free(struct template_set **set);
/* Look for edits now. */
void template_set_refresh(struct template_set *set);

struct inline_image {
	char *content_id; /* the name by which html refers to it: cid:logo.png */
	char *content_type;
	unsigned char *data;
	size_t size;
};

struct rendered {
	char *subject;               /* one line */
	char *text;                  /* NULL if there is none: the builder makes it from html */
	bool text_cut;               /* it was longer than template.json's MaxLength */
	char *html;                  /* NULL if there is none */
	char *from;                  /* template.json's default From, or NULL */
	char *stream;                /* template.json's default stream, or NULL */
	bool auto_submitted;         /* template.json: "AutoSubmitted": true */
	struct inline_image *images; /* those that html refers to */
	size_t image_count;
};

/*
 * Render all parts of a template.  The model is checked against template.json (required and
 * optional parameters, types).  `locale` may be "" or NULL.  rendered_clear() the result, also
 * after a failure. REJECT 5.6.0: unknown template, no locale, parameter missing or of the wrong
 * type, name that the model lacks, all by name. RETRY 4.3.5: our template is broken and there is no
 * good version of it, or no folder can be read.
 */
enum outcome template_set_render(struct template_set *set, const char *name, const char *locale,
				 const struct wire *model, struct rendered *rendered,
				 struct reason *reason);
void rendered_clear(struct rendered *rendered);

/*
 * For looking at templates: what is there as of the last refresh or rendering.
 */

/* All template names, sorted, also of broken ones, and a template's locales ("" first).
 * g_strfreev() them. */
char **template_set_names(struct template_set *set);
char **template_set_locales(struct template_set *set, const char *name);
/* template.json, borrowed until the next call; NULL with a reason. */
const struct wire *template_set_description(struct template_set *set, const char *name,
					    struct reason *reason);
/* The sample model for a locale, likewise. */
const struct wire *template_set_sample(struct template_set *set, const char *name,
				       const char *locale, struct reason *reason);
/* The files (subject.mustache ...) that the template has only in another language than the
 * locale's; names that files of the template or the model use without a parameter of that name.
 * Empty for a template that is broken.  g_strfreev() them. */
char **template_set_untranslated(struct template_set *set, const char *name, const char *locale);
char **template_set_undeclared(struct template_set *set, const char *name,
			       const struct wire *model);

#endif
