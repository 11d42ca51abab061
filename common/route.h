/*
 * Routes: which envelope recipient goes to which queue.
 *
 * A pattern is one of
 *	user@example.com	exact; user+anything@example.com matches, too
 *	user+tag@example.com	exact, just this tag
 *	*@example.com		'*' stands for any run of characters other than '@'
 *	/regular expression/	PCRE2, unanchored, against the whole address
 * Letter case never matters, and international domains are compared as A-labels
 * (RFC 5891).  The first match in the order of the file wins.
 */
#ifndef COMMON_ROUTE_H
#define COMMON_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/outcome.h"

struct route_set;

enum route_kind { ROUTE_EXACT, ROUTE_WILDCARD, ROUTE_REGEX };

/* delimiters: Postfix's recipient_delimiter, "" for none. */
struct route_set *route_set_new(const char *delimiters);
void route_set_free(struct route_set **set);

/* Adds a pattern of a route (index is the caller's).  OK, or RETRY with a reason that
 * names the pattern. */
enum outcome route_add(struct route_set *set, size_t index, const char *pattern,
		       struct reason *reason);

/* The index of the first route that matches, or -1.  `recipient` is an envelope
 * address as Postfix gives it, of any bytes. */
int route_match(const struct route_set *set, const char *recipient);

/* What kind a pattern is. */
enum route_kind route_pattern_kind(const char *pattern);

/* What stands after the first delimiter of the local part, "" if nothing does.  A delimiter may be
 * percent-encoded (photos%2Btag@example.com).  g_free() it. */
char *route_mailbox_hash(const char *delimiters, const char *address);

/* The address as it is compared (lower case, the domain as A-labels), without its delimiter and
 * what follows in the local part.  g_free() it. */
char *route_base_address(const char *delimiters, const char *address);

#endif
