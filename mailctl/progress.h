/*
 * A bar for long work: a line on standard error, drawn anew some times a second, if that is a
 *terminal; nothing otherwise.
 *
 *	requeue  [###########------------------]  36%  36,021 of 100,000  5,012/s  12s left
 */
#ifndef MAILCTL_PROGRESS_H
#define MAILCTL_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct progress;

/* what: one word.  total 0: not known, so there is no bar but how much is done. */
struct progress *progress_new(const char *what, int64_t total);

/* How much is done, of the whole.  Costs next to nothing when called for each item.  A total that
 * proves too small grows with it. */
void progress_set(struct progress *progress, int64_t done);
void progress_add(struct progress *progress, int64_t more);
/* What was found out since. */
void progress_total(struct progress *progress, int64_t total);

/* Take the line away, so that something else can be written; the next progress_set() draws it
 * again. */
void progress_hide(struct progress *progress);

/* Takes the line away and frees.  NULL is allowed; *progress becomes NULL. */
void progress_end(struct progress **progress);

/* The line itself: rate in items a second (below 0: not known yet), width in columns.  g_free() it.
 */
char *progress_line(const char *what, int64_t done, int64_t total, double rate, size_t width);

#endif
