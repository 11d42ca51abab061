/* archive: what counts as one, when its library is loaded, and what a mail's archives share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "common/wire.h"
#include "mailin/parse/archive.h"
#include "mailin/parse/preload.h"

enum { ROOM_ENTRIES = 5, ROOM_BYTES = 1000, ROOM_CPU_US = 60000000, NAME_BYTES = 200 };

static void archives_are_known_by_content_or_by_name(void **state)
{
	static const struct {
		const char *type;
		const char *name;
		bool is;
	} cases[] = {
		{"application/zip", "a", true},
		{"application/x-rar", "photo.jpg", true},
		{"text/plain", "a.ZIP", true},
		{"image/jpeg", "photo.jpg.iso", true},
		{"application/octet-stream", "a.tar.gz", true},
		{"application/octet-stream", "zip", false},
		{"application/octet-stream", "a.zip.txt", false},
		{"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		 "a.docx", false},
		{"application/java-archive", "a.jar", false},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_int_equal(archive_is(cases[i].type, cases[i].name), cases[i].is);
}

/* "a.txt:5 b.exe:0|flaw" of tests/archives. */
static char *described(const char *file, struct archive_room *room)
{
	g_autofree char *path = g_build_filename("tests/archives", file, NULL);
	g_autofree char *data = NULL;
	gsize size;

	assert_true(g_file_get_contents(path, &data, &size, NULL));
	struct wire *archive =
		archive_describe("application/octet-stream", file, data, size, NAME_BYTES, room);
	const struct wire *entries = wire_get_array(archive, "Entries");
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < wire_length(entries); i++) {
		int64_t bytes = -1;

		wire_get_int(wire_at(entries, i), "Size", &bytes);
		g_string_append_printf(text, "%s%s:%d", i > 0 ? " " : "",
				       wire_get_text(wire_at(entries, i), "Name"), (int)bytes);
	}
	g_string_append_printf(text, "|%s", wire_get_text(archive, "Unread"));
	wire_free(&archive);
	return g_string_free(text, FALSE);
}

static void expect(const char *file, struct archive_room *room, const char *expected)
{
	g_autofree char *got = described(file, room);

	assert_string_equal(got, expected);
}

static void what_the_first_ones_use_the_next_ones_lack(void **state)
{
	struct archive_room room = {ROOM_ENTRIES, ROOM_BYTES, ROOM_CPU_US};

	(void)state;
	assert_true(archive_load());
	/* (Its directory counts, too.) */
	expect("locked.7z", &room, "notes.txt:6 run.exe:300|");
	assert_int_equal(room.entries, ROOM_ENTRIES - 3);
	expect("locked.zip", &room, "notes.txt:6|limit");
	assert_int_equal(room.entries, 0);
	expect("hidden.7z", &room, "|encrypted");
	expect("locked.7z", &room, "|limit");
	archive_deinit();
}

static void who_has_used_the_processor_is_not_looked_into(void **state)
{
	struct archive_room room = {ROOM_ENTRIES, ROOM_BYTES, 0};

	(void)state;
	assert_true(archive_load());
	expect("locked.zip", &room, "|limit");
	expect("locked.7z", &room, "|limit");
	assert_int_equal(room.entries, ROOM_ENTRIES);
	assert_int_equal(room.bytes, ROOM_BYTES);
	room.cpu_us = ROOM_CPU_US;
	expect("locked.7z", &room, "notes.txt:6 run.exe:300|");
	assert_true(room.cpu_us < ROOM_CPU_US);
	room.entries = ROOM_ENTRIES;
	room.cpu_us = 1;
	expect("locked.7z", &room, "notes.txt:6 run.exe:300|");
	assert_int_equal(room.cpu_us, 0);
	archive_deinit();
}

/* The header of locked.7z is packed, and unpacks to so much. */
enum { LOCKED_HEADER = 186 };

static void a_packed_header_counts_as_what_it_becomes(void **state)
{
	struct archive_room room = {ROOM_ENTRIES, LOCKED_HEADER - 1, ROOM_CPU_US};

	(void)state;
	assert_true(archive_load());
	expect("locked.7z", &room, "|limit");
	assert_int_equal(room.entries, ROOM_ENTRIES);
	assert_int_equal(room.bytes, LOCKED_HEADER - 1);
	room.bytes = LOCKED_HEADER;
	expect("locked.7z", &room, "notes.txt:6 run.exe:300|");
	assert_int_equal(room.bytes, 0);
	expect("locked.7z", &room, "|limit");
	archive_deinit();
}

static void without_its_library_an_archive_is_unread(void **state)
{
	struct archive_room room = {ROOM_ENTRIES, ROOM_BYTES, ROOM_CPU_US};

	(void)state;
	archive_deinit();
	expect("locked.7z", &room, "|format");
	expect("locked.zip", &room, "notes.txt:6 run.exe:300|broken");
}

static void the_library_is_loaded_for_what_looks_like_an_archive(void **state)
{
	static const struct {
		const char *line;
		bool loads;
	} cases[] = {
		{"UEsDBBQAAAAIAA==", true},
		{"PK\3\4", true},
		{"PK=03=04", true},
		{"N3q8ryccAAQ=", true},
		{"H4sIAAAA", true},
		{"\x1f\x8b", true},
		{"/Td6WFoA", true},
		{"TVNDRgAAAA==", true},
		{"Content-Type: application/x-tar", true},
		{" filename=\"a.tar\"", true},
		{"Content-Disposition: attachment; filename=winmail.dat", true},
		{"begin 644 a.zip", true},
		{"Subject: a.tar", false},
		{"Content-Type: text/plain", false},
		{"The target is here.", false},
		{" target, start", false},
		{"iVBORw0KGgo=", false},
		{"PK", false},
		{"Hello H4sI", false},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct archive_room room = {ROOM_ENTRIES, ROOM_BYTES, ROOM_CPU_US};
		g_autofree char *mail = g_strdup_printf("From: a@b\n%s\n\ntext\n", cases[i].line);

		archive_deinit();
		assert_true(preload_libraries(mail, strlen(mail)));
		expect("locked.7z", &room, cases[i].loads ? "notes.txt:6 run.exe:300|" : "|format");
	}
	archive_deinit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archives_are_known_by_content_or_by_name),
		cmocka_unit_test(what_the_first_ones_use_the_next_ones_lack),
		cmocka_unit_test(who_has_used_the_processor_is_not_looked_into),
		cmocka_unit_test(a_packed_header_counts_as_what_it_becomes),
		cmocka_unit_test(without_its_library_an_archive_is_unread),
		cmocka_unit_test(the_library_is_loaded_for_what_looks_like_an_archive),
	};
	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
