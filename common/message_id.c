#include "common/message_id.h"

#include <glib.h>
#include <string.h>

#include "common/wire.h"

enum {
	LENGTH_MAX = 800,         /* what mailout takes as a word of a header */
	FRAME = sizeof("<> ") - 1 /* about each id */
};

bool message_id_is_usable(const char *id)
{
	const char *at = strchr(id, '@');
	size_t size = strlen(id);

	for (const char *p = id; *p != '\0'; p++)
		if (!g_ascii_isgraph(*p) || *p == '<' || *p == '>')
			return false;
	return at != NULL && at != id && at[1] != '\0' && size <= LENGTH_MAX;
}

/* ---- References ---- */

/* Ids on their way into the field: the oldest one, and the newest ones from the end. */
struct chain {
	const char *oldest; /* NULL: none */
	const char *newest[MESSAGE_ID_NEWEST_MAX];
	size_t count;
	size_t bytes;
};

/* One that can be referred to and is not the mail's own, which comes last; or NULL. */
static const char *usable_at(const struct wire *ids, size_t index, const char *own)
{
	const char *id = wire_text(wire_at(ids, index));

	return id != NULL && message_id_is_usable(id) && (own == NULL || strcmp(id, own) != 0)
		       ? id
		       : NULL;
}

static bool is_there(const struct chain *chain, const char *id)
{
	if (chain->oldest != NULL && strcmp(chain->oldest, id) == 0)
		return true;
	for (size_t i = 0; i < chain->count; i++)
		if (strcmp(chain->newest[i], id) == 0)
			return true;
	return false;
}

/* False: there is no room left. */
static bool add_newest(struct chain *chain, const char *id)
{
	size_t size = strlen(id) + FRAME;

	if (chain->count == MESSAGE_ID_NEWEST_MAX ||
	    chain->bytes + size > MESSAGE_ID_REFERENCES_MAX + 1) /* no blank at the end */
		return false;
	chain->newest[chain->count++] = id;
	chain->bytes += size;
	return true;
}

static void add_ancestors(struct chain *chain, const struct wire *ids, const char *own)
{
	size_t first = 0;
	size_t count = wire_length(ids);

	while (first < count && usable_at(ids, first, own) == NULL)
		first++;
	if (first == count)
		return;
	chain->oldest = usable_at(ids, first, own);
	chain->bytes += strlen(chain->oldest) + FRAME;
	for (size_t i = count - 1; i > first; i--) {
		const char *id = usable_at(ids, i, own);

		if (id != NULL && !is_there(chain, id) && !add_newest(chain, id))
			return;
	}
}

static void append_id(GString *out, const char *id)
{
	g_string_append_printf(out, out->len > 0 ? " <%s>" : "<%s>", id);
}

char *message_id_references(const struct wire *references, const struct wire *in_reply_to,
			    const char *own)
{
	const char *last = own != NULL && message_id_is_usable(own) ? own : NULL;
	struct chain chain = {.count = 0};

	if (last != NULL)
		add_newest(&chain, last);
	add_ancestors(&chain, references, last);
	/* Of several mails that it answers none is the one that all of them descend from. */
	if (chain.oldest == NULL && wire_length(in_reply_to) == 1)
		add_ancestors(&chain, in_reply_to, last);
	if (chain.oldest == NULL && chain.count == 0)
		return NULL;
	GString *out = g_string_new(NULL);

	if (chain.oldest != NULL)
		append_id(out, chain.oldest);
	for (size_t i = chain.count; i > 0; i--)
		append_id(out, chain.newest[i - 1]);
	return g_string_free(out, FALSE);
}
