/*
 * Looks host names up without waiting for the resolver, which may take longer than any deadline
 * (resolv.conf(5)): getaddrinfo_a(3).
 */
#ifndef COMMON_LOOKUP_H
#define COMMON_LOOKUP_H

#include <glib.h>
#include <stdbool.h>

#include "common/outcome.h"

struct lookup;

struct lookup_address {
	char *address; /* in numbers */
	int port;
};

/* Begin to look up all of host[:port] (common/hostport.h), NULL at the end.  Addresses in numbers
 * need no resolver. */
struct lookup *lookup_begin(char *const *hosts, int default_port);

/* Is it over? Does not wait. */
bool lookup_done(const struct lookup *lookup);

/* What was found by now, in the order of the hosts: struct lookup_address, g_ptr_array_unref() it.
 * The reason (may be NULL) is that of the last host without an address. */
GPtrArray *lookup_addresses(const struct lookup *lookup, struct reason *reason);

/* NULL is allowed; *lookup becomes NULL.  One that cannot be cancelled ends in the background. */
void lookup_free(struct lookup **lookup);

#endif
