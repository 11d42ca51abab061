/*
 * Does the SMTP server greet and answer EHLO?  No mail is sent and nobody logs in.
 */
#ifndef MAILCTL_PROBE_SMTP_H
#define MAILCTL_PROBE_SMTP_H

#include "common/config.h"
#include "common/deadline.h"
#include "common/outcome.h"

/* The hosts of smtp.hosts in turn, until one does.  OK, or RETRY with what each said. */
enum outcome probe_smtp(const struct config *config, struct deadline deadline,
			struct reason *reason);

#endif
