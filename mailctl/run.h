/*
 * Run another program and wait for it: no shell, its input and output in memory.
 */
#ifndef MAILCTL_RUN_H
#define MAILCTL_RUN_H

#include "common/outcome.h"

struct run_result {
	int status;   /* exit status; 128 + signal; 127 if it could not be started */
	char *output; /* standard output without white space at its end */
	char *errors; /* standard error, the same */
};

/* argv[0] is looked for in PATH.  input (may be NULL) is its standard input: secrets go there,
 * because everybody can read an argv.  OK if it ran, whatever its status. */
enum outcome run_program(const char *const *argv, const char *input, struct run_result *result,
			 struct reason *reason);
void run_result_clear(struct run_result *result);

#endif
