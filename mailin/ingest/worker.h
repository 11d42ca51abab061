/*
 * A worker process: consumes the routes' queues, stores batches, acknowledges after COMMIT.
 *
 * It has a connection to the database, one to the broker for consuming and, when it needs it, one
 * for dead letters.  What is not acknowledged when a connection breaks or the process ends, comes
 * again; the ids make that harmless.
 */
#ifndef MAILIN_INGEST_WORKER_H
#define MAILIN_INGEST_WORKER_H

#include "common/config.h"
#include "common/suspect.h"

/* Runs until the first stop signal, after which the batch in hand is finished; the second one
 * leaves it unacknowledged.  stop_init() has been called.  Returns the exit status. */
int worker_run(const struct config *config, const struct suspect_hand *hand);

#endif
