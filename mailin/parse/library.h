/*
 * A shared library that is loaded at run time, when a mail needs it: linked in, it would make every
 * start slower.
 */
#ifndef MAILIN_PARSE_LIBRARY_H
#define MAILIN_PARSE_LIBRARY_H

#include <stddef.h>

struct library_symbol {
	const char *name;
	void *function; /* where the pointer to it goes */
};

/* Before the sandbox.  NULL if it cannot be loaded or lacks one of the functions. */
void *library_open(const char *file, const struct library_symbol *symbols, size_t count);

/* NULL is allowed; *library becomes NULL. */
void library_close(void **library);

#endif
