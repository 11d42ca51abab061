/*
 * How urgent a mail's sender calls it: Importance and Priority (RFC 2156), X-Priority and
 * X-MSMail-Priority.  It is the sender's opinion, and nothing more.
 */
#ifndef MAILIN_INGEST_PRIORITY_H
#define MAILIN_INGEST_PRIORITY_H

struct wire;

/* "low", "normal" or "high", by the first field that says something else than normal.  `headers` is
 * the document's array (NULL: none). */
const char *priority_of(const struct wire *headers);

#endif
