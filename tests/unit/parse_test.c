#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "common/sha256.h"
#include "common/html_text.h"
#include "mailin/parse/parse.h"

static char believed[] = "mx.example.com";

/* Small enough that a test reaches them. */
static const struct config_limits LIMITS = {
	.message_size = 1000000,
	.header_bytes = 4000,
	.headers = 20,
	.parts = 12,
	.depth = 4,
	.attachments = 5,
	.addresses = 4,
	.filename_bytes = 60,
	.image_pixels = 1000000,
	.archive_entries = 1000,
	.archive_bytes = 1 << 20,
	.body_bytes = 2000,
};

static struct wire *new_document(void)
{
	struct wire *document = wire_object();
	struct wire *mailpipe = wire_object();
	struct wire *envelope = wire_object();

	wire_set(document, "Mailpipe", mailpipe);
	wire_set(mailpipe, "Defects", wire_array());
	wire_set(mailpipe, "Envelope", envelope);
	wire_set_text(envelope, "Sender", "s@example.com");
	return document;
}

static struct wire *parse_bytes(const char *mail, size_t size, enum config_raw raw)
{
	struct wire *document = new_document();

	char *authserv_ids[] = {believed, NULL};
	const struct document_job job = {.document = document,
					 .limits = LIMITS,
					 .raw = raw,
					 .loop = "mailpipe/test",
					 .authserv_ids = authserv_ids,
					 .authserv_hops = 1};

	parse_mail(mail, size, &job);
	return document;
}

static struct wire *parse(const char *mail)
{
	return parse_bytes(mail, strlen(mail), CONFIG_RAW_NO);
}

/* "a, b" */
static char *joined(const struct wire *array)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < wire_length(array); i++)
		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
				       wire_text(wire_at(array, i)));
	return g_string_free(text, FALSE);
}

static void assert_defects(const struct wire *document, const char *expected)
{
	g_autofree char *text =
		joined(wire_get_array(wire_get_object(document, "Mailpipe"), "Defects"));

	assert_string_equal(text, expected);
}

static bool has_defect(const struct wire *document, const char *defect)
{
	struct wire *defects = wire_get_array(wire_get_object(document, "Mailpipe"), "Defects");

	for (size_t i = 0; i < wire_length(defects); i++)
		if (strcmp(wire_text(wire_at(defects, i)), defect) == 0)
			return true;
	return false;
}

static void assert_text(const struct wire *document, const char *key, const char *expected)
{
	assert_string_equal(wire_get_text(document, key), expected);
}

/* "Name <Email>" of each, separated by "; " */
static void assert_addresses(const struct wire *document, const char *key, const char *expected)
{
	struct wire *array = wire_get_array(document, key);
	g_autoptr(GString) text = g_string_new(NULL);

	for (size_t i = 0; i < wire_length(array); i++)
		g_string_append_printf(text, "%s%s <%s>", i > 0 ? "; " : "",
				       wire_get_text(wire_at(array, i), "Name"),
				       wire_get_text(wire_at(array, i), "Email"));
	assert_string_equal(text->str, expected);
}

static const char *header(const struct wire *document, const char *name)
{
	struct wire *headers = wire_get_array(document, "Headers");

	for (size_t i = 0; i < wire_length(headers); i++)
		if (strcmp(wire_get_text(wire_at(headers, i), "Name"), name) == 0)
			return wire_get_text(wire_at(headers, i), "Value");
	return NULL;
}

static struct wire *attachment(const struct wire *document, size_t index)
{
	struct wire *attachments = wire_get_array(document, "Attachments");

	assert_true(index < wire_length(attachments));
	return wire_at(attachments, index);
}

/* The document as a consumer reads it, for Content exists only in print. */
static void assert_content(const struct wire *document, size_t index, const char *bytes,
			   size_t size)
{
	size_t printed_size, content_size;
	struct reason reason;
	g_autofree char *printed = wire_print(document, false, &printed_size);
	struct wire *copy = wire_parse(printed, printed_size, &reason);
	g_autofree unsigned char *content =
		wire_get_base64(attachment(copy, index), "Content", &content_size);
	unsigned char digest[SHA256_SIZE];
	char hex[SHA256_TEXT_SIZE];
	int64_t length;

	assert_non_null(content);
	assert_int_equal(content_size, size);
	assert_memory_equal(content, bytes, size);
	sha256_of(bytes, size, digest);
	assert_text(attachment(copy, index), "Sha256", sha256_text(digest, hex));
	assert_true(wire_get_int(attachment(copy, index), "ContentLength", &length));
	assert_int_equal(length, size);
	wire_free(&copy);
}

#define HEADER "From: Ann <a@example.com>\nDate: Fri, 5 May 2023 17:41:16 -0400\n"
#define HTML_MAIL "Content-Type: text/html\n\n"
#define MIXED HEADER "Content-Type: multipart/mixed; boundary=b\n\n"

/* ---- header fields ---- */

static void plain_mail(void **state)
{
	(void)state;
	struct wire *d = parse(HEADER "To: b@example.com\nSubject: Hello\nMessage-ID: <1@x>\n"
				      "In-Reply-To: <2@x>\nReferences: <3@x>\n\t<2@x>\n\nText\n");
	struct wire *mailpipe = wire_get_object(d, "Mailpipe");

	assert_text(d, "From", "a@example.com");
	assert_text(d, "FromName", "Ann");
	assert_text(wire_get_object(d, "FromFull"), "Email", "a@example.com");
	assert_text(d, "To", "b@example.com");
	assert_text(d, "Cc", "");
	assert_int_equal(wire_length(wire_get_array(d, "CcFull")), 0);
	assert_text(d, "Subject", "Hello");
	assert_text(d, "Date", "Fri, 5 May 2023 17:41:16 -0400");
	assert_text(d, "TextBody", "Text\n");
	assert_text(d, "HtmlBody", "");
	assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 0);
	assert_int_equal(wire_length(wire_get_array(d, "Headers")), 7);
	assert_text(mailpipe, "DateUTC", "2023-05-05T21:41:16Z");
	assert_text(mailpipe, "MessageIDHeader", "1@x");
	assert_text(mailpipe, "Auto", "no");
	g_autofree char *references = joined(wire_get_array(mailpipe, "References"));
	assert_string_equal(references, "3@x, 2@x");
	g_autofree char *reply = joined(wire_get_array(mailpipe, "InReplyTo"));
	assert_string_equal(reply, "2@x");
	assert_defects(d, "");
	wire_free(&d);
}

static void headers_keep_order_spelling_and_repeats(void **state)
{
	(void)state;
	struct wire *d = parse("x-B: 1\nX-a:2\nx-B : 3\n" HEADER "\n");
	struct wire *headers = wire_get_array(d, "Headers");

	assert_text(wire_at(headers, 0), "Name", "x-B");
	assert_text(wire_at(headers, 0), "Value", "1");
	assert_text(wire_at(headers, 1), "Name", "X-a");
	assert_text(wire_at(headers, 1), "Value", "2");
	assert_text(wire_at(headers, 2), "Name", "x-B");
	assert_text(wire_at(headers, 2), "Value", "3");
	wire_free(&d);
}

static void encoded_words_are_decoded(void **state)
{
	(void)state;
	static const struct {
		const char *subject;
		const char *expected;
	} cases[] = {
		{"=?utf-8?Q?J=C3=B6rg?=", "Jörg"},
		{"=?UTF-8?B?SsO2cmc=?=", "Jörg"},
		{"=?UTF-8?B?SsO2cmc?=", "Jörg"},
		{"=?utf-8?Q?a?=\n =?utf-8?Q?b?= c", "ab c"},
		{"a =?utf-8?Q?b?= c", "a b c"},
		{"=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "ä"},
		{"=?iso-8859-1*de?Q?=E4_=E4?=", "ä ä"},
		{"=?iso-8859-1?q?=e4?= =?utf-8?q?=c3=a4?=", "ää"},
		{"=?utf-8?Q?two words?=", "two words"},
		{"x=?utf-8?Q?y?=z", "xyz"},
		{"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"},
		{"=?utf-8?Q?a=0D=0ABcc:_b?=", "a  Bcc: b"},
		{"=?utf-8?Q?unterminated", "=?utf-8?Q?unterminated"},
		{"folded\n\t here", "folded here"},
		{"=?utf-8?Q?"
		 "?=",
		 ""},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *mail =
			g_strdup_printf("Subject: %s\n" HEADER "\n", cases[i].subject);
		struct wire *d = parse(mail);
		assert_text(d, "Subject", cases[i].expected);
		wire_free(&d);
	}
}

static void raw_8bit_headers_are_guessed(void **state)
{
	(void)state;
	struct wire *d = parse(HEADER "Subject: caf\xC3\xA9\nX-L: caf\xE9\n\n");
	assert_text(d, "Subject", "café");
	assert_string_equal(header(d, "X-L"), "café");
	assert_defects(d, "raw 8-bit characters in header");
	wire_free(&d);

	/* The body's charset is a better guess than Western Europe's. */
	d = parse(HEADER
		  "Subject: \xCF\xF0\xE8\nContent-Type: text/plain; charset=windows-1251\n\n");
	assert_text(d, "Subject", "При");
	wire_free(&d);
}

static void headers_are_bounded(void **state)
{
	(void)state;
	for (int n = 20; n <= 21; n++) {
		g_autoptr(GString) mail = g_string_new(NULL);
		for (int i = 0; i < n - 2; i++)
			g_string_append_printf(mail, "X-%d: y\n", i);
		g_string_append(mail, HEADER "\ntext\n");
		struct wire *d = parse(mail->str);
		assert_int_equal(wire_length(wire_get_array(d, "Headers")), 20);
		assert_int_equal(has_defect(d, "too many header fields"), n > 20);
		assert_text(d, "TextBody", "text\n");
		wire_free(&d);
	}
}

static void header_bytes_are_bounded(void **state)
{
	(void)state;
	for (size_t n = 4000; n <= 4001; n++) {
		size_t fill = n - strlen(HEADER "Subject: ");
		g_autofree char *subject = g_strnfill(fill, 'x');
		g_autofree char *mail =
			g_strdup_printf(HEADER "Subject: %s\nX-Y: z\n\nt\n", subject);
		struct wire *d = parse(mail);
		assert_int_equal(strlen(wire_get_text(d, "Subject")),
				 4000 - strlen(HEADER "Subject: "));
		assert_null(header(d, "X-Y"));
		assert_true(has_defect(d, "header too large"));
		assert_text(d, "TextBody", "t\n");
		wire_free(&d);
	}
}

static void odd_beginnings(void **state)
{
	(void)state;
	struct wire *d = parse("From x@y Fri May  5 17:41:16 2023\n" HEADER "\nt\n");
	assert_text(d, "From", "a@example.com");
	assert_defects(d, "");
	wire_free(&d);
	d = parse("\xEF\xBB\xBF" HEADER "\nt\n");
	assert_text(d, "From", "a@example.com");
	assert_defects(d, "");
	wire_free(&d);
	d = parse("Just a text\nof two lines\n");
	assert_text(d, "TextBody", "Just a text\nof two lines\n");
	assert_defects(d, "no header, no From, no Date");
	wire_free(&d);
	d = parse("");
	assert_text(d, "TextBody", "");
	assert_defects(d, "empty mail, no From, no Date");
	wire_free(&d);
	d = parse(HEADER "rubbish\nSubject: s\n\nt\n");
	assert_text(d, "Subject", "s");
	assert_text(d, "TextBody", "t\n");
	assert_defects(d, "malformed header line");
	wire_free(&d);
	d = parse(HEADER "This is the text.\nAnd more.\n");
	assert_text(d, "TextBody", "This is the text.\nAnd more.\n");
	assert_defects(d, "no empty line after header");
	wire_free(&d);
}

static void line_ends_of_all_kinds(void **state)
{
	(void)state;
	struct wire *d =
		parse("From: a@b\rDate: 5 May 2023 17:41:16 +0000\rSubject: s\r\rone\rtwo\r");
	assert_text(d, "Subject", "s");
	assert_text(d, "TextBody", "one\ntwo\n");
	wire_free(&d);
	d = parse("From: a@b\r\nSubject: s\r\n t\r\n\r\none\r\ntwo\rthree\nfour");
	assert_text(d, "Subject", "s t");
	assert_text(d, "TextBody", "one\ntwo\nthree\nfour");
	wire_free(&d);
}

static void nul_bytes_go(void **state)
{
	(void)state;
	static const char mail[] = HEADER "Subject: a\0b\n\nc\0d\n";
	struct wire *d = parse_bytes(mail, sizeof(mail) - 1, CONFIG_RAW_NO);

	assert_text(d, "Subject", "a b");
	assert_text(d, "TextBody", "cd\n");
	assert_defects(d, "NUL bytes in text");
	wire_free(&d);
}

/* ---- addresses ---- */

static void addresses_of_all_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *to;
		const char *expected;
	} cases[] = {
		{"a@x, B <b@x>", " <a@x>; B <b@x>"},
		{"\"Doe, John\" <j@x>", "Doe, John <j@x>"},
		{"Doe, John <j@x>", "Doe, John <j@x>"},
		{"=?utf-8?Q?Doe=2C_J=C3=B6rg?= <j@x>, k@x", "Doe, Jörg <j@x>;  <k@x>"},
		{"\"=?utf-8?Q?J=C3=B6rg?=\" <j@x>", "Jörg <j@x>"},
		{"Group: a@x, b@x; c@x", " <a@x>;  <b@x>;  <c@x>"},
		{"undisclosed-recipients:;", ""},
		{"A (comment) B <(c)a@x(d)>", "A B <a@x>"},
		{"a@x (Ann)", "Ann <a@x>"},
		{"\"Jos\xC3\xA9\" <jos\xC3\xA9@ex\xC3\xA1mple.com>", "José <josé@exámple.com>"},
		{"<@r1,@r2:a@x>", " <a@x>"},
		{"a@x; b@x", " <a@x>;  <b@x>"},
		{"a@x,, ,b@x", " <a@x>;  <b@x>"},
		{"=?utf-8?Q?Ann_=3Ca=40x=3E?=", "Ann <a@x>"},
		{"\"open <a@x>, b@x", "open <a@x>;  <b@x>"},
		{"A <a@x, B <b@x>", "A <a@x>; B <b@x>"},
		{"\"a b\"@x", " <\"a b\"@x>"},
		{"a@[192.0.2.1]", " <a@[192.0.2.1]>"},
		{"<mailto:a@x>", " <a@x>"},
		{"\"a\\\"b\" <a@x>", "a\"b <a@x>"},
		{"Foo <<a@x>>", "Foo <a@x>"},
		{"A <a@x> B <b@x>", "A <a@x>; B <b@x>"},
		{"<a@x> =?utf-8?Q?Ann?=", "Ann <a@x>"},
		{"=?utf-8?Q?a?= \"=?utf-8?Q?_b?=\" <a@x>", "a b <a@x>"},
		{"=?evil?b?!!!!?= <a@x>", "=?evil?b?!!!!?= <a@x>"},
		{"nobody", " <nobody>"},
		{"", ""},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *mail = g_strdup_printf("To: %s\n" HEADER "\n", cases[i].to);
		struct wire *d = parse(mail);
		assert_addresses(d, "ToFull", cases[i].expected);
		wire_free(&d);
	}
}

static void mailbox_hash_is_behind_the_plus(void **state)
{
	(void)state;
	struct wire *d = parse("To: a+b+c@x, a@x+y\n" HEADER "\n");
	struct wire *to = wire_get_array(d, "ToFull");

	assert_text(wire_at(to, 0), "MailboxHash", "b+c");
	assert_text(wire_at(to, 1), "MailboxHash", "");
	wire_free(&d);
}

static void groups_within_groups_are_flattened(void **state)
{
	(void)state;
	struct wire *d = parse("To: a: b: c@x; d@x\n" HEADER "\n");

	assert_addresses(d, "ToFull", " <c@x>;  <d@x>");
	assert_defects(d, "nested address groups");
	wire_free(&d);
}

static void addresses_are_bounded(void **state)
{
	(void)state;
	struct wire *d = parse("To: a@x, b@x, c@x, d@x\n" HEADER "\n");
	assert_int_equal(wire_length(wire_get_array(d, "ToFull")), 4);
	assert_defects(d, "");
	wire_free(&d);
	d = parse("To: a@x, b@x, c@x, d@x, e@x\n" HEADER "\n");
	assert_addresses(d, "ToFull", " <a@x>;  <b@x>;  <c@x>;  <d@x>");
	assert_defects(d, "too many addresses");
	wire_free(&d);
}

static void from_is_one_address(void **state)
{
	(void)state;
	struct wire *d = parse("From: A <a@x>, b@x\nDate: 5 May 2023 17:41:16 +0000\n\n");
	assert_text(d, "From", "a@x");
	assert_text(d, "FromName", "A");
	assert_defects(d, "several From addresses");
	wire_free(&d);
	d = parse("Date: 5 May 2023 17:41:16 +0000\n\n");
	assert_text(d, "From", "");
	assert_text(d, "FromName", "");
	assert_text(wire_get_object(d, "FromFull"), "Email", "");
	assert_defects(d, "no From");
	wire_free(&d);
}

static void dates_become_utc(void **state)
{
	(void)state;
	static const struct {
		const char *date;
		const char *utc;
	} cases[] = {
		{"Tue, 1 Jul 2003 10:52:37 +0200 (CEST)", "2003-07-01T08:52:37Z"},
		{"Tue, 1 Jul 2003 ((a) comment) 10:52:37 +0200", "2003-07-01T08:52:37Z"},
		{"1 Jul 03 10:52 EST", "2003-07-01T15:52:00Z"},
		{"Thu, 10 Jul 1997 14:53:31 A", "1997-07-10T14:53:31Z"},
		{"Thu, 10 Jul 1997 14:53:31 GMT", "1997-07-10T14:53:31Z"},
		{"Thu, 10 Jul 1997 14:53:31", "1997-07-10T14:53:31Z"},
		{"Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *mail = g_strdup_printf("From: a@x\nDate: %s\n\n", cases[i].date);
		struct wire *d = parse(mail);
		assert_text(wire_get_object(d, "Mailpipe"), "DateUTC", cases[i].utc);
		assert_defects(d, "");
		wire_free(&d);
	}
}

static void absurd_dates_are_null(void **state)
{
	(void)state;
	static const char *const dates[] = {"yesterday", "Mon, 99 Foo 2023 00:00:00 +0000",
					    "Thu, 1 Jan 1801 00:00:00 +0000"};

	for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
		g_autofree char *mail = g_strdup_printf("From: a@x\nDate: %s\n\n", dates[i]);
		struct wire *d = parse(mail);
		assert_text(d, "Date", dates[i]);
		assert_string_equal(
			wire_type_name(wire_get(wire_get_object(d, "Mailpipe"), "DateUTC")),
			wire_type_name(NULL));
		assert_defects(d, "unusable Date");
		wire_free(&d);
	}
}

/* ---- bodies ---- */

static void alternative_gives_text_and_html(void **state)
{
	(void)state;
	struct wire *d = parse(HEADER "Content-Type: multipart/alternative; boundary=\"b b\"\n\n"
				      "--b b\nContent-Type: text/plain\n\ntext\n"
				      "--b b\nContent-Type: text/html\n\n<p>html</p>\n--b b--\n");

	assert_text(d, "TextBody", "text");
	assert_text(d, "HtmlBody", "<p>html</p>");
	assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 0);
	assert_defects(d, "");
	wire_free(&d);
}

static void html_alone_gives_text(void **state)
{
	(void)state;
	struct wire *d =
		parse(HEADER "Content-Type: text/html\n\n<p>one</p><p>two &amp; three</p>");
	const char *text = wire_get_text(d, "TextBody");

	assert_non_null(strstr(text, "one"));
	assert_non_null(strstr(text, "two & three"));
	assert_null(strchr(text, '<'));
	wire_free(&d);
}

static void related_root_is_the_body(void **state)
{
	(void)state;
	struct wire *d =
		parse(HEADER "Content-Type: multipart/related; boundary=b; start=\"<root>\"\n\n"
			     "--b\nContent-Type: image/png\nContent-ID: <logo>\n\nPNG\n"
			     "--b\nContent-Type: text/html\nContent-ID: <root>\n\n<img "
			     "src=\"cid:logo\">\n--b--\n");

	assert_text(d, "HtmlBody", "<img src=\"cid:logo\">");
	assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 1);
	assert_text(attachment(d, 0), "ContentID", "logo");
	assert_text(attachment(d, 0), "ContentType", "image/png");
	wire_free(&d);
}

static void texts_of_a_mixed_are_joined(void **state)
{
	(void)state;
	struct wire *d = parse(MIXED "--b\n\none\n"
				     "--b\nContent-Type: image/gif\n\nGIF\n"
				     "--b\n\ntwo\n--b--\n");

	assert_text(d, "TextBody", "one\ntwo");
	assert_text(d, "HtmlBody", "");
	assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 1);
	wire_free(&d);
}

static void text_beside_html_is_in_both_bodies(void **state)
{
	(void)state;
	struct wire *d = parse(MIXED "--b\nContent-Type: text/html\n\n<p>hello</p>\n"
				     "--b\n\na < b\n--b--\n");

	assert_text(d, "HtmlBody", "<p>hello</p>\n<pre>a &lt; b</pre>\n");
	assert_non_null(strstr(wire_get_text(d, "TextBody"), "hello"));
	assert_non_null(strstr(wire_get_text(d, "TextBody"), "a < b"));
	wire_free(&d);
}

static void text_as_attachment_is_one(void **state)
{
	(void)state;
	struct wire *d =
		parse(MIXED "--b\n\nbody\n"
			    "--b\nContent-Disposition: attachment; filename=a.txt\n\nfile\n"
			    "--b\nContent-Type: text/plain; name=b.txt\n\nnamed\n--b--\n");

	assert_text(d, "TextBody", "body");
	assert_text(attachment(d, 0), "Name", "a.txt");
	assert_text(attachment(d, 0), "Disposition", "attachment");
	assert_content(d, 0, "file", 4);
	assert_text(attachment(d, 1), "Name", "b.txt");
	wire_free(&d);
}

static void flowed_text_is_joined(void **state)
{
	(void)state;
	struct wire *d = parse(HEADER "Content-Type: text/plain; format=flowed\n\none \ntwo\n");

	assert_text(d, "TextBody", "one two\n");
	wire_free(&d);
}

static void charsets_become_utf8(void **state)
{
	(void)state;
	struct wire *d = parse(HEADER "Content-Type: text/plain; charset=iso-2022-jp\n\n"
				      "\033$BF|K\\\033(B\n");
	assert_text(d, "TextBody", "日本\n");
	assert_defects(d, "");
	wire_free(&d);
	d = parse(HEADER "Content-Type: text/plain; charset=utf-8\n\ncaf\xE9\n");
	assert_text(d, "TextBody", "café\n");
	assert_defects(d, "wrong charset label");
	wire_free(&d);
	d = parse(HEADER "Content-Type: text/html\n\n<meta charset=\"windows-1251\">\xCF\xF0\n");
	assert_text(d, "HtmlBody", "<meta charset=\"windows-1251\">Пр\n");
	wire_free(&d);
}

static void bodies_are_cut_between_characters(void **state)
{
	(void)state;
	for (size_t n = 2000; n <= 2001; n++) {
		g_autofree char *fill = g_strnfill(n - 2, 'x');
		g_autofree char *mail = g_strdup_printf(HEADER "\n%sé", fill);
		struct wire *d = parse(mail);
		assert_int_equal(strlen(wire_get_text(d, "TextBody")), n == 2000 ? 2000 : 1999);
		assert_int_equal(has_defect(d, "body cut"), n > 2000);
		wire_free(&d);
	}
}

/* ---- attachments ---- */

static void image_alone_is_an_attachment(void **state)
{
	(void)state;
	struct wire *d =
		parse(HEADER "Content-Type: image/jpeg\nContent-Transfer-Encoding: base64\n\n"
			     "/9j/4AA=\n");

	assert_text(d, "TextBody", "");
	assert_text(attachment(d, 0), "Name", "attachment-1.jpg");
	assert_text(attachment(d, 0), "ContentType", "image/jpeg");
	assert_content(d, 0, "\xFF\xD8\xFF\xE0\x00", 5);
	assert_defects(d, "");
	wire_free(&d);
}

static void names_from_everywhere(void **state)
{
	(void)state;
	static const struct {
		const char *fields;
		const char *expected;
	} cases[] = {
		{"Content-Disposition: attachment; filename=\"a b.png\"", "a b.png"},
		{"Content-Disposition: attachment; filename=a b (1).png; size=3", "a b (1).png"},
		{"Content-Type: image/png; name=\"x.png\"", "x.png"},
		{"Content-Disposition: inline; filename*=utf-8'de'%C3%A4.png", "ä.png"},
		{"Content-Disposition: inline; filename=a.png; filename*=utf-8''%C3%A4.png",
		 "ä.png"},
		{"Content-Disposition: inline;\n filename*1=b.;\n filename*0*=utf-8''%C3%A4;\n"
		 " filename*2=png",
		 "äb.png"},
		{"Content-Disposition: inline; filename*=iso-2022-jp''%1B$BF|K%5C%1B%28B.png",
		 "日本.png"},
		{"Content-Disposition: inline; filename=\"=?utf-8?Q?=C3=A4=2Epng?=\"", "ä.png"},
		{"Content-Disposition: inline; filename==?utf-8?Q?=C3=A4=2Epng?=", "ä.png"},
		{"Content-Disposition: inline; filename=\"caf\xE9.png\"", "café.png"},
		{"Content-Disposition: inline; filename=\"..\\..\\a\\b.png\"", "b.png"},
		{"Content-Disposition: inline; filename=\"../../etc/passwd\"", "passwd"},
		{"Content-Disposition: inline; filename=\"\"", "attachment-1.png"},
		{"Content-Disposition: inline", "attachment-1.png"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		bool typed = g_str_has_prefix(cases[i].fields, "Content-Type");
		g_autofree char *mail =
			g_strdup_printf(HEADER "%s%s\n\nx",
					typed ? "" : "Content-Type: image/png\n", cases[i].fields);
		struct wire *d = parse(mail);
		assert_text(attachment(d, 0), "Name", cases[i].expected);
		wire_free(&d);
	}
}

static void embedded_message_is_kept_as_it_is(void **state)
{
	(void)state;
	static const char inner[] = "From: c@d\nContent-Type: multipart/mixed; boundary=i\n\n"
				    "--i\n\ninner text\n--i\nContent-Type: image/png\n\nx\n--i--\n";
	g_autofree char *mail =
		g_strdup_printf(MIXED "--b\n\nouter\n--b\nContent-Type: message/rfc822\n\n"
				      "%s\n--b--\n",
				inner);
	struct wire *d = parse(mail);

	assert_text(d, "TextBody", "outer");
	assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 1);
	assert_text(attachment(d, 0), "Name", "attachment-1.eml");
	assert_content(d, 0, inner, strlen(inner));
	wire_free(&d);
}

static void report_parts_are_attachments(void **state)
{
	(void)state;
	struct wire *d =
		parse(HEADER "Content-Type: multipart/report; report-type=delivery-status;"
			     " boundary=b\n\n--b\n\nfailed\n"
			     "--b\nContent-Type: message/delivery-status\n\nStatus: 5.1.1\n"
			     "--b\nContent-Type: text/rfc822-headers\n\nSubject: x\n--b--\n");

	assert_text(d, "TextBody", "failed");
	assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 2);
	assert_text(attachment(d, 0), "ContentType", "message/delivery-status");
	assert_text(wire_get_object(d, "Mailpipe"), "Auto", "bounce");
	wire_free(&d);
}

static void broken_base64_is_decoded_as_far_as_it_goes(void **state)
{
	(void)state;
	struct wire *d = parse(HEADER "Content-Type: application/x\n"
				      "Content-Transfer-Encoding: base64\n\naGVs*bG8\n");

	assert_content(d, 0, "hello", 5);
	assert_defects(d, "broken base64");
	wire_free(&d);
}

static void unknown_encoding_is_left_alone(void **state)
{
	(void)state;
	struct wire *d = parse(HEADER "Content-Type: application/x\n"
				      "Content-Transfer-Encoding: x-mine\n\nabc");

	assert_content(d, 0, "abc", 3);
	assert_defects(d, "unknown transfer encoding");
	wire_free(&d);
}

static void attachments_are_bounded(void **state)
{
	(void)state;
	for (size_t n = 5; n <= 6; n++) {
		g_autoptr(GString) mail = g_string_new(MIXED);
		for (size_t i = 0; i < n; i++)
			g_string_append(mail, "--b\nContent-Type: image/png\n\nx\n");
		g_string_append(mail, "--b--\n");
		struct wire *d = parse(mail->str);
		assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 5);
		assert_defects(d, n > 5 ? "too many attachments" : "");
		wire_free(&d);
	}
}

/* ---- the structure ---- */

static void parts_are_bounded(void **state)
{
	(void)state;
	for (size_t n = 11; n <= 12; n++) { /* and the multipart itself */
		g_autoptr(GString) mail = g_string_new(MIXED);
		for (size_t i = 0; i < n; i++)
			g_string_append(mail, "--b\n\nx\n");
		g_string_append(mail, "--b--\n");
		struct wire *d = parse(mail->str);
		assert_int_equal(strlen(wire_get_text(d, "TextBody")), 11 * 2 - 1);
		assert_defects(d, n > 11 ? "too many parts" : "");
		wire_free(&d);
	}
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	for (int n = 4; n <= 5; n++) {
		g_autoptr(GString) mail =
			g_string_new(HEADER "Content-Type: multipart/mixed; boundary=b0\n\n");
		for (int i = 1; i < n; i++)
			g_string_append_printf(
				mail, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n",
				i - 1, i);
		g_string_append_printf(mail, "--b%d\n\ntext\n", n - 1);
		for (int i = n - 1; i >= 0; i--)
			g_string_append_printf(mail, "--b%d--\n", i);
		struct wire *d = parse(mail->str);
		assert_text(d, "TextBody", n > 4 ? "" : "text");
		assert_int_equal(wire_length(wire_get_array(d, "Attachments")), n > 4 ? 1 : 0);
		assert_defects(d, n > 4 ? "parts nested too deeply" : "");
		wire_free(&d);
	}
}

static void broken_multiparts(void **state)
{
	(void)state;
	struct wire *d = parse(MIXED "--b\n\ntext\n");
	assert_text(d, "TextBody", "text\n");
	assert_defects(d, "unterminated multipart");
	wire_free(&d);
	d = parse(HEADER "Content-Type: multipart/mixed\n\nno boundary\n");
	assert_text(d, "TextBody", "no boundary\n");
	assert_defects(d, "multipart without boundary");
	wire_free(&d);
	d = parse(
		MIXED
		"--other\nContent-Type: text/plain\n\ntext\n--other\nContent-Type: image/png\n\nx\n"
		"--other--\n");
	assert_text(d, "TextBody", "text");
	assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 1);
	assert_defects(d, "multipart boundary not found");
	wire_free(&d);
	d = parse(MIXED "nothing of the kind\n");
	assert_text(d, "TextBody", "nothing of the kind\n");
	assert_defects(d, "multipart boundary not found");
	wire_free(&d);
}

static void outer_boundary_ends_inner_parts(void **state)
{
	(void)state;
	struct wire *d = parse(MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n"
				     "--c\n\ninner\n--b\nContent-Type: image/png\n\nx\n--b--\n");

	assert_text(d, "TextBody", "inner");
	assert_int_equal(wire_length(wire_get_array(d, "Attachments")), 1);
	assert_defects(d, "unterminated multipart");
	wire_free(&d);
}

/* ---- the raw mail ---- */

static bool has_raw(const char *mail, enum config_raw raw)
{
	struct wire *d = parse_bytes(mail, strlen(mail), raw);
	bool has = wire_get(wire_get_object(d, "Mailpipe"), "Raw") != NULL;

	wire_free(&d);
	return has;
}

static void raw_mail_when_asked_for(void **state)
{
	(void)state;
	static const char good[] = HEADER "\nt\n";
	static const char small[] =
		HEADER "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nt\n";
	static const char lossy[] = HEADER "Content-Transfer-Encoding: base64\n\naGVs*bG8\n";

	assert_false(has_raw(good, CONFIG_RAW_NO));
	assert_false(has_raw(lossy, CONFIG_RAW_NO));
	assert_false(has_raw(good, CONFIG_RAW_DEFECT));
	assert_false(has_raw(small, CONFIG_RAW_DEFECT));
	assert_true(has_raw(lossy, CONFIG_RAW_DEFECT));
	assert_true(has_raw(good, CONFIG_RAW_YES));
}

/* libxml2's start is slow, and most mails have no HTML. */
static void libxml2_is_loaded_for_html_only(void **state)
{
	static const char plain[] = "Content-Type: text/plain\r\n\r\nhtml, not text/htm";
	bool cut;

	(void)state;
	html_text_deinit();
	parse_prepare(plain, sizeof(plain) - 1);
	assert_null(html_to_text("x", 1, 1, &cut));
	parse_prepare("x/ hTmL", 7);
	g_autofree char *text = html_to_text("x", 1, 2, &cut);
	assert_string_equal(text, "x\n");
}

static int setup(void **state)
{
	(void)state;
	parse_init();
	(void)html_text_begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	parse_deinit();
	return 0;
}

static const char *auto_of(const char *fields, char **mail)
{
	struct wire *document;

	g_free(*mail);
	*mail = g_strconcat("From: a@example.com\r\n", fields, "\r\nHello\r\n", NULL);
	document = parse(*mail);
	const char *kind = wire_get_text(wire_get_object(document, "Mailpipe"), "Auto");

	kind = g_intern_string(kind);
	wire_free(&document);
	return kind;
}

static void our_own_mail_is_known(void **state)
{
	g_autofree char *mail = NULL;

	(void)state;
	assert_string_equal(auto_of("X-Loop: mailpipe/test\r\n", &mail), "loop");
	assert_string_equal(auto_of("x-loop:\r\n mailpipe/test \r\n", &mail), "loop");
	assert_string_equal(auto_of("X-Loop: ann@example.com\r\nAuto-Submitted: auto-replied\r\n"
				    "X-Loop: mailpipe/test\r\n",
				    &mail),
			    "loop");
	assert_string_equal(auto_of("X-Loop: mailpipe/test2\r\n", &mail), "no");
	assert_string_equal(auto_of("X-Loop: mailpipe/tes\r\n", &mail), "no");
	assert_string_equal(auto_of("X-Loop: Mailpipe/test\r\n", &mail), "no");
	assert_string_equal(auto_of("X-Loops: mailpipe/test\r\n", &mail), "no");
	assert_string_equal(auto_of("X-Loop:\r\n", &mail), "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_mail),
		cmocka_unit_test(headers_keep_order_spelling_and_repeats),
		cmocka_unit_test(encoded_words_are_decoded),
		cmocka_unit_test(raw_8bit_headers_are_guessed),
		cmocka_unit_test(headers_are_bounded),
		cmocka_unit_test(header_bytes_are_bounded),
		cmocka_unit_test(odd_beginnings),
		cmocka_unit_test(line_ends_of_all_kinds),
		cmocka_unit_test(nul_bytes_go),
		cmocka_unit_test(addresses_of_all_kinds),
		cmocka_unit_test(mailbox_hash_is_behind_the_plus),
		cmocka_unit_test(groups_within_groups_are_flattened),
		cmocka_unit_test(addresses_are_bounded),
		cmocka_unit_test(from_is_one_address),
		cmocka_unit_test(dates_become_utc),
		cmocka_unit_test(absurd_dates_are_null),
		cmocka_unit_test(alternative_gives_text_and_html),
		cmocka_unit_test(html_alone_gives_text),
		cmocka_unit_test(related_root_is_the_body),
		cmocka_unit_test(texts_of_a_mixed_are_joined),
		cmocka_unit_test(text_beside_html_is_in_both_bodies),
		cmocka_unit_test(text_as_attachment_is_one),
		cmocka_unit_test(flowed_text_is_joined),
		cmocka_unit_test(charsets_become_utf8),
		cmocka_unit_test(bodies_are_cut_between_characters),
		cmocka_unit_test(image_alone_is_an_attachment),
		cmocka_unit_test(names_from_everywhere),
		cmocka_unit_test(embedded_message_is_kept_as_it_is),
		cmocka_unit_test(report_parts_are_attachments),
		cmocka_unit_test(broken_base64_is_decoded_as_far_as_it_goes),
		cmocka_unit_test(unknown_encoding_is_left_alone),
		cmocka_unit_test(attachments_are_bounded),
		cmocka_unit_test(parts_are_bounded),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(broken_multiparts),
		cmocka_unit_test(outer_boundary_ends_inner_parts),
		cmocka_unit_test(raw_mail_when_asked_for),
		cmocka_unit_test(libxml2_is_loaded_for_html_only),
		cmocka_unit_test(our_own_mail_is_known),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
