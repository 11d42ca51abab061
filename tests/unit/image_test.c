/*
 * Images of every format, small ones in tests/images (made by make-images there): what is told of
 * them, and of what is left when they are cut off or lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "mailin/parse/detect.h"
#include "mailin/parse/image.h"
#include "mailin/parse/preload.h"

enum { WIDTH = 48, HEIGHT = 32, HEIF_WIDTH = 64, HEIF_HEIGHT = 48 };

static const int64_t PIXELS_MAX = 250000000;

struct expected {
	const char *name;
	int64_t width; /* 0: no image */
	int64_t height;
	int64_t orientation;
};

#define JPEG_TURNED(orientation)                                                                   \
	{                                                                                          \
		"exif-" #orientation ".jpg", WIDTH, HEIGHT, orientation                            \
	}

static const struct expected images[] = {
	{"baseline.jpg", WIDTH, HEIGHT, 1},
	{"progressive.jpg", WIDTH, HEIGHT, 1},
	{"grey.jpg", WIDTH, HEIGHT, 1},
	{"cmyk.jpg", WIDTH, HEIGHT, 1},
	JPEG_TURNED(1),
	JPEG_TURNED(2),
	JPEG_TURNED(3),
	JPEG_TURNED(4),
	JPEG_TURNED(5),
	JPEG_TURNED(6),
	JPEG_TURNED(7),
	JPEG_TURNED(8),
	{"xmp-first.jpg", WIDTH, HEIGHT, 6},
	{"thumbnail.jpg", WIDTH, HEIGHT, 8},
	{"rgb.png", WIDTH, HEIGHT, 1},
	{"palette.png", WIDTH, HEIGHT, 1},
	{"interlaced.png", WIDTH, HEIGHT, 1},
	{"deep.png", WIDTH, HEIGHT, 1},
	{"exif.png", WIDTH, HEIGHT, 3},
	{"text-bomb.png", WIDTH, HEIGHT, 1},
	{"animated.png", WIDTH, HEIGHT, 1},
	{"still.gif", WIDTH, HEIGHT, 1},
	{"animated.gif", WIDTH, HEIGHT, 1},
	{"lossy.webp", WIDTH, HEIGHT, 1},
	{"lossless.webp", WIDTH, HEIGHT, 1},
	{"extended.webp", WIDTH, HEIGHT, 6},
	{"animated.webp", WIDTH, HEIGHT, 1},
	{"plain.heic", HEIF_WIDTH, HEIF_HEIGHT, 1},
	{"rotated.heic", HEIF_HEIGHT, HEIF_WIDTH, 1},
	{"mirrored.heic", HEIF_WIDTH, HEIF_HEIGHT, 1},
	{"plain.avif", HEIF_WIDTH, HEIF_HEIGHT, 1},
	{"rotated.avif", HEIF_HEIGHT, HEIF_WIDTH, 1},
};

static const char *const hostile[] = {"huge.png", "huge-31.png", "many-pixels.png", "no-pixels.png",
				      "bad-crc.png"};

static char *contents(const char *name, size_t *size)
{
	g_autofree char *path = g_build_filename("tests/images", name, NULL);
	char *data;

	if (!g_file_get_contents(path, &data, size, NULL))
		fail_msg("%s cannot be read", path);
	return data;
}

/* As a mail would bring it: what the parser loads depends on that. */
static void prepare_base64(const char *data, size_t size)
{
	g_autofree char *text = g_base64_encode((const guchar *)data, size);
	g_autofree char *mail = g_strdup_printf("Content-Transfer-Encoding: base64\n\n%s\n", text);

	assert_true(preload_libraries(mail, strlen(mail)));
}

static bool read_any(const char *data, size_t size, struct image *image)
{
	return image_read(detect_type(data, size), data, size, PIXELS_MAX, image);
}

static int set_up(void **state)
{
	(void)state;
	detect_init();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	image_deinit();
	detect_deinit();
	return 0;
}

static void size_and_orientation_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
		struct image image;
		size_t size;
		g_autofree char *data = contents(images[i].name, &size);

		prepare_base64(data, size);
		if (!read_any(data, size, &image))
			fail_msg("%s is no image", images[i].name);
		if (image.width != images[i].width || image.height != images[i].height ||
		    image.orientation != images[i].orientation)
			fail_msg("%s: %d x %d, orientation %d", images[i].name, (int)image.width,
				 (int)image.height, (int)image.orientation);
	}
}

static void what_is_hostile_is_no_image(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
		struct image image;
		size_t size;
		g_autofree char *data = contents(hostile[i], &size);

		prepare_base64(data, size);
		assert_string_equal(detect_type(data, size), "image/png");
		if (read_any(data, size, &image))
			fail_msg("%s is an image", hostile[i]);
	}
}

/* An animation may end behind its first frame. */
static bool may_be_cut(const char *name, size_t left)
{
	enum { FIRST_FRAME = 660 };

	return g_str_has_suffix(name, ".gif") && left >= FIRST_FRAME;
}

static void what_is_cut_off_is_no_image(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
		size_t size;
		g_autofree char *data = contents(images[i].name, &size);

		prepare_base64(data, size);
		for (size_t left = 0; left < size; left++) {
			/* Of its own size, so that a sanitizer sees what reads behind it. */
			g_autofree char *cut = g_memdup2(data, left);
			struct image image;

			if (!may_be_cut(images[i].name, left) && read_any(cut, left, &image))
				fail_msg("%s, %zu of %zu bytes: an image", images[i].name, left,
					 size);
		}
	}
}

/* Each byte overwritten: no crash, no nonsense. */
static void what_is_damaged_does_no_harm(void **state)
{
	static const unsigned char values[] = {0x00, 0x7f, 0xff};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
		size_t size;
		g_autofree char *data = contents(images[i].name, &size);

		prepare_base64(data, size);
		for (size_t at = 0; at < size; at++) {
			char good = data[at];

			for (size_t v = 0; v < G_N_ELEMENTS(values); v++) {
				struct image image;

				data[at] = (char)values[v];
				if (!read_any(data, size, &image))
					continue;
				assert_in_range(image.width, 1, PIXELS_MAX);
				assert_in_range(image.height, 1, PIXELS_MAX / image.width);
				assert_in_range(image.orientation, 1, 8);
			}
			data[at] = good;
		}
	}
}

static void pixels_are_limited(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
		struct image image;
		size_t size;
		g_autofree char *data = contents(images[i].name, &size);
		int64_t pixels = images[i].width * images[i].height;
		const char *type = detect_type(data, size);

		prepare_base64(data, size);
		assert_true(image_read(type, data, size, pixels, &image));
		assert_false(image_read(type, data, size, pixels - 1, &image));
	}
}

static void a_type_that_lies_makes_no_image(void **state)
{
	struct image image;
	size_t size;
	g_autofree char *data = contents("rgb.png", &size);

	(void)state;
	prepare_base64(data, size);
	assert_true(image_read("image/png", data, size, PIXELS_MAX, &image));
	assert_false(image_read("image/jpeg", data, size, PIXELS_MAX, &image));
	assert_false(image_read("image/gif", data, size, PIXELS_MAX, &image));
	assert_false(image_read("image/webp", data, size, PIXELS_MAX, &image));
	assert_false(image_read("image/heic", data, size, PIXELS_MAX, &image));
	assert_false(image_read("image/svg+xml", data, size, PIXELS_MAX, &image));
	assert_false(image_read("application/pdf", data, size, PIXELS_MAX, &image));
}

static bool read_loaded(const char *name)
{
	struct image image;
	size_t size;
	g_autofree char *data = contents(name, &size);

	return read_any(data, size, &image);
}

static void only_what_a_mail_needs_is_loaded(void **state)
{
	static const char *const one_of_each[] = {"baseline.jpg", "rgb.png",    "still.gif",
						  "lossy.webp",   "plain.heic", "plain.avif"};
	static const char text[] = "Subject: image/jpeg and image/heic\n\nIMG_1.heic\n";

	(void)state;
	image_deinit();
	assert_true(preload_libraries(text, strlen(text)));
	for (size_t i = 0; i < G_N_ELEMENTS(one_of_each); i++)
		assert_false(read_loaded(one_of_each[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(one_of_each); i++) {
		size_t size;
		g_autofree char *data = contents(one_of_each[i], &size);
		bool heif = i >= 4;

		image_deinit();
		prepare_base64(data, size);
		for (size_t k = 0; k < G_N_ELEMENTS(one_of_each); k++)
			assert_int_equal(read_loaded(one_of_each[k]), k == i || (heif && k >= 4));
	}
}

static void append_quoted(GString *mail, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		g_string_append_printf(mail, g_ascii_isalnum(data[i]) ? "%c" : "=%02X",
				       (unsigned char)data[i]);
}

static void other_encodings_are_seen_too(void **state)
{
	static const char *const names[] = {"baseline.jpg", "rgb.png",    "still.gif",
					    "lossy.webp",   "plain.heic", "plain.avif"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		size_t size;
		g_autofree char *data = contents(names[i], &size);
		GString *mail = g_string_new("Content-Transfer-Encoding: 8bit\n\n");

		g_string_append_len(mail, data, (gssize)size);
		image_deinit();
		assert_true(preload_libraries(mail->str, mail->len));
		assert_true(read_loaded(names[i]));
		g_string_assign(mail, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		append_quoted(mail, data, size);
		image_deinit();
		assert_true(preload_libraries(mail->str, mail->len));
		assert_true(read_loaded(names[i]));
		g_string_free(mail, TRUE);
	}
}

static void what_holds_files_may_hold_any(void **state)
{
	static const char *const names[] = {"baseline.jpg", "rgb.png", "still.gif", "lossy.webp"};
	static const char *const mails[] = {
		"Content-Type: application/ms-tnef\n\neJ8+Ig==\n",
		"Content-Type: application/octet-stream;\n\tname=\"winmail.dat\"\n\neJ8+Ig==\n",
		"Content-Type: text/plain\n\nbegin 644 photo\n",
	};

	(void)state;
	for (size_t m = 0; m < G_N_ELEMENTS(mails); m++) {
		image_deinit();
		assert_true(preload_libraries(mails[m], strlen(mails[m])));
		for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
			assert_true(read_loaded(names[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_and_orientation_are_told),
		cmocka_unit_test(what_is_hostile_is_no_image),
		cmocka_unit_test(what_is_cut_off_is_no_image),
		cmocka_unit_test(what_is_damaged_does_no_harm),
		cmocka_unit_test(pixels_are_limited),
		cmocka_unit_test(a_type_that_lies_makes_no_image),
		cmocka_unit_test(only_what_a_mail_needs_is_loaded),
		cmocka_unit_test(other_encodings_are_seen_too),
		cmocka_unit_test(what_holds_files_may_hold_any),
	};
	return cmocka_run_group_tests_name("image", tests, set_up, tear_down);
}
