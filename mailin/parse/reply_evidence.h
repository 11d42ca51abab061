/*
 * What bears out that a line tells who wrote when, in whatever language.
 */
#ifndef MAILIN_PARSE_REPLY_EVIDENCE_H
#define MAILIN_PARSE_REPLY_EVIDENCE_H

#include <stdbool.h>

struct reply_evidence {
	bool date; /* a year or a date in figures */
	bool time;
	bool address;
};

/* Of folded text (mailin/parse/reply_lines.h). */
struct reply_evidence reply_evidence_of(const char *folded);

#endif
