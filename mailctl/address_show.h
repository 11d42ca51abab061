/*
 * What `mailctl address` prints, as text or JSON.
 */
#ifndef MAILCTL_ADDRESS_SHOW_H
#define MAILCTL_ADDRESS_SHOW_H

#include <glib.h>
#include <stdbool.h>

#include "common/config.h"
#include "mailctl/registry.h"

/* local+TOKEN@domain; g_free() it.  There is a delimiter. */
char *address_with_token(const struct config *config, const char *address, const char *token);

/* A registration that was made, changed or removed (`what`); token: NULL if there is no new one. */
void address_show(const struct config *config, const struct registration *registration,
		  const char *what, const char *token, bool as_json);

void address_show_list(const struct config *config, const GPtrArray *registrations, bool as_json);

#endif
