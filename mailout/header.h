/*
 * Header fields as text: folded at 78 bytes (RFC 5322, 2.1.1), 7-bit (RFC 2047), with CRLF.
 *
 * GMime does this, too, but its encoded words are longer than the 75 bytes that RFC 2047 allows
 * (168 for a Japanese name), name whatever charset fits, and it encodes long ASCII words where
 * programs read them (List-Unsubscribe).
 *
 * No text may have control characters; header_is_line() tells.
 */
#ifndef MAILOUT_HEADER_H
#define MAILOUT_HEADER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 without control characters, tabs included. */
bool header_is_line(const char *text);

/* A field for people: encoded if a mail client would not show it as it is. */
void header_unstructured(GString *out, const char *name, const char *text);

/* A field for programs: ASCII stays as it is, folded at blanks. */
void header_words(GString *out, const char *name, const char *text);

/* One address after the other. */
struct header_mailbox {
	const char *name; /* "" for none */
	const char *email;
};
void header_mailboxes(GString *out, const char *name, const struct header_mailbox *mailboxes,
		      size_t count);

/* A parameter of Content-Type or Content-Disposition: ";" and it on a line of its own. */
void header_parameter(GString *out, const char *name, const char *value);
/* The same with the value as encoded words in quotes: no RFC has it, but it is what old clients
 * read where they should read RFC 2231. */
void header_parameter_words(GString *out, const char *name, const char *value);

#endif
