/*
 * The media type by content, by libmagic.
 */
#ifndef MAILIN_PARSE_DETECT_H
#define MAILIN_PARSE_DETECT_H

#include <stddef.h>

/* Before the sandbox: only maps the magic database; it is loaded at the first detect_type(). */
void detect_init(void);
void detect_deinit(void);

/* "image/jpeg"; "application/octet-stream" if libmagic has nothing to say.  Valid until the next
 * call. */
const char *detect_type(const void *data, size_t size);

#endif
