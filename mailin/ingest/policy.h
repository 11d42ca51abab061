/*
 * What a route takes of a mail's attachments (mailpipe.conf(5), ATTACHMENTS): pure, decided by the
 * document and the config alone.
 */
#ifndef MAILIN_INGEST_POLICY_H
#define MAILIN_INGEST_POLICY_H

#include "common/config.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

/*
 * Tells photos from decorations (inbound_attachment.photo), and moves what the route does not take
 * from inbound->attachments to inbound->refused: its bytes are freed, all else is kept to be
 * recorded.
 *
 * inbound->rejection says if the route wants the mail refused as a whole: because of an attachment,
 * or because it is for a gallery and no photo is left.
 */
void policy_apply(const struct config_route *route, struct inbound *inbound);

/* inbound_reject() it, if so: when it is known that it is new, and may be stored otherwise. */
void policy_enforce(struct inbound *inbound);

/* "type"; as in refused_attachments.reason. */
const char *policy_refused_name(enum inbound_refused why);

#endif
