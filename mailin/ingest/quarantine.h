/*
 * Quarantine: messages that are neither stored nor given up, until an operator decides.
 *
 * A row keeps the document as it came.  `mailctl quarantine release` notes released_at and
 * publishes the document again with the header released; that header is any producer's to write, so
 * what counts is the row: released, and of that very document.  It is deleted in the transaction
 * that stores the message.  One that was dropped when its document was on its way already is told
 * by inbound_pending: the document goes nowhere.
 */
#ifndef MAILIN_INGEST_QUARANTINE_H
#define MAILIN_INGEST_QUARANTINE_H

#include <stddef.h>

#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct quarantine;

struct quarantine *quarantine_new(struct db *db); /* borrowed; must outlive this */
void quarantine_free(struct quarantine **quarantine);

/* Within a transaction, of messages in the order of their ids: put those aside that are
 * `quarantined` and not there yet.  One that was released is `released` instead, and no more
 * `quarantined` or `rejected`, and so is one that was released and then `dropped`; one that does
 * not fit into a row is rejected.  Others are passed over. */
enum outcome quarantine_take(struct quarantine *quarantine, struct inbound *const *messages,
			     size_t count, struct reason *reason);

/* In the same transaction, of those that are stored (now or before): their rows go. */
enum outcome quarantine_forget(struct quarantine *quarantine, struct inbound *const *messages,
			       size_t count, struct reason *reason);

#endif
