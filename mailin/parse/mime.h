/*
 * The structure of a mail: header fields and MIME parts (RFC 5322, RFC 2045, RFC 2046) as places in
 * its bytes.
 *
 * Nothing is copied or decoded here, and every limit is checked before memory is spent: a tree
 * never has more than limits.parts parts, limits.depth levels, and per part limits.headers fields
 * in limits.header_bytes.  It takes linear time.
 *
 * GMime's parser is not used for this: it builds objects without such limits (9.8 MB of mail
 * became 1.9 GB), parses every address header as it goes, on the stack, and gives no exact bytes of
 * an embedded message.
 */
#ifndef MAILIN_PARSE_MIME_H
#define MAILIN_PARSE_MIME_H

#include <glib.h>

#include "common/config.h"
#include "mailin/parse/defect.h"
#include "mailin/parse/param.h"
#include "mailin/parse/span.h"

struct field {
	struct span name;
	struct span value; /* with its folds, untrimmed */
};

struct part {
	GArray *fields;             /* of struct field */
	struct span body;           /* of a multipart: everything behind its header */
	char *type;                 /* lower case media type, never NULL */
	struct params *type_params; /* NULL: no usable Content-Type */
	char *disposition;          /* lower case, NULL: none */
	struct params *disposition_params;
	GPtrArray *children; /* of struct part; NULL: no multipart */
	bool outside;        /* of a multipart: text stands before or behind its parts */
};

/* Always succeeds.  The mail is borrowed; mime_free() the part. */
struct part *mime_parse(struct span mail, const struct config_limits *limits,
			struct defects *defects);
void mime_free(struct part **part);

/* The first field of that name, or NULL. */
const struct field *mime_field(const struct part *part, const char *name);

/* Does the type begin with "multipart/" and so on? */
bool mime_type_is(const struct part *part, const char *prefix);

#endif
