#include "common/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t requested;
static int pipe_fds[2] = {-1, -1};
static volatile sig_atomic_t second_status = -1;

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	requested = requested + 1;
	if (requested > 1 && second_status >= 0)
		_exit(second_status);
	/* The pipe does not block: when it is full it is readable all the same. */
	if (write(pipe_fds[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

int stop_init(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (stop_reset() != 0)
		return -1;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0)
		return -1;
	return sigaction(SIGPIPE, &ignore, NULL);
}

void stop_second_exits(int status)
{
	second_status = status;
}

int stop_fd(void)
{
	return pipe_fds[0];
}

int stop_requested(void)
{
	return requested;
}

int stop_reset(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (pipe_fds[i] >= 0)
			close(pipe_fds[i]);
		pipe_fds[i] = fds[i];
	}
	requested = 0;
	second_status = -1;
	return 0;
}
