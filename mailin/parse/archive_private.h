/*
 * What is found in an archive, and who finds it; private to mailin/parse/archive*.c.
 */
#ifndef MAILIN_PARSE_ARCHIVE_PRIVATE_H
#define MAILIN_PARSE_ARCHIVE_PRIVATE_H

#include <glib.h>

#include "common/wire.h"
#include "mailin/parse/archive.h"
#include "mailin/parse/span.h"

/* Why names may be missing; the first one found stays. */
enum archive_flaw {
	ARCHIVE_FLAW_NONE,
	ARCHIVE_FLAW_BROKEN,    /* damaged, cut off, or it contradicts itself */
	ARCHIVE_FLAW_ENCRYPTED, /* the names are */
	ARCHIVE_FLAW_FORMAT,    /* of none that is looked into */
	ARCHIVE_FLAW_LIMIT,     /* more than the mail may have */
};

struct archive_list {
	size_t name_bytes; /* of a name in the document */
	struct archive_room *room;
	struct wire *entries;
	int64_t cpu_end_us; /* archive_is_late() from then on */
	GHashTable *seen;   /* names as they stand in the archive (GBytes) to their entries */
	enum archive_flaw flaw;
	bool encrypted; /* contents are */
};

void archive_flaw_note(struct archive_list *list, enum archive_flaw flaw);

/* Has the room's processor time been used?  Asks the kernel. */
bool archive_is_late(const struct archive_list *list);

/* `name` as it stands in the archive, of any charset; `size` as it says, or 0.  A name that is
 * there already only gets the larger size. */
void archive_list_add(struct archive_list *list, struct span name, int64_t size);

/*
 * All names in a ZIP file's headers, in those of its directory and in those before each file,
 * wherever they stand: which of them counts is decided differently by different unpackers, and made
 * to differ by those who want to get something through.  False if there is none.
 */
bool archive_zip_scan(struct span data, struct archive_list *list);

/*
 * What the header of a 7z file, where the names are, becomes when it is unpacked; 0 if it is not
 * packed.  libarchive unpacks it at one go, by any method, however large it says to be.  False: it
 * is not as 7-Zip writes it.
 */
bool archive_seven_header(struct span data, int64_t *unpacked);

/* ---- libarchive ---- */

enum archive_format {
	ARCHIVE_FORMAT_OF_ZIP, /* whole? and contents encrypted?  Its names are not added */
	ARCHIVE_FORMAT_OF_7Z,
	ARCHIVE_FORMAT_OF_CAB,
	ARCHIVE_FORMAT_OF_TAR, /* perhaps within gzip or xz */
	ARCHIVE_FORMAT_OF_FILE /* one file within gzip or xz */
};

bool archive_library_load(void);
void archive_library_unload(void);

/* False: it is not of this format, or the library is not loaded. */
bool archive_library_read(enum archive_format format, struct span data, struct archive_list *list);

#endif
