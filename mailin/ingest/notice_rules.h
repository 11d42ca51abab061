/*
 * Whom a notice never goes to: RFC 3834, 2, and senders who may be somebody else.
 */
#ifndef MAILIN_INGEST_NOTICE_RULES_H
#define MAILIN_INGEST_NOTICE_RULES_H

#include "common/config.h"
#include "mailin/ingest/notice_mail.h"

struct notice_rules;

struct notice_rules *notice_rules_new(const struct config *config); /* config is borrowed */
void notice_rules_free(struct notice_rules **rules);

/* NULL: the sender may be written to.  Else a word: "null-sender", "automatic", "own",
 * "unverified", "address". */
const char *notice_rules_refuse(const struct notice_rules *rules, const struct notice_mail *mail);

/* Is the envelope sender known to be who it says, by a login or a believed server, whatever
 * notify.require_auth asks for? */
bool notice_rules_is_established(const struct notice_rules *rules, const struct notice_mail *mail);

/* May that domain be written to: letters, digits and hyphens, or an international one? */
bool notice_rules_is_domain(const char *domain);

#endif
