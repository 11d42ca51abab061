/*
 * Removing conversations of which no message is left; for `mailctl purge`.
 */
#ifndef MAILCTL_PURGE_THREADS_H
#define MAILCTL_PURGE_THREADS_H

#include "common/outcome.h"

struct db;

/*
 * The threads of a route in which nothing was written since `before` and to which no stored message
 * belongs, with all that hangs on them: participants, ids, tokens, tickets.  And locks of senders
 * that nobody has used for days, of all routes.  One row a transaction, so that workers, who may
 * be adding to one, wait for a moment at most; what they add to stays.
 */
enum outcome purge_threads(struct db *db, const char *route, const char *before,
			   struct reason *reason);

#endif
