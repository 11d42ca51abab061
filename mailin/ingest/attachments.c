#include "mailin/ingest/attachments.h"

#include <glib.h>
#include <string.h>

/* Widths of the schema in characters (mailctl/migrations). */
enum { NAME_MAX_CHARACTERS = 1024, TYPE_MAX = 255, DISPOSITION_MAX = 64, CONTENT_ID_MAX = 998 };

enum { PATH_SIZE = 32 };

enum { ORIENTATION_MAX = 8, UNREAD_MAX = 32 };

static const struct reader_field fields[] = {
	{"Name", offsetof(struct inbound_attachment, name), true, READER_CUT, NAME_MAX_CHARACTERS},
	{"ContentType", offsetof(struct inbound_attachment, content_type), true, READER_CUT,
	 TYPE_MAX},
	{"DetectedType", offsetof(struct inbound_attachment, detected_type), false, READER_CUT,
	 TYPE_MAX},
	{"Disposition", offsetof(struct inbound_attachment, disposition), false, READER_CUT,
	 DISPOSITION_MAX},
	{"ContentID", offsetof(struct inbound_attachment, content_id), false, READER_CUT,
	 CONTENT_ID_MAX},
};

static bool is_unsafe(gunichar c)
{
	return c == '/' || c == '\\' || g_unichar_iscntrl(c);
}

/* An application may take the name for a file's: it must not lead out of a directory. */
static void make_name_safe(struct reader *reader, const char *path, struct inbound_text *name)
{
	g_autoptr(GString) safe = NULL;
	bool changed = false;

	if (strcmp(name->data, ".") == 0 || strcmp(name->data, "..") == 0) {
		safe = g_string_new("_");
		changed = true;
	} else {
		safe = g_string_sized_new(name->size);
		for (const char *p = name->data; *p != '\0'; p = g_utf8_next_char(p)) {
			gunichar c = g_utf8_get_char(p);

			g_string_append_unichar(safe, is_unsafe(c) ? '_' : c);
			changed = changed || is_unsafe(c);
		}
	}
	if (!changed)
		return;
	g_autofree char *defect = g_strdup_printf("%sName made safe", path);

	wire_append_text(reader->defects, defect);
	*name = reader_copy(reader, safe->str, safe->len);
}

static void check_bytes(struct reader *reader, const struct wire *object, const char *path,
			const struct inbound_blob *blob)
{
	static const struct reader_field sha256_field = {"Sha256", 0, true, READER_REFUSE,
							 SHA256_TEXT_SIZE - 1};
	int64_t length = reader_int(reader, object, path, "ContentLength", true, 0);
	struct inbound_text sha256 = reader_text(reader, object, path, &sha256_field);
	unsigned char digest[SHA256_SIZE];

	if (reader->failed)
		return;
	if (length != (int64_t)blob->size)
		reader_fail(reader,
			    "%sContentLength is %" G_GINT64_FORMAT ", but Content has %zu bytes",
			    path, length, blob->size);
	else if (sha256_parse(digest, sha256.data) != 0)
		reader_fail(reader, "%sSha256 is no SHA-256: \"%s\"", path, sha256.data);
	else if (memcmp(digest, blob->digest, sizeof(digest)) != 0)
		reader_fail(reader, "%sSha256 is not the digest of Content", path);
}

/* Its width and height, to be kept as INT UNSIGNED, and how it is turned. */
static void read_image(struct reader *reader, const struct wire *object, const char *path,
		       struct inbound_attachment *attachment)
{
	const struct wire *image = reader_object(reader, object, path, "Image", false);
	g_autofree char *inner = g_strdup_printf("%sImage.", path);

	if (image == NULL)
		return;
	int64_t width = reader_int(reader, image, inner, "Width", true, 0);
	int64_t height = reader_int(reader, image, inner, "Height", true, 0);
	int64_t orientation = reader_int(reader, image, inner, "Orientation", false, 1);

	if (reader->failed)
		return;
	if (width < 1 || width > UINT32_MAX || height < 1 || height > UINT32_MAX)
		reader_fail(reader,
			    "%s has no size: %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " pixels",
			    inner, width, height);
	else if (orientation < 1 || orientation > ORIENTATION_MAX)
		reader_fail(reader, "%sOrientation is %" G_GINT64_FORMAT ", not 1 to %d", inner,
			    orientation, ORIENTATION_MAX);
	attachment->image_width = width;
	attachment->image_height = height;
	attachment->image_orientation = orientation;
}

/* Of all archives together there are no more than limits.archive_entries. */
static void read_entries(struct reader *reader, const struct wire *array, const char *path,
			 struct inbound_entry *entries)
{
	static const struct reader_field name = {"Name", 0, true, READER_CUT, NAME_MAX_CHARACTERS};

	for (size_t i = 0; i < wire_length(array) && !reader->failed; i++) {
		const struct wire *entry = wire_at(array, i);
		g_autofree char *inner = g_strdup_printf("%sEntries[%zu]", path, i);

		if (strcmp(wire_type_name(entry), "object") != 0) {
			reader_fail(reader, "%s is of type %s, not object", inner,
				    wire_type_name(entry));
			return;
		}
		g_autofree char *members = g_strconcat(inner, ".", NULL);

		entries[i].name = reader_text(reader, entry, members, &name);
		entries[i].size = reader_int(reader, entry, members, "Size", false, 0);
		if (entries[i].size < 0)
			reader_fail(reader, "%sSize is negative", members);
	}
}

/* `used` of inbound->entries are taken already. */
static void read_archive(struct reader *reader, const struct wire *object, const char *path,
			 struct inbound_attachment *attachment, size_t *used)
{
	static const struct reader_field unread = {"Unread", 0, false, READER_CUT, UNREAD_MAX};
	const struct wire *archive = reader_object(reader, object, path, "Archive", false);
	g_autofree char *inner = g_strdup_printf("%sArchive.", path);

	if (archive == NULL)
		return;
	struct inbound *inbound = reader->inbound;
	int64_t left = reader->config->limits.archive_entries - (int64_t)*used;
	const struct wire *array = reader_array(reader, archive, inner, "Entries", false, left);
	struct inbound_text why = reader_text(reader, archive, inner, &unread);

	if (reader->failed)
		return;
	attachment->unread = why.size > 0;
	attachment->entry_count = wire_length(array);
	if (attachment->entry_count == 0)
		return;
	if (inbound->entries == NULL)
		inbound->entries =
			g_new0(struct inbound_entry, reader->config->limits.archive_entries);
	attachment->entries = inbound->entries + *used;
	read_entries(reader, array, inner, inbound->entries + *used);
	*used += attachment->entry_count;
}

static void read_one(struct reader *reader, struct wire *object, const char *path,
		     struct inbound_attachment *attachment, size_t *entries)
{
	reader_texts(reader, object, path, fields, G_N_ELEMENTS(fields), attachment);
	reader_base64(reader, object, path, "Content", &attachment->blob);
	check_bytes(reader, object, path, &attachment->blob);
	read_image(reader, object, path, attachment);
	read_archive(reader, object, path, attachment, entries);
	if (!reader->failed)
		make_name_safe(reader, path, &attachment->name);
}

void attachments_read(struct reader *reader, struct wire *document)
{
	struct inbound *inbound = reader->inbound;
	struct wire *array = reader_array(reader, document, "", "Attachments", true,
					  reader->config->limits.attachments);
	size_t count = wire_length(array);
	size_t entries = 0;

	inbound->attachments = g_new0(struct inbound_attachment, count);
	inbound->attachment_count = count;
	for (size_t i = 0; i < count && !reader->failed; i++) {
		struct wire *object = wire_at(array, i);
		char path[PATH_SIZE];

		inbound->attachments[i].position = i;
		g_snprintf(path, sizeof(path), "Attachments[%zu].", i);
		if (strcmp(wire_type_name(object), "object") != 0)
			reader_fail(reader, "Attachments[%zu] is of type %s, not object", i,
				    wire_type_name(object));
		else
			read_one(reader, object, path, &inbound->attachments[i], &entries);
	}
}

void attachments_free(struct inbound *inbound)
{
	for (size_t i = 0; i < inbound->attachment_count; i++)
		g_free(inbound->attachments[i].blob.data);
	g_free(inbound->attachments);
	g_free(inbound->entries);
	inbound->attachments = NULL;
	inbound->entries = NULL;
	inbound->attachment_count = 0;
	inbound->refused = NULL;
	inbound->refused_count = 0;
}
