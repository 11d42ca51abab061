/*
 * Characters: any charset to valid UTF-8.
 */
#ifndef MAILIN_PARSE_CHARSET_H
#define MAILIN_PARSE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Before the sandbox: glibc's iconv loads a module from a file per charset.  Looks for "charset="
 * parameters, RFC 2231's "*=label'" and "=?label?" in the mail's bytes and opens those that stand
 * in a fixed table of charsets which mail uses; the stranger's bytes only choose among the table's
 * entries.  After it, only the charsets that were opened are known, until charset_deinit(): no file
 * is touched.
 */
void charset_preload(const char *mail, size_t size);
/* Before that: this one, too. */
void charset_preload_label(const char *label);
void charset_deinit(void);

/*
 * Convert; g_free() the result, which is valid UTF-8 and has a NUL behind its *out_size bytes, none
 * in them.  Bytes that mean nothing become U+FFFD, one each, and so does NUL; a byte order mark at
 * the start is dropped and decides, whatever the label says.  At most three times the input's size,
 * in linear time.
 *
 * `label` may be NULL or "": then it is us-ascii (RFC 2045, 5.2).  "iso-8859-1" means windows-1252,
 * "gb2312" means gb18030, "ks_c_5601-1987" means uhc, "shift_jis" means cp932 and so on, as the
 * WHATWG encoding standard says.
 *
 * *wrong tells that the label is unknown or that bytes do not fit it.  If more than every third
 * character beyond ASCII does not fit, or nothing is known of the label, it is not believed: then
 * the bytes are UTF-8 if they are valid as that, else windows-1252.
 */
char *charset_to_utf8(const char *label, const char *bytes, size_t size, size_t *out_size,
		      bool *wrong);

#endif
