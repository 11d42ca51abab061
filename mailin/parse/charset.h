/*
 * Characters: any charset to valid UTF-8.
 */
#ifndef MAILIN_PARSE_CHARSET_H
#define MAILIN_PARSE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Before the sandbox: glibc's iconv loads a module from a file per charset.  Looks for "charset=" and
 * "=?" labels in the mail's bytes and opens those that stand in a fixed table of charsets which mail
 * uses; the stranger's bytes only choose among the table's entries.
 */
void charset_preload(const char *mail, size_t size);
void charset_deinit(void);

/*
 * Convert; g_free() the result, which is valid UTF-8 and has a NUL behind its *out_size bytes.
 * `label` may be NULL or "".  *wrong tells that the label was unknown or the bytes do not fit it, and a
 * fallback was taken: UTF-8 if the bytes are that, else windows-1252 (WHATWG's superset of latin1).
 * "us-ascii" and "iso-8859-1" mean windows-1252, "gb2312" means gb18030, "ks_c_5601-1987" means uhc,
 * "shift_jis" means cp932 and so on, as the WHATWG encoding standard says.
 */
char *charset_to_utf8(const char *label, const char *bytes, size_t size, size_t *out_size, bool *wrong);

#endif
