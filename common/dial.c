#include "common/dial.h"

#include <glib.h>

enum { MS_PER_SECOND = 1000 };

struct broker *dial_broker(const struct config *config, const struct dial *who,
			   struct deadline deadline, struct reason *reason)
{
	g_autofree char *password = config_password(who->user, who->password_key, reason);

	if (password == NULL)
		return NULL;
	const struct broker_options options = {
		.hosts = config->amqp_hosts,
		.vhost = config->amqp_vhost,
		.user = who->user->name,
		.password = password,
		.tls = config->amqp_tls,
		.tls_ca_file =
			config->amqp_tls_ca_file[0] != '\0' ? config->amqp_tls_ca_file : NULL,
		.heartbeat_s = (int)(config->amqp_heartbeat / MS_PER_SECOND),
		.name = who->name,
	};

	return broker_open(&options, deadline, reason);
}

struct db *dial_db(const struct config *config, const struct dial *who, struct deadline deadline,
		   struct reason *reason)
{
	g_autofree char *password = config_password(who->user, who->password_key, reason);

	if (password == NULL)
		return NULL;
	const struct db_options options = {
		.hosts = config->mysql_hosts,
		.socket = config->mysql_socket[0] != '\0' ? config->mysql_socket : NULL,
		.user = who->user->name,
		.password = password,
		.database = config->mysql_database,
		.tls = config->mysql_tls,
		.tls_ca_file =
			config->mysql_tls_ca_file[0] != '\0' ? config->mysql_tls_ca_file : NULL,
		.timeout_ms = config->mysql_timeout,
	};

	return db_open(&options, deadline, reason);
}
