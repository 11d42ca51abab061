/*
 * SMTP sessions: child processes that send messages by libesmtp, which blocks.
 *
 * A sender child gets jobs over a socket pair and answers each with what became of it.  Many messages go through one SMTP
 * session (by count and time); reconnecting is no failure.  The children hold the SMTP password and nothing else; a child that
 * hangs beyond its deadline is killed, and its jobs are in doubt or not tried.
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

struct sender;				/* one child */

/* What became of one recipient, and of the message. */
enum sent_state {
	SENT_OK,			/* 2xx for it at RCPT, and 2xx after DATA */
	SENT_DEFERRED,			/* 4xx, or not tried: connection refused, 421, STARTTLS or AUTH failed ... */
	SENT_FAILED,			/* 5xx */
	SENT_IN_DOUBT			/* the connection broke after DATA was sent and before the reply */
};

struct sent_recipient {
	char *email;
	enum sent_state state;
	int code;			/* SMTP reply code, 0: none */
	char status[12];		/* enhanced status code, "" or RFC 3463 */
	char *reply;			/* the server's words, or ours, one line of UTF-8 */
};

struct sent {
	struct id id;
	bool tried;			/* false: the server never heard of this message (a session's failure, not its own) */
	struct sent_recipient *recipients;
	size_t recipient_count;
};

/* Start a child.  NULL with a reason. */
struct sender *sender_start(const struct config *config, struct reason *reason);
/* Ask the child to finish (QUIT) and wait until the deadline, then kill it. */
void sender_stop(struct sender **sender, struct deadline deadline);

/* Readable when sender_result() has something to say; writable when jobs wait in the buffer. */
int sender_fd(const struct sender *sender);
bool sender_wants_write(const struct sender *sender);
/* Jobs handed over and not answered. */
size_t sender_pending(const struct sender *sender);

/* Hand over a message (CRLF) with its envelope; everything is copied.  Does not block. */
void sender_send(struct sender *sender, const struct id *id, const char *mail_from,
		 const char *const *recipients, size_t recipient_count, const void *message,
		 size_t size);

/* Move bytes.  False if the child is gone: then sender_result() gives the rest of its jobs (in doubt, or not tried). */
bool sender_pump(struct sender *sender, struct reason *reason);

/* The next result, sent_clear() it; false if there is none yet. */
bool sender_result(struct sender *sender, struct sent *sent);
void sent_clear(struct sent *sent);

#endif
