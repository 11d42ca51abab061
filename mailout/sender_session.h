/*
 * One SMTP session by libesmtp, with as many messages as there are and it may take.
 */
#ifndef MAILOUT_SENDER_SESSION_H
#define MAILOUT_SENDER_SESSION_H

#include <stdbool.h>

#include "common/config.h"
#include "common/hostport.h"
#include "common/outcome.h"
#include "mailout/sender_child.h"
#include "mailout/sender_tls.h"

/* Once per process. */
void sender_session_init(void);

/* Why a session came to nothing. */
struct session_failure {
	int code; /* of the server's reply, 0: none */
	struct reason reason;
};

/*
 * Connect, log in, send `job` and what sender_child_next() gives after it, QUIT.  Takes the job:
 * each is answered or given back.  False if not even the first MAIL was taken note of: then all
 * were given back and `failure` tells why; another host may do better.  `tls` is NULL where the
 * config asks for none; `password` is borrowed.
 */
bool sender_session_run(struct sender_child *child, const struct config *config,
			const struct hostport *host, struct sender_tls *tls, const char *password,
			struct sender_job *job, struct session_failure *failure);

#endif
