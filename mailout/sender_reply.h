/*
 * Replies of SMTP servers, and what they add up to for a recipient.
 */
#ifndef MAILOUT_SENDER_REPLY_H
#define MAILOUT_SENDER_REPLY_H

#include <stdbool.h>

#include "mailout/sender.h"

enum {
	REPLY_CLOSING = 421, /* may come at any time (RFC 5321, 3.8) */
	REPLY_CLASS = 100,   /* 550 / REPLY_CLASS is 5 */
	REPLY_DONE = 2,
	REPLY_MORE = 3,
	REPLY_TRANSIENT = 4,
	REPLY_PERMANENT = 5,
};

struct reply {
	int code;                        /* 0: none came */
	char status[SENDER_STATUS_SIZE]; /* "": the server gave none */
	char text[SENDER_REPLY_MAX + 1]; /* one line of UTF-8 */
};

/* From the text behind the code, which may have several lines (RFC 2034: each may begin with the
 * enhanced status code).  NULL is no text. */
void reply_set(struct reply *reply, int code, const char *text);

/* One that the server did not give: ours. */
void reply_set_local(struct reply *reply, const char *status, const char *text);

/*
 * A recipient's state from the replies to RCPT and to the message.  `ended`: the end of data was
 * sent; without it no reply means acceptance.  *which is the reply that decided, or NULL if it was
 * none.
 */
enum sent_state reply_decide(const struct reply *rcpt, const struct reply *transfer, bool ended,
			     const struct reply **which);

#endif
