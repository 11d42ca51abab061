/* What a request may be, and what is said of one that may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <gmime/gmime.h>
#include <string.h>
#include <time.h>

#include "mailout/request.h"

static struct config *config;

static struct request *parse(const char *json, struct reason *reason)
{
	return request_new(json, strlen(json), NULL, "transactional", config, reason);
}

static struct request *accepted(const char *json)
{
	struct reason reason = {0};
	struct request *request = parse(json, &reason);

	if (request == NULL)
		fail_msg("refused: %s: %s", reason.text, json);
	return request;
}

static void refused_as(const char *json, const char *status, const char *text)
{
	struct reason reason = {0};
	struct request *request = parse(json, &reason);

	if (request != NULL)
		fail_msg("accepted: %s", json);
	assert_string_equal(reason.text, text);
	assert_string_equal(reason.status, status);
}

static void refused(const char *json, const char *text)
{
	refused_as(json, "5.6.0", text);
}

/* A request that is right but for some more members: "\"Tag\": 1". */
static char *with(const char *members)
{
	return g_strdup_printf(
		"{\"From\": \"a@x.example\", \"To\": \"b@y.example\", \"Subject\": \"s\", "
		"\"TextBody\": \"t\"%s%s}",
		*members == '\0' ? "" : ", ", members);
}

static struct request *accepted_with(const char *members)
{
	g_autofree char *json = with(members);

	return accepted(json);
}

static void refused_with(const char *members, const char *text)
{
	g_autofree char *json = with(members);

	refused(json, text);
}

static void is_address(const struct address *address, const char *email, const char *name)
{
	assert_string_equal(address->email, email);
	assert_string_equal(address->name, name);
}

/* The To of a request, by the text that it has as JSON. */
static struct request *to_of(const char *to)
{
	g_autofree char *json =
		g_strdup_printf("{\"To\": %s, \"Subject\": \"\", \"TextBody\": \"\"}", to);

	return accepted(json);
}

static void to_is_refused(const char *to, const char *text)
{
	g_autofree char *json =
		g_strdup_printf("{\"To\": %s, \"Subject\": \"\", \"TextBody\": \"\"}", to);

	refused(json, text);
}

static void all_fields_arrive(void **state)
{
	static const char json[] =
		"{\"From\": \"Ann <ann@x.example>\", \"To\": \"b@y.example, Carl <c@z.example>\","
		" \"Cc\": [{\"Email\": \"d@y.example\", \"Name\": \"D\"}], \"Bcc\": "
		"\"e@y.example\","
		" \"ReplyTo\": \"f@y.example\", \"Subject\": \"s\\tu\", \"TextBody\": \"t\\n\","
		" \"HtmlBody\": \"<p>\", \"Headers\": [{\"Name\": \"X-A\", \"Value\": \" v \"}],"
		" \"Attachments\": [{\"Name\": \"a/b.png\", \"Content\": \"QUJD\","
		" \"ContentType\": \"image/png\", \"ContentID\": \"cid:b\"},"
		" {\"AttachmentID\": \"01890000-0000-7000-8000-000000000002\"}],"
		" \"Tag\": \"welcome\", \"Metadata\": {\"a\": \"b\"}, \"MessageStream\": \"bulk\","
		" \"MessageID\": \"01890000-0000-7000-8000-000000000001\", \"Locale\": \"de_AT\","
		" \"SendAt\": \"2030-01-01T00:00:00+01:00\", \"ExpiresAt\": 1893456001,"
		" \"ListUnsubscribe\": {\"Url\": \"https://x.example/u\", \"Mailto\": "
		"\"u@x.example\"},"
		" \"DryRun\": true, \"TrackOpens\": false, \"TrackLinks\": \"None\", "
		"\"InlineCss\": true}";
	char text[ID_TEXT_SIZE];
	struct request *r = accepted(json);

	(void)state;
	is_address(&r->from, "ann@x.example", "Ann");
	assert_int_equal(r->to.count, 2);
	is_address(&r->to.item[0], "b@y.example", "");
	is_address(&r->to.item[1], "c@z.example", "Carl");
	is_address(&r->cc.item[0], "d@y.example", "D");
	is_address(&r->bcc.item[0], "e@y.example", "");
	is_address(&r->reply_to.item[0], "f@y.example", "");
	assert_string_equal(r->subject, "s u");
	assert_string_equal(r->text_body, "t\n");
	assert_string_equal(r->html_body, "<p>");
	assert_int_equal(r->header_count, 1);
	assert_string_equal(r->headers[0].name, "X-A");
	assert_string_equal(r->headers[0].value, "v");
	assert_int_equal(r->attachment_count, 2);
	assert_string_equal(r->attachments[0].name, "a_b.png");
	assert_string_equal(r->attachments[0].content_type, "image/png");
	assert_string_equal(r->attachments[0].content_id, "b");
	assert_int_equal(r->attachments[0].size, 3);
	assert_memory_equal(r->attachments[0].data, "ABC", 3);
	assert_false(r->attachments[0].is_stored);
	assert_true(r->attachments[1].is_stored);
	assert_null(r->attachments[1].data);
	assert_string_equal(id_text(&r->attachments[1].stored, text),
			    "01890000-0000-7000-8000-000000000002");
	assert_string_equal(r->tag, "welcome");
	assert_string_equal(wire_get_text(r->metadata, "a"), "b");
	assert_string_equal(r->stream, "bulk");
	assert_true(r->has_id);
	assert_string_equal(id_text(&r->id, text), "01890000-0000-7000-8000-000000000001");
	assert_string_equal(r->locale, "de-AT");
	assert_int_equal(r->send_at, 1893452400);
	assert_int_equal(r->expires_at, 1893456001);
	assert_string_equal(r->unsubscribe_url, "https://x.example/u");
	assert_string_equal(r->unsubscribe_mailto, "mailto:u@x.example");
	assert_true(r->dry_run);
	request_free(&r);
	assert_null(r);
}

static void a_template_brings_the_texts(void **state)
{
	struct request *r =
		accepted("{\"To\": \"b@y.example\", \"TemplateAlias\": \"ticket-reply\","
			 " \"TemplateModel\": {\"n\": 1}, \"Cc\": null}");

	(void)state;
	assert_string_equal(r->template_alias, "ticket-reply");
	assert_non_null(wire_get(r->template_model, "n"));
	assert_null(r->subject);
	assert_string_equal(r->from.email, "");
	assert_string_equal(r->from.name, "");
	assert_string_equal(r->stream, "transactional");
	assert_string_equal(r->locale, "");
	assert_string_equal(r->tag, "");
	assert_false(r->has_id);
	request_free(&r);
	refused("{\"To\": \"b@y.example\", \"TemplateAlias\": \"a\", \"Subject\": \"s\"}",
		"Subject: the template makes it");
	refused("{\"To\": \"b@y.example\", \"TemplateAlias\": \"a\", \"TextBody\": \"s\"}",
		"TextBody: the template makes it");
	refused("{\"To\": \"b@y.example\", \"TemplateAlias\": \"a\", \"HtmlBody\": \"s\"}",
		"HtmlBody: the template makes it");
	refused("{\"To\": \"b@y.example\", \"TemplateAlias\": \"../etc\"}",
		"TemplateAlias: no name of a template: \"../etc\"");
	refused("{\"To\": \"b@y.example\", \"TemplateAlias\": \"a/b\"}",
		"TemplateAlias: no name of a template: \"a/b\"");
	refused("{\"To\": \"b@y.example\", \"TemplateAlias\": \"_partials\"}",
		"TemplateAlias: no name of a template: \"_partials\"");
	refused("{\"To\": \"b@y.example\", \"TemplateAlias\": \"\"}", "TemplateAlias: empty");
	refused("{\"To\": \"b@y.example\", \"TemplateId\": 12}",
		"TemplateId: templates have names, not numbers: use TemplateAlias");
	refused("{\"To\": \"b@y.example\", \"TemplateAlias\": \"a\", \"TemplateModel\": []}",
		"TemplateModel: object expected, not array");
	refused_with("\"TemplateModel\": {}", "TemplateModel: without TemplateAlias");
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	refused("{\"Subject\": \"s\", \"TextBody\": \"t\"}", "To: no recipient, nor in Cc and Bcc");
	refused("{\"To\": \"\", \"Subject\": \"s\", \"TextBody\": \"t\"}",
		"To: no recipient, nor in Cc and Bcc");
	refused("{\"To\": \"b@y.example\", \"TextBody\": \"t\"}",
		"Subject: missing, and no TemplateAlias");
	refused("{\"To\": \"b@y.example\", \"Subject\": \"t\"}",
		"TextBody: missing, and no HtmlBody");
	refused("[]", "request: object expected, not array");
	refused("3", "request: object expected, not integer");
	refused("null", "JSON is null");
}

static void unknown_fields_are_refused_by_name(void **state)
{
	(void)state;
	refused_with("\"TextBdy\": \"t\"", "TextBdy: unknown field");
	refused_with("\"textbody\": \"t\"", "textbody: unknown field; it is spelt TextBody");
	refused_with("\"Cc\": [{\"Email\": \"c@y.example\", \"Nam\": \"n\"}]",
		     "Cc[0].Nam: unknown field");
	refused_with("\"Headers\": [{\"Name\": \"X\", \"Value\": \"v\", \"Type\": \"t\"}]",
		     "Headers[0].Type: unknown field");
	refused_with("\"Attachments\": [{\"Name\": \"a\", \"Content\": \"\", \"Size\": 1}]",
		     "Attachments[0].Size: unknown field");
	refused_with("\"ListUnsubscribe\": {\"URL\": \"https://x.example\"}",
		     "ListUnsubscribe.URL: unknown field; it is spelt Url");
}

static void wrong_types_are_named(void **state)
{
	(void)state;
	refused("{\"From\": 1}", "From: object expected, not integer");
	refused("{\"From\": []}", "From: object expected, not array");
	refused("{\"To\": 1.5}", "To: string or list expected, not number");
	refused("{\"To\": [1]}", "To[0]: object expected, not integer");
	refused("{\"To\": [null]}", "To[0]: object expected, not nothing");
	refused("{\"To\": [{\"Email\": 1}]}", "To[0].Email: string expected, not integer");
	refused("{\"To\": [{\"Name\": \"n\"}]}", "To[0].Email: missing");
	refused("{\"Subject\": true}", "Subject: string expected, not boolean");
	refused("{\"TextBody\": {}}", "TextBody: string expected, not object");
	refused("{\"Tag\": 1}", "Tag: string expected, not integer");
	refused("{\"Metadata\": []}", "Metadata: object expected, not array");
	refused("{\"Metadata\": {\"a\": 1}}", "Metadata.a: string expected, not integer");
	refused("{\"Metadata\": {\"a\": null}}", "Metadata.a: string expected, not nothing");
	refused("{\"Headers\": {}}", "Headers: list expected, not object");
	refused("{\"Headers\": [1]}", "Headers[0]: object expected, not integer");
	refused("{\"Attachments\": \"\"}", "Attachments: list expected, not string");
	refused("{\"Attachments\": [{\"Content\": 1}]}",
		"Attachments[0].Content: string expected, not integer");
	refused("{\"DryRun\": 1}", "DryRun: boolean expected, not integer");
	refused("{\"ListUnsubscribe\": \"\"}", "ListUnsubscribe: object expected, not string");
	refused("{\"SendAt\": true}",
		"SendAt: time (RFC 3339 or seconds since 1970) expected, not boolean");
	refused("{\"InlineCss\": \"yes\"}", "InlineCss: boolean expected, not string");
}

static void postmarks_extras_pass_when_they_ask_for_nothing(void **state)
{
	struct request *r =
		accepted_with("\"TrackOpens\": false, \"TrackLinks\": \"\", \"InlineCss\": false");

	(void)state;
	request_free(&r);
	refused_with("\"TrackOpens\": true", "TrackOpens: opening is not tracked");
	refused_with("\"TrackLinks\": \"HtmlOnly\"",
		     "TrackLinks: links are not tracked: \"HtmlOnly\"");
}

static void bounces_go_where_the_request_says(void **state)
{
	struct request *r = accepted_with("\"EnvelopeSender\": \"\"");

	(void)state;
	assert_string_equal(r->envelope_sender, "");
	request_free(&r);
	r = accepted_with("\"EnvelopeSender\": \"bounces+1@\xc3\xbc.example\"");
	assert_string_equal(r->envelope_sender, "bounces+1@xn--tda.example");
	request_free(&r);
	r = accepted_with("\"EnvelopeSender\": null");
	assert_null(r->envelope_sender);
	request_free(&r);
	r = accepted_with("");
	assert_null(r->envelope_sender);
	request_free(&r);
	refused_with("\"EnvelopeSender\": \"<>\"", "EnvelopeSender: no address: \"<>\"");
	refused_with("\"EnvelopeSender\": \"Ann <a@x.example>\"",
		     "EnvelopeSender: no address: \"Ann <a@x.example>\"");
	refused_with("\"EnvelopeSender\": [\"a@x.example\"]",
		     "EnvelopeSender: string expected, not array");
}

static void line_breaks_stay_out_of_headers(void **state)
{
	static const char *const fields[] = {
		"Subject", "Tag",     "From",          "To",     "Cc",
		"Bcc",     "ReplyTo", "MessageStream", "Locale", "EnvelopeSender",
	};
	static const struct {
		const char *json;
		const char *text;
	} breaks[] = {
		{"a@x.example\\r\\nX: y", "line break"},
		{"a@x.example\\nX: y", "line break"},
		{"a@x.example\\rX: y", "line break"},
		{"a@x.example\\u0000", "NUL character"},
		{"a@x.example\\u0007", "control character U+0007"},
		{"a@x.example\\u0085", "control character U+0085"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		for (size_t k = 0; k < G_N_ELEMENTS(breaks); k++) {
			g_autofree char *json =
				g_strdup_printf("{\"%s\": \"%s\"}", fields[i], breaks[k].json);
			g_autofree char *text =
				g_strdup_printf("%s: %s", fields[i], breaks[k].text);

			refused(json, text);
		}
	}
	refused("{\"To\": [{\"Email\": \"a@x.example\", \"Name\": \"n\\nBcc: z@x.example\"}]}",
		"To[0].Name: line break");
	refused("{\"To\": [{\"Email\": \"a@x.example\\r\\nRCPT TO:<z@x.example>\"}]}",
		"To[0].Email: line break");
	refused("{\"To\": \"=?utf-8?q?a=0D=0ABcc=3A_z?= <a@x.example>\"}", "To: line break");
	refused("{\"Headers\": [{\"Name\": \"X\", \"Value\": \"a\\nb\"}]}",
		"Headers[0].Value: line break");
	refused("{\"Headers\": [{\"Name\": \"X\\n\", \"Value\": \"a\"}]}",
		"Headers[0].Name: line break");
	refused("{\"Attachments\": [{\"Name\": \"a\\nb\"}]}", "Attachments[0].Name: line break");
	refused("{\"Attachments\": [{\"ContentType\": \"a/b\\nc\"}]}",
		"Attachments[0].ContentType: line break");
	refused("{\"Attachments\": [{\"ContentID\": \"a\\nb\"}]}",
		"Attachments[0].ContentID: line break");
	refused("{\"ListUnsubscribe\": {\"Url\": \"https://x.example/\\n\"}}",
		"ListUnsubscribe.Url: line break");
	refused("{\"ListUnsubscribe\": {\"Mailto\": \"a@x.example\\n\"}}",
		"ListUnsubscribe.Mailto: line break");
	refused("{\"TextBody\": \"a\\u0000b\"}", "TextBody: NUL character");
}

static void addresses_in_all_forms(void **state)
{
	static const struct {
		const char *json;
		const char *email;
		const char *name;
	} cases[] = {
		{"\"b@y.example\"", "b@y.example", ""},
		{"\" b@y.example , \"", "b@y.example", ""},
		{"\"<b@y.example>\"", "b@y.example", ""},
		{"\"Bob B. <b@y.example>\"", "b@y.example", "Bob B."},
		{"\"\\\"Doe, John\\\" <b@y.example>\"", "b@y.example", "Doe, John"},
		{"\"\\\"a \\\\\\\"b\\\\\\\" c: d; e\\\" <b@y.example>\"", "b@y.example",
		 "a \"b\" c: d; e"},
		{"\"J\u00f6rg Wei\u00df <b@y.example>\"", "b@y.example", "J\u00f6rg Wei\u00df"},
		{"\"=?utf-8?q?B=C3=A4r?= <b@y.example>\"", "b@y.example", "B\u00e4r"},
		{"\"b@y.example (Bob, at home: here)\"", "b@y.example", "Bob, at home: here"},
		{"\"Bob <b@y.example> (home)\"", "b@y.example", "Bob"},
		{"[\"Bob <b@y.example>\"]", "b@y.example", "Bob"},
		{"[{\"Email\": \"b@y.example\", \"Name\": \"  B, \\\"b\\\" <x@y>  \"}]",
		 "b@y.example", "B, \"b\" <x@y>"},
		{"[{\"Email\": \"b@y.example\", \"Name\": null}]", "b@y.example", ""},
		{"\"b@B\u00dcCHER.example\"", "b@xn--bcher-kva.example", ""},
		{"\"B <b@stra\u00dfe.example>\"", "b@xn--strae-oqa.example", "B"},
		{"\"b@xn--bcher-kva.example\"", "b@xn--bcher-kva.example", ""},
		{"\"b@\u4f8b\u3048\u3002\u30c6\u30b9\u30c8\"", "b@xn--r8jz45g.xn--zckzah", ""},
		{"\"\\\"b b\\\"@y.example\"", "\"b b\"@y.example", ""},
		{"\"\\\"b@b\\\"@y.example\"", "\"b@b\"@y.example", ""},
		{"\"o'b+tag/x=y@y.example\"", "o'b+tag/x=y@y.example", ""},
		{"\"root@localhost\"", "root@localhost", ""},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct request *r = to_of(cases[i].json);

		assert_int_equal(r->to.count, 1);
		is_address(&r->to.item[0], cases[i].email, cases[i].name);
		request_free(&r);
	}
}

static void no_address_is_lost_or_invented(void **state)
{
	(void)state;
	to_is_refused("\"b\"", "To: no address: \"b\"");
	to_is_refused("\"@y.example\"", "To: no address: \"@y.example\"");
	to_is_refused("\"b@\"", "To: no domain: \"\"");
	to_is_refused("\"b@y..example\"", "To: no domain: \"y..example\"");
	to_is_refused("\"b@-y.example\"", "To: no domain: \"-y.example\"");
	to_is_refused("\"b@y_z.example\"", "To: no domain: \"y_z.example\"");
	to_is_refused("\"b@[127.0.0.1]\"", "To: no domain: \"[127.0.0.1]\"");
	to_is_refused("\"b@y.example c@y.example\"", "To: no address: \"b@y.example c@y.example\"");
	to_is_refused("\"b b@y.example\"", "To: no address: \"b b@y.example\"");
	to_is_refused("\"b..c@y.example\"", "To: no address: \"b..c@y.example\"");
	to_is_refused("\".b@y.example\"", "To: no address: \".b@y.example\"");
	to_is_refused("\"<b@y.example> c@y.example\"",
		      "To: text behind the address: \"<b@y.example> c@y.example\"");
	to_is_refused("\"<b@y.example> <c@y.example>\"",
		      "To: misplaced angle bracket: \"<b@y.example> <c@y.example>\"");
	to_is_refused("\"<<b@y.example>>\"", "To: misplaced angle bracket: \"<<b@y.example>>\"");
	to_is_refused("\"b <b@y.example\"",
		      "To: a quote, comment or bracket that is not closed: \"b <b@y.example\"");
	to_is_refused("\"\\\"b <b@y.example>, c@y.example\"",
		      "To: a quote, comment or bracket that is not closed: \"\"b <b@y.example>, "
		      "c@y.example\"");
	to_is_refused("\"b@y.example; c@y.example\"",
		      "To: groups are not allowed, addresses are separated by commas: "
		      "\"b@y.example; c@y.example\"");
	to_is_refused("\"friends: b@y.example, c@y.example;\"",
		      "To: groups are not allowed, addresses are separated by commas: \"friends: "
		      "b@y.example\"");
	to_is_refused("[\"b@y.example, c@y.example\"]", "To[0]: more than one address");
	to_is_refused("[\"\"]", "To[0]: no address");
	to_is_refused("[{\"Email\": \"B <b@y.example>\"}]",
		      "To[0].Email: no address: \"B <b@y.example>\"");
	refused_with("\"From\": \"b@y.example, c@y.example\"", "From: more than one address");
}

static void a_local_part_beyond_ascii_needs_smtputf8(void **state)
{
	(void)state;
	refused_as("{\"To\": \"j\u00f6rg@y.example\"}", "5.6.7",
		   "To: the local part \"j\u00f6rg\" needs SMTPUTF8, which is not supported");
	refused_as("{\"Bcc\": [{\"Email\": \"\u7528\u6237@y.example\"}]}", "5.6.7",
		   "Bcc[0].Email: the local part \"\u7528\u6237\" needs SMTPUTF8, which is not "
		   "supported");
}

static char *repeated(char c, size_t count)
{
	return g_strnfill(count, c);
}

static void lengths_at_the_limit_and_beyond(void **state)
{
	g_autofree char *local = repeated('a', 64);
	g_autofree char *label = repeated('b', 63);
	g_autofree char *good = g_strdup_printf("\"%s@%s.%s.example\"", local, label, label);
	g_autofree char *long_local = g_strdup_printf("\"a%s@y.example\"", local);
	g_autofree char *long_label = g_strdup_printf("\"a@b%s.example\"", label);
	g_autofree char *long_email =
		g_strdup_printf("\"a@%s.%s.%s.%s\"", label, label, label, label);
	g_autofree char *long_domain_reason =
		g_strdup_printf("To: no domain: \"b%s.example\"", label);
	g_autofree char *subject = repeated('s', 4001);
	g_autofree char *members = g_strdup_printf("\"Subject\": \"%s\"", subject);
	struct request *r = to_of(good);

	(void)state;
	request_free(&r);
	to_is_refused(long_local, "To: a local part of 65 bytes, more than 64");
	to_is_refused(long_label, long_domain_reason);
	/* The domain has 255 bytes. */
	struct reason reason = {0};
	g_autofree char *json = g_strdup_printf("{\"To\": %s}", long_email);

	assert_null(parse(json, &reason));
	refused_with(members, "Subject: 4001 bytes, more than 4000");
}

/* `count` addresses over To, Cc and Bcc. */
static char *many(size_t count)
{
	GString *json = g_string_new("{\"Subject\": \"\", \"TextBody\": \"\"");
	static const char *const names[] = {"To", "Cc", "Bcc"};

	for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
		g_string_append_printf(json, ", \"%s\": \"", names[n]);
		for (size_t i = n; i < count; i += G_N_ELEMENTS(names))
			g_string_append_printf(json, "r%zu@y.example, ", i);
		g_string_append_c(json, '"');
	}
	g_string_append_c(json, '}');
	return g_string_free(json, FALSE);
}

static void recipients_are_counted_over_all_fields(void **state)
{
	g_autofree char *fifty = many(50);
	g_autofree char *more = many(51);
	struct request *r = accepted(fifty);

	(void)state;
	assert_int_equal(r->to.count + r->cc.count + r->bcc.count, 50);
	request_free(&r);
	refused_as(more, "5.5.3", "To, Cc and Bcc: more than 50 addresses (limits.recipients)");
}

static void recipients_are_named_once(void **state)
{
	struct request *r =
		accepted("{\"To\": \"b@y.example, B <b@Y.example>, B@y.example\","
			 " \"Cc\": \"c@y.example\", \"Bcc\": \"b@y.example, d@y.example\","
			 " \"Subject\": \"\", \"TextBody\": \"\"}");
	g_auto(GStrv) recipients = request_recipients(r);

	(void)state;
	assert_int_equal(g_strv_length(recipients), 4);
	assert_string_equal(recipients[0], "b@y.example");
	assert_string_equal(recipients[1], "B@y.example");
	assert_string_equal(recipients[2], "c@y.example");
	assert_string_equal(recipients[3], "d@y.example");
	request_free(&r);
}

/* Each of these took GMime's parser, or would take a careless one, minutes or the stack. */
static void nasty_address_fields_are_refused_at_once(void **state)
{
	static const char *const pieces[] = {
		"a:",           "(",   "\\\"",           "<",    "a@", ",",
		"a@b.example ", "(()", "=?utf-8?q?a?= ", "\\\\", "[",  "a;",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
		g_autoptr(GString) json = g_string_new("{\"To\": \"");
		struct reason reason = {0};

		for (size_t n = 0; n < 200000; n++)
			g_string_append(json, pieces[i]);
		g_string_append(json, "\"}");
		clock_t begin = clock();
		struct request *r = parse(json->str, &reason);

		assert_null(r);
		assert_true(clock() - begin < CLOCKS_PER_SEC);
	}
}

static void headers_that_may_be_set(void **state)
{
	static const char *const refused_names[] = {
		"From",
		"from",
		"Sender",
		"To",
		"Cc",
		"Bcc",
		"Reply-To",
		"Subject",
		"Date",
		"Message-ID",
		"MESSAGE-ID",
		"MIME-Version",
		"Content-Type",
		"content-foo",
		"Return-Path",
		"Received",
		"DKIM-Signature",
		"Resent-To",
		"ARC-Seal",
		"Authentication-Results",
	};
	struct request *r =
		accepted_with("\"Headers\": [{\"Name\": \"In-Reply-To\", \"Value\": \"<a@b>\"},"
			      " {\"Name\": \"References\", \"Value\": \"<a@b>  <c@d><e@f>\"},"
			      " {\"Name\": \"X-A\", \"Value\": \"\u00fc\"}, {\"Name\": \"X-A\", "
			      "\"Value\": \"\"}]");

	(void)state;
	assert_int_equal(r->header_count, 4);
	request_free(&r);
	for (size_t i = 0; i < G_N_ELEMENTS(refused_names); i++) {
		g_autofree char *json =
			g_strdup_printf("{\"Headers\": [{\"Name\": \"X\", \"Value\": \"\"}, "
					"{\"Name\": \"%s\", \"Value\": \"v\"}]}",
					refused_names[i]);
		g_autofree char *text = g_strdup_printf("Headers[1].Name: %s is not to be set here",
							refused_names[i]);

		refused(json, text);
	}
	refused("{\"Headers\": [{\"Name\": \"X Y\"}]}", "Headers[0].Name: no header name: \"X Y\"");
	refused("{\"Headers\": [{\"Name\": \"X:\"}]}", "Headers[0].Name: no header name: \"X:\"");
	refused("{\"Headers\": [{\"Name\": \"X\u00fc\"}]}",
		"Headers[0].Name: no header name: \"X\u00fc\"");
	refused("{\"Headers\": [{\"Name\": \"\"}]}", "Headers[0].Name: empty");
	refused("{\"Headers\": [{\"Value\": \"\"}]}", "Headers[0]: Name is missing");
	refused("{\"Headers\": [{\"Name\": \"X\"}]}", "Headers[0]: Value is missing");
	refused("{\"Headers\": [{\"Name\": \"References\", \"Value\": \"a@b\"}]}",
		"Headers[0]: References: no message ids: \"a@b\"");
	refused("{\"Headers\": [{\"Name\": \"In-Reply-To\", \"Value\": \"<a@b> x\"}]}",
		"Headers[0]: In-Reply-To: no message ids: \"<a@b> x\"");
	refused("{\"Headers\": [{\"Name\": \"References\", \"Value\": \"<a@b>\"},"
		" {\"Name\": \"references\", \"Value\": \"<a@b>\"}]}",
		"Headers[1]: references is there twice");
	g_autofree char *word = repeated('w', 901);
	g_autofree char *json =
		g_strdup_printf("{\"Headers\": [{\"Name\": \"X\", \"Value\": \"a %s\"}]}", word);

	refused(json, "Headers[0].Value: a word of 901 bytes, more than 900");
}

static void attachments_are_checked(void **state)
{
	(void)state;
	refused("{\"Attachments\": [{\"Name\": \"a\", \"Content\": \"QUJD\"}, {\"Name\": \"b\", "
		"\"Content\": \"QUI\"}]}",
		"Attachments[1].Content: no base64");
	refused("{\"Attachments\": [{\"Content\": \"QU\\nJD\"}]}",
		"Attachments[0].Content: no base64");
	refused("{\"Attachments\": [{\"Content\": \"\"}]}", "Attachments[0]: Name is missing");
	refused("{\"Attachments\": [{\"Name\": \"\"}]}", "Attachments[0].Name: empty");
	refused("{\"Attachments\": [{\"Name\": \"a\"}]}",
		"Attachments[0]: Content (base64) or AttachmentID is missing");
	refused("{\"Attachments\": [{\"AttachmentID\": \"1\"}]}",
		"Attachments[0].AttachmentID: no UUID: \"1\"");
	refused("{\"Attachments\": [{\"AttachmentID\": \"01890000-0000-7000-8000-000000000002\","
		" \"Content\": \"\"}]}",
		"Attachments[0]: Content and AttachmentID exclude each other");
	refused("{\"Attachments\": [{\"ContentType\": \"png\"}]}",
		"Attachments[0].ContentType: no media type: \"png\"");
	refused("{\"Attachments\": [{\"ContentType\": \"multipart/mixed\"}]}",
		"Attachments[0].ContentType: no media type: \"multipart/mixed\"");
	refused("{\"Attachments\": [{\"ContentID\": \"a b\"}]}",
		"Attachments[0].ContentID: no content id: \"a b\"");
	refused("{\"Attachments\": [{\"Name\": \"a\", \"Content\": \"\", \"ContentID\": \"<x>\"},"
		" {\"Name\": \"b\", \"Content\": \"\", \"ContentID\": \"cid:x\"}]}",
		"Attachments[1]: the ContentID \"x\" is used twice");
	struct request *r =
		accepted_with("\"Attachments\": [{\"Name\": \"a\", \"Content\": \"\"}]");

	assert_int_equal(r->attachments[0].size, 0);
	assert_non_null(r->attachments[0].data);
	assert_null(r->attachments[0].content_id);
	request_free(&r);
}

static void attachments_are_counted(void **state)
{
	g_autoptr(GString) json =
		g_string_new("\"Attachments\": [{\"Name\": \"a\", \"Content\": \"\"}");
	g_autofree char *longest = repeated('n', 200);
	g_autofree char *name =
		g_strdup_printf("{\"Attachments\": [{\"Name\": \"n%s\"}]}", longest);

	(void)state;
	for (int64_t i = 1; i < config->limits.attachments; i++)
		g_string_append(json, ", {\"Name\": \"a\", \"Content\": \"\"}");
	g_autofree char *enough = g_strconcat(json->str, "]", NULL);
	g_autofree char *more = g_strconcat(json->str, ", {}]", NULL);
	struct request *r = accepted_with(enough);

	assert_int_equal(r->attachment_count, 500);
	request_free(&r);
	refused_with(more, "Attachments: 501 attachments, more than 500 (limits.attachments)");
	refused(name, "Attachments[0].Name: 201 bytes, more than 200 (limits.filename_bytes)");
}

static void media_types(void **state)
{
	(void)state;
	assert_true(request_is_media_type("image/png"));
	assert_true(request_is_media_type("application/vnd.oasis.opendocument.text"));
	assert_true(request_is_media_type("text/plain; charset=utf-8"));
	assert_true(request_is_media_type("text/plain;charset=\"utf-8\" ; format=flowed"));
	assert_false(request_is_media_type(""));
	assert_false(request_is_media_type("/png"));
	assert_false(request_is_media_type("image/"));
	assert_false(request_is_media_type("image/png; x"));
	assert_false(request_is_media_type("image/png; x=\"y"));
	assert_false(request_is_media_type("image/png; x="));
	assert_false(request_is_media_type("image/png x"));
	assert_false(request_is_media_type("image/png;"));
	assert_false(request_is_media_type("Multipart/Mixed; boundary=a"));
}

static void times(void **state)
{
	static const struct {
		const char *json;
		int64_t seconds;
	} cases[] = {
		{"1893456000", 1893456000},
		{"\"2030-01-01T00:00:00Z\"", 1893456000},
		{"\"2030-01-01t01:30:00.250+01:30\"", 1893456000},
		{"\"2024-02-29T23:59:59-00:30\"", 1709252999},
	};
	static const char *const wrong[] = {
		"2030-01-01",
		"2030-01-01T00:00:00",
		"2030-01-01 00:00:00Z",
		"2030-13-01T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"2030-01-01T25:00:00Z",
		"2030-01-01T00:00:00.Z",
		"2030-01-01T00:00:00+0100",
		"tomorrow",
		"",
		"20300101T000000Z",
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *members = g_strdup_printf("\"SendAt\": %s", cases[i].json);
		struct request *r = accepted_with(members);

		assert_int_equal(r->send_at, cases[i].seconds);
		request_free(&r);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *members = g_strdup_printf("\"SendAt\": \"%s\"", wrong[i]);
		g_autofree char *text =
			g_strdup_printf("SendAt: no time of RFC 3339: \"%s\"", wrong[i]);

		refused_with(members, text);
	}
	refused_with("\"SendAt\": -1", "SendAt: -1 is out of range (seconds since 1970)");
	refused_with("\"ExpiresAt\": 1893456000000",
		     "ExpiresAt: 1893456000000 is out of range (seconds since 1970)");
	refused_with("\"SendAt\": 1893456000, \"ExpiresAt\": \"2030-01-01T00:00:00Z\"",
		     "ExpiresAt: not later than SendAt");
}

static void unsubscribing(void **state)
{
	struct request *r = accepted_with(
		"\"ListUnsubscribe\": {\"Mailto\": \"mailto:u@x.example?subject=a%20b\"}");

	(void)state;
	assert_string_equal(r->unsubscribe_mailto, "mailto:u@x.example?subject=a%20b");
	assert_string_equal(r->unsubscribe_url, "");
	request_free(&r);
	refused_with("\"ListUnsubscribe\": {}", "ListUnsubscribe: neither Url nor Mailto");
	refused_with("\"ListUnsubscribe\": {\"Url\": \"http://x.example/\"}",
		     "ListUnsubscribe.Url: no https URL: \"http://x.example/\"");
	refused_with("\"ListUnsubscribe\": {\"Url\": \"https:///x\"}",
		     "ListUnsubscribe.Url: no https URL: \"https:///x\"");
	refused_with("\"ListUnsubscribe\": {\"Url\": \"https://x.example/>, <a\"}",
		     "ListUnsubscribe.Url: no https URL: \"https://x.example/>, <a\"");
	refused_with("\"ListUnsubscribe\": {\"Mailto\": \"u\"}",
		     "ListUnsubscribe.Mailto: no address: \"u\"");
	refused_with("\"ListUnsubscribe\": {\"Mailto\": \"u@x.example?a b\"}",
		     "ListUnsubscribe.Mailto: no mailto URL: \"u@x.example?a b\"");
	refused_with("\"ListUnsubscribe\": {\"Url\": \"https://x.example/\"},"
		     " \"Headers\": [{\"Name\": \"List-Unsubscribe\", \"Value\": "
		     "\"<https://x.example>\"}]",
		     "ListUnsubscribe: there is a header List-Unsubscribe as well");
}

static void streams_and_locales(void **state)
{
	static const char *const good[] = {"de", "de-AT", "zh-Hant-TW", "es-419", ""};
	static const char *const wrong[] = {"d",           "../x", "de-",  "de--AT",
					    "deutschland", "12",   "de/AT"};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *members = g_strdup_printf("\"Locale\": \"%s\"", good[i]);
		struct request *r = accepted_with(members);

		assert_string_equal(r->locale, good[i]);
		request_free(&r);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autofree char *members = g_strdup_printf("\"Locale\": \"%s\"", wrong[i]);
		g_autofree char *text = g_strdup_printf("Locale: no locale: \"%s\"", wrong[i]);

		refused_with(members, text);
	}
	refused_with("\"MessageStream\": \"outbound\"",
		     "MessageStream: no stream is named \"outbound\"");
	refused_with("\"MessageID\": \"x\"", "MessageID: no UUID: \"x\"");
}

static void the_message_id_property_serves_too(void **state)
{
	static const char own[] = "01890000-0000-7000-8000-000000000001";
	static const char property[] = "01890000-0000-7000-8000-00000000000A";
	g_autofree char *without = with("");
	g_autofree char *members = g_strdup_printf("\"MessageID\": \"%s\"", own);
	g_autofree char *with_id = with(members);
	struct reason reason = {0};
	char text[ID_TEXT_SIZE];

	(void)state;
	struct request *r =
		request_new(without, strlen(without), property, "bulk", config, &reason);

	assert_true(r->has_id);
	assert_string_equal(id_text(&r->id, text), "01890000-0000-7000-8000-00000000000a");
	assert_string_equal(r->stream, "bulk");
	request_free(&r);
	r = request_new(with_id, strlen(with_id), property, "bulk", config, &reason);
	assert_string_equal(id_text(&r->id, text), own);
	request_free(&r);
	r = request_new(with_id, strlen(with_id), "no uuid", "bulk", config, &reason);
	assert_string_equal(id_text(&r->id, text), own);
	request_free(&r);
	assert_null(request_new(without, strlen(without), "order-12", "bulk", config, &reason));
	assert_string_equal(reason.text, "message_id: no UUID: \"order-12\"");
	assert_string_equal(reason.status, "5.6.0");
}

static void the_size_is_limited(void **state)
{
	g_autofree char *json = with("");
	struct reason reason = {0};
	int64_t limit = config->limits.request_size;

	(void)state;
	config->limits.request_size = (int64_t)strlen(json);
	struct request *r = parse(json, &reason);

	assert_non_null(r);
	request_free(&r);
	config->limits.request_size--;
	assert_null(parse(json, &reason));
	assert_string_equal(reason.status, "5.3.4");
	config->limits.request_size = limit;
}

/* 40 MB of "1," would be gigabytes in memory. */
static void json_values_are_counted(void **state)
{
	g_autoptr(GString) json = g_string_new("{\"To\": \"b@y.example\", \"TemplateAlias\": \"a\","
					       " \"TemplateModel\": {\"a\": [\"x,[{\"");
	struct reason reason = {0};

	(void)state;
	/* Five values stand there already, and the commas and brackets within the string are none.
	 */
	for (int i = 0; i < 500000 - 5; i++)
		g_string_append(json, ",1");
	g_autofree char *enough = g_strconcat(json->str, "]}}", NULL);
	g_autofree char *more = g_strconcat(json->str, ",1]}}", NULL);
	struct request *r = accepted(enough);

	request_free(&r);
	assert_null(parse(more, &reason));
	assert_string_equal(reason.status, "5.3.4");
	assert_string_equal(reason.text, "a request of 500001 JSON values, more than 500000");
}

static void from_is_given_later(void **state)
{
	struct request *r = accepted("{\"To\": \"b@y.example\", \"TemplateAlias\": \"a\"}");
	struct reason reason = {0};

	(void)state;
	assert_int_equal(request_set_from(r, "", &reason), OUTCOME_REJECT);
	assert_string_equal(reason.status, "5.6.0");
	assert_string_equal(reason.text,
			    "From: missing, and neither template nor mailout.from say one");
	assert_int_equal(request_set_from(r, NULL, &reason), OUTCOME_REJECT);
	assert_int_equal(request_set_from(r, "nobody", &reason), OUTCOME_RETRY);
	assert_string_equal(reason.status, "4.3.5");
	assert_string_equal(reason.text,
			    "template.json or mailout.from: From: no address: \"nobody\"");
	assert_string_equal(r->from.email, "");
	assert_int_equal(request_set_from(r, "Shop <shop@x.example>", &reason), OUTCOME_OK);
	is_address(&r->from, "shop@x.example", "Shop");
	request_free(&r);
}

/* Each field that mailpipe-wire(7) names is known here, and it names all but TemplateId. */
static void the_manual_names_the_fields(void **state)
{
	enum { FIELDS = 25 };
	static const char item[] = ".It Va ";
	g_autofree char *manual = NULL;
	size_t known = 0;

	(void)state;
	assert_true(g_file_get_contents("man/mailpipe-wire.7", &manual, NULL, NULL));
	char *section = strstr(manual, ".Sh REQUEST\n");

	assert_non_null(section);
	*strstr(section + 1, "\n.Sh ") = '\0';
	g_auto(GStrv) lines = g_strsplit(section, "\n", -1);

	for (size_t i = 0; lines[i] != NULL; i++) {
		if (!g_str_has_prefix(lines[i], item))
			continue;
		g_auto(GStrv) names = g_strsplit(lines[i] + strlen(item), " , ", -1);

		for (size_t k = 0; names[k] != NULL; k++, known++) {
			g_autofree char *json = g_strdup_printf("{\"%s\": null}", names[k]);

			refused(json, "To: no recipient, nor in Cc and Bcc");
		}
	}
	assert_int_equal(known, FIELDS);
}

static int setup(void **state)
{
	(void)state;
	g_mime_init();
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
		cmocka_unit_test(all_fields_arrive),
		cmocka_unit_test(a_template_brings_the_texts),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(unknown_fields_are_refused_by_name),
		cmocka_unit_test(wrong_types_are_named),
		cmocka_unit_test(postmarks_extras_pass_when_they_ask_for_nothing),
		cmocka_unit_test(bounces_go_where_the_request_says),
		cmocka_unit_test(line_breaks_stay_out_of_headers),
		cmocka_unit_test(addresses_in_all_forms),
		cmocka_unit_test(no_address_is_lost_or_invented),
		cmocka_unit_test(a_local_part_beyond_ascii_needs_smtputf8),
		cmocka_unit_test(lengths_at_the_limit_and_beyond),
		cmocka_unit_test(recipients_are_counted_over_all_fields),
		cmocka_unit_test(recipients_are_named_once),
		cmocka_unit_test(nasty_address_fields_are_refused_at_once),
		cmocka_unit_test(headers_that_may_be_set),
		cmocka_unit_test(attachments_are_checked),
		cmocka_unit_test(attachments_are_counted),
		cmocka_unit_test(media_types),
		cmocka_unit_test(times),
		cmocka_unit_test(unsubscribing),
		cmocka_unit_test(streams_and_locales),
		cmocka_unit_test(the_message_id_property_serves_too),
		cmocka_unit_test(the_size_is_limited),
		cmocka_unit_test(json_values_are_counted),
		cmocka_unit_test(from_is_given_later),
		cmocka_unit_test(the_manual_names_the_fields),
	};

	return cmocka_run_group_tests_name("request", tests, setup, teardown);
}
