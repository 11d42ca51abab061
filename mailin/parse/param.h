/*
 * "value; name=value; ..." of Content-Type and Content-Disposition (RFC 2045, 5.1; RFC 2183), with
 * RFC 2231's continuations and charsets and what senders do instead.
 *
 * Written here because GMime's parser opens any charset a stranger names, which needs a file.
 */
#ifndef MAILIN_PARSE_PARAM_H
#define MAILIN_PARSE_PARAM_H

#include "mailin/parse/defect.h"
#include "mailin/parse/span.h"

struct params;

/* At most PARAMS_MAX segments are kept; the rest is ignored with a defect. */
enum { PARAMS_MAX = 200 };

/* Borrows the value's bytes.  params_free() it. */
struct params *params_parse(struct span value, struct defects *defects);
void params_free(struct params **params);

/* The value in front, lower case, without blanks and comments ("text/plain"). */
const char *params_value(const struct params *params);

/* A parameter as UTF-8, or NULL; g_free() it.  The extended form wins over the plain one. */
char *params_text(const struct params *params, const char *name, struct defects *defects);

/* A plain parameter's bytes as they stand, unquoted (boundary), or NULL; g_free() it. */
char *params_bytes(const struct params *params, const char *name);

#endif
