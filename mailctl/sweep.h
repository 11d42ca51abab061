/*
 * Going through a queue once, from its head, and leaving in it what is not wanted.
 *
 * Messages are consumed and held without an acknowledgement, so that none comes twice, and given
 * back by closing the connection, whatever became of us.  They keep their order if all were looked
 * at; else those that were may come behind others that had been looked at before.  The way ends
 * after as many messages as there were at its begin: what comes meanwhile, perhaps again and again,
 * is not looked at.
 *
 * RabbitMQ gives a consumer of a quorum queue no more than its prefetch, and its memory bears that
 * many bodies: so consumers are added, each of a size that fits the messages seen so far.  Not for
 * queues with a delivery limit: what is held counts as delivered once more.
 */
#ifndef MAILCTL_SWEEP_H
#define MAILCTL_SWEEP_H

#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/outcome.h"

struct sweep;

/* Connects as amqp.setup_user.  limit: no more messages than so many; 0: all.  NULL with a reason.
 * stop_init() must have been called. */
struct sweep *sweep_open(const struct config *config, const char *queue, int64_t limit,
			 struct reason *reason);

/* Gives back what was not taken.  NULL is allowed. */
void sweep_close(struct sweep **sweep);

/* Messages at the begin (what others hold is not among them), and those that sweep_next() gave. */
int64_t sweep_total(const struct sweep *sweep);
int64_t sweep_seen(const struct sweep *sweep);

enum sweep_event {
	SWEEP_MESSAGE, /* delivery is filled, with its properties; broker_delivery_clear() it */
	SWEEP_PAUSE,   /* nothing is at hand: take what is to be taken, then go on */
	SWEEP_END,
	SWEEP_STOPPED, /* by a signal */
	SWEEP_LOST     /* reason tells */
};

enum sweep_event sweep_next(struct sweep *sweep, struct broker_delivery *delivery,
			    struct reason *reason);

/* Take a message out of the queue (acknowledge it). */
enum outcome sweep_take(struct sweep *sweep, uint64_t tag, struct reason *reason);

#endif
