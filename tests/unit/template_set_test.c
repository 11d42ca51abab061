/* template_set: locales, partials, edits, template.json, images, bounds. */
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailout/template_set.h"

enum { FILE_BYTES = 1000, OUTPUT_BYTES = 2000, JUST_OVER_A_SECOND_US = 1100000 };

static const struct template_limits limits = {
	.file_bytes = FILE_BYTES, .output_bytes = OUTPUT_BYTES, .depth = 10, .partials = 20};

/* A folder of templates, the set made of it and what it complained of. */
struct fixture {
	char *dir;
	char *second;
	struct template_set *set;
	GString *complaints;
	struct rendered rendered;
	struct reason reason;
};

static void complain(const char *text, void *context)
{
	struct fixture *fixture = context;

	g_string_append_printf(fixture->complaints, "%s\n", text);
}

static void put(const char *dir, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(dir, path, NULL);
	g_autofree char *folder = g_path_get_dirname(full);

	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	assert_true(g_file_set_contents(full, text, -1, NULL));
}

static void write_file(struct fixture *fixture, const char *path, const char *text)
{
	put(fixture->dir, path, text);
}

static void remove_file(struct fixture *fixture, const char *path)
{
	g_autofree char *full = g_build_filename(fixture->dir, path, NULL);

	assert_int_equal(g_remove(full), 0);
}

static void load(struct fixture *fixture)
{
	char *dirs[] = {fixture->dir, fixture->second, NULL};

	template_set_free(&fixture->set);
	g_string_truncate(fixture->complaints, 0);
	fixture->set = template_set_new(dirs, &limits, complain, fixture);
}

/* What an edit brings, and what is complained of then. */
static void edit(struct fixture *fixture, const char *path, const char *text, const char *complaint)
{
	write_file(fixture, path, text);
	g_string_truncate(fixture->complaints, 0);
	template_set_refresh(fixture->set);
	assert_string_equal(fixture->complaints->str, complaint);
	g_string_truncate(fixture->complaints, 0);
}

static enum outcome render(struct fixture *fixture, const char *name, const char *locale,
			   const char *model)
{
	struct wire *wire = wire_parse(model, strlen(model), &fixture->reason);

	assert_non_null(wire);
	rendered_clear(&fixture->rendered);
	fixture->reason = (struct reason){.text = ""};
	enum outcome outcome = template_set_render(fixture->set, name, locale, wire,
						   &fixture->rendered, &fixture->reason);

	wire_free(&wire);
	return outcome;
}

static void renders_text(struct fixture *fixture, const char *locale, const char *model,
			 const char *expected)
{
	if (render(fixture, "hello", locale, model) != OUTCOME_OK)
		fail_msg("%s: %s", model, fixture->reason.text);
	assert_string_equal(fixture->rendered.text, expected);
}

static void refuses(struct fixture *fixture, const char *model, const char *why)
{
	assert_int_equal(render(fixture, "hello", "", model), OUTCOME_REJECT);
	assert_string_equal(fixture->reason.status, "5.6.0");
	assert_string_equal(fixture->reason.text, why);
}

static const char PLAIN[] =
	"{\"Description\":\"d\",\"Parameters\":{\"name\":{\"Type\":\"string\"}},"
	"\"Sample\":{\"name\":\"Ada\"}}";

static void write_hello(struct fixture *fixture)
{
	write_file(fixture, "hello/template.json", PLAIN);
	write_file(fixture, "hello/subject.mustache", "Hello {{name}}\n");
	write_file(fixture, "hello/text.mustache", "Hello {{name}}");
}

static int set_up(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->dir = g_dir_make_tmp("template-set-XXXXXX", NULL);
	fixture->second = g_dir_make_tmp("template-set-XXXXXX", NULL);
	fixture->complaints = g_string_new(NULL);
	write_hello(fixture);
	*state = fixture;
	return 0;
}

static void remove_tree(const char *path)
{
	GDir *directory = g_dir_open(path, 0, NULL);
	const char *name;

	while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
		g_autofree char *inner = g_build_filename(path, name, NULL);

		remove_tree(inner);
	}
	if (directory != NULL)
		g_dir_close(directory);
	g_remove(path);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	rendered_clear(&fixture->rendered);
	template_set_free(&fixture->set);
	remove_tree(fixture->dir);
	remove_tree(fixture->second);
	g_string_free(fixture->complaints, TRUE);
	g_free(fixture->dir);
	g_free(fixture->second);
	g_free(fixture);
	return 0;
}

static void parts_are_rendered_and_only_html_is_escaped(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/html.mustache", "<p>{{name}}</p>");
	load(fixture);
	assert_string_equal(fixture->complaints->str, "");
	assert_int_equal(render(fixture, "hello", NULL, "{\"name\":\"<A> & B\"}"), OUTCOME_OK);
	assert_string_equal(fixture->rendered.subject, "Hello <A> & B");
	assert_string_equal(fixture->rendered.text, "Hello <A> & B");
	assert_string_equal(fixture->rendered.html, "<p>&lt;A&gt; &amp; B</p>");
	assert_null(fixture->rendered.from);
	assert_null(fixture->rendered.stream);
	assert_false(fixture->rendered.auto_submitted);
}

static void a_part_that_is_not_there_is_null(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/html.mustache", "<p>");
	remove_file(fixture, "hello/text.mustache");
	load(fixture);
	assert_int_equal(render(fixture, "hello", "", "{\"name\":\"a\"}"), OUTCOME_OK);
	assert_null(fixture->rendered.text);
	assert_string_equal(fixture->rendered.html, "<p>");
	remove_file(fixture, "hello/html.mustache");
	load(fixture);
	assert_string_equal(fixture->complaints->str,
			    "template hello: there is no text.mustache or html.mustache\n");
	assert_int_equal(render(fixture, "hello", "", "{\"name\":\"a\"}"), OUTCOME_RETRY);
	assert_string_equal(fixture->reason.status, "4.3.5");
}

static void locales_fall_back_file_by_file(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/de/text.mustache", "Hallo {{name}}");
	write_file(fixture, "hello/de/subject.mustache", "Gruß an {{name}}");
	write_file(fixture, "hello/de-AT/text.mustache", "Servus {{name}}");
	load(fixture);
	renders_text(fixture, "", "{\"name\":\"A\"}", "Hello A");
	renders_text(fixture, "de", "{\"name\":\"A\"}", "Hallo A");
	renders_text(fixture, "de-AT", "{\"name\":\"A\"}", "Servus A");
	assert_string_equal(fixture->rendered.subject, "Gruß an A");
	renders_text(fixture, "DE_at", "{\"name\":\"A\"}", "Servus A");
	renders_text(fixture, "de-AT-1996", "{\"name\":\"A\"}", "Servus A");
	renders_text(fixture, "de-CH", "{\"name\":\"A\"}", "Hallo A");
	renders_text(fixture, "fr", "{\"name\":\"A\"}", "Hello A");
	g_auto(GStrv) locales = template_set_locales(fixture->set, "hello");
	g_autofree char *all = g_strjoinv(",", locales);

	assert_string_equal(all, ",de,de-AT");
}

static void names_are_no_paths(void **state)
{
	static const char *const locales[] = {"d",   "../de",  "de/..", "de--AT",
					      "de-", "german", "."};
	struct fixture *fixture = *state;

	load(fixture);
	for (size_t i = 0; i < G_N_ELEMENTS(locales); i++) {
		g_autofree char *why = g_strdup_printf("Locale: %s is none", locales[i]);

		assert_int_equal(render(fixture, "hello", locales[i], "{\"name\":\"A\"}"),
				 OUTCOME_REJECT);
		assert_string_equal(fixture->reason.text, why);
	}
	assert_int_equal(render(fixture, "../hello", "", "{}"), OUTCOME_REJECT);
	assert_string_equal(fixture->reason.text, "template ../hello: there is none of that name");
	assert_int_equal(render(fixture, "_partials", "", "{}"), OUTCOME_REJECT);
	write_file(fixture, "hello/images/text.mustache", "x");
	load(fixture);
	assert_string_equal(
		fixture->complaints->str,
		"template hello/images: a folder that is no locale such as de or de-AT\n");
}

static void partials_have_locales_and_dynamic_names(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "_partials/bye.mustache", "Bye");
	write_file(fixture, "_partials/de/bye.mustache", "Tschüs");
	write_file(fixture, "_partials/fr/bye.mustache", "Adieu");
	write_file(fixture, "_partials/Ada.mustache", "Countess");
	write_file(fixture, "hello/text.mustache", "{{>*name}}. {{>bye}}");
	write_file(fixture, "hello/de/subject.mustache", "Hallo");
	load(fixture);
	assert_string_equal(fixture->complaints->str, "");
	renders_text(fixture, "", "{\"name\":\"Ada\"}", "Countess. Bye");
	renders_text(fixture, "de-AT", "{\"name\":\"bye\"}", "Tschüs. Tschüs");
	/* A mail is of one language. */
	renders_text(fixture, "fr", "{\"name\":\"bye\"}", "Bye. Bye");
	refuses(fixture, "{\"name\":\"../hello/text\"}",
		"template hello/text.mustache:1:1: name: no such partial");
}

static void layouts_are_filled(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "_partials/layout.mustache", "<b>{{$body}}{{/body}}</b>");
	write_file(fixture, "hello/html.mustache",
		   "{{<layout}}{{$body}}{{name}}{{/body}}{{/layout}}");
	load(fixture);
	assert_int_equal(render(fixture, "hello", "", "{\"name\":\"A&B\"}"), OUTCOME_OK);
	assert_string_equal(fixture->rendered.html, "<b>A&amp;B</b>");
}

static void earlier_folders_win(void **state)
{
	struct fixture *fixture = *state;

	put(fixture->second, "hello/template.json", PLAIN);
	put(fixture->second, "hello/subject.mustache", "second");
	put(fixture->second, "hello/text.mustache", "second");
	put(fixture->second, "other/template.json", PLAIN);
	put(fixture->second, "other/subject.mustache", "other");
	put(fixture->second, "other/text.mustache", "{{>sign}}");
	put(fixture->second, "other/de/text.mustache", "{{>sign}}");
	put(fixture->second, "_partials/sign.mustache", "theirs");
	put(fixture->second, "_partials/de/sign.mustache", "ihres");
	load(fixture);
	assert_int_equal(render(fixture, "other", "de", "{\"name\":\"A\"}"), OUTCOME_OK);
	assert_string_equal(fixture->rendered.text, "ihres");
	write_file(fixture, "_partials/sign.mustache", "ours");
	load(fixture);
	renders_text(fixture, "", "{\"name\":\"A\"}", "Hello A");
	assert_int_equal(render(fixture, "other", "de", "{\"name\":\"A\"}"), OUTCOME_OK);
	assert_string_equal(fixture->rendered.text, "ours");
	g_auto(GStrv) names = template_set_names(fixture->set);
	g_autofree char *all = g_strjoinv(",", names);

	assert_string_equal(all, "hello,other");
}

static void edits_are_seen_after_a_second(void **state)
{
	struct fixture *fixture = *state;

	load(fixture);
	write_file(fixture, "hello/text.mustache", "Hi {{name}}");
	renders_text(fixture, "", "{\"name\":\"A\"}", "Hello A");
	g_usleep(JUST_OVER_A_SECOND_US);
	renders_text(fixture, "", "{\"name\":\"A\"}", "Hi A");
	assert_string_equal(fixture->complaints->str, "");
}

/* A request may come right after its template. */
static void nothing_is_refused_without_a_look(void **state)
{
	struct fixture *fixture = *state;

	load(fixture);
	assert_int_equal(render(fixture, "other", "", "{\"who\":\"A\"}"), OUTCOME_REJECT);
	write_file(fixture, "other/template.json",
		   "{\"Description\":\"d\",\"Parameters\":{\"who\":{\"Type\":\"string\"}},"
		   "\"Sample\":{\"who\":\"Ada\"}}");
	write_file(fixture, "other/subject.mustache", "Hello {{who}}\n");
	write_file(fixture, "other/text.mustache", "Hello {{who}}");
	assert_int_equal(render(fixture, "other", "", "{\"who\":\"A\"}"), OUTCOME_OK);
	assert_string_equal(fixture->rendered.text, "Hello A");
	write_file(fixture, "hello/template.json",
		   "{\"Description\":\"d\",\"Parameters\":{\"name\":{\"Type\":\"string\","
		   "\"Optional\":true}},\"Sample\":{\"name\":\"Ada\"}}");
	renders_text(fixture, "", "{}", "Hello ");
}

static void broken_edits_keep_the_last_good_version(void **state)
{
	struct fixture *fixture = *state;

	load(fixture);
	edit(fixture, "hello/text.mustache", "Hi {{name",
	     "template hello/text.mustache:1:4: a tag is not closed with }}; the last good version "
	     "stays in use\n");
	template_set_refresh(fixture->set);
	assert_string_equal(fixture->complaints->str, "");
	renders_text(fixture, "", "{\"name\":\"A\"}", "Hello A");
	/* Such a name would be REJECT for every mail. */
	edit(fixture, "hello/text.mustache", "Hi {{nmae}}",
	     "template hello: its sample: template hello/text.mustache:1:4: nmae: the model lacks "
	     "it; "
	     "the last good version stays in use\n");
	edit(fixture, "hello/text.mustache", "\n",
	     "template hello: its sample: text.mustache comes out empty; the last good version "
	     "stays in use\n");
	edit(fixture, "hello/subject.mustache", "",
	     "template hello: its sample: subject.mustache comes out empty; the last good version "
	     "stays in use\n");
	edit(fixture, "hello/text.mustache", "\xff",
	     "template hello/text.mustache: is not UTF-8; the last good version stays in use\n");
	edit(fixture, "hello/template.json", "{", "");
	renders_text(fixture, "", "{\"name\":\"A\"}", "Hello A");
	edit(fixture, "hello/template.json", PLAIN, "");
	edit(fixture, "hello/subject.mustache", "Hi {{name}}", "");
	edit(fixture, "hello/text.mustache", "Hi {{name}}", "");
	renders_text(fixture, "", "{\"name\":\"A\"}", "Hi A");
}

static void broken_partials_keep_the_last_good_version(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "_partials/bye.mustache", "Bye");
	write_file(fixture, "hello/text.mustache", "{{>bye}} {{name}}");
	write_file(fixture, "free/template.json", PLAIN);
	write_file(fixture, "free/subject.mustache", "free");
	write_file(fixture, "free/text.mustache", "free");
	load(fixture);
	edit(fixture, "_partials/bye.mustache", "{{#a}}",
	     "template _partials/bye.mustache:1:1: is not closed: a\n"
	     "template hello: its sample: template hello/text.mustache:1:1: there is no partial "
	     "bye; "
	     "the last good version stays in use\n");
	renders_text(fixture, "", "{\"name\":\"A\"}", "Bye A");
	/* Others are free to change. */
	edit(fixture, "free/text.mustache", "changed", "");
	assert_int_equal(render(fixture, "free", "", "{\"name\":\"A\"}"), OUTCOME_OK);
	assert_string_equal(fixture->rendered.text, "changed");
	edit(fixture, "_partials/bye.mustache", "{{unknown}}",
	     "template hello: its sample: template _partials/bye.mustache:1:1: unknown: the model "
	     "lacks "
	     "it; the last good version stays in use\n");
	renders_text(fixture, "", "{\"name\":\"A\"}", "Bye A");
	edit(fixture, "_partials/bye.mustache", "Ciao", "");
	renders_text(fixture, "", "{\"name\":\"A\"}", "Ciao A");
}

static void a_vanished_template_stays(void **state)
{
	struct fixture *fixture = *state;
	g_autofree char *from = g_build_filename(fixture->dir, "hello", NULL);
	g_autofree char *to = g_build_filename(fixture->second, "hello", NULL);
	g_autofree char *away = g_build_filename(fixture->dir, ".away", NULL);

	load(fixture);
	assert_int_equal(rename(from, away), 0);
	template_set_refresh(fixture->set);
	assert_string_equal(
		fixture->complaints->str,
		"template hello: its folder is gone; the last good version stays in use\n");
	template_set_refresh(fixture->set);
	renders_text(fixture, "", "{\"name\":\"A\"}", "Hello A");
	assert_int_equal(rename(away, to), 0);
	edit(fixture, "x", "", "");
	put(fixture->second, "hello/text.mustache", "back");
	template_set_refresh(fixture->set);
	renders_text(fixture, "", "{\"name\":\"A\"}", "back");
	load(fixture);
	remove_tree(fixture->dir);
	remove_tree(fixture->second);
	load(fixture);
	assert_int_equal(render(fixture, "hello", "", "{}"), OUTCOME_RETRY);
}

struct wrong {
	const char *json;
	const char *why;
};

static void template_json_is_checked_strictly(void **state)
{
#define HEAD "{\"Description\":\"d\",\"Sample\":{\"name\":\"A\"},"
	static const struct wrong all[] = {
		{"[]", "is not an object"},
		{"{", "no JSON at byte 1 of 1: unexpected end of data"},
		{"{\"Sample\":{}}", "Description: is missing"},
		{"{\"Description\":\"d\"}", "Sample: is missing"},
		{HEAD "\"Paramters\":{}}", "Paramters: unknown key"},
		{HEAD "\"Parameters\":[]}", "Parameters: is not an object"},
		{HEAD "\"Parameters\":{\"name\":\"string\"}}",
		 "Parameters.name: is not an object with a Type"},
		{HEAD "\"Parameters\":{\"name\":{}}}", "Parameters.name.Type: is missing"},
		{HEAD "\"Parameters\":{\"name\":{\"Type\":\"text\"}}}",
		 "Parameters.name.Type: is none of string, number, boolean, array and object"},
		{HEAD "\"Parameters\":{\"name\":{\"Type\":\"string\",\"Option\":true}}}",
		 "Parameters.name.Option: unknown key"},
		{HEAD "\"Parameters\":{\"name\":{\"Type\":\"string\",\"Optional\":1}}}",
		 "Parameters.name.Optional: is not true or false"},
		{HEAD "\"Parameters\":{\"a.b\":{\"Type\":\"string\"}}}",
		 "Parameters.a.b: a name has letters, digits, _ and - only"},
		{HEAD "\"Parameters\":{\"name\":{\"Type\":\"string\",\"Parameters\":{}}}}",
		 "Parameters.name.Parameters: only an array or an object has members"},
		{HEAD "\"Parameters\":{\"name\":{\"Type\":\"array\",\"Parameters\":"
		      "{\"x\":{\"Type\":\"int\"}}}}}",
		 "Parameters.name.Parameters.x.Type: is none of string, number, boolean, array and "
		 "object"},
		{HEAD "\"From\":\"nobody\"}", "From: is no address"},
		{HEAD "\"From\":\"a@b\\nBcc: c@d\"}", "From: is no address"},
		{HEAD "\"Stream\":7}", "Stream: is no name of a stream"},
		{HEAD "\"AutoSubmitted\":\"yes\"}", "AutoSubmitted: is not true or false"},
		{HEAD "\"MaxLength\":0}", "MaxLength: is not a number of characters"},
	};
#undef HEAD
	struct fixture *fixture = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		g_autofree char *why =
			g_strdup_printf("template hello/template.json: %s\n", all[i].why);

		write_file(fixture, "hello/template.json", all[i].json);
		load(fixture);
		assert_string_equal(fixture->complaints->str, why);
		assert_int_equal(render(fixture, "hello", "", "{\"name\":\"A\"}"), OUTCOME_RETRY);
	}
}

static void samples_must_fit_their_parameters(void **state)
{
	static const struct wrong all[] = {
		{"{\"Description\":\"d\",\"Sample\":{}}",
		 "its sample: template hello/subject.mustache:1:7: name: the model lacks it"},
		{"{\"Description\":\"d\",\"Sample\":{\"name\":\"A\"}}",
		 "its sample: parameter name: is not declared"},
		{"{\"Description\":\"d\",\"Parameters\":{\"name\":{\"Type\":\"string\"}},"
		 "\"Sample\":{}}",
		 "its sample: parameter name: is missing"},
		{"{\"Description\":\"d\",\"Parameters\":{\"name\":{\"Type\":\"string\"}},"
		 "\"Sample\":{\"name\":7}}",
		 "its sample: parameter name: is integer, not string"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		g_autofree char *why = g_strdup_printf("template hello: %s\n", all[i].why);

		write_file(fixture, "hello/template.json", all[i].json);
		load(fixture);
		assert_string_equal(fixture->complaints->str, why);
	}
}

static void models_are_checked_by_name(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/template.json",
		   "{\"Description\":\"d\",\"Parameters\":{"
		   "\"name\":{\"Type\":\"string\"},"
		   "\"age\":{\"Type\":\"number\",\"Optional\":true},"
		   "\"ok\":{\"Type\":\"boolean\",\"Optional\":true},"
		   "\"tags\":{\"Type\":\"array\",\"Optional\":true},"
		   "\"to\":{\"Type\":\"object\",\"Optional\":true,\"Parameters\":{"
		   "\"city\":{\"Type\":\"string\"}}},"
		   "\"rows\":{\"Type\":\"array\",\"Parameters\":{\"what\":{\"Type\":\"string\"},"
		   "\"note\":{\"Type\":\"string\",\"Optional\":true}}}},"
		   "\"Sample\":{\"name\":\"A\",\"rows\":[{\"what\":\"w\"}]}}");
	write_file(fixture, "hello/text.mustache",
		   "{{name}}{{age}}{{ok}}{{to.city}}{{#rows}}{{what}}{{note}};{{/rows}}");
	load(fixture);
	assert_string_equal(fixture->complaints->str, "");
	renders_text(fixture, "", "{\"name\":\"A\",\"rows\":[],\"extra\":1}", "A");
	renders_text(fixture, "",
		     "{\"name\":\"A\",\"age\":1.5,\"ok\":false,\"to\":{\"city\":\"B\"},\"tags\":[],"
		     "\"rows\":[{\"what\":\"x\",\"note\":\"y\"},{\"what\":\"z\",\"note\":null}]}",
		     "A1.5falseBxy;z;");
	refuses(fixture, "{\"rows\":[]}", "template hello: parameter name: is missing");
	refuses(fixture, "{\"name\":null,\"rows\":[]}",
		"template hello: parameter name: is missing");
	refuses(fixture, "{\"name\":1,\"rows\":[]}",
		"template hello: parameter name: is integer, not string");
	refuses(fixture, "{\"name\":\"A\",\"rows\":{}}",
		"template hello: parameter rows: is object, not array");
	refuses(fixture, "{\"name\":\"A\",\"rows\":[],\"age\":\"1\"}",
		"template hello: parameter age: is string, not number");
	refuses(fixture, "{\"name\":\"A\",\"rows\":[],\"to\":{}}",
		"template hello: parameter to.city: is missing");
	refuses(fixture, "{\"name\":\"A\",\"rows\":[{\"what\":\"x\"},{}]}",
		"template hello: parameter rows[1].what: is missing");
	refuses(fixture, "{\"name\":\"A\",\"rows\":[7]}",
		"template hello: parameter rows[0]: is integer, not an object");
	refuses(fixture, "[]", "template hello: TemplateModel: is array, not an object");
}

static void names_without_parameter_are_told(void **state)
{
	struct fixture *fixture = *state;
	const char *json = "{\"name\":\"A\",\"nmae\":\"B\"}";
	struct wire *model = wire_parse(json, strlen(json), NULL);

	write_file(fixture, "hello/text.mustache", "{{name}}{{#titel}}{{.}}{{/titel}}");
	load(fixture);
	assert_string_equal(fixture->complaints->str, "");
	g_auto(GStrv) names = template_set_undeclared(fixture->set, "hello", model);
	g_autofree char *all = g_strjoinv(",", names);

	assert_string_equal(all, "nmae,titel");
	wire_free(&model);
}

static void files_without_translation_are_told(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/html.mustache", "x");
	write_file(fixture, "hello/de/text.mustache", "Hallo {{name}}");
	load(fixture);
	g_auto(GStrv) files = template_set_untranslated(fixture->set, "hello", "de-AT");
	g_autofree char *all = g_strjoinv(",", files);

	assert_string_equal(all, "subject.mustache,html.mustache");
	g_auto(GStrv) none = template_set_untranslated(fixture->set, "hello", "");

	assert_null(*none);
}

static void locales_have_their_sample_and_from(void **state)
{
	struct fixture *fixture = *state;

	write_file(
		fixture, "hello/template.json",
		"{\"Description\":\"d\",\"From\":\"Desk <desk@example.com>\",\"Stream\":\"bulk\","
		"\"AutoSubmitted\":true,\"Parameters\":{\"name\":{\"Type\":\"string\"}},"
		"\"Sample\":{\"name\":\"Ada\"}}");
	write_file(fixture, "hello/de/template.json",
		   "{\"From\":\"Hilfe <desk@example.com>\",\"Sample\":{\"name\":\"Jürgen\"}}");
	load(fixture);
	assert_string_equal(fixture->complaints->str, "");
	assert_int_equal(render(fixture, "hello", "", "{\"name\":\"A\"}"), OUTCOME_OK);
	assert_string_equal(fixture->rendered.from, "Desk <desk@example.com>");
	assert_string_equal(fixture->rendered.stream, "bulk");
	assert_true(fixture->rendered.auto_submitted);
	assert_int_equal(render(fixture, "hello", "de-CH", "{\"name\":\"A\"}"), OUTCOME_OK);
	assert_string_equal(fixture->rendered.from, "Hilfe <desk@example.com>");
	assert_string_equal(
		wire_get_text(template_set_sample(fixture->set, "hello", "de-CH", NULL), "name"),
		"Jürgen");
	assert_string_equal(
		wire_get_text(template_set_sample(fixture->set, "hello", "", NULL), "name"), "Ada");
	write_file(fixture, "hello/de/template.json", "{\"Stream\":\"x\"}");
	load(fixture);
	assert_string_equal(
		fixture->complaints->str,
		"template hello/de/template.json: Stream: a locale's has From and Sample only\n");
}

static void a_subject_is_one_line(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/subject.mustache", "\n {{name}}\n\n");
	load(fixture);
	assert_int_equal(render(fixture, "hello", "", "{\"name\":\" a\\r\\nBcc: b\\u0000\\tc \"}"),
			 OUTCOME_OK);
	assert_string_equal(fixture->rendered.subject, "a Bcc: b\xef\xbf\xbd c");
	assert_string_equal(fixture->rendered.text, "Hello  a\r\nBcc: b\xef\xbf\xbd\tc ");
}

static void lines_of_a_text_are_at_hand(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/text.mustache",
		   "{{Mailpipe.Subject}}:\n{{#Mailpipe.Lines.name}}\n> "
		   "{{.}}\n{{/Mailpipe.Lines.name}}\n");
	load(fixture);
	assert_string_equal(fixture->complaints->str, "");
	renders_text(fixture, "", "{\"name\":\"a\\n\\nb\\r\\nc\\rd\\n\"}",
		     "Hello a b c d:\n> a\n> \n> b\n> c\n> d\n");
	renders_text(fixture, "", "{\"name\":\"\"}", "Hello:\n");
}

static void images_that_html_refers_to_come_along(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/html.mustache",
		   "<img src=\"cid:a.png\"><img src='cid:b.jpg'><img src=\"cid:a.png\">"
		   "<img src=\"cid:gone.png\"><img src=\"cid:../hello/a.png\">");
	write_file(fixture, "hello/a.png", "png");
	write_file(fixture, "hello/de/a.png", "deutsch");
	write_file(fixture, "hello/unused.png", "x");
	write_file(fixture, "_partials/b.jpg", "jpeg");
	load(fixture);
	assert_int_equal(render(fixture, "hello", "", "{\"name\":\"A\"}"), OUTCOME_OK);
	assert_int_equal(fixture->rendered.image_count, 2);
	assert_string_equal(fixture->rendered.images[0].content_id, "a.png");
	assert_string_equal(fixture->rendered.images[0].content_type, "image/png");
	assert_int_equal(fixture->rendered.images[0].size, 3);
	assert_memory_equal(fixture->rendered.images[0].data, "png", 3);
	assert_string_equal(fixture->rendered.images[1].content_id, "b.jpg");
	assert_string_equal(fixture->rendered.images[1].content_type, "image/jpeg");
	assert_int_equal(render(fixture, "hello", "de", "{\"name\":\"A\"}"), OUTCOME_OK);
	assert_int_equal(fixture->rendered.images[0].size, 7);
}

static char *images(int count)
{
	GString *html = g_string_new(NULL);

	for (int i = 0; i < count; i++)
		g_string_append_printf(html, "<img src=\"cid:%d.png\">", i);
	return g_string_free(html, FALSE);
}

static void images_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	g_autofree char *fits = images(32);
	g_autofree char *many = images(33);

	for (int i = 0; i < 33; i++) {
		g_autofree char *name = g_strdup_printf("hello/%d.png", i);

		write_file(fixture, name, "png");
	}
	write_file(fixture, "hello/html.mustache", fits);
	load(fixture);
	assert_int_equal(render(fixture, "hello", "", "{\"name\":\"A\"}"), OUTCOME_OK);
	assert_int_equal(fixture->rendered.image_count, 32);
	edit(fixture, "hello/html.mustache", many,
	     "template hello: its sample: template hello: more than 32 images; the last good "
	     "version "
	     "stays in use\n");
}

static void files_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	g_autofree char *fits = g_strnfill(FILE_BYTES, 'x');
	g_autofree char *large = g_strnfill(FILE_BYTES + 1, 'x');

	write_file(fixture, "hello/text.mustache", fits);
	load(fixture);
	renders_text(fixture, "", "{\"name\":\"A\"}", fits);
	edit(fixture, "hello/text.mustache", large,
	     "template hello/text.mustache: is larger than limits.template_file, 1000 bytes; the "
	     "last "
	     "good version stays in use\n");
}

static void output_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	g_autofree char *fits = g_strnfill(OUTPUT_BYTES, 'x');
	g_autofree char *model = g_strdup_printf("{\"name\":\"%s\"}", fits);
	g_autofree char *large = g_strdup_printf("{\"name\":\"%sx\"}", fits);

	write_file(fixture, "hello/subject.mustache", "s");
	write_file(fixture, "hello/text.mustache", "{{name}}");
	load(fixture);
	renders_text(fixture, "", model, fits);
	assert_int_equal(render(fixture, "hello", "", large), OUTCOME_REJECT);
	assert_string_equal(fixture->reason.status, "5.3.4");
	assert_null(fixture->rendered.text);
}

static void partials_and_depth_are_bounded(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "_partials/p.mustache", "p");
	write_file(fixture, "_partials/loop.mustache", "{{>loop}}");
	load(fixture);
	for (int count = 20; count <= 21; count++) {
		GString *text = g_string_new("{{name}}");

		for (int i = 0; i < count; i++)
			g_string_append(text, "{{>p}}");
		write_file(fixture, "hello/text.mustache", text->str);
		load(fixture);
		assert_int_equal(render(fixture, "hello", "", "{\"name\":\"A\"}"),
				 count == 20 ? OUTCOME_OK : OUTCOME_RETRY);
		g_string_free(text, TRUE);
	}
	write_file(fixture, "hello/text.mustache", "{{>loop}}");
	load(fixture);
	assert_string_equal(
		fixture->complaints->str,
		"template hello: its sample: template _partials/loop.mustache:1:1: loop: "
		"sections and partials are nested too deep\n");
}

static void long_texts_are_cut_at_max_length(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/template.json",
		   "{\"Description\":\"d\",\"MaxLength\":10,\"Parameters\":"
		   "{\"name\":{\"Type\":\"string\"}},\"Sample\":{\"name\":\"A\"}}");
	write_file(fixture, "hello/text.mustache", "{{name}}\n");
	load(fixture);
	renders_text(fixture, "", "{\"name\":\"äöü4567890\"}", "äöü4567890");
	assert_false(fixture->rendered.text_cut);
	renders_text(fixture, "", "{\"name\":\"äöü45678901\"}", "äöü4567...");
	assert_true(fixture->rendered.text_cut);
	renders_text(fixture, "", "{\"name\":\"12345 789012\"}", "12345 7...");
	renders_text(fixture, "", "{\"name\":\"123456 89012\"}", "123456...");
}

static void stray_files_are_left_alone_or_refused(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "hello/README.md", "{{");
	write_file(fixture, "hello/.text.mustache.swp", "{{");
	write_file(fixture, "hello/text.mustache~", "{{");
	load(fixture);
	assert_string_equal(fixture->complaints->str, "");
	write_file(fixture, "hello/txt.mustache", "x");
	load(fixture);
	assert_string_equal(
		fixture->complaints->str,
		"template hello/txt.mustache: is none of subject, text and html; partials "
		"are in _partials\n");
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(parts_are_rendered_and_only_html_is_escaped),
		test(a_part_that_is_not_there_is_null),
		test(locales_fall_back_file_by_file),
		test(names_are_no_paths),
		test(partials_have_locales_and_dynamic_names),
		test(layouts_are_filled),
		test(earlier_folders_win),
		test(edits_are_seen_after_a_second),
		test(nothing_is_refused_without_a_look),
		test(broken_edits_keep_the_last_good_version),
		test(broken_partials_keep_the_last_good_version),
		test(a_vanished_template_stays),
		test(template_json_is_checked_strictly),
		test(samples_must_fit_their_parameters),
		test(models_are_checked_by_name),
		test(names_without_parameter_are_told),
		test(files_without_translation_are_told),
		test(locales_have_their_sample_and_from),
		test(a_subject_is_one_line),
		test(lines_of_a_text_are_at_hand),
		test(images_that_html_refers_to_come_along),
		test(images_are_bounded),
		test(files_are_bounded),
		test(output_is_bounded),
		test(partials_and_depth_are_bounded),
		test(long_texts_are_cut_at_max_length),
		test(stray_files_are_left_alone_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
