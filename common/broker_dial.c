#include "common/broker_internal.h"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_TEXT_MAX = 8 };

/* ---- TCP ---- */

/* Wait until a connect(2) has ended.  0, or an errno. */
static int finish_connect(int fd, struct deadline deadline)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof error;
	int count;

	do
		count = poll(&ready, 1, deadline_left_ms(deadline));
	while (count < 0 && errno == EINTR);
	if (count == 0)
		return ETIMEDOUT;
	if (count < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return errno;
	return error;
}

/* A connected socket as rabbitmq-c wants it (it never sets O_NONBLOCK itself on one that is given),
 * or -1 with errno. */
static int connect_address(const struct addrinfo *address, struct deadline deadline)
{
	int on = 1;
	int error = 0;
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			address->ai_protocol);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0)
		error = errno;
	else if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		error = errno == EINPROGRESS ? finish_connect(fd, deadline) : errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

/* Every address of the host in turn, each with its share of the time.  A socket, or -1 with a text.
 */
static int dial_tcp(const struct hostport *to, struct deadline deadline, GString *error)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
	struct addrinfo *addresses = NULL;
	char port[PORT_TEXT_MAX];
	int left = 0;
	int fd = -1;

	g_snprintf(port, sizeof port, "%d", to->port);
	int status = getaddrinfo(to->host, port, &hints, &addresses);
	if (status != 0) {
		g_string_append_printf(error, "cannot resolve the name: %s",
				       status == EAI_SYSTEM ? strerror(errno)
							    : gai_strerror(status));
		return -1;
	}
	for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next)
		left++;
	for (const struct addrinfo *a = addresses; a != NULL && fd < 0; a = a->ai_next, left--)
		fd = connect_address(a, deadline_in(deadline_left_ms(deadline) / left));
	if (fd < 0)
		g_string_append_printf(error, "cannot connect: %s", strerror(errno));
	freeaddrinfo(addresses);
	return fd;
}

static bool open_tcp(amqp_connection_state_t amqp, const struct hostport *to,
		     struct deadline deadline, GString *error)
{
	int fd = dial_tcp(to, deadline, error);

	if (fd < 0)
		return false;
	amqp_socket_t *plain = amqp_tcp_socket_new(amqp);
	if (plain == NULL) {
		close(fd);
		g_string_append(error, "out of memory");
		return false;
	}
	amqp_tcp_socket_set_sockfd(plain, fd);
	return true;
}

/* ---- TLS ---- */

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
		int fd = dial_tcp(to, deadline, error);

		if (fd >= 0) {
			close(fd);
			g_string_append(error, "the first attempt to connect failed");
		}
	} else {
		g_string_append_printf(error, "TLS: %s", amqp_error_string2(status));
	}
}

static bool open_tls(amqp_connection_state_t amqp, const struct broker_options *options,
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

bool broker_dial(amqp_connection_state_t amqp, const struct broker_options *options,
		 const struct hostport *to, struct deadline deadline, GString *error)
{
	return options->tls ? open_tls(amqp, options, to, deadline, error)
			    : open_tcp(amqp, to, deadline, error);
}
