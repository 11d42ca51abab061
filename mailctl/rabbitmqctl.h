/*
 * Users and rights of the broker: AMQP cannot make them, rabbitmqctl(8) can.
 *
 * One table of the users' rights, for `mailctl setup` to set or print and for `mailctl check` to
 * compare with.  Passwords go to rabbitmqctl's standard input, never into its arguments.
 */
#ifndef MAILCTL_RABBITMQCTL_H
#define MAILCTL_RABBITMQCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config.h"
#include "common/outcome.h"

enum amqp_role {
	AMQP_PUBLISH,
	AMQP_CONSUME,
	AMQP_MAILOUT,
	AMQP_APPLICATION,
	AMQP_SETUP,
	AMQP_ROLE_COUNT
};

/* Patterns, as `rabbitmqctl set_permissions` takes them. */
struct amqp_rights {
	const char *configure;
	const char *write;
	const char *read;
};

const char *amqp_role_name(enum amqp_role role);         /* "publish" */
const char *amqp_role_password_key(enum amqp_role role); /* "amqp.publish_password_file" */
const struct config_user *amqp_role_user(enum amqp_role role, const struct config *config);
const struct amqp_rights *amqp_role_rights(enum amqp_role role);

/* The commands for a shell. */
void rabbitmqctl_print(const struct config *config, FILE *out);

/* Run them, as far as they are needed.  say: "user mailpipe-publish", "created". */
enum outcome rabbitmqctl_apply(const char *program, const struct config *config,
			       void (*say)(const char *what, const char *done, void *context),
			       void *context, struct reason *reason);

/* What a user has in the config's virtual host; *rights is "CONFIGURE | WRITE | READ" or NULL if
 * there are none.  g_free() it. */
enum outcome rabbitmqctl_rights(const char *program, const struct config *config, const char *user,
				char **rights, struct reason *reason);
/* The role's rights in the same form; g_free() it. */
char *amqp_rights_text(enum amqp_role role);

/* The broker's max_message_size in bytes. */
enum outcome rabbitmqctl_message_size(const char *program, int64_t *size, struct reason *reason);

#endif
