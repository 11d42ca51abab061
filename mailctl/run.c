#include "mailctl/run.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS "4.3.0" /* RFC 3463: other or undefined mail system status */

enum { NOT_STARTED = 127, SIGNAL_BASE = 128, OUTPUT_MAX = 16 * 1024 * 1024 };

struct files {
	int input;
	int output;
	int errors;
};

static void close_files(struct files *files)
{
	if (files->input >= 0)
		close(files->input);
	if (files->output >= 0)
		close(files->output);
	if (files->errors >= 0)
		close(files->errors);
}

/* Memory files do not block, so nobody has to read and write at the same time. */
static bool open_files(struct files *files, const char *input)
{
	size_t size = input != NULL ? strlen(input) : 0;

	files->input = memfd_create("input", MFD_CLOEXEC);
	files->output = memfd_create("output", MFD_CLOEXEC);
	files->errors = memfd_create("errors", MFD_CLOEXEC);
	return files->input >= 0 && files->output >= 0 && files->errors >= 0 &&
	       write(files->input, input != NULL ? input : "", size) == (ssize_t)size &&
	       lseek(files->input, 0, SEEK_SET) == 0;
}

static void become(const char *const *argv, const struct files *files)
{
	if (dup2(files->input, STDIN_FILENO) >= 0 && dup2(files->output, STDOUT_FILENO) >= 0 &&
	    dup2(files->errors, STDERR_FILENO) >= 0)
		execvp(argv[0], (char *const *)(uintptr_t)argv);
	dprintf(files->errors, "%s: %s", argv[0], strerror(errno));
	_exit(NOT_STARTED);
}

static char *contents(int fd)
{
	struct stat stat;
	size_t size = fstat(fd, &stat) == 0 ? (size_t)MIN(stat.st_size, OUTPUT_MAX) : 0;
	char *text = g_malloc0(size + 1);
	ssize_t got = pread(fd, text, size, 0);

	text[got > 0 ? got : 0] = '\0';
	return g_strchomp(text);
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNAL_BASE + WTERMSIG(status);
}

enum outcome run_program(const char *const *argv, const char *input, struct run_result *result,
			 struct reason *reason)
{
	struct files files = {-1, -1, -1};
	int status = 0;
	pid_t pid = -1;

	*result = (struct run_result){0};
	if (open_files(&files, input))
		pid = fork();
	if (pid == 0)
		become(argv, &files);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			pid = -1;
	if (pid < 0) {
		enum outcome outcome =
			outcome_retry(reason, STATUS, "%s: %s", argv[0], g_strerror(errno));

		close_files(&files);
		return outcome;
	}
	result->status = exit_status(status);
	result->output = contents(files.output);
	result->errors = contents(files.errors);
	close_files(&files);
	return OUTCOME_OK;
}

void run_result_clear(struct run_result *result)
{
	g_free(result->output);
	g_free(result->errors);
	*result = (struct run_result){0};
}
