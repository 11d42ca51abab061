/* What of a text its sender wrote: tests/replies, and what holds for any text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <glib.h>

#include <cmocka.h>

#include "common/html_text.h"
#include "mailin/parse/reply.h"

static const char folder[] = "tests/replies";

/* ---- tests/replies ---- */

struct expected {
	char *rule;
	char *subject;
	GString *text;
	GString *kept;
	GString *removed;
	int line; /* of the file */
};

static void free_expected(void *item)
{
	struct expected *expected = item;

	g_free(expected->rule);
	g_free(expected->subject);
	g_string_free(expected->text, TRUE);
	g_string_free(expected->kept, TRUE);
	g_string_free(expected->removed, TRUE);
	g_free(expected);
}

static struct expected *begin_expected(const char *head, int line)
{
	struct expected *expected = g_new0(struct expected, 1);
	g_auto(GStrv) parts = g_strsplit(head + 1, "|", 2);

	expected->rule = g_strdup(g_strstrip(parts[0]));
	expected->subject = parts[1] != NULL ? g_strdup(g_strstrip(parts[1])) : NULL;
	expected->text = g_string_new(NULL);
	expected->kept = g_string_new(NULL);
	expected->removed = g_string_new(NULL);
	expected->line = line;
	return expected;
}

static void add_line(struct expected *expected, const char *line)
{
	g_autofree char *text = g_strdup(*line != '\0' ? line + 1 : "");
	size_t size = strlen(text);

	if (size > 0 && text[size - 1] == '~')
		text[size - 1] = ' ';
	g_string_append_printf(expected->text, "%s\n", text);
	if (*line == '+')
		g_string_append_printf(expected->kept, "%s\n", text);
	else if (*line == '-')
		g_string_append_printf(expected->removed, "%s\n", text);
}

static GPtrArray *read_expected(const char *path)
{
	g_autofree char *file = NULL;
	GPtrArray *all = g_ptr_array_new_with_free_func(free_expected);

	assert_true(g_file_get_contents(path, &file, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(file, "\n", -1);
	for (int i = 0; lines[i] != NULL; i++) {
		if (*lines[i] == '@')
			g_ptr_array_add(all, begin_expected(lines[i], i + 1));
		else if (all->len > 0 && *lines[i] != '#')
			add_line(all->pdata[all->len - 1], lines[i]);
	}
	return all;
}

/* Blank lines apart. */
static char *lines_of(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *out = g_string_new(NULL);

	for (size_t i = 0; lines[i] != NULL; i++)
		if (lines[i][strspn(lines[i], " \t\xC2\xA0")] != '\0')
			g_string_append_printf(out, "%s\n", lines[i]);
	return g_string_free(out, FALSE);
}

static bool are_lines(const char *got, const char *wanted, const char *what)
{
	g_autofree char *a = lines_of(got);
	g_autofree char *b = lines_of(wanted);

	if (strcmp(a, b) != 0)
		print_error("%s: \"%s\", wanted \"%s\"\n", what, a, b);
	return strcmp(a, b) == 0;
}

static bool is_cut_so(const char *name, const struct expected *expected)
{
	const struct reply_hints hints = {.subject = expected->subject};
	const char *rule = strcmp(expected->rule, "-") == 0 ? "" : expected->rule;
	struct reply reply;

	reply_split(expected->text->str, expected->text->len, &hints, &reply);
	bool kept = are_lines(reply.text, expected->kept->str, "kept");
	bool fine = are_lines(reply.quote, expected->removed->str, "removed") && kept;

	if (strcmp(reply.rule, rule) != 0) {
		print_error("rule \"%s\", wanted \"%s\"\n", reply.rule, rule);
		fine = false;
	}
	if (!fine)
		print_error("%s:%d\n", name, expected->line);
	reply_clear(&reply);
	return fine;
}

static void each_text_is_cut_where_its_file_says(void **state)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	unsigned int failed = 0;

	(void)state;
	assert_non_null(dir);
	for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
		if (!g_str_has_suffix(name, ".txt"))
			continue;
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autoptr(GPtrArray) all = read_expected(path);

		for (unsigned int i = 0; i < all->len; i++)
			failed += !is_cut_so(name, all->pdata[i]);
	}
	assert_int_equal(failed, 0);
}

/* ---- results ---- */

static void split(const char *text, struct reply *reply)
{
	const struct reply_hints hints = {0};

	reply_split(text, strlen(text), &hints, reply);
}

static void what_stays_is_as_it_was(void **state)
{
	struct reply reply;

	(void)state;
	split("\n\n  Hello \n\n\n there\t\n\n-- \nAnn\n\n", &reply);
	assert_string_equal(reply.text, "  Hello \n\n\n there\t\n");
	assert_string_equal(reply.quote, "-- \nAnn\n");
	assert_string_equal(reply.rule, "signature");
	reply_clear(&reply);
	split("\n  Nothing is cut: it is the same \n\n", &reply);
	assert_string_equal(reply.text, "\n  Nothing is cut: it is the same \n\n");
	assert_string_equal(reply.quote, "");
	assert_string_equal(reply.rule, "");
	reply_clear(&reply);
}

static void an_empty_text_stays_empty(void **state)
{
	static const char *const texts[] = {"",    "\n",    " \n\t\n", "--",
					    "-- ", "-- \n", ">",       "\n>\n"};
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		split(texts[i], &reply);
		assert_string_equal(reply.text, texts[i]);
		assert_string_equal(reply.rule, "");
		reply_clear(&reply);
	}
}

static void a_text_of_too_many_lines_stays_whole(void **state)
{
	enum { MAX = 200000 };
	g_autoptr(GString) text = g_string_new("Hello\n");
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < MAX - 1; i++)
		g_string_append(text, ">\n");
	split(text->str, &reply);
	assert_string_equal(reply.text, "Hello\n");
	reply_clear(&reply);
	g_string_append(text, ">\n");
	split(text->str, &reply);
	assert_int_equal(strlen(reply.text), text->len);
	assert_string_equal(reply.rule, "");
	reply_clear(&reply);
}

/* ---- HTML ---- */

static void split_html(const char *html, struct reply *reply)
{
	bool cut;
	g_autoptr(GArray) marks = g_array_new(FALSE, FALSE, sizeof(struct html_mark));

	assert_true(html_text_begin());
	g_autofree char *text = html_to_marked_text(html, strlen(html), 1 << 20, &cut, marks);
	const struct reply_hints hints = {
		.marks = (const struct html_mark *)(const void *)marks->data,
		.mark_count = marks->len,
	};

	reply_split(text, strlen(text), &hints, reply);
	html_text_deinit();
}

static void each_client_s_element_is_known(void **state)
{
	/* The words between are in no language. */
	static const struct {
		const char *html;
		const char *text;
		const char *rule;
	} cases[] = {
		{"<div dir=\"ltr\">Yes</div><br><div class=\"gmail_quote gmail_quote_container\">"
		 "<div dir=\"ltr\" class=\"gmail_attr\">Xyz 1, Ann bla:<br></div>"
		 "<blockquote class=\"gmail_quote\">Did you?</blockquote></div>",
		 "Yes\n", "html-gmail"},
		{"<div>Yes</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">"
		 "---------- Forwarded message ---------<br>From: Ann</div>Did you?</div>",
		 NULL, ""},
		{"<p>Yes</p><div class=\"moz-cite-prefix\">Xyz bla:<br></div>"
		 "<blockquote type=\"cite\" cite=\"mid:1@example.org\">Did you?</blockquote>",
		 "Yes\n", "html-thunderbird"},
		{"<p>Yes</p><div class=\"moz-forward-container\"><table><tr><th>Xyz: </th>"
		 "<td>Ann</td></tr></table>On 5 Mar 2019, at 10:11, Ann &lt;a@b.c&gt; wrote:<br>"
		 "<blockquote type=\"cite\">Did you?</blockquote></div>",
		 NULL, ""},
		{"<div>Yes</div><div><br><blockquote type=\"cite\"><div>Xyz bla:</div>"
		 "<div>Did you?</div></blockquote></div>",
		 "Yes\n", "html-cite"},
		{"<div>Yes</div><div id=\"ydp1yahoo_quoted_9\" class=\"ydp1yahoo_quoted\">"
		 "<div>Xyz bla:</div><div>Did you?</div></div>",
		 "Yes\n", "html-yahoo"},
		{"<div class=\"yahoo_quoted\">Xyz bla:<br>Did you?</div><div>Yes, below</div>",
		 "Yes, below\n", "html-yahoo"},
		{"<div>Yes</div><div id=\"appendonsend\"></div><hr tabindex=\"-1\">"
		 "<div id=\"divRplyFwdMsg\" dir=\"ltr\"><font><b>Xa:</b> Ann &lt;a@b.c&gt;<br>"
		 "<b>Xb:</b> 1.2.2019 10:11<br><b>Xc:</b> Bob<br><b>Xd:</b> "
		 "Hello</font><div>&nbsp;</div></div>"
		 "<div>Did you?</div>",
		 "Yes\n", "html-outlook"},
		{"<div class=\"WordSection1\"><p class=\"MsoNormal\">Yes</p><div><div "
		 "style=\"border:none;"
		 "border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p "
		 "class=\"MsoNormal\">"
		 "<b>Xa:</b> Ann <br><b>Xb:</b> 1.2.2019 10:11<br><b>Xc:</b> Bob<br><b>Xd:</b> "
		 "Hello</p></div></div>"
		 "<p class=\"MsoNormal\">Did you?</p></div>",
		 "Yes\n", "html-outlook"},
		{"<div>Yes</div><span id=\"OLK_SRC_BODY_SECTION\"><div><span>Xa: </span>Ann<br>"
		 "<span>Xb: </span>1.2.2019 10:11<br><span>Xc: </span>Bob<br></div><div>Did "
		 "you?</div></span>",
		 "Yes\n", "html-outlook"},
		{"<div>Yes</div><div class=\"protonmail_quote\">Xyz bla:<br>"
		 "<blockquote class=\"protonmail_quote\" type=\"cite\">Did you?</blockquote></div>",
		 "Yes\n", "html-proton"},
		{"<div>Ja</div><div name=\"quote\" style=\"border-left:2px solid #C3D9E5\">"
		 "<div><b>Xyz:</b> bla</div><div>Haben Sie?</div></div>",
		 "Ja\n", "html-gmx"},
		{"<div>Yes</div><div class=\"gmail_signature\">Ann<br>Example Ltd</div>", "Yes\n",
		 "signature"},
		{"<div>Yes</div><div id=\"ms-outlook-mobile-signature\">Xyz bla</div>"
		 "<div id=\"divRplyFwdMsg\"><b>Xa:</b> Ann<br><b>Xb:</b> 1.2.2019 "
		 "10:11<br><b>Xc:</b> "
		 "Bob</div>",
		 "Yes\n", "html-outlook"},
	};
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		split_html(cases[i].html, &reply);
		if (strcmp(reply.rule, cases[i].rule) != 0)
			print_error("case %zu: %s\n", i, reply.text);
		assert_string_equal(reply.rule, cases[i].rule);
		if (cases[i].text != NULL)
			assert_string_equal(reply.text, cases[i].text);
		else
			assert_string_equal(reply.quote, "");
		reply_clear(&reply);
	}
}

static void answers_within_a_client_s_element_stay(void **state)
{
	struct reply reply;

	(void)state;
	split_html("<div class=\"gmail_quote\"><div class=\"gmail_attr\">Xyz bla:</div>"
		   "<blockquote class=\"gmail_quote\">Did you?</blockquote><div>Yes</div>"
		   "<blockquote class=\"gmail_quote\">Did it help?</blockquote><div>No</div></div>",
		   &reply);
	assert_string_equal(reply.text, "> Did you?\n\nYes\n\n> Did it help?\n\nNo\n");
	assert_string_equal(reply.quote, "Xyz bla:\n");
	reply_clear(&reply);
	/* Above the attribution. */
	split_html("<div class=\"gmail_quote\">Yes, 5 of them.<br>Please hurry.<br><br>"
		   "On Tue, 5 Mar 2019 at 10:11, Ann &lt;a@example.org&gt; wrote:<br>"
		   "<blockquote class=\"gmail_quote\">Did you?</blockquote></div>",
		   &reply);
	assert_string_equal(reply.text, "Yes, 5 of them.\nPlease hurry.\n");
	reply_clear(&reply);
	split_html("<div class=\"gmail_quote\">Yes.<br>Please hurry.<br>Xyz bla:<br>"
		   "<blockquote class=\"gmail_quote\">Did you?</blockquote></div>",
		   &reply);
	assert_string_equal(reply.text, "Yes.\nPlease hurry.\nXyz bla:\n");
	reply_clear(&reply);
}

static void a_mark_that_the_text_does_not_bear_out_is_nothing(void **state)
{
	static const char *const texts[] = {
		"<p>Hello</p><div id=\"divRplyFwdMsg\">my own words</div><p>and more</p>",
		"<p>Hello</p><div class=\"gmail_quote\">my own words</div><p>and more</p>",
		"<p>Hi</p><div style=\"border:none;border-top:solid\">Sum: 5</div><p>more</p>",
		"<p>Hi</p><div style=\"border:none;border-top:solid\"><p>Name: Ann<br>"
		"Street: Main 5<br>City: Berlin<br>Phone: 123</p></div><p>Please send it</p>",
		/* The button for more indent. */
		"<p>Hi</p><blockquote style=\"margin: 0 0 0 40px; border: none; padding: 0px;\">"
		"my own words</blockquote>",
		"<p>Hi</p><blockquote style=\"margin-top:0;margin-bottom:0\">my own</blockquote>",
		/* Below a signature. */
		"<p>Hi</p><div id=\"Signature\">Ann<br>Example Ltd</div><p>PS: It is urgent</p>",
		"<p>Hi</p><div name=\"quote-form\">My words: own</div>",
		"<p>Hi</p><div name=\"quote\">my own words</div>",
		"<p>Answers are in red</p><div class=\"yahoo_quoted\">Xyz bla:<br>Did "
		"you?<br>Yes</div>",
	};
	struct reply reply;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		split_html(texts[i], &reply);
		assert_string_equal(reply.rule, "");
		reply_clear(&reply);
	}
}

/* ---- any text ---- */

/* Every line with text is in exactly one of both, in its order: are the whole's lines from `at` on
 * what is left of the others, put into each other? */
static bool is_merged(char *const *whole, char *const *kept, char *const *removed)
{
	if (*whole == NULL)
		return *kept == NULL && *removed == NULL;
	if (*kept != NULL && strcmp(*whole, *kept) == 0 && is_merged(whole + 1, kept + 1, removed))
		return true;
	return *removed != NULL && strcmp(*whole, *removed) == 0 &&
	       is_merged(whole + 1, kept, removed + 1);
}

static char **split_lines(char *text)
{
	size_t size = strlen(text);

	if (size > 0)
		text[size - 1] = '\0';
	return g_strsplit(text, "\n", -1);
}

static void assert_pieces(const char *text, const struct reply *reply)
{
	g_autofree char *all = lines_of(text);
	g_autofree char *kept = lines_of(reply->text);
	g_autofree char *removed = lines_of(reply->quote);
	g_auto(GStrv) all_lines = split_lines(all);
	g_auto(GStrv) kept_lines = split_lines(kept);
	g_auto(GStrv) removed_lines = split_lines(removed);

	if (*reply->rule == '\0') {
		assert_string_equal(reply->text, text);
		assert_string_equal(reply->quote, "");
		return;
	}
	assert_true(strlen(kept) > 0 && strlen(removed) > 0);
	if (!is_merged(all_lines, kept_lines, removed_lines))
		fail_msg("%s: \"%s\" is not \"%s\" and \"%s\"", reply->rule, text, reply->text,
			 reply->quote);
}

static const char *const fragments[] = {
	"On Tue, Mar 5, 2019 at 10:11 AM Ann Example <ann@example.org> wrote:",
	"On Tue, Mar 5, 2019 at 10:11 AM Ann",
	"<",
	"> wrote:",
	"wrote:",
	"ann@example.org> wrote:",
	"Am 05.03.2019 um 10:11 schrieb Ann:",
	"2013/7/20 Ann <ann@example.org>",
	"在 2019年3月5日，上午10:11，例子 <lizi@example.org> 写道：",
	"-----Original Message-----",
	"________________________________",
	"From: Ann <ann@example.org>",
	"Sent: Tuesday, March 5, 2019 10:11 AM",
	"To: Bob",
	"Subject: Hello",
	"Von: Ann",
	"Xyz:",
	"---------- Forwarded message ---------",
	"##- Please type your reply above this line -##",
	"> quoted",
	">> quoted twice",
	">",
	"| bar",
	"-- ",
	"--",
	"—",
	"Sent from my iPhone",
	"```",
	"",
	"",
	" ",
	"\xC2\xA0",
	"some words",
	"some more words here, in a sentence.",
	"see inline",
	"-----BEGIN PGP SIGNATURE-----",
	"-----END PGP SIGNATURE-----",
	"*On 5 Mar 2019, at 10:11, Ann wrote:*",
	":",
	"：",
};

static void any_text_comes_in_pieces(void **state)
{
	enum { ROUNDS = 20000, LINES_MAX = 24, MARKS_MAX = 6 };
	GRand *random = g_rand_new_with_seed(20190305);

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		g_autoptr(GString) text = g_string_new(NULL);
		struct html_mark marks[MARKS_MAX];
		struct reply_hints hints = {.marks = marks};
		struct reply reply;
		int lines = g_rand_int_range(random, 0, LINES_MAX);

		for (int i = 0; i < lines; i++) {
			g_string_append(
				text,
				fragments[g_rand_int_range(random, 0, G_N_ELEMENTS(fragments))]);
			if (hints.mark_count < MARKS_MAX && g_rand_int_range(random, 0, 16) == 0)
				marks[hints.mark_count++] = (struct html_mark){
					text->len,
					(enum html_mark_kind)g_rand_int_range(
						random, HTML_MARK_NONE, HTML_MARK_SIGNATURE + 1),
					"x"};
			if (g_rand_int_range(random, 0, 30) != 0)
				g_string_append_c(text, '\n');
		}
		reply_split(text->str, text->len, &hints, &reply);
		assert_pieces(text->str, &reply);
		reply_clear(&reply);
	}
	g_rand_free(random);
}

static double seconds_for(const char *unit, size_t size)
{
	g_autoptr(GString) text = g_string_new("Hello\n");
	struct timespec before;
	struct timespec after;
	struct reply reply;

	while (text->len < size)
		g_string_append(text, unit);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	split(text->str, &reply);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	reply_clear(&reply);
	return (double)(after.tv_sec - before.tv_sec) +
	       (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

/* Quadratic in a megabyte would be hours; the limit is far from what it takes on a slow machine. */
static void a_megabyte_of_anything_takes_no_time(void **state)
{
	static const char *const units[] = {
		">",
		">\n",
		"> ",
		"> > \n",
		"wrote:\n",
		"On 5 Mar 2019 at 10:11 Ann\n",
		"On 5 Mar 2019 at 10:11 <a@b.c> wrote\n",
		"On 5 Mar 2019 at 10:11 <a@b.c> wrote :x:\n",
		"On Ann wrote:\n",
		"a@b.c> wrote:\n<\n",
		"1:",
		"1:\n",
		":\n",
		"：\n",
		"From: a\n",
		"From: a\nTo: b\nXyz: c\n",
		"From: a\n\nTo: b\n\n",
		"Date: a\n",
		"-----\n",
		"-",
		"-- \n",
		"--\n",
		"Sent from my iPhone\n",
		"```\n",
		"-----Original\n",
		"\xC2\xA0",
		"\xE2\x80\x8B\n",
		"*",
		"&lt;",
		"| \n",
		"2013/7/20 <a@b.c>\n",
		"-----END PGP SIGNATURE-----\n",
		"words \n",
		"\n",
		"> x\n\nOn 5 Mar 2019 at 10:11 <a@b.c> wrote:\n",
	};
	enum { MEGABYTE = 1 << 20 };
	static const double limit = 10;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		double seconds = seconds_for(units[i], MEGABYTE);

		if (seconds > 0.3)
			print_message("# %.2f s for \"%s\"\n", seconds, units[i]);
		assert_true(seconds < limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_is_cut_where_its_file_says),
		cmocka_unit_test(what_stays_is_as_it_was),
		cmocka_unit_test(an_empty_text_stays_empty),
		cmocka_unit_test(a_text_of_too_many_lines_stays_whole),
		cmocka_unit_test(each_client_s_element_is_known),
		cmocka_unit_test(answers_within_a_client_s_element_stay),
		cmocka_unit_test(a_mark_that_the_text_does_not_bear_out_is_nothing),
		cmocka_unit_test(any_text_comes_in_pieces),
		cmocka_unit_test(a_megabyte_of_anything_takes_no_time),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
