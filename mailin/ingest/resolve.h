/*
 * Whose a mail is: the registration (`mailctl address`) that a batch's messages were posted by.
 *
 * A token in the extension of the recipient names one, or a thread; without a token the address and
 * the From address do.  What counts is what is registered for this very address and route, and
 * valid at this moment.  From can be forged: whether it was proven is decided behind this (the
 * registration's proof, else the route's `require`).
 */
#ifndef MAILIN_INGEST_RESOLVE_H
#define MAILIN_INGEST_RESOLVE_H

#include <stddef.h>

#include "common/config.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

struct db;
struct resolve;

/* db and config are borrowed. */
struct resolve *resolve_new(struct db *db, const struct config *config);
void resolve_free(struct resolve **resolve); /* before the connection is closed; NULL is allowed */

/*
 * Set what the members of struct inbound say, from address_id on, in one statement for all of the
 * messages, or three if there are tokens.  May be repeated.
 *
 * A token that is somebody's, valid or not, is also taken out of what is stored: recipient is
 * base_address then, mailbox_hash is empty, and wherever the mail's texts have the token there are
 * asterisks.  At a route with `require = token` each extension is taken out of the recipient.
 */
enum outcome resolve_batch(struct resolve *resolve, struct inbound **messages, size_t count,
			   struct reason *reason);

#endif
