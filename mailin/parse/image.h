/*
 * Size and orientation of an image, from its file's header: no pixel is decoded.
 *
 * JPEG by libjpeg, PNG by libpng, GIF by giflib, WebP by libwebp, HEIC and AVIF by libheif, EXIF by
 * libexif.  Each is loaded only for mail that seems to have such an image (mailin/parse/preload.h).
 */
#ifndef MAILIN_PARSE_IMAGE_H
#define MAILIN_PARSE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	int64_t width; /* pixels, as they stand in the file */
	int64_t height;
	/* EXIF's: 1 to 8.  From 5 on width and height change places when it is shown.  HEIC and
	 * AVIF are turned by whatever decodes them: theirs is 1. */
	int64_t orientation;
};

void image_deinit(void);

/* `type` is the media type by content.  False if it is none of these images, its file is broken or
 * not whole, or it has more than `pixels_max`. */
bool image_read(const char *type, const void *data, size_t size, int64_t pixels_max,
		struct image *image);

#endif
