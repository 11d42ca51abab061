/*
 * Encoded words (RFC 2047) and raw 8-bit text in header fields, to UTF-8.
 *
 * GMime decodes them, too, but opens whatever charset a stranger names, which loads a file; the
 * sandbox answers that with death.  So all text becomes UTF-8 here, by charset.h, before GMime sees
 * it.
 *
 * Lenient as mail clients are: words within quotes or glued to text, spaces within, no padding.
 * Neighbouring words of one charset are joined before they are converted, because senders cut
 * characters in two.  Takes linear time.
 */
#ifndef MAILIN_PARSE_ENCODED_WORD_H
#define MAILIN_PARSE_ENCODED_WORD_H

#include <glib.h>

#include "mailin/parse/defect.h"
#include "mailin/parse/span.h"

/* Unfold and decode; control characters become spaces.  `hint` is the charset to try for raw 8-bit
 * text that is no UTF-8 (NULL: none).  g_free() the result. */
char *encoded_word_decode(struct span value, const char *hint, struct defects *defects);

/* The same, but what was encoded is encoded again, as words of UTF-8, so that a decoded comma is
 * not taken for syntax: what a parser of structured fields wants. */
char *encoded_word_recode(struct span value, const char *hint, struct defects *defects);

#endif
