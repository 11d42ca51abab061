#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>

#include "mailin/parse/archive_private.h"
#include "mailin/parse/library.h"

/* What is not here is not enabled: RAR, because its readers unpack solid archives to get to the
 * next name and have been broken often; ISO images, because Windows shows the names of another file
 * system in the same image; bzip2, because it is too slow. */
static struct {
	void *library;
	locale_t locale; /* UTF-8: names are converted to the locale's charset */
	__typeof__(archive_read_new) *open;
	__typeof__(archive_read_free) *close;
	__typeof__(archive_read_support_format_zip_seekable) *zip;
	__typeof__(archive_read_support_format_7zip) *seven_zip;
	__typeof__(archive_read_support_format_cab) *cab;
	__typeof__(archive_read_support_format_tar) *tar;
	__typeof__(archive_read_support_format_raw) *raw;
	__typeof__(archive_read_support_filter_gzip) *gzip;
	__typeof__(archive_read_support_filter_xz) *xz;
	__typeof__(archive_read_open_memory) *open_memory;
	__typeof__(archive_read_next_header) *next;
	__typeof__(archive_read_data_block) *block;
	__typeof__(archive_read_has_encrypted_entries) *has_encrypted;
	__typeof__(archive_filter_bytes) *bytes;
	__typeof__(archive_filter_count) *filters;
	__typeof__(archive_entry_pathname) *name;
	__typeof__(archive_entry_pathname_utf8) *name_utf8;
	__typeof__(archive_entry_filetype) *type;
	__typeof__(archive_entry_size) *size;
	__typeof__(archive_entry_is_encrypted) *is_encrypted;
} libarchive;

static const struct library_symbol symbols[] = {
	{"archive_read_new", &libarchive.open},
	{"archive_read_free", &libarchive.close},
	{"archive_read_support_format_zip_seekable", &libarchive.zip},
	{"archive_read_support_format_7zip", &libarchive.seven_zip},
	{"archive_read_support_format_cab", &libarchive.cab},
	{"archive_read_support_format_tar", &libarchive.tar},
	{"archive_read_support_format_raw", &libarchive.raw},
	{"archive_read_support_filter_gzip", &libarchive.gzip},
	{"archive_read_support_filter_xz", &libarchive.xz},
	{"archive_read_open_memory", &libarchive.open_memory},
	{"archive_read_next_header", &libarchive.next},
	{"archive_read_data_block", &libarchive.block},
	{"archive_read_has_encrypted_entries", &libarchive.has_encrypted},
	{"archive_filter_bytes", &libarchive.bytes},
	{"archive_filter_count", &libarchive.filters},
	{"archive_entry_pathname", &libarchive.name},
	{"archive_entry_pathname_utf8", &libarchive.name_utf8},
	{"archive_entry_filetype", &libarchive.type},
	{"archive_entry_size", &libarchive.size},
	{"archive_entry_is_encrypted", &libarchive.is_encrypted},
};

bool archive_library_load(void)
{
	if (libarchive.library != NULL)
		return true;
	libarchive.library = library_open("libarchive.so.13", symbols, G_N_ELEMENTS(symbols));
	if (libarchive.library == NULL)
		return false;
	/* Without it, characters beyond ASCII in names become question marks. */
	libarchive.locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return true;
}

void archive_library_unload(void)
{
	if (libarchive.locale != (locale_t)0)
		freelocale(libarchive.locale);
	libarchive.locale = (locale_t)0;
	library_close(&libarchive.library);
}

static bool support(struct archive *archive, enum archive_format format)
{
	switch (format) {
	case ARCHIVE_FORMAT_OF_ZIP:
		return libarchive.zip(archive) == ARCHIVE_OK;
	case ARCHIVE_FORMAT_OF_7Z:
		return libarchive.seven_zip(archive) == ARCHIVE_OK;
	case ARCHIVE_FORMAT_OF_CAB:
		return libarchive.cab(archive) == ARCHIVE_OK;
	case ARCHIVE_FORMAT_OF_TAR:
		return libarchive.tar(archive) == ARCHIVE_OK &&
		       libarchive.gzip(archive) == ARCHIVE_OK &&
		       libarchive.xz(archive) == ARCHIVE_OK;
	case ARCHIVE_FORMAT_OF_FILE:
		return libarchive.raw(archive) == ARCHIVE_OK &&
		       libarchive.gzip(archive) == ARCHIVE_OK &&
		       libarchive.xz(archive) == ARCHIVE_OK;
	}
	return false;
}

struct reading {
	struct archive *archive;
	enum archive_format format;
	bool packed; /* tar, within a compressed file */
	struct archive_list *list;
};

/* A directory may be called "example.com".  One that has contents is none. */
static bool is_directory(struct archive_entry *entry)
{
	return libarchive.type(entry) == AE_IFDIR && libarchive.size(entry) == 0;
}

static void add_entry(const struct reading *reading, struct archive_entry *entry)
{
	const char *name = libarchive.name(entry);

	/* So it calls a file whose name gzip was not told. */
	if (reading->format == ARCHIVE_FORMAT_OF_FILE && g_strcmp0(name, "data") == 0)
		return;
	if (name == NULL)
		name = libarchive.name_utf8(entry);
	if (name == NULL)
		archive_flaw_note(reading->list, ARCHIVE_FLAW_BROKEN);
	else if (!is_directory(entry))
		archive_list_add(reading->list, (struct span){name, strlen(name)},
				 libarchive.size(entry));
}

static bool is_fine(int result)
{
	return result == ARCHIVE_OK || result == ARCHIVE_WARN;
}

/* To the next name leads only what is in front of it; the library would unpack that at one go.
 * False: it cannot be read, or is too much. */
static bool pass_contents(const struct reading *reading)
{
	const void *block;
	size_t size;
	la_int64_t offset;
	int result;

	while (is_fine(result = libarchive.block(reading->archive, &block, &size, &offset)))
		if (libarchive.bytes(reading->archive, 0) > reading->list->room->bytes ||
		    archive_is_late(reading->list)) {
			archive_flaw_note(reading->list, ARCHIVE_FLAW_LIMIT);
			return false;
		}
	if (result != ARCHIVE_EOF)
		archive_flaw_note(reading->list, ARCHIVE_FLAW_BROKEN);
	return result == ARCHIVE_EOF;
}

/* False: no more of them. */
static bool take_entry(const struct reading *reading, struct archive_entry *entry)
{
	struct archive_list *list = reading->list;

	if (libarchive.is_encrypted(entry))
		list->encrypted = true;
	/* What they are called and how many there are, its headers have told. */
	if (reading->format == ARCHIVE_FORMAT_OF_ZIP)
		return true;
	if (list->room->entries == 0) {
		archive_flaw_note(list, ARCHIVE_FLAW_LIMIT);
		return false;
	}
	list->room->entries--;
	add_entry(reading, entry);
	return reading->format != ARCHIVE_FORMAT_OF_FILE &&
	       (!reading->packed || pass_contents(reading));
}

/* Zeros are a tar file, too, one that ends at once; so do images of disks begin. */
static bool read_entries(const struct reading *reading)
{
	struct archive_entry *entry;
	bool any = false;
	int result;

	for (; is_fine(result = libarchive.next(reading->archive, &entry)); any = true)
		if (!take_entry(reading, entry))
			return true;
	if (result != ARCHIVE_EOF)
		archive_flaw_note(reading->list, libarchive.has_encrypted(reading->archive) > 0
							 ? ARCHIVE_FLAW_ENCRYPTED
							 : ARCHIVE_FLAW_BROKEN);
	return any || reading->format != ARCHIVE_FORMAT_OF_TAR;
}

static bool read_archive(struct reading *reading, struct span data)
{
	struct archive_room *room = reading->list->room;

	if (!support(reading->archive, reading->format) ||
	    libarchive.open_memory(reading->archive, data.data, data.size) != ARCHIVE_OK)
		return false;
	/* (One filter is none: the file itself.) */
	bool compressed = libarchive.filters(reading->archive) > 1;

	if (reading->format == ARCHIVE_FORMAT_OF_FILE && !compressed)
		return false;
	reading->packed = reading->format == ARCHIVE_FORMAT_OF_TAR && compressed;
	bool read = read_entries(reading);

	if (reading->packed)
		room->bytes = MAX(room->bytes - libarchive.bytes(reading->archive, 0), (int64_t)0);
	return read;
}

bool archive_library_read(enum archive_format format, struct span data, struct archive_list *list)
{
	struct reading reading = {.format = format, .list = list};

	if (libarchive.library == NULL || (reading.archive = libarchive.open()) == NULL)
		return false;
	locale_t before =
		libarchive.locale != (locale_t)0 ? uselocale(libarchive.locale) : (locale_t)0;
	bool read = read_archive(&reading, data);

	libarchive.close(reading.archive);
	if (before != (locale_t)0)
		uselocale(before);
	return read;
}
