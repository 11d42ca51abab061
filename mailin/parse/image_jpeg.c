#include <glib.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "mailin/parse/image_private.h"
#include "mailin/parse/library.h"

static struct {
	void *library;
	__typeof__(jpeg_std_error) *std_error;
	__typeof__(jpeg_CreateDecompress) *create;
	__typeof__(jpeg_mem_src) *mem_src;
	__typeof__(jpeg_save_markers) *save_markers;
	__typeof__(jpeg_read_header) *read_header;
	__typeof__(jpeg_destroy_decompress) *destroy;
} libjpeg;

static const struct library_symbol symbols[] = {
	{"jpeg_std_error", &libjpeg.std_error},     {"jpeg_CreateDecompress", &libjpeg.create},
	{"jpeg_mem_src", &libjpeg.mem_src},         {"jpeg_save_markers", &libjpeg.save_markers},
	{"jpeg_read_header", &libjpeg.read_header}, {"jpeg_destroy_decompress", &libjpeg.destroy},
};

static bool load(void)
{
	if (libjpeg.library == NULL)
		libjpeg.library = library_open("libjpeg.so.62", symbols, G_N_ELEMENTS(symbols));
	return libjpeg.library != NULL && image_exif_load();
}

static void unload(void)
{
	library_close(&libjpeg.library);
	image_exif_unload();
}

enum {
	EXIF_MARKER = JPEG_APP0 + 1,
	MARKER_MAX = 65533, /* bytes: a segment's length has 16 bits and counts itself */
	MARKER = 0xff,
	END_OF_IMAGE = 0xd9,
};

static const unsigned char exif_prefix[] = {'E', 'x', 'i', 'f', '\0', '\0'};

struct failure {
	struct jpeg_error_mgr manager; /* first, for libjpeg knows only this */
	jmp_buf jump;
};

static void give_up(j_common_ptr jpeg)
{
	struct failure *failure = (struct failure *)jpeg->err;

	longjmp(failure->jump, 1);
}

static void ignore(j_common_ptr jpeg, int level)
{
	(void)jpeg;
	(void)level;
}

/* The image's own end: that of a thumbnail stands before it. */
static bool has_end(const unsigned char *data, size_t size)
{
	for (size_t i = size; i > 1; i--)
		if (data[i - 1] == END_OF_IMAGE && data[i - 2] == MARKER)
			return true;
	return false;
}

static int64_t orientation_of(const struct jpeg_decompress_struct *jpeg)
{
	for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker != NULL;
	     marker = marker->next) {
		if (marker->data_length >= sizeof(exif_prefix) &&
		    memcmp(marker->data, exif_prefix, sizeof(exif_prefix)) == 0)
			return image_exif_orientation(marker->data, marker->data_length);
	}
	return 1;
}

static bool read_image(const unsigned char *data, size_t size, struct image *image)
{
	struct jpeg_decompress_struct jpeg;
	struct failure failure;
	bool whole;

	if (libjpeg.library == NULL)
		return false;
	memset(&jpeg, 0, sizeof(jpeg));
	jpeg.err = libjpeg.std_error(&failure.manager);
	failure.manager.error_exit = give_up;
	failure.manager.emit_message = ignore;
	if (setjmp(failure.jump) != 0) {
		libjpeg.destroy(&jpeg);
		return false;
	}
	libjpeg.create(&jpeg, JPEG_LIB_VERSION, sizeof(jpeg));
	libjpeg.mem_src(&jpeg, data, size);
	libjpeg.save_markers(&jpeg, EXIF_MARKER, MARKER_MAX);
	libjpeg.read_header(&jpeg, TRUE);
	image->width = jpeg.image_width;
	image->height = jpeg.image_height;
	whole = has_end(jpeg.src->next_input_byte, jpeg.src->bytes_in_buffer);
	if (whole)
		image->orientation = orientation_of(&jpeg);
	libjpeg.destroy(&jpeg);
	return whole;
}

const struct image_format image_jpeg = {.load = load, .unload = unload, .read = read_image};
