#include "common/wire.h"

#include <errno.h>
#include <glib.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A struct wire is a json_object; the name keeps json-c out of our interfaces. */

enum {
	BASE64_CHUNK = 48 * 1024, /* a multiple of 3: only the last chunk is padded */
	WRITE_CHUNK = 1024 * 1024,
	MS_PER_SECOND = 1000,
	TIME_TEXT_SIZE = 40,
	TM_YEAR_BASE = 1900,
	YEAR_MAX = 9999,
};

static struct json_object *json(const struct wire *value)
{
	return (struct json_object *)value;
}

static struct wire *wire(struct json_object *value)
{
	return (struct wire *)value;
}

struct wire *wire_object(void)
{
	return wire(json_object_new_object());
}

struct wire *wire_array(void)
{
	return wire(json_object_new_array());
}

void wire_free(struct wire **value)
{
	if (*value != NULL)
		json_object_put(json(*value));
	*value = NULL;
}

void wire_set(struct wire *object, const char *key, struct wire *value)
{
	json_object_object_add(json(object), key, json(value));
}

static struct json_object *new_string(const char *text, size_t size)
{
	if (size > INT_MAX)
		size = INT_MAX;
	/* g_utf8_validate_len() takes NUL for invalid, as we do. */
	if (g_utf8_validate_len(text, size, NULL))
		return json_object_new_string_len(text, (int)size);
	g_autofree char *valid = g_utf8_make_valid(text, (gssize)size);

	return json_object_new_string(valid);
}

void wire_set_textn(struct wire *object, const char *key, const char *text, size_t size)
{
	json_object_object_add(json(object), key, new_string(text, size));
}

void wire_set_text(struct wire *object, const char *key, const char *text)
{
	if (text != NULL)
		wire_set_textn(object, key, text, strlen(text));
}

void wire_set_int(struct wire *object, const char *key, int64_t number)
{
	json_object_object_add(json(object), key, json_object_new_int64(number));
}

void wire_set_time(struct wire *object, const char *key, int64_t ms)
{
	time_t seconds = (time_t)(ms / MS_PER_SECOND);
	struct tm tm;
	char date[TIME_TEXT_SIZE];
	char text[TIME_TEXT_SIZE];

	if (ms < 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year + TM_YEAR_BASE > YEAR_MAX)
		return;
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	g_snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(ms % MS_PER_SECOND));
	wire_set_text(object, key, text);
}

void wire_set_bool(struct wire *object, const char *key, bool value)
{
	json_object_object_add(json(object), key, json_object_new_boolean(value));
}

struct bytes {
	const unsigned char *data;
	size_t size;
};

/* json-c's serializer of a value that wire_set_base64() made. */
static int print_base64(struct json_object *value, struct printbuf *out, int level, int flags)
{
	const struct bytes *bytes = json_object_get_userdata(value);
	char text[BASE64_CHUNK / 3 * 4 + 8];

	(void)level;
	(void)flags;
	printbuf_memappend(out, "\"", 1);
	for (size_t done = 0; done < bytes->size;) {
		size_t chunk = MIN(bytes->size - done, (size_t)BASE64_CHUNK);
		int state = 0;
		int save = 0;
		size_t length =
			g_base64_encode_step(bytes->data + done, chunk, FALSE, text, &state, &save);

		length += g_base64_encode_close(FALSE, text + length, &state, &save);
		if (printbuf_memappend(out, text, (int)length) < 0)
			return -1;
		done += chunk;
	}
	return printbuf_memappend(out, "\"", 1);
}

static void free_bytes(struct json_object *value, void *bytes)
{
	(void)value;
	g_free(bytes);
}

void wire_set_base64(struct wire *object, const char *key, const void *data, size_t size)
{
	struct json_object *value = json_object_new_string("");
	struct bytes *bytes = g_new(struct bytes, 1);

	*bytes = (struct bytes){.data = data, .size = size};
	json_object_set_serializer(value, print_base64, bytes, free_bytes);
	json_object_object_add(json(object), key, value);
}

void wire_append(struct wire *array, struct wire *value)
{
	json_object_array_add(json(array), json(value));
}

void wire_append_text(struct wire *array, const char *text)
{
	wire_append(array, wire(new_string(text, strlen(text))));
}

void wire_move_last(struct wire *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(json(object), key, &value))
		return;
	json_object_get(value);
	json_object_object_del(json(object), key);
	json_object_object_add(json(object), key, value);
}

struct wire *wire_get(const struct wire *object, const char *key)
{
	struct json_object *value;

	if (object == NULL || !json_object_is_type(json(object), json_type_object) ||
	    !json_object_object_get_ex(json(object), key, &value))
		return NULL;
	return wire(value);
}

static struct wire *get_typed(const struct wire *object, const char *key, enum json_type type)
{
	struct wire *value = wire_get(object, key);

	return value != NULL && json_object_is_type(json(value), type) ? value : NULL;
}

struct wire *wire_get_object(const struct wire *object, const char *key)
{
	return get_typed(object, key, json_type_object);
}

struct wire *wire_get_array(const struct wire *object, const char *key)
{
	return get_typed(object, key, json_type_array);
}

const char *wire_get_textn(const struct wire *object, const char *key, size_t *size)
{
	return wire_textn(wire_get(object, key), size);
}

const char *wire_get_text(const struct wire *object, const char *key)
{
	size_t size;

	return wire_get_textn(object, key, &size);
}

bool wire_int(const struct wire *value, int64_t *number)
{
	if (value == NULL || !json_object_is_type(json(value), json_type_int))
		return false;
	*number = json_object_get_int64(json(value));
	return true;
}

bool wire_bool(const struct wire *value, bool *truth)
{
	if (value == NULL || !json_object_is_type(json(value), json_type_boolean))
		return false;
	*truth = json_object_get_boolean(json(value));
	return true;
}

bool wire_get_int(const struct wire *object, const char *key, int64_t *number)
{
	return wire_int(wire_get(object, key), number);
}

bool wire_get_bool(const struct wire *object, const char *key, bool *value)
{
	return wire_bool(wire_get(object, key), value);
}

/* RFC 4648, 4: whole quartets, padding only at the end. */
static bool is_base64(const char *text, size_t size)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	bool allowed[UCHAR_MAX + 1] = {false};

	if (size % 4 != 0)
		return false;
	for (const char *p = alphabet; *p != '\0'; p++)
		allowed[(unsigned char)*p] = true;
	if (size > 0 && text[size - 1] == '=')
		size -= text[size - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < size; i++) {
		if (!allowed[(unsigned char)text[i]])
			return false;
	}
	return true;
}

unsigned char *wire_get_base64(const struct wire *object, const char *key, size_t *size)
{
	return wire_base64(wire_get(object, key), size);
}

unsigned char *wire_base64(const struct wire *value, size_t *size)
{
	size_t text_size;
	const char *text = wire_textn(value, &text_size);

	if (text == NULL || !is_base64(text, text_size))
		return NULL;
	unsigned char *data = g_malloc(text_size / 4 * 3 + 1);
	int state = 0;
	unsigned int save = 0;

	*size = g_base64_decode_step(text, text_size, data, &state, &save);
	return data;
}

size_t wire_length(const struct wire *array)
{
	if (array == NULL || !json_object_is_type(json(array), json_type_array))
		return 0;
	return json_object_array_length(json(array));
}

struct wire *wire_at(const struct wire *array, size_t index)
{
	if (index >= wire_length(array))
		return NULL;
	return wire(json_object_array_get_idx(json(array), index));
}

const char *wire_textn(const struct wire *value, size_t *size)
{
	if (value == NULL || !json_object_is_type(json(value), json_type_string))
		return NULL;
	*size = (size_t)json_object_get_string_len(json(value));
	return json_object_get_string(json(value));
}

const char *wire_text(const struct wire *value)
{
	size_t size;

	return wire_textn(value, &size);
}

const char *wire_type_name(const struct wire *value)
{
	if (value == NULL)
		return "nothing";
	switch (json_object_get_type(json(value))) {
	case json_type_object:
		return "object";
	case json_type_array:
		return "array";
	case json_type_string:
		return "string";
	case json_type_int:
		return "integer";
	case json_type_double:
		return "number";
	case json_type_boolean:
		return "boolean";
	case json_type_null:
		break;
	}
	return "null";
}

bool wire_each(const struct wire *object,
	       bool (*visit)(const char *key, const struct wire *value, void *context),
	       void *context)
{
	if (object == NULL || !json_object_is_type(json(object), json_type_object))
		return true;
	json_object_object_foreach(json(object), key, value)
	{
		if (!visit(key, wire(value), context))
			return false;
	}
	return true;
}

/* The quote that ends the string whose text begins at p, or end. */
static const char *string_end(const char *p, const char *end)
{
	const char *quote = p;

	while ((quote = memchr(quote, '"', (size_t)(end - quote))) != NULL) {
		const char *backslash = quote;

		while (backslash > p && backslash[-1] == '\\')
			backslash--;
		if ((quote - backslash) % 2 == 0)
			return quote;
		quote++;
	}
	return end;
}

int64_t wire_count(const char *text, size_t size)
{
	const char *end = text + size;
	int64_t count = 0;

	for (const char *p = text; p < end; p++) {
		if (*p == ',' || *p == '{' || *p == '[')
			count++;
		else if (*p == '"')
			p = string_end(p + 1, end);
	}
	return count;
}

struct wire *wire_parse(const char *text, size_t size, struct reason *reason)
{
	struct json_tokener *tokener;
	struct json_object *value;
	const char *invalid;

	if (size > INT_MAX) {
		outcome_reject(reason, "5.6.0", "JSON of %zu bytes is too large", size);
		return NULL;
	}
	/* JSON_TOKENER_VALIDATE_UTF8 does the same character by character and takes longer. */
	if (!g_utf8_validate_len(text, size, &invalid)) {
		outcome_reject(reason, "5.6.0", "no UTF-8 at byte %zu of %zu",
			       (size_t)(invalid - text), size);
		return NULL;
	}
	tokener = json_tokener_new_ex(WIRE_DEPTH_MAX);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	value = json_tokener_parse_ex(tokener, text, (int)size);
	enum json_tokener_error error = json_tokener_get_error(tokener);
	size_t end = json_tokener_get_parse_end(tokener);

	/* A number or a cut document goes on until it is told that no more comes. */
	if (error == json_tokener_continue) {
		value = json_tokener_parse_ex(tokener, "", -1);
		error = json_tokener_get_error(tokener);
	}
	json_tokener_free(tokener);
	if (error != json_tokener_success) {
		outcome_reject(reason, "5.6.0", "no JSON at byte %zu of %zu: %s", end, size,
			       json_tokener_error_desc(error));
		return NULL;
	}
	if (value == NULL)
		outcome_reject(reason, "5.6.0", "JSON is null");
	return wire(value);
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, text, MIN(size, (size_t)WRITE_CHUNK));

		if (written < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		text += written;
		size -= (size_t)written;
	}
	return 0;
}

static const char *print(const struct wire *value, bool pretty, size_t *size)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	flags |=
		pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN;
	return json_object_to_json_string_length(json(value), flags, size);
}

int wire_write(const struct wire *value, int fd, bool pretty)
{
	size_t size;
	const char *text = print(value, pretty, &size);

	if (text == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (write_all(fd, text, size) != 0)
		return -1;
	return pretty ? write_all(fd, "\n", 1) : 0;
}

char *wire_print(const struct wire *value, bool pretty, size_t *size)
{
	size_t length;
	const char *text = print(value, pretty, &length);

	if (text == NULL)
		return NULL;
	if (size != NULL)
		*size = length;
	return g_strndup(text, length);
}
