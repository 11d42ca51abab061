/*
 * One connection to RabbitMQ with one channel.  Wraps rabbitmq-c, whose own prefix is amqp_.
 *
 * Publish and consume on separate connections: a blocked publisher would block the acks.
 * Every call that waits takes a deadline.  A call that fails fills the reason (4.x.y: a broker's
 * fault is never the mail's) and leaves the broker fit only for broker_close(), except where it
 * says otherwise; further calls fail with the same reason. A connection that nobody calls dies of
 * missing heartbeats: call broker_next() on it, with a deadline in the past, more often than every
 * heartbeat_s seconds, even if it consumes nothing. Uses the watchdog (common/watchdog.h) for calls
 * that could block. Source: AMQP 0-9-1, https://www.rabbitmq.com/amqp-0-9-1-reference.html
 */
#ifndef COMMON_BROKER_H
#define COMMON_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/deadline.h"
#include "common/outcome.h"

struct broker;
struct wire;

struct broker_options {
	char **hosts; /* see common/hostport.h; NULL at the end; tried in order */
	const char *vhost;
	const char *user;
	const char *password;
	bool tls;                /* verified: chain, and host name or address */
	const char *tls_ca_file; /* NULL: the system's */
	int heartbeat_s;         /* 0: none; the server may choose a shorter one */
	const char *name;        /* connection_name, as the management page shows it */
};

/* Tries the hosts in order until one lets us in, each for 5 s at most while others wait behind it.
 * Ports default to 5672, with TLS 5671.  The deadline does not bind the resolver (resolv.conf(5)
 * limits it).  NULL with a reason that tells each host's failure. */
struct broker *broker_open(const struct broker_options *options, struct deadline deadline,
			   struct reason *reason);

/* False in a program that was linked without OpenSSL, whose loading takes as long as all the rest
 * of a publish. */
bool broker_has_tls(void);

/* Says goodbye; waits for the answer 100 ms at most.  NULL is allowed; *broker becomes NULL. */
void broker_close(struct broker **broker);

/* ---- publishing: persistent, mandatory, confirmed ---- */

/* Header names of our messages. */
#define HEADER_QUEUE_ID "queue-id"
#define HEADER_ATTEMPT "attempt"
#define HEADER_FIRST_SEEN "first-seen"
#define HEADER_LAST_ERROR "last-error"
#define HEADER_DELAY_NOTICED "delay-noticed" /* ms since 1970: the sender knows of the delay */
#define HEADER_DEAD_SINCE "dead-since"       /* seconds since 1970: when it was given up */
#define HEADER_REQUEUED "requeued"           /* how often it came back from mail.dead */
#define HEADER_REQUEUED_AT "requeued-at"     /* ... and when the last time, seconds since 1970 */
#define HEADER_RELEASED "released"           /* from quarantine, seconds since 1970 */

struct broker_header {
	const char *name;
	const char *text; /* NULL: the number counts */
	int64_t number;
};

/* All properties that a message came with, see broker_keep_properties(). */
struct broker_properties;

struct broker_message {
	const char *exchange;
	const char *routing_key;
	const void *body; /* sent from where it lies, without a copy of it all */
	size_t body_size;
	const char *content_type;
	const char *message_id; /* these may be NULL */
	const char *type;
	const char *app_id;
	int64_t timestamp; /* seconds since 1970; 0: none */
	const struct broker_header *headers;
	size_t header_count;
	bool optional; /* not mandatory: OK if no queue wants it */
	/* NULL, or those of a delivery that is published again: they count instead of the ones
	 * above, but for `headers`, which take the place of headers of the same names.  The headers
	 * named in `dropped` (NULL at its end, may be NULL) and the user-id, which only its own
	 * user may give, are left out. */
	const struct broker_properties *properties;
	const char *const *dropped;
};

/* Once, before the first broker_publish(). */
enum outcome broker_confirm_select(struct broker *broker, struct deadline deadline,
				   struct reason *reason);

/* OK only after the broker's ack without a return (unless the message is optional).  RETRY for
 * everything else: returned (no queue is bound), nack (queue full), channel or connection closed,
 * blocked until the deadline.  After a return or a nack the broker can be used on.  Strings are at
 * most 255 bytes, header texts excepted. */
enum outcome broker_publish(struct broker *broker, const struct broker_message *message,
			    struct deadline deadline, struct reason *reason);

/* Many at once: all are sent before their confirms are awaited.  outcomes[i] tells what became of
 * each; OK if all are OK, else the reason of a failure.  (A return names no message but exchange
 * and key: all messages to that exchange with that key count as returned.) */
enum outcome broker_publish_all(struct broker *broker, const struct broker_message *messages,
				size_t count, enum outcome *outcomes, struct deadline deadline,
				struct reason *reason);

/* Hand many to the socket without waiting for their confirms, which later calls read and drop: for
 * optional messages whose loss harms nobody.  RETRY: the connection is gone. */
enum outcome broker_tell(struct broker *broker, const struct broker_message *messages, size_t count,
			 struct deadline deadline, struct reason *reason);

/* Would it take a message to that exchange?  One is published in a transaction (AMQP 0-9-1, class
 * tx) that is rolled back, so nobody gets it; RabbitMQ tells of an alarm only to who publishes. OK,
 * or RETRY: broker_blocked() tells if it was an alarm.  For a connection that publishes nothing
 * else. */
enum outcome broker_rehearse(struct broker *broker, const char *exchange, struct deadline deadline,
			     struct reason *reason);

/* ---- consuming ---- */

struct broker_delivery {
	uint64_t tag;
	bool redelivered;
	char *queue; /* the consumer's queue; borrowed from the broker */
	char *body;  /* owned; not terminated */
	size_t body_size;
	char *exchange;     /* owned */
	char *routing_key;  /* owned */
	char *content_type; /* these are NULL when absent; owned */
	char *message_id;
	char *type;
	char *app_id;
	int64_t timestamp; /* 0: none; any number of which 1000 times is no overflow */
	char *queue_id;    /* HEADER_QUEUE_ID ...; NULL if no text; cut at 1024 bytes */
	char *last_error;
	int64_t first_seen; /* seconds since 1970; these are 0 if absent, no number, < 0 or past
			       the year 9999; counts are 10^9 at most */
	int64_t attempt;
	int64_t delay_noticed; /* ms since 1970 */
	int64_t requeued;
	/* What RabbitMQ itself did to it last (the first entry of x-death): "delivery_limit",
	 * "expired" ..., and in which queue; NULL if nothing. */
	char *death_reason;
	char *death_queue;
	int64_t delivery_count; /* RabbitMQ's own: how often it was delivered before */
	int64_t dead_since;
	int64_t requeued_at;
	int64_t released;
	struct broker_properties *properties; /* owned; NULL unless they are kept */
};

void broker_delivery_clear(struct broker_delivery *delivery);

/* prefetch holds per consumer; more than one queue may be consumed. */
enum outcome broker_consume(struct broker *broker, const char *queue, uint16_t prefetch,
			    struct deadline deadline, struct reason *reason);

/* Ask for the messages of several queues, in this order, without waiting for the answers: while one
 * is waited for, as much as prefetch allows could come in.  A queue that is not there shows as
 * BROKER_LOST, with RabbitMQ's words. */
enum outcome broker_consume_all(struct broker *broker, char *const *queues, size_t count,
				uint16_t prefetch, struct deadline deadline, struct reason *reason);

/* Ask for the messages of a queue with a single active consumer, one at a time from now on: when
 * its consumer is replaced, RabbitMQ gives the next message to another connection's at once, while
 * those before it are still unacknowledged here. */
enum outcome broker_consume_single(struct broker *broker, const char *queue,
				   struct deadline deadline, struct reason *reason);

/* Ask for the same queues again with another prefetch, but for the single ones.  What was delivered
 * stays to be acknowledged, and what is on its way still comes. */
enum outcome broker_consume_anew(struct broker *broker, uint16_t prefetch, struct deadline deadline,
				 struct reason *reason);

/* For a consumer that does not want to read at present, whatever comes: sends a heartbeat if one is
 * due. Call it as often as broker_next(). */
enum outcome broker_heartbeat(struct broker *broker, struct reason *reason);

enum broker_event {
	BROKER_DELIVERY,
	BROKER_TIMEOUT,   /* nothing came until the deadline */
	BROKER_CANCELLED, /* the queue was deleted or moved: reason tells; others go on */
	BROKER_LOST       /* connection or channel is gone: reason tells */
};

/* Wait for one delivery; heartbeats are served meanwhile.  With a deadline in the past it only
 * looks. wake_fd (or -1) becoming readable ends the wait as BROKER_TIMEOUT, if no delivery is at
 * hand. `delivery` is filled, for broker_delivery_clear(), with BROKER_DELIVERY only.  A message of
 * which a part has come when the deadline passes is continued by the next call; if it stalls for 60
 * s, the connection is BROKER_LOST. */
enum broker_event broker_next(struct broker *broker, struct broker_delivery *delivery, int wake_fd,
			      struct deadline deadline, struct reason *reason);

/* Take the first message of a queue without consuming it (on a connection that consumes nothing):
 * to be acknowledged or given back by broker_nack(), which counts as a delivery of it.  delivery is
 * filled if there is one (*found); its `queue` is NULL.  A message that is given back keeps its
 * place if the queue has a delivery limit, else it goes to the end.  A queue that is not there, or
 * that has a single active consumer, is a RETRY with RabbitMQ's words, after which the broker can
 * be used on.
 */
enum outcome broker_get(struct broker *broker, const char *queue, struct broker_delivery *delivery,
			bool *found, struct deadline deadline, struct reason *reason);

/* multiple: this one and all before it. */
enum outcome broker_ack(struct broker *broker, uint64_t tag, bool multiple, struct reason *reason);
enum outcome broker_nack(struct broker *broker, uint64_t tag, bool multiple, bool requeue,
			 struct reason *reason);

/* ---- messages with all their properties, for tools that show and move them ---- */

/* Deliveries come with all properties from now on. */
void broker_keep_properties(struct broker *broker);

/* As an object: AMQP's names of those that are there ("content-type" ...), and "headers", an
 * object. Times are seconds since 1970, what is nested too deep is null.  wire_free() it. */
struct wire *broker_properties_json(const struct broker_properties *properties);

/* Under a memory or disk alarm (connection.blocked)? Why, or NULL. */
const char *broker_blocked(const struct broker *broker);

/* ---- topology ---- */

struct broker_queue {
	const char *name;
	bool single_active_consumer;
	int64_t delivery_limit; /* 0: none */
	int64_t message_ttl_ms; /* 0: none */
	/* NULL: none; at-least-once, so overflow is reject-publish */
	const char *dead_letter_exchange;
	const char *dead_letter_routing_key; /* NULL: the message's own */
};

/* Durable; queues are quorum queues.  Declaring what is there with other arguments is a RETRY
 * with RabbitMQ's own words (it closes the channel; a new one is opened by itself). */
enum outcome broker_declare_exchange(struct broker *broker, const char *name, const char *type,
				     struct deadline deadline, struct reason *reason);
enum outcome broker_declare_queue(struct broker *broker, const struct broker_queue *queue,
				  struct deadline deadline, struct reason *reason);
enum outcome broker_bind(struct broker *broker, const char *queue, const char *exchange,
			 const char *routing_key, struct deadline deadline, struct reason *reason);

/* Passive declares: OK if it is there.  Asking for what is not there closes the channel, too, so do
 * not ask on a connection that consumes. */
enum outcome broker_check_exchange(struct broker *broker, const char *name,
				   struct deadline deadline, struct reason *reason);
enum outcome broker_check_queue(struct broker *broker, const char *name, int64_t *messages,
				int64_t *consumers, struct deadline deadline,
				struct reason *reason);

/* What the server said of itself ("RabbitMQ 3.10.8"). */
const char *broker_server_version(const struct broker *broker);

#endif
