#include "mailout/direct.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/deadline.h"
#include "common/log.h"
#include "common/stop.h"
#include "mailout/build.h"
#include "mailout/prepare.h"
#include "mailout/sender.h"

#define PROGRAM "mailout"

enum {
	MS_PER_SECOND = 1000,
	TICK_MS = 1000,   /* as sender_pump() wants it */
	GOODBYE_MS = 500, /* for QUIT, when all is said */
	LINGER_MS = 0,    /* none, when it failed */
};

/* ---- from standard input to a message ---- */

/* All of standard input, up to one byte more than a request may have. */
static GByteArray *read_request(const struct config *config)
{
	GByteArray *body = g_byte_array_new();
	size_t most = (size_t)config->limits.request_size + 1;
	unsigned char piece[BUFSIZ];
	ssize_t size = 1;

	while (size > 0 && body->len < most && stop_requested() == 0) {
		size = read(STDIN_FILENO, piece, MIN(sizeof(piece), most - body->len));
		if (size < 0 && errno == EINTR)
			size = 1;
		else if (size > 0)
			g_byte_array_append(body, piece, (guint)size);
	}
	return body;
}

static void complain(const char *text, void *context)
{
	(void)context;
	fprintf(stderr, PROGRAM ": %s\n", text);
}

static int complain_of(enum outcome outcome, const struct reason *reason)
{
	fprintf(stderr, PROGRAM ": %s %s\n", reason->status, reason->text);
	return outcome == OUTCOME_REJECT ? EX_DATAERR : EX_TEMPFAIL;
}

/* Nothing is fetched: there is no database here. */
static bool has_stored(const struct request *request, struct reason *reason)
{
	for (size_t i = 0; i < request->attachment_count; i++) {
		if (!request->attachments[i].is_stored)
			continue;
		outcome_reject(reason, "5.6.0",
			       "Attachments[%zu]: no stored attachment is fetched without the "
			       "pipeline",
			       i);
		return true;
	}
	if (request->has_thread)
		outcome_reject(reason, "5.6.0",
			       "ReplyTo.Thread: no thread is looked up without the pipeline");
	return request->has_thread;
}

/* The request is filled in and needs request_free() in any case. */
static enum outcome make_message(const struct config *config, struct request **request,
				 struct prepared *prepared, struct reason *reason)
{
	g_autoptr(GByteArray) body = read_request(config);
	enum outcome outcome = OUTCOME_REJECT;

	build_init();
	*request = request_new((const char *)body->data, body->len, NULL, config->streams[0].name,
			       config, reason);
	if (*request == NULL)
		return outcome;
	if (!(*request)->has_id)
		id_new(&(*request)->id);
	if (!has_stored(*request, reason)) {
		struct template_set *templates = prepare_templates(config, complain, NULL);

		outcome = prepare(config, templates, *request, realtime_ms() / MS_PER_SECOND,
				  prepared, reason);
		template_set_free(&templates);
	}
	return outcome;
}

int direct_show(const struct config *config)
{
	struct prepared prepared = {0};
	struct request *request = NULL;
	struct reason reason = {0};
	int status = EX_DATAERR;

	if (make_message(config, &request, &prepared, &reason) == OUTCOME_OK) {
		gsize size;
		const void *message = g_bytes_get_data(prepared.message, &size);

		status = fwrite(message, 1, size, stdout) == size && fflush(stdout) == 0 ? EX_OK
											 : EX_IOERR;
	} else {
		complain_of(OUTCOME_REJECT, &reason);
	}
	prepared_clear(&prepared);
	request_free(&request);
	return status;
}

/* ---- sending ---- */

/* What would have to wait, or is too late, is none of this way's business. */
static enum outcome check_times(const struct request *request, struct reason *reason)
{
	int64_t now_s = realtime_ms() / MS_PER_SECOND;

	if (request->send_at > now_s)
		return outcome_reject(reason, "5.6.0", "SendAt: what is sent directly cannot wait");
	if (request->expires_at > 0 && now_s >= request->expires_at)
		return outcome_reject(reason, "5.4.7", "ExpiresAt: has passed");
	return OUTCOME_OK;
}

static const char *event_of(enum sent_state state)
{
	static const char *const names[] = {
		[SENT_OK] = "sent",
		[SENT_DEFERRED] = "deferred",
		[SENT_FAILED] = "failed",
		[SENT_IN_DOUBT] = "in-doubt",
	};

	return names[state];
}

static void tell_recipient(const struct id *id, const struct sent_recipient *recipient)
{
	char text[ID_TEXT_SIZE];
	bool fine = recipient->state == SENT_OK;
	const char *event = event_of(recipient->state);
	struct log_line *line =
		log_event(fine ? LOG_INFO : LOG_WARNING, NULL, id_text(id, text), event);

	log_str(line, "stream", "direct");
	log_str(line, "to", recipient->email);
	if (recipient->code != 0)
		log_num(line, "code", recipient->code);
	if (recipient->status[0] != '\0')
		log_str(line, "dsn", recipient->status);
	if (recipient->reply != NULL)
		log_str(line, "reply", recipient->reply);
	log_end(line);
	if (!fine)
		fprintf(stderr, PROGRAM ": %s %s: %s %s\n", event, recipient->email,
			recipient->status, recipient->reply != NULL ? recipient->reply : "");
}

/* A repetition would go to those, too, who have it: "try again" only if nobody does. */
static int tell_result(const struct sent *sent)
{
	size_t sent_to = 0;
	size_t failed = 0;

	for (size_t i = 0; i < sent->recipient_count; i++) {
		tell_recipient(&sent->id, &sent->recipients[i]);
		sent_to += sent->recipients[i].state == SENT_OK;
		failed += sent->recipients[i].state == SENT_FAILED;
	}
	if (sent_to == sent->recipient_count)
		return EX_OK;
	return sent_to > 0 || failed == sent->recipient_count ? EX_UNAVAILABLE : EX_TEMPFAIL;
}

/* Until there is a result.  A child that is gone gives one, too. */
static bool wait_for_result(struct sender *sender, struct sent *sent, struct reason *reason)
{
	while (stop_requested() == 0) {
		struct pollfd fds[] = {{.fd = sender_fd(sender), .events = POLLIN},
				       {.fd = stop_fd(), .events = POLLIN}};

		if (sender_wants_write(sender))
			fds[0].events |= POLLOUT;
		poll(fds, G_N_ELEMENTS(fds), TICK_MS);
		bool alive = sender_pump(sender, reason);

		if (sender_result(sender, sent))
			return true;
		if (!alive)
			return false;
	}
	outcome_retry(reason, "4.3.2", "stopped");
	return false;
}

static int send_message(const struct config *config, const struct request *request,
			const struct prepared *prepared, struct reason *reason)
{
	const char *from = request_mail_from(request, config);
	g_auto(GStrv) recipients = request_recipients(request);
	struct sender *sender = sender_start(config, reason);
	struct sent sent = {.recipients = NULL};
	int status = EX_TEMPFAIL;
	gsize size;
	const void *message = g_bytes_get_data(prepared->message, &size);

	if (sender == NULL)
		return complain_of(OUTCOME_RETRY, reason);
	sender_send(sender, &request->id, from, (const char *const *)recipients,
		    g_strv_length(recipients), message, size);
	sender_finish(sender);
	if (wait_for_result(sender, &sent, reason))
		status = tell_result(&sent);
	else
		complain_of(OUTCOME_RETRY, reason);
	sent_clear(&sent);
	sender_stop(&sender, deadline_in(status == EX_OK ? GOODBYE_MS : LINGER_MS));
	return status;
}

int direct_send(const struct config *config)
{
	struct prepared prepared = {0};
	struct request *request = NULL;
	struct reason reason = {0};
	enum outcome outcome = make_message(config, &request, &prepared, &reason);
	int status = EX_OK;

	if (outcome == OUTCOME_OK)
		outcome = check_times(request, &reason);
	if (outcome != OUTCOME_OK)
		status = complain_of(outcome, &reason);
	else if (!request->dry_run)
		status = send_message(config, request, &prepared, &reason);
	prepared_clear(&prepared);
	request_free(&request);
	return status;
}
