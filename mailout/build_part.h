/*
 * Internal to mailout/build*.c: the leaves of a message.
 */
#ifndef MAILOUT_BUILD_PART_H
#define MAILOUT_BUILD_PART_H

#include <gmime/gmime.h>
#include <stdbool.h>
#include <stddef.h>

void build_part_init(void);

/* text/SUBTYPE in UTF-8: 7bit if it is that with short lines, else quoted-printable or base64,
 * whichever is shorter. Line ends of any kind become one kind; it ends with one. */
GMimeObject *build_text(const char *subtype, const char *text);

/* A file.  Everything may be NULL but `data`, which is borrowed until the part is freed. */
struct build_file {
	const char *name;
	const char *content_type;
	const char *content_id;
	const unsigned char *data;
	size_t size;
	bool is_inline; /* HTML refers to it */
};
GMimeObject *build_file(const struct build_file *file);

/* Does the HTML refer to "cid:ID"? */
bool build_html_refers(const char *html, const char *content_id);

#endif
