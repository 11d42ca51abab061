/*
 * The looks that mailctl watch takes at everything the pipeline stands on.
 *
 * It uses the users of mailout (or, where those have no password file, those of mailin-ingest) and
 * changes nothing: on the broker one message is published into a transaction that is rolled back.
 * Each look has its own time limit.
 */
#ifndef MAILCTL_PROBE_H
#define MAILCTL_PROBE_H

#include <stdint.h>

#include "common/config.h"
#include "mailctl/alert.h"
#include "mailctl/queue_watch.h"

struct prober;

/* Both are borrowed. */
struct prober *prober_new(const struct config *config, struct queue_watch *queues);
void prober_free(struct prober **prober);

/* One round: every finding is filled in, for findings_clear(). */
void prober_look(struct prober *prober, int64_t now_ms, struct alert_finding findings[ALERT_KINDS]);
void findings_clear(struct alert_finding findings[ALERT_KINDS]);

#endif
