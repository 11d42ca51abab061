/*
 * Ends blocking library calls that have no time limit of their own.
 *
 * A publish of rabbitmq-c blocks without limit while the broker is under an alarm.
 * While a watchdog is armed, a POSIX timer (CLOCK_MONOTONIC, SIGALRM) shuts the socket down at the
 * deadline (shutdown(2), which is async-signal-safe), so that the call returns with an error.
 * One per process; SIGALRM is its own.  A forked child starts with both timers off.
 *
 * The handler is installed with SA_RESTART, so only calls that never restart (poll(2) and its kin,
 * signal(7)) can see EINTR from it.
 */
#ifndef COMMON_WATCHDOG_H
#define COMMON_WATCHDOG_H

#include <stdbool.h>

#include "common/deadline.h"

/* From the deadline on the socket is shut down (again every 100 ms until disarmed).  False if the
 * system has no timer left: the caller must not enter a call that may block. */
bool watchdog_arm(int socket, struct deadline deadline);

/* True if it had fired.  Harmless when nothing is armed. */
bool watchdog_disarm(void);

/*
 * The last resort of a process: at the deadline `last_words` (borrowed, must live on) are written
 * to standard output, unless that would block, and the process ends at once with `status`.
 * Async-signal-safe.  Works beside watchdog_arm().  Calling it again moves the deadline.  False if
 * the system has no timer left.
 */
bool watchdog_last_resort(struct deadline deadline, const char *last_words, int status);

#endif
