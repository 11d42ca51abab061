/*
 * Message-IDs of strangers (RFC 5322, 3.6.4).
 */
#ifndef COMMON_MESSAGE_ID_H
#define COMMON_MESSAGE_ID_H

#include <stdbool.h>

struct wire;

/* Can mail of ours refer to it: is it (without angle brackets) two sides about an at sign, in
 * printable ASCII, and no longer than what mailout takes as a word of a header? */
bool message_id_is_usable(const char *id);

/* What a References names besides the first one, at most; and its bytes, far below what any server
 * takes as a field. */
enum { MESSAGE_ID_NEWEST_MAX = 20, MESSAGE_ID_REFERENCES_MAX = 4000 };

/*
 * References of a reply to a mail with these fields: what that one refers to, in its order, then
 * its own id; "<a@x> <b@x>", g_free() it, or NULL if there is nothing to refer to.
 *
 * Of a conversation that is longer than the limits, the first id and the newest ones.  Ids are
 * without angle brackets; those that are not usable are left out, and none is there twice.
 * `references` and `in_reply_to` are arrays of strings; each may be NULL, and so may `own`.
 */
char *message_id_references(const struct wire *references, const struct wire *in_reply_to,
			    const char *own);

#endif
