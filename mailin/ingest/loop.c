#include "mailin/ingest/loop.h"

#include <glib.h>
#include <string.h>

#include "common/db.h"
#include "common/id.h"
#include "common/rows.h"

static const struct rows_shape sent_shape = {"SELECT message_id_header FROM outbound WHERE id IN (",
					     "?", ")", 1};

/* A message whose Message-ID may be one of ours. */
struct suspect_id {
	struct inbound *message;
	struct id id;
};

struct loops {
	struct rows sent;
};

struct loops *loops_new(struct db *db)
{
	struct loops *loops = g_new0(struct loops, 1);

	rows_init(&loops->sent, &sent_shape, db);
	return loops;
}

void loops_free(struct loops **loops)
{
	if (*loops == NULL)
		return;
	rows_clear(&(*loops)->sent);
	g_free(*loops);
	*loops = NULL;
}

/* mailout's are the request's id in lower case, "@" and a domain. */
static bool read_id(struct id *id, const char *header)
{
	const char *at = header != NULL ? strchr(header, '@') : NULL;
	char text[ID_TEXT_SIZE];
	char canonical[ID_TEXT_SIZE];

	if (at == NULL || (size_t)(at - header) >= sizeof(text))
		return false;
	memcpy(text, header, (size_t)(at - header));
	text[at - header] = '\0';
	return id_parse(id, text) && strcmp(id_text(id, canonical), text) == 0;
}

static bool take(const struct db_value *columns, size_t count, void *context)
{
	const GArray *suspects = context;

	(void)count;
	for (guint i = 0; columns[0].data != NULL && i < suspects->len; i++) {
		struct inbound *message = g_array_index(suspects, struct suspect_id, i).message;

		if (strcmp(message->message_id_header.data, columns[0].data) == 0)
			message->automatic = (struct inbound_text){INBOUND_AUTO_LOOP,
								   sizeof(INBOUND_AUTO_LOOP) - 1};
	}
	return true;
}

enum outcome loops_find(struct loops *loops, struct inbound *const *messages, size_t count,
			struct reason *reason)
{
	g_autoptr(GArray) suspects = g_array_new(FALSE, FALSE, sizeof(struct suspect_id));
	g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(struct db_value));

	for (size_t i = 0; i < count; i++) {
		struct suspect_id suspect = {.message = messages[i]};

		if (read_id(&suspect.id, messages[i]->message_id_header.data))
			g_array_append_val(suspects, suspect);
	}
	for (guint i = 0; i < suspects->len; i++) {
		struct db_value id = db_bytes(&g_array_index(suspects, struct suspect_id, i).id,
					      sizeof(struct id));

		g_array_append_val(values, id);
	}
	return rows_select(&loops->sent, (const struct db_value *)(void *)values->data,
			   suspects->len, take, suspects, reason);
}
