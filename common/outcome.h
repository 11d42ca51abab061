/*
 * The three outcomes of every step that decides about a mail, and the reason.
 *
 * OK:     done.
 * RETRY:  ours or the world's fault; try again later.  Undecided means RETRY.
 * REJECT: a decision about the mail itself; it can never pass.
 *
 * A reason carries an enhanced status code (RFC 3463) and one line of text
 * that is safe to print: control characters are replaced, it is valid UTF-8
 * and it is cut at REASON_TEXT_MAX - 1 bytes.
 */
#ifndef COMMON_OUTCOME_H
#define COMMON_OUTCOME_H

enum outcome { OUTCOME_OK, OUTCOME_RETRY, OUTCOME_REJECT };

enum { REASON_STATUS_MAX = 12, REASON_TEXT_MAX = 480 };

struct reason {
	char status[REASON_STATUS_MAX]; /* "4.3.0"; empty after OK */
	char text[REASON_TEXT_MAX];
};

/* Fill the reason (which may be NULL) and return the outcome, so that a caller
 * can write `return outcome_retry(reason, "4.3.0", "...")`. */
enum outcome outcome_retry(struct reason *reason, const char *status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum outcome outcome_reject(struct reason *reason, const char *status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "CONTEXT: " before the text that is there. */
void reason_prefix(struct reason *reason, const char *context);

/* "ok", "retry" or "reject". */
const char *outcome_name(enum outcome outcome);

#endif
