/*
 * Address fields (RFC 5322, 3.4; RFC 6532), by GMime's address parser.
 *
 * The list is cut into mailboxes here, so that GMime sees one at a time, all in UTF-8.
 */
#ifndef MAILIN_PARSE_ADDRESS_H
#define MAILIN_PARSE_ADDRESS_H

#include <stdint.h>

#include "common/wire.h"
#include "mailin/parse/defect.h"
#include "mailin/parse/span.h"

/*
 * Append {Email, Name, MailboxHash} for each mailbox of the field to the array, groups flattened,
 * until the array has `max` of them.  `hint`: see encoded_word_decode().
 */
void address_list(struct span value, const char *hint, int64_t max, struct wire *array,
		  struct defects *defects);

/* An {Email, Name, MailboxHash}; NULL is an empty string.  MailboxHash is what stands behind the
 * first '+' of the local part. */
struct wire *address_object(const char *email, const char *name);

#endif
