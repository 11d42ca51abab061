/*
 * One queue message of mail.in.ROUTE (mailpipe-wire(7)), checked, as the rows it becomes.
 *
 * Any producer may publish a document, so nothing in it is believed: syntax, types, required
 * fields, counts, base64, lengths and digests are checked against the config's limits and the
 * schema's widths. What strangers wrote into the mail and is too long for its column is cut, and a
 * defect says so; everything else that does not fit is refused.
 */
#ifndef MAILIN_INGEST_INBOUND_H
#define MAILIN_INGEST_INBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/id.h"
#include "common/outcome.h"
#include "common/sha256.h"

struct _GStringChunk;

/* Valid UTF-8 without NUL, terminated.  data is NULL where the row gets NULL. */
struct inbound_text {
	const char *data;
	size_t size;
};

struct inbound_blob {
	unsigned char *data; /* owned by the message; NULL if there is none */
	size_t size;
	unsigned char digest[SHA256_SIZE]; /* computed here, of data */
};

struct inbound_attachment {
	struct inbound_text name;
	struct inbound_text content_type;
	struct inbound_text detected_type;
	struct inbound_text disposition;
	struct inbound_text content_id;
	struct inbound_blob blob;
};

enum { INBOUND_TIME_SIZE = 32 };

struct inbound {
	struct id id;
	char id_text[ID_TEXT_SIZE];
	/* Columns of messages, in their order there. */
	struct inbound_text route;
	struct inbound_text recipient;
	struct inbound_text mailbox_hash;
	struct inbound_text sender;
	struct inbound_text queue_id;
	struct inbound_text client_address;
	struct inbound_text client_name;
	struct inbound_text helo;
	struct inbound_text sasl_username;
	int64_t size;                        /* -1: not told */
	char received_at[INBOUND_TIME_SIZE]; /* "2026-11-22 12:00:00.000", UTC */
	int64_t received_ms;
	struct inbound_text date_header;
	char date_utc[INBOUND_TIME_SIZE]; /* empty: NULL */
	struct inbound_text message_id_header;
	struct inbound_text in_reply_to; /* these are JSON */
	struct inbound_text reference_ids;
	struct inbound_text from_email;
	struct inbound_text from_name;
	struct inbound_text to_json;
	struct inbound_text cc_json;
	struct inbound_text bcc_json;
	struct inbound_text reply_to;
	struct inbound_text subject;
	struct inbound_text text_body;
	struct inbound_text html_body;
	struct inbound_text headers;
	struct inbound_text automatic;
	struct inbound_text defects;
	struct inbound_blob raw;

	struct inbound_attachment *attachments;
	size_t attachment_count;

	/* It was put off or given up before, so that inbound_pending may have a row; the caller of
	 * store_batch() knows. */
	bool told;

	/* What became of it; set by store_batch(). */
	bool duplicate; /* its row was there already */
	bool in_doubt;  /* a COMMIT whose answer was lost may have stored it */

	struct _GStringChunk *texts; /* owns them all */
};

/* Check a message that came from `queue` ("mail.in.ROUTE"; NULL: any).  The body is not needed
 * afterwards. NULL with a reason (5.6.0) that names the field if it can never be stored. */
struct inbound *inbound_read(const void *body, size_t size, const char *queue,
			     const struct config *config, struct reason *reason);

/* NULL is allowed; *inbound becomes NULL. */
void inbound_free(struct inbound **inbound);

#endif
