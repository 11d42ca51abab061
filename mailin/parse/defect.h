/*
 * What is wrong with a mail: the vocabulary of Mailpipe.Defects (mailpipe-wire(7)).
 *
 * The phrases are stable: consumers compare them.
 */
#ifndef MAILIN_PARSE_DEFECT_H
#define MAILIN_PARSE_DEFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"

enum defect {
	/* the header */
	DEFECT_EMPTY,
	DEFECT_NO_HEADER,
	DEFECT_HEADER_LINE,
	DEFECT_HEADER_END,
	DEFECT_HEADERS_MANY,
	DEFECT_HEADER_LARGE,
	DEFECT_HEADER_8BIT,
	DEFECT_HEADER_CHARSET,
	DEFECT_ENCODED_WORD,
	DEFECT_PARAMETER,
	/* addresses, date, ids */
	DEFECT_FROM_NONE,
	DEFECT_FROM_SEVERAL,
	DEFECT_ADDRESS,
	DEFECT_GROUP_NESTED,
	DEFECT_ADDRESSES_MANY,
	DEFECT_DATE_NONE,
	DEFECT_DATE_BAD,
	DEFECT_IDS_MANY,
	/* the mail server's word about the sender */
	DEFECT_RESULTS_FOREIGN,
	DEFECT_RESULTS_OUTSIDE,
	DEFECT_RESULTS_MISLED,
	DEFECT_RESULTS_BROKEN,
	/* the structure */
	DEFECT_CONTENT_TYPE,
	DEFECT_BOUNDARY_NONE,
	DEFECT_BOUNDARY_WRONG,
	DEFECT_UNTERMINATED,
	DEFECT_OUTSIDE,
	DEFECT_PARTS_MANY,
	DEFECT_DEPTH,
	DEFECT_ATTACHMENTS_MANY,
	/* the content */
	DEFECT_CHARSET,
	DEFECT_NUL,
	DEFECT_BASE64,
	DEFECT_ENCODING,
	DEFECT_BODY_CUT,
	DEFECT_TNEF,
	DEFECT_COUNT
};

struct defects {
	bool seen[DEFECT_COUNT];
};

static inline void defect_note(struct defects *defects, enum defect defect)
{
	defects->seen[defect] = true;
}

/* Is something of the mail missing in the document, so that it needs the raw mail? */
bool defects_lose(const struct defects *defects);

/* Add the phrases to Mailpipe.Defects, in the table's order. */
void defects_write(const struct defects *defects, struct wire *document);

#endif
