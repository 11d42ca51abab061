#include <gif_lib.h>
#include <glib.h>
#include <string.h>

#include "mailin/parse/image_private.h"
#include "mailin/parse/library.h"

static struct {
	void *library;
	__typeof__(DGifOpen) *open;
	__typeof__(DGifCloseFile) *close;
	__typeof__(DGifGetRecordType) *record_type;
	__typeof__(DGifGetImageDesc) *image_desc;
	__typeof__(DGifGetCode) *code;
	__typeof__(DGifGetCodeNext) *code_next;
	__typeof__(DGifGetExtension) *extension;
	__typeof__(DGifGetExtensionNext) *extension_next;
} libgif;

static const struct library_symbol symbols[] = {
	{"DGifOpen", &libgif.open},
	{"DGifCloseFile", &libgif.close},
	{"DGifGetRecordType", &libgif.record_type},
	{"DGifGetImageDesc", &libgif.image_desc},
	{"DGifGetCode", &libgif.code},
	{"DGifGetCodeNext", &libgif.code_next},
	{"DGifGetExtension", &libgif.extension},
	{"DGifGetExtensionNext", &libgif.extension_next},
};

static bool load(void)
{
	if (libgif.library == NULL)
		libgif.library = library_open("libgif.so.7", symbols, G_N_ELEMENTS(symbols));
	return libgif.library != NULL;
}

static void unload(void)
{
	library_close(&libgif.library);
}

struct source {
	const unsigned char *data;
	size_t left;
};

static int read_bytes(GifFileType *gif, GifByteType *to, int size)
{
	struct source *source = gif->UserData;
	size_t count = size > 0 ? (size_t)size : 0;

	if (count > source->left)
		count = source->left;
	memcpy(to, source->data, count);
	source->data += count;
	source->left -= count;
	return (int)count;
}

static bool skip_extension(GifFileType *gif)
{
	GifByteType *block = NULL;
	int code;
	int result = libgif.extension(gif, &code, &block);

	while (result == GIF_OK && block != NULL)
		result = libgif.extension_next(gif, &block);
	return result == GIF_OK;
}

/* Its compressed data, as they are. */
static bool skip_pixels(GifFileType *gif)
{
	GifByteType *block = NULL;
	int code_size;
	int result = libgif.image_desc(gif);

	if (result == GIF_OK)
		result = libgif.code(gif, &code_size, &block);
	while (result == GIF_OK && block != NULL)
		result = libgif.code_next(gif, &block);
	return result == GIF_OK;
}

/* What comes behind the first frame is an animation, which may have any number of them. */
static bool has_frame(GifFileType *gif)
{
	GifRecordType type;

	while (libgif.record_type(gif, &type) == GIF_OK) {
		if (type == IMAGE_DESC_RECORD_TYPE)
			return skip_pixels(gif);
		if (type != EXTENSION_RECORD_TYPE || !skip_extension(gif))
			return false;
	}
	return false;
}

static bool read_image(const unsigned char *data, size_t size, struct image *image)
{
	struct source source = {data, size};
	int error;

	if (libgif.library == NULL)
		return false;
	GifFileType *gif = libgif.open(&source, read_bytes, &error);

	if (gif == NULL)
		return false;
	image->width = gif->SWidth;
	image->height = gif->SHeight;
	bool whole = has_frame(gif);

	libgif.close(gif, &error);
	return whole;
}

const struct image_format image_gif = {.load = load, .unload = unload, .read = read_image};
