/*
 * The parts of `mailctl check`.  Each adds its findings to the report and goes on as far as it can.
 */
#ifndef MAILCTL_CHECK_H
#define MAILCTL_CHECK_H

#include <stdint.h>

#include "common/config.h"
#include "common/db.h"
#include "mailctl/report.h"

/* The config by itself: limits that do not fit each other, password files. */
void check_config(const struct config *config, struct report *report);

/* Parameters of the routes that defeat each other, or have no effect. */
void check_routes_fit(const struct config *config, struct report *report);
/* Closed routes without a registered address; over a connection of the ingest user. */
void check_registered(struct db *db, const struct config *config, struct report *report);

/* Each user's login and rights, the migrations, the targets, the addresses, the server's settings.
 */
void check_mysql(const struct config *config, struct report *report);
/* The server's settings alone, over a connection that is there (`mailctl setup` does that, too). */
void check_mysql_server(struct db *db, const struct config *config, struct report *report);

/* That the server would take the statements of all routes' targets; over a connection of the ingest
 * user. */
void check_targets(struct db *db, const struct config *config, struct report *report);

/* Each user's login, exchanges and queues; users' rights if rabbitmqctl (NULL: not) may be asked.
 */
void check_amqp(const struct config *config, const char *rabbitmqctl, struct report *report);

/* Add what a struct topology_listener tells to a report: its `differs`, with a context of that
 * type. */
struct topology_difference;
struct check_difference {
	const struct config *config;
	struct report *report;
};
void check_difference(const struct topology_difference *difference, void *context);

/* That Redis takes a key, if it is configured. */
void check_redis(const struct config *config, struct report *report);

/* Postfix's limits and settings beside ours; directory is its config_directory, NULL for its own.
 */
void check_postfix(const struct config *config, const char *directory, struct report *report);

/* The largest single value that has to fit into the database's packets, and the largest message
 * that has to fit through the broker, in bytes. */
int64_t check_largest_value(const struct config *config);
int64_t check_largest_document(const struct config *config);

/* "50.0 MiB"; g_free() it. */
char *check_size_text(int64_t size);

#endif
