#include "mailin/parse/image.h"

#include <glib.h>
#include <string.h>

#include "mailin/parse/image_private.h"

/* ---- which libraries to load ---- */

#define START(text, format)                                                                        \
	{                                                                                          \
		text, sizeof(text) - 1, format                                                     \
	}

/* How a file begins, where it is the first of a part: in base64, as it is, and in quoted-printable.
 * (More than needs to be is harmless.) */
static const struct start {
	const char *text;
	size_t size;
	const struct image_format *format;
} starts[] = {
	START("/9j/", &image_jpeg),   START("\xff\xd8\xff", &image_jpeg),
	START("=FF=D8", &image_jpeg), START("iVBO", &image_png),
	START("\x89PNG", &image_png), START("=89PNG", &image_png),
	START("R0lG", &image_gif),    START("GIF8", &image_gif),
	START("UklG", &image_webp),   START("RIFF", &image_webp),
};

/* What holds files at any place within: the header fields of a part, perhaps folded, say so. */
static const char *const containers[] = {"winmail.dat", "ms-tnef"};
static const char uuencode_start[] = "begin ";

static const char brand_mark[] = "ftyp";
enum { BRAND_SIZE = 4 };

/* ISO/IEC 23008-12 and AVIF: the major brands of images. */
static bool is_brand(const void *bytes)
{
	static const char brands[][BRAND_SIZE + 1] = {"heic", "heix", "hevc", "hevx",
						      "heim", "heis", "hevm", "hevs",
						      "mif1", "msf1", "avif", "avis"};

	for (size_t i = 0; i < G_N_ELEMENTS(brands); i++)
		if (memcmp(bytes, brands[i], BRAND_SIZE) == 0)
			return true;
	return false;
}

/* Four bytes, of which the first three are 0, "ftyp" and the brand; as they are, or in
 * quoted-printable. */
static bool is_plain_heif(const char *line, size_t left)
{
	enum { HEAD_MAX = 12 }; /* =00=00=00=18 */
	size_t size = MIN(left, HEAD_MAX + sizeof(brand_mark) - 1);
	const char *mark = memmem(line, size, brand_mark, sizeof(brand_mark) - 1);

	if (mark == NULL)
		return false;
	const char *brand = mark + sizeof(brand_mark) - 1;

	return (size_t)(line + left - brand) >= BRAND_SIZE && is_brand(brand);
}

/* The same in base64. */
static bool is_base64_heif(const char *line, size_t left)
{
	enum { TEXT = 16, BYTES = 12, BRAND = 8 };
	guchar bytes[BYTES];
	gint state = 0;
	guint save = 0;

	return left >= TEXT && memcmp(line, "AAAA", strlen("AAAA")) == 0 &&
	       g_base64_decode_step(line, TEXT, bytes, &state, &save) == BYTES &&
	       is_brand(bytes + BRAND);
}

/* NULL if the line does not begin a file. */
static const struct image_format *format_of_line(const char *line, size_t left)
{
	for (size_t i = 0; i < G_N_ELEMENTS(starts); i++)
		if (left >= starts[i].size && memcmp(line, starts[i].text, starts[i].size) == 0)
			return starts[i].format;
	if ((line[0] == 'A' && is_base64_heif(line, left)) ||
	    ((line[0] == '\0' || line[0] == '=') && is_plain_heif(line, left)))
		return &image_heif;
	return NULL;
}

/* HEIC is not among them: libheif takes too long to be loaded in vain. */
static bool load_for_container(void)
{
	return image_jpeg.load() && image_png.load() && image_gif.load() && image_webp.load();
}

static bool names_container(const char *line, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(containers); i++)
		if (memmem(line, size, containers[i], strlen(containers[i])) != NULL)
			return true;
	return false;
}

/* `size` is that of the line, `left` that of the mail from there on. */
static bool load_for_line(const char *line, size_t size, size_t left)
{
	const struct image_format *format;

	switch (*line) {
	/* All that begins a file, in any of the three ways. */
	case '/':
	case '\xff':
	case '=':
	case 'i':
	case '\x89':
	case 'R':
	case 'G':
	case 'U':
	case 'A':
	case '\0':
		format = format_of_line(line, left);
		return format == NULL || format->load();
	/* Content-Type and Content-Disposition. */
	case 'C':
	case 'c':
	case ' ':
	case '\t':
		return !names_container(line, size) || load_for_container();
	case 'b':
		return size < strlen(uuencode_start) ||
		       memcmp(line, uuencode_start, strlen(uuencode_start)) != 0 ||
		       load_for_container();
	default:
		return true;
	}
}

bool image_prepare(const char *mail, size_t size)
{
	const char *end = mail + size;

	for (const char *line = mail; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *line_end = newline != NULL ? newline : end;

		if (!load_for_line(line, (size_t)(line_end - line), (size_t)(end - line)))
			return false;
		line = line_end + 1;
	}
	return true;
}

/* ---- reading ---- */

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
