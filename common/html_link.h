/*
 * Links of an HTML mail, as its text shows them.
 */
#ifndef COMMON_HTML_LINK_H
#define COMMON_HTML_LINK_H

#include <stdbool.h>

/* What an href (or NULL) is shown as.  NULL if it leads nowhere outside of the mail, or is longer
 * than people read.  g_free() it. */
char *html_link_shown(const char *href);

/* Does the link's text say the same?  "www.example.com" is enough of "https://www.example.com/". */
bool html_link_is_said(const char *text, const char *url);

#endif
