/*
 * Dates of mails (RFC 5322, 3.3, and what is sent instead).
 */
#ifndef MAILIN_PARSE_DATE_H
#define MAILIN_PARSE_DATE_H

/* "2026-11-22T12:00:00Z", or NULL if the date is unusable or absurd (before 1970, after 9998).
 * g_free() it. */
char *date_utc(const char *text);

#endif
