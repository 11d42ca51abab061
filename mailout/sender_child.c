#include "mailout/sender_child.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/deadline.h"
#include "common/hostport.h"
#include "mailout/sender_check.h"
#include "mailout/sender_reply.h"
#include "mailout/sender_session.h"
#include "mailout/sender_tls.h"

enum {
	FD_PARENT = STDERR_FILENO + 1,
	HOST_PAUSE_MS = 60 * 1000, /* so long a host that failed is asked last */
	FOR_EVER = -1
};

struct host {
	struct hostport at;
	char *name;
	int64_t failed_ms; /* monotonic; 0: it has not */
	bool asked;        /* for the job in hand */
};

struct sender_child {
	const struct config *config;
	struct sender_shared *shared;
	struct frame_reader reader;
	GQueue given_back;
	bool ended; /* no more jobs will come */
	struct host *hosts;
	size_t host_count;
	struct sender_tls *tls;
};

/* ---- jobs ---- */

void sender_child_step(struct sender_child *child)
{
	atomic_fetch_add(&child->shared->steps, 1);
}

void sender_child_commit(struct sender_child *child, uint64_t serial)
{
	atomic_store(&child->shared->committing, serial);
}

void sender_child_give_back(struct sender_child *child, struct sender_job *job)
{
	g_queue_push_head(&child->given_back, job);
}

/* The parent reads, or it is gone: then so are we. */
static void write_all(const char *data, size_t size)
{
	while (size > 0) {
		ssize_t written = send(FD_PARENT, data, size, MSG_NOSIGNAL);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			_exit(EXIT_FAILURE);
		data += written;
		size -= (size_t)written;
	}
}

void sender_child_answer(struct sender_child *child, const struct sender_answer *answer)
{
	g_autoptr(GBytes) frame = frame_from_answer(answer);
	gsize size;
	const char *data = g_bytes_get_data(frame, &size);

	write_all(data, size);
	if (atomic_load(&child->shared->committing) == answer->serial)
		sender_child_commit(child, 0);
	sender_child_step(child);
}

/* The same for all its recipients. */
static void answer_alike(struct sender_child *child, const struct sender_job *job, bool tried,
			 enum sent_state state, const struct reply *reply)
{
	struct sender_answer answer = {
		.serial = job->serial,
		.tried = tried,
		.recipients = g_new0(struct sent_recipient, job->recipient_count),
		.recipient_count = job->recipient_count,
	};

	for (size_t i = 0; i < job->recipient_count; i++) {
		struct sent_recipient *recipient = &answer.recipients[i];

		recipient->state = state;
		recipient->code = reply->code;
		g_strlcpy(recipient->status, reply->status, sizeof(recipient->status));
		recipient->reply = g_strdup(reply->text);
	}
	sender_child_answer(child, &answer);
	sender_answer_clear(&answer);
}

/* True if libesmtp may have it; else it is answered. */
static bool check_job(struct sender_child *child, const struct sender_job *job)
{
	const char *fault = sender_message_fault(job->message, job->size);
	g_autofree char *text = NULL;
	const char *status = "5.6.0";
	struct reply reply;

	if (fault != NULL)
		text = g_strdup_printf("not sent: the message has %s", fault);
	if (job->mail_from[0] != '\0' && !sender_address_ok(job->mail_from)) {
		text = g_strdup("not sent: the envelope sender is no address");
		status = "5.1.7";
	}
	for (size_t i = 0; i < job->recipient_count && text == NULL; i++) {
		if (sender_address_ok(job->recipients[i]))
			continue;
		text = g_strdup_printf("not sent: recipient %zu is no address", i + 1);
		status = "5.1.3";
	}
	if (text == NULL)
		return true;
	reply_set_local(&reply, status, text);
	answer_alike(child, job, true, SENT_FAILED, &reply);
	return false;
}

/* The next one in the buffer that passes. */
static struct sender_job *next_received(struct sender_child *child)
{
	const char *frame;
	size_t size;

	while ((frame = frame_next(&child->reader, &size)) != NULL) {
		struct sender_job *job = frame_to_job(frame, size);

		sender_child_step(child);
		if (job == NULL)
			_exit(EXIT_FAILURE);
		if (check_job(child, job))
			return job;
		sender_job_free(job);
	}
	return NULL;
}

/* False when it is no use to wait any longer. */
static bool wait_for_bytes(struct deadline deadline, bool forever, int other)
{
	struct pollfd fds[] = {
		{.fd = FD_PARENT, .events = POLLIN},
		{.fd = other, .events = POLLIN},
	};

	for (;;) {
		int ready = poll(fds, G_N_ELEMENTS(fds),
				 forever ? FOR_EVER : deadline_left_ms(deadline));

		if (ready > 0)
			return fds[1].revents == 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0 && !deadline_passed(deadline))
			continue;
		return false;
	}
}

static void read_jobs(struct sender_child *child)
{
	enum frame_input input = frame_read(&child->reader, FD_PARENT);

	child->ended = input == FRAME_INPUT_ENDED || input == FRAME_INPUT_BROKEN;
}

struct sender_job *sender_child_next(struct sender_child *child, int64_t wait_ms, int other)
{
	struct deadline deadline = deadline_in(MAX(wait_ms, 0));
	struct sender_job *job = g_queue_pop_head(&child->given_back);

	while (job == NULL) {
		job = next_received(child);
		if (job != NULL || child->ended)
			break;
		if (!wait_for_bytes(deadline, wait_ms == FOR_EVER, other))
			break;
		read_jobs(child);
	}
	return job;
}

/* ---- sessions ---- */

/* What each session needs anew.  NULL with a reason. */
static char *read_password(const struct config *config, struct reason *reason)
{
	return config->smtp.name[0] != '\0'
		       ? config_password(&config->smtp, "smtp.password_file", reason)
		       : g_strdup("");
}

static bool make_tls(struct sender_child *child, struct reason *reason)
{
	const char *ca_file = child->config->smtp_tls_ca_file;

	if (child->config->smtp_tls != CONFIG_SMTP_TLS_STARTTLS || child->tls != NULL)
		return true;
	child->tls = sender_tls_new(ca_file[0] != '\0' ? ca_file : NULL, reason);
	return child->tls != NULL;
}

static void forget(char *password)
{
	if (password == NULL)
		return;
	explicit_bzero(password, strlen(password));
	g_free(password);
}

/* With this host.  Takes the job; it is given back if the result is false. */
static bool try_host(struct sender_child *child, struct host *host, struct sender_job *job,
		     struct session_failure *failure)
{
	*failure = (struct session_failure){.code = 0};
	char *password = read_password(child->config, &failure->reason);
	bool begun = false;

	if (password == NULL || !make_tls(child, &failure->reason))
		sender_child_give_back(child, job);
	else
		begun = sender_session_run(child, child->config, &host->at, child->tls, password,
					   job, failure);
	forget(password);
	host->failed_ms = begun ? 0 : monotonic_ms();
	return begun;
}

static bool is_paused(const struct host *host)
{
	return host->failed_ms != 0 && monotonic_ms() - host->failed_ms < HOST_PAUSE_MS;
}

static void add_failure(struct session_failure *all, const struct host *host,
			struct session_failure *one)
{
	reason_prefix(&one->reason, host->name);
	if (all->reason.text[0] == '\0') {
		*all = *one;
		return;
	}
	all->code = one->code;
	outcome_retry(&all->reason, one->reason.status, "%s; %s", all->reason.text,
		      one->reason.text);
}

/* Nothing of what is there now can be sent. */
static void answer_untried(struct sender_child *child, struct sender_job *job,
			   const struct session_failure *failure)
{
	struct reply reply;

	reply_set_local(&reply, failure->reason.status, failure->reason.text);
	reply.code = failure->code;
	while (job != NULL) {
		answer_alike(child, job, false, SENT_DEFERRED, &reply);
		sender_job_free(job);
		job = sender_child_next(child, 0, -1);
	}
}

/* Hosts that have failed lately come after the others. */
static void send_job(struct sender_child *child, struct sender_job *job)
{
	struct session_failure all = {.code = 0};

	for (size_t i = 0; i < child->host_count; i++)
		child->hosts[i].asked = false;
	for (int paused = 0; paused <= 1; paused++) {
		for (size_t i = 0; i < child->host_count; i++) {
			struct host *host = &child->hosts[i];
			struct session_failure one;

			if (host->asked || (!paused && is_paused(host)))
				continue;
			host->asked = true;
			if (try_host(child, host, job, &one))
				return;
			add_failure(&all, host, &one);
			job = g_queue_pop_head(&child->given_back);
		}
	}
	answer_untried(child, job, &all);
}

/* ---- the process ---- */

static void leave_parent_behind(int socket, int64_t parent)
{
	static const int ignored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != (pid_t)parent)
		_exit(EXIT_FAILURE);
	prctl(PR_SET_NAME, "mailout-sender");
	/* A service manager's signal reaches us, too: the parent tells us when to end. */
	for (size_t i = 0; i < G_N_ELEMENTS(ignored); i++)
		signal(ignored[i], SIG_IGN);
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(socket, FD_PARENT) < 0)
		_exit(EXIT_FAILURE);
	close_range(FD_PARENT + 1, ~0U, 0);
	/* libesmtp looks for keys and certificates at home. */
	setenv("HOME", "/nonexistent", true);
	unsetenv("XDG_CONFIG_DIR");
}

static bool parse_hosts(struct sender_child *child)
{
	char **hosts = child->config->smtp_hosts;

	child->host_count = g_strv_length(hosts);
	child->hosts = g_new0(struct host, child->host_count);
	for (size_t i = 0; i < child->host_count; i++) {
		if (!hostport_parse(&child->hosts[i].at, hosts[i], SENDER_SMTP_PORT))
			return false;
		child->hosts[i].name = hostport_text(&child->hosts[i].at);
	}
	return child->host_count > 0;
}

int sender_child_run(const struct config *config, int socket, struct sender_shared *shared,
		     int64_t parent)
{
	struct sender_child child = {
		.config = config,
		.shared = shared,
		.reader = {.frame_max = UINT32_MAX},
	};
	struct sender_job *job;

	leave_parent_behind(socket, parent);
	g_queue_init(&child.given_back);
	if (!parse_hosts(&child))
		return EXIT_FAILURE;
	sender_session_init();
	while ((job = sender_child_next(&child, FOR_EVER, -1)) != NULL)
		send_job(&child, job);
	return EXIT_SUCCESS;
}
