/*
 * Content transfer encodings (RFC 2045, 6), by GMime's decoders.
 */
#ifndef MAILIN_PARSE_TRANSFER_H
#define MAILIN_PARSE_TRANSFER_H

#include "mailin/parse/defect.h"
#include "mailin/parse/mime.h"

/*
 * The part's body decoded.  When there is nothing to decode the result lies in the mail itself and
 * *owned is NULL; else *owned is the memory of it, g_free() it.
 * Broken base64 is decoded as far as it goes, an unknown encoding is left as it is; both with a
 * defect.
 */
struct span transfer_decode(const struct part *part, char **owned, struct defects *defects);

/* Base64 (RFC 4648) into `out`, which has room for transfer_base64_room() bytes: skips what is
 * none, and does without padding.  Returns how many bytes. */
size_t transfer_base64_room(size_t size);
size_t transfer_base64(struct span text, char *out);

#endif
