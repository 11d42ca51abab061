/*
 * Attachments: the parts that are no bodies, with names, digests and detected types; winmail.dat
 * opened.
 */
#ifndef MAILIN_PARSE_ATTACH_H
#define MAILIN_PARSE_ATTACH_H

#include <glib.h>

#include "common/config.h"
#include "common/wire.h"
#include "mailin/parse/mime.h"

struct attachments;

struct attachments *attachments_new(const struct config_limits *limits, struct defects *defects);

/* Add a part to the array.  Its decoded bytes belong to `attachments`, the document borrows them.
 */
void attachments_add(struct attachments *attachments, const struct part *part);

/* The objects for the document; takes them out. */
struct wire *attachments_take(struct attachments *attachments);

/* Bodies found in a winmail.dat, UTF-8, or NULL; borrowed. */
const char *attachments_text(const struct attachments *attachments);
const char *attachments_html(const struct attachments *attachments);

/* After the document is freed.  NULL is allowed. */
void attachments_free(struct attachments **attachments);

#endif
