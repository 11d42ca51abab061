#include "mailin/parse/archive.h"

#include <string.h>
#include <time.h>

#include "mailin/parse/archive_private.h"
#include "mailin/parse/charset.h"
#include "mailin/parse/filename.h"

/* How archives are called that are looked into: by libmagic, and by those who send them. */
static const char *const known_types[] = {
	"application/gzip",
	"application/vnd.ms-cab-compressed",
	"application/x-7z-compressed",
	"application/x-gtar",
	"application/x-tar",
	"application/x-xz",
	"application/x-zip",
	"application/zip",
	NULL,
};
static const char *const known_extensions[] = {
	"7z", "cab", "gz", "tar", "tgz", "txz", "xz", "zip", "zipx", NULL,
};

/* And others.  Images of disks, and what unpackers look for behind a program that unpacks itself,
 * may begin like one of those above. */
static const char *const foreign_types[] = {
	"application/vnd.debian.binary-package",
	"application/vnd.rar",
	"application/x-ace",
	"application/x-ace-compressed",
	"application/x-apple-diskimage",
	"application/x-arc",
	"application/x-archive",
	"application/x-arj",
	"application/x-bzip2",
	"application/x-compress",
	"application/x-cpio",
	"application/x-iso9660-image",
	"application/x-lha",
	"application/x-lharc",
	"application/x-lrzip",
	"application/x-lz4",
	"application/x-lzh-compressed",
	"application/x-lzip",
	"application/x-lzma",
	"application/x-lzop",
	"application/x-qemu-disk",
	"application/x-rar",
	"application/x-rpm",
	"application/x-stuffit",
	"application/x-xar",
	"application/x-zoo",
	"application/x-zstd",
	"application/zlib",
	"application/zstd",
	NULL,
};
static const char *const foreign_extensions[] = {
	"ace", "ar",  "arc", "arj",  "bz",   "bz2", "cpio", "deb", "dmg", "img",  "iso", "lha",
	"lz",  "lz4", "lzh", "lzma", "lzo",  "rar", "rpm",  "taz", "tbz", "tbz2", "tlz", "tzst",
	"udf", "uu",  "uue", "vhd",  "vhdx", "wim", "xar",  "z",   "zoo", "zst",  NULL,
};

/* In lower case, without the dot; "" if there is none.  g_free() it. */
static char *extension_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return g_ascii_strdown(dot == NULL ? "" : dot + 1, -1);
}

static bool is_foreign(const char *type, const char *name)
{
	g_autofree char *extension = extension_of(name);

	return g_strv_contains(foreign_types, type) ||
	       g_strv_contains(foreign_extensions, extension);
}

bool archive_is(const char *type, const char *name)
{
	g_autofree char *extension = extension_of(name);

	return g_strv_contains(known_types, type) || g_strv_contains(known_extensions, extension) ||
	       is_foreign(type, name);
}

/* PKZIP's, of names that say nothing else. */
static const char legacy_charset[] = "cp437";

bool archive_load(void)
{
	charset_preload_label(legacy_charset);
	return archive_library_load();
}

void archive_deinit(void)
{
	archive_library_unload();
}

/* ---- the list ---- */

/* Bytes of a path that are looked at, its last ones: the extension is there. */
enum { PATH_BYTES_MAX = 4096 };

void archive_flaw_note(struct archive_list *list, enum archive_flaw flaw)
{
	if (list->flaw == ARCHIVE_FLAW_NONE)
		list->flaw = flaw;
}

static int64_t cpu_us(void)
{
	enum { US_PER_S = 1000000, NS_PER_US = 1000 };
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}

bool archive_is_late(const struct archive_list *list)
{
	return cpu_us() >= list->cpu_end_us;
}

static void enlarge(struct wire *entry, int64_t size)
{
	int64_t known = 0;

	if (wire_get_int(entry, "Size", &known) && size > known)
		wire_set_int(entry, "Size", size);
}

static void list_name(struct archive_list *list, GBytes *key, const char *text, int64_t size)
{
	g_autofree char *name = filename_safe(text, list->name_bytes);

	if (name == NULL)
		return;
	struct wire *entry = wire_object();

	wire_set_text(entry, "Name", name);
	wire_set_int(entry, "Size", MAX(size, 0));
	wire_append(list->entries, entry);
	g_hash_table_insert(list->seen, g_bytes_ref(key), entry);
}

void archive_list_add(struct archive_list *list, struct span name, int64_t size)
{
	size_t cut = name.size > PATH_BYTES_MAX ? name.size - PATH_BYTES_MAX : 0;
	g_autoptr(GBytes) key = g_bytes_new(name.data + cut, name.size - cut);
	struct wire *known = g_hash_table_lookup(list->seen, key);

	if (known != NULL) {
		enlarge(known, size);
		return;
	}
	bool utf8 = g_utf8_validate(name.data + cut, (gssize)(name.size - cut), NULL);
	size_t text_size;
	bool wrong;
	/* (NUL becomes a character that stands for itself.) */
	g_autofree char *text = charset_to_utf8(utf8 ? "utf-8" : legacy_charset, name.data + cut,
						name.size - cut, &text_size, &wrong);

	list_name(list, key, text, size);
}

/* ---- one archive ---- */

static bool begins(struct span data, const char *signature, size_t size)
{
	return data.size >= size && memcmp(data.data, signature, size) == 0;
}

#define BEGINS(data, signature) begins(data, signature, sizeof(signature) - 1)

/* ZIP, perhaps with nothing in it, or once a piece of several. */
static bool begins_zip(struct span data)
{
	return BEGINS(data, "PK\3\4") || BEGINS(data, "PK\5\6") || BEGINS(data, "PK\7\10PK\3\4") ||
	       BEGINS(data, "PK00PK\3\4");
}

/* Behind anything else, a directory's end may make it one for some. */
static bool read_zip(struct span data, struct archive_list *list)
{
	static const char directory_end[] = "PK\5\6";
	bool is_zip = begins_zip(data);

	if (!is_zip && memmem(data.data, data.size, directory_end, strlen(directory_end)) == NULL)
		return false;
	bool any = archive_zip_scan(data, list);
	/* One without files is the end of a directory, which libarchive does not look for at the
	 * start. */
	bool empty = !any && BEGINS(data, "PK\5\6");

	/* (What has too many headers is not worth the library's time.) */
	if (is_zip && !empty && list->flaw == ARCHIVE_FLAW_NONE &&
	    !archive_library_read(ARCHIVE_FORMAT_OF_ZIP, data, list))
		archive_flaw_note(list, ARCHIVE_FLAW_BROKEN);
	return is_zip;
}

/* gunzip(1) takes the name from the file's, others take the one that is in it. */
static void add_outer_name(const char *name, struct archive_list *list)
{
	const char *dot = strrchr(name, '.');

	if (dot != NULL && dot > name)
		archive_list_add(list, (struct span){name, (size_t)(dot - name)}, 0);
}

static bool read_packed(const char *name, struct span data, struct archive_list *list)
{
	if (archive_library_read(ARCHIVE_FORMAT_OF_TAR, data, list))
		return true;
	if (archive_library_read(ARCHIVE_FORMAT_OF_FILE, data, list))
		add_outer_name(name, list);
	else
		archive_flaw_note(list, ARCHIVE_FLAW_BROKEN);
	return true;
}

/* Of a packed 7z header, for each file that a mail may still have: a name of 255 characters and
 * what is told of it take less. */
enum { HEADER_BYTES_PER_FILE = 1024 };

static bool read_seven(struct span data, struct archive_list *list)
{
	struct archive_room *room = list->room;
	int64_t size;

	if (!archive_seven_header(data, &size)) {
		archive_flaw_note(list, ARCHIVE_FLAW_BROKEN);
		return true;
	}
	if (size > MIN((room->entries + 1) * HEADER_BYTES_PER_FILE, room->bytes)) {
		archive_flaw_note(list, ARCHIVE_FLAW_LIMIT);
		return true;
	}
	room->bytes -= size;
	return archive_library_read(ARCHIVE_FORMAT_OF_7Z, data, list);
}

/* By what it begins with, for that is what others go by. */
static bool read_other(const char *name, struct span data, struct archive_list *list)
{
	if (BEGINS(data, "7z\xbc\xaf\x27\x1c"))
		return read_seven(data, list);
	if (BEGINS(data, "MSCF"))
		return archive_library_read(ARCHIVE_FORMAT_OF_CAB, data, list);
	if (BEGINS(data, "\x1f\x8b") || BEGINS(data, "\xfd"
						     "7zXZ"))
		return read_packed(name, data, list);
	return archive_library_read(ARCHIVE_FORMAT_OF_TAR, data, list);
}

static const char *flaw_name(enum archive_flaw flaw)
{
	static const char *const names[] = {
		[ARCHIVE_FLAW_NONE] = "",
		[ARCHIVE_FLAW_BROKEN] = "broken",
		[ARCHIVE_FLAW_ENCRYPTED] = "encrypted",
		[ARCHIVE_FLAW_FORMAT] = "format",
		[ARCHIVE_FLAW_LIMIT] = "limit",
	};

	return names[flaw];
}

static void read_names(const char *type, const char *name, struct span data,
		       struct archive_list *list)
{
	bool is_zip = read_zip(data, list);
	/* A ZIP file can be a tar file, too. */
	bool is_other = read_other(name, data, list);

	if ((!is_zip && !is_other) || is_foreign(type, name))
		archive_flaw_note(list, ARCHIVE_FLAW_FORMAT);
}

struct wire *archive_describe(const char *type, const char *name, const void *data, size_t size,
			      size_t name_bytes, struct archive_room *room)
{
	int64_t start_us = cpu_us();
	struct archive_list list = {
		.name_bytes = name_bytes,
		.room = room,
		.cpu_end_us = start_us + room->cpu_us,
		.entries = wire_array(),
		.seen = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
					      (GDestroyNotify)g_bytes_unref, NULL),
	};
	struct wire *archive = wire_object();

	if (room->cpu_us > 0)
		read_names(type, name, (struct span){data, size}, &list);
	else
		archive_flaw_note(&list, ARCHIVE_FLAW_LIMIT);
	room->cpu_us -= MIN(cpu_us() - start_us, room->cpu_us);
	g_hash_table_destroy(list.seen);
	wire_set(archive, "Entries", list.entries);
	wire_set_text(archive, "Unread", flaw_name(list.flaw));
	wire_set_bool(archive, "Encrypted", list.encrypted);
	return archive;
}
