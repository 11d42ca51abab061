/*
 * What mail clients put around the mail that is answered: elements of HTML that tell a quote from
 * the sender's own words, in whatever language.  A stranger's HTML may say so of anything, so a
 * mark is a hint, to be checked against the text.
 */
#ifndef COMMON_HTML_MARK_H
#define COMMON_HTML_MARK_H

#include <stddef.h>

enum html_mark_kind {
	HTML_MARK_NONE,
	HTML_MARK_CITE,      /* an attribution ("X wrote:") or the quote behind it begins */
	HTML_MARK_ORIGINAL,  /* the head of the original (From, Sent, To, Subject) begins */
	HTML_MARK_CONTAINER, /* all in it is the original ... */
	HTML_MARK_END,       /* ... until here */
	HTML_MARK_FORWARD,   /* a forwarded mail begins */
	HTML_MARK_SIGNATURE, /* a signature, until its HTML_MARK_END */
};

struct html_mark {
	size_t offset; /* in the text; it holds from the next line with text on */
	enum html_mark_kind kind;
	const char *client; /* whose habit it is; a constant */
};

/* Of an element's start tag: name in lower case; `attributes` as of SAX (names and values by turns,
 * NULL at the end; NULL: none).  The offset is left alone. */
void html_mark_find(const char *element, const char *const *attributes, struct html_mark *mark);

#endif
