/*
 * JSON documents, the wire format of mailpipe-wire(7).  Wraps json-c.
 *
 * A struct wire is a JSON value.  A value that was given to wire_set() or
 * wire_append() belongs to its container; the root belongs to the caller.
 * All strings that are set are made valid UTF-8 (bad bytes and NUL become U+FFFD).
 * Pointers that getters return belong to the value and live as long as it does.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/id.h"
#include "common/outcome.h"

struct wire;

/* Nesting that wire_parse() accepts. */
enum { WIRE_DEPTH_MAX = 16 };

struct wire *wire_object(void);
struct wire *wire_array(void);
void wire_free(struct wire **value);

/* Setters replace a member of that name.  `text` may be NULL (nothing is set). */
void wire_set(struct wire *object, const char *key, struct wire *value); /* takes value */
void wire_set_text(struct wire *object, const char *key, const char *text);
void wire_set_textn(struct wire *object, const char *key, const char *text, size_t size);
void wire_set_int(struct wire *object, const char *key, int64_t number);
void wire_set_bool(struct wire *object, const char *key, bool value);
/* Milliseconds since 1970 as RFC 3339 in UTC: "2026-11-22T12:00:00.000Z"; nothing is set if that
 * has no four digits of a year. */
void wire_set_time(struct wire *object, const char *key, int64_t ms);
/* Base64 (RFC 4648, 4) of bytes that are borrowed until the document is freed: they
 * are encoded only while the document is written, never as a whole in memory twice. */
void wire_set_base64(struct wire *object, const char *key, const void *data, size_t size);
void wire_append(struct wire *array, struct wire *value); /* takes value */
void wire_append_text(struct wire *array, const char *text);
/* Put the member last (documents are read by people, too). */
void wire_move_last(struct wire *object, const char *key);

/* Getters: NULL, false or 0 if the member is missing or of another type. */
struct wire *wire_get(const struct wire *object, const char *key);        /* borrowed, any type */
struct wire *wire_get_object(const struct wire *object, const char *key); /* borrowed */
struct wire *wire_get_array(const struct wire *object, const char *key);  /* borrowed */
const char *wire_get_text(const struct wire *object, const char *key);
const char *wire_get_textn(const struct wire *object, const char *key, size_t *size);
bool wire_get_int(const struct wire *object, const char *key, int64_t *number);
bool wire_get_bool(const struct wire *object, const char *key, bool *value);
/* The decoded bytes, g_free() them; NULL if the member is missing, no string or
 * no correct base64 (RFC 4648: padding needed, nothing but the alphabet). */
unsigned char *wire_get_base64(const struct wire *object, const char *key, size_t *size);
size_t wire_length(const struct wire *array);
struct wire *wire_at(const struct wire *array, size_t index);   /* borrowed */
const char *wire_text(const struct wire *value);                /* a string value's text */
const char *wire_textn(const struct wire *value, size_t *size); /* and its size */
bool wire_int(const struct wire *value, int64_t *number);
bool wire_bool(const struct wire *value, bool *truth);
unsigned char *wire_base64(const struct wire *value, size_t *size); /* as wire_get_base64() */
/* "object", "array", "string", "integer", "number", "boolean", "null" or "nothing". */
const char *wire_type_name(const struct wire *value);
/* Visit the members of an object in order; stops when visit returns false. */
bool wire_each(const struct wire *object,
	       bool (*visit)(const char *key, const struct wire *value, void *context),
	       void *context);

/* How many values wire_parse() would make of a text, about: to refuse a document that would take
 * many times its size in memory.  Counts whatever follows a ',', '{' or '[' outside of strings. */
int64_t wire_count(const char *text, size_t size);

/* Parse one whole JSON text (RFC 8259, valid UTF-8, nothing after it).  NULL with a
 * reason (status 5.6.0) that tells the place if it is none. */
struct wire *wire_parse(const char *text, size_t size, struct reason *reason);

/* Write as one line without a newline, or pretty with one.  0, or -1 with errno. */
int wire_write(const struct wire *value, int fd, bool pretty);
/* The same into memory; g_free() it. */
char *wire_print(const struct wire *value, bool pretty, size_t *size);

#endif
