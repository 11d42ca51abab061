/*
 * Rendering.
 */
#include "mailout/mustache.h"

#include <string.h>

#include "mailout/mustache_program.h"

enum { STACK_FIRST = 32 };

/* The definitions that a parent tag brings; the outermost one that has a name wins. */
struct overrides {
	const struct overrides *outer;
	const struct mustache *template;
	uint32_t first;
	uint32_t end;
};

struct renderer {
	const struct mustache_options *options;
	GString *out;
	size_t out_base;            /* what was there before */
	GString *indent;            /* of the partial at hand */
	const struct model **stack; /* contexts, the innermost last */
	size_t stack_size;
	size_t stack_room;
	unsigned int depth;
	unsigned int partials;
	struct reason *reason;
};

static enum outcome render(struct renderer *renderer, const struct mustache *template,
			   uint32_t first, uint32_t end, const struct overrides *overrides);

/* g_string_append_len() for the hot path: most texts are short, and the buffer has room. */
static inline void append(GString *out, const char *text, size_t size)
{
	if (out->len + size < out->allocated_len) {
		memcpy(out->str + out->len, text, size);
		out->len += size;
		out->str[out->len] = '\0';
	} else {
		g_string_append_len(out, text, (gssize)size);
	}
}

static void push(struct renderer *renderer, const struct model *context)
{
	if (renderer->stack_size == renderer->stack_room) {
		renderer->stack_room *= 2;
		renderer->stack =
			g_renew(const struct model *, renderer->stack, renderer->stack_room);
	}
	renderer->stack[renderer->stack_size++] = context;
}

/* The value of a name, or NULL.  Only the first part of a dotted name is looked for in all
 * contexts. */
static const struct model *find(const struct renderer *renderer, const struct step *step)
{
	const struct model *found = NULL;

	if (step->key_count == 0)
		return renderer->stack[renderer->stack_size - 1];
	for (size_t i = renderer->stack_size; i > 0 && found == NULL; i--)
		found = model_get(renderer->stack[i - 1], &step->keys[0]);
	for (uint32_t k = 1; k < step->key_count && found != NULL; k++)
		found = model_get(found, &step->keys[k]);
	return found;
}

static enum outcome reject_at(struct renderer *renderer, const struct mustache *template,
			      const struct step *step, const char *status, const char *what)
{
	return outcome_reject(renderer->reason, status, "template %s:%u:%u: %s: %s", template->name,
			      step->line, step->column, step->text, what);
}

static bool at_line_begin(const struct renderer *renderer)
{
	const GString *out = renderer->out;

	return out->len == renderer->out_base || out->str[out->len - 1] == '\n';
}

static void add_indent(struct renderer *renderer)
{
	if (renderer->indent->len > 0 && at_line_begin(renderer))
		g_string_append_len(renderer->out, renderer->indent->str,
				    (gssize)renderer->indent->len);
}

static bool is_blank_line(const char *line, const char *end)
{
	return line < end &&
	       (*line == '\n' || (*line == '\r' && line + 1 < end && line[1] == '\n'));
}

static void add_text(struct renderer *renderer, const struct step *step)
{
	const char *line = step->text;
	const char *end = line + step->size;

	if (renderer->indent->len == 0) {
		append(renderer->out, step->text, step->size);
		return;
	}
	if (step->line_start && !is_blank_line(line, end))
		add_indent(renderer);
	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *stop = next != NULL ? next + 1 : end;

		append(renderer->out, line, (size_t)(stop - line));
		line = stop;
		if (line < end && !is_blank_line(line, end))
			add_indent(renderer);
	}
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

static void add_escaped(GString *out, const char *text, size_t size)
{
	static const bool special[256] = {['&'] = true, ['<'] = true, ['>'] = true, ['"'] = true};
	const char *end = text + size;
	const char *plain = text;

	for (const char *p = text; p < end; p++) {
		if (!special[(unsigned char)*p])
			continue;
		append(out, plain, (size_t)(p - plain));
		g_string_append(out, entity(*p));
		plain = p + 1;
	}
	append(out, plain, (size_t)(end - plain));
}

static enum outcome add_value(struct renderer *renderer, const struct mustache *template,
			      const struct step *step)
{
	const struct mustache_options *options = renderer->options;
	const struct model *value = find(renderer, step);

	if (value == NULL) {
		if (options->strict &&
		    (options->optional == NULL || !options->optional(step->text, options->context)))
			return reject_at(renderer, template, step, "5.6.0", "the model lacks it");
		return OUTCOME_OK;
	}
	switch (value->type) {
	case MODEL_STRING:
	case MODEL_NUMBER:
		if (step->kind == STEP_VALUE && options->escape_html)
			add_escaped(renderer->out, value->text, value->count);
		else
			append(renderer->out, value->text, value->count);
		break;
	case MODEL_TRUE:
		g_string_append(renderer->out, "true");
		break;
	case MODEL_FALSE:
		g_string_append(renderer->out, "false");
		break;
	case MODEL_ARRAY:
	case MODEL_OBJECT:
		if (options->strict)
			return reject_at(renderer, template, step, "5.6.0",
					 "is a list or an object");
		break;
	case MODEL_NULL:
		break;
	}
	return OUTCOME_OK;
}

/* As in JavaScript: null, false, 0, "" and the empty list are false. */
static bool is_true(const struct model *value)
{
	if (value == NULL)
		return false;
	switch (value->type) {
	case MODEL_NULL:
	case MODEL_FALSE:
		return false;
	case MODEL_NUMBER: {
		g_autofree char *text = g_strndup(value->text, value->count);

		return g_ascii_strtod(text, NULL) != 0;
	}
	case MODEL_STRING:
	case MODEL_ARRAY:
		return value->count > 0;
	case MODEL_TRUE:
	case MODEL_OBJECT:
		break;
	}
	return true;
}

static enum outcome render_with(struct renderer *renderer, const struct mustache *template,
				const struct step *step, uint32_t first,
				const struct overrides *overrides, const struct model *context)
{
	push(renderer, context);
	enum outcome outcome = render(renderer, template, first, step->end, overrides);

	renderer->stack_size--;
	return outcome;
}

static enum outcome add_section(struct renderer *renderer, const struct mustache *template,
				uint32_t index, const struct overrides *overrides)
{
	const struct step *step = &template->steps[index];
	const struct model *value = find(renderer, step);
	enum outcome outcome = OUTCOME_OK;

	if (step->kind == STEP_INVERTED)
		return is_true(value) ? OUTCOME_OK
				      : render(renderer, template, index + 1, step->end, overrides);
	if (!is_true(value))
		return OUTCOME_OK;
	if (value->type != MODEL_ARRAY)
		return render_with(renderer, template, step, index + 1, overrides, value);
	for (size_t i = 0; i < value->count && outcome == OUTCOME_OK; i++)
		outcome = render_with(renderer, template, step, index + 1, overrides,
				      &value->items[i]);
	return outcome;
}

/* The definition of that block, or NULL. */
static const struct step *find_override(const struct overrides *overrides, const char *name,
					const struct overrides **owner)
{
	const struct step *found = NULL;

	for (; overrides != NULL; overrides = overrides->outer) {
		const struct step *steps = overrides->template->steps;

		for (uint32_t i = overrides->first; i < overrides->end; i = steps[i].end) {
			if (steps[i].kind == STEP_BLOCK && strcmp(steps[i].text, name) == 0) {
				found = &steps[i];
				*owner = overrides;
			}
		}
	}
	return found;
}

static enum outcome add_block(struct renderer *renderer, const struct mustache *template,
			      uint32_t index, const struct overrides *overrides)
{
	const struct step *step = &template->steps[index];
	const struct overrides *owner = NULL;
	const struct step *override = find_override(overrides, step->text, &owner);

	if (override == NULL)
		return render(renderer, template, index + 1, step->end, overrides);
	size_t indent = renderer->indent->len;
	uint32_t first = (uint32_t)(override - owner->template->steps) + 1;

	g_string_append(renderer->indent, step->indent);
	/* A block that stands alone in its line had its blanks taken: they come before any content.
	 */
	if (step->line_start && first < override->end)
		add_indent(renderer);
	enum outcome outcome = render(renderer, owner->template, first, override->end, overrides);

	g_string_truncate(renderer->indent, indent);
	return outcome;
}

/* The partial that a tag names, or NULL; *missing says what to do then. */
static const struct mustache *find_partial(struct renderer *renderer,
					   const struct mustache *template, const struct step *step,
					   enum outcome *missing)
{
	const struct mustache_options *options = renderer->options;
	g_autofree char *dynamic = NULL;
	const char *name = step->text;

	*missing = OUTCOME_OK;
	if (step->dynamic) {
		const struct model *value = find(renderer, step);

		if (value == NULL || value->type != MODEL_STRING) {
			if (options->strict)
				*missing = reject_at(renderer, template, step, "5.6.0",
						     "the model lacks it as the name of a partial");
			return NULL;
		}
		dynamic = g_strndup(value->text, value->count);
		name = dynamic;
	}
	const struct mustache *partial =
		options->partial != NULL ? options->partial(name, options->context) : NULL;

	/* Our template's fault, unless the model chose the name. */
	if (partial == NULL && options->strict)
		*missing = step->dynamic
				   ? reject_at(renderer, template, step, "5.6.0", "no such partial")
				   : outcome_retry(renderer->reason, "4.3.5",
						   "template %s:%u:%u: there is no partial %s",
						   template->name, step->line, step->column, name);
	return partial;
}

static enum outcome add_partial(struct renderer *renderer, const struct mustache *template,
				uint32_t index, const struct overrides *overrides)
{
	const struct step *step = &template->steps[index];
	enum outcome outcome;
	const struct mustache *partial = find_partial(renderer, template, step, &outcome);
	const struct overrides own = {
		.outer = overrides, .template = template, .first = index + 1, .end = step->end};

	if (partial == NULL)
		return outcome;
	if (renderer->partials++ >= renderer->options->partials_max)
		return reject_at(renderer, template, step, "5.3.4", "too many partials");
	size_t indent = renderer->indent->len;

	g_string_append(renderer->indent, step->indent);
	outcome = render(renderer, partial, 0, partial->step_count,
			 step->kind == STEP_PARENT ? &own : overrides);
	g_string_truncate(renderer->indent, indent);
	return outcome;
}

static enum outcome render_step(struct renderer *renderer, const struct mustache *template,
				uint32_t index, const struct overrides *overrides)
{
	const struct step *step = &template->steps[index];

	switch (step->kind) {
	case STEP_TEXT:
		add_text(renderer, step);
		return OUTCOME_OK;
	case STEP_LINE:
		add_indent(renderer);
		return OUTCOME_OK;
	case STEP_VALUE:
	case STEP_RAW:
		return add_value(renderer, template, step);
	case STEP_SECTION:
	case STEP_INVERTED:
		return add_section(renderer, template, index, overrides);
	case STEP_BLOCK:
		return add_block(renderer, template, index, overrides);
	case STEP_PARTIAL:
	case STEP_PARENT:
		break;
	}
	return add_partial(renderer, template, index, overrides);
}

static enum outcome render(struct renderer *renderer, const struct mustache *template,
			   uint32_t first, uint32_t end, const struct overrides *overrides)
{
	enum outcome outcome = OUTCOME_OK;

	if (first >= end)
		return OUTCOME_OK;
	if (++renderer->depth > renderer->options->depth_max)
		return reject_at(renderer, template, &template->steps[first], "5.3.4",
				 "sections and partials are nested too deep");
	for (uint32_t i = first; i < end && outcome == OUTCOME_OK; i = template->steps[i].end) {
		outcome = render_step(renderer, template, i, overrides);
		if (outcome == OUTCOME_OK &&
		    renderer->out->len - renderer->out_base > renderer->options->output_max)
			outcome = reject_at(renderer, template, &template->steps[i], "5.3.4",
					    "the result is too large");
	}
	renderer->depth--;
	return outcome;
}

enum outcome mustache_render(const struct mustache *template, const struct model *model,
			     const struct mustache_options *options, GString *out,
			     struct reason *reason)
{
	struct renderer renderer = {
		.options = options,
		.out = out,
		.out_base = out->len,
		.indent = g_string_new(NULL),
		.stack = g_new(const struct model *, STACK_FIRST),
		.stack_room = STACK_FIRST,
		.reason = reason,
	};

	if (options->outer != NULL)
		push(&renderer, options->outer);
	push(&renderer, model);
	enum outcome outcome = render(&renderer, template, 0, template->step_count, NULL);

	g_string_free(renderer.indent, TRUE);
	g_free(renderer.stack);
	return outcome;
}
