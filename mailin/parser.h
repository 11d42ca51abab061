/*
 * The other process, mailin-parse(8): start it, hand it the job, wait for it, collect what it
 * wrote.
 *
 * It is started before the mail is read, so that its linking runs beside our reading and
 * connecting. Descriptor 0 is the mail (a memfd that fills up meanwhile), 1 the memfd for the
 * document, 2 ours, 3 a pipe with the job (document_job_print()).  The mail is complete when the
 * job has ended: the parser must read descriptor 3 to its end before it looks at descriptor 0.
 */
#ifndef MAILIN_PARSER_H
#define MAILIN_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/deadline.h"
#include "common/outcome.h"
#include "common/wire.h"

/* What mailin-parse exits with. */
enum parser_exit {
	PARSER_EXIT_DONE = 0,    /* the document is complete */
	PARSER_EXIT_MEMORY = 71, /* the mail needs more memory than allowed: publish it raw */
	PARSER_EXIT_RETRY =
		75 /* not the mail's fault: no job, no sandbox, no room for the output */
};

struct parser {
	pid_t pid; /* 0: not running */
	int pidfd;
	int job;              /* the pipe's write end */
	int output;           /* memfd */
	const char *document; /* what it wrote, after parser_collect() */
	size_t document_size;
};

enum parser_result {
	PARSER_DONE,   /* document is set */
	PARSER_FAILED, /* the mail is too much for it: `defect` tells */
	PARSER_RETRY   /* our fault: the reason tells */
};

/* `mail` is the descriptor of the mail.  RETRY if it cannot be started. */
enum outcome parser_start(struct parser *parser, int mail, bool sandbox, struct reason *reason);

/* The mail is complete: let it begin. */
enum outcome parser_give(struct parser *parser, const struct wire *job, struct reason *reason);

/* Wait for its end; past the deadline it is killed.  `size_max` bounds the document, `*defect` is
 * to be freed with g_free() after PARSER_FAILED. */
enum parser_result parser_collect(struct parser *parser, struct deadline deadline, size_t size_max,
				  char **defect, struct reason *reason);

/* Kill it if it still runs, and free everything. */
void parser_close(struct parser *parser);

#endif
