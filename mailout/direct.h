/*
 * One request from standard input, without broker, database and record: shown (--dry-run) or sent
 * at once, once (--direct).
 *
 * The direct way is for what cannot go through the pipeline because it is about the pipeline:
 * alerts.  Standard error gets a line for everything that went wrong; the results are exit
 * statuses (sysexits.h(3head)), see mailout(8).
 */
#ifndef MAILOUT_DIRECT_H
#define MAILOUT_DIRECT_H

#include "common/config.h"

/* Print the message that is asked for. */
int direct_show(const struct config *config);

/* Send it; stop_init() and log_open() have been called.  Each wait for the SMTP server is bounded
 * (mailout/sender.h); a stop signal ends it as "try again". */
int direct_send(const struct config *config);

#endif
