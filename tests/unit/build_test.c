/* Structure and contents of the messages that are built; whole ones stand in tests/mime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <gmime/gmime.h>
#include <string.h>

#include "mailout/build.h"
#include "mailout/build_part.h"

enum { DATE = 1700000000 };

static struct config *config;

static struct request *request_of(const char *members)
{
	g_autofree char *json =
		g_strdup_printf("{\"MessageID\": \"01890000-0000-7000-8000-000000000001\","
				" \"From\": \"Ann <ann@x.example>\", \"To\": \"b@y.example\", "
				"\"Subject\": \"s\"%s}",
				members);
	struct reason reason = {0};
	struct request *request = request_new(json, strlen(json), NULL, "bulk", config, &reason);

	if (request == NULL)
		fail_msg("%s: %s", reason.text, json);
	return request;
}

static struct request *template_request(void)
{
	static const char json[] =
		"{\"From\": \"a@x.example\", \"To\": \"b@y.example\", \"TemplateAlias\": \"t\"}";
	struct reason reason = {0};

	return request_new(json, strlen(json), NULL, "bulk", config, &reason);
}

static char *text_of(const struct build_input *input)
{
	struct reason reason = {0};
	enum outcome outcome = OUTCOME_RETRY;
	GBytes *bytes = build_message(input, &outcome, &reason);

	if (bytes == NULL)
		fail_msg("%s", reason.text);
	assert_int_equal(outcome, OUTCOME_OK);
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	char *text = g_strndup(data, size);

	assert_int_equal(strlen(text), size);
	g_bytes_unref(bytes);
	return text;
}

static char *built(const char *members)
{
	struct request *request = request_of(members);
	const struct build_input input = {
		.request = request, .config = config, .date = DATE, .boundary = "B"};
	char *text = text_of(&input);

	request_free(&request);
	return text;
}

/* The lines of the header that begin with NAME, with those that go on; NULL: there is none. */
static char *field(const char *message, const char *name)
{
	g_autofree char *start = g_strdup_printf("\r\n%s:", name);
	const char *end = strstr(message, "\r\n\r\n");
	const char *p = strstr(message, start);

	if (p == NULL || p > end)
		return NULL;
	p += strlen(start);
	const char *stop = p;

	do
		stop = strstr(stop + 2, "\r\n");
	while (stop[2] == ' ' || stop[2] == '\t');
	return g_strndup(p, (gsize)(stop - p));
}

static void field_is(const char *message, const char *name, const char *wanted)
{
	g_autofree char *value = field(message, name);

	if (value == NULL || wanted == NULL)
		assert_true(value == wanted);
	else
		assert_string_equal(value, wanted);
}

/* Every relay takes it. */
static void is_safe(const char *message)
{
	size_t line = 0;

	for (const char *p = message; *p != '\0'; p++) {
		assert_true((unsigned char)*p < 0x80);
		assert_true(*p != '\n' || (p > message && p[-1] == '\r'));
		assert_true(*p != '\r' || p[1] == '\n');
		line = *p == '\n' ? 0 : line + 1;
		assert_true(line <= 998);
	}
	assert_true(g_str_has_suffix(message, "\r\n"));
}

static void a_plain_message(void **state)
{
	g_autofree char *message = built(", \"TextBody\": \"Hello\\nthere\"");

	(void)state;
	assert_string_equal(message,
			    "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
			    "From: Ann <ann@x.example>\r\n"
			    "To: b@y.example\r\n"
			    "Subject: s\r\n"
			    "Message-ID: <01890000-0000-7000-8000-000000000001@x.example>\r\n"
			    "MIME-Version: 1.0\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: 7bit\r\n"
			    "\r\n"
			    "Hello\r\nthere\r\n");
}

static void html_alone_gets_a_text(void **state)
{
	g_autofree char *message = built(
		", \"HtmlBody\": \"<h1>Hi</h1><p>See <a href='https://x.example/a'>this</a></p>\"");

	(void)state;
	assert_non_null(strstr(message, "Content-Type: multipart/alternative; boundary=\"=_B-1\""));
	assert_non_null(strstr(message, "\r\n\r\nHi\r\n\r\nSee this <https://x.example/a>\r\n"));
	assert_true(strstr(message, "text/plain") < strstr(message, "text/html"));
	is_safe(message);
}

static void all_kinds_of_parts_nest(void **state)
{
	g_autofree char *message = built(
		", \"TextBody\": \"t\", \"HtmlBody\": \"<img src='cid:a@x'>\", \"Attachments\": ["
		"{\"Name\": \"a.png\", \"Content\": \"QUJD\", \"ContentType\": \"image/png\", "
		"\"ContentID\": \"a@x\"},"
		"{\"Name\": \"b.png\", \"Content\": \"QUJD\", \"ContentType\": \"image/png\", "
		"\"ContentID\": \"b@x\"}]");
	static const char *const order[] = {
		"multipart/mixed; boundary=\"=_B-1\"",
		"--=_B-1\r\nContent-Type: multipart/alternative; boundary=\"=_B-2\"",
		"--=_B-2\r\nContent-Type: text/plain",
		"--=_B-2\r\nContent-Type: multipart/related; boundary=\"=_B-3\"; type=",
		"--=_B-3\r\nContent-Type: text/html",
		"--=_B-3\r\nContent-Type: image/png;\r\n\tname=\"a.png\"",
		"Content-Disposition: inline;\r\n\tfilename=\"a.png\"\r\nContent-Id: <a@x>",
		"--=_B-3--",
		"--=_B-2--",
		"--=_B-1\r\nContent-Type: image/png;\r\n\tname=\"b.png\"",
		"Content-Disposition: attachment;\r\n\tfilename=\"b.png\"\r\nContent-Id: <b@x>",
		"--=_B-1--",
	};
	const char *at = message;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
		const char *found = strstr(at, order[i]);

		if (found == NULL)
			fail_msg("missing or too early: %s in %s", order[i], message);
		else
			at = found;
	}
	is_safe(message);
}

static void references_in_html(void **state)
{
	(void)state;
	assert_true(build_html_refers("<img src=\"cid:logo.png\">", "logo.png"));
	assert_true(build_html_refers("<img src=CID:logo.png>", "logo.png"));
	assert_true(build_html_refers("<td style=\"background:url(cid:a@b)\">", "a@b"));
	assert_true(build_html_refers("<img src='cid:a%40b'>", "a@b"));
	assert_true(build_html_refers("cid:logo.pngx cid:logo.png", "logo.png"));
	assert_false(build_html_refers("<img src='cid:logo.pngx'>", "logo.png"));
	assert_false(build_html_refers("<img src='cid:logo.pn'>", "logo.png"));
	assert_false(build_html_refers("logo.png", "logo.png"));
	assert_false(build_html_refers("cid:", "a"));
}

static char *decoded_content(GMimeObject *part)
{
	GByteArray *bytes = g_byte_array_new();
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(part)), stream);
	g_object_unref(stream);
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	return (char *)g_byte_array_free(bytes, FALSE);
}

/* What an encoded text decodes to. */
static char *text_part(const char *text, const char *encoding)
{
	GMimeObject *part = build_text("plain", text);
	g_autofree char *written = g_mime_object_to_string(part, NULL);
	g_autofree char *wanted = g_strdup_printf("Content-Transfer-Encoding: %s\n", encoding);
	char *decoded = decoded_content(part);

	if (strstr(written, wanted) == NULL)
		fail_msg("not %s: %s", encoding, written);
	for (const char *p = strstr(written, "\n\n"); *p != '\0';) {
		size_t line = strcspn(p, "\n");

		assert_true(line <= (strcmp(encoding, "7bit") == 0 ? 78 : 76));
		assert_false(g_str_has_prefix(p, "From "));
		p += line + (p[line] == '\n');
	}
	g_object_unref(part);
	return decoded;
}

static void text_is(const char *text, const char *encoding, const char *wanted)
{
	g_autofree char *decoded = text_part(text, encoding);

	assert_string_equal(decoded, wanted);
}

static void the_shortest_safe_encoding_is_taken(void **state)
{
	g_autofree char *line78 = g_strnfill(78, 'x');
	g_autofree char *line79 = g_strnfill(79, 'x');
	g_autofree char *line78_lf = g_strconcat(line78, "\n", NULL);
	g_autofree char *line79_lf = g_strconcat(line79, "\n", NULL);

	(void)state;
	text_is("", "7bit", "");
	text_is("a\tb\n", "7bit", "a\tb\n");
	text_is("a", "7bit", "a\n");
	text_is("a\r\nb\rc\n\n", "7bit", "a\nb\nc\n\n");
	text_is(line78, "7bit", line78_lf);
	text_is(line79, "quoted-printable", line79_lf);
	text_is("Viele liebe Gr\u00fc\u00dfe an alle\n", "quoted-printable",
		"Viele liebe Gr\u00fc\u00dfe an alle\n");
	text_is("\u65e5\u672c\u8a9e\u306e\u30e1\u30fc\u30eb\n", "base64",
		"\u65e5\u672c\u8a9e\u306e\u30e1\u30fc\u30eb\n");
	text_is("From here\n>From there\nFrom\nFrom \n", "quoted-printable",
		"From here\n>From there\nFrom\nFrom \n");
	text_is("trailing blanks  \nand = signs\x01\x7f, longer than base64 could be\n",
		"quoted-printable",
		"trailing blanks  \nand = signs\x01\x7f, longer than base64 could be\n");
}

static void long_texts_come_back(void **state)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(4);
	static const char *const pieces[] = {"From ", "\n", "=",  "word ", "\u00fc",
					     ".",     "  ", "\t", "x"};

	(void)state;
	for (size_t i = 0; i < 500; i++) {
		g_autoptr(GString) text =
			g_string_new("\u00fc start of a text that is mostly letters");

		for (size_t n = 0; n < i; n++)
			g_string_append(text,
					pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
		g_string_append_c(text, '\n');
		GMimeObject *part = build_text("plain", text->str);
		g_autofree char *decoded = decoded_content(part);

		assert_string_equal(decoded, text->str);
		g_object_unref(part);
	}
}

static void bcc_is_in_no_header(void **state)
{
	g_autofree char *message = built(", \"TextBody\": \"t\", \"Bcc\": \"secret@z.example\"");
	static const char json[] = "{\"From\": \"a@x.example\", \"Bcc\": \"secret@z.example\","
				   " \"Subject\": \"\", \"TextBody\": \"\"}";
	struct reason reason = {0};
	struct request *request = request_new(json, strlen(json), NULL, "bulk", config, &reason);
	const struct build_input input = {.request = request, .config = config, .date = DATE};
	g_autofree char *alone = text_of(&input);

	(void)state;
	assert_null(strstr(message, "secret"));
	assert_null(strstr(message, "Bcc"));
	assert_null(strstr(alone, "secret"));
	field_is(alone, "To", " undisclosed-recipients:;");
	request_free(&request);
}

static void lists_can_be_left(void **state)
{
	g_autofree char *both =
		built(", \"TextBody\": \"t\", \"ListUnsubscribe\": "
		      "{\"Url\": \"https://x.example/u\", \"Mailto\": \"u@x.example\"}");
	g_autofree char *mailto =
		built(", \"TextBody\": \"t\", \"ListUnsubscribe\": {\"Mailto\": \"u@x.example\"}");

	(void)state;
	field_is(both, "List-Unsubscribe", " <https://x.example/u>, <mailto:u@x.example>");
	field_is(both, "List-Unsubscribe-Post", " List-Unsubscribe=One-Click");
	field_is(mailto, "List-Unsubscribe", " <mailto:u@x.example>");
	field_is(mailto, "List-Unsubscribe-Post", NULL);
}

static void threads_and_own_headers(void **state)
{
	g_autofree char *message = built(", \"TextBody\": \"t\", \"ReplyTo\": \"R <r@x.example>, "
					 "s@x.example\", \"Headers\": ["
					 "{\"Name\": \"In-Reply-To\", \"Value\": \"<a@b>\"},"
					 "{\"Name\": \"References\", \"Value\": \"<c@d> <a@b>\"},"
					 "{\"Name\": \"X-Long\", \"Value\": \"1234567890 "
					 "1234567890 1234567890 1234567890 1234567890"
					 " 1234567890 1234567890 1234567890\"}]");

	(void)state;
	field_is(message, "Reply-To", " R <r@x.example>, s@x.example");
	field_is(message, "In-Reply-To", " <a@b>");
	field_is(message, "References", " <c@d> <a@b>");
	field_is(message, "X-Long",
		 " 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890\r\n"
		 " 1234567890 1234567890");
}

static void a_template_gives_subject_texts_and_images(void **state)
{
	struct request *request = template_request();
	struct inline_image image = {(char *)"logo.png", (char *)"image/png",
				     (unsigned char *)"ABC", 3};
	struct rendered rendered = {.subject = (char *)"From the template",
				    .html = (char *)"<p>Hi <img src='cid:logo.png'></p>",
				    .auto_submitted = true,
				    .images = &image,
				    .image_count = 1};
	const struct build_input input = {.request = request,
					  .rendered = &rendered,
					  .config = config,
					  .date = DATE,
					  .boundary = "B"};
	g_autofree char *message = text_of(&input);

	(void)state;
	field_is(message, "Subject", " From the template");
	field_is(message, "Auto-Submitted", " auto-generated");
	field_is(message, "X-Loop", " mailpipe/mailpipe");
	assert_non_null(strstr(message, "multipart/related"));
	assert_non_null(strstr(message, "Content-Id: <logo.png>\r\n\r\nQUJD\r\n"));
	assert_non_null(strstr(message, "\r\n\r\nHi\r\n"));
	request_free(&request);
}

static enum outcome outcome_of(const struct build_input *input, struct reason *reason)
{
	enum outcome outcome = OUTCOME_OK;
	GBytes *bytes = build_message(input, &outcome, reason);

	assert_true((bytes != NULL) == (outcome == OUTCOME_OK));
	g_clear_pointer(&bytes, g_bytes_unref);
	return outcome;
}

static void a_rendered_subject_has_one_line(void **state)
{
	static const char *const subjects[] = {"a\nBcc: z@z.example", "a\rb", "a\x01", "a\xff"};
	struct request *request = template_request();

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
		const struct rendered rendered = {.subject = (char *)subjects[i],
						  .text = (char *)"t"};
		const struct build_input input = {
			.request = request, .rendered = &rendered, .config = config, .date = DATE};
		struct reason reason = {0};

		assert_int_equal(outcome_of(&input, &reason), OUTCOME_REJECT);
		assert_string_equal(reason.text, "Subject: no single line");
	}
	request_free(&request);
}

static void the_size_is_limited(void **state)
{
	struct request *request = request_of(", \"TextBody\": \"t\"");
	const struct build_input input = {.request = request, .config = config, .date = DATE};
	g_autofree char *message = text_of(&input);
	int64_t limit = config->limits.outgoing_size;
	struct reason reason = {0};

	(void)state;
	config->limits.outgoing_size = (int64_t)strlen(message);
	assert_int_equal(outcome_of(&input, &reason), OUTCOME_OK);
	config->limits.outgoing_size--;
	assert_int_equal(outcome_of(&input, &reason), OUTCOME_REJECT);
	assert_string_equal(reason.status, "5.3.4");
	config->limits.outgoing_size = limit;
	request_free(&request);
}

static void stored_attachments_must_be_there(void **state)
{
	struct request *request =
		request_of(", \"TextBody\": \"t\", \"Attachments\": [{\"AttachmentID\": "
			   "\"01890000-0000-7000-8000-000000000002\"}]");
	const struct build_input input = {
		.request = request, .config = config, .date = DATE, .boundary = "B"};
	struct request_attachment *stored = &request->attachments[0];
	struct reason reason = {0};

	(void)state;
	assert_int_equal(outcome_of(&input, &reason), OUTCOME_RETRY);
	assert_string_equal(reason.text, "Attachments[0]: not fetched");
	/* What a stranger once sent: the type is nonsense, or may not be in base64. */
	stored->data = (unsigned char *)g_strdup("ABC");
	stored->size = 3;
	stored->name = g_strdup("a.eml");
	stored->content_type = g_strdup("message/rfc822");
	g_autofree char *message = text_of(&input);

	assert_non_null(
		strstr(message, "Content-Type: application/octet-stream;\r\n\tname=\"a.eml\"\r\n"));
	g_free(stored->content_type);
	stored->content_type = g_strdup("image/png\r\nX-Bad: 1");
	g_autofree char *nonsense = text_of(&input);

	assert_null(strstr(nonsense, "X-Bad"));
	g_free(stored->name);
	stored->name = g_strdup("a\nb");
	assert_int_equal(outcome_of(&input, &reason), OUTCOME_REJECT);
	assert_string_equal(reason.text, "Attachments[0].Name: no single line");
	request_free(&request);
}

/* Two messages never share one, and the content cannot know it. */
static void boundaries_are_random(void **state)
{
	struct request *request = request_of(", \"TextBody\": \"t\", \"HtmlBody\": \"<p>\"");
	const struct build_input input = {.request = request, .config = config, .date = DATE};
	g_autofree char *one = text_of(&input);
	g_autofree char *two = text_of(&input);
	const char *boundary = strstr(one, "boundary=\"");

	(void)state;
	g_autofree char *value = g_strndup(boundary + strlen("boundary=\""), strlen("=_") + 24);

	assert_true(g_str_has_prefix(value, "=_"));
	assert_int_equal(strspn(value + 2, "0123456789abcdef"), 24);
	assert_null(strstr(two, value));
	request_free(&request);
}

static void dates(void **state)
{
	struct request *request = request_of(", \"TextBody\": \"t\"");
	struct build_input input = {.request = request, .config = config, .date = 0};
	g_autofree char *first = text_of(&input);

	(void)state;
	assert_true(g_str_has_prefix(first, "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"));
	input.date = 1709251199;
	g_autofree char *leap = text_of(&input);

	assert_true(g_str_has_prefix(leap, "Date: Thu, 29 Feb 2024 23:59:59 +0000\r\n"));
	request_free(&request);
}

static void html_that_takes_too_long_needs_a_text(void **state)
{
	enum { OPEN = 100000, WRONG = 1000000 };
	g_autoptr(GString) html = g_string_new(", \"HtmlBody\": \"");
	struct reason reason = {0};

	(void)state;
	for (int i = 0; i < OPEN; i++)
		g_string_append(html, "<b>");
	for (int i = 0; i < WRONG; i++)
		g_string_append(html, "</i>");
	g_string_append_c(html, '"');
	struct request *request = request_of(html->str);
	const struct build_input input = {.request = request, .config = config, .date = DATE};

	assert_int_equal(outcome_of(&input, &reason), OUTCOME_REJECT);
	assert_string_equal(reason.status, "5.6.0");
	request_free(&request);
}

static int setup(void **state)
{
	(void)state;
	build_init();
	config = config_default();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_message),
		cmocka_unit_test(html_alone_gets_a_text),
		cmocka_unit_test(all_kinds_of_parts_nest),
		cmocka_unit_test(references_in_html),
		cmocka_unit_test(the_shortest_safe_encoding_is_taken),
		cmocka_unit_test(long_texts_come_back),
		cmocka_unit_test(bcc_is_in_no_header),
		cmocka_unit_test(lists_can_be_left),
		cmocka_unit_test(threads_and_own_headers),
		cmocka_unit_test(a_template_gives_subject_texts_and_images),
		cmocka_unit_test(a_rendered_subject_has_one_line),
		cmocka_unit_test(the_size_is_limited),
		cmocka_unit_test(stored_attachments_must_be_there),
		cmocka_unit_test(boundaries_are_random),
		cmocka_unit_test(dates),
		cmocka_unit_test(html_that_takes_too_long_needs_a_text),
	};

	return cmocka_run_group_tests_name("build", tests, setup, teardown);
}
