#include "common/broker_internal.h"

#include <poll.h>
#include <string.h>

enum {
	PORT_AMQP = 5672,
	PORT_AMQPS = 5671,
	FRAME_MAX = 131072, /* RabbitMQ's own default */
	HOST_TRY_MS = 5000, /* for a host as long as others wait behind it */
	GOODBYE_CODE = 200,
	GOODBYE_MS = 100,
	MS_PER_S = 1000
};

static void free_delivery(gpointer delivery)
{
	broker_delivery_clear(delivery);
	g_free(delivery);
}

static void free_consumer(gpointer data)
{
	struct consumer *consumer = data;

	g_free(consumer->queue);
	g_free(consumer);
}

/* ---- logging in ---- */

static amqp_table_entry_t text_entry(const char *key, const char *text)
{
	amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};

	entry.value.kind = AMQP_FIELD_KIND_UTF8;
	entry.value.value.bytes = amqp_cstring_bytes(text);
	return entry;
}

static amqp_table_entry_t true_entry(const char *key)
{
	amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};

	entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
	entry.value.value.boolean = 1;
	return entry;
}

static amqp_rpc_reply_t say_login(amqp_connection_state_t amqp,
				  const struct broker_options *options)
{
	/* rabbitmq-c announces neither of the first two: a deleted queue would go unnoticed, and
	 * so would an alarm. */
	amqp_table_entry_t capabilities[] = {
		true_entry("consumer_cancel_notify"),
		true_entry("connection.blocked"),
		true_entry("authentication_failure_close"),
		true_entry("publisher_confirms"),
		true_entry("basic.nack"),
	};
	amqp_table_entry_t properties[] = {
		text_entry("product", "mailpipe"),
		text_entry("version", MAILPIPE_VERSION),
		text_entry("connection_name", options->name != NULL ? options->name : "mailpipe"),
		{.key = amqp_cstring_bytes("capabilities")},
	};
	amqp_table_t table = {.num_entries = G_N_ELEMENTS(properties), .entries = properties};
	amqp_field_value_t *nested = &properties[G_N_ELEMENTS(properties) - 1].value;

	nested->kind = AMQP_FIELD_KIND_TABLE;
	nested->value.table.num_entries = G_N_ELEMENTS(capabilities);
	nested->value.table.entries = capabilities;
	return amqp_login_with_properties(amqp, options->vhost, BROKER_CHANNEL, FRAME_MAX,
					  options->heartbeat_s, &table, AMQP_SASL_METHOD_PLAIN,
					  options->user, options->password);
}

/* The status of the failure. */
static const char *explain_login(const amqp_rpc_reply_t *reply,
				 const struct broker_options *options, GString *error)
{
	if (reply->reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
	    reply->reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
		const amqp_connection_close_t *close = reply->reply.decoded;

		g_string_append_printf(error, "login of user \"%s\" to vhost \"%s\" refused: %.*s",
				       options->user, options->vhost, (int)close->reply_text.len,
				       (const char *)close->reply_text.bytes);
		return STATUS_MISCONFIGURED;
	}
	if (reply->library_error == AMQP_STATUS_TIMEOUT)
		g_string_append(error, "connected, but no answer to the login in time");
	else
		g_string_append_printf(error, "login of user \"%s\" failed: %s%s", options->user,
				       amqp_error_string2(reply->library_error),
				       options->tls ? "" : "; is this a TLS port?");
	return STATUS_UNREACHABLE;
}

static const char *server_property(amqp_connection_state_t amqp, const char *key, int *size)
{
	const amqp_table_t *table = amqp_get_server_properties(amqp);

	for (int i = 0; i < table->num_entries; i++) {
		const amqp_table_entry_t *entry = &table->entries[i];

		if (entry->value.kind == AMQP_FIELD_KIND_UTF8 && entry->key.len == strlen(key) &&
		    memcmp(entry->key.bytes, key, entry->key.len) == 0) {
			*size = (int)entry->value.value.bytes.len;
			return entry->value.value.bytes.bytes;
		}
	}
	*size = 0;
	return "";
}

static char *server_version(amqp_connection_state_t amqp)
{
	int product_size;
	int version_size;
	const char *product = server_property(amqp, "product", &product_size);
	const char *version = server_property(amqp, "version", &version_size);

	return g_strdup_printf("%.*s %.*s", product_size, product, version_size, version);
}

/* ---- opening ---- */

static struct broker *broker_new(const struct hostport *to)
{
	struct broker *broker = g_new0(struct broker, 1);

	broker->peer = hostport_text(to);
	broker->consumers = g_ptr_array_new_with_free_func(free_consumer);
	g_queue_init(&broker->ready);
	broker->amqp = amqp_new_connection();
	return broker;
}

/* Try one host.  NULL with text and status. */
static struct broker *open_host(const struct broker_options *options, const struct hostport *to,
				struct deadline deadline, GString *error, const char **status)
{
	struct broker *broker = broker_new(to);
	struct reason reason;

	*status = STATUS_UNREACHABLE;
	if (broker->amqp == NULL) {
		g_string_append(error, "out of memory");
		goto fail;
	}
	if (!broker_dial(broker->amqp, options, to, deadline, error))
		goto fail;
	struct timeval time_left = deadline_timeval(deadline);
	amqp_set_handshake_timeout(broker->amqp, &time_left);
	amqp_rpc_reply_t reply = say_login(broker->amqp, options);
	if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
		*status = explain_login(&reply, options, error);
		goto fail;
	}
	broker->server_version = server_version(broker->amqp);
	broker->heartbeat_ms = amqp_get_heartbeat(broker->amqp) * MS_PER_S;
	if (broker_channel_open(broker, deadline, &reason) != OUTCOME_OK) {
		g_string_append(error, reason.text);
		goto fail;
	}
	return broker;
fail:
	broker->hung_up = true;
	broker_close(&broker);
	return NULL;
}

struct broker *broker_open(const struct broker_options *options, struct deadline deadline,
			   struct reason *reason)
{
	g_autoptr(GString) error = g_string_new(NULL);
	const char *status = STATUS_MISCONFIGURED;
	struct broker *broker = NULL;

	for (char **host = options->hosts; *host != NULL && broker == NULL; host++) {
		struct hostport to;
		struct deadline turn =
			host[1] == NULL ? deadline
					: deadline_earlier(deadline, deadline_in(HOST_TRY_MS));

		g_string_append(error, error->len > 0 ? "; " : "");
		if (!hostport_parse(&to, *host, options->tls ? PORT_AMQPS : PORT_AMQP)) {
			g_string_append_printf(error, "%s: not host, host:port or [address]:port",
					       *host);
			continue;
		}
		g_autofree char *name = hostport_text(&to);
		g_string_append_printf(error, "%s: ", name);
		broker = open_host(options, &to, turn, error, &status);
		hostport_clear(&to);
	}
	if (broker == NULL)
		outcome_retry(reason, status, "no connection to RabbitMQ: %s",
			      error->len > 0 ? error->str : "no host is configured");
	return broker;
}

/* ---- closing ---- */

/* RabbitMQ answers in half a millisecond.  If our end of the socket is closed before that, it logs
 * a warning about a client that "unexpectedly closed TCP connection". */
static void wait_for_answer(struct broker *broker)
{
	struct deadline deadline = deadline_in(GOODBYE_MS);
	amqp_frame_t frame = {0};

	while (broker_step(broker, -1, deadline, &frame) == STEP_FRAME)
		if (frame.frame_type == AMQP_FRAME_METHOD &&
		    frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD)
			return;
}

/* Only if it cannot block: a broker under an alarm does not read. */
static void say_goodbye(struct broker *broker)
{
	struct pollfd writable = {.fd = amqp_get_sockfd(broker->amqp), .events = POLLOUT};
	amqp_connection_close_t goodbye = {.reply_code = GOODBYE_CODE,
					   .reply_text = amqp_cstring_bytes("Goodbye")};

	if (writable.fd >= 0 && poll(&writable, 1, 0) == 1 && writable.revents == POLLOUT &&
	    amqp_send_method(broker->amqp, 0, AMQP_CONNECTION_CLOSE_METHOD, &goodbye) ==
		    AMQP_STATUS_OK)
		wait_for_answer(broker);
}

void broker_close(struct broker **broker)
{
	struct broker *b = *broker;

	if (b == NULL)
		return;
	if (b->amqp != NULL) {
		if (!b->hung_up)
			say_goodbye(b);
		amqp_destroy_connection(b->amqp);
	}
	broker_delivery_clear(&b->partial);
	g_queue_clear_full(&b->ready, free_delivery);
	g_ptr_array_free(b->consumers, TRUE);
	g_free(b->blocked);
	g_free(b->server_version);
	g_free(b->peer);
	g_free(b);
	*broker = NULL;
}

const char *broker_blocked(const struct broker *broker)
{
	return broker->blocked;
}

const char *broker_server_version(const struct broker *broker)
{
	return broker->server_version;
}
