/*
 * Rendering a template's parts, and what becomes of them afterwards.
 */
#include "mailout/template.h"

#include <string.h>

enum {
	SUBJECT_BYTES = 4096, /* a subject is read, it is no place for a text */
	IMAGES_MAX = 32,      /* in one mail */
};

static const char CUT[] = "..."; /* U+2026 would make an SMS one of 70 characters */
static const char NUL_REPLACEMENT[] = "\xef\xbf\xbd";

struct rendering {
	const struct template *template;
	char *const *chain;
	const struct model *model;
	const struct model *extras; /* NULL: not wanted */
	const struct template_limits *limits;
};

static const struct mustache *find_partial(const char *name, void *context)
{
	const struct rendering *rendering = context;
	g_autofree char *file_name = g_strconcat(name, ".mustache", NULL);
	const struct template_file *file =
		template_library_find(rendering->template->library, file_name, rendering->chain);

	return file != NULL ? file->mustache : NULL;
}

static bool is_optional(const char *name, void *context)
{
	const struct rendering *rendering = context;

	return template_description_is_optional(rendering->template->description, name);
}

/* C strings from here on: a NUL, which JSON can bring, must not cut a text off. */
static void replace_nuls(GString *text)
{
	if (memchr(text->str, '\0', text->len) == NULL)
		return;
	GString *clean = g_string_sized_new(text->len);

	for (size_t i = 0; i < text->len; i++) {
		if (text->str[i] != '\0')
			g_string_append_c(clean, text->str[i]);
		else
			g_string_append(clean, NUL_REPLACEMENT);
	}
	g_string_assign(text, clean->str);
	g_string_free(clean, TRUE);
}

/* Append a part; *present tells whether the template has it. */
static enum outcome render_part(const struct rendering *rendering, enum template_part part,
				GString *out, bool *present, struct reason *reason)
{
	const struct template_file *file = template_folder_find(
		&rendering->template->folder, template_part_file(part), rendering->chain);
	size_t output_max = rendering->limits->output_bytes;
	const struct mustache_options options = {
		.escape_html = part == PART_HTML,
		.strict = true,
		.optional = is_optional,
		.partial = find_partial,
		.context = (void *)rendering,
		.outer = rendering->extras,
		.output_max = part == PART_SUBJECT ? MIN(output_max, SUBJECT_BYTES) : output_max,
		.depth_max = rendering->limits->depth,
		.partials_max = rendering->limits->partials,
	};

	*present = file != NULL;
	if (file == NULL)
		return OUTCOME_OK;
	enum outcome outcome =
		mustache_render(file->mustache, rendering->model, &options, out, reason);

	replace_nuls(out);
	return outcome;
}

/* ---- what templates may use beside the model ---- */

static void add_lines(struct wire *lines, const char *key, const char *text)
{
	struct wire *list = wire_array();

	while (*text != '\0') {
		size_t size = strcspn(text, "\r\n");
		g_autofree char *line = g_strndup(text, size);

		wire_append_text(list, line);
		text += size;
		text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != '\0';
	}
	wire_set(lines, key, list);
}

static bool add_text_lines(const char *key, const struct wire *value, void *context)
{
	const char *text = wire_text(value);

	if (text != NULL)
		add_lines(context, key, text);
	return true;
}

static struct model *make_extras(const struct wire *model, const char *subject)
{
	struct wire *all = wire_object();
	struct wire *own = wire_object();
	struct wire *lines = wire_object();

	wire_each(model, add_text_lines, lines);
	wire_set(own, "Lines", lines);
	wire_set_text(own, "Subject", subject);
	wire_set(all, "Mailpipe", own);
	struct model *extras = model_new(all);

	wire_free(&all);
	return extras;
}

/* ---- subject and text ---- */

/* White space and control characters in a row become a space; none at the ends. */
static void make_one_line(GString *text)
{
	size_t length = 0;

	for (size_t i = 0; i < text->len; i++) {
		char c = text->str[i];

		if (c != ' ' && !g_ascii_iscntrl(c))
			text->str[length++] = c;
		else if (length > 0 && text->str[length - 1] != ' ')
			text->str[length++] = ' ';
	}
	if (length > 0 && text->str[length - 1] == ' ')
		length--;
	g_string_truncate(text, length);
}

/* At most that many characters, the last of them dots if there were more. */
static bool cut_text(GString *text, size_t max)
{
	while (text->len > 0 && g_ascii_isspace(text->str[text->len - 1]))
		g_string_truncate(text, text->len - 1);
	if ((size_t)g_utf8_strlen(text->str, (gssize)text->len) <= max)
		return false;
	size_t dots = MIN(strlen(CUT), max);
	const char *end = g_utf8_offset_to_pointer(text->str, (long)(max - dots));

	g_string_truncate(text, (size_t)(end - text->str));
	while (text->len > 0 && g_ascii_isspace(text->str[text->len - 1]))
		g_string_truncate(text, text->len - 1);
	g_string_append_len(text, CUT, (gssize)dots);
	return true;
}

/* ---- images ---- */

static const struct template_file *find_image(const struct rendering *rendering, const char *name)
{
	const struct template_file *file =
		template_folder_find(&rendering->template->folder, name, rendering->chain);

	if (file == NULL)
		file = template_library_find(rendering->template->library, name, rendering->chain);
	return file;
}

static bool has_image(const struct rendered *rendered, const char *name)
{
	for (size_t i = 0; i < rendered->image_count; i++)
		if (strcmp(rendered->images[i].content_id, name) == 0)
			return true;
	return false;
}

static void add_image(struct rendered *rendered, const char *name, GBytes *data)
{
	size_t size;
	const void *bytes = g_bytes_get_data(data, &size);

	rendered->images =
		g_renew(struct inline_image, rendered->images, rendered->image_count + 1);
	rendered->images[rendered->image_count++] = (struct inline_image){
		.content_id = g_strdup(name),
		.content_type = g_strdup(template_image_type(name)),
		.data = g_memdup2(bytes, size),
		.size = size,
	};
}

/* What html refers to by cid: and we have; a request's attachments are referred to in the same way.
 */
static enum outcome collect_images(const struct rendering *rendering, struct rendered *rendered,
				   struct reason *reason)
{
	static const char CID[] = "cid:";
	static const char NAME[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-.";
	const char *at = rendered->html;

	while ((at = strstr(at, CID)) != NULL) {
		at += strlen(CID);
		g_autofree char *name = g_strndup(at, strspn(at, NAME));

		if (template_image_type(name) == NULL || has_image(rendered, name))
			continue;
		const struct template_file *file = find_image(rendering, name);

		if (file == NULL)
			continue;
		if (rendered->image_count == IMAGES_MAX)
			return outcome_reject(reason, "5.3.4", "template %s: more than %d images",
					      rendering->template->name, IMAGES_MAX);
		add_image(rendered, name, file->data);
	}
	return OUTCOME_OK;
}

/* ---- all together ---- */

static enum outcome render_subject(const struct rendering *rendering, struct rendered *rendered,
				   struct reason *reason)
{
	GString *out = g_string_new(NULL);
	bool present;
	enum outcome outcome = render_part(rendering, PART_SUBJECT, out, &present, reason);

	make_one_line(out);
	rendered->subject = g_string_free(out, FALSE);
	return outcome;
}

static enum outcome render_text(const struct rendering *rendering, struct rendered *rendered,
				struct reason *reason)
{
	size_t max = rendering->template->description->text_max;
	GString *out = g_string_new(NULL);
	bool present;
	enum outcome outcome = render_part(rendering, PART_TEXT, out, &present, reason);

	if (outcome == OUTCOME_OK && max > 0)
		rendered->text_cut = cut_text(out, max);
	rendered->text = g_string_free(out, !present);
	return outcome;
}

static enum outcome render_html(const struct rendering *rendering, struct rendered *rendered,
				struct reason *reason)
{
	GString *out = g_string_new(NULL);
	bool present;
	enum outcome outcome = render_part(rendering, PART_HTML, out, &present, reason);

	rendered->html = g_string_free(out, !present);
	return outcome == OUTCOME_OK && present ? collect_images(rendering, rendered, reason)
						: outcome;
}

enum outcome template_render(const struct template *template, char *const *chain,
			     const struct wire *model, const struct template_limits *limits,
			     struct rendered *rendered, struct reason *reason)
{
	struct model *own = model_new(model);
	struct model *extras = NULL;
	struct rendering rendering = {
		.template = template, .chain = chain, .model = own, .limits = limits};

	*rendered = (struct rendered){0};
	enum outcome outcome = render_subject(&rendering, rendered, reason);

	if (template->wants_extras)
		rendering.extras = extras = make_extras(model, rendered->subject);
	if (outcome == OUTCOME_OK)
		outcome = render_text(&rendering, rendered, reason);
	if (outcome == OUTCOME_OK)
		outcome = render_html(&rendering, rendered, reason);
	model_free(&extras);
	model_free(&own);
	rendered->from = g_strdup(template_from(template, chain));
	rendered->stream = g_strdup(template->description->stream);
	rendered->auto_submitted = template->description->auto_submitted;
	if (outcome != OUTCOME_OK)
		rendered_clear(rendered);
	return outcome;
}

void rendered_clear(struct rendered *rendered)
{
	for (size_t i = 0; i < rendered->image_count; i++) {
		g_free(rendered->images[i].content_id);
		g_free(rendered->images[i].content_type);
		g_free(rendered->images[i].data);
	}
	g_free(rendered->images);
	g_free(rendered->subject);
	g_free(rendered->text);
	g_free(rendered->html);
	g_free(rendered->from);
	g_free(rendered->stream);
	*rendered = (struct rendered){0};
}
