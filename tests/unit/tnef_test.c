#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mailin/parse/tnef.h"

enum { FILES_MAX = 10 };

/* MS-OXTNEF's attributes and properties, as they stand in the stream. */
enum {
	MESSAGE = 1,
	ATTACHMENT = 2,
	BODY = 0x0002800C,
	TITLE = 0x00018010,
	DATA = 0x0006800F,
	RENDERING = 0x00069002,
	MAPI_MESSAGE = 0x00069003,
	MAPI_ATTACHMENT = 0x00069005,
	OEM_CODE_PAGE = 0x00069007,
};

enum {
	LONG = 0x0003,
	OBJECT = 0x000D,
	STRING8 = 0x001E,
	UNICODE = 0x001F,
	BINARY = 0x0102,
	MANY_UNICODE = 0x101F,
	BODY_UNICODE = 0x1000,
	RTF = 0x1009,
	BODY_HTML = 0x1013,
	HTML_CODE_PAGE = 0x3FDE,
	DATA_OBJECT = 0x3701,
	FILE_NAME = 0x3704,
	LONG_NAME = 0x3707,
	MIME_TAG = 0x370E,
	CONTENT_ID = 0x3712,
	NAMED = 0x8001,
};

static void put(GByteArray *out, const void *bytes, size_t size)
{
	g_byte_array_append(out, bytes, (guint)size);
}

static void put_number(GByteArray *out, size_t size, uint32_t number)
{
	for (size_t i = 0; i < size; i++)
		put(out, &(unsigned char){(unsigned char)(number >> 8 * i)}, 1);
}

static GByteArray *begin(void)
{
	GByteArray *out = g_byte_array_new();

	put(out, "\x78\x9F\x3E\x22\x01\x00", 6);
	return out;
}

static void put_attribute(GByteArray *out, int level, uint32_t id, const void *bytes, size_t size)
{
	uint32_t checksum = 0;

	put_number(out, 1, (uint32_t)level);
	put_number(out, 4, id);
	put_number(out, 4, (uint32_t)size);
	put(out, bytes, size);
	for (size_t i = 0; i < size; i++)
		checksum += ((const unsigned char *)bytes)[i];
	put_number(out, 2, checksum & 0xFFFF);
}

static void put_file(GByteArray *out, const char *title, const char *data)
{
	put_attribute(out, ATTACHMENT, RENDERING, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0", 14);
	if (title != NULL)
		put_attribute(out, ATTACHMENT, TITLE, title, strlen(title) + 1);
	put_attribute(out, ATTACHMENT, DATA, data, strlen(data));
}

static void put_padded(GByteArray *out, const void *bytes, size_t size)
{
	put_number(out, 4, (uint32_t)size);
	put(out, bytes, size);
	put(out, "\0\0\0", (4 - size % 4) % 4);
}

static void put_property(GByteArray *out, uint32_t type, uint32_t id, const void *bytes,
			 size_t size)
{
	put_number(out, 2, type);
	put_number(out, 2, id);
	if (type == LONG) {
		put(out, bytes, 4);
		return;
	}
	put_number(out, 4, 1);
	put_padded(out, bytes, size);
}

static void put_wide(GByteArray *out, uint32_t id, const char *text)
{
	glong units;
	g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &units, NULL);

	put_property(out, UNICODE, id, wide, (size_t)(units + 1) * 2);
}

static GByteArray *begin_properties(uint32_t count)
{
	GByteArray *out = g_byte_array_new();

	put_number(out, 4, count);
	return out;
}

static void end_properties(GByteArray *out, int level, GByteArray *properties)
{
	put_attribute(out, level, level == MESSAGE ? MAPI_MESSAGE : MAPI_ATTACHMENT,
		      properties->data, properties->len);
	g_byte_array_unref(properties);
}

static struct tnef *open_stream(GByteArray *stream)
{
	return tnef_open(stream->data, stream->len, FILES_MAX);
}

static void check_file(const struct tnef *tnef, size_t index, const char *name, const char *data)
{
	assert_true(index < tnef->file_count);
	const struct tnef_file *file = &tnef->files[index];
	if (name == NULL)
		assert_null(file->name);
	else
		assert_string_equal(file->name, name);
	assert_int_equal(file->size, strlen(data));
	assert_memory_equal(file->data, data, file->size);
}

static void files_have_their_titles(void **state)
{
	g_autoptr(GByteArray) stream = begin();

	(void)state;
	put_attribute(stream, MESSAGE, OEM_CODE_PAGE, "\xE3\x04\0\0\0\0\0\0", 8); /* 1251 */
	put_file(stream, "one.txt", "first");
	put_file(stream, "\xEF\xF0\xE8.txt", "second");
	put_file(stream, NULL, "third");
	struct tnef *tnef = open_stream(stream);
	assert_non_null(tnef);
	assert_int_equal(tnef->file_count, 3);
	check_file(tnef, 0, "one.txt", "first");
	check_file(tnef, 1, "при.txt", "second");
	check_file(tnef, 2, NULL, "third");
	assert_null(tnef->text);
	assert_null(tnef->html);
	assert_null(tnef->rtf);
	tnef_free(&tnef);
	assert_null(tnef);
}

static void properties_win_over_titles(void **state)
{
	g_autoptr(GByteArray) stream = begin();
	GByteArray *properties = begin_properties(6);

	(void)state;
	put_file(stream, "PHOTO~1.JPG", "pixels");
	put_number(properties, 2, MANY_UNICODE);
	put_number(properties, 2, NAMED);
	put(properties, "guid guid guid 1", 16);
	put_number(properties, 4, 1);
	put_padded(properties, "n\0a\0m\0", 6);
	put_number(properties, 4, 2);
	put_padded(properties, "x\0\0\0", 4);
	put_padded(properties, "y\0", 2);
	put_property(properties, STRING8, FILE_NAME, "PHOTO~2.JPG", 12);
	put_wide(properties, LONG_NAME, "Größe 写真 🎉.jpg");
	put_property(properties, STRING8, MIME_TAG, "image/jpeg", 11);
	put_property(properties, STRING8, CONTENT_ID, "<a@b.test>", 11);
	put_wide(properties, LONG_NAME, "a second one.jpg");
	end_properties(stream, ATTACHMENT, properties);
	struct tnef *tnef = open_stream(stream);
	check_file(tnef, 0, "Größe 写真 🎉.jpg", "pixels");
	assert_string_equal(tnef->files[0].content_type, "image/jpeg");
	assert_string_equal(tnef->files[0].content_id, "a@b.test");
	tnef_free(&tnef);
}

static void embedded_objects_are_files(void **state)
{
	g_autoptr(GByteArray) stream = begin();
	GByteArray *properties = begin_properties(1);

	(void)state;
	put_file(stream, "Untitled Attachment", "This attachment is not supported");
	put_property(properties, OBJECT, DATA_OBJECT, "0123456789ABCDEF\x78\x9F\x3E\x22...", 23);
	end_properties(stream, ATTACHMENT, properties);
	struct tnef *tnef = open_stream(stream);
	check_file(tnef, 0, "Untitled Attachment", "\x78\x9F\x3E\x22...");
	assert_string_equal(tnef->files[0].content_type, "application/vnd.ms-tnef");
	tnef_free(&tnef);
}

static const char compressed_rtf[] =
	/* MS-OXRTFCP 4.1.1: the example of the specification */
	"\x2D\0\0\0\x2B\0\0\0\x4C\x5A\x46\x75\xF1\xC5\xC7\xA7\x03\0\x0A\0"
	"\x72\x63\x70\x67\x31\x32\x35\x42\x32\x0A\xF3\x20\x68\x65\x6C\x09\0"
	"\x20\x62\x77\x05\xB0\x6C\x64\x7D\x0A\x80\x0F\xA0";

static void bodies_are_taken(void **state)
{
	g_autoptr(GByteArray) stream = begin();
	GByteArray *properties = begin_properties(4);

	(void)state;
	put_attribute(stream, MESSAGE, BODY, "narrow", 7);
	put_property(properties, LONG, HTML_CODE_PAGE, "\x9F\x6F\0\0",
		     4); /* 28575: nobody knows it */
	put_property(properties, BINARY, BODY_HTML, "<p>\xFC", 4);
	put_property(properties, BINARY, RTF, compressed_rtf, sizeof(compressed_rtf) - 1);
	put_wide(properties, BODY_UNICODE, "wide");
	end_properties(stream, MESSAGE, properties);
	struct tnef *tnef = open_stream(stream);
	assert_string_equal(tnef->text, "wide");
	assert_string_equal(tnef->html, "<p>ü");
	assert_int_equal(tnef->rtf_size, 43);
	/* "\n\r": a slip in the library's dictionary, of no consequence in RTF */
	assert_string_equal(tnef->rtf, "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\n\r");
	assert_int_equal(tnef->file_count, 0);
	tnef_free(&tnef);
}

static void long_texts_are_whole(void **state)
{
	enum { LONG_TEXT = 700000 };
	g_autoptr(GByteArray) stream = begin();
	g_autofree char *text = g_strnfill(LONG_TEXT, 'x');
	g_autofree char *title = g_strdup_printf("%.200s.txt", text);
	GByteArray *properties = begin_properties(1);

	(void)state;
	put_wide(properties, BODY_UNICODE, text);
	end_properties(stream, MESSAGE, properties);
	put_file(stream, title, text);
	struct tnef *tnef = open_stream(stream);
	assert_string_equal(tnef->text, text);
	assert_int_equal(tnef->file_count, 1);
	assert_int_equal(tnef->files[0].size, LONG_TEXT);
	assert_true(g_str_has_suffix(tnef->files[0].name, "x.txt"));
	tnef_free(&tnef);
}

static void count_is_limited(void **state)
{
	g_autoptr(GByteArray) stream = begin();

	(void)state;
	for (int i = 0; i < FILES_MAX + 1; i++)
		put_file(stream, "x", "y");
	struct tnef *tnef = open_stream(stream);
	assert_int_equal(tnef->file_count, FILES_MAX);
	tnef_free(&tnef);
}

static GByteArray *typical(void)
{
	GByteArray *stream = begin();
	GByteArray *message = begin_properties(2);
	GByteArray *attachment = begin_properties(2);

	put_attribute(stream, MESSAGE, OEM_CODE_PAGE, "\xE4\x04\0\0\0\0\0\0", 8);
	put_property(message, BINARY, RTF, compressed_rtf, sizeof(compressed_rtf) - 1);
	put_wide(message, BODY_UNICODE, "text");
	end_properties(stream, MESSAGE, message);
	put_file(stream, "x", "data");
	put_wide(attachment, LONG_NAME, "name.txt");
	put_property(attachment, OBJECT, DATA_OBJECT, "0123456789ABCDEFobject", 22);
	end_properties(stream, ATTACHMENT, attachment);
	return stream;
}

static void what_stands_before_a_break_is_kept(void **state)
{
	g_autoptr(GByteArray) stream = typical();

	(void)state;
	put_file(stream, "lost", "data");
	struct tnef *tnef = tnef_open(stream->data, stream->len - 10, FILES_MAX);
	assert_int_equal(tnef->file_count, 2);
	check_file(tnef, 0, "name.txt", "object");
	assert_string_equal(tnef->text, "text");
	tnef_free(&tnef);
}

static void other_data_are_refused(void **state)
{
	(void)state;
	assert_null(tnef_open("", 0, FILES_MAX));
	assert_null(tnef_open("\x78\x9F\x3E", 3, FILES_MAX));
	assert_null(tnef_open("\x78\x9F\x3E\x22\x01", 5, FILES_MAX));
	assert_null(tnef_open("%PDF-1.7\n", 9, FILES_MAX));
}

/* Every prefix, and every byte spoilt: in the exact size, so that address sanitizer sees a step too
 * far. */
static void damage_is_harmless(void **state)
{
	static const unsigned char spoilt[] = {0x00, 0x7F, 0x80, 0xFF};
	g_autoptr(GByteArray) stream = typical();

	(void)state;
	for (guint size = 0; size < stream->len; size++) {
		g_autofree unsigned char *copy = g_memdup2(stream->data, size);
		struct tnef *tnef = tnef_open(copy, size, FILES_MAX);

		tnef_free(&tnef);
	}
	for (guint i = 0; i < stream->len * G_N_ELEMENTS(spoilt); i++) {
		g_autofree unsigned char *copy = g_memdup2(stream->data, stream->len);

		copy[i / G_N_ELEMENTS(spoilt)] = spoilt[i % G_N_ELEMENTS(spoilt)];
		struct tnef *tnef = tnef_open(copy, stream->len, FILES_MAX);
		tnef_free(&tnef);
	}
}

/* What is wrong with this, the library would tell on standard output. */
static void nothing_is_printed(void **state)
{
	g_autoptr(GByteArray) stream = begin();
	GByteArray *properties = begin_properties(1);
	GByteArray *broken = begin_properties(5000);
	g_autofree char *rtf = g_memdup2(compressed_rtf, sizeof(compressed_rtf));
	int before = dup(STDOUT_FILENO);
	FILE *file = tmpfile();

	(void)state;
	rtf[0] = 0x11;
	put_property(properties, BINARY, RTF, rtf, sizeof(compressed_rtf) - 6);
	end_properties(stream, MESSAGE, properties);
	put_file(stream, "", "x");
	put_attribute(stream, ATTACHMENT, DATA, "", 0);
	end_properties(stream, ATTACHMENT, broken);
	fflush(stdout);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	struct tnef *tnef = open_stream(stream);
	fflush(stdout);
	long printed = lseek(STDOUT_FILENO, 0, SEEK_CUR);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	assert_int_equal(printed, 0);
	assert_string_equal(tnef->rtf, "{\\rtf1\\ansi\\ansicpg1252\\pard hello world");
	assert_int_equal(tnef->file_count, 1);
	tnef_free(&tnef);
	close(before);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_have_their_titles),
		cmocka_unit_test(properties_win_over_titles),
		cmocka_unit_test(embedded_objects_are_files),
		cmocka_unit_test(bodies_are_taken),
		cmocka_unit_test(long_texts_are_whole),
		cmocka_unit_test(count_is_limited),
		cmocka_unit_test(what_stands_before_a_break_is_kept),
		cmocka_unit_test(other_data_are_refused),
		cmocka_unit_test(damage_is_harmless),
		cmocka_unit_test(nothing_is_printed),
	};
	return cmocka_run_group_tests_name("tnef", tests, NULL, NULL);
}
