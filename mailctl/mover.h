/*
 * Takes messages from the queue that is swept to the queues they are for: published (mandatory,
 * confirmed), then acknowledged, some at a time.
 *
 * So a message may be in both queues if this ends in between, and never in neither; what consumes
 * it knows it by its id.  It keeps body and properties but for the headers that are dropped.
 */
#ifndef MAILCTL_MOVER_H
#define MAILCTL_MOVER_H

#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/outcome.h"
#include "mailctl/sweep.h"

struct mover;

enum mover_kind {
	MOVER_REQUEUE, /* from mail.dead: tries begin anew, header requeued counts up */
	MOVER_AHEAD    /* from a retry tier: tries go on */
};

/* config is borrowed.  Connects as amqp.setup_user.  NULL with a reason. */
struct mover *mover_new(const struct config *config, enum mover_kind kind, struct reason *reason);
void mover_free(struct mover **mover);

/* Takes what is in `delivery` (a message of `sweep`), to be published to `queue`.  Flushes when
 * there is enough. */
enum outcome mover_add(struct mover *mover, struct sweep *sweep, struct broker_delivery *delivery,
		       const char *queue, struct reason *reason);

/* Publish and take what was added.  A message that no queue takes stays where it is and is counted
 * as refused; OK all the same.  RETRY: the broker is away or takes nothing; what was not confirmed
 * is still where it was.  Call it now and then without messages, too: it serves heartbeats. */
enum outcome mover_flush(struct mover *mover, struct sweep *sweep, struct reason *reason);

int64_t mover_moved(const struct mover *mover);
int64_t mover_refused(const struct mover *mover);
/* Why the first one was. */
const struct reason *mover_refusal(const struct mover *mover);

#endif
