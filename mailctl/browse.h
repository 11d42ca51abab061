/*
 * Looking at the messages of a queue without taking them out: consume without acknowledging, then
 * close the connection, which puts them back where they were.
 *
 * Only for queues without consumers of their own: mail.dead and the retry tiers.  What it does to
 * them (measured with RabbitMQ 3.10.8, quorum queues):
 *
 *   - Messages keep their order, also with those that come meanwhile.
 *   - A message keeps the time at which its TTL ends; but while it is held it does not leave its
 *     tier, so a browse delays it by up to the browse's own time, which is therefore bounded.  A
 *     message whose time passed while it was held leaves at once when the connection ends.
 *   - It counts as a delivery.  Tiers and mail.dead have no delivery limit (common/topology.c), so
 *     that has no consequence; RabbitMQ 4.0 has one of 20 for queues that do not say otherwise, so
 *     there browse_allowed() says no.
 *
 * In mail.in.* and mail.out.* it would use up their delivery limit, and take messages out of their
 * workers' turn: do not browse those.
 */
#ifndef MAILCTL_BROWSE_H
#define MAILCTL_BROWSE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/outcome.h"

/* As amqp.setup_user; its password is read now.  NULL with a reason. */
struct broker *browse_connect(const struct config *config, struct reason *reason);

/* RabbitMQ 4 would count, and drop what it has counted too often. */
bool browse_allowed(const struct broker *broker);

struct browse {
	const struct config *config;
	const char *queue;
	int64_t time_ms;   /* ends then at the latest, and ... */
	int64_t bytes_max; /* ... after so many bytes of bodies */
	/* The delivery is cleared behind it. */
	void (*visit)(const struct broker_delivery *delivery, void *context);
	void *context;
	/* What was there at the beginning, and how many of these were visited. */
	int64_t there;
	int64_t seen;
};

/* Visits the messages that are there, from the head on.  RETRY: the connection failed (some may
 * have been visited). */
enum outcome browse_queue(struct browse *browse, struct reason *reason);

#endif
