#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "mailin/parse/auto.h"

/* Name, value, name, value ... NULL. */
static const char *header(const char *name, void *context)
{
	for (const char **pair = context; *pair != NULL; pair += 2)
		if (g_ascii_strcasecmp(pair[0], name) == 0)
			return pair[1];
	return NULL;
}

struct expectation {
	const char *headers[5];
	const char *kind;
};

static const struct expectation expectations[] = {
	{{NULL}, "no"},
	{{"Subject", "Out of office chairs", NULL}, "no"},
	{{"Auto-Submitted", "no", NULL}, "no"},
	{{"Auto-Submitted", "No (really)", NULL}, "no"},
	{{"Auto-Submitted", "", NULL}, "no"},
	{{"Auto-Submitted", "auto-replied", NULL}, "replied"},
	{{"Auto-Submitted", " Auto-Replied; owner-email=\"a@b.test\"", NULL}, "replied"},
	{{"Auto-Submitted", "auto-generated", NULL}, "generated"},
	{{"Auto-Submitted", "auto-notified; x=y", NULL}, "generated"},
	{{"Auto-Submitted", "invented-by-somebody", NULL}, "generated"},
	{{"X-Autoreply", "yes", NULL}, "replied"},
	{{"X-Autorespond", "anything", NULL}, "replied"},
	{{"X-Autoreply", "no", NULL}, "no"},
	{{"Precedence", "auto_reply", NULL}, "replied"},
	{{"X-Auto-Response-Suppress", "All", NULL}, "no"},
	{{"X-Auto-Response-Suppress", "All", "Subject", "Your invoice", NULL}, "no"},
	{{"X-Auto-Response-Suppress", "All", "Subject", "automatic reply: hello", NULL}, "replied"},
	{{"X-Auto-Response-Suppress", "All", "Subject", "RÉPONSE AUTOMATIQUE : x", NULL},
	 "replied"},
	{{"X-Auto-Response-Suppress", "OOF", "Subject", "自動応答: 件名", NULL}, "replied"},
	{{"List-Id", "<x.lists.test>", NULL}, "list"},
	{{"List-Unsubscribe", "<mailto:x@lists.test>", NULL}, "list"},
	{{"Precedence", "list", NULL}, "list"},
	{{"Precedence", "LIST", "Auto-Submitted", "auto-replied", NULL}, "replied"},
	{{"Precedence", "bulk", NULL}, "bulk"},
	{{"Precedence", "junk (sorry)", NULL}, "bulk"},
	{{"Precedence", "first-class", NULL}, "no"},
	{{"Precedence", "bulk", "List-Id", "<x.lists.test>", NULL}, "list"},
	{{"Feedback-ID", "1:campaign:x", NULL}, "no"},
	{{"X-Failed-Recipients", "a@b.test", NULL}, "bounce"},
};

static void headers_tell_the_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(expectations); i++) {
		const char *headers[5];

		memcpy(headers, expectations[i].headers, sizeof(headers));
		const char *kind = auto_kind("a@b.test", "text/plain", header, headers);
		if (strcmp(kind, expectations[i].kind) != 0)
			fail_msg("%s: %s gave %s", headers[0], headers[1], kind);
	}
}

static void null_sender_and_report_are_bounces(void **state)
{
	const char *nothing[] = {NULL};
	const char *postfix[] = {"Auto-Submitted", "auto-replied", NULL};

	(void)state;
	assert_string_equal(auto_kind("", "text/plain", header, nothing), "bounce");
	assert_string_equal(auto_kind("<>", NULL, header, nothing), "bounce");
	assert_string_equal(auto_kind("", "multipart/report", header, postfix), "bounce");
	assert_string_equal(auto_kind("a@b.test", "Multipart/Report", header, postfix), "bounce");
	assert_string_equal(auto_kind(NULL, NULL, header, nothing), "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_tell_the_kind),
		cmocka_unit_test(null_sender_and_report_are_bounces),
	};
	return cmocka_run_group_tests_name("auto", tests, NULL, NULL);
}
