/* mustache: the language, its errors with their places, its bounds. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailout/mustache.h"

/* Partials by name: "name", "text", ..., NULL. */
static const char *const *partial_texts;
static GHashTable *partials;

static const struct mustache *find_partial(const char *name, void *context)
{
	(void)context;
	struct mustache *found = g_hash_table_lookup(partials, name);

	for (size_t i = 0; found == NULL && partial_texts != NULL && partial_texts[i] != NULL;
	     i += 2) {
		if (strcmp(partial_texts[i], name) != 0)
			continue;
		found = mustache_new(name, partial_texts[i + 1], strlen(partial_texts[i + 1]),
				     NULL);
		assert_non_null(found);
		g_hash_table_insert(partials, g_strdup(name), found);
	}
	return found;
}

static bool is_optional(const char *name, void *context)
{
	(void)context;
	return strcmp(name, "maybe") == 0;
}

static void free_partial(void *partial)
{
	struct mustache *template = partial;

	mustache_free(&template);
}

static const struct mustache_options relaxed = {.escape_html = true,
						.partial = find_partial,
						.output_max = 4096,
						.depth_max = 20,
						.partials_max = 50};
static const struct mustache_options strict = {.escape_html = true,
					       .strict = true,
					       .optional = is_optional,
					       .partial = find_partial,
					       .output_max = 4096,
					       .depth_max = 20,
					       .partials_max = 50};

static enum outcome render(const char *text, const char *json,
			   const struct mustache_options *options, GString *out,
			   struct reason *reason)
{
	struct wire *wire = wire_parse(json, strlen(json), NULL);
	struct mustache *template = mustache_new("t", text, strlen(text), reason);

	assert_non_null(wire);
	assert_non_null(template);
	struct model *model = model_new(wire);

	wire_free(&wire);
	partials = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_partial);
	enum outcome outcome = mustache_render(template, model, options, out, reason);

	g_hash_table_destroy(partials);
	model_free(&model);
	mustache_free(&template);
	return outcome;
}

static void renders(const char *text, const char *json, const char *expected)
{
	GString *out = g_string_new(NULL);
	struct reason reason = {.text = ""};

	if (render(text, json, &relaxed, out, &reason) != OUTCOME_OK)
		fail_msg("%s: %s", text, reason.text);
	assert_string_equal(out->str, expected);
	g_string_free(out, TRUE);
}

static void refused(const char *text, const char *json, enum outcome expected, const char *why)
{
	GString *out = g_string_new(NULL);
	struct reason reason = {.text = ""};

	assert_int_equal(render(text, json, &strict, out, &reason), expected);
	assert_string_equal(reason.text, why);
	g_string_free(out, TRUE);
}

static void broken(const char *text, const char *why)
{
	struct reason reason;

	assert_null(mustache_new("t", text, strlen(text), &reason));
	assert_string_equal(reason.status, "4.3.5");
	assert_string_equal(reason.text, why);
}

static void values_are_escaped_for_html(void **state)
{
	(void)state;
	renders("{{a}} {{{a}}} {{&a}}", "{\"a\":\"<b> & \\\"c\\\"\"}",
		"&lt;b&gt; &amp; &quot;c&quot; <b> & \"c\" <b> & \"c\"");
	renders("{{n}} {{t}} {{f}} {{z}}|", "{\"n\":1.50,\"t\":true,\"f\":false,\"z\":null}",
		"1.50 true false |");
}

static void sections_follow_the_value(void **state)
{
	(void)state;
	renders("{{#a}}x{{/a}}{{^a}}y{{/a}}", "{\"a\":0}", "y");
	renders("{{#a}}x{{/a}}{{^a}}y{{/a}}", "{\"a\":\"\"}", "y");
	renders("{{#a}}x{{/a}}{{^a}}y{{/a}}", "{\"a\":[]}", "y");
	renders("{{#a}}x{{/a}}{{^a}}y{{/a}}", "{\"a\":{}}", "x");
	renders("{{#a}}{{.}},{{/a}}", "{\"a\":[1,\"b\",true]}", "1,b,true,");
	renders("{{#a}}{{b}}{{c}};{{/a}}", "{\"c\":\"C\",\"a\":[{\"b\":1},{\"b\":2,\"c\":\"D\"}]}",
		"1C;2D;");
	renders("{{a.b.c}}|{{#a}}{{b.c}}{{/a}}|{{a.x.c}}", "{\"a\":{\"b\":{\"c\":5}}}", "5|5|");
}

static void large_objects_find_their_members(void **state)
{
	(void)state;
	GString *json = g_string_new("{");

	for (int i = 0; i < 100; i++)
		g_string_append_printf(json, "\"key%d\":%d,", i, i);
	g_string_append(json, "\"z\":1}");
	renders("{{key0}} {{key57}} {{key99}} {{z}} {{key100}}", json->str, "0 57 99 1 ");
	g_string_free(json, TRUE);
}

static void tags_alone_take_their_line(void **state)
{
	(void)state;
	renders("a\n  {{#x}}\nb\n\t{{/x}}\nc\n", "{\"x\":true}", "a\nb\nc\n");
	renders("a\r\n{{! note }}\r\nb", "{}", "a\r\nb");
	renders("{{=<% %>=}}\n<% a %>{{a}}", "{\"a\":1}", "1{{a}}");
	renders("  {{a}}\n", "{\"a\":1}", "  1\n");
}

static void partials_take_the_indentation(void **state)
{
	static const char *const texts[] = {"p", "one\n\n{{x}}\ntwo\n", NULL};

	(void)state;
	partial_texts = texts;
	renders(" - {{>p}}|", "{\"x\":\"a\\nb\"}", " - one\n\na\nb\ntwo\n|");
	renders("  {{>p}}\n|", "{\"x\":\"a\\nb\"}", "  one\n\n  a\nb\n  two\n|");
	renders("{{>*which}}", "{\"which\":\"p\",\"x\":1}", "one\n\n1\ntwo\n");
	renders("[{{>none}}]", "{}", "[]");
	partial_texts = NULL;
}

static void layouts_have_places_to_fill(void **state)
{
	static const char *const texts[] = {
		"layout", "<h1>{{$title}}Untitled{{/title}}</h1>\n  {{$body}}\n  {{/body}}\n",
		"middle", "{{<layout}}{{$title}}Middle{{/title}}{{$body}}m{{/body}}{{/layout}}",
		NULL};

	(void)state;
	partial_texts = texts;
	renders("{{<layout}}{{/layout}}", "{}", "<h1>Untitled</h1>\n");
	renders("{{<layout}}\n{{$body}}\n      Hello {{n}},\n        bye\n{{/body}}\n{{/layout}}\n",
		"{\"n\":\"A\"}", "<h1>Untitled</h1>\n  Hello A,\n    bye\n");
	renders("{{<middle}}{{$title}}Top{{/title}}{{/middle}}", "{}", "<h1>Top</h1>\n  m");
	partial_texts = NULL;
}

static void errors_name_their_place(void **state)
{
	(void)state;
	broken("a\n  {{b", "template t:2:3: a tag is not closed with }}");
	broken("{{#a}}\n{{#b}}{{/a}}",
	       "template t:2:7: closes another tag than the one that is open: a");
	broken("x{{/a}}", "template t:1:2: closes what is not open: a");
	broken("\n\n{{#a}}b", "template t:3:1: is not closed: a");
	broken("{{}}", "template t:1:1: a tag without a name");
	broken("{{=x=}}", "template t:1:1: delimiters are set by {{=OPEN CLOSE=}}, not by x");
	broken("{{=a b c=}}", "template t:1:1: more than two delimiters: a b c");
}

static void strict_names_what_is_missing(void **state)
{
	(void)state;
	refused("Hello\n {{name}}", "{}", OUTCOME_REJECT,
		"template t:2:2: name: the model lacks it");
	refused("{{a.b}}", "{\"a\":{}}", OUTCOME_REJECT, "template t:1:1: a.b: the model lacks it");
	refused("{{a}}", "{\"a\":[1]}", OUTCOME_REJECT,
		"template t:1:1: a: is a list or an object");
	refused("{{>gone}}", "{}", OUTCOME_RETRY, "template t:1:1: there is no partial gone");
	refused("{{>*w}}", "{\"w\":\"gone\"}", OUTCOME_REJECT,
		"template t:1:1: w: no such partial");
	refused("{{maybe}}{{#absent}}x{{/absent}}", "{}", OUTCOME_OK, "");
}

static void output_is_bounded(void **state)
{
	(void)state;
	GString *out = g_string_new("before");
	struct mustache_options options = relaxed;

	options.output_max = 4;
	assert_int_equal(render("{{a}}", "{\"a\":\"1234\"}", &options, out, NULL), OUTCOME_OK);
	assert_string_equal(out->str, "before1234");
	assert_int_equal(render("{{a}}", "{\"a\":\"12345\"}", &options, out, NULL), OUTCOME_REJECT);
	g_string_free(out, TRUE);
}

static void nesting_is_bounded(void **state)
{
	static const char *const texts[] = {"loop", "{{>loop}}", NULL};
	GString *text = g_string_new(NULL);
	struct reason reason;

	(void)state;
	partial_texts = texts;
	refused("{{>loop}}", "{}", OUTCOME_REJECT,
		"template loop:1:1: loop: sections and partials are nested too deep");
	partial_texts = NULL;
	for (int i = 0; i < 101; i++)
		g_string_append(text, "{{#a}}");
	for (int i = 0; i < 101; i++)
		g_string_append(text, "{{/a}}");
	assert_null(mustache_new("t", text->str, text->len, &reason));
	assert_string_equal(reason.text, "template t:1:601: is nested too deep: a");
	struct mustache *fits = mustache_new("t", text->str + 6, text->len - 12, &reason);

	assert_non_null(fits);
	mustache_free(&fits);
	g_string_free(text, TRUE);
}

static void partials_are_counted(void **state)
{
	static const char *const texts[] = {"p", "x", NULL};
	struct mustache_options options = relaxed;
	GString *out = g_string_new(NULL);

	(void)state;
	partial_texts = texts;
	options.partials_max = 3;
	assert_int_equal(render("{{#a}}{{>p}}{{/a}}", "{\"a\":[1,2,3]}", &options, out, NULL),
			 OUTCOME_OK);
	assert_int_equal(render("{{#a}}{{>p}}{{/a}}", "{\"a\":[1,2,3,4]}", &options, out, NULL),
			 OUTCOME_REJECT);
	partial_texts = NULL;
	g_string_free(out, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_escaped_for_html),
		cmocka_unit_test(sections_follow_the_value),
		cmocka_unit_test(large_objects_find_their_members),
		cmocka_unit_test(tags_alone_take_their_line),
		cmocka_unit_test(partials_take_the_indentation),
		cmocka_unit_test(layouts_have_places_to_fill),
		cmocka_unit_test(errors_name_their_place),
		cmocka_unit_test(strict_names_what_is_missing),
		cmocka_unit_test(output_is_bounded),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(partials_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
