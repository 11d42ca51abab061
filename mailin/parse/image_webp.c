#include <glib.h>
#include <webp/demux.h>

#include "mailin/parse/image_private.h"
#include "mailin/parse/library.h"

static struct {
	void *library;
	__typeof__(WebPDemuxInternal) *open;
	__typeof__(WebPDemuxDelete) *close;
	__typeof__(WebPDemuxGetI) *get;
	__typeof__(WebPDemuxGetChunk) *chunk;
	__typeof__(WebPDemuxReleaseChunkIterator) *release;
} libwebp;

static const struct library_symbol symbols[] = {
	{"WebPDemuxInternal", &libwebp.open},
	{"WebPDemuxDelete", &libwebp.close},
	{"WebPDemuxGetI", &libwebp.get},
	{"WebPDemuxGetChunk", &libwebp.chunk},
	{"WebPDemuxReleaseChunkIterator", &libwebp.release},
};

static bool load(void)
{
	if (libwebp.library == NULL)
		libwebp.library = library_open("libwebpdemux.so.2", symbols, G_N_ELEMENTS(symbols));
	return libwebp.library != NULL && image_exif_load();
}

static void unload(void)
{
	library_close(&libwebp.library);
	image_exif_unload();
}

/* WebPDemuxInternal(): not a part of a file. */
enum { WHOLE = 0 };

static int64_t orientation_of(const WebPDemuxer *webp)
{
	WebPChunkIterator chunk;
	int64_t orientation = 1;

	if (libwebp.chunk(webp, "EXIF", 1, &chunk))
		orientation = image_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
	libwebp.release(&chunk);
	return orientation;
}

static bool read_image(const unsigned char *data, size_t size, struct image *image)
{
	const WebPData file = {data, size};

	if (libwebp.library == NULL)
		return false;
	WebPDemuxer *webp = libwebp.open(&file, WHOLE, NULL, WEBP_DEMUX_ABI_VERSION);

	if (webp == NULL)
		return false;
	image->width = libwebp.get(webp, WEBP_FF_CANVAS_WIDTH);
	image->height = libwebp.get(webp, WEBP_FF_CANVAS_HEIGHT);
	image->orientation = orientation_of(webp);
	libwebp.close(webp);
	return true;
}

const struct image_format image_webp = {.load = load, .unload = unload, .read = read_image};
