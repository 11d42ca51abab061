/*
 * TLS for STARTTLS: chain and host name are verified during the handshake, which fails otherwise,
 * and the name is told to the server (SNI).  libesmtp itself verifies nothing that could be relied
 * upon.
 */
#ifndef MAILOUT_SENDER_TLS_H
#define MAILOUT_SENDER_TLS_H

#include "common/hostport.h"
#include "common/outcome.h"

struct sender_tls;
struct ssl_ctx_st;

/* `ca_file` is PEM; NULL: what the system trusts.  NULL with a reason. */
struct sender_tls *sender_tls_new(const char *ca_file, struct reason *reason);
void sender_tls_free(struct sender_tls **tls);

/* Whom the next handshake must prove to be with: a name or an address.  False: out of memory. */
bool sender_tls_expect(struct sender_tls *tls, const struct hostport *host);
/* Borrowed: OpenSSL's SSL_CTX. */
struct ssl_ctx_st *sender_tls_context(struct sender_tls *tls);
/* Why the certificate of the last handshake was not trusted; NULL if it was or none came. */
const char *sender_tls_distrust(const struct sender_tls *tls);

#endif
