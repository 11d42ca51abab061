#include "mailin/ingest/notice.h"

#include <glib.h>
#include <string.h>

#include "common/deadline.h"
#include "common/domain.h"
#include "common/message_id.h"
#include "common/quota.h"
#include "common/topology.h"
#include "common/wire.h"
#include "mailin/ingest/notice_answer.h"
#include "mailin/ingest/notice_mail.h"
#include "mailin/ingest/notice_rules.h"
#include "mailin/ingest/notice_words.h"

enum {
	MS_IN_SECOND = 1000,
};

/* Acknowledgements, which anybody can cause, never use up what failures need. */
static const char COUNTS_FILE[] = "notices.counts";
static const char ANSWERS_FILE[] = "answers.counts";

/* RFC 3463: what a mail that was tried for too long ends with. */
static const char EXPIRED_STATUS[] = "5.4.7";

static const struct {
	const char *word;
	const char *name; /* the id's purpose, and the tag */
	const char *template;
	bool answer; /* an acknowledgement */
} kinds[] = {
	[NOTICE_DELAYED] = {"delayed", ID_NOTICE_DELAYED, "post-delayed", false},
	[NOTICE_FAILED] = {"failed", ID_NOTICE_FAILED, "post-failed", false},
	[NOTICE_TICKET] = {"ticket", ID_TICKET_RECEIVED, "ticket-received", true},
	[NOTICE_GALLERY] = {"gallery", ID_GALLERY_RECEIVED, "gallery-received", true},
};

struct notices {
	const struct config *config;
	struct notice_rules *rules;
	struct quota *quota;
	struct quota *answers;
};

const char *notice_kind_name(enum notice_kind kind)
{
	return kinds[kind].word;
}

static struct quota *open_quota(const struct config *config, const char *name, int64_t per_address,
				int64_t per_hour, struct reason *warning)
{
	const struct quota_limits limits = {.per_key_day = per_address, .per_hour = per_hour};
	g_autofree char *file = g_build_filename(config->state_dir, name, NULL);

	return quota_open(file, &limits, warning);
}

struct notices *notices_new(const struct config *config, struct reason *warning)
{
	struct notices *notices = g_new0(struct notices, 1);
	struct reason other = {.status = ""};

	notices->config = config;
	notices->rules = notice_rules_new(config);
	notices->quota = open_quota(config, COUNTS_FILE, config->notify_per_address,
				    config->notify_per_hour, warning);
	notices->answers = open_quota(config, ANSWERS_FILE, config->notify_answers_per_address,
				      config->notify_answers_per_hour, &other);
	if (warning->text[0] == '\0')
		*warning = other;
	return notices;
}

static struct quota *quota_of(const struct notices *notices, enum notice_kind kind)
{
	return kinds[kind].answer ? notices->answers : notices->quota;
}

void notices_free(struct notices **notices)
{
	if (*notices == NULL)
		return;
	notice_rules_free(&(*notices)->rules);
	quota_close(&(*notices)->quota);
	quota_close(&(*notices)->answers);
	g_free(*notices);
	*notices = NULL;
}

/* ---- the request ---- */

static void set_if(struct wire *object, const char *key, const char *text)
{
	if (text != NULL && *text != '\0')
		wire_set_text(object, key, text);
}

static void set_time(struct wire *model, const char *key, int64_t ms, const char *locale)
{
	g_autofree char *words = ms > 0 ? notice_words_time(ms, locale) : NULL;

	set_if(model, key, words);
}

/* A file name may be as long as a mail's. */
static void set_line(struct wire *model, const char *key, const char *text)
{
	g_autofree char *line = notice_words_line(text);

	set_if(model, key, line);
}

/* What the route does not take, of a mail that is refused for it. */
static void set_rejection(struct wire *model, const struct inbound_rejection *why,
			  const char *locale)
{
	g_autofree char *size = notice_words_size(why->limit, locale);
	g_autofree char *count = g_strdup_printf("%" G_GINT64_FORMAT, why->limit);

	if (why->name == NULL) {
		wire_set_bool(model, "no_photo", true);
		return;
	}
	set_line(model, "file", why->name);
	if (why->why == INBOUND_REFUSED_NO_PHOTO) {
		wire_set_bool(model, "file_photo", true);
	} else if (why->why == INBOUND_REFUSED_SIZE) {
		wire_set_bool(model, "file_size", true);
		wire_set_text(model, "limit", size);
	} else if (why->why == INBOUND_REFUSED_ARCHIVE) {
		wire_set_bool(model, "file_unread", true);
	} else if (why->entry != NULL) {
		set_line(model, "entry", why->entry);
		wire_set_bool(model, "file_entry", true);
	} else if (why->why == INBOUND_REFUSED_COUNT && why->limit > 0) {
		wire_set_bool(model, "file_count", true);
		wire_set_text(model, "limit", count);
	} else {
		wire_set_bool(model, "file_kind", true);
	}
}

/* Which of the sentences of _partials/cause.mustache fits; without any it is our fault. */
static void set_cause(struct wire *model, const struct notice_about *about, const char *locale)
{
	const char *status = about->reason != NULL ? about->reason->status : "";

	if (about->kind == NOTICE_DELAYED) {
		wire_set_bool(model, "database", true);
	} else if (*status == '4' || strcmp(status, EXPIRED_STATUS) == 0) {
		wire_set_bool(model, "expired", true);
		wire_set_text(model, "status", EXPIRED_STATUS);
	} else if (about->inbound != NULL && about->inbound->rejection.is) {
		set_rejection(model, &about->inbound->rejection, locale);
		set_if(model, "status", status);
	} else {
		if (strcmp(status, "5.3.4") == 0)
			wire_set_bool(model, "too_large", true);
		else if (g_str_has_prefix(status, "5.7."))
			wire_set_bool(model, "not_allowed", true);
		else if (g_str_has_prefix(status, "5.6."))
			wire_set_bool(model, "defective", true);
		set_if(model, "status", status);
	}
}

static struct wire *model(const struct notice_about *about, const struct notice_mail *mail,
			  const char *locale)
{
	if (about->kind == NOTICE_TICKET)
		return notice_answer_ticket(about->inbound);
	if (about->kind == NOTICE_GALLERY)
		return notice_answer_gallery(about->inbound, mail->route, locale);
	struct wire *values = wire_object();
	g_autofree char *recipient = notice_words_line(mail->recipient);
	g_autofree char *subject = notice_words_line(mail->subject);

	wire_set_text(values, "recipient", recipient);
	set_if(values, "subject", subject);
	wire_set_text(values, "id", mail->id_text);
	set_time(values, "sent", mail->received_ms, locale);
	if (about->kind == NOTICE_DELAYED) {
		set_time(values, "next", about->next_attempt_ms, locale);
		set_time(values, "until", about->until_ms, locale);
	}
	set_cause(values, about, locale);
	return values;
}

static void add_header(struct wire *headers, const char *name, const char *value)
{
	struct wire *header = wire_object();

	wire_set_text(header, "Name", name);
	wire_set_text(header, "Value", value);
	wire_append(headers, header);
}

static struct wire *headers_for(const struct notice_mail *mail)
{
	struct wire *headers = wire_array();

	/* RFC 3834, 5 and 3.1.5; Exchange's holiday notices heed another field. */
	add_header(headers, "Auto-Submitted", "auto-replied");
	add_header(headers, "X-Auto-Response-Suppress", "All");
	/* RFC 3834, 3.1.5, and RFC 5322, 3.6.4. */
	g_autofree char *references =
		message_id_references(mail->references, mail->in_reply_to, mail->message_id_header);

	if (message_id_is_usable(mail->message_id_header)) {
		g_autofree char *id = g_strdup_printf("<%s>", mail->message_id_header);

		add_header(headers, "In-Reply-To", id);
	}
	if (references != NULL)
		add_header(headers, "References", references);
	return headers;
}

/* Without any other From there is one that every domain must have (RFC 5321, 4.5.1). */
static void set_from(struct wire *request, const struct config *config, const char *recipient)
{
	const char *at = strrchr(recipient, '@');

	if (*config->notify_from != '\0') {
		wire_set_text(request, "From", config->notify_from);
	} else if (*config->mailout_from == '\0' && at != NULL && notice_rules_is_domain(at + 1)) {
		g_autofree char *from = g_strconcat("postmaster", at, NULL);

		wire_set_text(request, "From", from);
	}
}

static void set_to(struct wire *request, const char *email)
{
	struct wire *list = wire_array();
	struct wire *address = wire_object();

	wire_set_text(address, "Email", email);
	wire_append(list, address);
	wire_set(request, "To", list);
}

/* What is added comes back to the ticket. */
static void set_thread(struct wire *request, const struct id *thread)
{
	struct wire *reply_to = wire_object();
	char text[ID_TEXT_SIZE];

	wire_set_text(reply_to, "Thread", id_text(thread, text));
	wire_set(request, "ReplyTo", reply_to);
}

static struct wire *request_for(const struct config *config, const struct notice_about *about,
				const struct notice_mail *mail, const char *id)
{
	struct wire *request = wire_object();
	struct wire *metadata = wire_object();
	g_autofree char *locale = notice_words_locale(mail->headers, config->notify_locale);

	wire_set_text(request, "MessageID", id);
	set_from(request, config, mail->recipient);
	wire_set_text(request, "EnvelopeSender", "");
	set_to(request, mail->sender);
	if (about->kind == NOTICE_TICKET)
		set_thread(request, &about->inbound->thread_id);
	wire_set_text(request, "TemplateAlias", kinds[about->kind].template);
	wire_set(request, "TemplateModel", model(about, mail, locale));
	set_if(request, "Locale", locale);
	wire_set(request, "Headers", headers_for(mail));
	wire_set_text(request, "Tag", kinds[about->kind].name);
	wire_set_text(metadata, "MessageID", mail->id_text);
	wire_set(request, "Metadata", metadata);
	/* By then there is another one, or the mail is stored. */
	if (about->kind == NOTICE_DELAYED && about->until_ms >= MS_IN_SECOND)
		wire_set_int(request, "ExpiresAt", about->until_ms / MS_IN_SECOND);
	return request;
}

/* ---- making one ---- */

static bool is_off(const struct config *config, const struct notice_mail *mail,
		   enum notice_kind kind)
{
	if (kinds[kind].answer)
		return mail->route == NULL ||
		       config_route_answer(mail->route) == CONFIG_ANSWER_NONE;
	return !config->notify_enabled || (mail->route != NULL && !mail->route->notify);
}

/* A sender who has not proven to be who he says may be anybody. */
static bool is_turned_down(const struct notice_about *about)
{
	return about->inbound != NULL && about->inbound->rejected;
}

static const char *refuse(struct notices *notices, const struct notice_about *about,
			  const struct notice_mail *mail, bool readable)
{
	if (is_off(notices->config, mail, about->kind))
		return "off";
	if (!readable)
		return "unreadable";
	if (is_turned_down(about) && !notice_rules_is_established(notices->rules, mail))
		return "unverified";
	return notice_rules_refuse(notices->rules, mail);
}

/* All spellings of an address count as one. */
static char *quota_key(const char *email)
{
	char *key = domain_address(email);

	return key != NULL ? key : g_ascii_strdown(email, -1);
}

static void make(struct notices *notices, const struct notice_about *about,
		 const struct notice_mail *mail, struct notice *notice)
{
	struct id id;

	id_derived(&id, &mail->id, kinds[about->kind].name);
	id_text(&id, notice->id);
	struct wire *request = request_for(notices->config, about, mail, notice->id);

	notice->to = g_strdup(mail->sender);
	notice->stream = config_notify_stream(notices->config);
	notice->body = wire_print(request, false, &notice->body_size);
	wire_free(&request);
}

bool notice_make(struct notices *notices, const struct notice_about *about, struct notice *notice)
{
	struct notice_mail mail;
	bool readable = notice_mail_read(&mail, notices->config, about->delivery, about->inbound);
	g_autofree char *key = NULL;

	*notice = (struct notice){.kind = about->kind, .counted_s = realtime_ms() / MS_IN_SECOND};
	notice->why_not = refuse(notices, about, &mail, readable);
	if (notice->why_not == NULL) {
		key = quota_key(mail.sender);
		if (!quota_take(quota_of(notices, about->kind), key, notice->counted_s))
			notice->why_not = "limit";
	}
	if (notice->why_not == NULL)
		make(notices, about, &mail, notice);
	notice_mail_clear(&mail);
	return notice->why_not == NULL;
}

struct broker_message notice_message(const struct notice *notice)
{
	return (struct broker_message){
		.exchange = EXCHANGE_OUT,
		.routing_key = notice->stream,
		.body = notice->body,
		.body_size = notice->body_size,
		.content_type = CONTENT_TYPE_JSON,
		.message_id = notice->id,
		.app_id = "mailin-ingest",
		.timestamp = notice->counted_s,
	};
}

void notice_withdraw(struct notices *notices, const struct notice *notice)
{
	if (notice->to == NULL)
		return;
	g_autofree char *key = quota_key(notice->to);

	quota_return(quota_of(notices, notice->kind), key, notice->counted_s);
}

void notice_clear(struct notice *notice)
{
	g_free(notice->to);
	g_free(notice->body);
	*notice = (struct notice){0};
}
