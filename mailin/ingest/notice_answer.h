/*
 * What acknowledgements tell: the models of the templates ticket-received and gallery-received.
 *
 * All texts are strangers', so they are bounded here.
 */
#ifndef MAILIN_INGEST_NOTICE_ANSWER_H
#define MAILIN_INGEST_NOTICE_ANSWER_H

#include "common/config.h"
#include "common/wire.h"
#include "mailin/ingest/inbound.h"

enum {
	NOTICE_ANSWER_TEXT_MAX = 4000, /* characters of what was written */
	NOTICE_ANSWER_FILES_MAX = 100, /* photos, and what was refused, that are told */
};

/* Of a stored mail with its thread's number.  Caller frees it, as the other one. */
struct wire *notice_answer_ticket(const struct inbound *inbound);

/* Reasons are in German for such a locale, else in English. */
struct wire *notice_answer_gallery(const struct inbound *inbound, const struct config_route *route,
				   const char *locale);

#endif
