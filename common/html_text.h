/*
 * The text of an HTML mail, by libxml2's HTML parser (SAX: no tree, no recursion of ours).
 *
 * Blocks begin lines, paragraphs are followed by a blank one, <br> breaks a line, list items get "-
 * " or their number, cells of a table's row are separated by a tab, links are followed by their
 * address in <...> when it differs from their text, images give their alt text, white space is
 * folded except in <pre>, <script>, <style>, <title> and hidden preheaders give nothing, a
 * blockquote's lines begin with "> ", unless it only indents.
 */
#ifndef COMMON_HTML_TEXT_H
#define COMMON_HTML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/html_mark.h"

struct _GArray;

/*
 * Loads libxml2 if it is not there yet, and gives the HTML of the next message its own budget of
 * time.  Linked in, the library and ICU, which it pulls in, would cost each start about 3 ms. False
 * if it cannot be loaded.
 */
bool html_text_begin(void);
void html_text_deinit(void);

/*
 * `html` is UTF-8 (a charset named within is ignored).  At most `limit` bytes; *cut tells if that
 * was too few, or the HTML so broken that it took too long.  g_free() the result, which is valid
 * UTF-8.
 *
 * NULL if libxml2 is not loaded.  There is no second, worse way; the caller goes without a text
 * then.
 */
char *html_to_text(const char *html, size_t size, size_t limit, bool *cut);

/* The same, and where in it quotes begin: struct html_mark is appended to `marks`, a bounded number
 * of them. */
char *html_to_marked_text(const char *html, size_t size, size_t limit, bool *cut,
			  struct _GArray *marks);

#endif
