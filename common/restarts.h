/*
 * The ends of workers that nobody asked for, as their supervisor saw them: a line for each in
 * mailpipe.state_dir, in a file of the program's own, which its user writes and mailctl watch
 * reads.
 *
 *	STATE_DIR/restarts.PROGRAM	lines of "MILLISECONDS-SINCE-1970 PID WAIT-STATUS"
 *
 * Only the last RESTARTS_KEPT or so are kept.
 */
#ifndef COMMON_RESTARTS_H
#define COMMON_RESTARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/outcome.h"

enum { RESTARTS_KEPT = 1000 };

/* One worker has ended with that wait status (wait(2)).  False with errno if it could not be
 * noted, which is no reason to do anything else than before. */
bool restarts_note(const char *state_dir, const char *program, int pid, int status);

struct restarts {
	char *program;
	int64_t count;   /* since the time asked for */
	int64_t last_ms; /* milliseconds since 1970 */
	int last_status; /* wait status */
};

/* All programs that have noted something since then, sorted by name; restarts_free() them.  NULL
 * with a reason if the folder cannot be read; unreadable files are skipped with the reason of the
 * last one. */
struct restarts *restarts_since(const char *state_dir, int64_t since_ms, size_t *count,
				struct reason *reason);
void restarts_free(struct restarts **list, size_t count);

#endif
