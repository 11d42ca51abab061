#include "common/supervisor.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/deadline.h"
#include "common/log.h"
#include "common/restarts.h"
#include "common/stop.h"
#include "common/backoff.h"

enum {
	RESTART_FIRST_MS = 200,
	RESTART_MAX_MS = 30000,
	STEADY_MS = 60000,  /* who ran as long as this begins with a short pause again */
	STOP_POLL_MS = 100, /* after the first stop signal, how soon the second is seen */
	IDLE_MS = 3600 * 1000,
};

struct process {
	pid_t pid;             /* 0: none */
	struct deadline start; /* when there is none */
	int64_t started_ms;
	struct backoff backoff;
};

struct supervisor {
	const struct config *config;
	int (*work)(const struct config *config, const struct suspect_hand *hand);
	struct process *processes;
	struct suspects *suspects; /* NULL: no memory to share */
	size_t count;
	int child_fd;
	sigset_t child_signal;
	int stops_passed_on;
};

static void become_worker(const struct supervisor *supervisor, size_t number, pid_t parent)
{
	const struct suspect_hand hand = {.all = supervisor->suspects, .worker = number};
	int status = EX_OSERR;

	setpgid(0, 0);
	sigprocmask(SIG_UNBLOCK, &supervisor->child_signal, NULL);
	close(supervisor->child_fd);
	/* Without a supervisor nobody would pass signals on. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent && stop_reset() == 0)
		status = supervisor->work(supervisor->config, &hand);
	_exit(status);
}

static void start(const struct supervisor *supervisor, size_t number)
{
	struct process *process = &supervisor->processes[number];
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0)
		become_worker(supervisor, number, parent);
	if (pid < 0) {
		log_text(LOG_ERR, "worker", "fork: %s", strerror(errno));
		process->start = deadline_in(backoff_pause(&process->backoff));
		return;
	}
	process->pid = pid;
	process->started_ms = monotonic_ms();
}

static void start_due(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		struct process *process = &supervisor->processes[i];

		if (process->pid == 0 && deadline_passed(process->start))
			start(supervisor, i);
	}
}

static void log_end_of(pid_t pid, int status, int64_t pause_ms)
{
	if (WIFSIGNALED(status))
		log_text(LOG_ERR, "worker",
			 "%d died of signal %d (%s); the next one starts in %d ms", (int)pid,
			 WTERMSIG(status), strsignal(WTERMSIG(status)), (int)pause_ms);
	else
		log_text(LOG_ERR, "worker", "%d ended with status %d; the next one starts in %d ms",
			 (int)pid, WEXITSTATUS(status), (int)pause_ms);
}

static void ended(struct supervisor *supervisor, pid_t pid, int status)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		struct process *process = &supervisor->processes[i];

		if (process->pid != pid)
			continue;
		process->pid = 0;
		if (stop_requested() > 0)
			return;
		suspects_blame(supervisor->suspects, i, status);
		if (monotonic_ms() - process->started_ms >= STEADY_MS)
			backoff_reset(&process->backoff);
		int64_t pause_ms = backoff_pause(&process->backoff);

		process->start = deadline_in(pause_ms);
		log_end_of(pid, status, pause_ms);
		if (!restarts_note(supervisor->config->state_dir, program_invocation_short_name,
				   pid, status))
			log_text(LOG_WARNING, "worker", "not noted in %s: %s",
				 supervisor->config->state_dir, strerror(errno));
		return;
	}
}

static void reap(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(supervisor->child_fd, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(supervisor, pid, status);
}

static size_t alive(const struct supervisor *supervisor)
{
	size_t count = 0;

	for (size_t i = 0; i < supervisor->count; i++)
		count += supervisor->processes[i].pid != 0;
	return count;
}

/* The first stop lets the workers finish what they have in hand.  At the second they end at once:
 * whatever they are waiting for, nothing is acknowledged that is not stored. */
static void pass_stop_on(struct supervisor *supervisor)
{
	int requested = stop_requested();

	if (requested <= supervisor->stops_passed_on)
		return;
	supervisor->stops_passed_on = requested;
	for (size_t i = 0; i < supervisor->count; i++) {
		if (supervisor->processes[i].pid != 0)
			kill(supervisor->processes[i].pid, requested > 1 ? SIGKILL : SIGTERM);
	}
}

static int wait_ms(const struct supervisor *supervisor)
{
	struct deadline next = deadline_in(IDLE_MS);

	if (stop_requested() > 0)
		return STOP_POLL_MS;
	for (size_t i = 0; i < supervisor->count; i++) {
		if (supervisor->processes[i].pid == 0)
			next = deadline_earlier(next, supervisor->processes[i].start);
	}
	return deadline_left_ms(next);
}

static void wait_for_news(const struct supervisor *supervisor)
{
	struct pollfd fds[] = {{.fd = supervisor->child_fd, .events = POLLIN},
			       {.fd = stop_fd(), .events = POLLIN}};

	/* The stop descriptor stays readable: it is of no more use after the first signal. */
	poll(fds, stop_requested() > 0 ? 1 : G_N_ELEMENTS(fds), wait_ms(supervisor));
}

static bool init(struct supervisor *supervisor)
{
	sigemptyset(&supervisor->child_signal);
	sigaddset(&supervisor->child_signal, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &supervisor->child_signal, NULL) != 0)
		return false;
	supervisor->child_fd = signalfd(-1, &supervisor->child_signal, SFD_NONBLOCK | SFD_CLOEXEC);
	if (supervisor->child_fd < 0)
		return false;
	supervisor->processes = g_new0(struct process, supervisor->count);
	for (size_t i = 0; i < supervisor->count; i++) {
		supervisor->processes[i].start = deadline_in(0);
		supervisor->processes[i].backoff =
			(struct backoff){.first_ms = RESTART_FIRST_MS, .max_ms = RESTART_MAX_MS};
	}
	return true;
}

int supervisor_run(const struct config *config, size_t count,
		   int (*work)(const struct config *config, const struct suspect_hand *hand))
{
	struct supervisor supervisor = {.config = config, .work = work, .count = count};

	if (!init(&supervisor)) {
		log_text(LOG_ERR, "supervisor", "signals: %s", strerror(errno));
		return EX_OSERR;
	}
	supervisor.suspects = suspects_new(count);
	if (supervisor.suspects == NULL)
		log_text(LOG_WARNING, "supervisor", "no memory to share: %s", strerror(errno));
	while (stop_requested() == 0 || alive(&supervisor) > 0) {
		if (stop_requested() == 0)
			start_due(&supervisor);
		wait_for_news(&supervisor);
		reap(&supervisor);
		pass_stop_on(&supervisor);
	}
	close(supervisor.child_fd);
	g_free(supervisor.processes);
	suspects_free(&supervisor.suspects);
	return stop_requested() > 1 ? EX_TEMPFAIL : EX_OK;
}
