#include "mailctl/rabbitmqctl.h"

#include <glib.h>
#include <string.h>

#include "common/broker.h"
#include "common/wire.h"
#include "mailctl/connect.h"
#include "mailctl/run.h"

#define STATUS "4.3.5" /* RFC 3463: system incorrectly configured */

enum { ARGUMENTS_MAX = 12 };

static const struct role {
	const char *name;
	const char *password_key;
	size_t user; /* in struct config */
	struct amqp_rights rights;
} roles[AMQP_ROLE_COUNT] = {
	[AMQP_PUBLISH] = {"publish",
			  "amqp.publish_password_file",
			  offsetof(struct config, amqp_publish),
			  {"^$", "^mail\\.in$", "^$"}},
	/* Passive declares, by which a worker looks for its queues, need no right. */
	[AMQP_CONSUME] = {"consume",
			  "amqp.consume_password_file",
			  offsetof(struct config, amqp_consume),
			  {"^$", "^mail\\.(out|retry\\..*|dead|events)$", "^mail\\.in\\."}},
	[AMQP_MAILOUT] = {"mailout",
			  "amqp.mailout_password_file",
			  offsetof(struct config, amqp_mailout),
			  {"^$", "^mail\\.(retry\\..*|dead|events)$", "^mail\\.out\\."}},
	[AMQP_APPLICATION] = {"application",
			      "amqp.application_password_file",
			      offsetof(struct config, amqp_application),
			      {"^$", "^mail\\.(out|in)$", "^$"}},
	/* Who declares a retry tier must be allowed to write to where its messages go afterwards:
	 * the default exchange, which goes by this name here. */
	[AMQP_SETUP] = {"setup",
			"amqp.setup_password_file",
			offsetof(struct config, amqp_setup),
			{"^mail\\.", "^(mail\\.|amq\\.default$)", "^mail\\."}},
};

const char *amqp_role_name(enum amqp_role role)
{
	return roles[role].name;
}

const char *amqp_role_password_key(enum amqp_role role)
{
	return roles[role].password_key;
}

const struct config_user *amqp_role_user(enum amqp_role role, const struct config *config)
{
	return (const void *)((const char *)config + roles[role].user);
}

const struct amqp_rights *amqp_role_rights(enum amqp_role role)
{
	return &roles[role].rights;
}

static char *rights_text(const char *configure, const char *write, const char *read)
{
	return g_strdup_printf("configure '%s' write '%s' read '%s'", configure, write, read);
}

char *amqp_rights_text(enum amqp_role role)
{
	const struct amqp_rights *rights = &roles[role].rights;

	return rights_text(rights->configure, rights->write, rights->read);
}

/* ---- printing ---- */

void rabbitmqctl_print(const struct config *config, FILE *out)
{
	g_autofree char *vhost = g_shell_quote(config->amqp_vhost);

	if (strcmp(config->amqp_vhost, "/") != 0)
		fprintf(out, "rabbitmqctl add_vhost %s\n", vhost);
	for (int i = 0; i < AMQP_ROLE_COUNT; i++) {
		const struct config_user *user = amqp_role_user(i, config);
		const struct amqp_rights *rights = &roles[i].rights;
		g_autofree char *name = g_shell_quote(user->name);
		g_autofree char *file = g_shell_quote(user->password_file);

		if (*user->password_file == '\0') {
			fprintf(out, "# %s: %s is not set\n", user->name, roles[i].password_key);
			continue;
		}
		fprintf(out, "head -n 1 %s | rabbitmqctl add_user %s\n", file, name);
		fprintf(out, "rabbitmqctl set_permissions -p %s %s '%s' '%s' '%s'\n", vhost, name,
			rights->configure, rights->write, rights->read);
	}
}

/* ---- running ---- */

/* Run with the arguments given, NULL at the end.  A status other than 0 is a RETRY with its words.
 */
static enum outcome run(const char *program, const char *input, char **output,
			struct reason *reason, const char *const *arguments)
{
	const char *argv[ARGUMENTS_MAX] = {program, "-q"};
	struct run_result result;
	enum outcome outcome;

	for (size_t i = 0; arguments[i] != NULL && i + 3 < ARGUMENTS_MAX; i++)
		argv[i + 2] = arguments[i];
	outcome = run_program(argv, input, &result, reason);
	if (outcome == OUTCOME_OK && result.status != 0)
		outcome = outcome_retry(reason, STATUS, "%s %s: exit status %d: %s", program,
					arguments[0], result.status,
					*result.errors != '\0' ? result.errors : result.output);
	if (outcome == OUTCOME_OK && output != NULL)
		*output = g_steal_pointer(&result.output);
	run_result_clear(&result);
	return outcome;
}

#define RUN(program, input, output, reason, ...)                                                   \
	run(program, input, output, reason, (const char *const[]){__VA_ARGS__, NULL})

/* A list that rabbitmqctl prints as JSON; wire_free() it. */
static enum outcome run_list(const char *program, struct wire **list, struct reason *reason,
			     const char *const *arguments)
{
	g_autofree char *text = NULL;
	enum outcome outcome = run(program, NULL, &text, reason, arguments);

	if (outcome != OUTCOME_OK)
		return outcome;
	*list = wire_parse(text, strlen(text), reason);
	if (*list == NULL)
		return outcome_retry(reason, STATUS, "%s %s: its answer is no JSON", program,
				     arguments[0]);
	return OUTCOME_OK;
}

/* The member of the list whose `key` is `value`; borrowed; NULL if there is none. */
static const struct wire *find(const struct wire *list, const char *key, const char *value)
{
	for (size_t i = 0; i < wire_length(list); i++) {
		const struct wire *item = wire_at(list, i);
		const char *text = wire_get_text(item, key);

		if (text != NULL && strcmp(text, value) == 0)
			return item;
	}
	return NULL;
}

struct work {
	const char *program;
	const struct config *config;
	void (*say)(const char *what, const char *done, void *context);
	void *context;
	struct reason *reason;
	struct wire *users;
	struct wire *permissions;
};

static void tell(const struct work *work, const char *kind, const char *name, const char *done)
{
	g_autofree char *what = g_strdup_printf("%s %s", kind, name);

	work->say(what, done, work->context);
}

static enum outcome apply_vhost(const struct work *work)
{
	const char *vhost = work->config->amqp_vhost;
	struct wire *list = NULL;
	enum outcome outcome =
		run_list(work->program, &list, work->reason,
			 (const char *const[]){"list_vhosts", "--formatter", "json", NULL});

	if (outcome != OUTCOME_OK)
		return outcome;
	if (find(list, "name", vhost) != NULL) {
		tell(work, "virtual host", vhost, "already there");
	} else {
		outcome = RUN(work->program, NULL, NULL, work->reason, "add_vhost", vhost);
		if (outcome == OUTCOME_OK)
			tell(work, "virtual host", vhost, "created");
	}
	wire_free(&list);
	return outcome;
}

static enum outcome apply_rights(const struct work *work, enum amqp_role role)
{
	const char *name = amqp_role_user(role, work->config)->name;
	const struct amqp_rights *rights = &roles[role].rights;
	const struct wire *had = find(work->permissions, "user", name);
	enum outcome outcome;

	if (had != NULL && g_strcmp0(wire_get_text(had, "configure"), rights->configure) == 0 &&
	    g_strcmp0(wire_get_text(had, "write"), rights->write) == 0 &&
	    g_strcmp0(wire_get_text(had, "read"), rights->read) == 0) {
		tell(work, "rights of user", name, "already there");
		return OUTCOME_OK;
	}
	outcome =
		RUN(work->program, NULL, NULL, work->reason, "set_permissions", "-p",
		    work->config->amqp_vhost, name, rights->configure, rights->write, rights->read);
	if (outcome == OUTCOME_OK)
		tell(work, "rights of user", name, had != NULL ? "changed" : "created");
	return outcome;
}

/* Does the password open a connection?  Much quicker than asking rabbitmqctl. */
static bool lets_in(const struct work *work, const char *name, const char *password)
{
	struct broker *broker = connect_broker(work->config, name, password, NULL);
	bool in = broker != NULL;

	broker_close(&broker);
	return in;
}

static enum outcome apply_user(const struct work *work, enum amqp_role role)
{
	const struct config_user *user = amqp_role_user(role, work->config);
	g_autofree char *password = NULL;
	bool there = find(work->users, "user", user->name) != NULL;
	enum outcome outcome;

	if (*user->password_file == '\0') {
		g_autofree char *done =
			g_strdup_printf("left out, for %s is not set", roles[role].password_key);

		tell(work, "user", user->name, done);
		return OUTCOME_OK;
	}
	password = config_password(user, roles[role].password_key, work->reason);
	if (password == NULL)
		return OUTCOME_RETRY;
	if (!there) {
		outcome = RUN(work->program, password, NULL, work->reason, "add_user", user->name);
		if (outcome != OUTCOME_OK)
			return outcome;
		tell(work, "user", user->name, "created");
		return apply_rights(work, role);
	}
	outcome = apply_rights(work, role);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (lets_in(work, user->name, password)) {
		tell(work, "user", user->name, "already there");
		return OUTCOME_OK;
	}
	outcome = RUN(work->program, password, NULL, work->reason, "change_password", user->name);
	if (outcome == OUTCOME_OK)
		tell(work, "user", user->name, "password changed");
	return outcome;
}

static enum outcome list_permissions(const char *program, const struct config *config,
				     struct wire **list, struct reason *reason)
{
	return run_list(program, list, reason,
			(const char *const[]){"list_permissions", "-p", config->amqp_vhost,
					      "--formatter", "json", NULL});
}

static enum outcome apply_users(struct work *work)
{
	enum outcome outcome =
		run_list(work->program, &work->users, work->reason,
			 (const char *const[]){"list_users", "--formatter", "json", NULL});

	if (outcome == OUTCOME_OK)
		outcome = list_permissions(work->program, work->config, &work->permissions,
					   work->reason);
	for (int i = 0; outcome == OUTCOME_OK && i < AMQP_ROLE_COUNT; i++)
		outcome = apply_user(work, i);
	wire_free(&work->users);
	wire_free(&work->permissions);
	return outcome;
}

enum outcome rabbitmqctl_apply(const char *program, const struct config *config,
			       void (*say)(const char *what, const char *done, void *context),
			       void *context, struct reason *reason)
{
	struct work work = {program, config, say, context, reason, NULL, NULL};
	enum outcome outcome = apply_vhost(&work);

	return outcome == OUTCOME_OK ? apply_users(&work) : outcome;
}

/* ---- looking ---- */

enum outcome rabbitmqctl_rights(const char *program, const struct config *config, const char *user,
				char **rights, struct reason *reason)
{
	struct wire *list = NULL;
	enum outcome outcome = list_permissions(program, config, &list, reason);

	*rights = NULL;
	if (outcome != OUTCOME_OK)
		return outcome;
	const struct wire *item = find(list, "user", user);

	if (item != NULL)
		*rights = rights_text(wire_get_text(item, "configure"),
				      wire_get_text(item, "write"), wire_get_text(item, "read"));
	wire_free(&list);
	return OUTCOME_OK;
}

enum outcome rabbitmqctl_message_size(const char *program, int64_t *size, struct reason *reason)
{
	static const char before[] = "{ok,";
	g_autofree char *text = NULL;
	enum outcome outcome = RUN(program, NULL, &text, reason, "eval",
				   "application:get_env(rabbit, max_message_size).");

	if (outcome != OUTCOME_OK)
		return outcome;
	if (!g_str_has_prefix(text, before))
		return outcome_retry(reason, STATUS, "%s eval: unexpected answer: %s", program,
				     text);
	*size = g_ascii_strtoll(text + strlen(before), NULL, 10);
	return OUTCOME_OK;
}
