#include <string.h>

#include "common/state.h"
#include "common/topology.h"
#include "mailctl/logline.h"
#include "mailctl/table.h"
#include "mailctl/trace.h"

enum { DECIMAL = 10, MS_PER_S = 1000 };

static void conclude(struct subject *subject, const char *state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void conclude(struct subject *subject, const char *state, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_free(subject->conclusion);
	subject->conclusion = g_strdup_vprintf(format, args);
	va_end(args);
	subject->state = state;
}

static const char *or_unknown(const char *text)
{
	return text != NULL && *text != '\0' ? text : "no reason is told";
}

/* The last event of that name in our log, or NULL. */
static const struct trace_event *logged(const struct subject *subject, const char *what)
{
	for (unsigned int i = subject->events->len; i-- > 0;) {
		const struct trace_event *event = subject->events->pdata[i];

		if (event->source == TRACE_LOG && strcmp(event->what, what) == 0)
			return event;
	}
	return NULL;
}

/* Postfix's last word on it. */
static const struct trace_event *last_delivery(const struct subject *subject)
{
	for (unsigned int i = subject->events->len; i-- > 0;) {
		const struct trace_event *event = subject->events->pdata[i];

		if (event->source == TRACE_POSTFIX && event->fate != FATE_NONE)
			return event;
	}
	return NULL;
}

static bool was_published(const struct subject *subject)
{
	const struct trace_event *delivery = last_delivery(subject);

	/* (What was put off or given up had been taken from its queue.) */
	return subject->published || logged(subject, "published") != NULL ||
	       logged(subject, "delayed") != NULL || logged(subject, "dead") != NULL ||
	       (delivery != NULL && delivery->fate == FATE_OK && delivery->to_pipeline);
}

/* " (until TIME)" */
static char *until(struct subject *subject, int64_t ms)
{
	subject->next_attempt_ms = ms;
	if (ms <= 0)
		return g_strdup("");
	g_autofree char *time = table_time(ms);

	return g_strdup_printf(" until %s", time);
}

/* What has not been looked at, or NULL. */
static const char *blind(const struct trace *trace)
{
	if (!trace->saw_database && !trace->saw_broker)
		return "database and broker";
	if (!trace->saw_database)
		return "the database";
	return !trace->saw_broker ? "the broker" : NULL;
}

/* "mail.in.support (3 messages wait, 1 consumers)" */
static char *worker_queue(const struct trace *trace, const struct subject *subject)
{
	g_autofree char *name = subject->stream == NULL ? NULL
				: subject->direction == DIRECTION_OUTBOUND
					? topology_outbound_queue(subject->stream)
					: topology_inbound_queue(subject->stream);

	for (unsigned int i = 0; name != NULL && i < trace->queues->len; i++) {
		const struct trace_queue *queue = trace->queues->pdata[i];

		if (strcmp(queue->name, name) == 0)
			return g_strdup_printf("%s (%" G_GINT64_FORMAT
					       " messages wait, %" G_GINT64_FORMAT " consumers)",
					       name, (gint64)queue->messages,
					       (gint64)queue->consumers);
	}
	return name != NULL ? g_steal_pointer(&name) : g_strdup("its queue");
}

/* Where the broker could not be asked, the log has the last word.  False: it says nothing. */
static bool conclude_delayed(struct subject *subject)
{
	const struct trace_event *delayed = logged(subject, "delayed");
	const struct trace_event *dead = logged(subject, "dead");

	if (dead != NULL) {
		conclude(subject, "dead", "given up, as the log tells: %s", dead->text);
		return true;
	}
	if (delayed == NULL)
		return false;
	const struct logline line = {.kind = LOGLINE_OURS, .text = delayed->text};
	g_autofree char *next = logline_field(&line, "next");
	g_autofree char *time =
		until(subject, next != NULL ? g_ascii_strtoll(next, NULL, DECIMAL) * MS_PER_S : 0);

	conclude(subject, "waiting", "waited%s for its next try when the log told of it last: %s",
		 time, delayed->text);
	return true;
}

/* Was giving it up the last that was heard of it? */
static bool was_given_up(const struct subject *subject)
{
	const struct trace_event *dead = logged(subject, "dead");
	const struct trace_event *delayed = logged(subject, "delayed");

	if (subject->status != NULL)
		return strcmp(subject->status, "failed") == 0;
	return dead != NULL && (delayed == NULL || delayed->sort_ms <= dead->sort_ms);
}

/* It is on the broker, but neither in a tier nor dead. */
static void conclude_queued(const struct trace *trace, struct subject *subject)
{
	const char *missing = blind(trace);
	const char *verb = subject->direction == DIRECTION_OUTBOUND ? "sent" : "stored";

	if (missing != NULL && conclude_delayed(subject))
		return;
	if (missing != NULL) {
		conclude(subject, "unknown",
			 "it was published; what became of it is not known, for %s could not be "
			 "looked at",
			 missing);
		return;
	}
	g_autofree char *queue = worker_queue(trace, subject);

	if (was_given_up(subject)) {
		conclude(
			subject, "unknown",
			"it was given up, and is not in " QUEUE_DEAD
			" any more: it was dropped, or requeued and waits in %s or a worker has it "
			"in hand",
			queue);
		return;
	}
	conclude(subject, "queued",
		 "published, and not %s yet: it waits in %s or a worker has it in hand (or it was "
		 "purged or dropped since)",
		 verb, queue);
}

/* In a tier, or given up: the same for both directions.  False if it is in neither. */
static bool conclude_place(struct subject *subject)
{
	if (subject->dead.queue != NULL) {
		conclude(subject, "dead", "given up, it lies in %s: %s", subject->dead.queue,
			 or_unknown(subject->dead.last_error));
		return true;
	}
	if (subject->tier.queue != NULL) {
		g_autofree char *time = until(subject, subject->tier.next_ms);

		conclude(subject, "waiting", "waits in %s%s for its try %" G_GINT64_FORMAT ": %s",
			 subject->tier.queue, time, (gint64)subject->tier.attempt,
			 or_unknown(subject->tier.last_error));
		return true;
	}
	return false;
}

/* ---- inbound, and what Postfix alone knows of ---- */

static void conclude_stored(struct subject *subject)
{
	g_autofree char *time = subject->stored_ms > 0 ? table_time(subject->stored_ms) : NULL;
	const char *copy = subject->dead.queue != NULL ? "; another copy of it lies in mail.dead"
			   : subject->tier.queue != NULL
				   ? "; another copy of it waits in a retry tier, and will be "
				     "recognised as a duplicate"
				   : "";

	conclude(subject, "stored", "stored%s%s, route %s%s", time != NULL ? " at " : "",
		 time != NULL ? time : "", subject->stream != NULL ? subject->stream : "-", copy);
}

static void conclude_postfix(const struct trace *trace, struct subject *subject)
{
	const struct trace_event *last = last_delivery(subject);

	if (last == NULL)
		conclude(subject, "unknown", "%s",
			 trace->saw_log ? "the logs do not tell what became of it"
					: "there is no log that tells what became of it");
	else if (last->fate == FATE_DEFERRED)
		conclude(subject, "waiting", "Postfix has it and tries again by itself: %s",
			 last->text);
	else if (last->fate == FATE_BOUNCED)
		conclude(subject, strcmp(last->what, "refused") == 0 ? "refused" : "bounced",
			 "Postfix %s it: %s",
			 strcmp(last->what, "refused") == 0 ? "refused" : "returned", last->text);
	else
		conclude(subject, "sent", "Postfix handed it on: %s", last->text);
}

static void conclude_quarantined(struct subject *subject)
{
	int64_t ms = subject->released_ms > 0 ? subject->released_ms : subject->quarantined_ms;
	g_autofree char *time = table_time(ms);

	if (subject->released_ms > 0)
		conclude(subject, "queued",
			 "released from quarantine at %s, and not stored yet: it is on its way, or "
			 "that was cut off (mailctl quarantine release)",
			 time);
	else
		conclude(subject, "quarantined", "in quarantine since %s: %s", time,
			 or_unknown(subject->status_text));
}

/* What was dropped there is nowhere any more. */
static bool was_dropped(const struct subject *subject)
{
	return g_strcmp0(subject->status, "failed") == 0 && subject->status_text != NULL &&
	       g_str_has_prefix(subject->status_text, DROPPED_FROM_QUARANTINE);
}

/* The last word of the log, for want of a database. */
static const struct trace_event *logged_quarantined(const struct trace *trace,
						    const struct subject *subject)
{
	return trace->saw_database ? NULL : logged(subject, "quarantined");
}

static void conclude_inbound(const struct trace *trace, struct subject *subject)
{
	const struct trace_event *stored = logged(subject, "stored");
	const struct trace_event *quarantined = logged_quarantined(trace, subject);

	if (subject->stored) {
		conclude_stored(subject);
		/* The order counts. NOLINTNEXTLINE(bugprone-branch-clone) */
	} else if (subject->quarantined_ms > 0 && subject->released_ms == 0) {
		conclude_quarantined(subject);
	} else if (conclude_place(subject)) {
		return;
	} else if (subject->quarantined_ms > 0) {
		conclude_quarantined(subject);
	} else if (was_dropped(subject)) {
		conclude(subject, "dropped", "an operator dropped it: %s", subject->status_text);
	} else if (stored != NULL && !trace->saw_database) {
		subject->stored_ms = stored->at_ms;
		conclude_stored(subject);
	} else if (quarantined != NULL) {
		conclude(subject, "quarantined", "in quarantine, as the log tells: %s",
			 quarantined->text);
	} else if (g_strcmp0(subject->status, "delayed") == 0 && !trace->saw_broker) {
		g_autofree char *time = until(subject, subject->next_ms);

		conclude(subject, "waiting", "waits for its next try%s: %s", time,
			 or_unknown(subject->status_text));
	} else if (g_strcmp0(subject->status, "failed") == 0 && !trace->saw_broker) {
		conclude(subject, "dead", "given up: %s", or_unknown(subject->status_text));
	} else if (was_published(subject)) {
		conclude_queued(trace, subject);
	} else {
		conclude_postfix(trace, subject);
	}
}

/* ---- outbound ---- */

/* The record knows best; what the broker has is where it waits. */
static bool conclude_record(struct subject *subject)
{
	const char *status = subject->status;
	const char *reply = or_unknown(subject->status_text);

	if (status == NULL)
		return false;
	if (strcmp(status, "deferred") == 0 || strcmp(status, "scheduled") == 0) {
		g_autofree char *time = until(subject, subject->next_ms);

		conclude(subject, "waiting", "%s%s%s: %s", status, time,
			 subject->tier.queue != NULL ? ", in a retry tier" : "",
			 strcmp(status, "scheduled") == 0 && subject->status_text == NULL
				 ? "its SendAt is later"
				 : reply);
	} else if (strcmp(status, "sent") == 0) {
		conclude(subject, "sent", "the SMTP server took it: %s", reply);
	} else if (strcmp(status, "sending") == 0) {
		conclude(subject, "sending", "a worker has it in hand, or was killed with it");
	} else {
		conclude(subject, g_intern_string(status), "%s: %s%s", status, reply,
			 subject->dead.queue != NULL ? "; it lies in mail.dead" : "");
	}
	return true;
}

/* Without the record, the log. */
static bool conclude_log(struct subject *subject)
{
	for (unsigned int i = subject->events->len; i-- > 0;) {
		const struct trace_event *event = subject->events->pdata[i];

		if (event->source != TRACE_LOG)
			continue;
		if (strcmp(event->what, "deferred") == 0)
			conclude(subject, "waiting", "deferred: %s", event->text);
		else
			conclude(subject, g_intern_string(event->what), "%s: %s", event->what,
				 event->text);
		return true;
	}
	return false;
}

/* The local Postfix may have more to tell of what it took. */
static void add_relay(struct subject *subject)
{
	const struct trace_event *last = last_delivery(subject);

	if (last == NULL || strcmp(subject->state, "sent") != 0)
		return;
	if (last->fate == FATE_BOUNCED)
		conclude(subject, "bounced", "sent, but then Postfix returned it: %s", last->text);
	else if (last->fate == FATE_DEFERRED)
		conclude(subject, "sent", "sent; now it waits in Postfix's queue: %s", last->text);
	else
		conclude(subject, "sent", "sent; then Postfix handed it on: %s", last->text);
}

static void conclude_outbound(const struct trace *trace, struct subject *subject)
{
	bool told = conclude_record(subject) || conclude_place(subject) || conclude_log(subject);

	if (!told)
		conclude_queued(trace, subject);
	add_relay(subject);
}

void trace_conclude(const struct trace *trace, struct subject *subject)
{
	if (subject->direction == DIRECTION_OUTBOUND)
		conclude_outbound(trace, subject);
	else if (subject->id != NULL)
		conclude_inbound(trace, subject);
	else
		conclude_postfix(trace, subject);
}
