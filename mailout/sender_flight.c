#include "mailout/sender_flight.h"

#include <glib.h>

static const char UNEXPECTED[] = "4.5.0";

struct flight *flight_new(struct session *session, struct sender_job *job)
{
	struct flight *flight = g_new0(struct flight, 1);

	flight->session = session;
	flight->job = job;
	flight->rcpt = g_new0(struct reply, job->recipient_count);
	return flight;
}

void flight_free(struct flight *flight)
{
	sender_job_free(flight->job);
	g_free(flight->rcpt);
	g_free(flight);
}

struct sender_job *flight_take_job(struct flight *flight)
{
	return g_steal_pointer(&flight->job);
}

bool flight_is_begun(const struct flight *flight)
{
	return flight->mail.code != 0 && flight->mail.code != REPLY_CLOSING;
}

static void set_recipient(struct sent_recipient *to, enum sent_state state,
			  const struct reply *reply)
{
	to->state = state;
	to->code = reply->code;
	g_strlcpy(to->status, reply->status, sizeof(to->status));
	to->reply = g_strdup(reply->text);
}

static void begin_answer(const struct flight *flight, struct sender_answer *answer)
{
	*answer = (struct sender_answer){
		.serial = flight->job->serial,
		.tried = true,
		.recipients = g_new0(struct sent_recipient, flight->job->recipient_count),
		.recipient_count = flight->job->recipient_count,
	};
}

/* The server broke the protocol. */
static struct reply unexpected(const struct reply *reply)
{
	g_autofree char *text =
		g_strdup_printf("unexpected reply: %d %s", reply->code, reply->text);
	struct reply local;

	reply_set_local(&local, UNEXPECTED, text);
	local.code = reply->code;
	return local;
}

/* Does the reply say what the state means? */
static bool explains(const struct reply *reply, enum sent_state state)
{
	static const int class[] = {
		[SENT_OK] = REPLY_DONE,
		[SENT_DEFERRED] = REPLY_TRANSIENT,
		[SENT_FAILED] = REPLY_PERMANENT,
		[SENT_IN_DOUBT] = 0,
	};

	return reply->code / REPLY_CLASS == class[state];
}

void flight_answer(const struct flight *flight, const struct reply *mail,
		   const struct reply *transfer, struct sender_answer *answer)
{
	static const struct reply none = {.code = 0};

	begin_answer(flight, answer);
	for (size_t i = 0; i < answer->recipient_count; i++) {
		const struct reply *rcpt = transfer != NULL ? &flight->rcpt[i] : mail;
		const struct reply *which;
		enum sent_state state = reply_decide(rcpt, transfer != NULL ? transfer : &none,
						     flight->ended_data, &which);
		struct reply local;

		if (which == NULL)
			which = &none;
		if (!explains(which, state)) {
			local = unexpected(which);
			which = &local;
		}
		set_recipient(&answer->recipients[i], state, which);
	}
}

void flight_answer_lost(const struct flight *flight, const struct reason *why,
			struct sender_answer *answer)
{
	struct reply lost;

	reply_set_local(&lost, why->status, why->text);
	begin_answer(flight, answer);
	for (size_t i = 0; i < answer->recipient_count; i++) {
		const struct reply *which;
		enum sent_state state = reply_decide(&flight->rcpt[i], &flight->transfer,
						     flight->ended_data, &which);

		if (which == NULL || !explains(which, state))
			which = &lost;
		set_recipient(&answer->recipients[i], state, which);
	}
}
