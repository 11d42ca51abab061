/*
 * Domain names as they stand in mail addresses: international ones, and which belong together.
 *
 * IDNA 2008 (GLib's own g_hostname_to_ascii() is IDNA 2003, which makes two s of a sharp s: another
 * domain) and the public suffix list that libpsl was built with.  Reads no files.
 */
#ifndef COMMON_DOMAIN_H
#define COMMON_DOMAIN_H

#include <stdbool.h>

/* In A-labels and lower case, without a dot at its end; g_free() it.  NULL if it cannot be written
 * so; then *error (may be NULL) says why. */
char *domain_ascii(const char *domain, const char **error);

/*
 * An address as it is compared with others: the local part in lower case and NFC, the domain by
 * domain_ascii(); without any "@" all of it is a local part.  NULL if it is no UTF-8, or has no
 * such domain: that is nobody's address.  Nothing is folded that could be another mailbox (a
 * German sharp s stays one, in both parts).  g_free() it.
 */
char *domain_address(const char *email);

/* RFC 7489, 3.1.1 and 3.2: are they the same, or have they the same organisational domain?  Both
 * from domain_ascii(). */
bool domain_aligned(const char *a, const char *b);

#endif
