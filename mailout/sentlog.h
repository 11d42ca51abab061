/*
 * The record of outgoing mail: tables outbound and outbound_recipients.  All of mailout's SQL.
 *
 * A claim is written before SMTP, the result after it; both in batches, one transaction each.
 */
#ifndef MAILOUT_SENTLOG_H
#define MAILOUT_SENTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/db.h"
#include "mailout/request.h"
#include "mailout/sender.h"

struct sentlog;

struct sentlog *sentlog_new(struct db *db, enum outcome *outcome, struct reason *reason);	/* borrows db */
void sentlog_free(struct sentlog **sentlog);

/* What the record says of a request before it is sent. */
enum claim {
	CLAIM_NEW,			/* nothing, or an earlier try that was deferred: claimed now */
	CLAIM_SENT,			/* sent (or finally failed) already: acknowledge, do not send */
	CLAIM_IN_DOUBT			/* claimed by a run that never told what came of it */
};

struct claim_item {
	const struct request *request;
	const char *from_email;
	const char *subject;
	const char *message_id_header;
	int64_t attempt;
	enum claim claim;		/* out */
	char **recipients_done;		/* out: mailboxes that have it already from an earlier try; NULL at the end, g_strfreev() */
};

enum outcome sentlog_claim(struct sentlog *sentlog, struct claim_item *items, size_t count,
			   struct reason *reason);

/* status: "sent", "deferred", "failed", "held", "expired"; next_attempt: ms since 1970, 0: none. */
struct result_item {
	struct id id;
	const char *status;
	const char *last_reply;
	int64_t next_attempt;
	const struct sent *sent;	/* per-recipient results, or NULL */
};

enum outcome sentlog_record(struct sentlog *sentlog, const struct result_item *items, size_t count,
			    struct reason *reason);

/* Fetch a stored attachment's bytes, name and type into the request.  REJECT: there is none of that id. */
enum outcome sentlog_attachment(struct sentlog *sentlog, struct request_attachment *attachment,
				struct reason *reason);

#endif
