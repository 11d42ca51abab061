/*
 * The connection to the SMTP server, made by us and slipped under libesmtp.
 *
 * libesmtp resolves and connects without a time limit, takes no IPv6 literal and leaves Nagle's
 * algorithm on, which delays its small writes by 44 ms each.  So this module defines connect(2) for
 * the whole executable: the next connection after sender_socket_offer() becomes the one that is
 * offered, every other one is the C library's.
 */
#ifndef MAILOUT_SENDER_SOCKET_H
#define MAILOUT_SENDER_SOCKET_H

#include <stdbool.h>

#include "common/deadline.h"
#include "common/hostport.h"
#include "common/outcome.h"

/* A connected socket with TCP_NODELAY, or -1 with a reason.  The names are resolved by the system,
 * in its own time. */
int sender_socket_dial(const struct hostport *host, struct deadline deadline,
		       struct reason *reason);

/* Takes the socket.  -1 takes the offer back (and closes it). */
void sender_socket_offer(int socket);
/* The descriptor that the offered connection has now; -1 if nobody has taken it. */
int sender_socket_taken(void);

/* Does it stay on this machine? */
bool sender_socket_is_local(int socket);
/* Is the connection known to be dead? */
bool sender_socket_is_dead(int socket);
/* Collect small writes to full segments, until it is switched off. */
void sender_socket_cork(int socket, bool on);

#endif
