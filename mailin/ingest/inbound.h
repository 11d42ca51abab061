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
#include "common/token.h"
#include "common/verdict.h"
#include "mailin/ingest/thread_clue.h"

struct _GStringChunk;
struct broker_delivery;

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

/* What of an attachment a route does not take; the names are the column's. */
enum inbound_refused {
	INBOUND_REFUSED_TYPE,
	INBOUND_REFUSED_NAME,
	INBOUND_REFUSED_SIZE,
	INBOUND_REFUSED_COUNT,
	INBOUND_REFUSED_NO_PHOTO,
	INBOUND_REFUSED_ARCHIVE /* not all names in it can be read */
};

/* A file within an archive. */
struct inbound_entry {
	struct inbound_text name;
	int64_t size; /* bytes, as the archive says; 0: it does not */
};

struct inbound_attachment {
	struct id id;    /* of its row; drawn when it is stored */
	size_t position; /* in the document, from 0 */
	struct inbound_text name;
	struct inbound_text content_type;
	struct inbound_text detected_type;
	struct inbound_text disposition;
	struct inbound_text content_id;
	int64_t image_width; /* pixels, as they stand in the file; 0: no image */
	int64_t image_height;
	int64_t image_orientation; /* 1 to 8, as in EXIF */
	bool photo;                /* an image, and no decoration of the HTML (policy_apply()) */
	enum inbound_refused why;  /* of a refused one; its blob has size and digest, no data */
	struct inbound_blob blob;

	const struct inbound_entry *entries; /* of inbound.entries: the names in an archive */
	size_t entry_count;
	bool unread; /* names may be missing */
	const struct inbound_entry
		*refused_entry; /* because of its name; NULL: of the attachment's */
};

/* Why the route refuses the mail as a whole. */
struct inbound_rejection {
	bool is;
	enum inbound_refused why;
	const char *name;  /* of the attachment; NULL: it has no photo */
	int64_t limit;     /* bytes or attachments that are taken */
	const char *entry; /* the file in the archive whose name it is; NULL: none */
};

enum { INBOUND_TIME_SIZE = 32 };

/* Mailpipe.Auto of mail of ours that comes back. */
#define INBOUND_AUTO_LOOP "loop"

enum inbound_verified { INBOUND_UNCHECKED, INBOUND_UNVERIFIED, INBOUND_VERIFIED };

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
	struct inbound_text text_reply;
	struct inbound_text text_quote;
	struct inbound_text reply_rule;
	struct inbound_text headers;
	struct inbound_text automatic;
	struct inbound_text defects;
	struct inbound_blob raw;

	struct verdicts verdicts;
	struct inbound_text verdicts_json; /* data NULL: the document has none */

	struct inbound_attachment *attachments;
	size_t attachment_count;
	struct inbound_entry *entries; /* of all archives among them */
	/* Those that the route does not take (policy_apply()); they stand behind the others. */
	struct inbound_attachment *refused;
	size_t refused_count;
	struct inbound_rejection rejection;

	/* The recipient as registrations know it, and the token in its extension (common/token.h);
	 * "" and all zero if there is none. */
	struct inbound_text base_address;
	struct inbound_text recipient_masked; /* for logs (common/mask.h) */
	char token[TOKEN_TEXT_SIZE];
	unsigned char token_hash[TOKEN_HASH_SIZE];

	/* It was put off or given up before, so that inbound_pending may have a row; the caller of
	 * store_batch() knows. */
	bool told;
	/* How it came, which quarantine keeps; borrowed, set by the caller of store_batch(). */
	const struct broker_delivery *delivery;

	struct thread_clue clue;
	struct inbound_text priority; /* priority_of() */

	/*
	 * The rest is set by the steps of store_batch(), which begins with inbound_begin().
	 */

	/* By resolve_batch(). */
	int64_t address_id; /* registered_addresses.id; 0: none of them is for this mail */
	bool token_ok; /* a valid token of this address whose senders From is one of, or of a thread
			*/
	bool sender_registered; /* From is among those that a registration of this address names */
	bool own_proof;         /* the registration says what is to be proven, not the route: */
	int64_t proof;          /* enum config_require: none, spf-or-dkim or dmarc */
	struct inbound_text owner_id; /* data NULL: none */
	bool has_token_thread;        /* the token is that of a thread of this route: */
	struct id token_thread;

	/* By targets_prepare(): its route or its target wants to know its thread. */
	bool wants_thread;

	/* By threads_assign(). */
	bool has_thread;
	bool thread_is_new; /* this message begins it */
	struct id thread_id;
	int64_t thread_number;

	/* By admit, and by whoever finds that it cannot be stored. */
	enum inbound_verified verified;
	bool released;     /* an operator let it through */
	bool quarantined;  /* put aside ... */
	bool put_aside;    /* ... before this */
	bool dropped;      /* ... and taken away by an operator, after he had released it */
	bool rejected;     /* goes to mail.dead; see inbound_reject() */
	struct reason why; /* of the two above, or of held_up */

	/* By targets_prepare(): it must wait, for its target cannot be used; `why` tells. */
	bool held_up;

	/* What became of it. */
	bool fresh;                 /* it is written in this transaction */
	bool duplicate;             /* its row was there already */
	const struct inbound *same; /* in the same batch, whose fate it shares; NULL: none */
	bool in_doubt;              /* a COMMIT whose answer was lost may have stored it */

	int target_conflicts; /* tries of it alone that its target's keys stood against */

	struct _GStringChunk *texts; /* owns them all */
};

/* Check a message that came from `queue` ("mail.in.ROUTE"; NULL: any).  The body is not needed
 * afterwards. NULL with a reason (5.6.0) that names the field if it can never be stored. */
struct inbound *inbound_read(const void *body, size_t size, const char *queue,
			     const struct config *config, struct reason *reason);

/* "yes", as columns have it. */
const char *inbound_verified_name(enum inbound_verified verified);

/* Forget what an earlier try to store it has found. */
void inbound_begin(struct inbound *inbound);

/* For steps of store_batch() before anything is inserted: it is not stored but, after the COMMIT of
 * the others, goes to mail.dead with this reason, which its poster may read.  The first reason
 * stays. */
void inbound_reject(struct inbound *inbound, const char *status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For qsort() and bsearch() of arrays of messages: by id. */
int inbound_compare(const void *a, const void *b);

/* The message of that id (ID_SIZE bytes; of another size there is none) in an array that is sorted
 * so, or NULL. */
struct inbound *inbound_find(struct inbound *const *messages, size_t count, const void *id,
			     size_t size);

/* Does it say that an operator has let it out of quarantine?  (Whether that is so, the row there
 * decides.) */
bool inbound_comes_released(const struct inbound *inbound);

/* Is it not stored, neither now nor before: put aside, dropped or rejected? */
bool inbound_is_left_out(const struct inbound *inbound);

/* Has it been neither stored before, nor left out? */
bool inbound_is_wanted(const struct inbound *inbound);

/* For events and notices: the recipient, masked if it has a token.  What was stored has none. */
const char *inbound_recipient(const struct inbound *inbound);

/* NULL is allowed; *inbound becomes NULL. */
void inbound_free(struct inbound **inbound);

#endif
