/*
 * The values a template is rendered with: a request's TemplateModel, prepared for fast look-ups.
 *
 * A model is built once from JSON and then only read.  Numbers are kept as the text that JSON has
 * for them, so that nothing is rounded.
 */
#ifndef MAILOUT_MODEL_H
#define MAILOUT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

enum model_type {
	MODEL_NULL,
	MODEL_FALSE,
	MODEL_TRUE,
	MODEL_NUMBER,
	MODEL_STRING,
	MODEL_ARRAY,
	MODEL_OBJECT
};

/* A member's name with its hash, in templates and models alike. */
struct model_key {
	uint32_t hash;
	uint32_t size;
	const char *text; /* not terminated */
};

struct model {
	enum model_type type;
	size_t count; /* bytes of a text; items; members */
	union {
		const char *text; /* of a number or string; not terminated */
		struct model *items;
		struct model_member *members;
	};
};

struct model_member {
	struct model_key key;
	struct model value;
};

/* Copies everything; model_free() it.  The root may be of any type. */
struct model *model_new(const struct wire *json);
void model_free(struct model **model);

struct model_key model_key(const char *text, size_t size);

/* The member of that name, or NULL; also NULL if it is no object.  The last one of a name wins, as
 * in json-c. */
const struct model *model_get(const struct model *object, const struct model_key *key);

#endif
