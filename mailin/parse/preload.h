/*
 * The libraries that only some attachments need, loaded before the sandbox closes when the mail
 * seems to have one: linked in, they would make every start slower.
 */
#ifndef MAILIN_PARSE_PRELOAD_H
#define MAILIN_PARSE_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/* False if one of them is not there: its image would be taken for none, its archive for one that
 * cannot be read, and perhaps its mail refused. */
bool preload_libraries(const char *mail, size_t size);

#endif
