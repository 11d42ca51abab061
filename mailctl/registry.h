/*
 * The registered addresses (registered_addresses, registered_senders, registered_tokens) for
 * `mailctl address`.
 */
#ifndef MAILCTL_REGISTRY_H
#define MAILCTL_REGISTRY_H

#include <glib.h>

#include "common/config.h"
#include "common/db.h"
#include "common/outcome.h"
#include "common/token.h"

enum {
	REGISTRY_ADDRESS_MAX = 320, /* characters, of senders as well */
	REGISTRY_OWNER_MAX = 255,
	REGISTRY_LABEL_MAX = 255,
	REGISTRY_SENDERS_MAX = 100, /* of one registration */
};

struct registration {
	int64_t id;
	char *address; /* as route_base_address() has it */
	char *route;
	char *owner; /* NULL: none */
	bool needs_token;
	char *proof;       /* "route", "none", "spf-or-dkim", "dmarc" */
	char *valid_until; /* "2026-11-22 12:00:00.000", UTC; NULL: for ever */
	bool valid;        /* now */
	char *label;
	char *created_at;
	int64_t tokens;     /* that are valid now */
	GPtrArray *senders; /* of char *, as they are compared: ann@example.com, *@example.com, * */
};

struct registration *registration_new(void);
void registration_free(struct registration *registration);

/* Adds it in one transaction and sets id.  token: NULL if none is needed. */
enum outcome registry_add(struct db *db, struct registration *registration, const char *token,
			  struct reason *reason);

/* Those with that id (0: any), address, route and owner (NULL: any), by address and id:
 * g_ptr_array_unref() it. */
struct registry_filter {
	int64_t id;
	const char *address;
	const char *route;
	const char *owner;
};
enum outcome registry_list(struct db *db, const struct registry_filter *filter,
			   GPtrArray **registrations, struct reason *reason);

/* Give it a new token.  Those that it has end after grace_ms from now, or earlier if they do
 * already. */
enum outcome registry_rotate(struct db *db, int64_t id, const char *token, int64_t grace_ms,
			     struct reason *reason);

enum outcome registry_remove(struct db *db, int64_t id, struct reason *reason);

#endif
