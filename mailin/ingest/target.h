/*
 * Runs the targets of the routes inside the transaction that stores their messages.
 *
 * A target's statements (mailpipe-targets(7)) are prepared once per connection.  They run message
 * by message in the order of arrival, and for each message in the order of the file; rows of
 * several messages are written at once where nobody can tell the difference.
 *
 * A target that cannot be used (file, syntax, missing table, missing right) is our fault: RETRY for
 * the messages of its routes.
 * What the server says of the data is the message's.  An edited file is looked at once a second at
 * most and taken when it has not changed for two looks and can be prepared; else the last good
 * version stays.
 */
#ifndef MAILIN_INGEST_TARGET_H
#define MAILIN_INGEST_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct target_file;
struct targets;

/* Both are borrowed. */
struct targets *targets_new(const struct config *config, struct db *db);
/* Before the connection is closed.  NULL is allowed; *targets becomes NULL. */
void targets_free(struct targets **targets);

/* Before the transaction: prepare what these messages need, and set their `wants_thread`.  Those
 * whose target cannot be used are marked as held_up, and must be left out.  RETRY: the connection
 * is lost. */
enum outcome targets_prepare(struct targets *targets, struct inbound *const *messages, size_t count,
			     struct reason *reason);

/* In the transaction, when all of a message but this is written: for those that are `fresh`.
 * REJECT: one of them cannot be stored.  The reason names file and line. */
enum outcome targets_run(struct targets *targets, struct inbound *const *messages, size_t count,
			 struct reason *reason);

/* Why an edit was not taken, once each; false: nothing to tell. */
bool targets_complaint(struct targets *targets, struct reason *reason);

/* Can routes have this target without its file?  There is nothing but the message then. */
bool targets_is_optional(const char *name);

/* Would the server take all statements of a file?  Each that it does not take is handed over:
 * `code` is the server's (0: it counts other parameters). */
void targets_check(const struct target_file *file, struct db *db,
		   void (*refused)(const char *place, unsigned int code,
				   const struct reason *reason, void *context),
		   void *context);

#endif
