/*
 * A connection to the broker as the consuming user.
 */
#ifndef MAILIN_INGEST_DIAL_H
#define MAILIN_INGEST_DIAL_H

#include "common/broker.h"
#include "common/config.h"
#include "common/deadline.h"
#include "common/outcome.h"

/* The password is read now.  NULL with a reason. */
struct broker *dial_broker(const struct config *config, const char *name, struct deadline deadline,
			   struct reason *reason);

#endif
