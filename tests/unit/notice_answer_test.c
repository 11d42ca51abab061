/* notice_answer: what acknowledgements tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "mailin/ingest/notice_answer.h"

enum { MB = 1024 * 1024 };

static struct inbound_text text(const char *data)
{
	return (struct inbound_text){data, data != NULL ? strlen(data) : 0};
}

/* *model becomes NULL. */
static void model_is(struct wire *model, const char *expected)
{
	size_t size;
	g_autofree char *printed = wire_print(model, false, &size);

	assert_string_equal(printed, expected);
	wire_free(&model);
}

static void a_ticket_has_its_number(void **state)
{
	struct inbound inbound = {.thread_number = 17};

	(void)state;
	model_is(notice_answer_ticket(&inbound), "{\"ticket\":\"17\",\"subject\":\"\"}");
	inbound.subject = text("The\r\n invoice");
	inbound.from_name = text("Ann\a");
	inbound.text_reply = text("One\r\n\tTwo\x1b[1m\n\n");
	model_is(notice_answer_ticket(&inbound),
		 "{\"ticket\":\"17\",\"subject\":\"The   invoice\","
		 "\"message\":\"One\\n\\tTwo[1m\",\"name\":\"Ann\"}");
}

static void what_was_written_is_cut(void **state)
{
	g_autofree char *long_text = g_strnfill(NOTICE_ANSWER_TEXT_MAX, 'x');
	g_autofree char *longer_text = g_strconcat(long_text, "y", NULL);
	g_autofree char *cut = g_strconcat(long_text, "…", NULL);
	struct inbound inbound = {.text_reply = text(long_text)};
	struct wire *model = notice_answer_ticket(&inbound);

	(void)state;
	assert_string_equal(wire_get_text(model, "message"), long_text);
	wire_free(&model);
	inbound.text_reply = text(longer_text);
	model = notice_answer_ticket(&inbound);
	assert_string_equal(wire_get_text(model, "message"), cut);
	wire_free(&model);
}

static void the_album_is_that_of_the_address(void **state)
{
	struct inbound inbound = {.recipient = text("photos@example.com")};
	const struct config_route route = {.attachment_size = 1};

	(void)state;
	model_is(notice_answer_gallery(&inbound, &route, ""),
		 "{\"gallery\":\"photos\",\"photos\":[],\"refused\":[]}");
	inbound.mailbox_hash = text("summer");
	inbound.from_name = text("Ann");
	model_is(notice_answer_gallery(&inbound, &route, ""),
		 "{\"gallery\":\"summer\",\"photos\":[],\"refused\":[],\"name\":\"Ann\"}");
}

static void what_was_refused_has_a_reason(void **state)
{
	struct inbound_attachment taken[] = {{.name = text("sea.jpg"), .photo = true},
					     {.name = text("notes.txt")},
					     {.position = 2, .photo = true}};
	const struct inbound_entry program = {.name = text("x.exe"), .size = 1};
	struct inbound_attachment refused[] = {
		{.name = text("a"), .why = INBOUND_REFUSED_TYPE},
		{.name = text("b"), .why = INBOUND_REFUSED_NAME},
		{.name = text("c"), .why = INBOUND_REFUSED_SIZE},
		{.name = text("d"), .why = INBOUND_REFUSED_COUNT},
		{.position = 9, .why = INBOUND_REFUSED_NO_PHOTO},
		{.name = text("e"), .why = INBOUND_REFUSED_NAME, .refused_entry = &program},
		{.name = text("f"), .why = INBOUND_REFUSED_ARCHIVE},
	};
	const struct inbound inbound = {.recipient = text("p@example.com"),
					.attachments = taken,
					.attachment_count = G_N_ELEMENTS(taken),
					.refused = refused,
					.refused_count = G_N_ELEMENTS(refused)};
	const struct config_route route = {.attachment_size = 2 * MB, .attachments_max = 3};

	(void)state;
	model_is(
		notice_answer_gallery(&inbound, &route, "en"),
		"{\"gallery\":\"p\",\"photos\":[{\"name\":\"sea.jpg\"},{\"name\":\"#3\"}],"
		"\"refused\":["
		"{\"name\":\"a\",\"reason\":\"The gallery does not take files of this kind.\"},"
		"{\"name\":\"b\",\"reason\":\"The gallery does not take files of this kind.\"},"
		"{\"name\":\"c\",\"reason\":\"The file is larger than 2 MB.\"},"
		"{\"name\":\"d\",\"reason\":\"The gallery takes no more than 3 files in one "
		"mail.\"},"
		"{\"name\":\"#10\",\"reason\":\"The file is no photo.\"},"
		"{\"name\":\"e\",\"reason\":\"“x.exe” is in it; the gallery does not take files of "
		"this kind.\"},"
		"{\"name\":\"f\",\"reason\":\"What is in this archive cannot be told.\"}]}");
	model_is(notice_answer_gallery(&inbound, &route, "de-AT"),
		 "{\"gallery\":\"p\",\"photos\":[{\"name\":\"sea.jpg\"},{\"name\":\"#3\"}],"
		 "\"refused\":["
		 "{\"name\":\"a\",\"reason\":\"Die Galerie nimmt solche Dateien nicht an.\"},"
		 "{\"name\":\"b\",\"reason\":\"Die Galerie nimmt solche Dateien nicht an.\"},"
		 "{\"name\":\"c\",\"reason\":\"Die Datei ist größer als 2 MB.\"},"
		 "{\"name\":\"d\",\"reason\":\"Mehr als 3 Dateien nimmt die Galerie in einer Mail "
		 "nicht an.\"},"
		 "{\"name\":\"#10\",\"reason\":\"Die Datei ist kein Foto.\"},"
		 "{\"name\":\"e\",\"reason\":\"Darin ist „x.exe“; solche Dateien nimmt die Galerie "
		 "nicht "
		 "an.\"},"
		 "{\"name\":\"f\",\"reason\":\"Was in diesem Archiv ist, lässt sich nicht "
		 "feststellen.\"}]}");
}

static void only_so_many_files_are_told(void **state)
{
	struct inbound_attachment files[NOTICE_ANSWER_FILES_MAX + 1] = {{.photo = false}};
	struct inbound inbound = {
		.recipient = text("p@example.com"), .attachments = files, .refused = files};
	const struct config_route route = {.attachment_size = 1};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		files[i].photo = true;
	for (size_t more = 0; more <= 1; more++) {
		inbound.attachment_count = NOTICE_ANSWER_FILES_MAX + more;
		inbound.refused_count = NOTICE_ANSWER_FILES_MAX + more;
		struct wire *model = notice_answer_gallery(&inbound, &route, "");
		const struct wire *photos = wire_get_array(model, "photos");
		const struct wire *refused = wire_get_array(model, "refused");
		const char *last = wire_get_text(wire_at(photos, wire_length(photos) - 1), "name");

		assert_int_equal(wire_length(photos), NOTICE_ANSWER_FILES_MAX + more);
		assert_int_equal(wire_length(refused), NOTICE_ANSWER_FILES_MAX + more);
		assert_string_equal(last, more == 0 ? "#1" : "… (+1)");
		wire_free(&model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_has_its_number),
		cmocka_unit_test(what_was_written_is_cut),
		cmocka_unit_test(the_album_is_that_of_the_address),
		cmocka_unit_test(what_was_refused_has_a_reason),
		cmocka_unit_test(only_so_many_files_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
