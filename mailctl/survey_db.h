/*
 * What the database knows of routes and streams; for mailctl/survey.c.
 */
#ifndef MAILCTL_SURVEY_DB_H
#define MAILCTL_SURVEY_DB_H

#include <stddef.h>
#include <stdint.h>

#include "common/db.h"
#include "common/outcome.h"
#include "mailctl/survey.h"

/* Fill in delayed, delayed_oldest_ms, and in `handled` (one number for each queue) how many were
 * handled in the last window_ms. */
enum outcome survey_db_counts(struct db *db, struct survey_queue *queues, size_t count,
			      int64_t window_ms, int64_t *handled, struct reason *reason);

#endif
