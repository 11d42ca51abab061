/*
 * The text of an HTML mail, by libxml2's HTML parser (SAX: no tree, no recursion of ours).
 *
 * Blocks begin lines, <br> breaks one, list items get "- ", links are followed by their address in
 * <...> when it differs from their text, images give their alt text, white space is folded except in
 * <pre>, <script>, <style>, <head> and hidden preheaders give nothing, blockquote lines begin with "> ".
 */
#ifndef MAILIN_PARSE_HTML_TEXT_H
#define MAILIN_PARSE_HTML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Before the sandbox. */
void html_text_init(void);

/* `html` is UTF-8 (a charset named within is ignored).  At most `limit` bytes; *cut tells if that was
 * too few.  g_free() the result. */
char *html_to_text(const char *html, size_t size, size_t limit, bool *cut);

#endif
