/*
 * What mailctl/alert*.c share.
 */
#ifndef MAILCTL_ALERT_PRIVATE_H
#define MAILCTL_ALERT_PRIVATE_H

#include "mailctl/alert.h"

/* What one way knows of one incident. */
struct alert_told {
	bool open; /* it was told of it */
	bool owes; /* it has to be told that it is over */
	int64_t at_ms;
	int64_t digests; /* how many it has got of it */
	int64_t number;  /* how bad it was said to be */
};

struct alert_incident {
	bool open;
	int64_t since_ms;
	int64_t well_ms; /* since when it has been well; 0: it is not */
	int64_t over_ms; /* when the last one ended; 0: there was none */
	int64_t again;   /* how often it came back soon */
	int64_t number;
	char *text; /* may be NULL */
	struct alert_told told[ALERT_WAYS];
};

struct alert_path {
	int64_t failures; /* in a row */
	int64_t retry_ms; /* not before */
};

struct alerts {
	struct alert_limits limits;
	struct alert_incident incidents[ALERT_KINDS];
	struct alert_path paths[ALERT_WAYS];
};

#endif
