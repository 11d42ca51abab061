/*
 * The ways out of an alert: programs that are run beside each other, each for a limited time.
 *
 * Everything that could block, resolve, shake hands or crash while an alert is told happens in a
 * process that can be killed: mailout --direct, the command, curl(1).
 */
#ifndef MAILCTL_WAY_H
#define MAILCTL_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct way {
	const char *const *argv;        /* NULL at the end; argv[0] is looked for in PATH */
	const char *const *environment; /* "NAME=VALUE" beside our own, NULL at the end; or NULL */
	const char *input;              /* its standard input */
	/* filled in */
	int status;  /* exit status; 128 + signal; WAY_NOT_STARTED */
	bool killed; /* its time was over */
	char *said;  /* the end of what it wrote to standard error, one line; g_free() it */
};

enum { WAY_NOT_STARTED = 127 };

/* Run all at the same time and wait for them.  One that is not done after timeout_ms is killed
 * with its process group; so are all at the second stop signal.  Standard output is thrown away. */
void way_run(struct way *ways, size_t count, int64_t timeout_ms);

#endif
