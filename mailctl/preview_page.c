#include "mailctl/preview_page.h"

#include <string.h>

struct preview_page {
	GString *nav;
	GString *body;
	GPtrArray *locales; /* all that there are */
	char *name;         /* of the template at hand; NULL: none */
	GString *mails;     /* its mails, and what stands before them */
	size_t problems;
	bool broken;
	size_t text_max; /* its MaxLength; 0: none */
	size_t templates;
	size_t mail_count;
	size_t problem_count;
};

/* What a mail's style sheet asks for, and conditions that are always and never true: so a frame
 * shows one of them, whatever the browser's own scheme is. */
static const char DARK_QUERY[] = "(prefers-color-scheme: dark)";
static const char LIGHT_QUERY[] = "(prefers-color-scheme: light)";
static const char ALWAYS[] = "(min-width: 0px)";
static const char NEVER[] = "(max-width: 0px)";

__attribute__((format(printf, 2, 3))) static void add(GString *out, const char *format, ...)
{
	va_list args;

	/* Every %s is escaped. */
	va_start(args, format);
	g_autofree char *text = g_markup_vprintf_escaped(format, args);

	va_end(args);
	g_string_append(out, text);
}

struct preview_page *preview_page_new(void)
{
	struct preview_page *page = g_new0(struct preview_page, 1);

	page->nav = g_string_new(NULL);
	page->body = g_string_new(NULL);
	page->mails = g_string_new(NULL);
	page->locales = g_ptr_array_new_with_free_func(g_free);
	return page;
}

/* ---- a template ---- */

static void end_template(struct preview_page *page)
{
	if (page->name == NULL)
		return;
	const char *state = page->broken ? "broken" : page->problems > 0 ? "some" : "fine";
	g_autofree char *count =
		page->problems > 0 ? g_strdup_printf("%zu", page->problems) : g_strdup("✓");

	add(page->nav,
	    "<li><a href=\"#%s\"><span>%s</span><span class=\"count %s\" "
	    "title=\"%s\">%s</span></a></li>\n",
	    page->name, page->name, state, page->problems > 0 ? "problems" : "no problems", count);
	g_string_append_len(page->body, page->mails->str, (gssize)page->mails->len);
	g_string_append(page->body, "</section>\n");
	g_string_truncate(page->mails, 0);
	page->problem_count += page->problems;
	g_clear_pointer(&page->name, g_free);
}

struct parameter_rows {
	GString *out;
	const char *prefix;
};

static bool add_parameter(const char *key, const struct wire *value, void *context)
{
	const struct parameter_rows *rows = context;
	const char *type = wire_get_text(value, "Type");
	const char *text = wire_get_text(value, "Description");
	bool optional = false;

	wire_get_bool(value, "Optional", &optional);
	add(rows->out, "<tr><td><code>%s%s</code></td><td>%s%s</td><td>%s</td></tr>\n",
	    rows->prefix, key, type != NULL ? type : "", optional ? ", optional" : "",
	    text != NULL ? text : "");
	if (wire_get_object(value, "Parameters") != NULL) {
		bool is_array = type != NULL && strcmp(type, "array") == 0;
		g_autofree char *prefix =
			g_strdup_printf("%s%s%s.", rows->prefix, key, is_array ? "[]" : "");
		struct parameter_rows inner = {.out = rows->out, .prefix = prefix};

		wire_each(wire_get_object(value, "Parameters"), add_parameter, &inner);
	}
	return true;
}

static void add_parameters(GString *out, const struct wire *description)
{
	const struct wire *parameters = wire_get_object(description, "Parameters");
	struct parameter_rows rows = {.out = out, .prefix = ""};

	if (parameters == NULL)
		return;
	g_string_append(out, "<details><summary>Parameters</summary><table class=\"parameters\">"
			     "<tr><th>Name</th><th>Type</th><th>Meaning</th></tr>\n");
	wire_each(parameters, add_parameter, &rows);
	g_string_append(out, "</table></details>\n");
}

static void add_tags(GString *out, const struct wire *description, size_t text_max)
{
	const char *stream = wire_get_text(description, "Stream");
	bool automatic = false;

	g_string_append(out, "<div class=\"tags\">");
	if (stream != NULL)
		add(out, "<span class=\"tag\">stream %s</span>", stream);
	if (wire_get_bool(description, "AutoSubmitted", &automatic) && automatic)
		g_string_append(out, "<span class=\"tag\">Auto-Submitted</span>");
	if (text_max > 0)
		g_string_append_printf(out, "<span class=\"tag\">at most %zu characters</span>",
				       text_max);
	g_string_append(out, "</div>\n");
}

void preview_page_template(struct preview_page *page, const char *name,
			   const struct wire *description)
{
	int64_t text_max = 0;

	end_template(page);
	page->name = g_strdup(name);
	page->problems = 0;
	page->broken = false;
	page->templates++;
	wire_get_int(description, "MaxLength", &text_max);
	page->text_max = (size_t)text_max;
	add(page->mails, "<section class=\"template\" id=\"%s\">\n<header><h2>%s</h2>", name, name);
	if (description != NULL) {
		add(page->mails, "<p>%s</p>", wire_get_text(description, "Description"));
		add_tags(page->mails, description, page->text_max);
	}
	g_string_append(page->mails, "</header>\n");
	if (description != NULL)
		add_parameters(page->mails, description);
}

/* ---- a mail ---- */

static size_t length_of(const char *text)
{
	return (size_t)g_utf8_strlen(text, -1);
}

static void add_problems(struct preview_page *page, const struct preview_mail *mail)
{
	page->problems += mail->problems->len;
	page->broken |= mail->rendered == NULL;
	if (mail->problems->len == 0)
		return;
	g_string_append_printf(page->mails, "<ul class=\"problems%s\">\n",
			       mail->rendered == NULL ? " broken" : "");
	for (guint i = 0; i < mail->problems->len; i++)
		add(page->mails, "<li>%s</li>\n", (const char *)mail->problems->pdata[i]);
	g_string_append(page->mails, "</ul>\n");
}

static const char *sender_of(const struct preview_mail *mail)
{
	const char *brand = mail->model != NULL ? wire_get_text(mail->model, "brand") : NULL;

	if (mail->rendered->from != NULL)
		return mail->rendered->from;
	return brand != NULL ? brand : "From as the config says";
}

static void add_inbox(GString *out, const struct preview_mail *mail)
{
	const char *from = sender_of(mail);
	char face[8] = "";

	g_unichar_to_utf8(g_unichar_toupper(g_utf8_get_char(from)), face);
	add(out,
	    "<div class=\"inbox\"><div class=\"face\">%s</div><div class=\"from\">%s</div>"
	    "<div class=\"subject\">%s</div>",
	    face, from, mail->rendered->subject);
	g_string_append_printf(out, "<div class=\"length\">%zu characters</div></div>\n",
			       length_of(mail->rendered->subject));
}

/* Images that come with the mail, as they are shown without one. */
static void inline_images(GString *html, const struct rendered *rendered)
{
	for (size_t i = 0; i < rendered->image_count; i++) {
		const struct inline_image *image = &rendered->images[i];
		g_autofree char *cid = g_strconcat("cid:", image->content_id, NULL);
		g_autofree char *base64 = g_base64_encode(image->data, image->size);
		g_autofree char *url =
			g_strdup_printf("data:%s;base64,%s", image->content_type, base64);

		g_string_replace(html, cid, url, 0);
	}
}

static void add_frame(GString *out, const struct rendered *rendered, const char *width, bool dark)
{
	GString *html = g_string_new(rendered->html);
	const char *scheme = dark ? "dark" : "light";
	const char *place = strstr(html->str, "</head>");
	g_autofree char *style = g_strdup_printf(
		"<style>:root { color-scheme: only %s !important; }</style>", scheme);

	g_string_insert(html, place != NULL ? place - html->str : 0, style);
	g_string_replace(html, DARK_QUERY, dark ? ALWAYS : NEVER, 0);
	g_string_replace(html, LIGHT_QUERY, dark ? NEVER : ALWAYS, 0);
	inline_images(html, rendered);
	bool phone = strcmp(width, "phone") == 0;

	add(out,
	    "<figure class=\"view %s %s\"><figcaption><b>%s</b>, %s</figcaption><div "
	    "class=\"frame\">"
	    "<iframe sandbox=\"allow-same-origin\" title=\"%s, %s\" "
	    "srcdoc=\"%s\"></iframe></div></figure>\n",
	    width, scheme, phone ? "Phone" : "Desktop", scheme, width, scheme, html->str);
	g_string_free(html, TRUE);
}

static void add_text(const struct preview_page *page, GString *out, const struct rendered *rendered)
{
	if (rendered->text == NULL) {
		g_string_append(
			out, "<figure class=\"view text\"><figcaption><b>Text</b></figcaption>"
			     "<div class=\"frame\"><p class=\"note\">None of its own: it is made "
			     "from the HTML.</p></div></figure>\n");
		return;
	}
	if (page->text_max > 0) {
		g_autofree char *length = g_strdup_printf("%zu", length_of(rendered->text));

		add(out,
		    "<figure class=\"view sms\"><figcaption><b>Text</b>, %s characters</figcaption>"
		    "<div class=\"frame\"><div class=\"bubble\">%s</div></div></figure>\n",
		    length, rendered->text);
		return;
	}
	add(out,
	    "<figure class=\"view text\"><figcaption><b>Text</b></figcaption><div class=\"frame\">"
	    "<pre>%s</pre></div></figure>\n",
	    rendered->text);
}

static void add_model(GString *out, const struct wire *model)
{
	size_t size;
	g_autofree char *json = wire_print(model, true, &size);

	add(out, "<details><summary>Model</summary><pre class=\"model\">%s</pre></details>\n",
	    json);
}

static void note_locale(struct preview_page *page, const char *locale)
{
	if (!g_ptr_array_find_with_equal_func(page->locales, locale, g_str_equal, NULL))
		g_ptr_array_add(page->locales, g_strdup(locale));
}

void preview_page_mail(struct preview_page *page, const struct preview_mail *mail)
{
	const char *locale = *mail->locale != '\0' ? mail->locale : "default";

	note_locale(page, locale);
	page->mail_count++;
	add(page->mails, "<article class=\"mail %s\" data-locale=\"%s\"><h3>%s</h3>\n",
	    mail->problems->len == 0 ? "fine" : "odd", locale, locale);
	if (mail->rendered != NULL)
		add_inbox(page->mails, mail);
	add_problems(page, mail);
	if (mail->rendered != NULL) {
		g_string_append(page->mails, "<div class=\"views\">\n");
		if (mail->rendered->html != NULL) {
			add_frame(page->mails, mail->rendered, "desktop", false);
			add_frame(page->mails, mail->rendered, "phone", false);
			add_frame(page->mails, mail->rendered, "desktop", true);
			add_frame(page->mails, mail->rendered, "phone", true);
		}
		add_text(page, page->mails, mail->rendered);
		g_string_append(page->mails, "</div>\n");
	}
	if (mail->model != NULL)
		add_model(page->mails, mail->model);
	g_string_append(page->mails, "</article>\n");
}

/* ---- the page ---- */

static void add_choice(GString *out, const char *title, const char *name,
		       const char *const *choices)
{
	add(out, "<h2>%s</h2>\n<div class=\"choice\" data-choice=\"%s\">", title, name);
	for (size_t i = 0; choices[i] != NULL; i += 2)
		add(out, "<button type=\"button\" value=\"%s\" aria-pressed=\"%s\">%s</button>",
		    choices[i], i == 0 ? "true" : "false", choices[i + 1]);
	g_string_append(out, "</div>\n");
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void add_side(GString *out, const struct preview_page *page)
{
	static const char *const schemes[] = {"all",  "Both", "light", "Light",
					      "dark", "Dark", NULL};
	static const char *const widths[] = {"all",   "Both",  "desktop", "Desktop",
					     "phone", "Phone", NULL};
	GPtrArray *locales = g_ptr_array_new();

	g_ptr_array_add(locales, (char *)"all");
	g_ptr_array_add(locales, (char *)"All");
	for (guint i = 0; i < page->locales->len; i++) {
		g_ptr_array_add(locales, page->locales->pdata[i]);
		g_ptr_array_add(locales, page->locales->pdata[i]);
	}
	g_ptr_array_add(locales, NULL);
	g_string_append(out, "<nav class=\"side\"><h1>Mail templates</h1>\n");
	g_string_append_printf(out, "<p>%zu template%s, %zu mail%s, ", page->templates,
			       plural(page->templates), page->mail_count, plural(page->mail_count));
	if (page->problem_count > 0)
		g_string_append_printf(out, "%zu problem%s</p>\n<ul>\n", page->problem_count,
				       plural(page->problem_count));
	else
		g_string_append(out, "no problems</p>\n<ul>\n");
	g_string_append_len(out, page->nav->str, (gssize)page->nav->len);
	g_string_append(out, "</ul>\n");
	add_choice(out, "Language", "locale", (const char *const *)locales->pdata);
	add_choice(out, "Colors", "scheme", schemes);
	add_choice(out, "Width", "width", widths);
	g_string_append(out, "</nav>\n");
	g_ptr_array_unref(locales);
}

char *preview_page_end(struct preview_page **page)
{
	struct preview_page *old = *page;
	GString *out = g_string_new(
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light\">\n"
		"<title>Mail templates</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n");

	end_template(old);
	g_string_append(out, preview_css);
	g_string_append(out, "</style>\n</head>\n<body data-scheme=\"all\" data-width=\"all\">\n"
			     "<div class=\"page\">\n");
	add_side(out, old);
	g_string_append(out, "<main>\n");
	g_string_append_len(out, old->body->str, (gssize)old->body->len);
	g_string_append(out, "</main>\n</div>\n<script>\n");
	g_string_append(out, preview_js);
	g_string_append(out, "</script>\n</body>\n</html>\n");
	g_string_free(old->nav, TRUE);
	g_string_free(old->body, TRUE);
	g_string_free(old->mails, TRUE);
	g_ptr_array_unref(old->locales);
	g_free(old);
	*page = NULL;
	return g_string_free(out, FALSE);
}
