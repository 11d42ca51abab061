/*
 * Addresses as logs and people may see them: without the tokens of ours (common/token.h).
 *
 * An address is ours if a route takes it.  Whatever a stranger's address has in its extension
 * stays.
 */
#ifndef COMMON_MASK_H
#define COMMON_MASK_H

#include "common/config.h"

/* The address; if a route takes it, without a token, or without any extension if the route takes
 * tokens only.  g_free() it. */
char *mask_address(const struct config *config, const char *address);

/* A line of text (a server's reply, a line of a log) with each address in it done so.  NULL for
 * NULL; g_free() it. */
char *mask_text(const struct config *config, const char *text);

#endif
