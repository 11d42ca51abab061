#include "common/broker_internal.h"

#include <amqp_tcp_socket.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
int broker_dial_tcp(const struct hostport *to, struct deadline deadline, GString *error)
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
	int fd = broker_dial_tcp(to, deadline, error);

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

/* OpenSSL is only linked where it is asked for. */
#pragma weak broker_dial_tls

bool broker_has_tls(void)
{
	return broker_dial_tls != NULL;
}

bool broker_dial(amqp_connection_state_t amqp, const struct broker_options *options,
		 const struct hostport *to, struct deadline deadline, GString *error)
{
	if (!options->tls)
		return open_tcp(amqp, to, deadline, error);
	if (!broker_has_tls()) {
		g_string_append(error, "this program was linked without TLS");
		return false;
	}
	return broker_dial_tls(amqp, options, to, deadline, error);
}
