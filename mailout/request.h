/*
 * A request on mail.out (mailpipe-wire(7)): checked wholly before anything is rendered.
 *
 * The body of Postmark's single send and send-with-template calls plus our few fields.  Unknown
 * fields are refused by name; CR, LF and NUL are refused in every string that ends in a header; all
 * is bounded by config limits.
 */
#ifndef MAILOUT_REQUEST_H
#define MAILOUT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/id.h"
#include "common/outcome.h"
#include "common/token.h"
#include "common/wire.h"

/* One address.  `email` is ready for SMTP: the domain as A-labels (IDNA 2008), the local part
 * ASCII. */
struct address {
	char *email;
	char *name; /* UTF-8; "" for none */
};

struct address_list {
	struct address *item;
	size_t count;
};

struct request_header {
	char *name;
	char *value;
};

struct request_attachment {
	char *name;         /* UTF-8, one line without slashes; NULL: that of the stored one */
	char *content_type; /* NULL: that of the stored one, or unknown */
	char *content_id;   /* NULL: not for HTML */
	unsigned char
		*data; /* NULL: stored, `stored` tells which; filled in by sentlog_attachment() */
	size_t size;
	bool is_stored;
	struct id stored; /* attachments.id */
};

struct request {
	struct id id; /* MessageID, else AMQP message_id, else drawn by the caller: has_id */
	bool has_id;
	char *stream;        /* MessageStream, else that of the queue */
	struct address from; /* email "": none (yet), see request_set_from() */
	struct address_list to, cc, bcc, reply_to;
	bool has_thread;    /* ReplyTo.Thread: reply_to is filled in by threadlog_address() */
	struct id thread;   /* threads.id */
	char *thread_route; /* of it; NULL: not looked up yet */
	unsigned char thread_token[TOKEN_HASH_SIZE]; /* of the reply address: its hash */
	char *thread_address;                        /* that address without its token */
	char *envelope_sender; /* "": the null sender; NULL: the config's, else the address of From
				*/
	char *subject;         /* NULL with a template */
	char *text_body;
	char *html_body;
	char *template_alias;              /* NULL without */
	const struct wire *template_model; /* borrowed from json, or NULL */
	char *locale;                      /* "" for none */
	struct request_header *headers;
	size_t header_count;
	struct request_attachment *attachments;
	size_t attachment_count;
	char *tag;                   /* "" for none */
	const struct wire *metadata; /* borrowed from json, an object of strings, or NULL */
	int64_t send_at;             /* seconds since 1970; 0: at once */
	int64_t expires_at;          /* 0: never */
	char *unsubscribe_url;       /* ListUnsubscribe.Url: https; "" for none */
	char *unsubscribe_mailto;    /* "mailto:..."; "" for none */
	bool dry_run;
	struct wire *json;
};

/*
 * Parse and check.  `amqp_message_id` (may be NULL) serves when the body has no MessageID; `stream`
 * is the queue's. NULL with OUTCOME_REJECT's reason that names the field ("Attachments[2].Content:
 * no base64").
 */
struct request *request_new(const char *body, size_t size, const char *amqp_message_id,
			    const char *stream, const struct config *config, struct reason *reason);
void request_free(struct request **request);

/* To, Cc and Bcc without repetitions of the same mailbox, as the SMTP server gets them; NULL at the
 * end, g_strfreev() them. */
char **request_recipients(const struct request *request);

/* Where bounces go: the request's own, else the config's, else the address of From, which has been
 * set.  Borrowed; "" is the null sender. */
const char *request_mail_from(const struct request *request, const struct config *config);

/* Give a request that has no From the template's or the config's ("Name <user@example.com>"):
 * afterwards request->from is what the message says.  REJECT if `from` is empty (nobody said one);
 * RETRY if it is no address, for then the template or the config is wrong. */
enum outcome request_set_from(struct request *request, const char *from, struct reason *reason);

/* Is there a header field of that name among its Headers? */
bool request_has_header(const struct request *request, const char *name);

/* "type/subtype" with or without parameters (RFC 2045, 5.1); not multipart. */
bool request_is_media_type(const char *text);

#endif
