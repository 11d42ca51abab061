/*
 * A stranger's TNEF stream (MS-OXTNEF), made fit for libytnef.
 *
 * libytnef 2.0 believes lengths: it crashes in freeing what it has half read, is quadratic in the
 * number of attachments, gives everything up at an empty attribute, a wrong checksum, 1000
 * properties, a name of 100 bytes or a text of 100,000, and gets characters beyond the BMP wrong.
 * So the stream is taken apart here, with every length checked, and its attachments are put
 * together again from what is of use.
 */
#ifndef MAILIN_PARSE_TNEF_STREAM_H
#define MAILIN_PARSE_TNEF_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

struct tnef_value {
	const unsigned char *bytes; /* NULL if there is none; borrowed from the stream */
	size_t size;
	bool wide; /* UTF-16LE; else in a code page, or no text */
};

struct tnef_stream {
	GByteArray *clean;      /* for libytnef: at most files_max attachments */
	struct tnef_value text; /* the message's body ... */
	struct tnef_value html;
	struct tnef_value rtf; /* compressed, MS-OXRTFCP */
	uint32_t code_page;    /* of what is not wide; 0 if it does not say */
	uint32_t html_code_page;
	bool broken; /* what comes behind a wrong place was dropped */
};

/*
 * In `clean`, properties of type PT_UNICODE are PT_BINARY: UTF-16LE as it was.  Embedded objects
 * are the attachment's data, as files are.  What comes behind a wrong place is dropped.  False if
 * the signature is wrong.
 */
bool tnef_stream_read(struct tnef_stream *stream, const void *data, size_t size, size_t files_max);
void tnef_stream_clear(struct tnef_stream *stream);

#endif
