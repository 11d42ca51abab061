/*
 * Conversations, as mailout reads and writes them: tables threads, thread_*, tickets and
 * ticket_messages.
 *
 * A request answers in a thread by ReplyTo: {"Thread": ID}.  It gets a reply address of its own, so
 * that what is answered comes back to the thread, and what was sent is recorded in it.
 */
#ifndef MAILOUT_THREADLOG_H
#define MAILOUT_THREADLOG_H

#include "common/config.h"
#include "common/db.h"
#include "common/outcome.h"
#include "mailout/request.h"
#include "mailout/outbound.h"

/*
 * Give a request its thread's reply address, with a new token, and, unless it has its own,
 * In-Reply-To and References (RFC 5322, 3.6.4): it answers the last mail that had come in when it
 * was recorded first, now if it is not yet.  REJECT: there is no such thread.  RETRY, too, if its
 * route has no address that could be answered to.  The token is good when threadlog_record() has
 * recorded the claim.
 */
enum outcome threadlog_address(struct db *db, const struct config *config, struct request *request,
			       struct reason *reason);

/* REJECT, and the reason for it. */
enum outcome threadlog_refuse(const struct id *thread, struct reason *reason);

/*
 * In the transaction that records these rows, all of which have a thread (they are put in order):
 * they are linked with it, and their reply addresses are good.  For what somebody has got, its
 * Message-ID, its recipients as participants, and, unless it was made by a machine, the ticket's
 * message.  Writing the same again is harmless.  A thread that is not there any more is left out,
 * and the row says so: thread->gone.
 */
enum outcome threadlog_record(struct db *db, struct outbound **rows, size_t count,
			      struct reason *reason);

#endif
