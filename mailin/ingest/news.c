#include "mailin/ingest/news.h"

#include <glib.h>

#include "common/log.h"
#include "common/redis.h"
#include "common/state.h"
#include "mailin/ingest/event.h"
#include "mailin/ingest/fate.h"
#include "mailin/ingest/pending.h"

enum {
	ASK_MS = 10000,          /* how often it is asked whether a queue wants a route's events */
	PENDING_PAUSE_MS = 5000, /* after the database did not take rows */
};

/* Does any queue want the events of messages that a route stores? */
struct listener {
	bool wanted;
	struct deadline ask_next;
};

struct told {
	struct inbound_event event;
	struct listener *listener; /* NULL: it is told whoever listens */
};

struct news {
	const struct config *config;
	struct outlet *outlet;
	struct redis *redis;
	struct pending *pending;
	struct deadline pending_next;
	GHashTable *listeners; /* route -> struct listener */
	GArray *events;        /* struct told */
	char *app_id;
};

static void clear_told(void *told)
{
	inbound_event_clear(&((struct told *)told)->event);
}

struct news *news_new(const struct config *config, struct outlet *outlet)
{
	struct news *news = g_new0(struct news, 1);

	news->config = config;
	news->outlet = outlet;
	news->redis = redis_new(config);
	news->pending = pending_new();
	news->pending_next = deadline_in(0);
	news->listeners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	news->events = g_array_new(FALSE, FALSE, sizeof(struct told));
	g_array_set_clear_func(news->events, clear_told);
	news->app_id = g_strconcat("mailpipe/", config->instance, NULL);
	return news;
}

void news_free(struct news **news)
{
	struct news *old = *news;

	if (old == NULL)
		return;
	redis_free(&old->redis);
	pending_free(&old->pending);
	g_hash_table_unref(old->listeners);
	g_array_unref(old->events);
	g_free(old->app_id);
	g_free(old);
	*news = NULL;
}

/* ---- Redis ---- */

static void set_state(struct news *news, const struct fate *fate)
{
	if (news->redis == NULL || !fate->has_id)
		return;
	const struct state state = {
		.message_id = fate->id_text,
		.direction = "inbound",
		.status = fate_name(fate->kind),
		.route = fate->route,
		.at_ms = fate->at_ms,
		.attempt = fate->attempt,
		.next_attempt_ms = fate->next_attempt_ms,
		.reason = fate->reason,
	};
	g_autofree char *text = state_print(&state);

	redis_set(news->redis, fate->id_text, text);
}

static void work_redis(struct news *news)
{
	struct reason reason = {0};
	enum redis_news what = redis_work(news->redis, &reason);

	if (what == REDIS_NO_NEWS)
		return;
	struct log_line *line =
		log_event(what == REDIS_GONE ? LOG_WARNING : LOG_NOTICE, NULL, NULL, "redis");

	log_str(line, "state", what == REDIS_GONE ? "away" : "back");
	log_reason(line, &reason);
	log_end(line);
}

/* ---- events ---- */

static struct listener *listener_of(struct news *news, const char *route)
{
	struct listener *listener = g_hash_table_lookup(news->listeners, route);

	if (listener == NULL) {
		listener = g_new0(struct listener, 1);
		listener->ask_next = deadline_in(0);
		g_hash_table_insert(news->listeners, g_strdup(route), listener);
	}
	return listener;
}

static void add_event(struct news *news, const struct fate *fate)
{
	struct told told = {0};

	if (fate->kind == FATE_STORED) {
		told.listener = listener_of(news, fate->route);
		if (!told.listener->wanted && !deadline_passed(told.listener->ask_next))
			return;
	}
	inbound_event_make(&told.event, fate);
	g_array_append_val(news->events, told);
}

/* The first event of a route asks by being published as mandatory: it comes back if no queue wants
 * it. True: it was told. */
static bool ask(struct news *news, const struct told *told)
{
	struct listener *listener = told->listener;

	if (listener == NULL || !deadline_passed(listener->ask_next))
		return false;
	const struct broker_message message =
		inbound_event_message(&told->event, news->app_id, false);

	listener->wanted = outlet_ask(news->outlet, &message);
	listener->ask_next = deadline_in(ASK_MS);
	return listener->wanted;
}

static void tell_events(struct news *news)
{
	g_autoptr(GArray) messages = g_array_new(FALSE, FALSE, sizeof(struct broker_message));

	for (guint i = 0; i < news->events->len; i++) {
		const struct told *told = &g_array_index(news->events, struct told, i);

		if (ask(news, told) || (told->listener != NULL && !told->listener->wanted))
			continue;
		struct broker_message message =
			inbound_event_message(&told->event, news->app_id, true);

		g_array_append_val(messages, message);
	}
	outlet_tell(news->outlet, (struct broker_message *)messages->data, messages->len);
	g_array_set_size(news->events, 0);
}

/* ---- the table ---- */

static void write_pending(struct news *news, struct db *db)
{
	struct reason reason;

	if (db == NULL || pending_count(news->pending) == 0 || !deadline_passed(news->pending_next))
		return;
	if (pending_write(news->pending, db, &reason) == OUTCOME_OK)
		return;
	news->pending_next = deadline_in(PENDING_PAUSE_MS);
	struct log_line *line = log_event(LOG_WARNING, NULL, NULL, "states");

	log_reason(line, &reason);
	log_end(line);
}

/* ---- what others see ---- */

void news_add(struct news *news, const struct item *item)
{
	struct fate fate;

	if (!fate_of(item, &fate))
		return;
	set_state(news, &fate);
	add_event(news, &fate);
	pending_add(news->pending, &fate);
}

void news_tell(struct news *news, struct db *db)
{
	if (news->events->len > 0)
		tell_events(news);
	work_redis(news);
	write_pending(news, db);
}

int64_t news_rest_ms(const struct news *news)
{
	return redis_rest_ms(news->redis);
}
