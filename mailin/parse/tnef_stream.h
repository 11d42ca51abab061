/*
 * A stranger's TNEF stream (MS-OXTNEF), made fit for libytnef.
 *
 * libytnef 2.0 believes lengths: it crashes in freeing what it has half read, is quadratic in the number
 * of attachments, gives everything up at an empty attribute, a wrong checksum, more than 1000 properties or a long
 * text, and gets characters beyond the BMP wrong.  So the stream is taken apart here, with every length
 * checked, and put together again from what is of use.
 */
#ifndef MAILIN_PARSE_TNEF_STREAM_H
#define MAILIN_PARSE_TNEF_STREAM_H

#include <stddef.h>

#include <glib.h>

/*
 * A stream of the attributes and properties that tnef.c asks for, each at most once, checksums right, at
 * most `files_max` attachments.  Properties of type PT_UNICODE become PT_BINARY: UTF-16LE as it was.  What comes
 * behind a broken place is dropped.  NULL if the signature is wrong; g_byte_array_unref() it.
 */
GByteArray *tnef_stream_clean(const void *data, size_t size, size_t files_max);

#endif
