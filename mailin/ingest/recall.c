#include "mailin/ingest/recall.h"

#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "common/rows.h"

/* A thread is as old as the message that began it. */
static const struct rows_shape begun_shape = {
	"SELECT m.id, t.id, t.number FROM messages m"
	" JOIN threads t ON t.id = m.thread_id AND t.created_at = m.received_at"
	" WHERE NOT EXISTS (SELECT 1 FROM messages e WHERE e.thread_id = m.thread_id"
	" AND e.received_at = m.received_at AND e.id < m.id) AND m.id IN (",
	"?", ")", 1};

enum column { COLUMN_MESSAGE, COLUMN_THREAD, COLUMN_NUMBER };

struct recall {
	const struct config *config;
	struct rows begun;
};

struct recall *recall_new(const struct config *config, struct db *db)
{
	struct recall *recall = g_new0(struct recall, 1);

	recall->config = config;
	rows_init(&recall->begun, &begun_shape, db);
	return recall;
}

void recall_free(struct recall **recall)
{
	if (*recall == NULL)
		return;
	rows_clear(&(*recall)->begun);
	g_free(*recall);
	*recall = NULL;
}

/* (After a COMMIT in doubt it is neither fresh nor called a duplicate.) */
static bool was_stored_before(const struct recall *recall, const struct inbound *message)
{
	const struct config_route *route;

	if (message->fresh || message->same != NULL || inbound_is_left_out(message))
		return false;
	route = config_route_named(recall->config, message->route.data);
	return route != NULL && config_route_answer(route) == CONFIG_ANSWER_TICKET;
}

static bool take(const struct db_value *columns, size_t count, void *context)
{
	const GPtrArray *wanted = context;
	struct inbound *message =
		inbound_find((struct inbound *const *)(void *)wanted->pdata, wanted->len,
			     columns[COLUMN_MESSAGE].data, columns[COLUMN_MESSAGE].size);

	(void)count;
	if (message == NULL || columns[COLUMN_THREAD].size != sizeof(struct id))
		return true;
	message->has_thread = true;
	message->thread_is_new = true;
	memcpy(&message->thread_id, columns[COLUMN_THREAD].data, sizeof(struct id));
	message->thread_number = columns[COLUMN_NUMBER].number;
	return true;
}

enum outcome recall_threads(struct recall *recall, struct inbound *const *messages, size_t count,
			    struct reason *reason)
{
	g_autoptr(GPtrArray) wanted = g_ptr_array_new();
	g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(struct db_value));

	for (size_t i = 0; i < count; i++) {
		if (!was_stored_before(recall, messages[i]))
			continue;
		struct db_value id = db_bytes(&messages[i]->id, sizeof(struct id));

		g_ptr_array_add(wanted, messages[i]);
		g_array_append_val(values, id);
	}
	g_ptr_array_sort(wanted, inbound_compare);
	return rows_select(&recall->begun, (const struct db_value *)(void *)values->data,
			   wanted->len, take, wanted, reason);
}
