#include "mailctl/queue_watch.h"

#include <glib.h>
#include <stdbool.h>

struct queue_watch {
	GHashTable *queues; /* name: struct watched */
};

struct watched {
	int64_t messages; /* when it was looked at last */
	int64_t since_ms;
	bool noted; /* since the last queue_watch_forget() */
};

struct queue_watch *queue_watch_new(void)
{
	struct queue_watch *watch = g_new0(struct queue_watch, 1);

	watch->queues = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return watch;
}

void queue_watch_free(struct queue_watch **watch)
{
	if (*watch != NULL)
		g_hash_table_destroy((*watch)->queues);
	g_clear_pointer(watch, g_free);
}

static struct watched *watched_of(struct queue_watch *watch, const char *queue)
{
	struct watched *watched = g_hash_table_lookup(watch->queues, queue);

	if (watched == NULL) {
		watched = g_new0(struct watched, 1);
		g_hash_table_insert(watch->queues, g_strdup(queue), watched);
	}
	return watched;
}

int64_t queue_watch_note(struct queue_watch *watch, const char *queue, int64_t messages,
			 int64_t now_ms)
{
	struct watched *watched = watched_of(watch, queue);

	if (messages < watched->messages || watched->messages == 0 || watched->since_ms > now_ms)
		watched->since_ms = now_ms;
	watched->messages = messages;
	watched->noted = true;
	return messages > 0 ? now_ms - watched->since_ms : 0;
}

void queue_watch_shift(struct queue_watch *watch, int64_t by_ms)
{
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, watch->queues);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct watched *watched = value;

		watched->since_ms += by_ms;
	}
}

void queue_watch_forget(struct queue_watch *watch)
{
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, watch->queues);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct watched *watched = value;

		if (!watched->noted)
			g_hash_table_iter_remove(&iter);
		else
			watched->noted = false;
	}
}

struct wire *queue_watch_save(const struct queue_watch *watch)
{
	struct wire *saved = wire_object();
	GHashTableIter iter;
	void *name;
	void *value;

	g_hash_table_iter_init(&iter, watch->queues);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		const struct watched *watched = value;
		struct wire *object = wire_object();

		wire_set_int(object, "Messages", watched->messages);
		wire_set_int(object, "Since", watched->since_ms);
		wire_set(saved, name, object);
	}
	return saved;
}

static bool restore_one(const char *name, const struct wire *value, void *context)
{
	struct watched *watched = watched_of(context, name);

	wire_get_int(value, "Messages", &watched->messages);
	wire_get_int(value, "Since", &watched->since_ms);
	return true;
}

void queue_watch_restore(struct queue_watch *watch, const struct wire *saved)
{
	wire_each(saved, restore_one, watch);
}
