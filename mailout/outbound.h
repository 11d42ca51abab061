/*
 * What the record says of a request: a row of outbound and its recipients.
 */
#ifndef MAILOUT_OUTBOUND_H
#define MAILOUT_OUTBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/id.h"
#include "common/token.h"
#include "mailout/sender.h"

enum outbound_status {
	OUTBOUND_SCHEDULED, /* waits for its SendAt */
	OUTBOUND_SENDING,
	OUTBOUND_SENT, /* at least one recipient has it, and nobody waits */
	OUTBOUND_DEFERRED,
	OUTBOUND_FAILED,
	OUTBOUND_HELD, /* in doubt, and not to be sent again */
	OUTBOUND_EXPIRED,
	OUTBOUND_DRY_RUN
};

const char *outbound_status_name(enum outbound_status status); /* "dry-run" */

/* Of a request that answers in a thread (mailout/threadlog). */
struct outbound_thread {
	struct id id;
	char *route;
	unsigned char token_hash[TOKEN_HASH_SIZE]; /* of its reply address */
	char *address;                             /* that address without the token */
	char **addressed;                          /* To and Cc; NULL at the end */
	char *from_name;
	char *text;      /* what somebody wrote; NULL: not built */
	char *full_text; /* the whole text part, if that is more, or NULL */
	char *html;      /* or NULL */
	bool automatic;  /* nobody wrote it */
	bool gone;       /* out of threadlog_record(): there is no such thread any more */
};

/* A request's row with what came of it.  Owns everything. */
struct outbound {
	struct id id;
	char *stream;
	char *template_alias; /* NULL without */
	char *tag;
	char *metadata; /* JSON */
	char *from_email;
	char *subject;           /* NULL: not rendered */
	char *message_id_header; /* NULL: not built */
	int64_t size;            /* bytes of the mail; < 0: not built */
	enum outbound_status status;
	int64_t attempt;                   /* 1 at first */
	int64_t requeued;                  /* how often an operator brought it back */
	char *last_reply;                  /* NULL for none */
	int64_t next_attempt_ms;           /* since 1970; 0: none */
	struct sent_recipient *recipients; /* of this try; NULL when it was not tried */
	size_t recipient_count;
	struct outbound_thread *thread; /* NULL: none */
};

/* Has somebody got it, in this try or an earlier one? */
bool outbound_has_reached(const struct outbound *row);

void outbound_free(struct outbound **row);

/* About what it takes in memory. */
size_t outbound_bytes(const struct outbound *row);

#endif
