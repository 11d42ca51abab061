#include <string.h>

#include "common/deadline.h"
#include "common/id.h"
#include "common/wire.h"
#include "mailctl/logline.h"
#include "mailctl/logread.h"
#include "mailctl/run.h"
#include "mailctl/trace.h"

enum { PASSES = 4, NO_QUEUE_MAX = 20, MS_PER_S = 1000 };

struct scan {
	struct trace *trace;
	bool collect;    /* events; else only what else to search for */
	bool by_address; /* look for the address, too */
	GQueue latest;   /* queue ids that an address led to, the oldest first; owned */
	int refused;     /* NOQUEUE lines that were taken */
};

/* ---- which lines ---- */

/* An address may lead to any number of mails: the latest ones count. */
static void want_latest(struct scan *scan, const char *queue_id)
{
	if (*queue_id == '\0' || trace_wants_queue_id(scan->trace, queue_id))
		return;
	trace_want_queue_id(scan->trace, queue_id);
	g_queue_push_tail(&scan->latest, g_strdup(queue_id));
	if (g_queue_get_length(&scan->latest) <= scan->trace->limit)
		return;
	g_autofree char *oldest = g_queue_pop_head(&scan->latest);

	g_hash_table_remove(scan->trace->queue_ids, oldest);
	scan->trace->more = true;
}

static bool field_is_address(const struct trace *trace, const struct logline *line,
			     const char *name)
{
	g_autofree char *value = logline_field(line, name);

	return value != NULL && trace_is_address(trace, value);
}

static bool tells_address(const struct trace *trace, const struct logline *line)
{
	/* Most lines do not have it at all. */
	return trace->address != NULL && strcasestr(line->text, trace->address) != NULL &&
	       (field_is_address(trace, line, "from") || field_is_address(trace, line, "to") ||
		field_is_address(trace, line, "orig_to"));
}

static bool tells_message_id(const struct trace *trace, const struct logline *line)
{
	if (!g_str_has_prefix(line->text, "message-id="))
		return false;
	g_autofree char *header = logline_field(line, "message-id");

	if (header == NULL)
		return false;
	g_autofree char *id = trace_id_of_header(header);

	return g_hash_table_contains(trace->header_ids, header) ||
	       (id != NULL && trace_wants_id(trace, id));
}

static bool is_refusal(const struct logline *line)
{
	return strcmp(line->queue_id, "NOQUEUE") == 0;
}

static bool refuses_address(const struct trace *trace, const struct logline *line)
{
	return trace->address != NULL && trace_holds_address(trace, line->text);
}

static bool is_wanted(struct scan *scan, const struct logline *line)
{
	struct trace *trace = scan->trace;

	if (is_refusal(line))
		return refuses_address(trace, line);
	if (trace_wants_queue_id(trace, line->queue_id) ||
	    trace_wants_id(trace, line->message_id) ||
	    trace_notice_about(trace, line->message_id) != NULL)
		return true;
	if (tells_message_id(trace, line)) {
		trace_want_queue_id(trace, line->queue_id);
		return true;
	}
	if (scan->by_address && tells_address(trace, line)) {
		if (line->kind == LOGLINE_OURS && *line->queue_id == '\0')
			trace_want_id(trace, line->message_id);
		want_latest(scan, line->queue_id);
		return true;
	}
	return false;
}

/* ---- what they tell ---- */

static struct trace_event *new_event(const struct logline *line, const char *what, const char *text)
{
	struct trace_event *event = trace_event_new(what, text);

	event->source = line->kind == LOGLINE_OURS ? TRACE_LOG : TRACE_POSTFIX;
	if (*line->queue_id != '\0' && !is_refusal(line))
		event->queue_id = g_strdup(line->queue_id);
	if (*line->message_id != '\0')
		event->message_id = g_strdup(line->message_id);
	return event;
}

/* A relay took it over: under this id its log goes on. */
static void follow(struct trace *trace, const char *message_id, const char *reply)
{
	g_autofree char *next = reply != NULL ? logline_queued_as(reply) : NULL;

	if (next == NULL)
		return;
	trace_want_queue_id(trace, next);
	if (message_id != NULL && *message_id != '\0')
		g_hash_table_add(trace_subject(trace, message_id)->queue_ids,
				 g_steal_pointer(&next));
}

static void set_fate(struct trace_event *event, const char *status)
{
	if (strcmp(status, "sent") == 0)
		event->fate = FATE_OK;
	else if (strcmp(status, "deferred") == 0)
		event->fate = FATE_DEFERRED;
	else if (strcmp(status, "bounced") == 0 || strcmp(status, "expired") == 0)
		event->fate = FATE_BOUNCED;
}

/* "to=<a@b>, relay=mailpipe, ..., dsn=2.0.0, status=sent (text)" */
static struct trace_event *delivery(struct trace *trace, const struct logline *line,
				    const char *status)
{
	g_autofree char *to = logline_field(line, "to");
	g_autofree char *relay = logline_field(line, "relay");
	g_autofree char *dsn = logline_field(line, "dsn");
	g_autofree char *said = logline_field(line, "(");
	g_autofree char *text = g_strdup_printf("to %s by %s %s: %s %s", to, line->service,
						relay != NULL ? relay : "-",
						dsn != NULL ? dsn : "-", said != NULL ? said : "");
	struct trace_event *event = new_event(line, status, text);

	set_fate(event, status);
	event->step = STEP_DELIVERED;
	event->recipient = g_strdup(to);
	event->to_pipeline = g_strcmp0(relay, "mailpipe") == 0;
	follow(trace, NULL, said);
	return event;
}

static struct trace_event *queued(struct scan *scan, const struct logline *line)
{
	struct trace *trace = scan->trace;
	g_autofree char *from = logline_field(line, "from");
	g_autofree char *size = logline_field(line, "size");
	g_autofree char *status = logline_field(line, "status");
	g_autofree char *text =
		g_strdup_printf("from <%s>, %s bytes", from, size != NULL ? size : "unknown");
	struct trace_event *event;

	g_hash_table_insert(trace->senders, g_strdup(line->queue_id), g_strdup(from));
	if (status == NULL) {
		/* Told anew whenever it is taken up again: the deliveries tell that better. */
		if (scan->collect &&
		    !g_hash_table_add(trace->known, g_strconcat("queued ", line->queue_id, NULL)))
			return NULL;
		event = new_event(line, "queued", text);
		event->step = STEP_RECEIVED;
		return event;
	}
	event = new_event(line, status, line->text);
	set_fate(event, status);
	return event;
}

static struct trace_event *message_id_line(struct trace *trace, const struct logline *line)
{
	g_autofree char *header = logline_field(line, "message-id");
	g_autofree char *id = header != NULL ? trace_id_of_header(header) : NULL;
	g_autofree char *text = g_strdup_printf("Message-ID %s", header);
	struct trace_event *event = new_event(line, "received", text);

	event->step = STEP_RECEIVED;
	g_hash_table_insert(trace->mail_ids, g_strdup(line->queue_id), g_strdup(header));
	/* Perhaps a mail of ours: if nobody knows that id, it was a coincidence. */
	trace_want_id(trace, id);
	return event;
}

static struct trace_event *received(struct trace *trace, const struct logline *line)
{
	/* Before a content filter it had another one. */
	g_autofree char *earlier = logline_field(line, "orig_queue_id");
	struct trace_event *event = new_event(line, "received", line->text);

	event->step = STEP_RECEIVED;
	trace_want_queue_id(trace, earlier);
	return event;
}

static struct trace_event *postfix_event(struct scan *scan, const struct logline *line)
{
	struct trace *trace = scan->trace;
	g_autofree char *status = logline_field(line, "status");
	g_autofree char *to = logline_field(line, "to");

	if (is_refusal(line)) {
		struct trace_event *event = new_event(line, "refused", line->text);

		event->fate = FATE_BOUNCED;
		return event;
	}
	if (status != NULL && to != NULL)
		return delivery(trace, line, status);
	if (g_str_has_prefix(line->text, "from="))
		return queued(scan, line);
	if (g_str_has_prefix(line->text, "message-id="))
		return message_id_line(trace, line);
	if (g_str_has_prefix(line->text, "client=") || strcmp(line->service, "pickup") == 0)
		return received(trace, line);
	if (strcmp(line->text, "removed") == 0) {
		struct trace_event *event = new_event(line, "removed", "from Postfix's queue");

		event->step = STEP_LAST;
		return event;
	}
	return new_event(line, line->service, line->text);
}

static enum trace_step our_step(const struct logline *line, const char *what)
{
	if (strcmp(what, "notice") == 0 || strcmp(what, "no-notice") == 0) {
		g_autofree char *kind = logline_field(line, "kind");

		return g_strcmp0(kind, "failed") == 0 ? STEP_TOLD : STEP_TRIED;
	}
	if (strcmp(what, "published") == 0)
		return STEP_PUBLISHED;
	if (strcmp(what, "stored") == 0 || strcmp(what, "duplicate") == 0)
		return STEP_STORED;
	return strcmp(what, "dead") == 0 ? STEP_GIVEN_UP : STEP_TRIED;
}

/* What mailout made of a notice belongs to the message that it is about. */
static struct trace_event *notice_event(const struct logline *line, const char *about)
{
	struct trace_event *event = new_event(line, "notice", line->text);

	g_free(event->message_id);
	event->message_id = g_strdup(about);
	event->step = trace_notice_step(about, line->message_id);
	return event;
}

/* What the other sources may not know. */
static void describe(struct subject *subject, const struct logline *line, bool outbound)
{
	subject->direction = outbound ? DIRECTION_OUTBOUND : DIRECTION_INBOUND;
	if (subject->stream == NULL)
		subject->stream = logline_field(line, outbound ? "stream" : "route");
	if (subject->sender == NULL)
		subject->sender = logline_field(line, "from");
}

static struct trace_event *our_event(struct trace *trace, const struct logline *line)
{
	const char *about = trace_notice_about(trace, line->message_id);

	if (about != NULL && !trace_wants_id(trace, line->message_id))
		return notice_event(line, about);
	g_autofree char *what = logline_field(line, "event");
	g_autofree char *reply = logline_field(line, "reply");
	const char *text = line->text + strcspn(line->text, " ");
	struct trace_event *event = new_event(line, what, text + strspn(text, " "));

	bool outbound = strcmp(line->program, "mailout") == 0;

	event->step = our_step(line, what);
	if (outbound)
		follow(trace, event->message_id, reply);
	else
		event->recipient = logline_field(line, "to");
	if (event->message_id != NULL)
		describe(trace_subject(trace, event->message_id), line, outbound);
	return event;
}

static void take_line(char *text, int64_t reference_ms, void *context)
{
	struct scan *scan = context;
	struct logline line;

	if (!logline_parse(text, &line) || !is_wanted(scan, &line))
		return;
	if (is_refusal(&line)) {
		if (!scan->collect || scan->refused++ >= NO_QUEUE_MAX)
			return;
	} else {
		trace_want_queue_id(scan->trace, line.queue_id);
		if (trace_notice_about(scan->trace, line.message_id) == NULL)
			trace_want_id(scan->trace, line.message_id);
	}
	struct trace_event *event = line.kind == LOGLINE_OURS ? our_event(scan->trace, &line)
							      : postfix_event(scan, &line);

	if (event == NULL)
		return;
	event->at_ms = logline_when(&line, reference_ms, &event->exact);
	if (scan->collect)
		trace_add(scan->trace, event);
	else
		trace_event_free(event);
}

static void take_gap(const char *source, const char *why, void *context)
{
	struct scan *scan = context;

	if (scan->collect)
		trace_gap(scan->trace, source, "%s", why);
}

void trace_log(struct trace *trace)
{
	struct scan scan = {.trace = trace, .latest = G_QUEUE_INIT};
	struct logread read = {
		.patterns = trace->log_files,
		.since_ms = trace->since_ms,
		.line = take_line,
		.gap = take_gap,
		.context = &scan,
	};
	unsigned int growth;

	if (trace->log_files[0] == NULL) {
		trace_gap(trace, "log", "not read, as asked for");
		return;
	}
	/* One thing leads to another, but not for ever. */
	for (int pass = 0; pass < PASSES; pass++) {
		growth = trace->growth;
		scan.by_address = pass == 0;
		logread_all(&read);
		if (trace->growth == growth)
			break;
	}
	scan.by_address = false;
	scan.collect = true;
	read.lines = 0;
	read.sources = 0;
	logread_all(&read);
	g_queue_clear_full(&scan.latest, g_free);
	trace->saw_log = read.sources > 0;
	if (trace->saw_log)
		trace_looked(trace, "log (%" G_GINT64_FORMAT " files, %" G_GINT64_FORMAT " lines)",
			     (gint64)read.sources, (gint64)read.lines);
}

/* ---- Postfix's queue ---- */

static bool concerns(struct trace *trace, const struct wire *entry)
{
	const char *queue_id = wire_get_text(entry, "queue_id");
	const char *sender = wire_get_text(entry, "sender");
	const struct wire *recipients = wire_get_array(entry, "recipients");

	if (queue_id == NULL)
		return false;
	if (trace_wants_queue_id(trace, queue_id) ||
	    (sender != NULL && trace_is_address(trace, sender)))
		return true;
	for (size_t i = 0; i < wire_length(recipients); i++) {
		const char *address = wire_get_text(wire_at(recipients, i), "address");

		if (address != NULL && trace_is_address(trace, address))
			return true;
	}
	return false;
}

static void take_recipient(struct trace *trace, const struct wire *entry,
			   const struct wire *recipient)
{
	const char *queue_id = wire_get_text(entry, "queue_id");
	const char *address = wire_get_text(recipient, "address");
	const char *why = wire_get_text(recipient, "delay_reason");
	const char *queue_name = wire_get_text(entry, "queue_name");
	g_autofree char *text = g_strdup_printf(
		"waits in Postfix's queue \"%s\" for %s%s%s", queue_name != NULL ? queue_name : "",
		address != NULL ? address : "", why != NULL ? ": " : "", why != NULL ? why : "");
	struct trace_event *event = trace_event_new("waiting", text);

	event->source = TRACE_POSTFIX;
	event->at_ms = realtime_ms();
	event->exact = true;
	event->step = STEP_LAST;
	event->fate = FATE_DEFERRED;
	event->queue_id = g_strdup(queue_id);
	event->recipient = g_strdup(address);
	trace_add(trace, event);
}

/* A JSON object a line, see postqueue(1). */
static void take_entry(struct trace *trace, const char *text)
{
	struct wire *entry = wire_parse(text, strlen(text), NULL);

	if (entry != NULL && concerns(trace, entry)) {
		const struct wire *recipients = wire_get_array(entry, "recipients");
		const char *sender = wire_get_text(entry, "sender");
		const char *queue_id = wire_get_text(entry, "queue_id");

		trace_want_queue_id(trace, queue_id);
		if (sender != NULL)
			g_hash_table_insert(trace->senders, g_strdup(queue_id), g_strdup(sender));
		for (size_t i = 0; i < wire_length(recipients); i++)
			take_recipient(trace, entry, wire_at(recipients, i));
	}
	wire_free(&entry);
}

void trace_postfix_queue(struct trace *trace)
{
	const char *here[] = {"postqueue", "-j", NULL};
	const char *there[] = {"postqueue", "-c", trace->postfix_config, "-j", NULL};
	struct run_result result;
	struct reason reason = {0};

	if (run_program(trace->postfix_config != NULL ? there : here, NULL, &result, &reason) !=
		    OUTCOME_OK ||
	    result.status != 0) {
		trace_gap(trace, "Postfix's queue", "%s",
			  result.errors != NULL ? result.errors : reason.text);
		run_result_clear(&result);
		return;
	}
	g_auto(GStrv) lines = g_strsplit(result.output, "\n", -1);

	for (char **line = lines; *line != NULL; line++)
		if (**line != '\0')
			take_entry(trace, *line);
	run_result_clear(&result);
	trace->saw_postfix = true;
	trace_looked(trace, "Postfix's queue");
}
