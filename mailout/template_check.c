#include "mailout/template_check.h"

#include <stdint.h>
#include <string.h>

enum parameter_type {
	PARAMETER_STRING,
	PARAMETER_NUMBER,
	PARAMETER_BOOLEAN,
	PARAMETER_ARRAY,
	PARAMETER_OBJECT,
	PARAMETER_TYPES
};

static const char *const type_names[PARAMETER_TYPES] = {"string", "number", "boolean", "array",
							"object"};

struct template_parameter {
	char *name;
	enum parameter_type type;
	bool optional;
	GPtrArray *members; /* of an object, or of the objects of an array; NULL: not told */
};

/* Where in a template.json we are. */
struct place {
	const char *label;
	const char *path; /* "Parameters.photos", "" at the top */
	struct reason *reason;
	bool failed;
};

static void free_parameter(void *data)
{
	struct template_parameter *parameter = data;

	if (parameter->members != NULL)
		g_ptr_array_unref(parameter->members);
	g_free(parameter->name);
	g_free(parameter);
}

/* Always false. */
static bool wrong(struct place *place, const char *key, const char *what)
{
	outcome_retry(place->reason, "4.3.5", "template %s: %s%s%s: %s", place->label, place->path,
		      *place->path != '\0' ? "." : "", key, what);
	place->failed = true;
	return false;
}

static bool is_type(const struct wire *value, const char *type)
{
	return strcmp(wire_type_name(value), type) == 0;
}

static bool fits(const struct wire *value, enum parameter_type type)
{
	return is_type(value, type_names[type]) ||
	       (type == PARAMETER_NUMBER && is_type(value, "integer"));
}

static bool is_absent(const struct wire *value)
{
	return is_type(value, "null") || is_type(value, "nothing");
}

/* ---- parameters ---- */

static GPtrArray *read_parameters(const struct wire *json, struct place *place);

static bool is_parameter_name(const char *name)
{
	return !g_ascii_isdigit(name[0]) &&
	       strspn(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-") == strlen(name) &&
	       name[0] != '\0';
}

static bool read_type(struct template_parameter *parameter, const struct wire *value,
		      struct place *place)
{
	const char *name = wire_text(value);

	for (int type = 0; name != NULL && type < PARAMETER_TYPES; type++) {
		if (strcmp(name, type_names[type]) == 0) {
			parameter->type = (enum parameter_type)type;
			return true;
		}
	}
	return wrong(place, "Type", "is none of string, number, boolean, array and object");
}

struct parameter_reader {
	struct template_parameter *parameter;
	struct place *place;
	const struct wire *json;
	const struct wire *members;
	bool typed;
};

static bool read_attribute(const char *key, const struct wire *value, void *context)
{
	struct parameter_reader *reader = context;
	struct place *place = reader->place;

	if (strcmp(key, "Type") == 0) {
		reader->typed = true;
		return read_type(reader->parameter, value, place);
	}
	if (strcmp(key, "Optional") == 0)
		return wire_get_bool(reader->json, key, &reader->parameter->optional) ||
		       wrong(place, key, "is not true or false");
	if (strcmp(key, "Description") == 0)
		return is_type(value, "string") || wrong(place, key, "is not a string");
	if (strcmp(key, "Parameters") == 0) {
		reader->members = value;
		return is_type(value, "object") || wrong(place, key, "is not an object");
	}
	return wrong(place, key, "unknown key");
}

struct list_reader {
	GPtrArray *list;
	struct place *place;
};

static bool read_parameter(const char *key, const struct wire *value, void *context)
{
	struct list_reader *list = context;
	g_autofree char *path = g_strdup_printf("%s.%s", list->place->path, key);
	struct place place = {
		.label = list->place->label, .path = path, .reason = list->place->reason};
	struct template_parameter *parameter = g_new0(struct template_parameter, 1);
	struct parameter_reader reader = {.parameter = parameter, .place = &place, .json = value};

	parameter->name = g_strdup(key);
	g_ptr_array_add(list->list, parameter);
	if (!is_parameter_name(key))
		wrong(list->place, key, "a name has letters, digits, _ and - only");
	else if (!is_type(value, "object"))
		wrong(list->place, key, "is not an object with a Type");
	else if (wire_each(value, read_attribute, &reader) && !reader.typed)
		wrong(&place, "Type", "is missing");
	else if (!place.failed && reader.members != NULL) {
		g_autofree char *inner = g_strconcat(path, ".Parameters", NULL);
		struct place within = {.label = place.label, .path = inner, .reason = place.reason};

		if (parameter->type != PARAMETER_ARRAY && parameter->type != PARAMETER_OBJECT)
			wrong(&place, "Parameters", "only an array or an object has members");
		else
			parameter->members = read_parameters(reader.members, &within);
		place.failed |= within.failed;
	}
	list->place->failed |= place.failed;
	return !list->place->failed;
}

/* As deep as the JSON, which wire_parse() bounds. */
static GPtrArray *read_parameters(const struct wire *json, struct place *place)
{
	struct list_reader reader = {.list = g_ptr_array_new_with_free_func(free_parameter),
				     .place = place};

	wire_each(json, read_parameter, &reader);
	return reader.list;
}

/* "photos.caption" and "caption": a section changes where names are looked for. */
static void add_optional(GHashTable *set, const char *path)
{
	for (const char *rest = path; rest != NULL; rest = strchr(rest, '.')) {
		rest += *rest == '.';
		g_hash_table_add(set, g_strdup(rest));
	}
}

static void collect_optional(GHashTable *set, const GPtrArray *parameters, const char *path)
{
	for (guint i = 0; i < parameters->len; i++) {
		const struct template_parameter *parameter = parameters->pdata[i];
		g_autofree char *own =
			g_strdup_printf("%s%s%s", path, *path != '\0' ? "." : "", parameter->name);

		if (parameter->optional)
			add_optional(set, own);
		if (parameter->members != NULL)
			collect_optional(set, parameter->members, own);
	}
}

/* ---- the file ---- */

struct description_reader {
	struct template_description *description;
	struct place *place;
	bool is_locale;
};

static bool is_header_text(const char *text)
{
	if (text == NULL || *text == '\0')
		return false;
	for (const char *p = text; *p != '\0'; p++)
		if (g_ascii_iscntrl(*p))
			return false;
	return true;
}

static bool read_common(struct description_reader *reader, const char *key,
			const struct wire *value)
{
	const char *text = wire_text(value);

	if (strcmp(key, "From") == 0) {
		if (!is_header_text(text) || strchr(text, '@') == NULL)
			return wrong(reader->place, key, "is no address");
		reader->description->from = g_strdup(text);
		return true;
	}
	if (!is_type(value, "object"))
		return wrong(reader->place, key, "is not an object");
	reader->description->sample = value;
	return true;
}

static bool read_limit(struct description_reader *reader, const char *key)
{
	int64_t number;

	if (!wire_get_int(reader->description->json, key, &number) || number < 1)
		return wrong(reader->place, key, "is not a number of characters");
	reader->description->text_max = (size_t)number;
	return true;
}

static bool read_key(const char *key, const struct wire *value, void *context)
{
	struct description_reader *reader = context;
	struct template_description *description = reader->description;

	if (strcmp(key, "From") == 0 || strcmp(key, "Sample") == 0)
		return read_common(reader, key, value);
	if (reader->is_locale)
		return wrong(reader->place, key, "a locale's has From and Sample only");
	if (strcmp(key, "Description") == 0)
		return is_header_text(wire_text(value)) ||
		       wrong(reader->place, key, "is not one line of text");
	if (strcmp(key, "Stream") == 0) {
		if (!is_header_text(wire_text(value)))
			return wrong(reader->place, key, "is no name of a stream");
		description->stream = g_strdup(wire_text(value));
		return true;
	}
	if (strcmp(key, "AutoSubmitted") == 0)
		return wire_get_bool(description->json, key, &description->auto_submitted) ||
		       wrong(reader->place, key, "is not true or false");
	if (strcmp(key, "MaxLength") == 0)
		return read_limit(reader, key);
	if (strcmp(key, "Parameters") == 0)
		return is_type(value, "object") || wrong(reader->place, key, "is not an object");
	return wrong(reader->place, key, "unknown key");
}

/* What a whole description must have. */
static void read_rest(struct template_description *description, struct place *place)
{
	struct place parameters = {
		.label = place->label, .path = "Parameters", .reason = place->reason};

	if (wire_get_text(description->json, "Description") == NULL) {
		wrong(place, "Description", "is missing");
		return;
	}
	if (description->sample == NULL) {
		wrong(place, "Sample", "is missing");
		return;
	}
	g_ptr_array_unref(description->parameters);
	description->parameters =
		read_parameters(wire_get_object(description->json, "Parameters"), &parameters);
	place->failed |= parameters.failed;
	if (!place->failed)
		collect_optional(description->optional, description->parameters, "");
}

struct template_description *template_description_new(const char *text, size_t size,
						      const char *label, bool is_locale,
						      struct reason *reason)
{
	struct template_description *description = g_new0(struct template_description, 1);
	struct place place = {.label = label, .path = "", .reason = reason};
	struct description_reader reader = {
		.description = description, .place = &place, .is_locale = is_locale};
	struct reason why = {.text = ""};

	description->parameters = g_ptr_array_new_with_free_func(free_parameter);
	description->optional = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	description->json = wire_parse(text, size, &why);
	if (description->json == NULL || !is_type(description->json, "object")) {
		outcome_retry(reason, "4.3.5", "template %s: %s", label,
			      description->json == NULL ? why.text : "is not an object");
		place.failed = true;
	} else if (wire_each(description->json, read_key, &reader) && !is_locale) {
		read_rest(description, &place);
	}
	if (place.failed)
		template_description_free(&description);
	return description;
}

void template_description_free(struct template_description **description)
{
	struct template_description *old = *description;

	if (old == NULL)
		return;
	g_ptr_array_unref(old->parameters);
	g_hash_table_destroy(old->optional);
	g_free(old->from);
	g_free(old->stream);
	wire_free(&old->json);
	g_free(old);
	*description = NULL;
}

/* ---- a model ---- */

static enum outcome check_members(const GPtrArray *parameters, const struct wire *object,
				  const char *path, struct reason *reason);

static enum outcome check_items(const struct template_parameter *parameter,
				const struct wire *array, const char *path, struct reason *reason)
{
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < wire_length(array) && outcome == OUTCOME_OK; i++) {
		const struct wire *item = wire_at(array, i);
		g_autofree char *own = g_strdup_printf("%s[%zu]", path, i);

		if (!is_type(item, "object"))
			return outcome_reject(reason, "5.6.0", "parameter %s: is %s, not an object",
					      own, wire_type_name(item));
		outcome = check_members(parameter->members, item, own, reason);
	}
	return outcome;
}

static enum outcome check_parameter(const struct template_parameter *parameter,
				    const struct wire *value, const char *path,
				    struct reason *reason)
{
	if (is_absent(value))
		return parameter->optional
			       ? OUTCOME_OK
			       : outcome_reject(reason, "5.6.0", "parameter %s: is missing", path);
	if (!fits(value, parameter->type))
		return outcome_reject(reason, "5.6.0", "parameter %s: is %s, not %s", path,
				      wire_type_name(value), type_names[parameter->type]);
	if (parameter->members == NULL)
		return OUTCOME_OK;
	return parameter->type == PARAMETER_ARRAY
		       ? check_items(parameter, value, path, reason)
		       : check_members(parameter->members, value, path, reason);
}

static enum outcome check_members(const GPtrArray *parameters, const struct wire *object,
				  const char *path, struct reason *reason)
{
	enum outcome outcome = OUTCOME_OK;

	for (guint i = 0; i < parameters->len && outcome == OUTCOME_OK; i++) {
		const struct template_parameter *parameter = parameters->pdata[i];
		const struct wire *value = wire_get(object, parameter->name);

		/* The path costs something and is wanted only for what is below or wrong. */
		if (parameter->members == NULL && !is_absent(value) && fits(value, parameter->type))
			continue;
		g_autofree char *own =
			g_strdup_printf("%s%s%s", path, *path != '\0' ? "." : "", parameter->name);

		outcome = check_parameter(parameter, value, own, reason);
	}
	return outcome;
}

enum outcome template_description_check(const struct template_description *description,
					const struct wire *model, struct reason *reason)
{
	if (!is_type(model, "object"))
		return outcome_reject(reason, "5.6.0", "TemplateModel: is %s, not an object",
				      wire_type_name(model));
	return check_members(description->parameters, model, "", reason);
}

bool template_description_is_optional(const struct template_description *description,
				      const char *name)
{
	g_autofree char *part = g_strdup(name);

	for (char *end = part + strlen(part); end != NULL; end = strrchr(part, '.')) {
		*end = '\0';
		if (g_hash_table_contains(description->optional, part))
			return true;
	}
	return false;
}

static const struct template_parameter *find_parameter(const GPtrArray *parameters,
						       const char *name)
{
	for (guint i = 0; i < parameters->len; i++) {
		const struct template_parameter *parameter = parameters->pdata[i];

		if (strcmp(parameter->name, name) == 0)
			return parameter;
	}
	return NULL;
}

/* Within arrays and objects whose members are not told, any name may be one. */
static bool declares(const GPtrArray *parameters, const char *name)
{
	for (guint i = 0; i < parameters->len; i++) {
		const struct template_parameter *parameter = parameters->pdata[i];

		if (strcmp(parameter->name, name) == 0)
			return true;
		if (parameter->members != NULL ? declares(parameter->members, name)
					       : parameter->type == PARAMETER_OBJECT)
			return true;
	}
	return false;
}

bool template_description_declares(const struct template_description *description, const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, ".", 2);

	/* "." is split into empty parts. */
	return parts[0] == NULL || *parts[0] == '\0' || declares(description->parameters, parts[0]);
}

struct unknown {
	const GPtrArray *parameters;
	const char *path;
	GPtrArray *found;
};

static bool find_unknown(const char *key, const struct wire *value, void *context)
{
	const struct unknown *outer = context;
	const struct template_parameter *parameter = find_parameter(outer->parameters, key);
	g_autofree char *path =
		g_strdup_printf("%s%s%s", outer->path, *outer->path != '\0' ? "." : "", key);
	struct unknown inner = {.path = path, .found = outer->found};

	if (parameter == NULL) {
		if (!g_ptr_array_find_with_equal_func(outer->found, path, g_str_equal, NULL))
			g_ptr_array_add(outer->found, g_steal_pointer(&path));
		return true;
	}
	if (parameter->members == NULL)
		return true;
	inner.parameters = parameter->members;
	if (parameter->type == PARAMETER_OBJECT)
		return wire_each(value, find_unknown, &inner);
	for (size_t i = 0; is_type(value, "array") && i < wire_length(value); i++)
		wire_each(wire_at(value, i), find_unknown, &inner);
	return true;
}

char **template_description_unknown(const struct template_description *description,
				    const struct wire *model)
{
	struct unknown unknown = {
		.parameters = description->parameters, .path = "", .found = g_ptr_array_new()};

	wire_each(model, find_unknown, &unknown);
	g_ptr_array_add(unknown.found, NULL);
	return (char **)g_ptr_array_free(unknown.found, FALSE);
}

/* ---- a copy with what is required ---- */

static struct wire *copy(const struct wire *value)
{
	size_t size;
	g_autofree char *text = wire_print(value, false, &size);

	return wire_parse(text, size, NULL);
}

struct copier {
	const GPtrArray *parameters;
	struct wire *to;
};

static struct wire *copy_object(const GPtrArray *parameters, const struct wire *object);

static bool copy_member(const char *key, const struct wire *value, void *context)
{
	const struct copier *copier = context;
	const struct template_parameter *parameter = find_parameter(copier->parameters, key);

	if (parameter != NULL && parameter->optional)
		return true;
	if (parameter == NULL || parameter->members == NULL) {
		wire_set(copier->to, key, copy(value));
	} else if (parameter->type == PARAMETER_OBJECT) {
		wire_set(copier->to, key, copy_object(parameter->members, value));
	} else {
		struct wire *array = wire_array();

		for (size_t i = 0; i < wire_length(value); i++)
			wire_append(array, copy_object(parameter->members, wire_at(value, i)));
		wire_set(copier->to, key, array);
	}
	return true;
}

static struct wire *copy_object(const GPtrArray *parameters, const struct wire *object)
{
	struct copier copier = {.parameters = parameters, .to = wire_object()};

	wire_each(object, copy_member, &copier);
	return copier.to;
}

struct wire *template_description_required(const struct template_description *description,
					   const struct wire *model)
{
	return copy_object(description->parameters, model);
}
