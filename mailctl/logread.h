/*
 * The lines of log files: plain ones, those that logrotate(8) has compressed, and the journal.
 * Wraps zlib.
 */
#ifndef MAILCTL_LOGREAD_H
#define MAILCTL_LOGREAD_H

#include <stdbool.h>
#include <stdint.h>

/* A longer line is cut here, and the rest of it is passed over. */
enum { LOGREAD_LINE_MAX = 16 * 1024 };

#define LOGREAD_JOURNAL "journal"

struct logread {
	char **patterns;  /* glob(7), and LOGREAD_JOURNAL; NULL at the end */
	int64_t since_ms; /* files that were not written since then are not read */
	/* `line` is terminated and without its end, NULs in it became '?'; it may be changed.
	 * `reference_ms`: when the file was written last. */
	void (*line)(char *line, int64_t reference_ms, void *context);
	/* What could not be read. */
	void (*gap)(const char *source, const char *why, void *context);
	void *context;
	/* What was read. */
	int64_t lines;
	int64_t sources;
};

/* Each file once, the oldest first.  A pattern without a file, and a journal without journalctl(1),
 * is a gap only if nothing else could be read. */
void logread_all(struct logread *read);

#endif
