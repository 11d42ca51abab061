#include <string.h>

#include "mailin/parse/archive_private.h"

/* APPNOTE.TXT of PKWARE, 4.3.7 and 4.3.12: where things are in a header. */
static const struct header {
	char signature[4];
	size_t size;
	size_t flags;
	size_t content_size; /* unpacked */
	size_t name_size;
	size_t extra_size;
} local_header = {"PK\3\4", 30, 6, 22, 26, 28}, directory_header = {"PK\1\2", 46, 8, 24, 28, 30};

enum {
	FLAG_ENCRYPTED = 1,
	EXTRA_HEAD = 4,         /* id and size */
	EXTRA_UNICODE = 0x7075, /* 4.6.9: the name in UTF-8 ... */
	EXTRA_UNICODE_HEAD = 5, /* ... behind a version and a checksum */
};

/* It stands in an extra field (ZIP64). */
static const int64_t size_elsewhere = 0xFFFFFFFF;

struct scan {
	struct archive_list *list;
	struct span data;
	int64_t local; /* headers of each kind */
	int64_t directory;
	size_t room; /* bytes of names and extra fields: less than the file has, as long as they do
			not overlap */
};

static unsigned int number16(const char *at)
{
	const unsigned char *byte = (const unsigned char *)at;

	return byte[0] | (unsigned int)byte[1] << 8;
}

static int64_t number32(const char *at)
{
	return number16(at) | (int64_t)number16(at + 2) << 16;
}

/* C programs see what is before a NUL, others all of it. */
static void add_name(const struct scan *scan, struct span name, int64_t size)
{
	const char *nul = memchr(name.data, '\0', name.size);
	bool directory = name.size > 0 && strchr("/\\", name.data[name.size - 1]) != NULL;

	if (nul != NULL && nul > name.data)
		archive_list_add(scan->list, (struct span){name.data, (size_t)(nul - name.data)},
				 size);
	if (name.size > 0 && !(directory && nul == NULL && size == 0))
		archive_list_add(scan->list, name, size);
}

static void add_unicode_names(const struct scan *scan, struct span extra, int64_t size)
{
	while (extra.size >= EXTRA_HEAD) {
		struct span field = {extra.data + EXTRA_HEAD,
				     MIN(number16(extra.data + 2), extra.size - EXTRA_HEAD)};

		if (number16(extra.data) == EXTRA_UNICODE && field.size > EXTRA_UNICODE_HEAD)
			add_name(scan,
				 (struct span){field.data + EXTRA_UNICODE_HEAD,
					       field.size - EXTRA_UNICODE_HEAD},
				 size);
		extra.size -= EXTRA_HEAD + field.size;
		extra.data = field.data + field.size;
	}
}

/* False: it is enough. */
static bool read_header(struct scan *scan, const struct header *header, const char *at)
{
	const char *end = scan->data.data + scan->data.size;

	if ((size_t)(end - at) < header->size)
		return true;
	const char *text = at + header->size;
	size_t name_size = MIN(number16(at + header->name_size), (size_t)(end - text));
	size_t extra_size =
		MIN(number16(at + header->extra_size), (size_t)(end - text) - name_size);
	int64_t size = number32(at + header->content_size);

	if (name_size + extra_size > scan->room) {
		archive_flaw_note(scan->list, ARCHIVE_FLAW_BROKEN);
		return false;
	}
	scan->room -= name_size + extra_size;
	if ((number16(at + header->flags) & FLAG_ENCRYPTED) != 0)
		scan->list->encrypted = true;
	if (size == size_elsewhere)
		size = 0;
	add_name(scan, (struct span){text, name_size}, size);
	add_unicode_names(scan, (struct span){text + name_size, extra_size}, size);
	return true;
}

/* Each file has two headers. */
static bool count(struct scan *scan, int64_t *headers)
{
	if (++*headers <= scan->list->room->entries)
		return true;
	--*headers;
	archive_flaw_note(scan->list, ARCHIVE_FLAW_LIMIT);
	return false;
}

static bool look(struct scan *scan, const char *at, size_t left)
{
	enum { SIGNATURE = 4 };

	if (left < SIGNATURE)
		return true;
	if (memcmp(at, local_header.signature, SIGNATURE) == 0)
		return count(scan, &scan->local) && read_header(scan, &local_header, at);
	if (memcmp(at, directory_header.signature, SIGNATURE) == 0)
		return count(scan, &scan->directory) && read_header(scan, &directory_header, at);
	return true;
}

bool archive_zip_scan(struct span data, struct archive_list *list)
{
	struct scan scan = {.list = list, .data = data, .room = data.size};
	const char *end = data.data + data.size;

	for (const char *p = data.data; p < end && (p = memchr(p, 'P', (size_t)(end - p))) != NULL;
	     p++)
		if (!look(&scan, p, (size_t)(end - p)))
			break;
	int64_t files = MAX(scan.local, scan.directory);

	list->room->entries -= files;
	return files > 0;
}
