#include "mailout/build_part.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "mailout/header.h"
#include "mailout/request.h"

enum {
	LINE_7BIT_MAX = 78, /* RFC 5322, 2.1.1; longer lines get soft breaks */
	BASE64_LINE = 76,
	QP_LINE = 75, /* of an encoded line, without its soft break */
	DELETE = 0x7F,
};

static const char from_mark[] = "From ";

/* ---- content ---- */

static GMimePart *new_part(const char *type, const char *subtype, GByteArray *bytes,
			   GMimeContentEncoding inside, GMimeContentEncoding outside)
{
	GMimePart *part = g_mime_part_new_with_type(type, subtype);
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), TRUE);
	GMimeDataWrapper *content = g_mime_data_wrapper_new_with_stream(stream, inside);

	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, outside);
	g_object_unref(content);
	g_object_unref(stream);
	return part;
}

/* With LF, and one at the end. */
static GByteArray *normal_lines(const char *text)
{
	size_t size = strlen(text);
	GByteArray *lines = g_byte_array_sized_new((guint)size + 1);

	while (*text != '\0') {
		size_t line = strcspn(text, "\r\n");

		g_byte_array_append(lines, (const guint8 *)text, (guint)line);
		g_byte_array_append(lines, (const guint8 *)"\n", 1);
		text += line;
		if (*text == '\r')
			text++;
		if (*text == '\n')
			text++;
	}
	return lines;
}

/* ---- texts ---- */

struct text_facts {
	bool is_7bit; /* and no control characters, long lines, or what mbox files change */
	size_t qp;    /* bytes it takes, about */
	size_t base64;
};

/* Per byte: is it escaped in quoted-printable, and may it not stand in 7bit? */
enum { ESCAPED = 1, NOT_7BIT_SHIFT = 32 };
static uint64_t weights[UCHAR_MAX + 1];

void build_part_init(void)
{
	for (int c = 0; c <= UCHAR_MAX; c++) {
		bool odd = (c < ' ' && c != '\t' && c != '\n') || c >= DELETE;

		weights[c] = odd || c == '=' ? ESCAPED : 0;
		weights[c] |= odd ? UINT64_C(1) << NOT_7BIT_SHIFT : 0;
	}
}

static bool begins_with_from(const guint8 *line, size_t size)
{
	return size >= strlen(from_mark) && memcmp(line, from_mark, strlen(from_mark)) == 0;
}

static struct text_facts look(const GByteArray *lines)
{
	const uint64_t mask = (UINT64_C(1) << NOT_7BIT_SHIFT) - 1;
	struct text_facts facts = {.is_7bit = true};
	const guint8 *end = lines->data + lines->len;
	uint64_t weight = 0;

	for (const guint8 *p = lines->data; p < end;) {
		const guint8 *newline = memchr(p, '\n', (size_t)(end - p));

		if (newline - p > LINE_7BIT_MAX || begins_with_from(p, (size_t)(newline - p)))
			facts.is_7bit = false;
		for (; p <= newline; p++)
			weight += weights[*p];
	}
	if (weight >> NOT_7BIT_SHIFT > 0)
		facts.is_7bit = false;
	facts.qp = lines->len + (strlen("=XX") - 1) * (size_t)(weight & mask);
	facts.qp += facts.qp / QP_LINE;
	facts.base64 = ((size_t)lines->len + 2) / 3 * 4;
	facts.base64 += facts.base64 / BASE64_LINE;
	return facts;
}

/* The next line from here on that begins with "From "; p itself begins one. */
static const guint8 *find_from(const guint8 *p, const guint8 *end)
{
	static const char newline_from[] = "\nFrom ";

	if (begins_with_from(p, (size_t)(end - p)))
		return p;
	p = memmem(p, (size_t)(end - p), newline_from, strlen(newline_from));
	return p != NULL ? p + 1 : NULL;
}

/* Programs that keep mail in mbox files write ">From " for "From " at the start of a line. */
static GByteArray *hide_from(GByteArray *encoded)
{
	static const char hidden[] = "=46rom =\n";
	const guint8 *p = encoded->data;
	const guint8 *end = p + encoded->len;
	const guint8 *from = find_from(p, end);

	if (from == NULL)
		return encoded;
	GByteArray *safe = g_byte_array_sized_new(encoded->len + (guint)strlen(hidden));

	for (; from != NULL; from = find_from(p, end)) {
		g_byte_array_append(safe, p, (guint)(from - p));
		g_byte_array_append(safe, (const guint8 *)hidden, (guint)strlen(hidden));
		p = from + strlen(from_mark);
	}
	g_byte_array_append(safe, p, (guint)(end - p));
	g_byte_array_unref(encoded);
	return safe;
}

/* By GMime's encoder, but not while the message is written: "From " must be seen. */
static GByteArray *quoted_printable(GByteArray *lines)
{
	GMimeEncoding encoder;

	g_mime_encoding_init_encode(&encoder, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	GByteArray *encoded = g_byte_array_new();

	g_byte_array_set_size(encoded, (guint)g_mime_encoding_outlen(&encoder, lines->len));
	size_t size = g_mime_encoding_flush(&encoder, (const char *)lines->data, lines->len,
					    (char *)encoded->data);

	g_byte_array_set_size(encoded, (guint)size);
	g_byte_array_unref(lines);
	return hide_from(encoded);
}

GMimeObject *build_text(const char *subtype, const char *text)
{
	GByteArray *lines = normal_lines(text);
	struct text_facts facts = look(lines);
	GMimePart *part;

	if (facts.is_7bit)
		part = new_part("text", subtype, lines, GMIME_CONTENT_ENCODING_7BIT,
				GMIME_CONTENT_ENCODING_7BIT);
	else if (facts.qp <= facts.base64)
		part = new_part("text", subtype, quoted_printable(lines),
				GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
				GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	else
		part = new_part("text", subtype, lines, GMIME_CONTENT_ENCODING_DEFAULT,
				GMIME_CONTENT_ENCODING_BASE64);
	g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", "utf-8");
	return GMIME_OBJECT(part);
}

/* ---- files ---- */

/* A header of a part as it is: GMime would choose other charsets and encoded words. */
static void set_raw_header(GMimeObject *part, const char *name, GString *value)
{
	g_string_replace(value, "\r\n", "\n", 0);
	g_string_append_c(value, '\n');
	g_mime_object_set_header(part, name, "x", NULL);
	GMimeHeader *header =
		g_mime_header_list_get_header(g_mime_object_get_header_list(part), name);

	g_mime_header_set_raw_value(header, value->str);
	g_string_free(value, TRUE);
}

/* message/rfc822 must not be in base64 (RFC 2046, 5.2.1); the file's name still tells what it is.
 * A stored attachment's type is a stranger's. */
static const char *safe_type(const char *type)
{
	static const char unknown[] = "application/octet-stream";
	static const char message[] = "message/";

	if (type == NULL || !request_is_media_type(type) ||
	    g_ascii_strncasecmp(type, message, strlen(message)) == 0)
		return unknown;
	return type;
}

static void set_type(GMimeObject *part, const struct build_file *file)
{
	g_autoptr(GString) given = g_string_new(safe_type(file->content_type));
	GString *value = g_string_new(" ");
	char *parameters = strchr(given->str, ';');

	if (parameters != NULL)
		*parameters = '\0';
	g_string_append(value, g_strchomp(given->str));
	/* Its own parameters (charset) as they are; a name we say ourselves. */
	if (parameters != NULL) {
		GMimeContentType *type =
			g_mime_content_type_parse(NULL, safe_type(file->content_type));
		GMimeParamList *list = g_mime_content_type_get_parameters(type);

		for (int i = 0; i < g_mime_param_list_length(list); i++) {
			GMimeParam *param = g_mime_param_list_get_parameter_at(list, i);

			if (g_ascii_strcasecmp(g_mime_param_get_name(param), "name") != 0)
				header_parameter(value, g_mime_param_get_name(param),
						 g_mime_param_get_value(param));
		}
		g_object_unref(type);
	}
	if (file->name != NULL)
		header_parameter_words(value, "name", file->name);
	set_raw_header(part, "Content-Type", value);
}

static void set_disposition(GMimeObject *part, const struct build_file *file)
{
	GString *value = g_string_new(file->is_inline ? " inline" : " attachment");

	if (file->name != NULL)
		header_parameter(value, "filename", file->name);
	set_raw_header(part, "Content-Disposition", value);
}

static void release_borrowed(void *array)
{
	g_byte_array_free(array, FALSE);
}

GMimeObject *build_file(const struct build_file *file)
{
	/* GMime only reads it. */
	GByteArray *borrowed = g_byte_array_new_take((guint8 *)file->data, file->size);
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(borrowed);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	GMimeDataWrapper *content =
		g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
	GMimePart *part = g_mime_part_new();

	g_mime_part_set_content(part, content);
	set_type(GMIME_OBJECT(part), file);
	g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
	set_disposition(GMIME_OBJECT(part), file);
	if (file->content_id != NULL)
		g_mime_part_set_content_id(part, file->content_id);
	g_object_unref(content);
	g_object_unref(stream);
	g_object_set_data_full(G_OBJECT(part), "borrowed", borrowed, release_borrowed);
	return GMIME_OBJECT(part);
}

/* ---- references ---- */

/* Where a URL in an attribute or in CSS ends. */
static size_t url_size(const char *text)
{
	size_t size = 0;

	while (text[size] != '\0' && !g_ascii_isspace(text[size]) &&
	       strchr("\"'<>)&", text[size]) == NULL)
		size++;
	return size;
}

bool build_html_refers(const char *html, const char *content_id)
{
	static const char scheme[] = "cid:";

	for (const char *p = html; (p = strcasestr(p, scheme)) != NULL;) {
		p += strlen(scheme);
		/* It may be escaped (RFC 2392). */
		g_autofree char *id = g_uri_unescape_segment(p, p + url_size(p), NULL);

		if (id != NULL && strcmp(id, content_id) == 0)
			return true;
	}
	return false;
}
