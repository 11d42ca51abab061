/*
 * The inbound document (mailpipe-wire(7)) as far as it comes from the envelope: the skeleton that
 * mailin writes and the parser fills in; or, when the parser died, what is published with the raw
 * mail.
 */
#ifndef MAILIN_DOCUMENT_H
#define MAILIN_DOCUMENT_H

#include "common/config.h"
#include "common/id.h"
#include "common/wire.h"
#include "mailin/envelope.h"

/* MessageID, MessageStream, OriginalRecipient, MailboxHash and
 * Mailpipe{Version, ReceivedAt, Envelope, Defects[]}.  wire_free() it. */
struct wire *document_new(const struct envelope *envelope, const char *route, const struct id *id,
			  const char *recipient_delimiter, int64_t received_ms);

/* Add a defect to Mailpipe.Defects, once. */
void document_add_defect(struct wire *document, const char *defect);

/* Fill in what a parser would have (empty members, so that consumers find every field) and the raw
 * mail (borrowed until the document is freed). */
void document_add_raw(struct wire *document, const void *mail, size_t size);
void document_fill_empty(struct wire *document);

/* The most bytes a document of a mail of that many bytes may take, when its limits are kept: base64
 * is 4/3, a control character in JSON takes six bytes. */
int64_t document_size_max(int64_t mail_size, const struct config_limits *limits);

/* What the parser is told. */
struct document_job {
	struct wire *document; /* the skeleton */
	struct config_limits limits;
	enum config_raw raw;
	const char *loop;      /* X-Loop of mail of ours */
	char **authserv_ids;   /* whose Authentication-Results are believed; NULL at the end */
	int64_t authserv_hops; /* above which Received field */
};

/* {"Document": ..., "Limits": {...}, "Raw": "defect|no|yes", "AuthservIDs": [...],
 * "AuthservHops": 1, "Loop": "..."}; takes the document, borrows the rest. */
struct wire *document_job_print(const struct document_job *job);

/* The other way round.  Document and loop are borrowed from the JSON, which must outlive them;
 * clear the job.  False with a reason; all limits must be there and not negative. */
bool document_job_read(struct wire *json, struct document_job *job, struct reason *reason);
void document_job_clear(struct document_job *job);

#endif
