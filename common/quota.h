/*
 * Counts of what may happen only so often: per key and day, and in all per hour (days and hours of
 * UTC).
 *
 * The counts are in a file that processes share and that survives restarts.  It is read and written
 * under a lock, not mapped: a full disk, or a file that somebody cuts short, is an error then and
 * no SIGBUS.  Without the file the counts are this process' own; that is also where an error later
 * leads to, so that there is always a limit.
 */
#ifndef COMMON_QUOTA_H
#define COMMON_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/outcome.h"

enum {
	QUOTA_SLOTS = 65536, /* keys in a day; 16 bytes each */
	/* Neighbours that a key may stand in.  When all are taken by other keys of the day, there
	 * is no more for it. */
	QUOTA_NEIGHBOURS = 32,
};

struct quota;

struct quota_limits {
	int64_t per_key_day;
	int64_t per_hour;
};

/* The folder of `file` must be there.  Never NULL; reason's text says why the counts are this
 * process' own, else it is empty.  A file that is no such file is begun anew. */
struct quota *quota_open(const char *file, const struct quota_limits *limits,
			 struct reason *reason);
void quota_close(struct quota **quota);

/* One more for the key: true if it is within both limits, and then it is counted.  Waits for other
 * processes 200 ms at most; after that it is false. */
bool quota_take(struct quota *quota, const char *key, int64_t now_s);

/* What was taken at `taken_s` did not happen. */
void quota_return(struct quota *quota, const char *key, int64_t taken_s);

#endif
