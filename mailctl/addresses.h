/*
 * The table `addresses`, of which Postfix's recipient map is made, in step with the config's
 * routes.
 */
#ifndef MAILCTL_ADDRESSES_H
#define MAILCTL_ADDRESSES_H

#include <glib.h>

#include "common/config.h"
#include "common/db.h"
#include "common/outcome.h"

struct address {
	const char *match_type; /* "exact", "wildcard", "regex" */
	char *pattern;
	const char *route; /* of the config */
};

void address_free(struct address *address);

/*
 * What the config's open routes need, in their order, as struct address (g_ptr_array_unref() it).
 * The first of equal patterns wins, as in routing.  A pattern with an international domain stands
 * for both of its forms (RFC 5890, 2.3.2.1), because Postfix looks up what the client sent.  The
 * patterns of a closed route (config_route_closed()) are left out: Postfix takes mail for what is
 * registered there.  All but expressions are in lower case.
 */
GPtrArray *addresses_wanted(const struct config *config);

struct addresses_changes {
	size_t added;
	size_t changed;
	size_t removed;
	size_t kept;
};

/*
 * Make the rows with source 'config' what the config says, in one transaction.  A pattern that the
 * database cannot take (too long, or an expression that it does not understand) is a RETRY with a
 * reason that names route and pattern, and nothing is changed: without its row Postfix would refuse
 * mail.
 */
enum outcome addresses_sync(struct db *db, const struct config *config,
			    struct addresses_changes *changes, struct reason *reason);

/* Count the wanted patterns that the view `recipients` has with their route, and name the first
 * that it lacks (NULL: none; borrowed from wanted). */
enum outcome addresses_compare(struct db *db, GPtrArray *wanted, size_t *missing,
			       const struct address **first, struct reason *reason);

#endif
