/*
 * libesmtp sends the messages of its list and then says QUIT.  To send what arrives later in the
 * same session, the next message is added to the list from inside its callbacks: at the reply to
 * MAIL if it is there already, and at the end of a message, where we wait for it.  All of this file
 * is callbacks of smtp_start_session().
 */
#include "mailout/sender_session.h"

#include <auth-client.h>
#include <errno.h>
#include <glib.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Behind openssl/ssl.h, or it hides smtp_starttls_set_ctx(). */
#include <libesmtp.h>

#include "common/deadline.h"
#include "common/watchdog.h"
#include "mailout/sender_flight.h"
#include "mailout/sender_monitor.h"
#include "mailout/sender_socket.h"

enum {
	CONNECT_TIMEOUT_MS = 10 * 1000,
	QUIT_TIMEOUT_MS = 2 * 1000,
	/* A message may take so many times smtp.timeout in all: no trickle of bytes holds a session
	   for ever. */
	MESSAGE_TIMEOUTS = 10,
	/* What libesmtp is given at once, and has smtp.timeout to get rid of. */
	BLOCK_SIZE = 16 * 1024,
	/* libesmtp writes 2 KB at a time: more than two of them are worth collecting. */
	CORK_MIN = 4 * 1024,
	/* Our watchdog is first: when a write of libesmtp times out, it drops those bytes and goes
	   on. */
	LIBRARY_TIMEOUT_FACTOR = 2,
	HOST_NAME_SIZE = 256,
	AUTH_TEXT_MAX = 255, /* client-plain.c copies into a buffer for that much */
	MS_PER_S = 1000
};

struct session {
	struct sender_child *child;
	const struct config *config;
	const char *password;
	smtp_session_t esmtp;
	auth_context_t auth;
	struct monitor monitor;
	int fd;
	struct deadline end;         /* no new message after it */
	struct deadline message_end; /* the message in hand is given up */
	struct deadline limit;       /* of what the server is doing; at_ms 0: of nothing */
	GQueue flights;              /* in libesmtp's list and not answered */
	int64_t messages;            /* that were put there */
	bool begun;                  /* the server has taken note of a message */
	bool timed_out;
	bool no_starttls;
};

/* ---- the clock ---- */

static void note_time(struct session *session)
{
	if (session->limit.at_ms != 0 && deadline_passed(session->limit))
		session->timed_out = true;
	session->limit.at_ms = 0;
}

/* Something has happened or is about to: the server has its time from now on. */
static void step(struct session *session, int64_t time_ms)
{
	sender_child_step(session->child);
	note_time(session);
	if (session->fd < 0)
		return;
	session->limit = deadline_earlier(deadline_in(time_ms), session->message_end);
	if (!watchdog_arm(session->fd, session->limit))
		shutdown(session->fd, SHUT_RDWR);
}

static void step_usual(struct session *session)
{
	step(session, session->config->smtp_timeout);
}

static void rest(struct session *session)
{
	watchdog_disarm();
	note_time(session);
}

static void new_message_time(struct session *session)
{
	session->message_end = deadline_in(session->config->smtp_timeout * MESSAGE_TIMEOUTS);
}

/* ---- messages ---- */

static struct reply reply_from(const smtp_status_t *status)
{
	struct reply reply = {.code = 0};

	if (status != NULL)
		reply_set(&reply, status->code, status->text);
	return reply;
}

/* libesmtp reads a message.  It takes an errno that is left behind for a failure to read. */
static const char *on_read(void **context, int *size, void *argument)
{
	struct flight *flight = argument;
	struct session *session = flight->session;
	size_t left = flight->job->size - flight->sent;
	const char *block = flight->job->message + flight->sent;

	(void)context;
	if (size == NULL) {
		flight->sent = 0;
		flight->began_data = true;
		if (flight->job->size > CORK_MIN)
			sender_socket_cork(session->fd, true);
		errno = 0;
		return NULL;
	}
	*size = (int)MIN(left, (size_t)BLOCK_SIZE);
	flight->sent += (size_t)*size;
	step_usual(session);
	if (*size == 0 && !flight->ended_data) {
		/* Only the dot is missing.  Through a dead connection it will not go. */
		if (flight->job->size > CORK_MIN)
			sender_socket_cork(session->fd, false);
		monitor_message_end(&session->monitor);
		flight->ended_data = !sender_socket_is_dead(session->fd);
		if (flight->ended_data)
			sender_child_commit(session->child, flight->job->serial);
	}
	errno = 0;
	return block;
}

/* Takes the job. */
static void add_message(struct session *session, struct sender_job *job)
{
	struct flight *flight = flight_new(session, job);
	smtp_message_t message = smtp_add_message(session->esmtp);

	if (message == NULL || !smtp_set_reverse_path(message, job->mail_from) ||
	    !smtp_size_set_estimate(message, job->size) ||
	    !smtp_set_messagecb(message, on_read, flight))
		g_error("libesmtp: out of memory");
	smtp_message_set_application_data_release(message, flight, NULL);
	for (size_t i = 0; i < job->recipient_count; i++) {
		smtp_recipient_t recipient = smtp_add_recipient(message, job->recipients[i]);

		if (recipient == NULL)
			g_error("libesmtp: out of memory");
		smtp_recipient_set_application_data_release(recipient, &flight->rcpt[i], NULL);
	}
	g_queue_push_tail(&session->flights, flight);
	session->messages++;
}

/* One message is always in hand here; another one behind it is enough. */
static void add_next(struct session *session, int64_t wait_ms)
{
	if (session->flights.length > 1 || (wait_ms > 0 && session->flights.length > 0) ||
	    session->messages >= session->config->smtp_session_messages ||
	    deadline_passed(session->end) || session->monitor.faulty)
		return;
	struct sender_job *job =
		sender_child_next(session->child, wait_ms, wait_ms > 0 ? session->fd : -1);

	if (job != NULL)
		add_message(session, job);
}

static void wait_for_next(struct session *session)
{
	rest(session);
	add_next(session, SENDER_IDLE_MS);
	new_message_time(session);
	step_usual(session);
}

static void answer(struct session *session, struct flight *flight, const struct reply *mail,
		   const struct reply *transfer)
{
	struct sender_answer answer;

	flight_answer(flight, mail, transfer, &answer);
	sender_child_answer(session->child, &answer);
	sender_answer_clear(&answer);
	g_queue_remove(&session->flights, flight);
	flight_free(flight);
	session->begun = true;
}

static void on_mail(struct session *session, smtp_message_t message)
{
	struct flight *flight = smtp_message_get_application_data(message);

	flight->mail = reply_from(smtp_reverse_path_status(message));
	if (flight->mail.code == REPLY_CLOSING)
		return;
	if (flight->mail.code / REPLY_CLASS == REPLY_DONE) {
		add_next(session, 0);
		return;
	}
	answer(session, flight, &flight->mail, NULL);
	wait_for_next(session);
}

static void on_recipient(smtp_recipient_t recipient)
{
	struct reply *reply = smtp_recipient_get_application_data(recipient);

	*reply = reply_from(smtp_recipient_status(recipient));
}

static void on_sent(struct session *session, smtp_message_t message)
{
	struct flight *flight = smtp_message_get_application_data(message);
	struct reply transfer = reply_from(smtp_message_transfer_status(message));
	bool ended_data = flight->ended_data;

	/* The server leaves before it has looked at the message. */
	if (!ended_data && transfer.code == REPLY_CLOSING) {
		flight->transfer = transfer;
		return;
	}
	answer(session, flight, &flight->mail, &transfer);
	/* After a refused DATA libesmtp has decided already what comes next: what add_next() has
	 * put there, or QUIT. */
	if (ended_data)
		wait_for_next(session);
}

/* ---- libesmtp's callbacks ---- */

static void on_connect(struct session *session)
{
	session->fd = sender_socket_taken();
	/* Impossible unless connect(2) is not ours any more; then no time limit holds either. */
	if (session->fd < 0)
		g_error("libesmtp does not use our connect()");
	step_usual(session);
}

/* NOLINTBEGIN(clang-analyzer-valist.Uninitialized): on_event() has initialized it. */
static void take_event(struct session *session, int event, va_list list)
{
	switch (event) {
	case SMTP_EV_CONNECT:
		on_connect(session);
		break;
	case SMTP_EV_MAILSTATUS:
		(void)va_arg(list, const char *);
		step_usual(session);
		on_mail(session, va_arg(list, smtp_message_t));
		break;
	case SMTP_EV_RCPTSTATUS:
		(void)va_arg(list, const char *);
		step_usual(session);
		on_recipient(va_arg(list, smtp_recipient_t));
		break;
	case SMTP_EV_MESSAGESENT:
		on_sent(session, va_arg(list, smtp_message_t));
		break;
	case SMTP_EV_DISCONNECT:
		rest(session);
		session->fd = -1;
		break;
	case SMTP_EV_EXTNA_STARTTLS:
		session->no_starttls = true;
		break;
	case SMTP_EV_STARTTLS_OK:
		session->monitor.tls = true;
		break;
	case SMTP_EV_WRONG_PEER_CERTIFICATE:
		/* It knows no addresses and asks the name after following CNAMEs.  OpenSSL has
		   verified the right one, or there would be no connection. */
		*va_arg(list, int *) = 1;
		break;
	default:
		break;
	}
}

/* NOLINTEND(clang-analyzer-valist.Uninitialized) */

static void on_event(smtp_session_t esmtp, int event, void *argument, ...)
{
	va_list list;

	(void)esmtp;
	va_start(list, argument);
	take_event(argument, event, list);
	va_end(list);
}

static void on_bytes(const char *data, int size, int writing, void *argument)
{
	struct session *session = argument;
	bool go_on;

	if (writing) {
		go_on = monitor_write(&session->monitor, data, (size_t)size);
		step(session, session->monitor.phase == MONITOR_QUIT
				      ? QUIT_TIMEOUT_MS
				      : session->config->smtp_timeout);
	} else {
		/* It is libesmtp's own buffer, before it reads it. */
		go_on = monitor_read(&session->monitor, (char *)(uintptr_t)data, (size_t)size);
	}
	if (!go_on)
		shutdown(session->fd, SHUT_RDWR);
}

/* It asks for user and password, in this order; NTLM asks for a domain first and gets nothing. */
static int on_auth(auth_client_request_t request, char **result, int fields, void *argument)
{
	const struct session *session = argument;

	for (int i = 0; i < fields; i++) {
		if (request[i].flags & AUTH_USER)
			result[i] = session->config->smtp.name;
		else if (request[i].flags & AUTH_PASS)
			result[i] = (char *)(uintptr_t)session->password;
		else
			return 0;
	}
	return 1;
}

/* ---- setting up ---- */

static bool setup_auth(struct session *session, struct reason *reason)
{
	const char *user = session->config->smtp.name;

	if (user[0] == '\0')
		return true;
	if (strlen(user) > AUTH_TEXT_MAX || strlen(session->password) > AUTH_TEXT_MAX) {
		outcome_retry(reason, "4.7.0", "smtp.user or its password is longer than %d bytes",
			      AUTH_TEXT_MAX);
		return false;
	}
	session->monitor.wants_auth = true;
	session->auth = auth_create_context();
	auth_set_mechanism_flags(session->auth, AUTH_PLUGIN_PLAIN, 0);
	auth_set_interact_cb(session->auth, on_auth, session);
	smtp_auth_set_context(session->esmtp, session->auth);
	return true;
}

static bool setup_helo(struct session *session, struct reason *reason)
{
	char own[HOST_NAME_SIZE] = "";
	const char *name = session->config->smtp_helo;

	if (name[0] == '\0') {
		gethostname(own, sizeof(own) - 1);
		name = own;
	}
	for (const char *p = name; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || p - name >= HOST_NAME_SIZE) {
			outcome_retry(reason, "4.3.5", "smtp.helo is no host name");
			return false;
		}
	}
	smtp_set_hostname(session->esmtp, name[0] != '\0' ? name : "localhost");
	return true;
}

static bool setup_tls(struct session *session, struct sender_tls *tls, const struct hostport *host,
		      struct reason *reason)
{
	if (tls == NULL) {
		smtp_starttls_enable(session->esmtp, Starttls_DISABLED);
		return true;
	}
	session->monitor.wants_tls = true;
	if (!sender_tls_expect(tls, host)) {
		outcome_retry(reason, "4.7.5", "TLS: out of memory");
		return false;
	}
	smtp_starttls_set_ctx(session->esmtp, sender_tls_context(tls));
	smtp_starttls_enable(session->esmtp, Starttls_REQUIRED);
	return true;
}

static void setup_timeouts(struct session *session)
{
	static const int which[] = {Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA,
				    Timeout_TRANSFER, Timeout_DATA2};

	/* Milliseconds, whatever its manual says. */
	for (size_t i = 0; i < G_N_ELEMENTS(which); i++)
		smtp_set_timeout(session->esmtp, which[i] | Timeout_OVERRIDE_RFC2822_MINIMUM,
				 (long)session->config->smtp_timeout * LIBRARY_TIMEOUT_FACTOR);
}

static bool connect_to(struct session *session, const struct hostport *host, struct reason *reason)
{
	int64_t time = MIN(session->config->smtp_timeout, (int64_t)CONNECT_TIMEOUT_MS);
	int fd = sender_socket_dial(host, deadline_in(time), reason);

	if (fd < 0)
		return false;
	if (session->monitor.wants_auth && !session->monitor.wants_tls &&
	    !sender_socket_is_local(fd)) {
		outcome_retry(reason, "4.7.0",
			      "no password goes over an unencrypted connection (smtp.tls)");
		close(fd);
		return false;
	}
	sender_socket_offer(fd);
	return true;
}

static bool setup(struct session *session, const struct hostport *host, struct sender_tls *tls,
		  struct reason *reason)
{
	/* A numeric address of its own: it has nothing to look up. */
	smtp_set_server(session->esmtp, "127.0.0.1:25");
	smtp_set_eventcb(session->esmtp, on_event, session);
	smtp_set_monitorcb(session->esmtp, on_bytes, session, 0);
	setup_timeouts(session);
	return setup_helo(session, reason) && setup_auth(session, reason) &&
	       setup_tls(session, tls, host, reason) && connect_to(session, host, reason);
}

/* ---- the end ---- */

/* Why there is no connection any more. */
static void explain(struct session *session, const struct sender_tls *tls,
		    struct session_failure *failure)
{
	const struct reply *last = &session->monitor.last;
	struct reason *reason = &failure->reason;
	char error[REASON_TEXT_MAX];

	if (session->monitor.faulty) {
		*reason = session->monitor.fault;
		failure->code = last->code;
	} else if (session->timed_out) {
		outcome_retry(reason, "4.4.2", "no answer within %lld s",
			      (long long)session->config->smtp_timeout / MS_PER_S);
	} else if (tls != NULL && sender_tls_distrust(tls) != NULL) {
		outcome_retry(reason, "4.7.5", "the server's certificate is not trusted: %s",
			      sender_tls_distrust(tls));
	} else if (session->no_starttls) {
		outcome_retry(reason, "4.7.0", "the server does not offer STARTTLS");
	} else if (last->code == REPLY_CLOSING ||
		   (last->code != 0 && !session->monitor.mail_begun)) {
		failure->code = last->code;
		outcome_retry(reason, "4.3.2", "%d %s%s%s", last->code, last->status,
			      last->status[0] != '\0' ? " " : "", last->text);
	} else if (session->monitor.phase == MONITOR_STARTTLS) {
		outcome_retry(reason, "4.7.5", "the TLS handshake failed");
	} else {
		outcome_retry(reason, "4.4.2", "the connection was lost (%s)",
			      smtp_strerror(smtp_errno(), error, sizeof(error)));
	}
}

/* What has not been answered: in doubt, given back, or not tried. */
static void settle(struct session *session, const struct session_failure *failure)
{
	struct flight *flight;
	bool reused = session->begun;

	/* From the last one on, so that they are given back in their order. */
	while ((flight = g_queue_pop_tail(&session->flights)) != NULL) {
		struct sender_answer answer;

		if (!flight_is_begun(flight) || (reused && !flight->ended_data)) {
			sender_child_give_back(session->child, flight_take_job(flight));
		} else {
			flight_answer_lost(flight, &failure->reason, &answer);
			sender_child_answer(session->child, &answer);
			sender_answer_clear(&answer);
			session->begun = true;
		}
		flight_free(flight);
	}
}

void sender_session_init(void)
{
	auth_client_init();
}

bool sender_session_run(struct sender_child *child, const struct config *config,
			const struct hostport *host, struct sender_tls *tls, const char *password,
			struct sender_job *job, struct session_failure *failure)
{
	struct session session = {
		.child = child,
		.config = config,
		.password = password,
		.fd = -1,
		.end = deadline_in(config->smtp_session_time),
	};

	g_queue_init(&session.flights);
	monitor_init(&session.monitor);
	session.esmtp = smtp_create_session();
	if (session.esmtp == NULL)
		g_error("libesmtp: out of memory");
	sender_child_step(child);
	if (setup(&session, host, tls, &failure->reason)) {
		new_message_time(&session);
		add_message(&session, job);
		job = NULL;
		smtp_start_session(session.esmtp);
		sender_socket_offer(-1);
		explain(&session, tls, failure);
	}
	settle(&session, failure);
	if (job != NULL)
		sender_child_give_back(child, job);
	smtp_destroy_session(session.esmtp);
	if (session.auth != NULL)
		auth_destroy_context(session.auth);
	return session.begun;
}
