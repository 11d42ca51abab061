/*
 * The formats, each with the library that reads it; private to mailin/parse/image*.c.
 */
#ifndef MAILIN_PARSE_IMAGE_PRIVATE_H
#define MAILIN_PARSE_IMAGE_PRIVATE_H

#include "mailin/parse/image.h"

struct image_format {
	/* Its library, before the sandbox; may be called again.  False: it is not there. */
	bool (*load)(void);
	void (*unload)(void);
	/* Fills the image, whose orientation is 1 before.  False: broken, not whole, or the library
	 * is not loaded. */
	bool (*read)(const unsigned char *data, size_t size, struct image *image);
};

extern const struct image_format image_gif;
extern const struct image_format image_heif; /* HEIC and AVIF */
extern const struct image_format image_jpeg;
extern const struct image_format image_png;
extern const struct image_format image_webp;

/* EXIF data (with or without "Exif\0\0" before them): 1 to 8, 1 if they do not tell. */
int64_t image_exif_orientation(const unsigned char *data, size_t size);
bool image_exif_load(void);
void image_exif_unload(void);

#endif
