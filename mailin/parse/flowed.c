#include "mailin/parse/flowed.h"

#include <string.h>

#include <glib.h>

struct line {
	size_t depth;     /* quote marks before it */
	const char *text; /* without quote marks, stuffing and the line's end */
	size_t size;
	bool flowed; /* goes on in the next line */
};

/* Where the paragraph stands that is being put together. */
struct paragraph {
	GString *out;
	bool open; /* the last line was flowed */
	size_t depth;
};

static bool is_signature_separator(const char *text, size_t size)
{
	return size == strlen("-- ") && memcmp(text, "-- ", size) == 0;
}

/* RFC 3676, 4.4 and 4.5: quote marks, then one stuffed space, then the trailing space. */
static struct line read_line(const char *text, size_t size, bool delsp)
{
	struct line line = {0};

	if (size > 0 && text[size - 1] == '\r')
		size--;
	while (line.depth < size && text[line.depth] == '>')
		line.depth++;
	line.text = text + line.depth;
	line.size = size - line.depth;
	if (line.size > 0 && line.text[0] == ' ') {
		line.text++;
		line.size--;
	}
	if (is_signature_separator(line.text, line.size))
		return line;
	line.flowed = line.size > 0 && line.text[line.size - 1] == ' ';
	if (line.flowed && delsp)
		line.size--;
	return line;
}

static void begin(struct paragraph *paragraph, const struct line *line)
{
	for (size_t i = 0; i < line->depth; i++)
		g_string_append_c(paragraph->out, '>');
	if (line->depth > 0 && line->size > 0)
		g_string_append_c(paragraph->out, ' ');
	paragraph->depth = line->depth;
}

/* RFC 3676, 4.3 and 4.5: a signature separator and a change of depth end a paragraph, whatever was
 * before. */
static void add(struct paragraph *paragraph, const struct line *line)
{
	bool separator = is_signature_separator(line->text, line->size) && !line->flowed;

	if (paragraph->open && (separator || line->depth != paragraph->depth)) {
		g_string_append_c(paragraph->out, '\n');
		paragraph->open = false;
	}
	if (!paragraph->open)
		begin(paragraph, line);
	g_string_append_len(paragraph->out, line->text, (gssize)line->size);
	paragraph->open = line->flowed;
}

char *flowed_join(const char *text, size_t size, bool delsp)
{
	struct paragraph paragraph = {.out = g_string_sized_new(size + 1)};
	const char *end = text + size;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline != NULL ? newline : end;
		struct line line = read_line(text, (size_t)(line_end - text), delsp);

		add(&paragraph, &line);
		if (newline != NULL && !paragraph.open)
			g_string_append_c(paragraph.out, '\n');
		text = line_end + 1;
	}
	if (paragraph.open)
		g_string_append_c(paragraph.out, '\n');
	return g_string_free(paragraph.out, FALSE);
}
