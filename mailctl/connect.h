/*
 * Connections as the config describes them, for one of its users.
 */
#ifndef MAILCTL_CONNECT_H
#define MAILCTL_CONNECT_H

#include <stdbool.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/db.h"
#include "common/outcome.h"

struct connect_db {
	const struct config *config;
	const char *socket; /* NULL: mysql.socket */
	const char *user;
	const char *password;
	bool with_database; /* else none is chosen */
	bool read_only_too;
	int64_t timeout_ms; /* 0: mysql.timeout */
};

struct db *connect_db(const struct connect_db *how, struct reason *reason);

/* To the config's database as mysql.setup_user, whose password is read.  NULL with a reason.
 * read_only_too: a server that takes no writes will do. */
struct db *connect_db_admin(const struct config *config, bool read_only_too, struct reason *reason);

struct broker *connect_broker(const struct config *config, const char *user, const char *password,
			      struct reason *reason);

/* Time for one step at the broker. */
struct deadline connect_deadline(void);

#endif
