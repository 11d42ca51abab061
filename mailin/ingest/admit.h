/*
 * May a message be stored, as its route and the address that it came to want it?
 *
 * Pure: what the mail server found out (inbound.verdicts) and what resolve_batch() found
 * (token_ok, sender_registered, proof) against require and unverified; mailpipe.conf(5), SENDERS.
 */
#ifndef MAILIN_INGEST_ADMIT_H
#define MAILIN_INGEST_ADMIT_H

#include "common/config.h"
#include "common/outcome.h"
#include "mailin/ingest/inbound.h"

enum admission {
	ADMIT_YES,        /* what is required is there, or nothing is required */
	ADMIT_UNVERIFIED, /* it is not, but the route accepts that */
	ADMIT_QUARANTINE,
	ADMIT_REFUSE
};

/* `why` is filled unless it is ADMIT_YES: what is missing, in a line that posters may read. */
enum admission admit(const struct config_route *route, const struct inbound *message,
		     struct reason *why);

/* Decide about a message, and set `verified`, `quarantined`, `rejected` and `why`. */
void admit_message(const struct config *config, struct inbound *message);

#endif
