/*
 * One template with the partials it was verified with; what a template set is made of.
 *
 * A template is only ever used with a library of partials with which its sample rendered in every
 * locale.  So a broken edit of a file, of a partial or of template.json changes nothing for mails.
 */
#ifndef MAILOUT_TEMPLATE_H
#define MAILOUT_TEMPLATE_H

#include <stdbool.h>

#include "common/outcome.h"
#include "common/wire.h"
#include "mailout/template_check.h"
#include "mailout/template_file.h"
#include "mailout/template_set.h"

enum template_part { PART_SUBJECT, PART_TEXT, PART_HTML, PART_COUNT };

/* "subject.mustache" ... */
const char *template_part_file(enum template_part part);

/* The partials of all folders; shared, counted. */
struct template_library {
	struct template_folder *folders; /* earlier ones win, by file name */
	size_t count;
	bool wants_extras; /* uses Mailpipe.Subject or Mailpipe.Lines */
};

/* `dirs`: the set's.  What is broken is left out and told.  Never NULL. */
struct template_library *
template_library_new(char *const *dirs, size_t file_bytes,
		     void (*broken)(const struct reason *reason, void *context), void *context);
struct template_library *template_library_ref(struct template_library *library);
void template_library_unref(struct template_library **library);
const struct template_file *template_library_find(const struct template_library *library,
						  const char *name, char *const *chain);

struct template
{
	char *name;
	struct template_folder folder;
	struct template_library *library;
	struct template_description *description;
	GHashTable *local; /* locale key -> struct template_description of its own */
	bool wants_extras;
};

/*
 * Read the folder at `path` and verify it: the sample renders in all locales, whole and without its
 * optional parameters.  Refers to the library.  NULL with a reason (4.3.5) if something is broken.
 */
struct template *template_new(const char *name, const char *path, struct template_library *library,
			      const struct template_limits *limits, struct reason *reason);
void template_free(struct template **template);

/* The locale chain to render with: only the default, unless the template has a folder for the
 * locale or what it falls back to.  g_strfreev() it. */
char **template_chain(const struct template *template, const char *locale);

/* The sample and the From of the nearest locale that has one. */
const struct wire *template_sample(const struct template *template, char *const *chain);
const char *template_from(const struct template *template, char *const *chain);

/* As template_set_render(), of a model that was checked. */
enum outcome template_render(const struct template *template, char *const *chain,
			     const struct wire *model, const struct template_limits *limits,
			     struct rendered *rendered, struct reason *reason);

#endif
