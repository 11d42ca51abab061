#include <glib.h>
#include <png.h>
#include <setjmp.h>
#include <string.h>

#include "mailin/parse/image_private.h"
#include "mailin/parse/library.h"

static struct {
	void *library;
	__typeof__(png_create_read_struct) *create;
	__typeof__(png_create_info_struct) *create_info;
	__typeof__(png_destroy_read_struct) *destroy;
	__typeof__(png_set_longjmp_fn) *set_longjmp;
	__typeof__(png_longjmp) *jump;
	__typeof__(png_error) *error;
	__typeof__(png_set_read_fn) *set_read;
	__typeof__(png_get_io_ptr) *io_ptr;
	__typeof__(png_set_keep_unknown_chunks) *keep_chunks;
	__typeof__(png_read_info) *read_info;
	__typeof__(png_get_image_width) *width;
	__typeof__(png_get_image_height) *height;
	__typeof__(png_get_eXIf_1) *exif;
} libpng;

static const struct library_symbol symbols[] = {
	{"png_create_read_struct", &libpng.create},
	{"png_create_info_struct", &libpng.create_info},
	{"png_destroy_read_struct", &libpng.destroy},
	{"png_set_longjmp_fn", &libpng.set_longjmp},
	{"png_longjmp", &libpng.jump},
	{"png_error", &libpng.error},
	{"png_set_read_fn", &libpng.set_read},
	{"png_get_io_ptr", &libpng.io_ptr},
	{"png_set_keep_unknown_chunks", &libpng.keep_chunks},
	{"png_read_info", &libpng.read_info},
	{"png_get_image_width", &libpng.width},
	{"png_get_image_height", &libpng.height},
	{"png_get_eXIf_1", &libpng.exif},
};

static bool load(void)
{
	if (libpng.library == NULL)
		libpng.library = library_open("libpng16.so.16", symbols, G_N_ELEMENTS(symbols));
	return libpng.library != NULL && image_exif_load();
}

static void unload(void)
{
	library_close(&libpng.library);
	image_exif_unload();
}

/* PNG specification, 11.2.5: always the same bytes. */
static const unsigned char end_chunk[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};

struct source {
	const unsigned char *data;
	size_t left;
};

static void read_bytes(png_structp png, png_bytep to, size_t size)
{
	struct source *source = libpng.io_ptr(png);

	if (size > source->left)
		libpng.error(png, "cut off");
	memcpy(to, source->data, size);
	source->data += size;
	source->left -= size;
}

static void give_up(png_structp png, png_const_charp text)
{
	(void)text;
	libpng.jump(png, 1);
}

static void ignore(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

/* Compressed texts and colour profiles are passed over. */
static void want_only_exif(png_structp png)
{
	static const png_byte exif[] = "eXIf";
	const int all = -1;

	libpng.keep_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, all);
	libpng.keep_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, exif, 1);
}

static void read_info(png_structp png, png_infop info, struct source *source, struct image *image)
{
	png_bytep exif;
	png_uint_32 exif_size;

	libpng.set_read(png, source, read_bytes);
	want_only_exif(png);
	libpng.read_info(png, info);
	image->width = libpng.width(png, info);
	image->height = libpng.height(png, info);
	if (libpng.exif(png, info, &exif_size, &exif) != 0)
		image->orientation = image_exif_orientation(exif, exif_size);
}

static bool read_image(const unsigned char *data, size_t size, struct image *image)
{
	struct source source = {data, size};

	if (libpng.library == NULL)
		return false;
	png_structp png = libpng.create(PNG_LIBPNG_VER_STRING, NULL, give_up, ignore);
	png_infop info = png != NULL ? libpng.create_info(png) : NULL;

	if (info == NULL || setjmp(*libpng.set_longjmp(png, longjmp, sizeof(jmp_buf))) != 0) {
		libpng.destroy(&png, &info, NULL);
		return false;
	}
	read_info(png, info, &source, image);
	libpng.destroy(&png, &info, NULL);
	return memmem(source.data, source.left, end_chunk, sizeof(end_chunk)) != NULL;
}

const struct image_format image_png = {.load = load, .unload = unload, .read = read_image};
