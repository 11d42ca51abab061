/*
 * Ends blocking library calls that have no time limit of their own.
 *
 * A publish of rabbitmq-c blocks without limit while the broker is under an alarm.
 * While a watchdog is armed, a POSIX timer (CLOCK_MONOTONIC, SIGALRM) shuts the socket down at the
 * deadline (shutdown(2), which is async-signal-safe), so that the call returns with an error.
 * One per process; SIGALRM is its own.
 */
#ifndef COMMON_WATCHDOG_H
#define COMMON_WATCHDOG_H

#include <stdbool.h>

#include "common/deadline.h"

/* From the deadline on the socket is shut down (again every 100 ms until disarmed). */
void watchdog_arm(int socket, struct deadline deadline);

/* True if it had fired. */
bool watchdog_disarm(void);

/*
 * The last resort of a process: at the deadline `last_words` (borrowed, must live on) are written to
 * standard output and the process ends at once with `status`.  Async-signal-safe.
 * Works beside watchdog_arm().
 */
void watchdog_last_resort(struct deadline deadline, const char *last_words, int status);

#endif
