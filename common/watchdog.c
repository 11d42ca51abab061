#include "common/watchdog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPEAT_MS = 100, MS_PER_S = 1000, NS_PER_MS = 1000000 };

/* Which of the two timers a signal comes from (si_value). */
enum alarm { ALARM_SOCKET, ALARM_LAST_RESORT, ALARM_COUNT };

static timer_t timers[ALARM_COUNT];
static bool created[ALARM_COUNT];
static pid_t owner; /* timers do not survive fork(2) */

static volatile sig_atomic_t watched_socket = -1;
static volatile sig_atomic_t fired;

/* Kept ready for the handler: it may not even call strlen() on what might change. */
static const char *volatile last_text;
static volatile size_t last_size;
static volatile sig_atomic_t last_status;

/* A full pipe must not keep the process alive. */
static void say_last_words(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	ssize_t written;

	if (last_size == 0 || poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
		return;
	do
		written = write(STDOUT_FILENO, last_text, last_size);
	while (written < 0 && errno == EINTR);
}

static void on_alarm(int signal_number, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	(void)signal_number;
	(void)context;
	if (info->si_code != SI_TIMER)
		return; /* kill(2) from outside is no deadline */
	if (info->si_value.sival_int == ALARM_LAST_RESORT) {
		say_last_words();
		_exit(last_status);
	}
	if (watched_socket >= 0) {
		fired = 1;
		shutdown((int)watched_socket, SHUT_RDWR);
	}
	errno = saved_errno;
}

static bool install_handler(void)
{
	struct sigaction action = {.sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigset_t alarm_only;

	sigemptyset(&action.sa_mask);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	/* The signal may have been blocked or ignored by whoever started this process. */
	return sigaction(SIGALRM, &action, NULL) == 0 &&
	       sigprocmask(SIG_UNBLOCK, &alarm_only, NULL) == 0;
}

static bool make_timer(enum alarm which)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};

	if (owner != getpid()) {
		memset(created, 0, sizeof created);
		watched_socket = -1;
		if (!install_handler())
			return false;
		owner = getpid();
	}
	if (created[which])
		return true;
	event.sigev_value.sival_int = which;
	created[which] = timer_create(CLOCK_MONOTONIC, &event, &timers[which]) == 0;
	return created[which];
}

static bool start_timer(enum alarm which, struct deadline deadline, int repeat_ms)
{
	struct itimerspec when = {
		.it_value.tv_sec = deadline.at_ms / MS_PER_S,
		.it_value.tv_nsec = deadline.at_ms % MS_PER_S * NS_PER_MS,
		.it_interval.tv_nsec = (long)repeat_ms * NS_PER_MS,
	};

	if (deadline.at_ms <= 0) { /* zero would switch the timer off, and it is long past */
		when.it_value.tv_sec = 0;
		when.it_value.tv_nsec = 1;
	}
	return timer_settime(timers[which], TIMER_ABSTIME, &when, NULL) == 0;
}

bool watchdog_arm(int socket, struct deadline deadline)
{
	if (!make_timer(ALARM_SOCKET))
		return false;
	fired = 0;
	watched_socket = socket;
	return start_timer(ALARM_SOCKET, deadline, REPEAT_MS);
}

bool watchdog_disarm(void)
{
	static const struct itimerspec off;

	/* First of all: a signal on its way must find nothing to shut down. */
	watched_socket = -1;
	if (created[ALARM_SOCKET] && owner == getpid())
		timer_settime(timers[ALARM_SOCKET], 0, &off, NULL);
	return fired;
}

bool watchdog_last_resort(struct deadline deadline, const char *last_words, int status)
{
	if (!make_timer(ALARM_LAST_RESORT))
		return false;
	last_text = last_words;
	last_size = strlen(last_words);
	last_status = status;
	return start_timer(ALARM_LAST_RESORT, deadline, REPEAT_MS);
}
