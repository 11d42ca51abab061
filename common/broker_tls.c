#include "common/broker_internal.h"

#include <amqp_ssl_socket.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

/* rabbitmq-c keeps the SSL object to itself, so what was wrong with the certificate has to be noted
 * while it is verified. */
static int note_verification(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	int *error = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!ok && error != NULL)
		*error = X509_STORE_CTX_get_error(store);
	return ok;
}

static const char *openssl_words(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *words = code != 0 ? ERR_reason_error_string(code) : NULL;

	return words != NULL ? words : "no further details";
}

/* rabbitmq-c matches names alone, and not addresses, and trusts nobody by default: let OpenSSL
 * check chain, name and address. */
static bool prepare_tls(SSL_CTX *context, const struct broker_options *options,
			const struct hostport *to, GString *error)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);

	ERR_clear_error();
	if (options->tls_ca_file != NULL && options->tls_ca_file[0] != '\0') {
		if (access(options->tls_ca_file, R_OK) != 0 ||
		    SSL_CTX_load_verify_locations(context, options->tls_ca_file, NULL) != 1) {
			g_string_append_printf(
				error, "cannot read the CA file %s: %s", options->tls_ca_file,
				ERR_peek_error() != 0 ? openssl_words() : strerror(errno));
			return false;
		}
	} else if (SSL_CTX_set_default_verify_paths(context) != 1) {
		g_string_append_printf(error, "cannot read the system's CA certificates: %s",
				       openssl_words());
		return false;
	}
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if ((to->ip_literal ? X509_VERIFY_PARAM_set1_ip_asc(param, to->host)
			    : X509_VERIFY_PARAM_set1_host(param, to->host, 0)) != 1 ||
	    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
		g_string_append_printf(error, "cannot prepare TLS: %s", openssl_words());
		return false;
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_verification);
	return true;
}

static void explain_tls(int status, int verification, const struct hostport *to,
			struct deadline deadline, GString *error)
{
	if (verification != X509_V_OK) {
		g_string_append_printf(error, "the server's certificate is not trusted: %s",
				       X509_verify_cert_error_string(verification));
	} else if (status == AMQP_STATUS_SSL_CONNECTION_FAILED) {
		g_string_append_printf(error, "TLS handshake failed (%s); is this a TLS port?",
				       openssl_words());
	} else if (status == AMQP_STATUS_TIMEOUT) {
		g_string_append(error, "no TLS connection in time");
	} else if (status == AMQP_STATUS_SOCKET_ERROR ||
		   status == AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED) {
		/* rabbitmq-c has lost the reason by now: ask again to learn it. */
		int fd = broker_dial_tcp(to, deadline, error);

		if (fd >= 0) {
			close(fd);
			g_string_append(error, "the first attempt to connect failed");
		}
	} else {
		g_string_append_printf(error, "TLS: %s", amqp_error_string2(status));
	}
}

bool broker_dial_tls(amqp_connection_state_t amqp, const struct broker_options *options,
		     const struct hostport *to, struct deadline deadline, GString *error)
{
	int verification = X509_V_OK;
	struct timeval time_left;
	amqp_socket_t *secure = amqp_ssl_socket_new(amqp);

	if (secure == NULL) {
		g_string_append_printf(error, "cannot start TLS: %s", openssl_words());
		return false;
	}
	SSL_CTX *context = amqp_ssl_socket_get_context(secure);
	if (!prepare_tls(context, options, to, error))
		return false;
	amqp_ssl_socket_set_verify_peer(secure, 1);
	amqp_ssl_socket_set_verify_hostname(secure, 0);
	SSL_CTX_set_app_data(context, &verification);
	time_left = deadline_timeval(deadline);
	int status = amqp_socket_open_noblock(secure, to->host, to->port, &time_left);
	SSL_CTX_set_app_data(context, NULL);
	if (status != AMQP_STATUS_OK)
		explain_tls(status, verification, to, deadline, error);
	return status == AMQP_STATUS_OK;
}
