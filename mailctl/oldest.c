#include "mailctl/oldest.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire.h"
#include "mailctl/connect.h"
#include "mailctl/table.h"

static const char FILE_NAME[] = "queues.json";
static const char QUEUES[] = "Queues";

/* Of a queue's record. */
static const char HEAD[] = "Head";        /* of the message that was the first */
static const char SINCE[] = "SinceMs";    /* when it was published, or first seen by us */
static const char KNOWN[] = "SinceKnown"; /* the former */
static const char LOOKS[] = "Looks";      /* at this message */
static const char LOOKED[] = "LookedMs";  /* the last one */
static const char IDLE[] = "Idle";        /* as far as was seen, nobody has consumed since */
static const char WAITING[] = "Waiting";  /* messages, at the last count */
static const char COUNTED[] = "CountedMs";

enum {
	MS_PER_S = 1000,
	MINUTE_MS = 60 * 1000,
	TEN_MINUTES_MS = 10 * MINUTE_MS,
	HOUR_MS = 60 * MINUTE_MS,
	LOOKS_FREE = 3,  /* at a message, with pauses, whatever the queue does */
	LOOKS_MAX = 6,   /* while there are signs that another one is the first */
	DELIVERIES = 10, /* by whomever: half of what RabbitMQ allows */
	SERIAL_WAIT_MS = 500,
	FILE_MAX = 1024 * 1024,
};

struct oldest {
	char *file;
	bool may_keep;
	struct wire *root;
	struct wire *queues; /* root's */
};

const char *oldest_kind_name(enum oldest_kind kind)
{
	static const char *const names[] = {[OLDEST_NONE] = "none",
					    [OLDEST_EXACT] = "exact",
					    [OLDEST_AT_MOST] = "at-most",
					    [OLDEST_AT_LEAST] = "at-least",
					    [OLDEST_UNKNOWN] = "unknown"};

	return names[kind];
}

char *oldest_text(const struct oldest_age *age)
{
	g_autofree char *text = table_age(age->ms);

	switch (age->kind) {
	case OLDEST_NONE:
		return g_strdup("");
	case OLDEST_EXACT:
		return g_steal_pointer(&text);
	case OLDEST_AT_MOST:
		return g_strconcat("<", text, NULL);
	case OLDEST_AT_LEAST:
		return g_strconcat(">", text, NULL);
	case OLDEST_UNKNOWN:
		break;
	}
	return g_strdup("?");
}

/* ---- what is kept ---- */

static struct wire *read_file(const char *file)
{
	g_autofree char *text = NULL;
	gsize size;

	if (!g_file_get_contents(file, &text, &size, NULL) || size > FILE_MAX)
		return NULL;
	return wire_parse(text, size, NULL);
}

struct oldest *oldest_open(const struct config *config, enum outcome *outcome,
			   struct reason *reason)
{
	struct oldest *oldest = g_new0(struct oldest, 1);

	oldest->file = g_build_filename(config->state_dir, FILE_NAME, NULL);
	oldest->may_keep = access(config->state_dir, W_OK | X_OK) == 0;
	*outcome = OUTCOME_OK;
	if (!oldest->may_keep)
		*outcome = outcome_retry(reason, "4.3.5", "%s: %s", config->state_dir,
					 g_strerror(errno));
	oldest->root = read_file(oldest->file);
	if (oldest->root == NULL || strcmp(wire_type_name(oldest->root), "object") != 0) {
		wire_free(&oldest->root);
		oldest->root = wire_object();
	}
	if (wire_get_object(oldest->root, QUEUES) == NULL)
		wire_set(oldest->root, QUEUES, wire_object());
	oldest->queues = wire_get_object(oldest->root, QUEUES);
	return oldest;
}

enum outcome oldest_save(struct oldest *oldest, struct reason *reason)
{
	g_autoptr(GError) error = NULL;
	size_t size;
	g_autofree char *text = wire_print(oldest->root, true, &size);

	if (!oldest->may_keep || g_file_set_contents(oldest->file, text, (gssize)size, &error))
		return OUTCOME_OK;
	return outcome_retry(reason, "4.3.0", "%s", error->message);
}

void oldest_free(struct oldest **oldest)
{
	struct oldest *old = *oldest;

	if (old == NULL)
		return;
	wire_free(&old->root);
	g_free(old->file);
	g_free(old);
	*oldest = NULL;
}

static int64_t number(const struct wire *record, const char *key)
{
	int64_t value = 0;

	return wire_get_int(record, key, &value) ? value : 0;
}

static bool truth(const struct wire *record, const char *key)
{
	bool value = false;

	return wire_get_bool(record, key, &value) && value;
}

bool oldest_last_count(const struct oldest *oldest, const char *queue, int64_t *waiting,
		       int64_t *at_ms)
{
	const struct wire *record = wire_get_object(oldest->queues, queue);

	return record != NULL && wire_get_int(record, WAITING, waiting) &&
	       wire_get_int(record, COUNTED, at_ms);
}

/* ---- a look ---- */

bool oldest_may_look(int64_t looks, int64_t pause_ms, bool has_shrunk)
{
	static const int64_t PAUSES[LOOKS_FREE] = {0, MINUTE_MS, TEN_MINUTES_MS};

	if (looks >= LOOKS_MAX)
		return has_shrunk && pause_ms >= HOUR_MS;
	if (looks >= LOOKS_FREE)
		return has_shrunk && pause_ms >= MINUTE_MS;
	return pause_ms >= (has_shrunk ? MS_PER_S : PAUSES[MAX(looks, 0)]);
}

/* Take it and give it back. */
static bool take_first(struct broker *broker, const char *queue, struct broker_delivery *first)
{
	bool found = false;

	return broker_get(broker, queue, first, &found, connect_deadline(), NULL) == OUTCOME_OK &&
	       found && broker_nack(broker, first->tag, false, true, NULL) == OUTCOME_OK;
}

/* RabbitMQ takes no basic.get for a queue with a single active consumer: be one, if there is none.
 */
static bool take_first_serial(const char *queue, oldest_dial *dial, void *context,
			      struct broker_delivery *first)
{
	struct broker *broker = dial(context, NULL);
	bool found = broker != NULL &&
		     broker_consume(broker, queue, 1, connect_deadline(), NULL) == OUTCOME_OK &&
		     broker_next(broker, first, -1, deadline_in(SERIAL_WAIT_MS), NULL) ==
			     BROKER_DELIVERY;

	broker_close(&broker); /* gives it back */
	return found;
}

static void note_first(struct wire *record, const struct broker_delivery *first, int64_t now_ms)
{
	const char *last = wire_get_text(record, HEAD);
	g_autofree char *head = g_strdup_printf("%s %" G_GINT64_FORMAT " %zu",
						first->message_id != NULL ? first->message_id : "",
						first->timestamp, first->body_size);
	int64_t since_s = first->first_seen != 0 ? first->first_seen : first->timestamp;
	/* By a clock that was wrong: nothing is known. */
	if (since_s > now_ms / MS_PER_S)
		since_s = 0;
	bool same = last != NULL && strcmp(last, head) == 0;
	int64_t looks = same ? number(record, LOOKS) + 1 : 1;

	if (!same) {
		wire_set_text(record, HEAD, head);
		wire_set_bool(record, KNOWN, since_s != 0);
		wire_set_int(record, SINCE, since_s != 0 ? since_s * MS_PER_S : now_ms);
	}
	wire_set_int(record, LOOKS, first->delivery_count >= DELIVERIES ? LOOKS_MAX : looks);
	wire_set_int(record, LOOKED, now_ms);
	wire_set_bool(record, IDLE, true);
}

static struct oldest_age age_of(const struct wire *record, bool looked, int64_t now_ms)
{
	struct oldest_age age = {.ms = MAX(now_ms - number(record, SINCE), 0)};
	bool known = truth(record, KNOWN);
	bool sure = looked || truth(record, IDLE);

	if (known)
		age.kind = sure ? OLDEST_EXACT : OLDEST_AT_MOST;
	else
		age.kind = sure ? OLDEST_AT_LEAST : OLDEST_UNKNOWN;
	return age;
}

struct oldest_age oldest_look(struct oldest *oldest, struct broker *broker,
			      const struct oldest_queue *queue, oldest_dial *dial, void *context)
{
	struct wire *record = wire_get_object(oldest->queues, queue->name);
	struct broker_delivery first = {0};
	int64_t now_ms = realtime_ms();
	bool looked = false;

	if (!oldest->may_keep)
		return (struct oldest_age){queue->waiting > 0 ? OLDEST_UNKNOWN : OLDEST_NONE, 0};
	if (record == NULL || queue->waiting == 0) {
		wire_set(oldest->queues, queue->name, wire_object());
		record = wire_get_object(oldest->queues, queue->name);
	}
	bool shrunk = queue->waiting < number(record, WAITING);

	/* A clock that was set back. */
	if (number(record, LOOKED) > now_ms)
		wire_set_int(record, LOOKED, now_ms);
	if (shrunk || queue->consumers > 0)
		wire_set_bool(record, IDLE, false);
	if (queue->waiting > 0 &&
	    oldest_may_look(number(record, LOOKS), now_ms - number(record, LOOKED), shrunk)) {
		looked = queue->serial ? take_first_serial(queue->name, dial, context, &first)
				       : take_first(broker, queue->name, &first);
		if (looked)
			note_first(record, &first, now_ms);
		broker_delivery_clear(&first);
	}
	wire_set_int(record, WAITING, queue->waiting);
	wire_set_int(record, COUNTED, now_ms);
	if (queue->waiting == 0)
		return (struct oldest_age){OLDEST_NONE, 0};
	if (wire_get_text(record, HEAD) == NULL)
		return (struct oldest_age){OLDEST_UNKNOWN, 0};
	return age_of(record, looked, now_ms);
}
