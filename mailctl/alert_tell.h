/*
 * Tell a notice by the ways out of the config.
 */
#ifndef MAILCTL_ALERT_TELL_H
#define MAILCTL_ALERT_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "mailctl/alert.h"

/* Is that way configured? */
bool alert_way_is_used(const struct config *config, enum alert_way way);

/* What became of it by one way. */
struct alert_telling {
	bool wanted; /* in: tell it by this way */
	struct alert_notice notice;
	bool worked; /* out: there is no use in telling it again */
	bool killed; /* it took too long */
	char *why;   /* NULL, or what went wrong all the same, in one line; g_free() it */
};

/* By all ways that are wanted at the same time, each within alerts.timeout.  A mail that could not
 * be sent is tried once more without its template, which may be what is broken. */
void alert_tell(const struct config *config, struct alert_telling tellings[ALERT_WAYS],
		int64_t now_ms);

#endif
