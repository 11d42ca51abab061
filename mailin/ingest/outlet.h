/*
 * What mailin-ingest publishes: copies for a retry tier, dead letters, notices and events, all on
 * one connection that is opened when something needs it.
 *
 * (A blocked publisher must not block the acks, so this is not the consumer's connection.)
 */
#ifndef MAILIN_INGEST_OUTLET_H
#define MAILIN_INGEST_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/outcome.h"

struct outlet;

struct outlet *outlet_new(const struct config *config); /* config is borrowed */
void outlet_free(struct outlet **outlet);               /* NULL is allowed */

/* Publish all of them, and wait for their confirms.  outcomes[i] tells what became of each; OK if
 * all are OK, else RETRY with the reason of a failure.  Whatever failed can be tried again. */
enum outcome outlet_publish(struct outlet *outlet, const struct broker_message *messages,
			    size_t count, enum outcome *outcomes, struct reason *reason);

/* Send all of them without waiting for anything: for optional messages (events), whose loss harms
 * nobody.  After a failure nothing is sent for a while, so that a broker that is away or blocked
 * costs nothing. */
void outlet_tell(struct outlet *outlet, const struct broker_message *messages, size_t count);

/* Publish one event and wait a moment: is there a queue that wants it?  False, too, when that
 * cannot be told at present. */
bool outlet_ask(struct outlet *outlet, const struct broker_message *mandatory);

/* Serve the connection, if there is one: read what came, send heartbeats.  Call it more often than
 * every amqp.heartbeat. */
void outlet_serve(struct outlet *outlet);

/* Close the connection; it opens again when needed. */
void outlet_rest(struct outlet *outlet);

#endif
