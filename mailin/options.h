/*
 * The command line of mailin(8).
 */
#ifndef MAILIN_OPTIONS_H
#define MAILIN_OPTIONS_H

#include <stdbool.h>

#include "common/outcome.h"
#include "mailin/envelope.h"

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
	enum options_action action;
	const char *config_file; /* NULL: the default one, in a dry run none */
	const char *route;       /* NULL: by the recipient; only in a dry run */
	bool dry_run;
	bool pretty;
	bool no_sandbox;
	struct envelope envelope; /* its recipient is "" only in a dry run */
};

/*
 * Prints nothing.  RETRY with status 4.3.5 for a usage error: a mistake in master.cf must not
 * bounce mail.  `dry_run` is right even then.
 */
enum outcome options_parse(struct options *options, int argc, char **argv, struct reason *reason);

/* The text of --help. */
extern const char OPTIONS_USAGE[];

#endif
