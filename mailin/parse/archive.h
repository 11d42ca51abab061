/*
 * The names of the files within an archive, for routes that refuse files by their names.  Nothing
 * is unpacked.
 *
 * ZIP, 7z, cabinets and tar, as it is or within gzip or xz, and a single file within these two: by
 * libarchive, which is loaded only for mail that seems to have one.  Archives within archives are
 * files like any other.  What else people call an archive is known as one that nobody looked into.
 */
#ifndef MAILIN_PARSE_ARCHIVE_H
#define MAILIN_PARSE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire;

/* What a mail's archives may still use. */
struct archive_room {
	int64_t entries;
	int64_t bytes;  /* that are unpacked on the way to the names */
	int64_t cpu_us; /* of this process */
};

/* Before the sandbox; may be called again.  False: the library is not there. */
bool archive_load(void);
void archive_deinit(void);

/* By its content (as libmagic calls it), or because it will be opened as one: by its name's
 * extension.  Documents that happen to be ZIP files inside (OOXML, ODF, JAR) are none. */
bool archive_is(const char *type, const char *name);

/*
 * {"Entries": [{"Name", "Size"}, ...], "Unread": "", "Encrypted": false} as in mailpipe-wire(7).
 * `type` and `name` are the attachment's, `name_bytes` bounds the entries' names.  What it takes of
 * `room` is subtracted.
 */
struct wire *archive_describe(const char *type, const char *name, const void *data, size_t size,
			      size_t name_bytes, struct archive_room *room);

#endif
