/* The watchdog: what ends at a deadline, and what must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/watchdog.h"

enum { SOON_MS = 60, SLACK_MS = 400, LATER_MS = 60000, STATUS = 75, TEXT_MAX = 64 };

static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void close_pair(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

static void ends_a_blocking_read(void **state)
{
	int pair[2];
	char byte;
	int64_t begun = monotonic_ms();

	(void)state;
	make_pair(pair);
	assert_true(watchdog_arm(pair[0], deadline_in(SOON_MS)));
	assert_int_equal(read(pair[0], &byte, 1), 0);
	assert_true(watchdog_disarm());
	assert_in_range(monotonic_ms() - begun, SOON_MS, LATER_MS);
	close_pair(pair);
}

static void ends_a_blocking_write(void **state)
{
	static const char block[65536];
	int pair[2];

	(void)state;
	make_pair(pair);
	assert_true(watchdog_arm(pair[0], deadline_in(SOON_MS)));
	ssize_t sent;
	do
		sent = send(pair[0], block, sizeof block, MSG_NOSIGNAL);
	while (sent > 0);
	assert_int_equal(errno, EPIPE);
	assert_true(watchdog_disarm());
	close_pair(pair);
}

/* A call that is entered just after the first signal must end, too. */
static void a_deadline_in_the_past_fires(void **state)
{
	struct deadline long_ago = {.at_ms = 0};
	int pair[2];
	char byte;

	(void)state;
	make_pair(pair);
	assert_true(watchdog_arm(pair[0], long_ago));
	assert_int_equal(read(pair[0], &byte, 1), 0);
	assert_true(watchdog_disarm());
	close_pair(pair);
}

static void leaves_alone_what_is_in_time(void **state)
{
	int pair[2];
	char byte = 'x';

	(void)state;
	make_pair(pair);
	assert_true(watchdog_arm(pair[0], deadline_in(SOON_MS)));
	assert_false(watchdog_disarm());
	usleep((SOON_MS + SLACK_MS / 2) * 1000);
	assert_int_equal(write(pair[0], &byte, 1), 1);
	assert_int_equal(read(pair[1], &byte, 1), 1);
	close_pair(pair);
}

static void may_be_disarmed_without_having_been_armed(void **state)
{
	(void)state;
	watchdog_disarm();
	int pair[2];
	make_pair(pair);
	assert_true(watchdog_arm(pair[0], deadline_in(LATER_MS)));
	assert_false(watchdog_disarm());
	assert_false(watchdog_disarm());
	close_pair(pair);
}

/* kill -ALRM is no deadline, and errno stays what it was. */
static void an_alarm_from_outside_does_nothing(void **state)
{
	int pair[2];
	char byte = 'x';

	(void)state;
	make_pair(pair);
	assert_true(watchdog_arm(pair[0], deadline_in(LATER_MS)));
	errno = ENOENT;
	kill(getpid(), SIGALRM);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(write(pair[0], &byte, 1), 1);
	assert_false(watchdog_disarm());
	close_pair(pair);
}

/* What read(2) elsewhere sees of an alarm: nothing, it is restarted. */
static void reads_elsewhere_are_restarted(void **state)
{
	int pair[2];
	int other[2];
	char byte = 'x';

	(void)state;
	make_pair(pair);
	assert_int_equal(pipe(other), 0);
	pid_t writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		usleep((SOON_MS + 4 * SLACK_MS) * 1000);
		_exit(write(other[1], &byte, 1) == 1 ? 0 : 1);
	}
	assert_true(watchdog_arm(pair[0], deadline_in(SOON_MS)));
	assert_int_equal(read(other[0], &byte, 1), 1);
	assert_true(watchdog_disarm());
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	close_pair(pair);
	close_pair(other);
}

/* Runs `last` in a child with standard output in a pipe; its words and exit status. */
static int run_child(void (*last)(void), char words[TEXT_MAX])
{
	int out[2];
	int status;
	size_t size = 0;
	ssize_t got;

	assert_int_equal(pipe(out), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(out[1], STDOUT_FILENO);
		close_pair(out);
		last();
		_exit(1);
	}
	close(out[1]);
	while ((got = read(out[0], words + size, TEXT_MAX - 1 - size)) > 0)
		size += (size_t)got;
	words[size] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void hang(void)
{
	for (;;)
		pause();
}

static void last_resort_then_hang(void)
{
	watchdog_last_resort(deadline_in(SOON_MS), "4.3.2 out of time\n", STATUS);
	hang();
}

static void last_resort_with_alarms_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGALRM, SIG_IGN);
	last_resort_then_hang();
}

static void last_resort_beside_a_watched_socket(void)
{
	int pair[2];
	char byte;

	make_pair(pair);
	watchdog_last_resort(deadline_in(SOON_MS + SLACK_MS / 2), "4.3.2 last\n", STATUS);
	watchdog_arm(pair[0], deadline_in(SOON_MS));
	if (read(pair[0], &byte, 1) != 0 || !watchdog_disarm())
		_exit(1);
	hang();
}

/* Nobody reads: the words are dropped, the end is not. */
static void last_resort_with_a_full_pipe(void)
{
	static const char block[4096];
	int full[2];

	if (pipe2(full, O_NONBLOCK) != 0)
		_exit(1);
	while (write(full[1], block, sizeof block) > 0)
		;
	fcntl(full[1], F_SETFL, 0);
	dup2(full[1], STDOUT_FILENO);
	last_resort_then_hang();
}

static void last_resort_ends_the_process(void **state)
{
	char words[TEXT_MAX];

	(void)state;
	assert_int_equal(run_child(last_resort_then_hang, words), STATUS);
	assert_string_equal(words, "4.3.2 out of time\n");
	assert_int_equal(run_child(last_resort_with_alarms_blocked, words), STATUS);
	assert_string_equal(words, "4.3.2 out of time\n");
	assert_int_equal(run_child(last_resort_beside_a_watched_socket, words), STATUS);
	assert_string_equal(words, "4.3.2 last\n");
	assert_int_equal(run_child(last_resort_with_a_full_pipe, words), STATUS);
	assert_string_equal(words, "");
}

/* A child has no timer of its parent's. */
static void arm_again(void)
{
	int pair[2];
	char byte;

	make_pair(pair);
	if (!watchdog_arm(pair[0], deadline_in(SOON_MS)) || read(pair[0], &byte, 1) != 0)
		_exit(1);
	_exit(watchdog_disarm() ? STATUS : 1);
}

static void a_forked_child_has_its_own(void **state)
{
	char words[TEXT_MAX];
	int pair[2];

	(void)state;
	make_pair(pair);
	assert_true(watchdog_arm(pair[0], deadline_in(LATER_MS)));
	assert_int_equal(run_child(arm_again, words), STATUS);
	assert_false(watchdog_disarm());
	close_pair(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(may_be_disarmed_without_having_been_armed),
		cmocka_unit_test(ends_a_blocking_read),
		cmocka_unit_test(ends_a_blocking_write),
		cmocka_unit_test(a_deadline_in_the_past_fires),
		cmocka_unit_test(leaves_alone_what_is_in_time),
		cmocka_unit_test(an_alarm_from_outside_does_nothing),
		cmocka_unit_test(reads_elsewhere_are_restarted),
		cmocka_unit_test(last_resort_ends_the_process),
		cmocka_unit_test(a_forked_child_has_its_own),
	};

	return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
