#include "mailin/ingest/reader.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

/* MySQL documents DATETIME for these years only. */
enum { YEAR_MIN = 1000, YEAR_MAX = 9999 };

void reader_fail(struct reader *reader, const char *format, ...)
{
	va_list args;

	if (reader->failed)
		return;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	outcome_reject(reader->reason, "5.6.0", "%s", text);
	reader->failed = true;
}

/* Copies, so that the document can be freed at once: json-c's tree is many times as large, and a
 * batch of them makes malloc slow. */
struct inbound_text reader_copy(struct reader *reader, const char *text, size_t size)
{
	if (size == 0)
		return (struct inbound_text){.data = "", .size = 0};
	return (struct inbound_text){
		.data = g_string_chunk_insert_len(reader->inbound->texts, text, (gssize)size),
		.size = size};
}

/* The member, NULL if it is missing or null, which must not be when it is required. */
static struct wire *member(struct reader *reader, const struct wire *object, const char *path,
			   const char *key, bool required)
{
	struct wire *value = reader->failed ? NULL : wire_get(object, key);

	if (value == NULL && required)
		reader_fail(reader, "%s%s is missing", path, key);
	return value;
}

static void wrong_type(struct reader *reader, const char *path, const char *key,
		       const struct wire *value, const char *wanted)
{
	reader_fail(reader, "%s%s is of type %s, not %s", path, key, wire_type_name(value), wanted);
}

static struct inbound_text cut(struct reader *reader, const struct inbound_text *text, size_t bytes,
			       const char *path, const char *key, size_t max, const char *unit)
{
	g_autofree char *defect = g_strdup_printf("%s%s cut to %zu %s", path, key, max, unit);

	if (reader->defects != NULL)
		wire_append_text(reader->defects, defect);
	return reader_copy(reader, text->data, bytes);
}

static struct inbound_text drop(struct reader *reader, const char *path, const char *key,
				size_t max)
{
	g_autofree char *defect =
		g_strdup_printf("%s%s dropped: more than %zu characters", path, key, max);

	if (reader->defects != NULL)
		wire_append_text(reader->defects, defect);
	return reader_copy(reader, "", 0);
}

static struct inbound_text limit_bytes(struct reader *reader, const struct inbound_text *text,
				       const char *path, const char *key, int64_t max)
{
	if (text->size <= (size_t)max)
		return reader_copy(reader, text->data, text->size);
	size_t bytes = (size_t)max;

	/* Not within a character. */
	while (bytes > 0 && ((unsigned char)text->data[bytes] & 0xc0) == 0x80)
		bytes--;
	return cut(reader, text, bytes, path, key, (size_t)max, "bytes");
}

static struct inbound_text limit_characters(struct reader *reader, const struct inbound_text *text,
					    const char *path, const struct reader_field *field)
{
	if (text->size <= field->max ||
	    (size_t)g_utf8_strlen(text->data, (gssize)text->size) <= field->max)
		return reader_copy(reader, text->data, text->size);
	if (field->limit == READER_REFUSE) {
		reader_fail(reader, "%s%s is longer than %zu characters", path, field->key,
			    field->max);
		return (struct inbound_text){NULL, 0};
	}
	if (field->limit == READER_DROP)
		return drop(reader, path, field->key, field->max);
	size_t bytes =
		(size_t)(g_utf8_offset_to_pointer(text->data, (glong)field->max) - text->data);

	return cut(reader, text, bytes, path, field->key, field->max, "characters");
}

struct inbound_text reader_text(struct reader *reader, const struct wire *object, const char *path,
				const struct reader_field *field)
{
	struct inbound_text text = {NULL, 0};
	struct wire *value = member(reader, object, path, field->key, field->required);

	if (value == NULL)
		return text;
	text.data = wire_get_textn(object, field->key, &text.size);
	if (text.data == NULL) {
		wrong_type(reader, path, field->key, value, "string");
		return text;
	}
	/* An escaped U+0000 is correct JSON, but it would end the text early wherever C reads it.
	 */
	if (memchr(text.data, '\0', text.size) != NULL) {
		reader_fail(reader, "%s%s holds a NUL character", path, field->key);
		return (struct inbound_text){NULL, 0};
	}
	switch (field->limit) {
	case READER_CUT_HEADER:
		return limit_bytes(reader, &text, path, field->key,
				   reader->config->limits.header_bytes);
	case READER_CUT_BODY:
		return limit_bytes(reader, &text, path, field->key,
				   reader->config->limits.body_bytes);
	case READER_REFUSE:
	case READER_CUT:
	case READER_DROP:
		break;
	}
	return limit_characters(reader, &text, path, field);
}

void reader_texts(struct reader *reader, const struct wire *object, const char *path,
		  const struct reader_field *fields, size_t count, void *to)
{
	for (size_t i = 0; i < count; i++) {
		struct inbound_text text = reader_text(reader, object, path, &fields[i]);

		memcpy((char *)to + fields[i].offset, &text, sizeof(text));
	}
}

struct wire *reader_object(struct reader *reader, const struct wire *object, const char *path,
			   const char *key, bool required)
{
	struct wire *value = member(reader, object, path, key, required);

	if (value == NULL)
		return NULL;
	if (wire_get_object(object, key) == NULL) {
		wrong_type(reader, path, key, value, "object");
		return NULL;
	}
	return value;
}

struct wire *reader_array(struct reader *reader, const struct wire *object, const char *path,
			  const char *key, bool required, int64_t max)
{
	struct wire *value = member(reader, object, path, key, required);

	if (value == NULL)
		return NULL;
	if (wire_get_array(object, key) == NULL) {
		wrong_type(reader, path, key, value, "array");
		return NULL;
	}
	if (wire_length(value) > (size_t)max) {
		reader_fail(reader, "%s%s has %zu elements, more than %" G_GINT64_FORMAT, path, key,
			    wire_length(value), max);
		return NULL;
	}
	return value;
}

int64_t reader_int(struct reader *reader, const struct wire *object, const char *path,
		   const char *key, bool required, int64_t missing)
{
	struct wire *value = member(reader, object, path, key, required);
	int64_t number = missing;

	if (value != NULL && !wire_get_int(object, key, &number))
		wrong_type(reader, path, key, value, "integer");
	return number;
}

int64_t reader_time(struct reader *reader, const struct wire *object, const char *path,
		    const char *key, bool required, bool with_ms, char text[INBOUND_TIME_SIZE])
{
	const struct reader_field field = {
		.key = key, .required = required, .max = INBOUND_TIME_SIZE};
	struct inbound_text given = reader_text(reader, object, path, &field);

	text[0] = '\0';
	if (given.data == NULL || (!required && given.size == 0))
		return 0;
	g_autoptr(GDateTime) local = g_date_time_new_from_iso8601(given.data, NULL);
	g_autoptr(GDateTime) utc = local != NULL ? g_date_time_to_utc(local) : NULL;

	if (utc == NULL || g_date_time_get_year(utc) < YEAR_MIN ||
	    g_date_time_get_year(utc) > YEAR_MAX) {
		reader_fail(reader, "%s%s is no time: \"%s\"", path, key, given.data);
		return 0;
	}
	int ms = g_date_time_get_microsecond(utc) / 1000;
	g_autofree char *seconds = g_date_time_format(utc, "%Y-%m-%d %H:%M:%S");

	if (with_ms)
		g_snprintf(text, INBOUND_TIME_SIZE, "%s.%03d", seconds, ms);
	else
		g_strlcpy(text, seconds, INBOUND_TIME_SIZE);
	return g_date_time_to_unix(utc) * 1000 + ms;
}

void reader_base64(struct reader *reader, struct wire *object, const char *path, const char *key,
		   struct inbound_blob *blob)
{
	struct wire *value = member(reader, object, path, key, true);

	if (value == NULL)
		return;
	if (wire_text(value) == NULL) {
		wrong_type(reader, path, key, value, "string");
		return;
	}
	blob->data = wire_get_base64(object, key, &blob->size);
	if (blob->data == NULL) {
		reader_fail(reader, "%s%s is no correct base64", path, key);
		return;
	}
	sha256_of(blob->data, blob->size, blob->digest);
	wire_set_text(object, key, "");
}

struct inbound_text reader_json(struct reader *reader, const struct wire *value)
{
	static const char empty[] = "[]";
	size_t size;

	if (wire_length(value) == 0)
		return (struct inbound_text){.data = empty, .size = sizeof(empty) - 1};
	g_autofree char *text = wire_print(value, false, &size);

	if (text == NULL) {
		reader_fail(reader, "cannot be printed as JSON again");
		return (struct inbound_text){NULL, 0};
	}
	return reader_copy(reader, text, size);
}
