/*
 * For the tests of notices: a config, a document, and what a worker does with it.  Needs cmocka.h.
 */
#ifndef TESTS_UNIT_NOTICE_FIXTURE_H
#define TESTS_UNIT_NOTICE_FIXTURE_H

#include <glib.h>
#include <glib/gstdio.h>
#include <gmime/gmime.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/config.h"
#include "common/wire.h"
#include "mailin/ingest/inbound.h"
#include "mailin/ingest/notice.h"

#define QUEUE "mail.in.support"
#define MAIL_ID "0190163d-8694-8aab-8000-0123456789ab"

static const char BASE[] =
	"{\"MessageID\":\"" MAIL_ID "\",\"MessageStream\":\"support\","
	"\"OriginalRecipient\":\"support@example.com\",\"MailboxHash\":\"\","
	"\"From\":\"ann@x.example\",\"FromName\":\"Ann\",\"Subject\":\"The invoice\","
	"\"TextBody\":\"text\",\"HtmlBody\":\"\","
	"\"Headers\":[{\"Name\":\"Authentication-Results\","
	"\"Value\":\"mx.example.com; spf=pass smtp.mailfrom=x.example\"},"
	"{\"Name\":\"Received\",\"Value\":\"from x\"}],"
	"\"Attachments\":[],"
	"\"Mailpipe\":{\"Version\":1,\"ReceivedAt\":\"2026-11-22T12:00:00.000Z\","
	"\"Envelope\":{\"Sender\":\"ann@x.example\",\"QueueID\":\"4Q\",\"Size\":1234},"
	"\"MessageIDHeader\":\"1@x.example\",\"InReplyTo\":[],\"References\":[],"
	"\"DateUTC\":null,\"Auto\":\"no\",\"Defects\":[]}}";

/* 2026-11-22 12:00:00 UTC */
static const int64_t RECEIVED_S = INT64_C(1795348800);
static const int64_t HOUR_S = 3600;
static const int64_t MAX_AGE_S = INT64_C(5) * 24 * 3600;

static char folder[] = "/tmp/mailpipe-notice-XXXXXX";

static inline int make_folder(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	g_mime_init();
	return g_mkdtemp(folder) != NULL ? 0 : -1;
}

static inline void remove_in_folder(const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	g_remove(path);
}

static inline int remove_folder(void **state)
{
	(void)state;
	remove_in_folder("conf");
	return g_rmdir(folder);
}

/* ---- a worker's half ---- */

/* Lines of [notify], of [mailout], of [route support]. */
struct settings {
	const char *notify;
	const char *mailout;
	const char *route;
};

struct setting {
	struct config *config;
	struct notices *notices;
	struct inbound_rejection rejection; /* of what is read */
	bool rejected;                      /* ... it did not prove who sent it */
	struct notice notice;
};

static inline struct setting set_up(const struct settings *settings)
{
	static const struct settings none = {"", "", ""};
	const struct settings *s = settings != NULL ? settings : &none;
	g_autofree char *path = g_build_filename(folder, "conf", NULL);
	g_autofree char *text = g_strdup_printf(
		"[mailpipe]\nstate_dir = %s\nauthserv_ids = other.example "
		"MX.example.com\n[notify]\n%s\n[mailout]\n%s\n"
		"[route support]\nrecipients = support@example.com *@lists.example.com\n%s\n",
		folder, s->notify != NULL ? s->notify : "", s->mailout != NULL ? s->mailout : "",
		s->route != NULL ? s->route : "");
	struct setting setting = {0};
	struct reason reason = {{0}, {0}};

	remove_in_folder("notices.counts");
	remove_in_folder("answers.counts");
	assert_true(g_file_set_contents(path, text, -1, NULL));
	setting.config = config_load(path, &reason);
	assert_string_equal(reason.text, "");
	setting.notices = notices_new(setting.config, &reason);
	assert_string_equal(reason.text, "");
	return setting;
}

static inline void tear_down(struct setting *setting)
{
	notice_clear(&setting->notice);
	notices_free(&setting->notices);
	assert_null(setting->notices);
	config_free(&setting->config);
	remove_in_folder("notices.counts");
	remove_in_folder("answers.counts");
}

/* The base with the value at "a.b.c" (an index counts in an array) replaced by JSON; `json` NULL:
 * without it. */
static inline char *changed_in(const char *base, const char *path, const char *json)
{
	struct wire *document = wire_parse(base, strlen(base), NULL);
	g_auto(GStrv) keys = g_strsplit(path, ".", -1);
	guint last = g_strv_length(keys) - 1;
	struct wire *parent = document;

	assert_non_null(document);
	for (guint i = 0; i < last; i++)
		parent = g_ascii_isdigit(keys[i][0])
				 ? wire_at(parent, (size_t)g_ascii_strtoull(keys[i], NULL, 10))
				 : wire_get(parent, keys[i]);
	wire_set(parent, keys[last], json != NULL ? wire_parse(json, strlen(json), NULL) : NULL);
	char *text = wire_print(document, false, NULL);

	wire_free(&document);
	return text;
}

static inline char *changed(const char *path, const char *json)
{
	return changed_in(BASE, path, json);
}

/* With what the message says of itself where it cannot be read. */
static inline bool make_of(struct setting *setting, const char *body, enum notice_kind kind,
			   const char *status, bool read)
{
	struct broker_delivery delivery = {.queue = (char *)QUEUE,
					   .body = (char *)body,
					   .body_size = strlen(body),
					   .first_seen = RECEIVED_S + 1};
	struct reason reason = {{0}, {0}};
	struct notice_about about = {.kind = kind,
				     .delivery = &delivery,
				     .reason = &reason,
				     .next_attempt_ms = (RECEIVED_S + 4 * HOUR_S) * 1000,
				     .until_ms = (RECEIVED_S + 1 + MAX_AGE_S) * 1000};
	struct inbound *inbound =
		read ? inbound_read(body, strlen(body), QUEUE, setting->config, NULL) : NULL;

	assert_true(!read || inbound != NULL);
	if (inbound != NULL) {
		inbound->rejection = setting->rejection;
		inbound->rejected = setting->rejected;
	}
	about.inbound = inbound;
	g_strlcpy(reason.status, status, sizeof(reason.status));
	g_strlcpy(reason.text, "database: db7.internal", sizeof(reason.text));
	notice_clear(&setting->notice);
	bool made = notice_make(setting->notices, &about, &setting->notice);

	assert_true(made == (setting->notice.why_not == NULL));
	assert_true(made == (setting->notice.body != NULL));
	inbound_free(&inbound);
	return made;
}

static inline bool make(struct setting *setting, const char *body)
{
	return make_of(setting, body, NOTICE_DELAYED, "4.3.0", true);
}

#define HEADER(name, value) "{\"Name\":\"" name "\",\"Value\":\"" value "\"}"

static inline struct wire *request_of(const struct setting *setting)
{
	struct wire *json = wire_parse(setting->notice.body, setting->notice.body_size, NULL);

	assert_non_null(json);
	return json;
}

static inline void model_is(const struct setting *setting, const char *expected)
{
	struct wire *json = request_of(setting);
	g_autofree char *text = wire_print(wire_get_object(json, "TemplateModel"), false, NULL);

	assert_string_equal(text, expected);
	wire_free(&json);
}

#define FACTS                                                                                      \
	"{\"recipient\":\"support@example.com\",\"subject\":\"The invoice\","                      \
	"\"id\":\"" MAIL_ID "\",\"sent\":\"Sunday, 22 November 2026, 13:00 CET\","

#endif
