/*
 * What the files of the broker module share.  For common/broker*.c alone.
 *
 *	broker.c		open, log in, close
 *	broker_dial.c		TCP
 *	broker_tls.c		TLS
 *	broker_frame.c		every frame that comes in goes through broker_step()
 *	broker_publish.c, broker_consume.c, broker_get.c, broker_topology.c
 *	broker_properties.c	a message's properties as a whole
 *
 * rabbitmq-c owns the amqp_ prefix, and memory that a frame points to is good until the next
 * broker_step() only.
 */
#ifndef COMMON_BROKER_INTERNAL_H
#define COMMON_BROKER_INTERNAL_H

#include <amqp.h>
#include <glib.h>

#include "common/broker.h"
#include "common/hostport.h"

enum { BROKER_CHANNEL = 1 };

/* Enhanced status codes (RFC 3463, section 3). */
#define STATUS_UNREACHABLE "4.4.1"   /* no answer from host */
#define STATUS_LOST "4.4.2"          /* bad connection */
#define STATUS_MISCONFIGURED "4.3.5" /* ours, or the administrator's */
#define STATUS_BUSY "4.3.2"          /* not accepting messages now */

/* The content (header and body frames) that follows a basic.deliver or a basic.return. */
enum content { CONTENT_NONE, CONTENT_HEADER, CONTENT_BODY };

/* Messages on their way: those with the numbers first ... first + count - 1. */
enum confirm { CONFIRM_NONE, CONFIRM_ACK, CONFIRM_NACK };
struct flight {
	uint64_t first;
	size_t count;
	size_t open; /* without a confirm */
	enum confirm *confirms;
	const struct broker_message *messages;
	bool *returned;
	char *return_text; /* what RabbitMQ said of a message that came back, or NULL */
};

struct consumer {
	char *queue;
	bool cancelled; /* by RabbitMQ, and broker_next() has not told yet */
	bool ended;     /* by us */
	bool single;    /* of a single active consumer: not to be replaced */
};

struct broker {
	amqp_connection_state_t amqp;
	char *peer; /* "host:port" */
	char *server_version;
	char *blocked;      /* connection.blocked's reason, or NULL */
	int heartbeat_ms;   /* as negotiated; 0: none */
	int64_t beat_at_ms; /* the last one that broker_heartbeat() sent */

	bool hung_up;        /* nobody is there to hear a goodbye */
	bool lost;           /* the connection is gone or given up ... */
	bool channel_closed; /* ... or RabbitMQ has closed the channel ... */
	struct reason why;   /* ... for this reason */

	/* publishing */
	bool confirming;
	uint64_t published;    /* the last publish's number; confirms bear it */
	struct flight *flight; /* the messages that wait for their confirms, or NULL */

	/* reading a message */
	enum content content;
	bool discard; /* a returned message: only its end matters */
	bool keep_properties;
	struct broker_delivery partial;
	size_t partial_got;
	int64_t partial_at_ms; /* when its last piece came */
	GQueue ready;          /* struct broker_delivery *, read while waiting for something else */

	GPtrArray *consumers; /* struct consumer *; its consumer tag is its index */
	unsigned int cancelled_count;
};

/* ---- broker_dial.c ---- */

/* A connected socket, or -1 with a text. */
int broker_dial_tcp(const struct hostport *to, struct deadline deadline, GString *error);

/* Connect and, if the options say so, shake hands by TLS.  True, or false with a text. */
bool broker_dial(amqp_connection_state_t amqp, const struct broker_options *options,
		 const struct hostport *to, struct deadline deadline, GString *error);

/* ---- broker_tls.c ---- */

/* The same for TLS alone.  Only linked by programs that ask for it (-u broker_dial_tls). */
bool broker_dial_tls(amqp_connection_state_t amqp, const struct broker_options *options,
		     const struct hostport *to, struct deadline deadline, GString *error);

/* ---- broker_frame.c ---- */

enum step { STEP_FRAME, STEP_TIMEOUT, STEP_LOST };

/* Read one frame and do what it demands; frame shows it.  wake_fd (or -1) readable is a time-out.
 * STEP_FRAME also if it closed the channel; STEP_LOST if the connection is gone. */
enum step broker_step(struct broker *broker, int wake_fd, struct deadline deadline,
		      amqp_frame_t *frame);

/* Is the channel there?  If not, the outcome and reason why. */
enum outcome broker_usable(const struct broker *broker, struct reason *reason);

/* Note that the connection cannot be used any more: nothing but broker_close() remains. */
enum outcome broker_give_up(struct broker *broker, const char *status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Send a method; RETRY if it could not be sent before the deadline. */
enum outcome broker_send(struct broker *broker, amqp_method_number_t id, void *method,
			 struct deadline deadline, struct reason *reason);

/* Send a method and wait for its answer, which is good until the next broker_step().  reply may be
 * NULL. */
enum outcome broker_call(struct broker *broker, amqp_method_number_t id, void *method,
			 amqp_method_number_t reply_id, void **reply, struct deadline deadline,
			 struct reason *reason);

/* Ask for the channel; the answer is not waited for. */
enum outcome broker_channel_open(struct broker *broker, struct deadline deadline,
				 struct reason *reason);

/* AMQP short strings hold 255 bytes, and rabbitmq-c cuts the length's byte without a word.  True,
 * or false with a reason that names `what`. */
bool broker_short_string(const char *what, const char *text, struct reason *reason);

/* ---- broker_properties.c ---- */

/* A copy, for g_free(). */
struct broker_properties *broker_properties_new(amqp_bytes_t encoded);

/* Decoded, in the pool.  False: they make no sense, or there is no memory. */
bool broker_properties_decode(const struct broker_properties *properties, amqp_pool_t *pool,
			      amqp_basic_properties_t *decoded);

/* ---- broker_consume.c ---- */

/* The pieces of a message, as frames bring them.  False: the connection makes no sense any more. */
bool broker_content_start(struct broker *broker, const amqp_basic_deliver_t *deliver);
bool broker_content_header(struct broker *broker, const amqp_frame_t *frame);
bool broker_content_body(struct broker *broker, amqp_bytes_t piece);
void broker_consumer_cancelled(struct broker *broker, amqp_bytes_t tag);

#endif
