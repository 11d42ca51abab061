/*
 * What the database has of one message, read whole: for mailctl show and export.
 */
#ifndef MAILCTL_STORED_H
#define MAILCTL_STORED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/db.h"
#include "common/id.h"
#include "common/outcome.h"

struct stored_attachment {
	char id[ID_TEXT_SIZE];
	char *name; /* a stranger's, perhaps: make it safe before a file is named so */
	char *content_type;
	char *detected_type;
	char *disposition;
	char *content_id;
	char *sha256; /* in hexadecimal */
	int64_t size;
	int64_t image_width; /* 0: no image */
	int64_t image_height;
	int64_t image_orientation;
	GBytes *data; /* NULL unless asked for */
};

/* One that the route did not take. */
struct stored_refused {
	char *name;
	char *content_type;
	char *detected_type;
	char *reason;
	char *sha256;
	int64_t size;
	char *entry; /* the file in the archive that it is about; "": none */
	int64_t entry_size;
};

/* Texts are "" where the row has NULL. */
struct stored_message {
	char id[ID_TEXT_SIZE];
	char *route;
	char *sender;
	char *recipient;
	char *mailbox_hash;
	char *queue_id;
	char *client_address;
	char *client_name;
	char *helo;
	char *sasl_username;
	char *message_id_header;
	char *date_header;
	char *from_email;
	char *from_name;
	char *to_json; /* these are JSON: lists of {Email, Name, MailboxHash} */
	char *cc_json;
	char *bcc_json;
	char *reply_to;
	char *subject;
	char *text_body;
	char *html_body;
	char *text_reply;
	char *text_quote;
	char *reply_rule;
	char *headers; /* JSON: list of {Name, Value} */
	char *automatic;
	char *defects;       /* JSON: list of strings */
	char *raw_sha256;    /* in hexadecimal; "": the mail as it came was not kept */
	int64_t size;        /* -1: not told */
	int64_t received_ms; /* since 1970 */
	int64_t stored_ms;
	bool has_text; /* the row has it, even if it is empty */
	bool has_html;
	GPtrArray *attachments; /* struct stored_attachment *, owned */
	GPtrArray *refused;     /* struct stored_refused *, owned */
	GBytes *raw;            /* NULL unless asked for and kept */
};

struct stored_recipient {
	char *email;
	char *status;
	char *enhanced;
	char *reply;
	int64_t code; /* 0: none */
	int64_t attempts;
	int64_t updated_ms;
};

struct stored_outbound {
	char id[ID_TEXT_SIZE];
	char *stream;
	char *template;
	char *tag;
	char *metadata; /* JSON */
	char *from_email;
	char *subject;
	char *message_id_header;
	char *status;
	char *last_reply;
	int64_t size; /* -1: it was not built */
	int64_t attempts;
	int64_t next_attempt_ms; /* 0: none; these are since 1970 */
	int64_t created_ms;
	int64_t updated_ms;
	GPtrArray *recipients; /* struct stored_recipient *, owned */
};

/* with_contents: the bytes of attachments and of the raw mail, too.  OK with *message NULL: there
 * is none. stored_message_free() it. */
enum outcome stored_message_read(struct db *db, const struct id *id, bool with_contents,
				 struct stored_message **message, struct reason *reason);
void stored_message_free(struct stored_message **message);

enum outcome stored_outbound_read(struct db *db, const struct id *id,
				  struct stored_outbound **outbound, struct reason *reason);
void stored_outbound_free(struct stored_outbound **outbound);

#endif
