/*
 * SIGTERM and SIGINT as a counter and a descriptor to poll.
 *
 * The first signal asks to finish the work in hand, the second one to leave at
 * once without acknowledging anything.  Process-wide; call stop_init() once.
 */
#ifndef COMMON_STOP_H
#define COMMON_STOP_H

/* Installs the handlers, ignores SIGPIPE.  0, or -1 with errno. */
int stop_init(void);

/* Becomes readable at the first signal and stays so. */
int stop_fd(void);

/* How many signals have come: 0, 1, 2 ... */
int stop_requested(void);

/* For a forked child: forget the signals of the parent and use a pipe of its own. */
int stop_reset(void);

#endif
