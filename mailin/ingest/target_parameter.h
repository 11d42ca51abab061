/*
 * The named parameters of targets: what a statement may say, and what is bound for it.
 */
#ifndef MAILIN_INGEST_TARGET_PARAMETER_H
#define MAILIN_INGEST_TARGET_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/db.h"

struct inbound;
struct target_parameter;

/* `name` without its colon.  NULL: there is none of that name. */
const struct target_parameter *target_parameter_find(const char *name, size_t size);

/* Does it exist only in a section for attachments? */
bool target_parameter_is_attachments(const struct target_parameter *parameter);

/* Has a message it only if it is in a thread? */
bool target_parameter_is_threads(const struct target_parameter *parameter);

/* May a section say "where NAME"? */
bool target_parameter_is_flag(const struct target_parameter *parameter);

/* Its value for a message; `attachment` is the index of one, and counts only if the parameter is
 * that of an attachment.  Borrowed from the message. */
struct db_value target_parameter_value(const struct target_parameter *parameter,
				       const struct inbound *message, size_t attachment);

/* All names in the order of the manual page. */
void target_parameter_each(void (*visit)(const char *name, void *context), void *context);

#endif
