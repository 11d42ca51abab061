/*
 * Findings of `mailctl check`: a line each as they come, or one JSON object at the end.
 */
#ifndef MAILCTL_REPORT_H
#define MAILCTL_REPORT_H

#include <stdbool.h>

enum report_level { REPORT_OK, REPORT_WARNING, REPORT_ERROR };

struct report;

/* json: nothing is printed before report_end(). */
struct report *report_new(bool json);

/* subject: what was looked at ("mysql user mailpipe-web"); advice: what to do, NULL for nothing. */
void report_add(struct report *report, enum report_level level, const char *subject,
		const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* One that was told otherwise, on standard error. */
void report_count_error(struct report *report);

/* Prints the JSON or a last line with counts.  True if there was no error.  Frees; *report becomes
 * NULL. */
bool report_end(struct report **report);

#endif
