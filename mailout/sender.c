#include "mailout/sender.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/hostport.h"
#include "mailout/sender_child.h"
#include "mailout/sender_frame.h"

static const char STATUS[] = "4.3.0";

enum {
	ANSWER_MAX = 1024 * 1024, /* bytes; 1000 recipients with the longest reply */
	SOCKET_BUFFER = 1024 * 1024,
	MS_PER_S = 1000
};

/* A job that was handed over and whose result was not fetched. */
struct pending {
	uint64_t serial;
	struct id id;
	char **recipients;
	bool answered;
};

struct sender {
	pid_t pid;
	int pidfd;
	int fd; /* -1: the child is gone */
	struct sender_shared *shared;
	int64_t patience_ms;
	uint64_t last_serial;
	GQueue pending; /* struct pending, oldest first */
	GQueue frames;  /* GBytes to be written */
	size_t written; /* of the first one */
	bool finishing;
	struct frame_reader reader;
	GQueue answers; /* struct sender_answer */
	uint64_t steps; /* of the child, when it was looked at last */
	struct deadline hang;
};

/* ---- starting ---- */

static bool check_hosts(const struct config *config, struct reason *reason)
{
	for (char **host = config->smtp_hosts; *host != NULL; host++) {
		struct hostport parsed;

		if (!hostport_parse(&parsed, *host, SENDER_SMTP_PORT)) {
			outcome_retry(reason, "4.3.5", "smtp.hosts: \"%s\" is no host", *host);
			return false;
		}
		hostport_clear(&parsed);
	}
	return true;
}

static bool open_channel(struct sender *sender, int *theirs, struct reason *reason)
{
	static const int buffer = SOCKET_BUFFER;
	int pair[2];

	sender->shared = mmap(NULL, sizeof(*sender->shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sender->shared == MAP_FAILED) {
		sender->shared = NULL;
		outcome_retry(reason, STATUS, "no memory for a sender: %s", g_strerror(errno));
		return false;
	}
	if (socketpair(AF_UNIX, (int)SOCK_STREAM | (int)SOCK_CLOEXEC, 0, pair) != 0) {
		outcome_retry(reason, STATUS, "no socket for a sender: %s", g_strerror(errno));
		return false;
	}
	/* What it can be is the system's to limit. */
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	sender->fd = pair[0];
	*theirs = pair[1];
	return true;
}

struct sender *sender_start(const struct config *config, struct reason *reason)
{
	struct sender *sender = g_new0(struct sender, 1);
	pid_t parent = getpid();
	int theirs = -1;

	sender->pidfd = sender->fd = -1;
	sender->reader.frame_max = ANSWER_MAX;
	sender->patience_ms = config->smtp_timeout + SENDER_HANG_MS;
	g_queue_init(&sender->pending);
	g_queue_init(&sender->frames);
	g_queue_init(&sender->answers);
	if (!check_hosts(config, reason) || !open_channel(sender, &theirs, reason)) {
		sender_stop(&sender, deadline_in(0));
		return NULL;
	}
	sender->pid = fork();
	if (sender->pid == 0)
		_exit(sender_child_run(config, theirs, sender->shared, parent));
	int error = errno;

	close(theirs);
	if (sender->pid > 0) {
		sender->pidfd = pidfd_open(sender->pid, 0);
		error = errno;
	}
	if (sender->pidfd < 0) {
		outcome_retry(reason, STATUS, "no process for a sender: %s", g_strerror(error));
		sender_stop(&sender, deadline_in(0));
	}
	return sender;
}

/* ---- ending ---- */

static void pending_free(struct pending *pending)
{
	g_strfreev(pending->recipients);
	g_free(pending);
}

static void answer_free(struct sender_answer *answer)
{
	sender_answer_clear(answer);
	g_free(answer);
}

static void wait_for_end(const struct sender *sender, struct deadline deadline)
{
	struct pollfd ended = {.fd = sender->pidfd, .events = POLLIN};

	while (poll(&ended, 1, deadline_left_ms(deadline)) < 0 && errno == EINTR)
		;
}

/* After it, there is no child.  Its wait status, 0 if there was none. */
static int end_child(struct sender *sender, struct deadline deadline)
{
	int status = 0;

	if (sender->pidfd >= 0)
		wait_for_end(sender, deadline);
	if (sender->pid > 0) {
		kill(sender->pid, SIGKILL);
		while (waitpid(sender->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (sender->pidfd >= 0)
		close(sender->pidfd);
	sender->pid = 0;
	sender->pidfd = -1;
	return status;
}

static void close_channel(struct sender *sender)
{
	if (sender->fd >= 0)
		close(sender->fd);
	sender->fd = -1;
	g_queue_clear_full(&sender->frames, (GDestroyNotify)g_bytes_unref);
	sender->written = 0;
}

void sender_stop(struct sender **sender, struct deadline deadline)
{
	struct sender *old = *sender;

	if (old == NULL)
		return;
	sender_finish(old);
	end_child(old, deadline);
	close_channel(old);
	g_queue_clear_full(&old->pending, (GDestroyNotify)pending_free);
	g_queue_clear_full(&old->answers, (GDestroyNotify)answer_free);
	frame_reader_clear(&old->reader);
	if (old->shared != NULL)
		munmap(old->shared, sizeof(*old->shared));
	g_clear_pointer(sender, g_free);
}

void sender_finish(struct sender *sender)
{
	sender->finishing = true;
	if (sender->fd >= 0 && g_queue_is_empty(&sender->frames))
		shutdown(sender->fd, SHUT_WR);
}

/* ---- handing over ---- */

int sender_fd(const struct sender *sender)
{
	return sender->fd;
}

bool sender_wants_write(const struct sender *sender)
{
	return sender->fd >= 0 && !g_queue_is_empty((GQueue *)(uintptr_t)&sender->frames);
}

size_t sender_pending(const struct sender *sender)
{
	return sender->pending.length;
}

/* As much as the socket takes. */
static void write_frames(struct sender *sender)
{
	while (!g_queue_is_empty(&sender->frames)) {
		GBytes *frame = g_queue_peek_head(&sender->frames);
		gsize size;
		const char *data = g_bytes_get_data(frame, &size);
		ssize_t written = send(sender->fd, data + sender->written, size - sender->written,
				       MSG_DONTWAIT | MSG_NOSIGNAL);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) /* full, or the child is gone, which reading will show */
			return;
		sender->written += (size_t)written;
		if (sender->written < size)
			continue;
		g_bytes_unref(g_queue_pop_head(&sender->frames));
		sender->written = 0;
	}
	if (sender->finishing)
		sender_finish(sender);
}

static void be_patient(struct sender *sender)
{
	sender->steps = atomic_load(&sender->shared->steps);
	sender->hang = deadline_in(sender->patience_ms);
}

void sender_send(struct sender *sender, const struct id *id, const char *mail_from,
		 const char *const *recipients, size_t recipient_count, const void *message,
		 size_t size)
{
	struct pending *pending = g_new0(struct pending, 1);

	pending->serial = ++sender->last_serial;
	pending->id = *id;
	pending->recipients = g_new0(char *, recipient_count + 1);
	for (size_t i = 0; i < recipient_count; i++)
		pending->recipients[i] = g_strdup(recipients[i]);
	if (g_queue_is_empty(&sender->pending))
		be_patient(sender);
	g_queue_push_tail(&sender->pending, pending);
	if (sender->fd < 0)
		return;
	g_queue_push_tail(&sender->frames, frame_from_job(pending->serial, mail_from, recipients,
							  recipient_count, message, size));
	write_frames(sender);
}

/* ---- results ---- */

static GList *find_pending(const struct sender *sender, uint64_t serial)
{
	for (GList *l = sender->pending.head; l != NULL; l = l->next) {
		if (((const struct pending *)l->data)->serial == serial)
			return l;
	}
	return NULL;
}

/* False if the child talks nonsense. */
static bool take_answers(struct sender *sender)
{
	const char *frame;
	size_t size;

	while ((frame = frame_next(&sender->reader, &size)) != NULL) {
		struct sender_answer answer;

		if (!frame_to_answer(&answer, frame, size))
			return false;
		const GList *found = find_pending(sender, answer.serial);
		struct pending *pending = found != NULL ? found->data : NULL;

		if (pending == NULL || pending->answered ||
		    g_strv_length(pending->recipients) != answer.recipient_count) {
			sender_answer_clear(&answer);
			return false;
		}
		pending->answered = true;
		g_queue_push_tail(&sender->answers, g_memdup2(&answer, sizeof(answer)));
	}
	return true;
}

/* All that the child has said by now. */
static enum frame_input read_answers(struct sender *sender)
{
	enum frame_input input;

	do {
		input = frame_read(&sender->reader, sender->fd);
		if (!take_answers(sender))
			return FRAME_INPUT_BROKEN;
	} while (input == FRAME_INPUT_BYTES);
	return input;
}

/* What a child that is gone has left unanswered. */
static void answer_for_it(struct sender *sender, const struct reason *reason)
{
	uint64_t committing = atomic_load(&sender->shared->committing);

	for (const GList *l = sender->pending.head; l != NULL; l = l->next) {
		struct pending *pending = l->data;
		struct sender_answer *answer;

		if (pending->answered)
			continue;
		pending->answered = true;
		answer = g_new0(struct sender_answer, 1);
		answer->serial = pending->serial;
		answer->tried = pending->serial == committing;
		answer->recipient_count = g_strv_length(pending->recipients);
		answer->recipients = g_new0(struct sent_recipient, answer->recipient_count);
		for (size_t i = 0; i < answer->recipient_count; i++) {
			struct sent_recipient *to = &answer->recipients[i];

			to->state = answer->tried ? SENT_IN_DOUBT : SENT_DEFERRED;
			g_strlcpy(to->status, reason->status, sizeof(to->status));
			to->reply = g_strdup(reason->text);
		}
		g_queue_push_tail(&sender->answers, answer);
	}
}

static void bury(struct sender *sender, struct deadline deadline, const char *why,
		 struct reason *reason)
{
	int status = end_child(sender, deadline);

	/* Between our last look and its end it may have answered. */
	(void)read_answers(sender);
	close_channel(sender);
	if (why != NULL)
		outcome_retry(reason, STATUS, "%s", why);
	else if (WIFSIGNALED(status))
		outcome_retry(reason, STATUS, "the sender was killed by SIG%s",
			      sigabbrev_np(WTERMSIG(status)));
	else
		outcome_retry(reason, STATUS, "the sender ended with status %d",
			      WEXITSTATUS(status));
}

static bool is_hanging(struct sender *sender)
{
	if (g_queue_is_empty(&sender->pending))
		return false;
	if (atomic_load(&sender->shared->steps) != sender->steps) {
		be_patient(sender);
		return false;
	}
	return deadline_passed(sender->hang);
}

/* False with a reason: the child is gone. */
static bool look_after(struct sender *sender, struct reason *reason)
{
	enum frame_input input;

	if (sender->fd < 0) {
		outcome_retry(reason, STATUS, "the sender is gone");
		return false;
	}
	write_frames(sender);
	input = read_answers(sender);
	if (input == FRAME_INPUT_ENDED) {
		bury(sender, deadline_in(SENDER_HANG_MS), NULL, reason);
		return false;
	}
	if (input == FRAME_INPUT_BROKEN) {
		bury(sender, deadline_in(0), "the sender talks nonsense", reason);
		return false;
	}
	if (!is_hanging(sender))
		return true;
	g_autofree char *why = g_strdup_printf("the sender made no step for %lld s and was killed",
					       (long long)sender->patience_ms / MS_PER_S);

	bury(sender, deadline_in(0), why, reason);
	return false;
}

bool sender_pump(struct sender *sender, struct reason *reason)
{
	struct reason why;

	if (look_after(sender, &why))
		return true;
	answer_for_it(sender, &why);
	if (reason != NULL)
		*reason = why;
	return false;
}

bool sender_result(struct sender *sender, struct sent *sent)
{
	struct sender_answer *answer = g_queue_pop_head(&sender->answers);

	if (answer == NULL)
		return false;
	GList *found = find_pending(sender, answer->serial);
	struct pending *pending = found->data;

	g_queue_delete_link(&sender->pending, found);
	*sent = (struct sent){
		.id = pending->id,
		.tried = answer->tried,
		.recipients = answer->recipients,
		.recipient_count = answer->recipient_count,
	};
	for (size_t i = 0; i < sent->recipient_count; i++)
		sent->recipients[i].email = g_steal_pointer(&pending->recipients[i]);
	/* g_strfreev() would stop at the first that was taken. */
	g_free(pending->recipients);
	g_free(pending);
	g_free(answer);
	return true;
}

void sent_clear(struct sent *sent)
{
	for (size_t i = 0; i < sent->recipient_count; i++) {
		g_free(sent->recipients[i].email);
		g_free(sent->recipients[i].reply);
	}
	g_free(sent->recipients);
	*sent = (struct sent){.tried = false};
}
