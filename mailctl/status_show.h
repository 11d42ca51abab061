/*
 * What `mailctl status` says of a survey.
 */
#ifndef MAILCTL_STATUS_SHOW_H
#define MAILCTL_STATUS_SHOW_H

#include <stdio.h>

#include "common/config.h"
#include "common/wire.h"
#include "mailctl/survey.h"
#include "mailctl/table.h"

enum status_verdict {
	STATUS_FINE,
	STATUS_ATTENTION, /* mail flows, but something waits for a person */
	STATUS_WRONG      /* mail waits that should not */
};

enum status_verdict status_verdict(const struct survey *survey, const struct config *config);

void status_text(const struct survey *survey, const struct config *config, FILE *out,
		 const struct terminal *terminal);

/* wire_free() it. */
struct wire *status_json(const struct survey *survey, const struct config *config);

#endif
