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

/* RFC 7489, 3.1.1 and 3.2: are they the same, or have they the same organisational domain?  Both
 * from domain_ascii(). */
bool domain_aligned(const char *a, const char *b);

#endif
