/*
 * Events of inbound mail (mailpipe-wire(7)): stored, delayed, given up, put into quarantine.
 */
#ifndef MAILIN_INGEST_EVENT_H
#define MAILIN_INGEST_EVENT_H

#include <stddef.h>

#include "common/broker.h"
#include "mailin/ingest/fate.h"

struct inbound_event {
	char *routing_key; /* "inbound.stored.ROUTE" */
	char id[ID_TEXT_SIZE];
	char *body;
	size_t size;
	int64_t at_ms;
};

/* inbound_event_clear() it. */
void inbound_event_make(struct inbound_event *event, const struct fate *fate);
void inbound_event_clear(struct inbound_event *event);

/* As a message to mail.events; everything is borrowed.  `optional`: no queue need want it. */
struct broker_message inbound_event_message(const struct inbound_event *event, const char *app_id,
					    bool optional);

#endif
