/*
 * LD_PRELOAD shim for tests: makes one library call fail.
 *
 *	FAIL=CALL:ERRNO[:N]	the N-th call (default: the first) fails with that error; ERRNO as
 *a number or one of the names below FAIL_SYSLOG=FILE	what syslog(3) is told is appended to the
 *file
 *
 * Built by `make` as $(B)/tests/fail.so.  A program that clears the environment (mailin-parse has a
 *clean one) is not touched.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *name;
	int number;
} ERRORS[] = {
	{"ENOSPC", ENOSPC}, {"ENOMEM", ENOMEM}, {"EAGAIN", EAGAIN}, {"EIO", EIO},
	{"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"ENOSYS", ENOSYS}, {"EACCES", EACCES},
	{"EINTR", EINTR},   {"EPIPE", EPIPE},   {"EFBIG", EFBIG},
};

static int error_number(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(ERRORS) / sizeof(ERRORS[0]); i++) {
		if (strlen(ERRORS[i].name) == size && memcmp(ERRORS[i].name, name, size) == 0)
			return ERRORS[i].number;
	}
	return atoi(name);
}

/* The error this call is to fail with, or 0.  `count` is the call's own. */
static int failure(const char *call, int *count)
{
	const char *wish = getenv("FAIL");
	size_t size = strlen(call);

	if (wish == NULL || strncmp(wish, call, size) != 0 || wish[size] != ':')
		return 0;
	const char *name = wish + size + 1;
	const char *colon = strchr(name, ':');
	int wanted = colon != NULL ? atoi(colon + 1) : 1;

	if (++*count != wanted)
		return 0;
	return error_number(name, colon != NULL ? (size_t)(colon - name) : strlen(name));
}

/* NOLINTBEGIN(bugprone-macro-parentheses): types and lists of parameters */
/* Define a call that returns `result` with errno set when it is to fail. */
#define SHIM(type, name, result, parameters, arguments)                                            \
	type name parameters;                                                                      \
	type name parameters                                                                       \
	{                                                                                          \
		static int count;                                                                  \
		static type(*real) parameters;                                                     \
		int error = failure(#name, &count);                                                \
                                                                                                   \
		if (real == NULL)                                                                  \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                                 \
		if (error != 0) {                                                                  \
			errno = error;                                                             \
			return result;                                                             \
		}                                                                                  \
		return real arguments;                                                             \
	}

SHIM(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags))
SHIM(int, pipe2, -1, (int fds[2], int flags), (fds, flags))
SHIM(int, pidfd_open, -1, (pid_t pid, unsigned flags), (pid, flags))
SHIM(ssize_t, read, -1, (int fd, void *buffer, size_t size), (fd, buffer, size))
SHIM(ssize_t, write, -1, (int fd, const void *buffer, size_t size), (fd, buffer, size))
SHIM(off_t, lseek, -1, (int fd, off_t offset, int whence), (fd, offset, whence))
SHIM(int, fstat, -1, (int fd, struct stat *info), (fd, info))
SHIM(void *, mmap, MAP_FAILED,
     (void *address, size_t size, int protection, int flags, int fd, off_t offset),
     (address, size, protection, flags, fd, offset))
SHIM(int, timer_create, -1, (clockid_t clock, struct sigevent *event, timer_t *timer),
     (clock, event, timer))
SHIM(ssize_t, readlink, -1, (const char *path, char *buffer, size_t size), (path, buffer, size))
/* This one returns the error. */
SHIM(int, posix_spawn, error,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]),
     (pid, path, actions, attributes, arguments, environment))

/* NOLINTEND(bugprone-macro-parentheses) */

/* ---- syslog ---- */

__attribute__((format(printf, 1, 0))) static void note(const char *format, va_list arguments)
{
	const char *file = getenv("FAIL_SYSLOG");
	FILE *out = file != NULL ? fopen(file, "a") : NULL;

	if (out == NULL)
		return;
	vfprintf(out, format, arguments); /* NOLINT: it is initialised by every caller */
	fputc('\n', out);
	fclose(out);
}

void syslog(int priority, const char *format, ...)
{
	va_list arguments;

	(void)priority;
	va_start(arguments, format);
	note(format, arguments);
	va_end(arguments);
}

/* What syslog() is with _FORTIFY_SOURCE. */
void __syslog_chk(int priority, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list arguments;

	(void)priority;
	(void)flag;
	va_start(arguments, format);
	note(format, arguments);
	va_end(arguments);
}
