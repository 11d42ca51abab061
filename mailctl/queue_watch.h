/*
 * For how long a queue has had messages without becoming shorter.
 *
 * That is as much as can be known of the age of what waits in it without taking a message out: a
 * basic.get with requeue counts as a delivery, and those are limited on a quorum queue.  It errs on
 * the side of silence: a queue of which one message was taken is young again.  A backlog that only
 * grows is stuck, too, whether somebody works on it or not.
 */
#ifndef MAILCTL_QUEUE_WATCH_H
#define MAILCTL_QUEUE_WATCH_H

#include <stdint.h>

#include "common/wire.h"

struct queue_watch;

struct queue_watch *queue_watch_new(void);
void queue_watch_free(struct queue_watch **watch);

/* The queue has so many messages now.  Returns for how many milliseconds it has been as said. */
int64_t queue_watch_note(struct queue_watch *watch, const char *queue, int64_t messages,
			 int64_t now_ms);

/* The clock was set ahead by so much (or back: < 0) since the last look; nothing is older for that.
 */
void queue_watch_shift(struct queue_watch *watch, int64_t by_ms);

/* All queues have been noted: forget those that were not since the last time. */
void queue_watch_forget(struct queue_watch *watch);

/* All as JSON, wire_free() it; and back. */
struct wire *queue_watch_save(const struct queue_watch *watch);
void queue_watch_restore(struct queue_watch *watch, const struct wire *saved);

#endif
