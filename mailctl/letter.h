/*
 * What is to be said of a message that waits in mail.dead or in a retry tier, and which ones are
 * meant.
 */
#ifndef MAILCTL_LETTER_H
#define MAILCTL_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/broker.h"
#include "common/wire.h"

/* ---- one message ---- */

struct letter {
	const struct broker_delivery *delivery; /* borrowed, with its properties */
	/* As the properties or the body say it; one that has none is called after its body:
	 * "sha256-" and the first 16 digits. */
	char *id;
	bool has_id;
	const char *origin; /* the queue it was in, or waits for; borrowed */
	char *reason;       /* "" if nobody said why */
	int64_t since_s;    /* when it was given up, or else first published; 0: not known */
};

void letter_fill(struct letter *letter, const struct broker_delivery *delivery);
void letter_clear(struct letter *letter);

/* The queue that it belongs into, or NULL if its routing key names none of ours. */
const char *letter_origin(const struct broker_delivery *delivery);

/* An object with what is known; wire_free() it. */
struct wire *letter_json(const struct letter *letter);

/* ---- which ones ---- */

struct letter_filter {
	char **origins;     /* queues, NULL at the end; NULL: any */
	char **ids;         /* the same */
	const char *reason; /* a part of it, whatever its case; NULL: any */
	int64_t older_ms;   /* < 0: any */
	int64_t younger_ms; /* < 0: any */
};

bool letter_filter_is_empty(const struct letter_filter *filter);
bool letter_matches(const struct letter_filter *filter, const struct letter *letter, int64_t now_s);

#endif
