/*
 * A piece of the mail's bytes, borrowed.
 */
#ifndef MAILIN_PARSE_SPAN_H
#define MAILIN_PARSE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
	const char *data;
	size_t size;
};

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool is_blank_text(const char *text)
{
	while (is_space(*text))
		text++;
	return *text == '\0';
}

static inline struct span span_trim(struct span s)
{
	while (s.size > 0 && is_space(s.data[0])) {
		s.data++;
		s.size--;
	}
	while (s.size > 0 && is_space(s.data[s.size - 1]))
		s.size--;
	return s;
}

static inline bool span_is(struct span s, const char *text)
{
	return s.size == strlen(text) && strncasecmp(s.data, text, s.size) == 0;
}

#endif
