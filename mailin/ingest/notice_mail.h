/*
 * What notices need to know of a mail: from the message that was read, or, if it could not be, from
 * as much of its body as makes sense.
 */
#ifndef MAILIN_INGEST_NOTICE_MAIL_H
#define MAILIN_INGEST_NOTICE_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/id.h"
#include "common/wire.h"
#include "mailin/ingest/inbound.h"

/* Texts are borrowed from the message or from `json`; "" where there is none. */
struct notice_mail {
	struct id id;
	char id_text[ID_TEXT_SIZE];
	const struct config_route *route; /* NULL: not one of the config's */
	const char *sender;               /* envelope sender */
	const char *from;                 /* address in From, the first of several */
	const char *recipient;            /* envelope recipient */
	const char *automatic;            /* Mailpipe.Auto; NULL: not told */
	const char *sasl_username;
	const char *message_id_header;
	const char *subject;
	int64_t received_ms;
	const struct wire *headers;     /* Headers: at least one */
	const struct wire *in_reply_to; /* NULL: not told */
	const struct wire *references;  /* NULL: not told */
	struct wire *json;
};

/* The delivery comes from `mail.in.ROUTE`; `inbound` may be NULL.  False if that is not enough: no
 * id, no envelope, or no header fields, which is also what a mail has that could not be parsed.
 * In either case notice_mail_clear() it. */
bool notice_mail_read(struct notice_mail *mail, const struct config *config,
		      const struct broker_delivery *delivery, const struct inbound *inbound);
void notice_mail_clear(struct notice_mail *mail);

#endif
