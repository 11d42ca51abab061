/*
 * A worker of mailout: consumes the streams' queues, sends, records, acknowledges.
 *
 * It has a connection to the broker for consuming and one for publishing (retries, dead letters,
 * events), one to the database, and smtp.sessions child processes that speak SMTP.  What is not
 * acknowledged when a connection breaks or the process ends comes again; the record tells what was
 * sent.
 */
#ifndef MAILOUT_WORKER_H
#define MAILOUT_WORKER_H

#include "common/config.h"
#include "common/suspect.h"

/* Runs until the first stop signal, after which what is in flight is finished; the second one
 * leaves it. stop_init() has been called.  Returns the exit status. */
int worker_run(const struct config *config, const struct suspect_hand *hand);

#endif
