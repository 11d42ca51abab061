/*
 * The state of a message as Redis holds it (mailpipe-wire(7)): a small JSON document.  And what of
 * one in the database several programs know.
 */
#ifndef COMMON_STATE_H
#define COMMON_STATE_H

#include <stdint.h>

/* How inbound_pending.reason begins with one that an operator dropped. */
#define DROPPED_FROM_QUARANTINE "dropped from quarantine: "

struct state {
	const char *message_id;
	const char *direction;   /* "inbound", "outbound" */
	const char *status;      /* "stored" */
	const char *route;       /* or the stream; may be NULL */
	int64_t at_ms;           /* when it came to that, since 1970 */
	int64_t attempt;         /* 1 at first; 0: not told */
	int64_t next_attempt_ms; /* 0: none */
	const char *reason;      /* NULL or empty: none */
};

/* g_free() it. */
char *state_print(const struct state *state);

#endif
