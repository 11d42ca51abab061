#include "mailin/parse/mime.h"

/* A multipart whose boundary does not occur is read again with a guessed one; only so often per
 * mail, for each time costs a pass over the part. */
enum { GUESSES_MAX = 4 };

struct scanner {
	const char *p; /* what is read next */
	const char *end;
	char eol;           /* '\n', or '\r' in a mail that has no '\n' */
	GArray *boundaries; /* of struct span; the innermost last */
	int64_t parts;
	int64_t guesses;
	const struct config_limits *limits;
	struct defects *defects;
};

/* The boundary line that ended a part. */
struct delimiter {
	int level; /* index in boundaries; NO_LEVEL: the mail's end */
	bool closing;
};

enum { NO_LEVEL = -1 };

static struct part *read_part(struct scanner *s, int64_t depth, const char *default_type,
			      struct delimiter *delimiter);

void mime_free(struct part **part)
{
	struct part *p = *part;

	if (p == NULL)
		return;
	for (guint i = 0; p->children != NULL && i < p->children->len; i++)
		mime_free((struct part **)&g_ptr_array_index(p->children, i));
	if (p->children != NULL)
		g_ptr_array_free(p->children, TRUE);
	g_array_free(p->fields, TRUE);
	params_free(&p->type_params);
	params_free(&p->disposition_params);
	g_free(p->type);
	g_free(p->disposition);
	g_free(p);
	*part = NULL;
}

const struct field *mime_field(const struct part *part, const char *name)
{
	for (guint i = 0; i < part->fields->len; i++) {
		const struct field *field = &g_array_index(part->fields, struct field, i);
		if (span_is(field->name, name))
			return field;
	}
	return NULL;
}

bool mime_type_is(const struct part *part, const char *prefix)
{
	return g_str_has_prefix(part->type, prefix);
}

/* ---- lines ---- */

static struct span read_line(struct scanner *s)
{
	const char *start = s->p;
	const char *stop = memchr(start, s->eol, (size_t)(s->end - start));

	s->p = stop == NULL ? s->end : stop + 1;
	if (stop == NULL)
		stop = s->end;
	if (s->eol == '\n' && stop > start && stop[-1] == '\r')
		stop--;
	return (struct span){start, (size_t)(stop - start)};
}

static bool match_boundary(const struct scanner *s, struct span line, struct delimiter *found)
{
	if (line.size < 2 || line.data[0] != '-' || line.data[1] != '-')
		return false;
	while (line.size > 0 && is_blank(line.data[line.size - 1]))
		line.size--;
	for (int level = (int)s->boundaries->len - 1; level >= 0; level--) {
		const struct span *b = &g_array_index(s->boundaries, struct span, level);
		bool open = line.size == b->size + 2;
		bool closing =
			line.size == b->size + 4 && memcmp(line.data + line.size - 2, "--", 2) == 0;
		if ((open || closing) && memcmp(line.data + 2, b->data, b->size) == 0) {
			found->level = level;
			found->closing = closing;
			return true;
		}
	}
	return false;
}

/* Up to and including the next boundary line; returns where the text before it ends (the line end
 * before the line belongs to the boundary: RFC 2046, 5.1.1). */
static const char *skip_to_boundary(struct scanner *s, struct delimiter *found)
{
	const char *start = s->p;

	while (s->p < s->end) {
		const char *before = s->p;
		if (!match_boundary(s, read_line(s), found))
			continue;
		if (before > start && before[-1] == s->eol)
			before--;
		if (s->eol == '\n' && before > start && before[-1] == '\r')
			before--;
		return before;
	}
	found->level = NO_LEVEL;
	found->closing = false;
	return s->end;
}

/* ---- the header ---- */

/* The length of the field's name, 0 if the line begins no field (RFC 5322, 2.2 and obs-optional).
 */
static size_t field_name(struct span line)
{
	const char *colon = memchr(line.data, ':', line.size);
	if (colon == NULL)
		return 0;
	size_t size = (size_t)(colon - line.data);
	while (size > 0 && is_blank(line.data[size - 1]))
		size--;
	for (size_t i = 0; i < size; i++)
		if (line.data[i] <= ' ' || line.data[i] > '~')
			return 0;
	return size;
}

struct header_reader {
	struct part *part;
	const char *start;
	bool dropping; /* the continuation lines of a field that was dropped */
};

static void add_line(struct scanner *s, struct header_reader *h, struct span line, size_t name)
{
	GArray *fields = h->part->fields;
	const char *limit = s->limits->header_bytes < s->end - h->start
				    ? h->start + s->limits->header_bytes
				    : s->end;
	const char *stop = line.data + line.size;

	if (stop > limit) {
		defect_note(s->defects, DEFECT_HEADER_LARGE);
		stop = limit;
	}
	if (name == 0) {
		if (h->dropping || stop < line.data)
			return;
		struct field *last = &g_array_index(fields, struct field, fields->len - 1);
		last->value.size = (size_t)(stop - last->value.data);
		return;
	}
	const char *value = memchr(line.data, ':', line.size);
	h->dropping = stop <= value || fields->len >= s->limits->headers;
	if (fields->len >= s->limits->headers)
		defect_note(s->defects, DEFECT_HEADERS_MANY);
	if (h->dropping)
		return;
	struct field field = {
		.name = {line.data, name},
		.value = {value + 1, (size_t)(stop - value - 1)},
	};
	g_array_append_val(fields, field);
}

/* A line that is no field: rubbish between fields, or the body without an empty line before it? */
static bool is_body(struct scanner *s, const struct part *part)
{
	if (part->fields->len == 0)
		return true;
	const char *before = s->p;
	struct span next = read_line(s);
	bool body = next.size > 0 && !is_blank(next.data[0]) && field_name(next) == 0;
	if (next.size == 0 && before == s->end)
		body = false;
	s->p = before;
	return body;
}

/* True if a boundary line came instead of the header's end. */
static bool read_header(struct scanner *s, struct part *part, bool top, struct delimiter *found)
{
	struct header_reader h = {.part = part, .start = s->p, .dropping = true};

	while (s->p < s->end) {
		const char *before = s->p;
		struct span line = read_line(s);
		if (line.size == 0)
			return false;
		if (match_boundary(s, line, found))
			return true;
		if (is_blank(line.data[0]) && part->fields->len > 0) {
			add_line(s, &h, line, 0);
			continue;
		}
		if (is_blank(line.data[0])) {
			/* It continues nothing: an indented field, or text. */
			line = span_trim(line);
			if (line.size == 0)
				return false;
			defect_note(s->defects, DEFECT_HEADER_LINE);
		}
		size_t name = field_name(line);
		if (name > 0) {
			add_line(s, &h, line, name);
			continue;
		}
		h.dropping = true;
		if (is_body(s, part)) {
			s->p = before;
			defect_note(s->defects, part->fields->len > 0 ? DEFECT_HEADER_END
						: top                 ? DEFECT_NO_HEADER
								      : DEFECT_HEADER_LINE);
			return false;
		}
		defect_note(s->defects, DEFECT_HEADER_LINE);
	}
	return false;
}

/* ---- what the header says ---- */

static bool is_type(const char *value)
{
	const char *slash = strchr(value, '/');
	return slash != NULL && slash > value && slash[1] != '\0';
}

static bool is_repeated(const struct part *part, const struct field *first)
{
	for (guint i = 0; i < part->fields->len; i++) {
		const struct field *field = &g_array_index(part->fields, struct field, i);
		if (field != first && span_is(field->name, "Content-Type"))
			return true;
	}
	return false;
}

static void read_type(struct part *part, const char *default_type, struct defects *defects)
{
	const struct field *field = mime_field(part, "Content-Type");

	if (field == NULL) {
		part->type = g_strdup(default_type);
		return;
	}
	part->type_params = params_parse(field->value, defects);
	if (is_repeated(part, field))
		defect_note(defects, DEFECT_CONTENT_TYPE);
	const char *value = params_value(part->type_params);
	if (is_type(value)) {
		part->type = g_strdup(value);
		return;
	}
	defect_note(defects, DEFECT_CONTENT_TYPE);
	g_autofree char *boundary = params_bytes(part->type_params, "boundary");
	g_autofree char *name = params_bytes(part->type_params, "name");
	bool file = name != NULL || g_strcmp0(part->disposition, "attachment") == 0;
	if (boundary != NULL)
		part->type = g_strdup("multipart/mixed");
	else if (file && g_ascii_strcasecmp(value, "text") != 0)
		part->type = g_strdup("application/octet-stream");
	else
		part->type = g_strdup("text/plain"); /* RFC 2045, 5.2 */
}

static void read_disposition(struct part *part, struct defects *defects)
{
	const struct field *field = mime_field(part, "Content-Disposition");

	if (field == NULL)
		return;
	part->disposition_params = params_parse(field->value, defects);
	part->disposition = g_strdup(params_value(part->disposition_params));
}

/* ---- multiparts ---- */

static bool is_blank_between(const char *start, const char *end)
{
	return span_trim((struct span){start, (size_t)(end - start)}).size == 0;
}

/* Returns where the preamble ends if a boundary line came and no text is beyond the parts, else
 * NULL. */
static const char *read_children(struct scanner *s, struct part *part, int64_t depth,
				 struct span boundary, struct delimiter *delimiter)
{
	const char *type =
		strcmp(part->type, "multipart/digest") == 0 ? "message/rfc822" : "text/plain";
	int level = (int)s->boundaries->len;

	g_array_append_val(s->boundaries, boundary);
	const char *start = s->p;
	const char *preamble_end = skip_to_boundary(s, delimiter);
	part->outside = !is_blank_between(start, preamble_end);
	if (delimiter->level != level)
		preamble_end = NULL;
	while (delimiter->level == level && !delimiter->closing) {
		if (s->parts >= s->limits->parts) {
			defect_note(s->defects, DEFECT_PARTS_MANY);
			break;
		}
		g_ptr_array_add(part->children, read_part(s, depth + 1, type, delimiter));
	}
	g_array_set_size(s->boundaries, (guint)level);
	if (delimiter->level == level) {
		const char *epilogue = s->p;
		if (!is_blank_between(epilogue, skip_to_boundary(s, delimiter))) {
			preamble_end = NULL;
			part->outside = true;
		}
	} else if (part->children->len > 0) {
		defect_note(s->defects, DEFECT_UNTERMINATED);
	}
	return preamble_end;
}

/* The first line that looks like a delimiter: "--" and a field of a part behind it. */
static bool guess_boundary(struct scanner *s, struct span body, struct span *boundary)
{
	struct scanner look = *s;

	look.p = body.data;
	look.end = body.data + body.size;
	while (look.p < look.end) {
		struct span line = read_line(&look);
		if (line.size <= 2 || memcmp(line.data, "--", 2) != 0)
			continue;
		struct span next = read_line(&look);
		if (next.size > strlen("content-") &&
		    g_ascii_strncasecmp(next.data, "content-", strlen("content-")) == 0) {
			boundary->data = line.data + 2;
			boundary->size = line.size - 2;
			return true;
		}
	}
	return false;
}

/* Nothing but a text, then. */
static void make_text(struct part *part, const char *start, const char *end)
{
	g_ptr_array_free(part->children, TRUE);
	part->children = NULL;
	g_free(part->type);
	part->type = g_strdup("text/plain");
	part->body = (struct span){start, (size_t)(end - start)};
}

static void read_multipart(struct scanner *s, struct part *part, int64_t depth,
			   struct delimiter *delimiter)
{
	g_autofree char *text =
		part->type_params == NULL ? NULL : params_bytes(part->type_params, "boundary");
	struct span boundary = {text, text == NULL ? 0 : strlen(text)};
	const char *start = s->p;
	const char *preamble_end = NULL;

	while (boundary.size > 0 && is_blank(boundary.data[boundary.size - 1]))
		boundary.size--;
	part->children = g_ptr_array_new();
	if (boundary.size > 0)
		preamble_end = read_children(s, part, depth, boundary, delimiter);
	else
		skip_to_boundary(s, delimiter);
	part->body = (struct span){start, (size_t)(s->p - start)};
	if (part->children->len > 0)
		return;
	if (preamble_end != NULL) {
		make_text(part, start, preamble_end);
		return;
	}
	defect_note(s->defects, boundary.size > 0 ? DEFECT_BOUNDARY_WRONG : DEFECT_BOUNDARY_NONE);
	if (s->guesses < GUESSES_MAX && guess_boundary(s, part->body, &boundary)) {
		s->guesses++;
		s->p = start;
		read_children(s, part, depth, boundary, delimiter);
	}
	if (part->children->len > 0)
		return;
	s->p = start;
	make_text(part, start, skip_to_boundary(s, delimiter));
}

static struct part *read_part(struct scanner *s, int64_t depth, const char *default_type,
			      struct delimiter *delimiter)
{
	struct part *part = g_new0(struct part, 1);

	s->parts++;
	part->fields = g_array_new(FALSE, FALSE, sizeof(struct field));
	bool ended = read_header(s, part, depth == 0, delimiter);
	read_disposition(part, s->defects);
	read_type(part, default_type, s->defects);
	part->body = (struct span){s->p, 0};
	if (ended)
		return part;
	if (mime_type_is(part, "multipart/")) {
		if (depth < s->limits->depth && s->parts < s->limits->parts) {
			read_multipart(s, part, depth, delimiter);
			return part;
		}
		defect_note(s->defects,
			    depth < s->limits->depth ? DEFECT_PARTS_MANY : DEFECT_DEPTH);
	}
	part->body.size = (size_t)(skip_to_boundary(s, delimiter) - part->body.data);
	return part;
}

/* ---- the mail ---- */

static bool skip_prefix(struct span *mail, const char *prefix)
{
	size_t size = strlen(prefix);
	if (mail->size < size || memcmp(mail->data, prefix, size) != 0)
		return false;
	mail->data += size;
	mail->size -= size;
	return true;
}

struct part *mime_parse(struct span mail, const struct config_limits *limits,
			struct defects *defects)
{
	skip_prefix(&mail, "\xEF\xBB\xBF"); /* a byte order mark */
	struct scanner s = {
		.p = mail.data,
		.end = mail.data + mail.size,
		.eol = '\n',
		.boundaries = g_array_new(FALSE, FALSE, sizeof(struct span)),
		.limits = limits,
		.defects = defects,
	};
	struct delimiter delimiter;

	if (memchr(mail.data, '\n', mail.size) == NULL &&
	    memchr(mail.data, '\r', mail.size) != NULL)
		s.eol = '\r';
	/* The separator line of an mbox, also as pipe(8) writes it with its flag F. */
	if (skip_prefix(&mail, "From ") || skip_prefix(&mail, ">From "))
		read_line(&s);
	if (mail.size == 0)
		defect_note(defects, DEFECT_EMPTY);
	struct part *part = read_part(&s, 0, "text/plain", &delimiter);
	g_array_free(s.boundaries, TRUE);
	return part;
}
