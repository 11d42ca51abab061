#include <glib.h>
#include <libheif/heif.h>

#include "mailin/parse/image_private.h"
#include "mailin/parse/library.h"

static struct {
	void *library;
	__typeof__(heif_context_alloc) *open;
	__typeof__(heif_context_free) *close;
	__typeof__(heif_context_read_from_memory_without_copy) *read;
	__typeof__(heif_context_get_primary_image_handle) *primary;
	__typeof__(heif_image_handle_get_width) *width;
	__typeof__(heif_image_handle_get_height) *height;
	__typeof__(heif_image_handle_release) *release;
} libheif;

static const struct library_symbol symbols[] = {
	{"heif_context_alloc", &libheif.open},
	{"heif_context_free", &libheif.close},
	{"heif_context_read_from_memory_without_copy", &libheif.read},
	{"heif_context_get_primary_image_handle", &libheif.primary},
	{"heif_image_handle_get_width", &libheif.width},
	{"heif_image_handle_get_height", &libheif.height},
	{"heif_image_handle_release", &libheif.release},
};

static bool load(void)
{
	if (libheif.library != NULL)
		return true;
	libheif.library = library_open("libheif.so.1", symbols, G_N_ELEMENTS(symbols));
	if (libheif.library == NULL)
		return false;
	/* The first one initialises its codecs, some of which look at the machine. */
	struct heif_context *context = libheif.open();

	if (context != NULL)
		libheif.close(context);
	return true;
}

static void unload(void)
{
	library_close(&libheif.library);
}

/* As it is shown: libheif has applied irot, imir and clap to the figures. */
static bool read_primary(struct heif_context *context, struct image *image)
{
	struct heif_image_handle *handle = NULL;

	if (libheif.primary(context, &handle).code != heif_error_Ok || handle == NULL)
		return false;
	image->width = libheif.width(handle);
	image->height = libheif.height(handle);
	libheif.release(handle);
	return true;
}

static bool read_image(const unsigned char *data, size_t size, struct image *image)
{
	struct heif_context *context = libheif.library != NULL ? libheif.open() : NULL;

	if (context == NULL)
		return false;
	bool whole = libheif.read(context, data, size, NULL).code == heif_error_Ok &&
		     read_primary(context, image);

	libheif.close(context);
	return whole;
}

const struct image_format image_heif = {.load = load, .unload = unload, .read = read_image};
