#include "mailin/parse/preload.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "mailin/parse/archive.h"
#include "mailin/parse/image_private.h"

#define START(text, format)                                                                        \
	{                                                                                          \
		text, sizeof(text) - 1, format                                                     \
	}
#define ARCHIVE(text) START(text, NULL)

/* How a file begins, where it is the first of a part: in base64, as it is, and in quoted-printable.
 * (More than needs to be is harmless.) */
static const struct start {
	const char *text;
	size_t size;
	const struct image_format *format; /* NULL: an archive */
} starts[] = {
	START("/9j/", &image_jpeg),
	START("\xff\xd8\xff", &image_jpeg),
	START("=FF=D8", &image_jpeg),
	START("iVBO", &image_png),
	START("\x89PNG", &image_png),
	START("=89PNG", &image_png),
	START("R0lG", &image_gif),
	START("GIF8", &image_gif),
	START("UklG", &image_webp),
	START("RIFF", &image_webp),
	/* ZIP */
	ARCHIVE("UEsD"),
	ARCHIVE("UEsF"),
	ARCHIVE("UEsH"),
	ARCHIVE("UEsw"),
	ARCHIVE("PK\3\4"),
	ARCHIVE("PK\5\6"),
	ARCHIVE("PK=03=04"),
	/* gzip */
	ARCHIVE("H4sI"),
	ARCHIVE("\x1f\x8b"),
	ARCHIVE("=1F=8B"),
	/* xz */
	ARCHIVE("/Td6"),
	ARCHIVE("\xfd"
		"7zXZ"),
	ARCHIVE("=FD7zXZ"),
	/* 7z */
	ARCHIVE("N3q8"),
	ARCHIVE("7z\xbc\xaf"),
	ARCHIVE("7z=BC=AF"),
	/* cabinets */
	ARCHIVE("TVND"),
	ARCHIVE("MSCF"),
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

/* What the line begins, if it does. */
static bool load_for_start(const char *line, size_t left)
{
	for (size_t i = 0; i < G_N_ELEMENTS(starts); i++)
		if (*line == *starts[i].text && left >= starts[i].size &&
		    memcmp(line, starts[i].text, starts[i].size) == 0)
			return starts[i].format != NULL ? starts[i].format->load() : archive_load();
	if ((line[0] == 'A' && is_base64_heif(line, left)) ||
	    ((line[0] == '\0' || line[0] == '=') && is_plain_heif(line, left)))
		return image_heif.load();
	return true;
}

/* HEIC is not among them: libheif takes too long to be loaded in vain. */
static bool load_for_container(void)
{
	return image_jpeg.load() && image_png.load() && image_gif.load() && image_webp.load() &&
	       archive_load();
}

static bool names_container(const char *line, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(containers); i++)
		if (memmem(line, size, containers[i], strlen(containers[i])) != NULL)
			return true;
	return false;
}

/* A tar file begins with any name: "x.tar.gz", "application/x-tar". */
static bool names_tar(const char *line, size_t size)
{
	static const char tar[] = "tar";
	const char *end = line + size;

	for (const char *p = line + 1;
	     p < end && (p = memmem(p, (size_t)(end - p), tar, strlen(tar))) != NULL; p++)
		if (strchr(".-/", p[-1]) != NULL)
			return true;
	return false;
}

/* Of a line of a header, perhaps. */
static bool load_for_names(const char *line, size_t size)
{
	if (names_container(line, size))
		return load_for_container();
	return !names_tar(line, size) || archive_load();
}

/* `size` is that of the line, `left` that of the mail from there on. */
static bool load_for_line(const char *line, size_t size, size_t left)
{
	switch (*line) {
	/* All that begins a file, in any of the three ways. */
	case '/':
	case '\xff':
	case '\xfd':
	case '=':
	case 'i':
	case '\x89':
	case '\x1f':
	case '7':
	case 'A':
	case 'G':
	case 'H':
	case 'M':
	case 'N':
	case 'P':
	case 'R':
	case 'T':
	case 'U':
	case '\0':
		return load_for_start(line, left);
	/* Content-Type and Content-Disposition. */
	case 'C':
	case 'c':
	case ' ':
	case '\t':
		return load_for_names(line, size);
	case 'b':
		return size < strlen(uuencode_start) ||
		       memcmp(line, uuencode_start, strlen(uuencode_start)) != 0 ||
		       load_for_container();
	default:
		return true;
	}
}

bool preload_libraries(const char *mail, size_t size)
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
