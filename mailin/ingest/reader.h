/*
 * Reads typed fields of an untrusted JSON document into a struct inbound.
 *
 * The first failure sticks: later calls return empty values and keep the first reason, so that
 * callers read straight on and look at reader_failed() before they use what they got.
 */
#ifndef MAILIN_INGEST_READER_H
#define MAILIN_INGEST_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/outcome.h"
#include "common/wire.h"
#include "mailin/ingest/inbound.h"

struct reader {
	const struct config *config;
	struct inbound *inbound; /* gets copies of all texts */
	struct reason *reason;
	struct wire *defects; /* where "X cut to N characters" goes; NULL: not known yet */
	bool failed;
};

/* What a text may measure, and what happens to more than that. */
enum reader_limit {
	READER_REFUSE,     /* field.max characters */
	READER_CUT,        /* field.max characters */
	READER_DROP,       /* field.max characters; of more nothing is left */
	READER_CUT_HEADER, /* limits.header_bytes */
	READER_CUT_BODY    /* limits.body_bytes */
};

struct reader_field {
	const char *key;
	size_t offset; /* of the struct inbound_text to fill, in the structure handed over */
	bool required;
	enum reader_limit limit;
	size_t max;
};

__attribute__((format(printf, 2, 3))) void reader_fail(struct reader *reader, const char *format,
						       ...);

/* `path` is the object's place in the document ("Mailpipe.Envelope.", "" at the top) for the
 * reason. A null counts as missing.  All of these return an empty value after a failure. */
void reader_texts(struct reader *reader, const struct wire *object, const char *path,
		  const struct reader_field *fields, size_t count, void *to);
struct inbound_text reader_text(struct reader *reader, const struct wire *object, const char *path,
				const struct reader_field *field);
struct wire *reader_object(struct reader *reader, const struct wire *object, const char *path,
			   const char *key, bool required);
struct wire *reader_array(struct reader *reader, const struct wire *object, const char *path,
			  const char *key, bool required, int64_t max);
/* `missing` if it is not there. */
int64_t reader_int(struct reader *reader, const struct wire *object, const char *path,
		   const char *key, bool required, int64_t missing);

/* A time (ISO 8601 with its offset from UTC) as MySQL wants it, UTC; its milliseconds since 1970.
 */
int64_t reader_time(struct reader *reader, const struct wire *object, const char *path,
		    const char *key, bool required, bool with_ms, char text[INBOUND_TIME_SIZE]);

/* The base64 text is taken out of the document once it is decoded: it is most of the memory. */
void reader_base64(struct reader *reader, struct wire *object, const char *path, const char *key,
		   struct inbound_blob *blob);

/* The value as JSON text. */
struct inbound_text reader_json(struct reader *reader, const struct wire *value);

/* The message's own copy of a text. */
struct inbound_text reader_copy(struct reader *reader, const char *text, size_t size);

#endif
