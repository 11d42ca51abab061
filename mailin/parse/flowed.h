/*
 * format=flowed (RFC 3676): join the lines that the sender's client broke.
 */
#ifndef MAILIN_PARSE_FLOWED_H
#define MAILIN_PARSE_FLOWED_H

#include <stdbool.h>
#include <stddef.h>

/* Space-stuffing is undone, quote depth kept, "-- " is never joined.  g_free() the result. */
char *flowed_join(const char *text, size_t size, bool delsp);

#endif
