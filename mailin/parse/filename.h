/*
 * Names of attachments, made safe but never lost.
 */
#ifndef MAILIN_PARSE_FILENAME_H
#define MAILIN_PARSE_FILENAME_H

#include <stddef.h>

/*
 * The last component of a path in either notation (C:\x\y.jpg, ../y.jpg), no control characters or
 * bidirectional overrides, no leading dots or trailing dots and spaces, none of <>:"|?*, no Windows
 * device names, NFC, cut to max_bytes on a character with the extension kept.  NULL if nothing is
 * left.  g_free() it.
 */
char *filename_safe(const char *name, size_t max_bytes);

/* "attachment-3.jpg" from the position (from 1) and the media type ("image/jpeg"; may be NULL).
 * g_free() it. */
char *filename_invent(size_t position, const char *content_type);

#endif
