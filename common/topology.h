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

/* Declare every exchange, queue and binding that the config needs; safe to repeat.  `say` (or
 * NULL) is called with a line for each.  A queue that is there with other arguments is a RETRY with
 * RabbitMQ's own words: it must be emptied and deleted first. */
enum outcome topology_declare(struct broker *broker, const struct config *config,
			      void (*say)(const char *line, void *context), void *context,
			      struct deadline deadline, struct reason *reason);

#endif
