/*
 * Names on the broker (mailpipe-wire(7)), and the declaration of all of it.
 */
#ifndef COMMON_TOPOLOGY_H
#define COMMON_TOPOLOGY_H

#include "common/broker.h"
#include "common/config.h"

/* The names of headers are in common/broker.h. */
#define EXCHANGE_IN "mail.in"         /* topic; routing key: the route's name */
#define EXCHANGE_OUT "mail.out"       /* topic; routing key: the stream's name */
#define EXCHANGE_EVENTS "mail.events" /* topic; routing key: "outbound.sent" ... */
#define EXCHANGE_RETRY "mail.retry"   /* with ".TIER": fanout; routing key: the queue it is for */
#define EXCHANGE_DEAD "mail.dead"     /* topic; routing key: the queue it came from */
#define QUEUE_DEAD "mail.dead"
#define TYPE_INBOUND "mailpipe.inbound.v1" /* AMQP property "type" */
#define TYPE_EVENT "mailpipe.event.v1"
#define CONTENT_TYPE_JSON "application/json"

/* "mail.in.ROUTE"; g_free() it. */
char *topology_inbound_queue(const char *route);

/* "mail.out.STREAM"; g_free() it. */
char *topology_outbound_queue(const char *stream);

/* "mail.retry.5m", both the exchange and the queue; g_free() it. */
char *topology_retry_tier(const char *tier);

/*
 * A queue that is there with other arguments, as an older version or another config made it.  It
 * cannot be changed, only emptied, deleted and declared again.  Borrowed texts.
 */
struct topology_difference {
	const char *queue;
	const char *argument; /* "x-delivery-limit" */
	const char *wanted;   /* "20", "none" */
	const char *found;
};

/* What is told of the declaration; each may be NULL. */
struct topology_listener {
	void (*say)(const char *line, void *context); /* a line for each thing that is there now */
	/* Without it a difference is a RETRY with RabbitMQ's own words, and the end. */
	void (*differs)(const struct topology_difference *difference, void *context);
	void *context;
};

/* Declare every exchange, queue and binding that the config needs; safe to repeat. */
enum outcome topology_declare(struct broker *broker, const struct config *config,
			      const struct topology_listener *listener, struct deadline deadline,
			      struct reason *reason);

/* Tell the differences of the queues that are there; declares nothing that is not. */
enum outcome topology_compare(struct broker *broker, const struct config *config,
			      const struct topology_listener *listener, struct deadline deadline,
			      struct reason *reason);

#endif
