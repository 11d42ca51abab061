#include "mailin/parse/param.h"

#include <glib.h>
#include <stdlib.h>

#include "mailin/parse/charset.h"
#include "mailin/parse/encoded_word.h"

struct segment {
	struct span name; /* without '*' and number */
	int number;       /* -1: not continued */
	bool extended;    /* percent-encoded */
	char *value;      /* unquoted; owned */
	size_t size;
};

struct params {
	char *value;
	GArray *segments;
};

static void segment_clear(gpointer segment)
{
	g_free(((struct segment *)segment)->value);
}

static const char *skip_comment(const char *p, const char *end)
{
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && --depth == 0)
			return p + 1;
	}
	return end;
}

static const char *skip_cfws(const char *p, const char *end)
{
	while (p < end && (is_space(*p) || *p == '(')) {
		if (*p == '(')
			p = skip_comment(p, end);
		else
			p++;
	}
	return p;
}

/* A backslash quotes only a quote and itself: Windows senders put paths into file names. */
static const char *read_quoted(const char *p, const char *end, GString *out)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\\'))
			p++;
		if (*p != '\r' && *p != '\n')
			g_string_append_c(out, *p);
	}
	return p < end ? p + 1 : end;
}

/* Unquoted file names may contain blanks and parentheses; other values end there. */
static const char *read_token(const char *p, const char *end, bool name, GString *out)
{
	const char *start = p;

	while (p < end && *p != ';' && (name || (!is_space(*p) && *p != '(')))
		p++;
	struct span token = span_trim((struct span){start, (size_t)(p - start)});
	g_string_append_len(out, token.data, (gssize)token.size);
	return p;
}

/* "filename*0*" is the encoded segment 0 of "filename". */
static void read_name(struct span name, struct segment *segment)
{
	enum { NUMBER_MAX = 99999 };

	segment->number = -1;
	segment->extended = false;
	segment->name = name;
	const char *star = memchr(name.data, '*', name.size);
	if (star == NULL)
		return;
	segment->name.size = (size_t)(star - name.data);
	const char *p = star + 1, *end = name.data + name.size;
	if (p < end && g_ascii_isdigit(*p)) {
		for (segment->number = 0; p < end && g_ascii_isdigit(*p); p++)
			segment->number = MIN(segment->number * 10 + (*p - '0'), NUMBER_MAX);
		segment->extended = p < end && *p == '*';
	} else {
		segment->extended = true;
	}
}

static const char *read_segment(const char *p, const char *end, struct segment *segment)
{
	const char *start = p;

	while (p < end && *p != '=' && *p != ';' && !is_space(*p))
		p++;
	read_name((struct span){start, (size_t)(p - start)}, segment);
	p = skip_cfws(p, end);
	if (p == end || *p != '=')
		return p;
	p = skip_cfws(p + 1, end);
	GString *value = g_string_new(NULL);
	if (p < end && *p == '"')
		p = read_quoted(p, end, value);
	else
		p = read_token(p, end,
			       span_is(segment->name, "name") || span_is(segment->name, "filename"),
			       value);
	segment->size = value->len;
	segment->value = g_string_free(value, FALSE);
	return p;
}

static int by_number(gconstpointer a, gconstpointer b)
{
	return ((const struct segment *)a)->number - ((const struct segment *)b)->number;
}

static const char *skip_token(const char *p, const char *end)
{
	while (p<end && * p> ' ' && *p <= '~' && strchr("()<>@,;:\\\"/[]?=", *p) == NULL)
		p++;
	return p;
}

/* "token" or "token/token"; some senders put blanks around the slash or quotes around all.  What
 * else stands there up to a blank or a semicolon is passed over. */
static char *read_value(const char **from, const char *end)
{
	GString *value = g_string_new(NULL);
	const char *p = *from;
	if (p < end && *p == '"')
		p++;
	const char *stop = skip_token(p, end);
	g_string_append_len(value, p, stop - p);
	const char *slash = skip_cfws(stop, end);
	if (value->len > 0 && slash < end && *slash == '/') {
		p = skip_cfws(slash + 1, end);
		stop = skip_token(p, end);
		g_string_append_c(value, '/');
		g_string_append_len(value, p, stop - p);
	}
	while (stop < end && *stop != ';' && *stop != '(' && !is_space(*stop))
		stop++;
	*from = stop;
	g_string_ascii_down(value);
	return g_string_free(value, FALSE);
}

struct params *params_parse(struct span value, struct defects *defects)
{
	struct params *params = g_new0(struct params, 1);
	const char *end = value.data + value.size;
	const char *p = skip_cfws(value.data, end);

	params->segments = g_array_new(FALSE, TRUE, sizeof(struct segment));
	g_array_set_clear_func(params->segments, segment_clear);
	params->value = read_value(&p, end);
	while (p < end) {
		/* Rubbish between parameters is skipped up to the next semicolon or blank. */
		p = skip_cfws(p, end);
		if (p < end && *p == ';')
			p++;
		p = skip_cfws(p, end);
		if (p == end)
			break;
		if (*p == ';')
			continue;
		if (params->segments->len == PARAMS_MAX) {
			defect_note(defects, DEFECT_PARAMETER);
			break;
		}
		struct segment segment = {0};
		const char *before = p;
		p = read_segment(p, end, &segment);
		if (p == before)
			p++;
		if (segment.value != NULL)
			g_array_append_val(params->segments, segment);
	}
	g_array_sort(params->segments, by_number);
	return params;
}

void params_free(struct params **params)
{
	if (*params == NULL)
		return;
	g_free((*params)->value);
	g_array_free((*params)->segments, TRUE);
	g_free(*params);
	*params = NULL;
}

const char *params_value(const struct params *params)
{
	return params->value;
}

static const struct segment *plain_segment(const struct params *params, const char *name)
{
	for (guint i = 0; i < params->segments->len; i++) {
		const struct segment *s = &g_array_index(params->segments, struct segment, i);
		if (s->number < 0 && !s->extended && span_is(s->name, name))
			return s;
	}
	return NULL;
}

static void percent_decode(GString *out, const char *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = p[i];
		if (c == '%' && size - i > 2 && g_ascii_isxdigit(p[i + 1]) &&
		    g_ascii_isxdigit(p[i + 2])) {
			c = (char)(g_ascii_xdigit_value(p[i + 1]) << 4 |
				   g_ascii_xdigit_value(p[i + 2]));
			i += 2;
		}
		g_string_append_c(out, c);
	}
}

/* "charset'language'" in front of the first extended segment (RFC 2231, 4); returns its length. */
static size_t read_charset(const struct segment *s, char **charset)
{
	const char *first = memchr(s->value, '\'', s->size);
	if (first == NULL)
		return 0;
	size_t rest = s->size - (size_t)(first + 1 - s->value);
	const char *second = memchr(first + 1, '\'', rest);
	if (second == NULL)
		return 0;
	*charset = g_strndup(s->value, (size_t)(first - s->value));
	return (size_t)(second + 1 - s->value);
}

/* The segments of `name` put together: their bytes, their charset and whether there are any. */
static GString *join_segments(const struct params *params, const char *name, char **charset)
{
	GString *bytes = NULL;

	for (guint i = 0; i < params->segments->len; i++) {
		const struct segment *s = &g_array_index(params->segments, struct segment, i);
		if ((s->number < 0 && !s->extended) || !span_is(s->name, name))
			continue;
		size_t skip = 0;
		if (bytes == NULL) {
			bytes = g_string_new(NULL);
			if (s->extended)
				skip = read_charset(s, charset);
		}
		if (s->extended)
			percent_decode(bytes, s->value + skip, s->size - skip);
		else
			g_string_append_len(bytes, s->value, (gssize)s->size);
	}
	return bytes;
}

char *params_text(const struct params *params, const char *name, struct defects *defects)
{
	g_autofree char *charset = NULL;
	GString *bytes = join_segments(params, name, &charset);

	if (bytes != NULL && charset != NULL && *charset != '\0') {
		size_t size;
		bool wrong = false;
		char *text = charset_to_utf8(charset, bytes->str, bytes->len, &size, &wrong);
		if (wrong)
			defect_note(defects, DEFECT_HEADER_CHARSET);
		g_string_free(bytes, TRUE);
		return text;
	}
	if (bytes == NULL) {
		const struct segment *s = plain_segment(params, name);
		if (s == NULL)
			return NULL;
		return encoded_word_decode((struct span){s->value, s->size}, NULL, defects);
	}
	/* Continued without a charset: senders put encoded words there. */
	char *text = encoded_word_decode((struct span){bytes->str, bytes->len}, NULL, defects);
	g_string_free(bytes, TRUE);
	return text;
}

char *params_bytes(const struct params *params, const char *name)
{
	const struct segment *s = plain_segment(params, name);
	if (s != NULL)
		return g_strndup(s->value, s->size);
	g_autofree char *charset = NULL;
	GString *bytes = join_segments(params, name, &charset);
	return bytes == NULL ? NULL : g_string_free(bytes, FALSE);
}
