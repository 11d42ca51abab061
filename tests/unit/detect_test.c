#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "mailin/parse/detect.h"

#define SAMPLE(bytes, type)                                                                        \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, type                                                     \
	}

static const struct {
	const char *bytes;
	size_t size;
	const char *type;
} samples[] = {
	SAMPLE("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
	       "image/jpeg"),
	SAMPLE("\x89PNG\r\n\x1A\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00"
	       "\x00",
	       "image/png"),
	SAMPLE("GIF89a\x01\x00\x01\x00\x80\x00\x00", "image/gif"),
	SAMPLE("\x00\x00\x00\x24"
	       "ftypheic\x00\x00\x00\x00mif1heic\x00\x00\x00\x00meta",
	       "image/heic"),
	SAMPLE("\x00\x00\x00\x1C"
	       "ftypmif1\x00\x00\x00\x00mif1heic\x00\x00\x00\x00meta",
	       "image/heif"),
	SAMPLE("\x00\x00\x00\x20"
	       "ftypavif\x00\x00\x00\x00"
	       "avifmif1miafMA1B",
	       "image/avif"),
	SAMPLE("RIFF\x24\x00\x00\x00WEBPVP8 "
	       "\x18\x00\x00\x00\x30\x01\x00\x9D\x01\x2A\x01\x00\x01\x00",
	       "image/webp"),
	SAMPLE("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj\n", "application/pdf"),
	SAMPLE("PK\x03\x04\x14\x00\x00\x00\x08\x00\x21\x08\x21\x58\x01\x02\x03\x04\x05\x00\x00\x00"
	       "\x05\x00\x00\x00\x05\x00\x00\x00x.txthello hello hello hello",
	       "application/zip"),
	SAMPLE("\x00\x00\x00\x18"
	       "ftypmp42\x00\x00\x00\x00mp42isom",
	       "video/mp4"),
	SAMPLE("Just a line of text.\n", "text/plain"),
	SAMPLE("<!DOCTYPE html>\n<html><body>x</body></html>\n", "text/html"),
	SAMPLE("\x00\x01\x02\x03\xFE\xFD\xFC", "application/octet-stream"),
	SAMPLE("", "application/octet-stream"),
};

static void types_are_told_without_files(void **state)
{
	struct rlimit before;

	(void)state;
	detect_init();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	struct rlimit none = {0, before.rlim_max};
	/* From here on, every open() fails, as in the sandbox. */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
		const char *type = detect_type(samples[i].bytes, samples[i].size);

		if (strcmp(type, samples[i].type) != 0)
			fail_msg("sample %zu: %s instead of %s", i, type, samples[i].type);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	detect_deinit();
}

static void no_database_means_unknown(void **state)
{
	(void)state;
	assert_string_equal(detect_type("%PDF-1.7\n", 9), "application/octet-stream");
	detect_deinit();
	g_setenv("MAGIC", "/nonexistent/magic", TRUE);
	detect_init();
	assert_string_equal(detect_type("%PDF-1.7\n", 9), "application/octet-stream");
	detect_deinit();
	g_unsetenv("MAGIC");
}

static void large_data_are_looked_at_quickly(void **state)
{
	enum { SIZE = 20 * 1024 * 1024 };
	(void)state;
	g_autofree char *data = g_malloc(SIZE);

	memset(data, 'x', SIZE);
	detect_init();
	clock_t start = clock();
	assert_string_equal(detect_type(data, SIZE), "text/plain");
	assert_true(clock() - start < CLOCKS_PER_SEC);
	detect_deinit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_told_without_files),
		cmocka_unit_test(no_database_means_unknown),
		cmocka_unit_test(large_data_are_looked_at_quickly),
	};
	return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
