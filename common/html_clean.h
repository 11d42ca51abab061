/*
 * What of HTML libxml2 should not see.
 */
#ifndef COMMON_HTML_CLEAN_H
#define COMMON_HTML_CLEAN_H

#include <stddef.h>

#include <glib.h>

/*
 * A copy, with "<body>" before it and blanks in place of
 * - "<![if !mso]>" and "<![endif]>", which reveal what is between them to all but Outlook: HTML
 * calls them comments, libxml2 calls them text;
 * - a tag's attributes behind the first hundred or so: libxml2 compares each with all others.
 * In linear time; g_string_free() it.
 */
GString *html_clean(const char *html, size_t size);

#endif
