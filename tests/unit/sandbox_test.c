/*
 * Children enter the sandbox and try what it is there to prevent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mailin/parse/sandbox.h"
#include "mailin/parser.h"

enum {
	MB = 1024 * 1024,
	PAGE_SIZE = 4096,
	CPU_MS = 200,
	OUTPUT_MAX = 4096,
	MEMORY_MAX = 256 * MB,
	/* What a child exits with when it was refused without a death, or not at all. */
	EXIT_REFUSED = 3,
	EXIT_ALLOWED = 4,
};

static const struct sandbox_limits LIMITS = {
	.memory = MEMORY_MAX, .cpu_ms = CPU_MS, .output = OUTPUT_MAX};

static int output; /* a memfd, as descriptor 1 of the children */
static int other;  /* another open file */

static int setup(void **state)
{
	(void)state;
	output = memfd_create("output", 0);
	other = memfd_create("other", 0);
	return output < 0 || other < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(output);
	close(other);
	return 0;
}

/* The wait status of a child that does this in the sandbox and then exits with 0. */
static int in_sandbox(void (*attempt)(void))
{
	int status = -1;

	fflush(stdout);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct reason reason;
		/* cmocka catches what kills. */
		signal(SIGSEGV, SIG_DFL);
		int null = open("/dev/null", O_WRONLY);

		if (dup2(output, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
			_exit(EXIT_FAILURE);
		if (sandbox_enter(&LIMITS, &reason) != OUTCOME_OK)
			_exit(PARSER_EXIT_RETRY);
		attempt();
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_killed(void (*attempt)(void), int signal_number)
{
	int status = in_sandbox(attempt);

	if (!WIFSIGNALED(status))
		fail_msg("ended with status %d, not by signal %d", WEXITSTATUS(status),
			 signal_number);
	assert_int_equal(WTERMSIG(status), signal_number);
}

static void assert_exit(void (*attempt)(void), int code)
{
	int status = in_sandbox(attempt);

	if (WIFSIGNALED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

/* ---- allowed ---- */

static void compute(void)
{
	const size_t size = MEMORY_MAX / 8;
	char *memory = malloc(size);
	struct timespec now;

	memset(memory, 1, size);
	char *larger = realloc(memory, 2 * size);
	free(larger != NULL ? larger : memory);
	clock_gettime(CLOCK_REALTIME, &now);
	char *converted = g_convert("gr\xfc\xdf", 4, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);

	g_free(converted);
	if (write(STDOUT_FILENO, "done", 4) != 4)
		_exit(EXIT_FAILURE);
}

static void computing_and_writing_the_output_is_allowed(void **state)
{
	char text[8] = "";

	(void)state;
	assert_exit(compute, EXIT_SUCCESS);
	assert_int_equal(pread(output, text, sizeof(text), 0), 4);
	assert_string_equal(text, "done");
}

static void *sum(void *context)
{
	char *volatile memory = malloc(MB);

	memset(memory, 1, MB);
	*(int *)context = memory[MB - 1] == 1;
	free(memory);
	return NULL;
}

struct thread_test {
	int go[2];
	int result;
};

static void *wait_and_sum(void *context)
{
	struct thread_test *test = context;
	char byte;

	if (read(test->go[0], &byte, 1) != 1)
		return NULL;
	return sum(&test->result);
}

static void *wait_and_open_socket(void *context)
{
	struct thread_test *test = context;
	char byte;

	if (read(test->go[0], &byte, 1) == 1)
		(void)socket(AF_INET, SOCK_STREAM, 0);
	return NULL;
}

/* A thread from before the sandbox goes on in it, caged as well. */
static int with_thread(void *(*run)(void *))
{
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct thread_test test = {.result = 0};
		struct reason reason;
		pthread_t thread;

		if (pipe(test.go) != 0 || dup2(test.go[1], STDOUT_FILENO) < 0 ||
		    pthread_create(&thread, NULL, run, &test) != 0)
			_exit(EXIT_FAILURE);
		if (sandbox_enter(&LIMITS, &reason) != OUTCOME_OK)
			_exit(PARSER_EXIT_RETRY);
		if (write(STDOUT_FILENO, "", 1) != 1 || pthread_join(thread, NULL) != 0)
			_exit(EXIT_FAILURE);
		_exit(test.result == 1 ? EXIT_SUCCESS : EXIT_ALLOWED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void a_thread_goes_on_computing(void **state)
{
	(void)state;
	int status = with_thread(wait_and_sum);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
}

static void a_thread_is_caged_as_well(void **state)
{
	(void)state;
	int status = with_thread(wait_and_open_socket);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* ---- deadly ---- */

static void make_socket(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void make_process(void)
{
	if (fork() == 0)
		_exit(EXIT_SUCCESS);
}

static void kill_parent(void)
{
	kill(getppid(), 0);
}

static void kill_init(void)
{
	kill(1, 0);
}

static void trace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void make_memory_executable(void)
{
	void *page =
		mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page, PAGE_SIZE, PROT_READ | PROT_EXEC);
}

static void map_executable(void)
{
	(void)mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
}

static void write_elsewhere(void)
{
	ssize_t written = write(other, "x", 1);

	(void)written;
}

static void delete_file(void)
{
	unlink("/tmp/mailpipe-sandbox-test");
}

static void cut_output(void)
{
	int result = ftruncate(STDOUT_FILENO, 0);

	(void)result;
}

static void set_alarm(void)
{
	alarm(1);
}

static void break_outs_kill(void **state)
{
	void (*const attempts[])(void) = {
		make_socket,    execute,  make_process,    kill_init,   make_memory_executable,
		map_executable, trace,    write_elsewhere, delete_file, kill_parent,
		cut_output,     set_alarm};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(attempts); i++)
		assert_killed(attempts[i], SIGSYS);
}

/* ---- refused ---- */

static void open_file(void)
{
	_exit(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? EXIT_REFUSED : EXIT_ALLOWED);
}

static void create_file(void)
{
	_exit(open("/tmp/mailpipe-sandbox-test", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES
		      ? EXIT_REFUSED
		      : EXIT_ALLOWED);
}

static void write_errors(void)
{
	_exit(write(STDERR_FILENO, "x", 1) < 0 && errno == EBADF ? EXIT_REFUSED : EXIT_ALLOWED);
}

static void opening_files_is_refused(void **state)
{
	(void)state;
	assert_exit(open_file, EXIT_REFUSED);
	assert_exit(create_file, EXIT_REFUSED);
	assert_exit(write_errors, EXIT_REFUSED);
}

/* ---- too much ---- */

static void allocate_by_glib(void)
{
	for (;;) {
		static char *volatile memory;

		memory = g_malloc(MB);
		*memory = 1;
	}
}

static void allocate_by_malloc(void)
{
	/* Or the compiler takes the call away. */
	char *volatile memory = malloc(MEMORY_MAX);

	_exit(memory == NULL ? EXIT_REFUSED : EXIT_ALLOWED);
}

static void memory_is_limited(void **state)
{
	(void)state;
	assert_exit(allocate_by_glib, PARSER_EXIT_MEMORY);
	assert_exit(allocate_by_malloc, EXIT_REFUSED);
}

static void loop(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static void an_endless_loop_ends_soon(void **state)
{
	(void)state;
	gint64 begun_us = g_get_monotonic_time();

	assert_killed(loop, SIGPROF);
	/* Other processes may hold the processors, so only the order of magnitude. */
	assert_in_range(g_get_monotonic_time() - begun_us, CPU_MS * 1000 * 9 / 10,
			60 * 1000 * 1000);
}

static void write_much(void)
{
	char bytes[OUTPUT_MAX] = "";

	for (;;) {
		if (write(STDOUT_FILENO, bytes, sizeof(bytes)) < 0)
			_exit(EXIT_FAILURE);
	}
}

static void output_is_limited(void **state)
{
	(void)state;
	assert_killed(write_much, SIGXFSZ);
}

static void touch_nothing(void)
{
	volatile char *page = mmap(NULL, PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	page[0] = 1;
}

static void deaths_are_seen_for_what_they_are(void **state)
{
	(void)state;
	assert_killed(touch_nothing, SIGSEGV);
	assert_killed(abort, SIGABRT);
}

int main(void)
{
	/* A sanitizer's own needs make holes; what it shows of the parser is worth more. */
	const struct CMUnitTest sanitized[] = {
		cmocka_unit_test(computing_and_writing_the_output_is_allowed),
		cmocka_unit_test(an_endless_loop_ends_soon),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(computing_and_writing_the_output_is_allowed),
		cmocka_unit_test(a_thread_goes_on_computing),
		cmocka_unit_test(a_thread_is_caged_as_well),
		cmocka_unit_test(break_outs_kill),
		cmocka_unit_test(opening_files_is_refused),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(an_endless_loop_ends_soon),
		cmocka_unit_test(output_is_limited),
		cmocka_unit_test(deaths_are_seen_for_what_they_are),
	};

	if (SANDBOX_SANITIZED)
		return cmocka_run_group_tests(sanitized, setup, teardown);
	return cmocka_run_group_tests(tests, setup, teardown);
}
