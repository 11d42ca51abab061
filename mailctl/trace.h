/*
 * mailctl trace: the life of messages, from what Postfix's log, our log, the broker and the
 * database know.  For mailctl/trace*.c alone.
 *
 *	trace.c			options; what is searched for, until nothing new is found
 *	trace_log.c		log lines and Postfix's queue -> events
 *	trace_broker.c		retry tiers, dead letters -> events and places
 *	trace_db.c		rows -> events and states
 *	trace_subject.c		which event belongs to which message; their order
 *	trace_conclude.c	what became of it
 *	trace_print.c		for people, for programs
 */
#ifndef MAILCTL_TRACE_H
#define MAILCTL_TRACE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/db.h"
#include "common/outcome.h"

enum trace_source {
	TRACE_POSTFIX,
	TRACE_LOG, /* ours */
	TRACE_BROKER,
	TRACE_DATABASE
};

/* What happens to a message, in the order in which it happens within one second of a log that tells
 * whole seconds only. */
enum trace_step {
	STEP_RECEIVED,  /* by Postfix */
	STEP_PUBLISHED, /* to mail.in, or requested */
	STEP_DELIVERED, /* Postfix says so */
	STEP_TRIED,     /* retried, deferred, sent ... */
	STEP_STORED,
	STEP_GIVEN_UP,
	STEP_TOLD, /* the poster, of that */
	STEP_LAST  /* removed from Postfix's queue */
};

enum trace_fate { FATE_NONE, FATE_OK, FATE_DEFERRED, FATE_BOUNCED };

struct trace_event {
	int64_t at_ms; /* since 1970; -1: not known */
	bool exact;    /* else only the second is known */
	enum trace_step step;
	enum trace_source source;
	char *what; /* a word: "received", "stored" ... */
	char *text;
	/* Whose it is; NULL: not known. */
	char *queue_id;
	char *message_id;
	char *recipient;
	/* Of Postfix's deliveries. */
	enum trace_fate fate;
	bool to_pipeline;      /* handed over to mailin */
	unsigned int position; /* in the order in which they were found */
	int64_t sort_ms;
};

enum trace_direction { DIRECTION_UNKNOWN, DIRECTION_INBOUND, DIRECTION_OUTBOUND };

/* Where a message is on the broker. */
struct trace_place {
	char *queue; /* NULL: not found */
	char *back_to;
	char *last_error;
	int64_t attempt;
	int64_t next_ms; /* 0: not told */
};

/* One message. */
struct subject {
	char *id; /* ours; NULL: what Postfix alone knows of */
	enum trace_direction direction;
	GHashTable *queue_ids;
	char *stream; /* route or stream */
	char *sender;
	char *recipient; /* inbound: the envelope recipient */
	char *title;     /* its Subject */
	char *header_id; /* its Message-ID */
	int64_t newest_ms;
	GPtrArray *events; /* struct trace_event *, borrowed */

	bool stored;
	int64_t stored_ms;
	bool published;         /* somebody says so */
	char *status;           /* of an outbound record, or of inbound_pending; NULL: none */
	char *status_text;      /* the last reply, the reason */
	int64_t next_ms;        /* of that; 0: none */
	int64_t quarantined_ms; /* it is in quarantine since then; 0: it is not */
	int64_t released_ms;    /* somebody let it through; 0: nobody did */
	struct trace_place tier;
	struct trace_place dead;
	bool in_postfix; /* in its queue now */

	/* What trace_conclude() makes of it. */
	const char *state; /* a word, see mailctl(1) */
	char *conclusion;
	int64_t next_attempt_ms; /* 0: none */
};

enum trace_kind { KIND_ID, KIND_QUEUE_ID, KIND_MESSAGE_ID, KIND_ADDRESS, KIND_ANY_ADDRESS };

struct trace_queue {
	char *name;
	int64_t messages;
	int64_t consumers;
};

struct trace {
	const struct config *config;
	const char *key;
	enum trace_kind kind;
	int64_t since_ms;
	int64_t limit; /* of messages */
	char **log_files;
	const char *postfix_config; /* NULL: the default one */

	/* What is searched for; these grow while it is found. */
	GHashTable *ids;        /* ours, canonical */
	GHashTable *notices;    /* ids of notices about those (common/id.h) -> the message's id */
	GHashTable *queue_ids;  /* Postfix's */
	GHashTable *header_ids; /* Message-IDs without angle brackets */
	char *address;          /* in lower case, or NULL */
	unsigned int growth;    /* counts what was added to ids and queue_ids */
	bool more;              /* there is more than `limit` allows */

	GPtrArray *events;    /* struct trace_event *, owned */
	GHashTable *known;    /* keys of events that are there */
	GPtrArray *subjects;  /* struct subject *, owned */
	GHashTable *senders;  /* queue id -> envelope sender, of Postfix's log */
	GHashTable *mail_ids; /* queue id -> Message-ID, of Postfix's log */
	GPtrArray *queues;    /* struct trace_queue *, owned: those of workers */
	GPtrArray *looked;    /* texts: what was looked at */
	GPtrArray *gaps;      /* texts: what could not be */
	bool saw_log;
	bool saw_broker; /* all tiers and dead letters */
	bool saw_database;
	bool saw_postfix; /* its queue */
};

/* ---- trace.c ---- */

/* Search for this, too; NULL and "" are ignored. */
void trace_want_id(struct trace *trace, const char *id);
void trace_want_queue_id(struct trace *trace, const char *queue_id);
/* The id of a request, if the Message-ID was made of it (mailout/build.h), or NULL; g_free() it. */
char *trace_id_of_header(const char *header);
bool trace_wants_id(const struct trace *trace, const char *id);
/* The id of the message that this is a notice about, or NULL; borrowed. */
const char *trace_notice_about(const struct trace *trace, const char *id);
/* The place of the notice `id` in the life of the message `about`. */
enum trace_step trace_notice_step(const char *about, const char *id);
bool trace_wants_queue_id(const struct trace *trace, const char *queue_id);
/* Is it the address, or a text that holds it (as a whole)? */
bool trace_is_address(const struct trace *trace, const char *text);
bool trace_holds_address(const struct trace *trace, const char *text);

void trace_gap(struct trace *trace, const char *source, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void trace_looked(struct trace *trace, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- the sources ---- */

void trace_log(struct trace *trace);
void trace_postfix_queue(struct trace *trace);
void trace_broker(struct trace *trace);
void trace_database(struct trace *trace);

/* ---- trace_subject.c ---- */

/* Returns a new event for the caller to fill in; the texts that are given are copied. */
struct trace_event *trace_event_new(const char *what, const char *text);
/* Takes it; one that is there already is dropped. */
void trace_add(struct trace *trace, struct trace_event *event);

/* The message of this id; made if it is not there. */
struct subject *trace_subject(struct trace *trace, const char *id);

/* Each event to its messages, in order of time; the newest messages first, `limit` of them. */
void trace_sort_out(struct trace *trace);
/* Take the tokens of our addresses out of all that is shown (common/mask.h). */
void trace_mask(struct trace *trace);

void trace_event_free(void *event);
void trace_subject_free(void *subject);

/* ---- trace_conclude.c ---- */

void trace_conclude(const struct trace *trace, struct subject *subject);

/* ---- trace_print.c ---- */

void trace_print(const struct trace *trace);
void trace_print_json(const struct trace *trace);

#endif
