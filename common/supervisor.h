/*
 * Forks `count` workers and keeps their number: one that ends unasked is started again after a
 * pause that grows while it keeps ending, and the end is noted for mailctl watch
 * (common/restarts.h).  The workers have process groups of their own, so that a
 * terminal's SIGINT reaches the supervisor only; it passes the first stop signal on and ends them
 * at the second.
 */
#ifndef COMMON_SUPERVISOR_H
#define COMMON_SUPERVISOR_H

#include <stddef.h>

#include "common/config.h"
#include "common/suspect.h"

/* stop_init() has been called.  `work` is what a worker does until its stop signal; its result is
 * the worker's exit status.  By `hand` it says which message it has in hand (common/suspect.h).
 * Returns this process' exit status when all workers have ended. */
int supervisor_run(const struct config *config, size_t count,
		   int (*work)(const struct config *config, const struct suspect_hand *hand));

#endif
