/*
 * Visits the messages of a queue that a filter means, with a progress bar, until the end, an error
 * or a signal.
 */
#ifndef MAILCTL_WALK_H
#define MAILCTL_WALK_H

#include <stdint.h>

#include "common/config.h"
#include "mailctl/sweep.h"
#include "mailctl/letter.h"

struct walk {
	const struct config *config;
	const char *queue;
	const struct letter_filter *filter;
	const char *what; /* one word for the progress bar; NULL: none */
	int64_t most;     /* no more messages are looked at; 0: all */
	int64_t enough;   /* ends after so many that match; 0: all */
	/* delivery is letter's; its contents may be taken. */
	enum outcome (*visit)(struct sweep *sweep, const struct letter *letter,
			      struct broker_delivery *delivery, void *context,
			      struct reason *reason);
	/* Nothing is at hand for the moment, and at the end; may be NULL. */
	enum outcome (*pause)(struct sweep *sweep, void *context, struct reason *reason);
	void *context;
	/* Out: */
	int64_t total; /* in the queue at the begin */
	int64_t seen;
	int64_t matched;
};

enum walk_end { WALK_DONE, WALK_STOPPED, WALK_FAILED };

/* reason is filled with WALK_FAILED. */
enum walk_end walk(struct walk *walk, struct reason *reason);

/* What mailctl's commands leave with; says on standard error what is wrong. */
int walk_status(enum walk_end end, const char *command, const struct reason *reason);

#endif
