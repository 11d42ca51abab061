/*
 * What the files of the worker share.
 *
 * A job is one delivery on its way:
 *
 *	waiting -> prepared -> claimed -> flying -> answered -> recorded -> done
 *	   ^          |
 *	   +- timed --+		(waits for a time: SendAt, a twin in hand, a claim of another run)
 *
 *	worker.c		the loop
 *	worker_job.c		jobs, their queues and what they weigh
 *	worker_intake.c		deliveries to prepared messages
 *	worker_send.c		sessions: claimed to answered
 *	worker_verdict.c	what an answer means for the message
 *	worker_write.c		the database: claims and results
 *	worker_publish.c	retries, dead letters and events; acknowledgements
 *	worker_state.c		the state of requests, for Redis
 *	worker_log.c
 */
#ifndef MAILOUT_WORKER_PRIVATE_H
#define MAILOUT_WORKER_PRIVATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/backoff.h"
#include "common/broker.h"
#include "common/config.h"
#include "common/deadline.h"
#include "common/suspect.h"
#include "common/log.h"
#include "common/redis.h"
#include "mailout/rate.h"
#include "mailout/request.h"
#include "mailout/sender.h"
#include "mailout/sentlog.h"
#include "mailout/template_set.h"

/* ---- jobs ---- */

enum job_state {
	JOB_WAITING,  /* as delivered */
	JOB_TIMED,    /* goes back to where it was at its time */
	JOB_PREPARED, /* checked and built */
	JOB_CLAIMED,  /* recorded as being sent; waits for a session */
	JOB_FLYING,   /* handed to a session */
	JOB_ANSWERED, /* what became of it is known */
	JOB_RECORDED, /* ... and written down */
	JOB_DONE      /* ... and told; waits for its acknowledgement */
};

/* What is published for it once it is recorded. */
enum fate { FATE_NONE, FATE_TIER, FATE_DEAD };

struct job {
	enum job_state state;
	GQueue *queue; /* the state's, or NULL */
	GList link;    /* ... in it */
	GList order;   /* in worker->order, while its delivery can be acknowledged */
	struct broker_delivery delivery; /* tag 0: not to be acknowledged any more */
	size_t stream;                   /* index in config->streams */
	int64_t arrived_ms;              /* monotonic */
	int64_t since_ms;                /* in its state, monotonic */
	int64_t wake_ms;                 /* of a timed one */
	enum job_state wake_to;
	struct request *request; /* NULL: not looked at yet, or refused as a whole */
	bool in_hand;            /* worker->in_hand has it */
	bool has_id;             /* row->id is a real one */
	struct outbound *row;
	char **recipients; /* that it goes to in this try */
	GBytes *message;
	size_t weight;        /* bytes that count in worker->weight */
	size_t session;       /* of a flying one */
	enum outcome outcome; /* of the preparation, with reason */
	bool sent_before;     /* an earlier try reached a recipient */
	bool unwritten;       /* the row is to be kept for later: the database is away */
	bool told;            /* its events are out or it has none */
	enum event_choice { EVENTS_NONE, EVENTS_RECIPIENTS, EVENTS_EXPIRED, EVENTS_HELD } events;
	enum fate fate;
	size_t tier;
	struct reason reason;
	char *log_event; /* NULL: recipients are logged one by one */
};

/* ---- sessions ---- */

struct session {
	struct sender *sender; /* NULL: to be started */
	struct backoff backoff;
	struct deadline rest; /* nothing is given to it before */
	bool probing;         /* gets one message at a time */
	size_t window;        /* messages it may have at a time */
	int64_t busy_ms;      /* since when it has been at the present one, about; monotonic */
	size_t bytes;         /* given and not answered */
	unsigned int events;  /* that epoll watches */
	int fd;               /* that epoll watches, or -1 */
};

/* ---- the worker ---- */

struct stream {
	char *queue;
	GQueue waiting;
	GQueue prepared;
	GQueue claimed;
	size_t flying;
	struct rate *rate;
};

/* A connection that is tried again after growing pauses. */
struct link {
	struct backoff backoff;
	struct deadline next_try;
	bool told; /* that it is away */
};

struct worker {
	const struct config *config;
	const struct suspect_hand *hand;
	struct template_set *templates;
	struct stream *streams;
	struct session *sessions;
	struct broker *consumer; /* these are NULL when not connected */
	struct broker *publisher;
	struct sentlog *sentlog;
	struct redis *redis; /* NULL: not configured */
	struct link consumer_link;
	struct link publisher_link;
	struct link database_link;
	GHashTable *in_hand; /* struct id -> struct job */
	GQueue order;        /* jobs by delivery tag */
	GQueue timed;
	GQueue flying;
	GQueue answered;
	GQueue recorded;
	size_t done;            /* jobs that wait for their acknowledgement */
	int64_t next_wake_ms;   /* of the timed ones, at the earliest */
	size_t weight;          /* bytes of all jobs */
	size_t prepared_weight; /* bytes of built messages */
	GQueue unwritten;       /* struct outbound: results for when the database is back */
	GHashTable *unwritten_by_id;
	size_t unwritten_bytes;
	int64_t renewed_ms; /* when claims were renewed */
	int64_t served_ms;  /* when the publisher's heartbeats were looked after */
	int epoll_fd;
	struct reason away; /* why the SMTP server took nothing last time */
	bool stopping;
	struct deadline stop_by; /* once nothing is in flight any more */
};

/* ---- worker_job.c ---- */

struct job *job_new(struct worker *worker, struct broker_delivery *delivery);
/* Put it into a state and at the end of that state's queue. */
void job_move(struct worker *worker, struct job *job, enum job_state state);
void job_move_first(struct worker *worker, struct job *job, enum job_state state);
/* Let it come back to its present state, or to waiting, at that time. */
void job_sleep(struct worker *worker, struct job *job, int64_t wake_ms, enum job_state wake_to);
void job_wake_due(struct worker *worker);
/* Make `job` the one in hand of its id.  False: there is another one. */
bool job_take_in_hand(struct worker *worker, struct job *job);
void job_set_message(struct worker *worker, struct job *job, GBytes *message);
void job_free(struct worker *worker, struct job *job);
/* Claimed and not sent: say so in the record, lest it be taken for one in doubt.  It is not
 * acknowledged, so that it comes again. */
void job_give_back(struct worker *worker, struct job *job, const char *why);
/* The consumer's connection is gone: forget what was not begun, finish the rest without
 * acknowledging it. */
void job_orphan_all(struct worker *worker);

/* ---- worker_intake.c ---- */

void intake_read(struct worker *worker);
void intake_take(struct worker *worker, struct broker_delivery *delivery);
/* The consumer's connection is gone; the next one is opened after a pause. */
void intake_lose(struct worker *worker, const struct reason *reason);
bool intake_has_room(const struct worker *worker);
/* True if there is more to do at once. */
bool intake_prepare(struct worker *worker);

/* ---- worker_send.c ---- */

void send_start(struct worker *worker);
void send_pump(struct worker *worker);
void send_dispatch(struct worker *worker);
void send_stop(struct worker *worker);
/* Is the SMTP server away, as far as we know? */
bool send_is_away(const struct worker *worker);
/* When send_dispatch() should be called again without any news, monotonic ms; INT64_MAX: never. */
int64_t send_next_ms(const struct worker *worker);

/* ---- worker_verdict.c: each moves the job to JOB_ANSWERED or further ---- */

void verdict_sent(struct worker *worker, struct job *job, struct sent *sent);
/* One that was never tried: refused (REJECT) or postponed (RETRY) for job->reason. */
void verdict_untried(struct worker *worker, struct job *job, enum outcome outcome);
void verdict_status(struct worker *worker, struct job *job, enum outbound_status status);
/* Waits for its SendAt in a tier. */
void verdict_scheduled(struct worker *worker, struct job *job, size_t tier);
/* It was dealt with by an earlier delivery. */
void verdict_duplicate(struct worker *worker, struct job *job, bool failed);
bool verdict_is_expired(const struct job *job);

/* ---- worker_write.c ---- */

/* Connects if it is time to; false: the database is away, and worker->database_link knows. */
bool write_open_database(struct worker *worker);
/* The connection is lost, and here it is again: servers end those that were idle for long. */
bool write_reopen_database(struct worker *worker, struct reason *reason);
/* Write what is answered and prepared, as far as the database lets us. */
void write_batch(struct worker *worker);
bool write_is_due(const struct worker *worker, int64_t now_ms, int64_t *due_ms);
/* Now and then: what takes long to send is not in doubt for that. */
void write_renew(struct worker *worker);
/* What the record would say, if it could be asked. */
const struct outbound *write_unwritten(const struct worker *worker, const struct id *id);
/* Keep the row of a job for when the database is back. */
void write_later(struct worker *worker, struct job *job);
/* A claimed job goes back to the prepared ones; the record is to say that it is not being sent. */
void write_release(struct worker *worker, struct job *job);
void write_start(struct worker *worker);
void write_stop(struct worker *worker);

/* ---- worker_publish.c ---- */

void publish_batch(struct worker *worker);
void publish_acknowledge(struct worker *worker);
void publish_serve(struct worker *worker); /* heartbeats */

/* ---- worker_state.c ---- */

void state_note(struct worker *worker, const struct job *job);
void state_work(struct worker *worker); /* never waits */

/* ---- worker_log.c ---- */

void worker_log_link(struct link *link, const char *event, const struct reason *reason);
void worker_log_job(const struct worker *worker, const struct job *job);
void worker_log_note(const struct job *job, int priority, const char *event);

#endif
