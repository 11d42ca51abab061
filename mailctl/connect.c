#include "mailctl/connect.h"

#include <glib.h>

enum { BROKER_MS = 20 * 1000, MS_PER_S = 1000 };

struct db *connect_db(const struct connect_db *how, struct reason *reason)
{
	const struct config *config = how->config;
	struct db_options options = {
		.hosts = config->mysql_hosts,
		.socket = how->socket != NULL ? how->socket : config->mysql_socket,
		.user = how->user,
		.password = how->password,
		.database = how->with_database ? config->mysql_database : NULL,
		.tls = config->mysql_tls,
		.tls_ca_file = config->mysql_tls_ca_file,
		.timeout_ms = how->timeout_ms != 0 ? how->timeout_ms : config->mysql_timeout,
		.read_only_too = how->read_only_too,
	};

	return db_open(&options, deadline_in(config->mysql_timeout), reason);
}

struct db *connect_db_admin(const struct config *config, bool read_only_too, struct reason *reason)
{
	g_autofree char *password =
		config_password(&config->mysql_setup, "mysql.setup_password_file", reason);
	const struct connect_db how = {
		.config = config,
		.user = config->mysql_setup.name,
		.password = password,
		.with_database = true,
		.read_only_too = read_only_too,
	};

	return password != NULL ? connect_db(&how, reason) : NULL;
}

struct broker *connect_broker(const struct config *config, const char *user, const char *password,
			      struct reason *reason)
{
	struct broker_options options = {
		.hosts = config->amqp_hosts,
		.vhost = config->amqp_vhost,
		.user = user,
		.password = password,
		.tls = config->amqp_tls,
		.tls_ca_file = config->amqp_tls_ca_file,
		.heartbeat_s = (int)(config->amqp_heartbeat / MS_PER_S),
		.name = "mailctl",
	};

	return broker_open(&options, connect_deadline(), reason);
}

struct deadline connect_deadline(void)
{
	return deadline_in(BROKER_MS);
}
