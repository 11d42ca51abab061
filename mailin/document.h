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

/* The job for the parser: {"Document": ..., "Limits": {...}, "Raw": "defect|no|yes"}; takes
 * document. */
struct wire *document_job(struct wire *document, const struct config_limits *limits,
			  enum config_raw raw);

/* The other way round: the document, borrowed from the job, which must outlive it; NULL with a
 * reason.  Fills limits (all must be there and not negative). */
struct wire *document_from_job(struct wire *job, struct config_limits *limits, enum config_raw *raw,
			       struct reason *reason);

#endif
