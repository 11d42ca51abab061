/*
 * UUIDs: the computed ones of inbound mails and the drawn ones of everything else.
 *
 * An inbound mail's id is a UUID version 8 (RFC 9562, 5.8): 48 bits of
 * milliseconds since 1970 from the arrival time that a long Postfix queue id
 * carries (else now), then bits of SHA-256 over instance, queue id, envelope
 * recipient and the mail's bytes.  The same queue file gives the same id.
 * So is the id of what is made of another message, a notice about it.
 * All other ids have the version 7 layout: 48 bits of milliseconds, then random bits.
 */
#ifndef COMMON_ID_H
#define COMMON_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ID_SIZE = 16, ID_TEXT_SIZE = 37 };

struct id {
	unsigned char byte[ID_SIZE];
};

/* A new time-ordered id (version 7 layout) from libuuid's random bits. */
void id_new(struct id *id);

/*
 * The id of an inbound mail.  `digest` is the SHA-256 of the mail's bytes.
 * `queue_id` may be empty.  When it carries no arrival time, `now_ms` (milliseconds
 * since 1970) is used, and then the id does not repeat at redelivery.
 */
void id_inbound(struct id *id, const char *instance, const char *queue_id, const char *recipient,
		const unsigned char digest[32], int64_t now_ms);

/* The id (version 8) of what is made of the message `from` for a purpose, always the same: the
 * first 48 bits are those of `from`. */
#define ID_NOTICE_DELAYED "notice-delayed"
#define ID_NOTICE_FAILED "notice-failed"
#define ID_TICKET_RECEIVED "ticket-received"
#define ID_GALLERY_RECEIVED "gallery-received"
void id_derived(struct id *id, const struct id *from, const char *purpose);

/* The arrival time (ms since 1970) in a long queue id (Postfix mail_queue.h,
 * MQID_LG_*); false if this is no long queue id. */
bool id_queue_time(const char *queue_id, int64_t *ms);

/* The canonical lower case text; returns text. */
char *id_text(const struct id *id, char text[ID_TEXT_SIZE]);

/* Exactly 36 characters, hexadecimal in either case; false if it is not a UUID. */
bool id_parse(struct id *id, const char *text);

/* For hash tables with a struct id as key. */
unsigned int id_hash(const void *id);
int id_equal(const void *a, const void *b);

#endif
