/*
 * What became of a message, as others are told it: the application by events, Redis and the table
 * inbound_pending.
 */
#ifndef MAILIN_INGEST_FATE_H
#define MAILIN_INGEST_FATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/id.h"
#include "mailin/ingest/settle.h"

enum fate_kind { FATE_STORED, FATE_DELAYED, FATE_FAILED, FATE_QUARANTINED };

/* Borrows from the item; texts are never NULL. */
struct fate {
	enum fate_kind kind;
	bool has_id; /* else the id is of zeros: neither document nor properties had one */
	struct id id;
	char id_text[ID_TEXT_SIZE];
	const char *route;
	const char *recipient; /* these are empty if the document could not be read */
	const char *from;      /* these two are empty for what is in quarantine */
	const char *subject;
	const char *queue_id;
	const char *reason; /* empty: stored */
	int64_t at_ms;      /* these are milliseconds since 1970 */
	int64_t first_seen_ms;
	int64_t next_attempt_ms; /* 0: none */
	int64_t attempt;         /* tries so far */
};

const char *fate_name(enum fate_kind kind); /* "stored" */

/* False if the item has no last state yet. */
bool fate_of(const struct item *item, struct fate *fate);

/* Since 1970, and never in the future: the producer's word, which is good enough for when to try
 * again. */
int64_t fate_first_seen_ms(const struct item *item, int64_t now_ms);

/* The name of the route that a delivery is of: of its queue, whatever the document says. */
const char *fate_route(const struct broker_delivery *delivery);

/* May inbound_pending have a row of a message that came so: was it put off, given up or put into
 * quarantine before? */
bool fate_was_told(const struct broker_delivery *delivery);

#endif
