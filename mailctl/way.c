#include "mailctl/way.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/deadline.h"
#include "common/stop.h"

enum {
	SIGNAL_BASE = 128,
	SAID_MAX = 300,      /* bytes */
	KILL_WAIT_MS = 2000, /* for the end of what was killed; a process that hangs in the kernel
				is left alone then */
	TICK_MS = 500,       /* how soon the second stop signal is seen */
};

struct runner {
	struct way *way;
	pid_t pid;  /* 0: it has ended */
	int pid_fd; /* readable when it has */
	int errors; /* its standard error, or -1 */
	GString *said;
};

static int memory_file(const char *text)
{
	size_t size = strlen(text);
	int fd = memfd_create("alert", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, text, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void become(const struct way *way, int input, int errors)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	for (const char *const *variable = way->environment; variable != NULL && *variable != NULL;
	     variable++)
		putenv((char *)(uintptr_t)*variable);
	if (null >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0 &&
	    dup2(errors, STDERR_FILENO) >= 0)
		execvp(way->argv[0], (char *const *)(uintptr_t)way->argv);
	dprintf(errors, "%s: %s", way->argv[0], strerror(errno));
	_exit(WAY_NOT_STARTED);
}

static void start(struct runner *runner, struct way *way)
{
	int errors[2] = {-1, -1};
	int input = memory_file(way->input);

	*runner =
		(struct runner){.way = way, .pid_fd = -1, .errors = -1, .said = g_string_new(NULL)};
	way->status = WAY_NOT_STARTED;
	if (input >= 0 && pipe2(errors, O_CLOEXEC) == 0 &&
	    fcntl(errors[0], F_SETFL, O_NONBLOCK) == 0)
		runner->pid = fork();
	else
		runner->pid = -1;
	if (runner->pid == 0)
		become(way, input, errors[1]);
	if (runner->pid > 0) {
		setpgid(runner->pid, runner->pid); /* whoever of both is first */
		runner->pid_fd = pidfd_open(runner->pid, 0);
		runner->errors = errors[0];
	} else {
		g_string_printf(runner->said, "cannot start %s: %s", way->argv[0],
				g_strerror(errno));
		runner->pid = 0;
		if (errors[0] >= 0)
			close(errors[0]);
	}
	if (errors[1] >= 0)
		close(errors[1]);
	if (input >= 0)
		close(input);
}

/* What it says is read and thrown away beyond the end that is kept, or it would block. */
static void listen_to(struct runner *runner)
{
	char piece[BUFSIZ];
	ssize_t size = 0;

	while (runner->errors >= 0 && (size = read(runner->errors, piece, sizeof(piece))) > 0) {
		g_string_append_len(runner->said, piece, size);
		if (runner->said->len > SAID_MAX)
			g_string_erase(runner->said, 0, (gssize)(runner->said->len - SAID_MAX));
	}
	if (runner->errors >= 0 && size == 0) {
		close(runner->errors);
		runner->errors = -1;
	}
}

static void reap(struct runner *runner)
{
	int status;

	if (runner->pid == 0 || waitpid(runner->pid, &status, WNOHANG) != runner->pid)
		return;
	runner->pid = 0;
	runner->way->status =
		WIFEXITED(status) ? WEXITSTATUS(status) : SIGNAL_BASE + WTERMSIG(status);
}

static size_t running(const struct runner *runners, size_t count)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += runners[i].pid != 0;
	return found;
}

static void wait_a_bit(struct runner *runners, size_t count, struct deadline deadline)
{
	g_autofree struct pollfd *fds = g_new0(struct pollfd, 2 * count);

	for (size_t i = 0; i < count; i++) {
		bool runs = runners[i].pid != 0;

		/* Without a descriptor of the process the tick serves. */
		fds[2 * i] = (struct pollfd){.fd = runs ? runners[i].pid_fd : -1, .events = POLLIN};
		fds[2 * i + 1] =
			(struct pollfd){.fd = runs ? runners[i].errors : -1, .events = POLLIN};
	}
	poll(fds, 2 * count, MIN(deadline_left_ms(deadline), TICK_MS));
	for (size_t i = 0; i < count; i++) {
		reap(&runners[i]);
		listen_to(&runners[i]);
	}
}

static void kill_all(struct runner *runners, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (runners[i].pid == 0)
			continue;
		runners[i].way->killed = true;
		runners[i].way->status = SIGNAL_BASE + SIGKILL;
		kill(-runners[i].pid, SIGKILL);
	}
}

static void finish(struct runner *runner)
{
	if (runner->pid_fd >= 0)
		close(runner->pid_fd);
	if (runner->errors >= 0)
		close(runner->errors);
	runner->way->said = g_strstrip(g_string_free(runner->said, FALSE));
	g_strdelimit(runner->way->said, "\r\n", ' ');
}

void way_run(struct way *ways, size_t count, int64_t timeout_ms)
{
	g_autofree struct runner *runners = g_new0(struct runner, count);
	struct deadline deadline = deadline_in(timeout_ms);

	for (size_t i = 0; i < count; i++)
		start(&runners[i], &ways[i]);
	while (running(runners, count) > 0 && !deadline_passed(deadline) && stop_requested() < 2)
		wait_a_bit(runners, count, deadline);
	kill_all(runners, count);
	deadline = deadline_in(KILL_WAIT_MS);
	while (running(runners, count) > 0 && !deadline_passed(deadline))
		wait_a_bit(runners, count, deadline);
	for (size_t i = 0; i < count; i++)
		finish(&runners[i]);
}
