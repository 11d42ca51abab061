/*
 * winmail.dat (MS-OXTNEF) into its attachments, by libytnef.
 */
#ifndef MAILIN_PARSE_TNEF_H
#define MAILIN_PARSE_TNEF_H

#include <stdbool.h>
#include <stddef.h>

struct tnef_file {
	char *name;         /* UTF-8, not yet safe; NULL if there is none */
	char *content_type; /* from the attachment's MAPI properties, or NULL */
	char *content_id;   /* without angle brackets, or NULL */
	unsigned char
		*data; /* an embedded message is a TNEF stream again, an OLE object its storage */
	size_t size;
};

struct tnef {
	struct tnef_file *files;
	size_t file_count;
	char *text; /* the body as text, UTF-8, or NULL */
	char *html; /* the body as HTML, UTF-8, or NULL */
	char *rtf;  /* the body as (decompressed) RTF with a NUL behind it, or NULL */
	size_t rtf_size;
	bool broken; /* there may have been more */
};

/*
 * NULL if it is no TNEF.  A broken one gives what stands before the break.  At most `files_max`
 * files.  Nothing is printed, though the library likes to.  Memory: about three times the stream's
 * size while it is opened.
 */
struct tnef *tnef_open(const void *data, size_t size, size_t files_max);
void tnef_free(struct tnef **tnef);

#endif
