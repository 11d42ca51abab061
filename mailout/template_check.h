/*
 * template.json: what a template is for, what it takes, and whether a model is that.
 * mailpipe-templates(7)
 */
#ifndef MAILOUT_TEMPLATE_CHECK_H
#define MAILOUT_TEMPLATE_CHECK_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/outcome.h"
#include "common/wire.h"

struct template_description {
	struct wire *json;
	GPtrArray *parameters; /* struct template_parameter */
	GHashTable *optional;  /* dotted names, each also without its first parts */
	char *from;            /* NULL: none */
	char *stream;          /* NULL: none */
	bool auto_submitted;
	size_t text_max;           /* characters; 0: any number */
	const struct wire *sample; /* of json; a locale's may be NULL */
};

/*
 * Parse and check strictly; `label` is the file's name for messages.  A locale's one may have From
 * and Sample, nothing else.  NULL with a reason (4.3.5).
 */
struct template_description *template_description_new(const char *text, size_t size,
						      const char *label, bool is_locale,
						      struct reason *reason);
void template_description_free(struct template_description **description);

/* REJECT 5.6.0 that names the parameter which is missing or of another type. */
enum outcome template_description_check(const struct template_description *description,
					const struct wire *model, struct reason *reason);

/* May a model lack that (dotted) name, which a template wants? */
bool template_description_is_optional(const struct template_description *description,
				      const char *name);
/* Is the name, or what it begins with, a parameter or a member of one? */
bool template_description_declares(const struct template_description *description,
				   const char *name);

/* The members of a model that are no parameters ("photos.capton"), each once; g_strfreev() them. */
char **template_description_unknown(const struct template_description *description,
				    const struct wire *model);

/* A copy of the model without optional parameters (those of objects in it stay); wire_free() it. */
struct wire *template_description_required(const struct template_description *description,
					   const struct wire *model);

#endif
