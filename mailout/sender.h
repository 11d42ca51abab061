/*
 * SMTP sessions: child processes that send messages by libesmtp, which blocks.
 *
 * A sender is a child that gets jobs over a socket pair and answers each with what became of it,
 * mostly in order. Many messages go through one SMTP session (smtp.session_messages,
 * smtp.session_time); a session without work is ended after SENDER_IDLE_MS.  Reconnecting is no
 * failure: what an ended session has left over goes into the next one.
 *
 * A child reads the SMTP password itself whenever it logs in, has no descriptor but its socket and
 * dies with its parent.  It inherits the parent's memory, so start senders before other secrets are
 * read.
 *
 * Each wait for the server has a time limit (smtp.timeout; a connection CONNECT_TIMEOUT_MS).  A
 * child that makes no step for SENDER_HANG_MS longer than that is killed.
 */
#ifndef MAILOUT_SENDER_H
#define MAILOUT_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/deadline.h"
#include "common/id.h"
#include "common/outcome.h"

enum {
	/* So many jobs handed over keep a session busy while the parent does other things. */
	SENDER_JOBS_AHEAD = 8,
	SENDER_IDLE_MS = 2000,
	SENDER_HANG_MS = 5000,
	SENDER_STATUS_SIZE = 12, /* "5.123.123" and its NUL */
	SENDER_REPLY_MAX = 512   /* bytes of a reply that are kept */
};

struct sender; /* one child */

/* What became of one recipient. */
enum sent_state {
	SENT_OK,       /* 2xx for it at RCPT, and 2xx for the whole message after DATA */
	SENT_DEFERRED, /* 4xx; a broken session; not tried */
	SENT_FAILED,   /* 5xx, or we refuse to say it to a server (code 0) */
	SENT_IN_DOUBT  /* the message was sent to its end, the reply to it never came */
};

struct sent_recipient {
	char *email;
	enum sent_state state;
	int code;                        /* SMTP reply code, 0: none */
	char status[SENDER_STATUS_SIZE]; /* enhanced status code (RFC 3463), the server's or ours;
					    "" */
	char *reply; /* the server's words without the codes, or ours; one line of UTF-8 */
};

struct sent {
	struct id id;
	/* False: no server took a position on this message, so what the replies tell is a session's
	 * failure (all are SENT_DEFERRED).  Pause before giving more to this sender. */
	bool tried;
	struct sent_recipient *recipients; /* as many and in the order of sender_send() */
	size_t recipient_count;
};

/* Start a child; stop_init() has been called.  It connects when it has a job.  NULL with a reason.
 */
struct sender *sender_start(const struct config *config, struct reason *reason);

/*
 * Wait until the child has ended after a sender_finish(), at most until the deadline, and kill it
 * then.  Frees everything: results that were not fetched are lost, so pump and fetch first while
 * sender_pending() is not 0.
 */
void sender_stop(struct sender **sender, struct deadline deadline);

/* No more jobs: the child sends what it was given, says QUIT and ends. */
void sender_finish(struct sender *sender);

/* Readable when there are results to pump; writable when jobs that wait in the buffer can move on.
 * -1: the child is gone. */
int sender_fd(const struct sender *sender);
bool sender_wants_write(const struct sender *sender);
/* Jobs handed over and not answered by sender_result(). */
size_t sender_pending(const struct sender *sender);

/*
 * Hand over a message with its envelope; everything is copied, nothing blocks.  At least one
 * recipient.  `message` has CRLF line ends and 7-bit text, as build_message() makes it. `mail_from`
 * may be "", the null sender.
 */
void sender_send(struct sender *sender, const struct id *id, const char *mail_from,
		 const char *const *recipients, size_t recipient_count, const void *message,
		 size_t size);

/*
 * Move bytes and look after the child: call it when sender_fd() is ready, and once a second while
 * jobs are pending. False with a reason if the child is gone or had to be killed: sender_result()
 * then gives the rest of its jobs (the one whose end of data may have been sent is in doubt, the
 * others were not tried).  Start another one.
 */
bool sender_pump(struct sender *sender, struct reason *reason);

/* The next result, sent_clear() it; false if there is none yet. */
bool sender_result(struct sender *sender, struct sent *sent);
void sent_clear(struct sent *sent);

#endif
