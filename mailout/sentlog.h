/*
 * The record of outgoing mail: tables outbound and outbound_recipients.  (Threads:
 * mailout/threadlog.)
 *
 * A claim is written before SMTP, the result after it; both in batches, one transaction for both.
 * A claim bears the token of the run that made it, so that what a run left behind without a result
 * is seen: it is in doubt. After anything but OK nothing is written, and the same call may be
 * repeated.
 */
#ifndef MAILOUT_SENTLOG_H
#define MAILOUT_SENTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/deadline.h"
#include "common/id.h"
#include "common/outcome.h"
#include "mailout/outbound.h"
#include "mailout/request.h"

/* ---- the database ---- */

struct db;
struct sentlog;

/* Connects.  NULL with a reason. */
struct sentlog *sentlog_open(const struct config *config, struct deadline deadline,
			     struct reason *reason);
void sentlog_close(struct sentlog **sentlog);
bool sentlog_lost(const struct sentlog *sentlog);

/* What the record says of a request before it is sent. */
enum claim_state {
	/* Nothing, or an earlier try that was deferred, or one that an operator brought back from
	 * mail.dead since: claimed now */
	CLAIM_NEW,
	CLAIM_DONE,    /* sent or finally failed already: not to be sent */
	CLAIM_BUSY,    /* another run claimed or renewed it a short time ago: ask again later */
	CLAIM_IN_DOUBT /* claimed by a run that never told what came of it; claimed now */
};

struct claim {
	struct outbound *row;   /* borrowed */
	enum claim_state state; /* out; so are these: */
	bool failed;            /* what is done has failed */
	bool sent_before;       /* an earlier try reached a recipient */
	bool afresh;            /* brought back: recipients that had failed are tried again */
	/* Mailboxes that need it no more after an earlier try; NULL or NULL at the end,
	 * g_strfreev(). */
	char **recipients_done;
};

/* Record the results of `rows` and claim; one transaction.  Either count may be 0. */
enum outcome sentlog_write(struct sentlog *sentlog, struct outbound *const *rows, size_t row_count,
			   struct claim *claims, size_t claim_count, struct reason *reason);

/* Claims of `ids` count as new again: a run renews what it still has in hand, at least every
 * SENTLOG_RENEW_MS, lest another one takes it for in doubt. */
enum { SENTLOG_RENEW_MS = 2500 };
enum outcome sentlog_renew(struct sentlog *sentlog, const struct id *ids, size_t count,
			   struct reason *reason);

/* Its connection, for reading; borrowed. */
struct db *sentlog_db(struct sentlog *sentlog);

/* Fetch a stored attachment's bytes, and its name and type unless the request has its own.  REJECT:
 * there is none of that id. */
enum outcome sentlog_attachment(struct sentlog *sentlog, struct request_attachment *attachment,
				struct reason *reason);

#endif
