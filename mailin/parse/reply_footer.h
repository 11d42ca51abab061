/*
 * "Sent from my phone", in the languages and with the names that phones and providers use.
 */
#ifndef MAILIN_PARSE_REPLY_FOOTER_H
#define MAILIN_PARSE_REPLY_FOOTER_H

#include <stdbool.h>
#include <stddef.h>

/* Is all of the line one? */
bool reply_is_footer(const char *line, size_t size);

#endif
