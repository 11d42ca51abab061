/*
 * The connection to the SMTP server, made by us and slipped under libesmtp.
 *
 * libesmtp resolves and connects without a time limit, takes no IPv6 literal and leaves Nagle's
 * algorithm on, which delays its small writes by 44 ms each.  So this module defines connect(2) for
 * the whole executable: the next connection after sender_socket_offer() becomes the one that is
 * offered, every other one is the C library's.
 *
 * Under TLS it takes "readable" for "a reply is here", reads before it writes, and waits: a session
 * ticket (TLS 1.3) that comes while a command is unwritten stops it until the time is over.  So
 * this module defines poll(2), too: that connection is readable only if there is something for
 * libesmtp.
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

/* From now on the taken connection is readable for poll(2) only if has_data(argument) says so,
 * which is asked when bytes have come.  It ends with the next sender_socket_offer(). */
void sender_socket_filter(bool (*has_data)(void *argument), void *argument);

/* Does it stay on this machine? */
bool sender_socket_is_local(int socket);
/* Is the connection known to be dead? */
bool sender_socket_is_dead(int socket);
/* Collect small writes to full segments, until it is switched off. */
void sender_socket_cork(int socket, bool on);

#endif
