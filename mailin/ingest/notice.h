/*
 * Notices to posters: their mail is delayed, or was given up; and acknowledgements: it has arrived.
 *
 * A notice is a request to mailout (mailpipe-wire(7), templates post-delayed, post-failed,
 * ticket-received and gallery-received): null envelope sender, Auto-Submitted, In-Reply-To.  Its id
 * is computed from the mail's id and the kind, so that making it again does no harm.  The caller
 * publishes it.
 *
 * Whom never to write to (RFC 3834, 2; mailpipe.conf(5), NOTICES): null senders, automatic mail,
 * our own addresses, senders whose domain is not established, and nobody beyond notify.per_hour and
 * notify.per_address_per_day, or for acknowledgements notify.answers_per_...
 */
#ifndef MAILIN_INGEST_NOTICE_H
#define MAILIN_INGEST_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/id.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct notices;

enum notice_kind {
	NOTICE_DELAYED,
	NOTICE_FAILED,  /* given up */
	NOTICE_TICKET,  /* stored: the mail has begun a ticket ... */
	NOTICE_GALLERY, /* ... or photos of it were taken */
};

/* What the notice is about. */
struct notice_about {
	enum notice_kind kind;
	const struct broker_delivery *delivery;
	/* NULL: not read; the body tells as much as it can.  Never NULL for acknowledgements. */
	const struct inbound *inbound;
	const struct reason
		*reason;         /* why it is not stored; strangers do not get to see its text */
	int64_t next_attempt_ms; /* since 1970; 0: not known, or never */
	int64_t until_ms;        /* when it is given up; 0: not known */
};

struct notice {
	char id[ID_TEXT_SIZE];
	char *to;   /* the address */
	char *body; /* the request */
	size_t body_size;
	const char *stream; /* borrowed from the config */
	enum notice_kind kind;
	int64_t counted_s;
	/*
	 * Why there is none, a word for the log: "off" (enabled, the route's notify or
	 * acknowledge), "unreadable"
	 * (no document, or one without the mail's header), "null-sender", "automatic", "own",
	 * "unverified", "address" (not one that mail goes to), "limit".  Only the last can be
	 * another one later.
	 */
	const char *why_not;
};

/* The log's word: "delayed", "failed", "ticket", "gallery". */
const char *notice_kind_name(enum notice_kind kind);

/* In each worker, after the fork; config is borrowed.  If there is no file for the counts, each
 * worker counts for itself, and `warning` says why (else its text is empty). */
struct notices *notices_new(const struct config *config, struct reason *warning);
void notices_free(struct notices **notices);

/* True: *notice is to be published, and counts against the limits.  False: why_not tells, nothing
 * is counted.  In either case notice_clear() it. */
bool notice_make(struct notices *notices, const struct notice_about *about, struct notice *notice);

/* As a message to mail.out; everything is borrowed from the notice. */
struct broker_message notice_message(const struct notice *notice);

/* It was not published after all: it does not count. */
void notice_withdraw(struct notices *notices, const struct notice *notice);

void notice_clear(struct notice *notice);

#endif
