/*
 * The one table of parameters; private to common/config*.c.
 */
#ifndef COMMON_CONFIG_TABLE_H
#define COMMON_CONFIG_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

enum parameter_type {
	PARAMETER_TEXT,     /* char * */
	PARAMETER_LIST,     /* char **, separated by blanks or commas, NULL at the end */
	PARAMETER_PATTERNS, /* the same, but a /regular expression/ may hold commas */
	PARAMETER_BOOL,     /* bool */
	PARAMETER_INT,      /* int64_t */
	PARAMETER_SIZE,     /* int64_t, bytes; K, M, G */
	PARAMETER_TIME,     /* int64_t, milliseconds; ms, s, m, h, d */
	PARAMETER_CHOICE,   /* int64_t, the index in choices */
};

struct parameter {
	const char *section;
	const char *name;
	enum parameter_type type;
	size_t offset;             /* in struct config, config_route or config_stream */
	const char *default_value; /* of a number "": it may be left out, and is 0 then */
	int64_t minimum;
	int64_t maximum;
	const char *const *choices; /* NULL at the end */
	const char *help;
};

/* The sections that stand once; then those that have a name: [route NAME], [stream NAME]. */
extern const struct parameter config_parameters[];
extern const size_t config_parameter_count;
extern const struct parameter config_route_parameters[];
extern const size_t config_route_parameter_count;
extern const struct parameter config_stream_parameters[];
extern const size_t config_stream_parameter_count;

/* Read config->file into a config that has its defaults.  False with a reason. */
bool config_read(struct config *config, struct reason *reason);

/* Add a stream with its default values. */
void config_stream_begin(struct config *config, const char *name, int line);

/* "size", "time" ... as the manual calls them. */
const char *config_type_name(enum parameter_type type);

/* Parse a value into the field at `base` + offset; RETRY with what is wrong with it. */
enum outcome config_set(const struct parameter *parameter, void *base, const char *value,
			struct reason *reason);

/* The value as it would stand in the file; g_free() it. */
char *config_value_text(const struct parameter *parameter, const void *base);

/* "1K to 1G", "defect, no, yes" or ""; g_free() it. */
char *config_range_text(const struct parameter *parameter);

/* Free the field's memory. */
void config_clear(const struct parameter *parameter, void *base);

#endif
