#include "mailout/sender_socket.h"

#include <dlfcn.h>
#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char STATUS[] = "4.4.1";
enum { PORT_TEXT_SIZE = 12, LOOPBACK_NET = 127, NET_SHIFT = 24 };

static int offered = -1;
static int taken = -1;
static bool (*filter)(void *);
static void *filter_argument;

/* The C library's function; false with errno. */
static bool find_next(const char *name, void *function, size_t size)
{
	/* POSIX, dlsym(): a pointer to a function is had this way. */
	void *symbol = dlsym(RTLD_NEXT, name);

	memcpy(function, &symbol, size);
	errno = ENOSYS;
	return symbol != NULL;
}

/* ---- connect(2) ---- */

static int real_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	static int (*next)(int, const struct sockaddr *, socklen_t);

	if (next == NULL && !find_next("connect", &next, sizeof(next)))
		return -1;
	return next(fd, address, size);
}

/* Takes the place of the C library's: libesmtp's call comes here, too. */
int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	if (offered < 0)
		return real_connect(fd, address, size);
	if (dup2(offered, fd) < 0)
		return -1;
	close(offered);
	offered = -1;
	taken = fd;
	return 0;
}

void sender_socket_offer(int socket)
{
	if (offered >= 0)
		close(offered);
	offered = socket;
	taken = -1;
	filter = NULL;
}

int sender_socket_taken(void)
{
	return taken;
}

/* ---- poll(2) ---- */

static int real_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	static int (*next)(struct pollfd *, nfds_t, int);

	if (next == NULL && !find_next("poll", &next, sizeof(next)))
		return -1;
	return next(fds, count, timeout_ms);
}

/* Takes the mark of readability away where only TLS itself has something to read. */
static int without_tls_only(struct pollfd *fds, nfds_t count, int ready)
{
	for (nfds_t i = 0; i < count; i++) {
		if (fds[i].fd != taken || fds[i].revents != POLLIN || filter(filter_argument))
			continue;
		fds[i].revents = 0;
		ready--;
	}
	return ready;
}

/* Takes the place of the C library's: libesmtp's call comes here, too. */
int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct deadline deadline = deadline_in(MAX(timeout_ms, 0));
	int left_ms = timeout_ms;

	for (;;) {
		int ready = real_poll(fds, count, left_ms);

		if (ready <= 0 || filter == NULL || taken < 0)
			return ready;
		ready = without_tls_only(fds, count, ready);
		if (ready > 0 || timeout_ms == 0)
			return ready;
		if (timeout_ms > 0)
			left_ms = deadline_left_ms(deadline);
	}
}

void sender_socket_filter(bool (*has_data)(void *argument), void *argument)
{
	filter = has_data;
	filter_argument = argument;
}

/* ---- our own connection ---- */

/* 0, or an error number. */
static int wait_for_connection(int fd, struct deadline deadline)
{
	struct pollfd connected = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof(error);

	for (;;) {
		int events = poll(&connected, 1, deadline_left_ms(deadline));

		if (events > 0)
			break;
		if (events < 0 && errno != EINTR)
			return errno;
		if (deadline_passed(deadline))
			return ETIMEDOUT;
	}
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static int try_address(const struct addrinfo *address, struct deadline deadline)
{
	static const int on = 1;
	int fd = socket(address->ai_family,
			address->ai_socktype | (int)SOCK_NONBLOCK | (int)SOCK_CLOEXEC,
			address->ai_protocol);

	if (fd < 0)
		return -1;
	int error = real_connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;

	if (error == EINPROGRESS)
		error = wait_for_connection(fd, deadline);
	if (error == 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		error = errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

int sender_socket_dial(const struct hostport *host, struct deadline deadline, struct reason *reason)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | (host->ip_literal ? AI_NUMERICHOST : 0),
	};
	char port[PORT_TEXT_SIZE];
	struct addrinfo *addresses = NULL;
	int fd = -1;

	snprintf(port, sizeof(port), "%d", host->port);
	int error = getaddrinfo(host->host, port, &hints, &addresses);

	if (error != 0) {
		outcome_retry(reason, STATUS, "%s",
			      error == EAI_SYSTEM ? g_strerror(errno) : gai_strerror(error));
		return -1;
	}
	for (const struct addrinfo *a = addresses; a != NULL && fd < 0; a = a->ai_next) {
		fd = try_address(a, deadline);
		if (fd < 0)
			outcome_retry(reason, STATUS, "%s", g_strerror(errno));
	}
	freeaddrinfo(addresses);
	return fd;
}

/* ---- its state ---- */

bool sender_socket_is_local(int socket)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer = {.any = {0}};
	socklen_t size = sizeof(peer);

	if (getpeername(socket, &peer.any, &size) != 0)
		return false;
	if (peer.any.sa_family == AF_INET)
		return ntohl(peer.v4.sin_addr.s_addr) >> NET_SHIFT == LOOPBACK_NET;
	return peer.any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&peer.v6.sin6_addr);
}

bool sender_socket_is_dead(int socket)
{
	struct pollfd state = {.fd = socket, .events = 0};

	return poll(&state, 1, 0) != 0; /* POLLERR or POLLHUP, or no socket at all */
}

void sender_socket_cork(int socket, bool on)
{
	int value = on;

	/* If it fails, writes are smaller, that is all. */
	(void)setsockopt(socket, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
}
