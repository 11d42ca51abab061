/*
 * Text to program.
 */
#include <stdio.h>
#include <string.h>

#include "mailout/mustache.h"
#include "mailout/mustache_program.h"

enum {
	NESTING_MAX = 100,  /* sections, blocks and parents within each other */
	DELIMITER_MAX = 16, /* bytes */
	NAME_MAX_BYTES = 256,
};

struct compiler {
	struct mustache *program;
	GArray *steps; /* struct step */
	const char *text;
	size_t size;
	size_t at;      /* where parsing goes on */
	size_t literal; /* where text that is not yet a step begins */
	char open[DELIMITER_MAX + 1];
	char close[DELIMITER_MAX + 1];
	unsigned int nesting;
	size_t located; /* where locate() was last, and what it found */
	size_t located_start;
	uint32_t located_line;
	struct reason *reason;
};

struct tag {
	size_t begin;        /* of the opening delimiter */
	size_t end;          /* behind the closing one */
	char sigil;          /* '\0' for {{name}} */
	const char *content; /* without sigil and blanks around; not terminated */
	size_t content_size;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

/* Offsets mostly grow, so counting goes on where it ended. */
static void locate(struct compiler *compiler, size_t offset, uint32_t *line, uint32_t *column)
{
	if (offset < compiler->located) {
		compiler->located = compiler->located_start = 0;
		compiler->located_line = 0;
	}
	for (; compiler->located < offset; compiler->located++) {
		if (compiler->text[compiler->located] == '\n') {
			compiler->located_line++;
			compiler->located_start = compiler->located + 1;
		}
	}
	*line = compiler->located_line + 1;
	*column = (uint32_t)(offset - compiler->located_start + 1);
}

/* Tells what is wrong at an offset; false, for `return fail(...)`. */
static bool fail(struct compiler *compiler, size_t offset, const char *what, const char *name,
		 size_t name_size)
{
	uint32_t line, column;

	locate(compiler, offset, &line, &column);
	outcome_retry(compiler->reason, "4.3.5", "template %s:%u:%u: %s%s%.*s",
		      compiler->program->name, line, column, what, name_size > 0 ? " " : "",
		      (int)name_size, name);
	return false;
}

/* Does nothing but blanks stand before the offset in its line?  *begin: where they begin. */
static bool blank_before(const struct compiler *compiler, size_t offset, size_t *begin)
{
	size_t from = offset;

	while (from > 0 && is_blank(compiler->text[from - 1]))
		from--;
	*begin = from;
	return from == 0 || compiler->text[from - 1] == '\n';
}

/* Does nothing but blanks follow in the line?  *end: the next line's begin, or the text's end. */
static bool blank_after(const struct compiler *compiler, size_t offset, size_t *end)
{
	while (offset < compiler->size && is_blank(compiler->text[offset]))
		offset++;
	if (offset < compiler->size && compiler->text[offset] == '\r')
		offset++;
	if (offset < compiler->size && compiler->text[offset] != '\n')
		return false;
	*end = offset < compiler->size ? offset + 1 : offset;
	return true;
}

static const char *keep(struct compiler *compiler, const char *text, size_t size)
{
	return g_string_chunk_insert_len(compiler->program->strings, text, (gssize)size);
}

static uint32_t step_count(const struct compiler *compiler)
{
	return compiler->steps->len;
}

static struct step *step_at(struct compiler *compiler, uint32_t index)
{
	return &g_array_index(compiler->steps, struct step, index);
}

static struct step *add_step(struct compiler *compiler, enum step_kind kind, size_t offset)
{
	struct step step = {.kind = kind, .text = "", .indent = ""};

	locate(compiler, offset, &step.line, &step.column);
	g_array_append_val(compiler->steps, step);
	step_at(compiler, step_count(compiler) - 1)->end = step_count(compiler);
	return step_at(compiler, step_count(compiler) - 1);
}

/* The text since the last step, up to `end`. */
static void add_literal(struct compiler *compiler, size_t end)
{
	size_t begin = compiler->literal;

	if (end <= begin)
		return;
	struct step *step = add_step(compiler, STEP_TEXT, begin);

	step->size = end - begin;
	step->text = keep(compiler, compiler->text + begin, step->size);
	step->line_start = begin == 0 || compiler->text[begin - 1] == '\n';
	step->multi_line = memchr(step->text, '\n', step->size - 1) != NULL;
}

static bool set_name(struct compiler *compiler, struct step *step, const struct tag *tag,
		     const char *name, size_t size)
{
	if (size == 0)
		return fail(compiler, tag->begin, "a tag without a name", "", 0);
	if (size > NAME_MAX_BYTES)
		return fail(compiler, tag->begin, "a name is too long:", name, NAME_MAX_BYTES);
	step->text = keep(compiler, name, size);
	step->size = size;
	if (size == 1 && *name == '.')
		return true;
	GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct model_key));

	for (const char *part = step->text, *end = part + size; part <= end;) {
		const char *dot = memchr(part, '.', (size_t)(end - part));
		struct model_key key = model_key(part, (size_t)((dot != NULL ? dot : end) - part));

		g_array_append_val(keys, key);
		if (dot == NULL)
			break;
		part = dot + 1;
	}
	step->key_count = keys->len;
	step->keys = (struct model_key *)(void *)g_array_free(keys, FALSE);
	g_ptr_array_add(compiler->program->key_lists, step->keys);
	return true;
}

/* A partial's or parent's name, which may be dynamic. */
static bool set_partial_name(struct compiler *compiler, struct step *step, const struct tag *tag)
{
	const char *name = tag->content;
	size_t size = tag->content_size;

	step->dynamic = size > 0 && *name == '*';
	if (step->dynamic) {
		for (name++, size--; size > 0 && is_space(*name); name++)
			size--;
	}
	return set_name(compiler, step, tag, name, size);
}

/* Find the next tag; false at the text's end or, with the reason set and *broken, on an error. */
static bool next_tag(struct compiler *compiler, struct tag *tag, bool *broken)
{
	size_t open_size = strlen(compiler->open);
	const char *text = compiler->text;
	const char *found = memmem(text + compiler->at, compiler->size - compiler->at,
				   compiler->open, open_size);
	char closing[DELIMITER_MAX + 2];

	*broken = false;
	if (found == NULL)
		return false;
	tag->begin = (size_t)(found - text);
	size_t at = tag->begin + open_size;

	while (at < compiler->size && is_space(text[at]))
		at++;
	tag->sigil = '\0';
	if (at < compiler->size && text[at] != '\0' && strchr("#^/!=>&{<$", text[at]) != NULL)
		tag->sigil = text[at++];
	snprintf(closing, sizeof(closing), "%s%s",
		 tag->sigil == '{'   ? "}"
		 : tag->sigil == '=' ? "="
				     : "",
		 compiler->close);
	const char *end = memmem(text + at, compiler->size - at, closing, strlen(closing));

	if (end == NULL) {
		*broken = true;
		return fail(compiler, tag->begin, "a tag is not closed with", closing,
			    strlen(closing));
	}
	tag->end = (size_t)(end - text) + strlen(closing);
	while (at < (size_t)(end - text) && is_space(text[at]))
		at++;
	tag->content = text + at;
	tag->content_size = (size_t)(end - text) - at;
	while (tag->content_size > 0 && is_space(tag->content[tag->content_size - 1]))
		tag->content_size--;
	return true;
}

static bool set_delimiters(struct compiler *compiler, const struct tag *tag)
{
	const char *content = tag->content;
	size_t open_size = 0;
	size_t gap = 0;

	while (open_size < tag->content_size && !is_space(content[open_size]))
		open_size++;
	while (open_size + gap < tag->content_size && is_space(content[open_size + gap]))
		gap++;
	size_t close_size = tag->content_size - open_size - gap;

	if (open_size == 0 || close_size == 0 || open_size > DELIMITER_MAX ||
	    close_size > DELIMITER_MAX || memchr(content, '=', tag->content_size) != NULL)
		return fail(compiler, tag->begin, "delimiters are set by {{=OPEN CLOSE=}}, not by",
			    content, tag->content_size);
	for (size_t i = 0; i < close_size; i++) {
		if (is_space(content[open_size + gap + i]))
			return fail(compiler, tag->begin, "more than two delimiters:", content,
				    tag->content_size);
	}
	memcpy(compiler->open, content, open_size);
	compiler->open[open_size] = '\0';
	memcpy(compiler->close, content + open_size + gap, close_size);
	compiler->close[close_size] = '\0';
	return true;
}

/*
 * Emit the literal text before the tag and go on behind it; a tag that stands alone in its line
 * takes the line with it.  *indent gets the blanks before a tag that stands first in its line (""
 * otherwise); returns whether the tag stands alone.
 */
static bool take(struct compiler *compiler, const struct tag *tag, bool may_stand_alone,
		 const char **indent)
{
	size_t begin = 0;
	size_t end = 0;
	bool first = blank_before(compiler, tag->begin, &begin);
	bool alone = may_stand_alone && first && blank_after(compiler, tag->end, &end);

	if (indent != NULL)
		*indent = first ? keep(compiler, compiler->text + begin, tag->begin - begin) : "";
	add_literal(compiler, alone ? begin : tag->begin);
	if (!alone && (tag->begin == 0 || compiler->text[tag->begin - 1] == '\n'))
		add_step(compiler, STEP_LINE, tag->begin);
	compiler->at = compiler->literal = alone ? end : tag->end;
	return alone;
}

static bool parse(struct compiler *compiler, const struct tag *opening, bool in_parent,
		  struct tag *closing);

/* The content of a section or block, to its closing tag, which is left for the caller to take. */
static bool parse_content(struct compiler *compiler, const struct tag *opening, bool in_parent,
			  struct tag *closing)
{
	if (++compiler->nesting > NESTING_MAX)
		return fail(compiler, opening->begin, "is nested too deep:", opening->content,
			    opening->content_size);
	bool ok = parse(compiler, opening, in_parent, closing);

	compiler->nesting--;
	return ok;
}

static bool parse_section(struct compiler *compiler, const struct tag *tag)
{
	struct tag closing = {0};

	take(compiler, tag, true, NULL);
	uint32_t index = step_count(compiler);

	if (!set_name(compiler,
		      add_step(compiler, tag->sigil == '#' ? STEP_SECTION : STEP_INVERTED,
			       tag->begin),
		      tag, tag->content, tag->content_size) ||
	    !parse_content(compiler, tag, false, &closing))
		return false;
	take(compiler, &closing, true, NULL);
	step_at(compiler, index)->end = step_count(compiler);
	return true;
}

static size_t indent_of(const char *text, size_t size)
{
	size_t indent = 0;

	while (indent < size && is_blank(text[indent]))
		indent++;
	return indent;
}

/* The blanks before the first line of a block's default content, if that is not blank. */
static const char *content_indent(struct compiler *compiler, uint32_t first)
{
	if (first >= step_count(compiler))
		return NULL;
	const struct step *step = step_at(compiler, first);

	if (step->kind != STEP_TEXT)
		return step->kind == STEP_LINE ? "" : NULL;
	size_t indent = indent_of(step->text, step->size);

	if (indent < step->size && (step->text[indent] == '\n' || step->text[indent] == '\r'))
		return NULL;
	return keep(compiler, step->text, indent);
}

/* A place in a layout that can be replaced. */
static bool parse_block(struct compiler *compiler, const struct tag *tag)
{
	const char *indent;
	struct tag closing = {0};
	bool alone = take(compiler, tag, true, &indent);
	uint32_t index = step_count(compiler);
	struct step *step = add_step(compiler, STEP_BLOCK, tag->begin);

	step->line_start = alone;
	if (!set_name(compiler, step, tag, tag->content, tag->content_size) ||
	    !parse_content(compiler, tag, false, &closing))
		return false;
	take(compiler, &closing, true, NULL);
	const char *intrinsic = alone ? content_indent(compiler, index + 1) : NULL;

	step = step_at(compiler, index);
	step->indent = intrinsic != NULL ? intrinsic : indent;
	step->end = step_count(compiler);
	return true;
}

static const char *without_prefix(const char *text, const char *prefix)
{
	return g_str_has_prefix(text, prefix) ? text + strlen(prefix) : text;
}

/* Take the indentation of a block's definition out of each of its lines. */
static void dedent(struct compiler *compiler, uint32_t first, const char *indent)
{
	size_t indent_size = strlen(indent);

	for (uint32_t i = first; indent_size > 0 && i < step_count(compiler); i++) {
		struct step *step = step_at(compiler, i);

		step->indent = without_prefix(step->indent, indent);
		if (step->kind != STEP_TEXT)
			continue;
		GString *text = g_string_sized_new(step->size);
		bool line_start = step->line_start;

		for (const char *p = step->text, *end = p + step->size; p < end;) {
			const char *next = memchr(p, '\n', (size_t)(end - p));
			const char *stop = next != NULL ? next + 1 : end;

			if (line_start && (size_t)(stop - p) >= indent_size &&
			    memcmp(p, indent, indent_size) == 0)
				p += indent_size;
			g_string_append_len(text, p, stop - p);
			p = stop;
			line_start = true;
		}
		step->size = text->len;
		step->text = keep(compiler, text->str, text->len);
		g_string_free(text, TRUE);
	}
}

/* What replaces a place of the layout: a block within a parent. */
static bool parse_definition(struct compiler *compiler, const struct tag *tag)
{
	struct tag closing = {0};
	size_t next_line = 0;
	size_t begin = 0;
	bool line_follows = blank_after(compiler, tag->end, &next_line) && next_line > tag->end &&
			    compiler->text[next_line - 1] == '\n';

	compiler->at = compiler->literal = line_follows ? next_line : tag->end;
	uint32_t index = step_count(compiler);

	if (!set_name(compiler, add_step(compiler, STEP_BLOCK, tag->begin), tag, tag->content,
		      tag->content_size) ||
	    !parse_content(compiler, tag, false, &closing))
		return false;
	add_literal(compiler,
		    blank_before(compiler, closing.begin, &begin) ? begin : closing.begin);
	compiler->at = compiler->literal = closing.end;
	if (line_follows) {
		const char *indent = content_indent(compiler, index + 1);

		dedent(compiler, index + 1, indent != NULL ? indent : "");
	}
	step_at(compiler, index)->end = step_count(compiler);
	return true;
}

/* From {{<layout}} to its end, which stands alone as a whole or not. */
static bool parse_parent(struct compiler *compiler, const struct tag *tag)
{
	struct tag closing = {0};
	size_t begin = 0;
	size_t end = 0;
	bool first = blank_before(compiler, tag->begin, &begin);
	const char *indent =
		first ? keep(compiler, compiler->text + begin, tag->begin - begin) : "";
	size_t literal = compiler->literal;
	uint32_t before = step_count(compiler);

	/* Whether it stands alone is known only at its end; its steps come behind this text. */
	struct step *text = add_step(compiler, STEP_TEXT, literal);

	text->line_start = literal == 0 || compiler->text[literal - 1] == '\n';
	uint32_t index = step_count(compiler);

	if (!set_partial_name(compiler, add_step(compiler, STEP_PARENT, tag->begin), tag))
		return false;
	compiler->at = compiler->literal = tag->end;
	if (!parse_content(compiler, tag, true, &closing))
		return false;
	bool alone = first && blank_after(compiler, closing.end, &end);
	size_t text_end = alone ? begin : tag->begin;

	text = step_at(compiler, before);
	text->size = text_end - literal;
	text->text = keep(compiler, compiler->text + literal, text->size);
	text->multi_line = text->size > 1 && memchr(text->text, '\n', text->size - 1) != NULL;
	/* Without text the step is there for the indentation of a tag that begins a line. */
	if (text->size == 0)
		text->line_start = text->line_start && !alone;
	step_at(compiler, index)->indent = alone ? indent : "";
	step_at(compiler, index)->end = step_count(compiler);
	compiler->at = compiler->literal = alone ? end : closing.end;
	return true;
}

static bool parse_partial(struct compiler *compiler, const struct tag *tag)
{
	const char *indent;
	bool alone = take(compiler, tag, true, &indent);
	struct step *step = add_step(compiler, STEP_PARTIAL, tag->begin);

	step->indent = alone ? indent : "";
	return set_partial_name(compiler, step, tag);
}

static bool parse_tag(struct compiler *compiler, const struct tag *tag)
{
	switch (tag->sigil) {
	case '#':
	case '^':
		return parse_section(compiler, tag);
	case '$':
		return parse_block(compiler, tag);
	case '<':
		return parse_parent(compiler, tag);
	case '>':
		return parse_partial(compiler, tag);
	case '!':
		take(compiler, tag, true, NULL);
		return true;
	case '=':
		take(compiler, tag, true, NULL);
		return set_delimiters(compiler, tag);
	default:
		take(compiler, tag, false, NULL);
		return set_name(
			compiler,
			add_step(compiler, tag->sigil == '\0' ? STEP_VALUE : STEP_RAW, tag->begin),
			tag, tag->content, tag->content_size);
	}
}

/* Within a parent only the definitions of blocks and the delimiters count. */
static bool parse_tag_in_parent(struct compiler *compiler, const struct tag *tag)
{
	struct tag closing = {0};

	compiler->at = compiler->literal = tag->end;
	if (tag->sigil == '$')
		return parse_definition(compiler, tag);
	if (tag->sigil == '#' || tag->sigil == '^' || tag->sigil == '<') {
		if (!parse_content(compiler, tag, true, &closing))
			return false;
		compiler->at = compiler->literal = closing.end;
		return true;
	}
	return tag->sigil != '=' || set_delimiters(compiler, tag);
}

/* Up to the closing tag of `opening`, or to the text's end if that is NULL. */
static bool parse(struct compiler *compiler, const struct tag *opening, bool in_parent,
		  struct tag *closing)
{
	struct tag tag;
	bool broken;

	while (next_tag(compiler, &tag, &broken)) {
		if (tag.sigil == '/') {
			if (opening == NULL)
				return fail(compiler, tag.begin,
					    "closes what is not open:", tag.content,
					    tag.content_size);
			if (tag.content_size != opening->content_size ||
			    memcmp(tag.content, opening->content, tag.content_size) != 0)
				return fail(compiler, tag.begin,
					    "closes another tag than the one that is open:",
					    tag.content, tag.content_size);
			*closing = tag;
			return true;
		}
		if (!(in_parent ? parse_tag_in_parent : parse_tag)(compiler, &tag))
			return false;
	}
	if (broken)
		return false;
	if (opening != NULL)
		return fail(compiler, opening->begin, "is not closed:", opening->content,
			    opening->content_size);
	add_literal(compiler, compiler->size);
	return true;
}

struct mustache *mustache_new(const char *name, const char *text, size_t size,
			      struct reason *reason)
{
	struct mustache *template = g_new0(struct mustache, 1);
	struct compiler compiler = {.program = template,
				    .text = text,
				    .size = size,
				    .open = "{{",
				    .close = "}}",
				    .reason = reason};

	template->name = g_strdup(name);
	template->strings = g_string_chunk_new(size + 1);
	template->key_lists = g_ptr_array_new_with_free_func(g_free);
	compiler.steps = g_array_new(FALSE, TRUE, sizeof(struct step));
	bool ok = parse(&compiler, NULL, false, NULL);

	template->step_count = compiler.steps->len;
	template->steps = (struct step *)(void *)g_array_free(compiler.steps, FALSE);
	if (!ok)
		mustache_free(&template);
	return template;
}

void mustache_free(struct mustache **template)
{
	struct mustache *old = *template;

	if (old == NULL)
		return;
	g_free(old->name);
	g_free(old->steps);
	g_string_chunk_free(old->strings);
	g_ptr_array_free(old->key_lists, TRUE);
	g_free(old);
	*template = NULL;
}

void mustache_each_name(const struct mustache *template,
			void (*visit)(char kind, const char *name, void *context), void *context)
{
	for (uint32_t i = 0; i < template->step_count; i++) {
		const struct step *step = &template->steps[i];

		if (step->kind == STEP_VALUE || step->kind == STEP_RAW)
			visit('&', step->text, context);
		else if (step->kind == STEP_SECTION || step->kind == STEP_INVERTED)
			visit('#', step->text, context);
		else if ((step->kind == STEP_PARTIAL || step->kind == STEP_PARENT) &&
			 !step->dynamic)
			visit('>', step->text, context);
	}
}
