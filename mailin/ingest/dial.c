#include "mailin/ingest/dial.h"

#include <glib.h>

enum { MS_PER_SECOND = 1000 };

struct broker *dial_broker(const struct config *config, const char *name, struct deadline deadline,
			   struct reason *reason)
{
	g_autofree char *password =
		config_password(&config->amqp_consume, "amqp.consume_password_file", reason);

	if (password == NULL)
		return NULL;
	const struct broker_options options = {
		.hosts = config->amqp_hosts,
		.vhost = config->amqp_vhost,
		.user = config->amqp_consume.name,
		.password = password,
		.tls = config->amqp_tls,
		.tls_ca_file = config->amqp_tls_ca_file[0] != '\0' ? config->amqp_tls_ca_file : NULL,
		.heartbeat_s = (int)(config->amqp_heartbeat / MS_PER_SECOND),
		.name = name,
	};

	return broker_open(&options, deadline, reason);
}
