/*
 * Message-IDs of strangers (RFC 5322, 3.6.4).
 */
#ifndef COMMON_MESSAGE_ID_H
#define COMMON_MESSAGE_ID_H

#include <stdbool.h>

/* Can mail of ours refer to it: is it (without angle brackets) two sides about an at sign, in
 * printable ASCII, and no longer than what mailout takes as a word of a header? */
bool message_id_is_usable(const char *id);

#endif
