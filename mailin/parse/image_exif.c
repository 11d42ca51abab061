#include <glib.h>
#include <libexif/exif-data.h>
#include <string.h>

#include "mailin/parse/image_private.h"
#include "mailin/parse/library.h"

enum { ORIENTATION_NORMAL = 1, ORIENTATION_LAST = 8 };

/* What JPEG writes before the data and libexif wants there; PNG and WebP leave it out. */
static const unsigned char prefix[] = {'E', 'x', 'i', 'f', '\0', '\0'};

/* The most that one JPEG segment can have; more is not for us. */
enum { EXIF_BYTES_MAX = 65535 };

static struct {
	void *library;
	__typeof__(exif_data_new) *create;
	__typeof__(exif_data_unset_option) *unset_option;
	__typeof__(exif_data_load_data) *load_data;
	__typeof__(exif_data_get_byte_order) *byte_order;
	__typeof__(exif_data_unref) *unref;
	__typeof__(exif_content_get_entry) *entry;
	__typeof__(exif_get_short) *get_short;
} libexif;

static const struct library_symbol symbols[] = {
	{"exif_data_new", &libexif.create},
	{"exif_data_unset_option", &libexif.unset_option},
	{"exif_data_load_data", &libexif.load_data},
	{"exif_data_get_byte_order", &libexif.byte_order},
	{"exif_data_unref", &libexif.unref},
	{"exif_content_get_entry", &libexif.entry},
	{"exif_get_short", &libexif.get_short},
};

bool image_exif_load(void)
{
	if (libexif.library == NULL)
		libexif.library = library_open("libexif.so.12", symbols, G_N_ELEMENTS(symbols));
	return libexif.library != NULL;
}

void image_exif_unload(void)
{
	library_close(&libexif.library);
}

static int64_t orientation_of(ExifData *exif)
{
	const ExifEntry *entry = libexif.entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);

	if (entry == NULL || entry->data == NULL || entry->format != EXIF_FORMAT_SHORT ||
	    entry->components != 1 || entry->size < sizeof(ExifShort))
		return ORIENTATION_NORMAL;
	int64_t value = libexif.get_short(entry->data, libexif.byte_order(exif));

	return value >= ORIENTATION_NORMAL && value <= ORIENTATION_LAST ? value
									: ORIENTATION_NORMAL;
}

int64_t image_exif_orientation(const unsigned char *data, size_t size)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	if (libexif.library == NULL || size > EXIF_BYTES_MAX)
		return ORIENTATION_NORMAL;
	if (size < sizeof(prefix) || memcmp(data, prefix, sizeof(prefix)) != 0)
		g_byte_array_append(bytes, prefix, sizeof(prefix));
	g_byte_array_append(bytes, data, (guint)size);
	ExifData *exif = libexif.create();

	if (exif == NULL)
		return ORIENTATION_NORMAL;
	/* It would add what the specification wants to be there. */
	libexif.unset_option(exif, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
	libexif.load_data(exif, bytes->data, bytes->len);
	int64_t orientation = orientation_of(exif);

	libexif.unref(exif);
	return orientation;
}
