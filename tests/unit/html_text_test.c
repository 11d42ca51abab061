#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>

#include "common/html_text.h"

enum { LIMIT = 1024 * 1024 };

static int load(void **state)
{
	(void)state;
	return html_text_begin() ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	html_text_deinit();
	return 0;
}

static void check(const char *html, const char *expected)
{
	bool cut = true;
	g_autofree char *text = html_to_text(html, strlen(html), LIMIT, &cut);

	assert_non_null(text);
	assert_string_equal(text, expected);
	assert_false(cut);
}

static void blocks_and_breaks(void **state)
{
	(void)state;
	check("", "");
	check("just text", "just text\n");
	check("<p>one\n  two</p><p>three</p>", "one two\n\nthree\n");
	check("<div>a</div><div>b<br>c</div>", "a\nb\nc\n");
	check("<div>a<br></div><div>b</div>", "a\nb\n");
	check("<div>a</div><div><br></div><div>b</div>", "a\n\nb\n");
	check("a<br><br><br><br>b", "a\n\nb\n");
	check("<h1>T</h1>text<hr>more", "T\n\ntext\n----------\nmore\n");
	check("<p>&nbsp;</p><p>x</p><p> </p><p>y</p>", "x\n\ny\n");
	check("un<b>br</b>oken <i>x</i> y", "unbroken x y\n");
}

static void entities_and_characters(void **state)
{
	(void)state;
	check("&lt;x&gt; &amp; &euro;&#228;&#x1F600; &unknown; a&nbsp;b",
	      "<x> & €ä😀 &unknown; a b\n");
	check("<meta charset=koi8-r>gr\u00FC\u00DFe \u65E5\u672C", "grüße 日本\n");
	check("soft\u00ADhyphen zero\u200Bwidth", "softhyphen zerowidth\n");
	check("\u0645\u06CC\u200C\u062E", "\u0645\u06CC\u200C\u062E\n");
	check("x\xFF"
	      "y",
	      "x\u00FFy\n");
}

static void invisible_parts_give_nothing(void **state)
{
	(void)state;
	check("<head><title>T</title><style>p{}</style></head><body>x<script>y()</script></body>",
	      "x\n");
	check("<div style='Display : none; x:y'>pre <b>header</b></div>x", "x\n");
	check("<span hidden>h</span><p style=\"color:red;visibility:hidden\">h</p>x", "x\n");
	check("preheader&#847; &zwnj; &nbsp;&#847; &zwnj; &nbsp;<p>x</p>", "preheader\n\nx\n");
	check("<!-- no --><!--[if mso]>no<![endif]--><![if !mso]>yes<![endif]>", "yes\n");
	check("<!--[if !mso]><!-->yes<!--<![endif]-->", "yes\n");
	check("<div style='mso-display:none'>yes</div>", "yes\n");
}

static void lists(void **state)
{
	(void)state;
	check("a<ul><li>one<li>two</ul>b", "a\n\n- one\n- two\n\nb\n");
	check("<ol start=9><li>x<li>y<li value=20>z</ol>", "9. x\n10. y\n20. z\n");
	check("<ul><li>a<ol><li>b<br>c</li></ol></li><li>d</ul>", "- a\n  1. b\n    c\n- d\n");
	check("<ul><li></li><li> </li></ul>x", "x\n");
	check("<li>stray", "- stray\n");
}

static void tables(void **state)
{
	(void)state;
	check("<table><tr><th>Item<th>Price<tr><td>Pen<td>5</table>x", "Item\tPrice\nPen\t5\nx\n");
	check("<table><tr><td></td><td> a </td><td></td><td>b</td></tr></table>", "a\tb\n");
	check("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb\n");
}

static void quotes(void **state)
{
	(void)state;
	check("me<blockquote style=\"margin: 0 0 0 40px; border: none\">me</blockquote>end",
	      "me\n\nme\n\nend\n");
	check("me<blockquote style=\"border:none;border-left:solid blue\">you</blockquote>end",
	      "me\n\n> you\n\nend\n");
	check("me<blockquote>you<p>there</p><blockquote>me</blockquote></blockquote>end",
	      "me\n\n> you\n>\n> there\n>\n> > me\n\nend\n");
}

static void preformatted(void **state)
{
	(void)state;
	check("a<pre>\n  x\n\n\n\ty\n</pre>b", "a\n\n  x\n\n\n\ty\n\nb\n");
	check("<div style='white-space: pre-wrap'>a  b\nc</div>", "a  b\nc\n");
}

static void links(void **state)
{
	(void)state;
	check("<a href='https://x.test/a?b=1&amp;c=2'>here</a>.",
	      "here <https://x.test/a?b=1&c=2>.\n");
	check("<a href='https://x.test/'>x.test</a>", "x.test\n");
	check("<a href='https://x.test'>HTTPS://X.test/</a>", "HTTPS://X.test/\n");
	check("<a href='mailto:a@b.test'>a@b.test</a>", "a@b.test\n");
	check("<a href='mailto:a@b.test'>mail</a>", "mail <mailto:a@b.test>\n");
	check("<a href='#x'>a</a> <a href='javascript:y()'>b</a> <a name=z>c</a>", "a b c\n");
	check("<a href='http://x.test/'> </a>y", "y\n");
	check("<a href='http://x.test/\n a>b'>c</a>", "c <http://x.test/ab>\n");
	check("<a href='http://x.test/'><img src=y alt=Logo></a>", "Logo <http://x.test/>\n");
	check("<a href='http://x.test/'><div>b</div></a>c", "b <http://x.test/>\nc\n");
}

static void images_give_their_alt_text(void **state)
{
	(void)state;
	check("<img src='cid:1' alt='A  cat'> <img src=x><img src=y alt=''>b", "A cat b\n");
}

static void text_is_cut_at_the_limit(void **state)
{
	bool cut = false;

	(void)state;
	g_autofree char *fits = html_to_text("<p>äää", 9, 7, &cut);
	assert_string_equal(fits, "äää\n");
	assert_false(cut);
	g_autofree char *text = html_to_text("<p>äää", 9, 5, &cut);
	assert_string_equal(text, "ää");
	assert_true(cut);
}

/* As in the sandbox, every open() fails. */
static void no_file_is_needed(void **state)
{
	struct rlimit before;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	struct rlimit none = {0, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	check("<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'http://www.w3.org/x.dtd'>"
	      "<?xml-stylesheet href='file:///etc/passwd'?><meta charset=shift_jis>x &auml;",
	      "x ä\n");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* Processor time: the machine may be busy with other tests. */
static void check_speed(const char *start, size_t starts, const char *more, size_t mores)
{
	g_autoptr(GString) html = g_string_new(NULL);
	bool cut;

	for (size_t i = 0; i < starts; i++)
		g_string_append(html, start);
	for (size_t i = 0; i < mores; i++)
		g_string_append(html, more);
	clock_t begin = clock();
	g_autofree char *text = html_to_text(html->str, html->len, LIMIT, &cut);
	if (clock() - begin > 5 * CLOCKS_PER_SEC)
		fail_msg("slow: %s %s", start, more);
	assert_true(strlen(text) <= LIMIT);
	assert_true(g_utf8_validate(text, -1, NULL));
	html_text_deinit();
	assert_true(html_text_begin());
}

static void depth_and_garbage_take_linear_time(void **state)
{
	(void)state;
	check_speed("<div>", 100000, "x", 1);
	check_speed("<b>", 100000, "</i>", 1000000);
	check_speed("<blockquote>", 100000, "<p>x", 500000);
	check_speed("<ul>", 100000, "<li>x", 500000);
	check_speed("<table><tr><td>", 300000, "", 0);
	check_speed("<!--", 1000000, "", 0);
	check_speed("<a href=\"", 1000000, "", 0);
	check_speed("<body>", 1000000, "", 0);
	check_speed("<", 5000000, "", 0);
	check_speed("<![if x", 1000000, "", 0);
}

/* libxml2 compares each attribute with all others of its tag. */
static void check_attributes(const char *before, const char *format)
{
	enum { ATTRIBUTES = 100000 };
	g_autoptr(GString) html = g_string_new(before);
	bool cut;

	for (int i = 0; i < ATTRIBUTES; i++) {
		g_autofree char *number = g_strdup_printf("a%d", i);

		g_string_append(html, number);
		g_string_append(html, format);
	}
	g_string_append(html, ">text");
	clock_t begin = clock();
	g_autofree char *text = html_to_text(html->str, html->len, LIMIT, &cut);

	assert_non_null(text);
	if (clock() - begin > 5 * CLOCKS_PER_SEC)
		fail_msg("slow: %s %s", before, format);
	html_text_deinit();
	assert_true(html_text_begin());
}

static void attributes_take_bounded_time(void **state)
{
	(void)state;
	check_attributes("<x ", " ");
	check_attributes("<x ", "=\"\"");
	check_attributes("<x ", " = ");
	check_attributes("<x don't><y ", " ");
	check_attributes("<!-- <z a='--><y ", " ");
	check_attributes("<script><z a='</script><y ", " ");
}

static void unloaded_it_gives_nothing(void **state)
{
	bool cut;

	(void)state;
	assert_null(html_to_text("x", 1, LIMIT, &cut));
	assert_true(html_text_begin());
	g_autofree char *text = html_to_text("x", 1, LIMIT, &cut);
	assert_string_equal(text, "x\n");
	html_text_deinit();
}

/* What one message's HTML used up is not missing for the next one. */
static void each_message_has_its_own_budget(void **state)
{
	enum { OPEN = 100000, WRONG = 1000000 };
	g_autoptr(GString) html = g_string_new(NULL);
	bool cut;

	(void)state;
	for (int i = 0; i < OPEN; i++)
		g_string_append(html, "<b>");
	for (int i = 0; i < WRONG; i++)
		g_string_append(html, "</i>");
	g_free(html_to_text(html->str, html->len, LIMIT, &cut));
	assert_true(cut);
	g_free(html_to_text("<b>x</i>", 8, LIMIT, &cut));
	assert_true(cut);
	assert_true(html_text_begin());
	g_autofree char *text = html_to_text("<b>x</i>", 8, LIMIT, &cut);
	assert_false(cut);
	assert_string_equal(text, "x\n");
}

#define LOADED(test) cmocka_unit_test_setup_teardown(test, load, unload)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unloaded_it_gives_nothing),
		LOADED(each_message_has_its_own_budget),
		LOADED(blocks_and_breaks),
		LOADED(entities_and_characters),
		LOADED(invisible_parts_give_nothing),
		LOADED(lists),
		LOADED(tables),
		LOADED(quotes),
		LOADED(preformatted),
		LOADED(links),
		LOADED(images_give_their_alt_text),
		LOADED(text_is_cut_at_the_limit),
		LOADED(no_file_is_needed),
		LOADED(depth_and_garbage_take_linear_time),
		LOADED(attributes_take_bounded_time),
	};
	return cmocka_run_group_tests_name("html_text", tests, NULL, NULL);
}
