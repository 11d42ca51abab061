/*
 * One message on its way through an SMTP session, and its answer.
 */
#ifndef MAILOUT_SENDER_FLIGHT_H
#define MAILOUT_SENDER_FLIGHT_H

#include <stdbool.h>

#include "common/outcome.h"
#include "mailout/sender_frame.h"
#include "mailout/sender_reply.h"

struct session;

struct flight {
	struct session *session; /* borrowed */
	struct sender_job *job;
	size_t sent; /* bytes that were handed to libesmtp */
	bool began_data;
	bool ended_data; /* ... and nothing but the final dot is missing, which may be sent */
	struct reply mail;
	struct reply transfer;
	struct reply *rcpt; /* one for each recipient */
};

/* Takes the job. */
struct flight *flight_new(struct session *session, struct sender_job *job);
void flight_free(struct flight *flight);
struct sender_job *flight_take_job(struct flight *flight);

/* Has the server said anything about this message but that it is leaving? */
bool flight_is_begun(const struct flight *flight);

/* The answer to a message that the server has decided: about MAIL (then `transfer` is NULL) or at
 * its end. sender_answer_clear() it. */
void flight_answer(const struct flight *flight, const struct reply *mail,
		   const struct reply *transfer, struct sender_answer *answer);

/* The answer to a message whose session ended before. */
void flight_answer_lost(const struct flight *flight, const struct reason *why,
			struct sender_answer *answer);

#endif
