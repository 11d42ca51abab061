/*
 * Gathers deliveries into a batch, bounded by count, bytes and the time since its first one.
 *
 * What comes while a batch is being settled (heartbeats are served by reading) waits here for the
 * next one.
 */
#ifndef MAILIN_INGEST_BATCH_H
#define MAILIN_INGEST_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/broker.h"
#include "common/deadline.h"
#include "mailin/ingest/settle.h"

struct batch;

struct batch_limits {
	size_t count;
	size_t bytes;    /* of bodies; the delivery that reaches it still belongs to the batch */
	int64_t wait_ms; /* after the first delivery */
};

struct batch *batch_new(const struct batch_limits *limits);
void batch_free(struct batch **batch);

/* Add a delivery (its contents are taken, *delivery is cleared) as an item of state ITEM_WAITING,
 * which is the caller's to check; borrowed. */
struct item *batch_add(struct batch *batch, struct broker_delivery *delivery);

bool batch_is_full(const struct batch *batch);
/* The batch, which is not empty, does not wait for others to join it. */
void batch_hurry(struct batch *batch);
/* When it has waited long enough; only for a batch that is not empty. */
struct deadline batch_deadline(const struct batch *batch);

struct item **batch_items(struct batch *batch, size_t *count); /* borrowed */
uint64_t batch_last_tag(const struct batch *batch);
size_t batch_bytes(const struct batch *batch);
void batch_clear(struct batch *batch);

/* Deliveries in between, whose contents batch_keep() takes, as an item that can be read already;
 * borrowed.  No more should be read when there are `bytes` of them. */
bool batch_may_keep(const struct batch *batch);
struct item *batch_keep(struct batch *batch, struct broker_delivery *delivery);
/* Before all others that are kept. */
void batch_keep_first(struct batch *batch, struct broker_delivery *delivery);
/* The oldest one; NULL if there is none. */
const struct item *batch_first_kept(const struct batch *batch);
/* It belongs to the batch now; borrowed. */
struct item *batch_add_kept(struct batch *batch);
/* The oldest one's delivery into *delivery; false if there is none. */
bool batch_kept(struct batch *batch, struct broker_delivery *delivery);

/* The connection is gone, and all tags with it. */
void batch_forget(struct batch *batch);

#endif
