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

/* For a program that may be cut off at any instant without harm: from now on the second signal
 * ends the process at once with that exit status, also while it waits for something. */
void stop_second_exits(int status);

/* For a forked child: forget the signals of the parent and use a pipe of its own. */
int stop_reset(void);

#endif
