#include "mailout/model.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 32 bits: it only narrows the candidates down, the text decides. */
static const uint32_t FNV_OFFSET = 2166136261u;
static const uint32_t FNV_PRIME = 16777619u;

/* Up to this many members a walk is faster than a binary search. */
enum { WALK_MAX = 16 };

struct model_key model_key(const char *text, size_t size)
{
	uint32_t hash = FNV_OFFSET;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)text[i]) * FNV_PRIME;
	return (struct model_key){.hash = hash, .size = (uint32_t)size, .text = text};
}

static int compare_keys(const struct model_key *a, const struct model_key *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return memcmp(a->text, b->text, a->size);
}

static int compare_members(const void *a, const void *b)
{
	return compare_keys(&((const struct model_member *)a)->key,
			    &((const struct model_member *)b)->key);
}

const struct model *model_get(const struct model *object, const struct model_key *key)
{
	if (object->type != MODEL_OBJECT)
		return NULL;
	const struct model_member *members = object->members;

	if (object->count <= WALK_MAX) {
		for (size_t i = 0; i < object->count; i++) {
			if (members[i].key.hash == key->hash &&
			    compare_keys(&members[i].key, key) == 0)
				return &members[i].value;
		}
		return NULL;
	}
	const struct model_member wanted = {.key = *key};
	const struct model_member *found =
		bsearch(&wanted, members, object->count, sizeof(wanted), compare_members);

	return found != NULL ? &found->value : NULL;
}

static void build(struct model *to, const struct wire *json);

static void set_text(struct model *to, enum model_type type, const char *text, size_t size)
{
	*to = (struct model){
		.type = type, .count = size, .text = g_memdup2(text, size > 0 ? size : 1)};
}

struct members {
	struct model_member *member;
	size_t count;
};

static bool add_member(const char *key, const struct wire *value, void *context)
{
	struct members *members = context;
	struct model_member *member = &members->member[members->count++];
	size_t size = strlen(key);

	member->key = model_key(g_memdup2(key, size + 1), size);
	build(&member->value, value);
	return true;
}

static bool count_member(const char *key, const struct wire *value, void *context)
{
	(void)key;
	(void)value;
	(*(size_t *)context)++;
	return true;
}

static void build_object(struct model *to, const struct wire *json)
{
	struct members members = {0};
	size_t count = 0;

	wire_each(json, count_member, &count);
	members.member = g_new(struct model_member, count > 0 ? count : 1);
	wire_each(json, add_member, &members);
	qsort(members.member, members.count, sizeof(*members.member), compare_members);
	*to = (struct model){
		.type = MODEL_OBJECT, .count = members.count, .members = members.member};
}

static void build_array(struct model *to, const struct wire *json)
{
	size_t count = wire_length(json);

	*to = (struct model){.type = MODEL_ARRAY,
			     .count = count,
			     .items = g_new(struct model, count > 0 ? count : 1)};
	for (size_t i = 0; i < count; i++)
		build(&to->items[i], wire_at(json, i));
}

static void build(struct model *to, const struct wire *json)
{
	const char *type = wire_type_name(json);
	size_t size = 0;

	*to = (struct model){.type = MODEL_NULL};
	if (strcmp(type, "object") == 0) {
		build_object(to, json);
	} else if (strcmp(type, "array") == 0) {
		build_array(to, json);
	} else if (strcmp(type, "string") == 0) {
		const char *text = wire_textn(json, &size);

		set_text(to, MODEL_STRING, text, size);
	} else if (strcmp(type, "nothing") != 0 && strcmp(type, "null") != 0) {
		g_autofree char *text = wire_print(json, false, &size);

		if (strcmp(type, "boolean") == 0)
			to->type = strcmp(text, "true") == 0 ? MODEL_TRUE : MODEL_FALSE;
		else
			set_text(to, MODEL_NUMBER, text, size);
	}
}

struct model *model_new(const struct wire *json)
{
	struct model *model = g_new(struct model, 1);

	build(model, json);
	return model;
}

/* As deep as the JSON was, which wire_parse() bounds. */
static void clear(struct model *model)
{
	switch (model->type) {
	case MODEL_NUMBER:
	case MODEL_STRING:
		g_free((char *)model->text);
		break;
	case MODEL_ARRAY:
		for (size_t i = 0; i < model->count; i++)
			clear(&model->items[i]);
		g_free(model->items);
		break;
	case MODEL_OBJECT:
		for (size_t i = 0; i < model->count; i++) {
			g_free((char *)model->members[i].key.text);
			clear(&model->members[i].value);
		}
		g_free(model->members);
		break;
	case MODEL_NULL:
	case MODEL_FALSE:
	case MODEL_TRUE:
		break;
	}
}

void model_free(struct model **model)
{
	if (*model == NULL)
		return;
	clear(*model);
	g_free(*model);
	*model = NULL;
}
