#include "mailin/ingest/thread_clue.h"

#include <glib.h>
#include <string.h>

#include "common/thread_key.h"
#include "common/wire.h"
#include "mailin/ingest/inbound.h"

enum {
	BRACKET_MAX = 64,      /* bytes between the brackets */
	NUMBER_DIGITS_MAX = 9, /* more do not fit into the column in each case */
	DECIMAL = 10,
};

/* ---- subject ---- */

/* Of the text between brackets; 0: none. */
static int64_t bracket_number(const char *text, size_t size)
{
	size_t digits = 0;

	while (digits < size && g_ascii_isdigit(text[size - 1 - digits]))
		digits++;
	if (digits == 0 || digits > NUMBER_DIGITS_MAX || digits == size ||
	    text[size - 1 - digits] != '#')
		return 0;
	return g_ascii_strtoll(text + size - digits, NULL, DECIMAL);
}

int64_t thread_clue_number(const char *subject)
{
	const char *open = NULL;

	for (; *subject != '\0'; subject++) {
		if (*subject == '[') {
			open = subject + 1;
		} else if (*subject == ']' && open != NULL) {
			size_t size = (size_t)(subject - open);
			int64_t number = size <= BRACKET_MAX ? bracket_number(open, size) : 0;

			if (number != 0)
				return number;
			open = NULL;
		}
	}
	return 0;
}

/* ---- ids ---- */

static void add_id(struct thread_clue *clue, const char *route, const char *id, bool own)
{
	struct thread_clue_id *next = &clue->ids[clue->id_count];

	if (id == NULL || *id == '\0')
		return;
	thread_key_id(next->hash, route, id);
	next->own = own;
	for (size_t i = 0; i < clue->id_count; i++) {
		if (memcmp(clue->ids[i].hash, next->hash, SHA256_SIZE) == 0) {
			clue->ids[i].own = clue->ids[i].own || own;
			return;
		}
	}
	clue->id_count++;
}

/* The nearest ancestor decides first: In-Reply-To, then References from its end.  The first one of
 * References, where the conversation began, is never left out. */
static void add_references(struct thread_clue *clue, const char *route,
			   const struct wire *in_reply_to, const struct wire *references)
{
	const size_t last = THREAD_CLUE_REFERENCES_MAX - 1;
	size_t count = wire_length(references);

	for (size_t i = 0; i < wire_length(in_reply_to) && clue->id_count < last; i++)
		add_id(clue, route, wire_text(wire_at(in_reply_to, i)), false);
	for (size_t i = count; i > 1 && clue->id_count < last; i--)
		add_id(clue, route, wire_text(wire_at(references, i - 1)), false);
	if (count > 0)
		add_id(clue, route, wire_text(wire_at(references, 0)), false);
}

/* ---- all ---- */

void thread_clue_read(struct thread_clue *clue, const struct inbound *inbound,
		      const struct wire *in_reply_to, const struct wire *references)
{
	const char *route = inbound->route.data;

	clue->ids = g_new(struct thread_clue_id, THREAD_CLUE_REFERENCES_MAX + 1);
	add_references(clue, route, in_reply_to, references);
	add_id(clue, route, inbound->message_id_header.data, true);
	if (inbound->from_email.data != NULL)
		clue->email = thread_key_email(inbound->from_email.data);
	if (clue->email != NULL)
		thread_key_sender(clue->sender, route, clue->email);
	if (inbound->subject.data != NULL)
		clue->number = thread_clue_number(inbound->subject.data);
}

void thread_clue_clear(struct thread_clue *clue)
{
	g_clear_pointer(&clue->email, g_free);
	g_clear_pointer(&clue->ids, g_free);
	clue->id_count = 0;
}
