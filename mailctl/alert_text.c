#include "mailctl/alert_text.h"

#include <glib.h>
#include <inttypes.h>
#include <time.h>

static const struct {
	const char *bad;
	const char *over;
	bool critical;
} titles[ALERT_KINDS] = {
	[ALERT_DATABASE] = {"the database is away", "the database is back", true},
	[ALERT_BROKER] = {"the broker is away", "the broker is back", true},
	[ALERT_BROKER_BLOCKED] = {"the broker takes no messages", "the broker takes messages again",
				  true},
	[ALERT_SMTP] = {"no SMTP server takes mail", "an SMTP server takes mail again", true},
	[ALERT_CONSUMERS] = {"a queue has no consumer", "every queue has a consumer again", true},
	[ALERT_DEAD_LETTERS] = {"there are dead letters",
				"dead letters are below their threshold again", false},
	[ALERT_QUEUE_DEPTH] = {"a queue is too long", "no queue is too long any more", false},
	[ALERT_QUEUE_AGE] = {"messages do not move", "messages move again", false},
	[ALERT_RESTARTS] = {"workers restart in circles", "workers run steadily again", false},
	[ALERT_TEMPLATES] = {"a mail template is broken", "no mail template is broken any more",
			     false},
	[ALERT_TEST] = {"this is a test, all is well", "the test is over", false},
};

enum { MS_PER_SECOND = 1000, TIME_TEXT_SIZE = 40, SMS_CHARACTERS = 160 };

const char *alert_title(enum alert_kind kind, bool over)
{
	return over ? titles[kind].over : titles[kind].bad;
}

bool alert_is_critical(enum alert_kind kind)
{
	return titles[kind].critical;
}

const char *alert_news_name(enum alert_news news)
{
	static const char *const names[] = {
		[ALERT_NOTHING] = "nothing",
		[ALERT_OVER] = "over",
		[ALERT_DIGEST] = "digest",
		[ALERT_NEW] = "new",
	};

	return names[news];
}

/* ---- pieces ---- */

/* Of RFC 3339, or as people write it. */
enum time_style { TIME_RFC3339, TIME_PEOPLE };

static char *time_text(int64_t ms, enum time_style style)
{
	char text[TIME_TEXT_SIZE];
	time_t seconds = (time_t)(ms / MS_PER_SECOND);
	struct tm parts;
	size_t size = 0;

	if (gmtime_r(&seconds, &parts) != NULL)
		size = style == TIME_PEOPLE
			       ? strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts)
			       : strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return g_strdup(size > 0 ? text : "?");
}

/* "12 minutes" */
static char *duration_text(int64_t ms)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{INT64_C(86400), "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
	enum { WORTH = 2 }; /* 90 minutes, not 1 hour */
	int64_t seconds = MAX(ms, 0) / MS_PER_SECOND;
	size_t i = 0;

	while (i + 1 < G_N_ELEMENTS(units) && seconds < WORTH * units[i].seconds)
		i++;
	return g_strdup_printf("%" PRId64 " %s", seconds / units[i].seconds, units[i].name);
}

static char *item_text(const struct alert_item *item)
{
	if (item->over) {
		g_autofree char *lasted = duration_text(item->over_ms - item->since_ms);

		return g_strdup_printf("%s, after %s", alert_title(item->kind, true), lasted);
	}
	g_autofree char *since = time_text(item->since_ms, TIME_PEOPLE);

	return g_strdup_printf("%s, since %s%s%s", alert_title(item->kind, false), since,
			       item->text != NULL ? ": " : "",
			       item->text != NULL ? item->text : "");
}

/* Does the notice come because of this item? */
static bool is_cause(const struct alert_notice *notice, const struct alert_item *item)
{
	switch (notice->news) {
	case ALERT_NEW:
		return item->fresh;
	case ALERT_DIGEST:
		return !item->over;
	case ALERT_OVER:
	case ALERT_NOTHING:
		break;
	}
	return item->over;
}

/* The one to begin with. */
static const struct alert_item *first_cause(const struct alert_notice *notice, size_t *causes)
{
	const struct alert_item *first = NULL;

	*causes = 0;
	for (size_t i = 0; i < notice->count; i++) {
		if (!is_cause(notice, &notice->items[i]))
			continue;
		if (first == NULL)
			first = &notice->items[i];
		++*causes;
	}
	return first != NULL ? first : &notice->items[0];
}

bool alert_notice_is_critical(const struct alert_notice *notice)
{
	for (size_t i = 0; i < notice->count; i++)
		if (!notice->items[i].over && alert_is_critical(notice->items[i].kind))
			return true;
	return false;
}

/* ---- the whole ---- */

char *alert_notice_title(const struct alert_notice *notice)
{
	size_t causes;
	const struct alert_item *first = first_cause(notice, &causes);
	GString *title = g_string_new(notice->news == ALERT_DIGEST ? "still: " : "");

	g_string_append(title, alert_title(first->kind, first->over));
	if (causes > 1)
		g_string_append_printf(title, ", and %zu more", causes - 1);
	return g_string_free(title, FALSE);
}

/* Causes first. */
static char *lines(const struct alert_notice *notice)
{
	GString *text = g_string_new(NULL);

	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < notice->count; i++) {
			if (is_cause(notice, &notice->items[i]) != (turn == 0))
				continue;
			g_autofree char *line = item_text(&notice->items[i]);

			g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", line);
		}
	}
	return g_string_free(text, FALSE);
}

char *alert_notice_text(const struct alert_notice *notice, const char *host)
{
	g_autofree char *title = alert_notice_title(notice);
	g_autofree char *all = lines(notice);

	return g_strdup_printf("%s: %s\n\n%s\n", host, title, all);
}

char *alert_notice_kinds(const struct alert_notice *notice)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < notice->count; i++)
		g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
				       alert_kind_name(notice->items[i].kind));
	return g_string_free(text, FALSE);
}

static void set_time(struct wire *object, const char *key, int64_t ms)
{
	g_autofree char *text = time_text(ms, TIME_RFC3339);

	wire_set_text(object, key, text);
}

static struct wire *item_json(const struct alert_item *item)
{
	struct wire *object = wire_object();

	wire_set_text(object, "Kind", alert_kind_name(item->kind));
	wire_set_bool(object, "Over", item->over);
	wire_set_text(object, "Title", alert_title(item->kind, item->over));
	wire_set_text(object, "Text", item->text);
	set_time(object, "Since", item->since_ms);
	if (item->over)
		set_time(object, "Until", item->over_ms);
	else
		wire_set_int(object, "Number", item->number);
	return object;
}

struct wire *alert_notice_json(const struct alert_notice *notice, const char *host,
			       const char *instance, int64_t now_ms)
{
	struct wire *root = wire_object();
	struct wire *items = wire_array();
	g_autofree char *title = alert_notice_title(notice);
	g_autofree char *text = alert_notice_text(notice, host);

	wire_set_text(root, "RecordType", "Alert");
	wire_set_text(root, "News", alert_news_name(notice->news));
	wire_set_text(root, "Host", host);
	wire_set_text(root, "Instance", instance);
	set_time(root, "At", now_ms);
	wire_set_bool(root, "Critical", alert_notice_is_critical(notice));
	wire_set_text(root, "Title", title);
	/* What chat programs show of a document that is posted to them. */
	wire_set_text(root, "text", text);
	for (size_t i = 0; i < notice->count; i++)
		wire_append(items, item_json(&notice->items[i]));
	wire_set(root, "Items", items);
	return root;
}

static struct wire *model(const struct alert_notice *notice, const char *host, enum alert_way way)
{
	struct wire *object = wire_object();
	size_t causes;
	const struct alert_item *first = first_cause(notice, &causes);
	g_autofree char *title = alert_notice_title(notice);
	g_autofree char *all = lines(notice);
	g_autofree char *since = time_text(first->since_ms, TIME_PEOPLE);

	wire_set_text(object, "title", title);
	wire_set_bool(object, "critical", alert_notice_is_critical(notice));
	if (notice->news == ALERT_OVER)
		wire_set_bool(object, "over", true);
	wire_set_text(object, "host", host);
	if (way == ALERT_SMS) {
		if (!first->over)
			wire_set_text(object, "message", first->text);
		return object;
	}
	wire_set_text(object, "message", all);
	wire_set_text(object, "time", since);
	return object;
}

static void set_plain(struct wire *root, const struct alert_notice *notice, const char *host,
		      enum alert_way way)
{
	g_autofree char *title = alert_notice_title(notice);
	g_autofree char *subject = g_strdup_printf("mailpipe on %s: %s", host, title);
	g_autofree char *text = alert_notice_text(notice, host);
	g_autofree char *cut =
		way == ALERT_SMS
			? g_utf8_substring(subject, 0,
					   MIN(g_utf8_strlen(subject, -1), (glong)SMS_CHARACTERS))
			: NULL;
	struct wire *headers = wire_array();
	struct wire *automatic = wire_object();

	wire_set_text(root, "Subject", subject);
	wire_set_text(root, "TextBody", cut != NULL ? cut : text);
	wire_set_text(automatic, "Name", "Auto-Submitted"); /* RFC 3834, 5 */
	wire_set_text(automatic, "Value", "auto-generated");
	wire_append(headers, automatic);
	wire_set(root, "Headers", headers);
}

struct wire *alert_notice_request(const struct alert_notice *notice, const struct config *config,
				  const char *host, enum alert_way way, bool plain)
{
	struct wire *root = wire_object();
	g_autofree char *to =
		g_strjoinv(", ", way == ALERT_SMS ? config->alerts_sms_to : config->alerts_to);
	g_autofree char *from = g_strdup_printf("mailpipe <mailpipe@%s>", host);

	wire_set_text(root, "To", to);
	if (*config->mailout_from == '\0')
		wire_set_text(root, "From", from);
	if (plain) {
		set_plain(root, notice, host, way);
		return root;
	}
	wire_set_text(root, "TemplateAlias", way == ALERT_SMS ? "admin-alert-sms" : "admin-alert");
	wire_set(root, "TemplateModel", model(notice, host, way));
	return root;
}
