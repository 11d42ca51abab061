/*
 * A stored message as a mail again: where the mail as it came was not kept, one made of the stored
 * header fields and parts, which says so in its first field.
 *
 * It reads the same in a mail client.  What is different: fields that describe the structure are
 * kept as X-Mailpipe-Original-*, encodings and boundaries are new, parts that were neither text nor
 * attachment are gone, and so signatures of the original do not hold.  7-bit with CRLF.
 */
#ifndef MAILCTL_REBUILD_H
#define MAILCTL_REBUILD_H

#include <glib.h>

#include "mailctl/stored.h"

#define REBUILT_FIELD "X-Mailpipe-Rebuilt"

/* The message was read with its contents.  g_string_free() it. */
GString *rebuild_mail(const struct stored_message *message);

#endif
