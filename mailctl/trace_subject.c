#include <string.h>

#include "common/mask.h"
#include "common/route.h"
#include "mailctl/trace.h"

enum { MS_PER_S = 1000 };

/* ---- making and freeing ---- */

struct trace_event *trace_event_new(const char *what, const char *text)
{
	struct trace_event *event = g_new0(struct trace_event, 1);

	event->at_ms = -1;
	event->step = STEP_TRIED;
	event->what = g_strdup(what);
	event->text = g_strdup(text != NULL ? text : "");
	return event;
}

void trace_event_free(void *item)
{
	struct trace_event *event = item;

	g_free(event->what);
	g_free(event->text);
	g_free(event->queue_id);
	g_free(event->message_id);
	g_free(event->recipient);
	g_free(event);
}

static void clear_place(struct trace_place *place)
{
	g_free(place->queue);
	g_free(place->back_to);
	g_free(place->last_error);
}

void trace_subject_free(void *item)
{
	struct subject *subject = item;

	g_free(subject->id);
	g_hash_table_unref(subject->queue_ids);
	g_free(subject->stream);
	g_free(subject->sender);
	g_free(subject->recipient);
	g_free(subject->title);
	g_free(subject->header_id);
	g_ptr_array_unref(subject->events);
	g_free(subject->status);
	g_free(subject->status_text);
	clear_place(&subject->tier);
	clear_place(&subject->dead);
	g_free(subject->conclusion);
	g_free(subject);
}

static struct subject *subject_new(struct trace *trace, const char *id)
{
	struct subject *subject = g_new0(struct subject, 1);

	subject->id = g_strdup(id);
	subject->queue_ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	subject->events = g_ptr_array_new();
	subject->newest_ms = -1;
	g_ptr_array_add(trace->subjects, subject);
	return subject;
}

struct subject *trace_subject(struct trace *trace, const char *id)
{
	for (unsigned int i = 0; i < trace->subjects->len; i++) {
		struct subject *subject = trace->subjects->pdata[i];

		if (g_strcmp0(subject->id, id) == 0)
			return subject;
	}
	return subject_new(trace, id);
}

/* The same line may stand in several files and in the journal, there with a finer time. */
static char *event_key(const struct trace_event *event)
{
	return g_strdup_printf("%" G_GINT64_FORMAT " %d %s %s %s %s",
			       (gint64)event->at_ms / MS_PER_S, event->source, event->what,
			       event->queue_id != NULL ? event->queue_id : "",
			       event->message_id != NULL ? event->message_id : "", event->text);
}

void trace_add(struct trace *trace, struct trace_event *event)
{
	if (!g_hash_table_add(trace->known, event_key(event))) {
		trace_event_free(event);
		return;
	}
	event->position = trace->events->len;
	g_ptr_array_add(trace->events, event);
}

/* ---- which event belongs to which message ---- */

static bool has_queue_id(const struct subject *subject, const char *queue_id)
{
	return g_hash_table_contains(subject->queue_ids, queue_id);
}

/* What Postfix alone knows of: one for each queue id. */
static struct subject *postfix_subject(struct trace *trace, const char *queue_id)
{
	for (unsigned int i = 0; i < trace->subjects->len; i++) {
		struct subject *subject = trace->subjects->pdata[i];

		if (subject->id == NULL && has_queue_id(subject, queue_id))
			return subject;
	}
	struct subject *subject = subject_new(trace, NULL);

	g_hash_table_add(subject->queue_ids, g_strdup(queue_id));
	return subject;
}

static void give(struct subject *subject, struct trace_event *event)
{
	g_ptr_array_add(subject->events, event);
	subject->newest_ms = MAX(subject->newest_ms, event->at_ms);
}

/* Logs and rows have an address without its token or with "..." instead; Postfix has it whole. */
static bool is_same_address(const struct trace *trace, const char *a, const char *b)
{
	const char *delimiters = trace->config->recipient_delimiter;

	if (g_ascii_strcasecmp(a, b) == 0)
		return true;
	g_autofree char *base_a = route_base_address(delimiters, a);
	g_autofree char *base_b = route_base_address(delimiters, b);
	g_autofree char *masked_a = mask_address(trace->config, a);
	g_autofree char *masked_b = mask_address(trace->config, b);

	if (strcmp(base_a, base_b) != 0)
		return false;
	return g_ascii_strcasecmp(masked_a, masked_b) == 0 ||
	       (g_ascii_strcasecmp(a, base_a) == 0 && g_ascii_strcasecmp(masked_b, b) != 0) ||
	       (g_ascii_strcasecmp(b, base_b) == 0 && g_ascii_strcasecmp(masked_a, a) != 0);
}

static bool is_for(const struct trace *trace, const struct subject *subject,
		   const struct trace_event *event)
{
	return subject->id != NULL && has_queue_id(subject, event->queue_id) &&
	       (subject->direction == DIRECTION_OUTBOUND || event->recipient == NULL ||
		subject->recipient == NULL ||
		is_same_address(trace, subject->recipient, event->recipient));
}

/* To every message that it is about. */
static void share(struct trace *trace, struct trace_event *event)
{
	unsigned int given = 0;

	for (unsigned int i = 0; i < trace->subjects->len; i++) {
		struct subject *subject = trace->subjects->pdata[i];
		bool postfix = subject->id == NULL && event->recipient == NULL &&
			       has_queue_id(subject, event->queue_id);

		if (postfix || is_for(trace, subject, event)) {
			give(subject, event);
			given++;
		}
	}
	if (given == 0)
		give(postfix_subject(trace, event->queue_id), event);
}

/* Those that tell a message's queue ids come first, then those for one recipient, from which
 * messages of Postfix's alone are made. */
static void distribute(struct trace *trace)
{
	for (unsigned int i = 0; i < trace->events->len; i++) {
		struct trace_event *event = trace->events->pdata[i];

		if (event->message_id == NULL)
			continue;
		struct subject *subject = trace_subject(trace, event->message_id);

		if (event->queue_id != NULL)
			g_hash_table_add(subject->queue_ids, g_strdup(event->queue_id));
		if (event->recipient != NULL && subject->recipient == NULL)
			subject->recipient = g_strdup(event->recipient);
		give(subject, event);
	}
	for (int round = 0; round < 2; round++)
		for (unsigned int i = 0; i < trace->events->len; i++) {
			struct trace_event *event = trace->events->pdata[i];

			if (event->message_id == NULL && event->queue_id != NULL &&
			    (event->recipient != NULL) == (round == 0))
				share(trace, event);
		}
}

/* Refused before there was a message. */
static void collect_refused(struct trace *trace)
{
	struct subject *refused = NULL;

	for (unsigned int i = 0; i < trace->events->len; i++) {
		struct trace_event *event = trace->events->pdata[i];

		if (event->message_id != NULL || event->queue_id != NULL)
			continue;
		if (refused == NULL)
			refused = subject_new(trace, NULL);
		give(refused, event);
	}
}

/* ---- order ---- */

/* Does one go before the other?  Postfix gets outgoing mail only when we have begun to send it. */
static bool goes_before(const struct subject *subject, const struct trace_event *one,
			const struct trace_event *other)
{
	if (subject->direction == DIRECTION_OUTBOUND && other->source == TRACE_POSTFIX)
		return one->source != TRACE_POSTFIX && one->step == STEP_PUBLISHED;
	return one->step < other->step;
}

/* An event of which only the second is known comes after what goes before it in that second. */
static int64_t second_place(const struct subject *subject, const struct trace_event *event)
{
	int64_t place = event->at_ms;

	for (unsigned int i = 0; i < subject->events->len; i++) {
		const struct trace_event *other = subject->events->pdata[i];

		if (other->exact && goes_before(subject, other, event) &&
		    other->at_ms >= event->at_ms && other->at_ms < event->at_ms + MS_PER_S)
			place = MAX(place, other->at_ms + 1);
	}
	return place;
}

/* One without a time comes after all that goes before it. */
static int64_t timeless_place(const struct subject *subject, const struct trace_event *event)
{
	int64_t place = 0;

	for (unsigned int i = 0; i < subject->events->len; i++) {
		const struct trace_event *other = subject->events->pdata[i];

		if (other->at_ms >= 0 && other->step <= event->step)
			place = MAX(place, other->sort_ms);
	}
	return place;
}

static int compare_events(const void *a, const void *b)
{
	const struct trace_event *x = *(const struct trace_event *const *)a;
	const struct trace_event *y = *(const struct trace_event *const *)b;

	if (x->sort_ms != y->sort_ms)
		return x->sort_ms < y->sort_ms ? -1 : 1;
	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

static void order(struct subject *subject)
{
	for (unsigned int i = 0; i < subject->events->len; i++) {
		struct trace_event *event = subject->events->pdata[i];

		event->sort_ms = event->exact || event->at_ms < 0 ? event->at_ms
								  : second_place(subject, event);
	}
	for (unsigned int i = 0; i < subject->events->len; i++) {
		struct trace_event *event = subject->events->pdata[i];

		if (event->at_ms < 0)
			event->sort_ms = timeless_place(subject, event);
	}
	g_ptr_array_sort(subject->events, compare_events);
}

static int compare_subjects(const void *a, const void *b)
{
	const struct subject *x = *(const struct subject *const *)a;
	const struct subject *y = *(const struct subject *const *)b;

	return x->newest_ms > y->newest_ms ? -1 : x->newest_ms < y->newest_ms;
}

/* What Postfix's log knows of a message that nobody else knows. */
static void describe(const struct trace *trace, struct subject *subject)
{
	GHashTableIter iterator;
	void *queue_id;

	g_hash_table_iter_init(&iterator, subject->queue_ids);
	while (g_hash_table_iter_next(&iterator, &queue_id, NULL)) {
		if (subject->sender == NULL)
			subject->sender = g_strdup(g_hash_table_lookup(trace->senders, queue_id));
		if (subject->header_id == NULL)
			subject->header_id =
				g_strdup(g_hash_table_lookup(trace->mail_ids, queue_id));
	}
}

/* The queue ids under which mails that we sent went on. */
static void adopt_relayed(struct trace *trace)
{
	GHashTableIter iterator;
	void *queue_id;
	void *header;

	g_hash_table_iter_init(&iterator, trace->mail_ids);
	while (g_hash_table_iter_next(&iterator, &queue_id, &header)) {
		g_autofree char *id = trace_id_of_header(header);

		for (unsigned int i = 0; id != NULL && i < trace->subjects->len; i++) {
			struct subject *subject = trace->subjects->pdata[i];

			if (subject->direction == DIRECTION_OUTBOUND &&
			    g_strcmp0(subject->id, id) == 0)
				g_hash_table_add(subject->queue_ids, g_strdup(queue_id));
		}
	}
}

/* Asked for one, others that came with the same mail are left out. */
static void keep_only(struct trace *trace, const char *key)
{
	for (unsigned int i = trace->subjects->len; i-- > 0;) {
		const struct subject *subject = trace->subjects->pdata[i];

		if (subject->id == NULL || g_ascii_strcasecmp(subject->id, key) != 0)
			g_ptr_array_remove_index(trace->subjects, i);
	}
}

void trace_sort_out(struct trace *trace)
{
	adopt_relayed(trace);
	distribute(trace);
	collect_refused(trace);
	if (trace->kind == KIND_ID)
		keep_only(trace, trace->key);
	for (unsigned int i = 0; i < trace->subjects->len; i++) {
		order(trace->subjects->pdata[i]);
		describe(trace, trace->subjects->pdata[i]);
	}
	g_ptr_array_sort(trace->subjects, compare_subjects);
	if (trace->subjects->len > trace->limit) {
		trace->more = true;
		g_ptr_array_set_size(trace->subjects, (int)trace->limit);
	}
}

/* ---- what is not told ---- */

static void mask(const struct trace *trace, char **text)
{
	char *masked = mask_text(trace->config, *text);

	g_free(*text);
	*text = masked;
}

void trace_mask(struct trace *trace)
{
	for (unsigned int i = 0; i < trace->events->len; i++) {
		struct trace_event *event = trace->events->pdata[i];

		mask(trace, &event->text);
	}
	for (unsigned int i = 0; i < trace->subjects->len; i++) {
		struct subject *subject = trace->subjects->pdata[i];

		mask(trace, &subject->recipient);
		mask(trace, &subject->status_text);
		mask(trace, &subject->tier.last_error);
		mask(trace, &subject->dead.last_error);
	}
}
