/*
 * What the files of `mailctl dead` share.
 *
 *	dead.c		options; drop and requeue
 *	dead_list.c	list and show
 *	dead_export.c	export
 */
#ifndef MAILCTL_DEAD_H
#define MAILCTL_DEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "mailctl/letter.h"
#include "mailctl/walk.h"

struct dead {
	struct config *config;
	struct letter_filter filter;
	bool all; /* no filter is meant to be none */
	bool yes;
	bool json;
	bool summary;
	bool body;
	int64_t limit;         /* < 0: not given */
	const char *directory; /* of export */
};

/* Each returns an exit status. */
int dead_list(const struct dead *dead);
int dead_show(const struct dead *dead);
int dead_export(const struct dead *dead);

/* A walk through mail.dead for these options. */
struct walk dead_walk(const struct dead *dead, const char *what);

#endif
