/*
 * Events of outgoing mail (mailpipe-wire(7)), one per recipient: JSON after Postmark's webhooks.
 */
#ifndef MAILOUT_EVENT_H
#define MAILOUT_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/id.h"
#include "mailout/sentlog.h"

enum event_kind { EVENT_SENT, EVENT_DEFERRED, EVENT_FAILED, EVENT_EXPIRED, EVENT_HELD };

struct event {
	const char *routing_key; /* "outbound.sent" */
	char id[ID_TEXT_SIZE];
	char *body; /* g_free() it */
	size_t size;
};

/* What became of one recipient of a row; code 0 and reply NULL where no server said anything. */
void event_make(struct event *event, enum event_kind kind, const struct outbound *row,
		const struct sent_recipient *recipient, int64_t now_ms);

#endif
