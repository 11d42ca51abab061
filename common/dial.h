/*
 * Connections to the servers that the config names, as one of its users.
 *
 * The password is read now.  NULL with a reason.
 */
#ifndef COMMON_DIAL_H
#define COMMON_DIAL_H

#include "common/broker.h"
#include "common/config.h"
#include "common/db.h"
#include "common/deadline.h"
#include "common/outcome.h"

struct dial {
	const struct config_user *user;
	const char *password_key; /* its parameter: "amqp.consume_password_file" */
	const char *name;         /* connection_name, as the broker's management page shows it */
};

struct broker *dial_broker(const struct config *config, const struct dial *who,
			   struct deadline deadline, struct reason *reason);
struct db *dial_db(const struct config *config, const struct dial *who, struct deadline deadline,
		   struct reason *reason);

#endif
