/*
 * Watches the bytes of an SMTP session that libesmtp speaks, and steps in where libesmtp does not:
 *
 * - extensions that it handles badly are hidden from it.  PIPELINING: it crashes if the connection
 * breaks while three replies are expected.  CHUNKING: each message waits 44 ms.
 * ENHANCEDSTATUSCODES: it gives up on replies whose lines disagree;
 * - no MAIL leaves without the TLS and the authentication that were asked for: it ignores a failed
 * AUTH;
 * - so the server has one thing to answer at a time, and may say nothing else: an additional reply
 * would be taken for the answer to the next command, plain text behind the reply to STARTTLS for
 * encrypted (CVE-2011-0411 and its kin).
 *
 * No I/O and no libesmtp here: the functions are fed from its monitor callback.
 */
#ifndef MAILOUT_SENDER_MONITOR_H
#define MAILOUT_SENDER_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/outcome.h"
#include "mailout/sender_reply.h"

/* What the server is answering. */
enum monitor_phase {
	MONITOR_GREETING,
	MONITOR_EHLO,
	MONITOR_STARTTLS,
	MONITOR_AUTH,
	MONITOR_MAIL, /* the first one and all that follows */
	MONITOR_QUIT
};

struct monitor {
	/* Set by the owner. */
	bool wants_tls;
	bool wants_auth;
	bool tls; /* the handshake is done */
	/* What happened. */
	enum monitor_phase phase;
	bool authenticated;
	bool mail_begun;   /* a MAIL was sent */
	struct reply last; /* the last complete reply; before MAIL: the last that said no */
	bool asked;        /* a reply is expected */
	bool faulty;       /* end the session: */
	struct reason fault;
	/* The reply that comes in. */
	size_t column;
	size_t lines;
	char code[4];
	bool more;
	bool keyword_seen;
	char text[SENDER_REPLY_MAX + 1];
	size_t text_length;
};

/* Bytes from the server, before libesmtp sees them: it may change them.  False: end the session at
 * once, see fault. */
bool monitor_read(struct monitor *monitor, char *data, size_t size);
/* Bytes that are about to be sent.  False: they must not be. */
bool monitor_write(struct monitor *monitor, const char *data, size_t size);
/* The message is being sent to its end, which is not shown to us. */
void monitor_message_end(struct monitor *monitor);

void monitor_init(struct monitor *monitor);

#endif
