#include "mailin/parse/body.h"

#include "common/html_text.h"
#include "mailin/parse/charset.h"
#include "mailin/parse/flowed.h"
#include "mailin/parse/transfer.h"

/* ---- choosing ---- */

/* RFC 8621's algorithm: a list that is NULL takes no more parts in this branch. */
struct lists {
	GPtrArray *text;
	GPtrArray *html;
	GPtrArray *attachments;
};

static bool is_plain(const struct part *part)
{
	return strcmp(part->type, "text/plain") == 0;
}

static bool is_html(const struct part *part)
{
	return strcmp(part->type, "text/html") == 0;
}

static bool has_name(const struct part *part)
{
	g_autofree char *name = NULL;

	if (part->disposition_params != NULL)
		name = params_bytes(part->disposition_params, "filename");
	if (name == NULL && part->type_params != NULL)
		name = params_bytes(part->type_params, "name");
	return name != NULL;
}

/* The child that multipart/related's start names (RFC 2387, 3.2), else the first. */
static guint root_of(const struct part *related)
{
	g_autofree char *start =
		related->type_params == NULL ? NULL : params_bytes(related->type_params, "start");
	for (guint i = 0; start != NULL && i < related->children->len; i++) {
		const struct part *child = g_ptr_array_index(related->children, i);
		const struct field *id = mime_field(child, "Content-ID");
		if (id != NULL && span_is(span_trim(id->value), start))
			return i;
	}
	return 0;
}

static bool is_body(const struct part *part, bool first, bool related)
{
	if (!is_plain(part) && !is_html(part))
		return false;
	if (g_strcmp0(part->disposition, "attachment") == 0)
		return false;
	return first || (!related && !has_name(part));
}

static void choose(const struct part *part, bool alternative, bool in_alternative, bool first,
		   bool related, struct lists *lists);

/* An alternative that had only one kind is both kinds' body. */
static void share(GPtrArray *from, guint start, GPtrArray *to)
{
	for (guint i = start; i < from->len; i++)
		g_ptr_array_add(to, g_ptr_array_index(from, i));
}

static void choose_children(const struct part *multipart, bool in_alternative, struct lists *outer)
{
	struct lists lists = *outer;
	bool alternative = strcmp(multipart->type, "multipart/alternative") == 0;
	bool related = strcmp(multipart->type, "multipart/related") == 0;
	guint root = related ? root_of(multipart) : 0;
	guint texts = lists.text == NULL ? 0 : lists.text->len;
	guint htmls = lists.html == NULL ? 0 : lists.html->len;

	for (guint i = 0; i < multipart->children->len; i++)
		choose(g_ptr_array_index(multipart->children, i), alternative,
		       in_alternative || alternative, i == root, related, &lists);
	if (!alternative || lists.text == NULL || lists.html == NULL)
		return;
	guint new_htmls = lists.html->len;
	if (texts == lists.text->len && htmls != new_htmls)
		share(lists.html, htmls, lists.text);
	else if (htmls == new_htmls && texts != lists.text->len)
		share(lists.text, texts, lists.html);
}

static void choose(const struct part *part, bool alternative, bool in_alternative, bool first,
		   bool related, struct lists *lists)
{
	if (part->children != NULL) {
		choose_children(part, in_alternative, lists);
		return;
	}
	if (!is_body(part, first, related)) {
		g_ptr_array_add(lists->attachments, (gpointer)part);
		return;
	}
	if (alternative) {
		GPtrArray *list = is_plain(part) ? lists->text : lists->html;
		g_ptr_array_add(list != NULL ? list : lists->attachments, (gpointer)part);
		return;
	}
	if (in_alternative && is_plain(part))
		lists->html = NULL;
	else if (in_alternative)
		lists->text = NULL;
	if (lists->text != NULL)
		g_ptr_array_add(lists->text, (gpointer)part);
	if (lists->html != NULL)
		g_ptr_array_add(lists->html, (gpointer)part);
	if (lists->text == NULL && lists->html == NULL)
		g_ptr_array_add(lists->attachments, (gpointer)part);
}

void body_choose(const struct part *root, struct body_choice *choice)
{
	choice->text = g_ptr_array_new();
	choice->html = g_ptr_array_new();
	choice->attachments = g_ptr_array_new();
	struct lists lists = {choice->text, choice->html, choice->attachments};
	choose(root, false, false, true, false, &lists);
}

void body_choice_clear(struct body_choice *choice)
{
	g_ptr_array_free(choice->text, TRUE);
	g_ptr_array_free(choice->html, TRUE);
	g_ptr_array_free(choice->attachments, TRUE);
}

/* ---- text ---- */

/* In UTF-16 and UTF-32 zero bytes are halves of characters. */
static bool is_wide(const char *label, struct span text)
{
	static const char *const names[] = {"utf-16", "utf16",     "utf-32", "utf32",
					    "ucs",    "iso-10646", "unicode"};

	if (text.size >= 2 &&
	    (memcmp(text.data, "\xFF\xFE", 2) == 0 || memcmp(text.data, "\xFE\xFF", 2) == 0))
		return true;
	for (size_t i = 0; label != NULL && i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strncasecmp(label, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* A copy without NUL; NULL if the text has none.  g_free() it. */
static char *without_nul(struct span text, size_t *size, struct defects *defects)
{
	if (text.size == 0 || memchr(text.data, '\0', text.size) == NULL)
		return NULL;
	defect_note(defects, DEFECT_NUL);
	char *copy = g_malloc(text.size);
	*size = 0;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] != '\0')
			copy[(*size)++] = text.data[i];
	return copy;
}

/* CRLF and CR to LF; in place. */
static size_t normalise(char *text, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		if (c == '\r') {
			if (i + 1 < size && text[i + 1] == '\n')
				continue;
			c = '\n';
		}
		text[out++] = c;
	}
	text[out] = '\0';
	return out;
}

/* <meta charset=...> or <meta http-equiv ... charset=...> near the beginning. */
static char *html_charset(struct span html)
{
	enum { LOOK_MAX = 1024 };
	g_autofree char *head = g_strndup(html.data, MIN(html.size, LOOK_MAX));
	g_autofree char *lower = g_ascii_strdown(head, -1);
	const char *meta = strstr(lower, "<meta");
	const char *charset = meta == NULL ? NULL : strstr(meta, "charset=");

	if (charset == NULL)
		return NULL;
	charset += strlen("charset=");
	charset += strspn(charset, "\"' ");
	return g_strndup(charset, strcspn(charset, "\"' />;"));
}

static char *read_text(const struct part *part, size_t *size, struct defects *defects)
{
	g_autofree char *owned = NULL;
	struct span body = transfer_decode(part, &owned, defects);
	g_autofree char *label = NULL;
	bool wrong = false;

	if (part->type_params != NULL)
		label = params_text(part->type_params, "charset", defects);
	bool utf8 = label == NULL && g_utf8_validate(body.data, (gssize)body.size, NULL);
	if (label == NULL && !utf8 && is_html(part))
		label = html_charset(body);
	size_t clean_size = 0;
	g_autofree char *clean =
		is_wide(label, body) ? NULL : without_nul(body, &clean_size, defects);
	if (clean != NULL)
		body = (struct span){clean, clean_size};
	char *text = charset_to_utf8(utf8 ? "utf-8" : label, body.data, body.size, size, &wrong);
	if (wrong)
		defect_note(defects, DEFECT_CHARSET);
	*size = normalise(text, *size);
	if (!is_plain(part) || part->type_params == NULL)
		return text;
	g_autofree char *format = params_bytes(part->type_params, "format");
	if (format == NULL || g_ascii_strcasecmp(format, "flowed") != 0)
		return text;
	g_autofree char *delsp = params_bytes(part->type_params, "delsp");
	bool drop = delsp != NULL && g_ascii_strcasecmp(delsp, "yes") == 0;
	char *joined = flowed_join(text, *size, drop);
	g_free(text);
	*size = strlen(joined);
	return joined;
}

static void append(GString *out, const char *text, size_t size)
{
	if (out->len > 0 && out->str[out->len - 1] != '\n')
		g_string_append_c(out, '\n');
	g_string_append_len(out, text, (gssize)size);
}

static void append_plain_from_html(GString *out, const char *html, size_t size,
				   const struct config_limits *limits, GArray *marks,
				   struct defects *defects)
{
	enum { TAGS_PER_TEXT = 2 };
	size_t limit = (size_t)limits->body_bytes;
	bool cut = false;
	/* libxml2 needs 0.2 s for each megabyte of nothing but tags. */
	size_t looked_at = MIN(size, limit * TAGS_PER_TEXT);
	guint before = marks->len;
	g_autofree char *text = html_to_marked_text(html, looked_at, limit, &cut, marks);
	if (cut || size > looked_at)
		defect_note(defects, DEFECT_BODY_CUT);
	if (text == NULL)
		return;
	size_t size_of_text = strlen(text);
	append(out, text, size_of_text);
	for (guint i = before; i < marks->len; i++)
		g_array_index(marks, struct html_mark, i).offset += out->len - size_of_text;
}

char *body_text_of_html(const char *html, const struct config_limits *limits, GArray *marks,
			struct defects *defects)
{
	GString *out = g_string_new(NULL);

	append_plain_from_html(out, html, strlen(html), limits, marks, defects);
	return g_string_free(out, FALSE);
}

static void append_html_from_plain(GString *out, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text, -1);
	g_autofree char *html = g_strdup_printf("<pre>%s</pre>\n", escaped);
	append(out, html, strlen(html));
}

void body_cut(GString *text, int64_t limit, struct defects *defects)
{
	if ((int64_t)text->len <= limit)
		return;
	defect_note(defects, DEFECT_BODY_CUT);
	const char *stop = text->str + limit;
	while (stop > text->str && ((unsigned char)*stop & 0xC0) == 0x80)
		stop--;
	g_string_truncate(text, (gsize)(stop - text->str));
}

static void append_texts(GString *out, const GPtrArray *parts, const struct config_limits *limits,
			 GArray *marks, struct defects *defects)
{
	for (guint i = 0; i < parts->len && (int64_t)out->len <= limits->body_bytes; i++) {
		const struct part *part = g_ptr_array_index(parts, i);
		size_t size;
		g_autofree char *text = read_text(part, &size, defects);
		if (is_html(part))
			append_plain_from_html(out, text, size, limits, marks, defects);
		else
			append(out, text, size);
	}
}

char *body_text(const struct body_choice *choice, const struct config_limits *limits, GArray *marks,
		struct defects *defects)
{
	GString *out = g_string_new(NULL);

	append_texts(out, choice->text, limits, marks, defects);
	/* Senders put an empty text beside their HTML. */
	if (is_blank_text(out->str)) {
		g_string_truncate(out, 0);
		g_array_set_size(marks, 0);
		append_texts(out, choice->html, limits, marks, defects);
	}
	body_cut(out, limits->body_bytes, defects);
	return g_string_free(out, FALSE);
}

char *body_html(const struct body_choice *choice, const struct config_limits *limits,
		struct defects *defects)
{
	GString *out = g_string_new(NULL);
	bool any = false;

	for (guint i = 0; i < choice->html->len && !any; i++)
		any = is_html(g_ptr_array_index(choice->html, i));
	for (guint i = 0; any && i < choice->html->len; i++) {
		const struct part *part = g_ptr_array_index(choice->html, i);
		size_t size;
		g_autofree char *text = read_text(part, &size, defects);
		if (is_html(part))
			append(out, text, size);
		else
			append_html_from_plain(out, text);
		if ((int64_t)out->len > limits->body_bytes)
			break;
	}
	body_cut(out, limits->body_bytes, defects);
	return g_string_free(out, FALSE);
}
