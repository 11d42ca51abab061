#include "mailin/parse/image.h"

#include <glib.h>
#include <string.h>

#include "mailin/parse/image_private.h"

static const struct {
	const char *type; /* as libmagic calls it */
	const struct image_format *format;
} types[] = {
	{"image/jpeg", &image_jpeg},          {"image/png", &image_png},
	{"image/apng", &image_png},           {"image/gif", &image_gif},
	{"image/webp", &image_webp},          {"image/heic", &image_heif},
	{"image/heic-sequence", &image_heif}, {"image/heif", &image_heif},
	{"image/heif-sequence", &image_heif}, {"image/avif", &image_heif},
};

bool image_read(const char *type, const void *data, size_t size, int64_t pixels_max,
		struct image *image)
{
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (strcmp(type, types[i].type) != 0)
			continue;
		*image = (struct image){.orientation = 1};
		return types[i].format->read(data, size, image) && image->width > 0 &&
		       image->height > 0 && image->width <= pixels_max / image->height;
	}
	return false;
}

void image_deinit(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		types[i].format->unload();
}
