#include "common/html_text.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>
#include <libxml/HTMLparser.h>

#include "common/html_clean.h"
#include "common/html_layout.h"
#include "common/html_link.h"

enum {
	NUMBER_MAX = 99999999, /* of a list's item */
	STYLE_MAX = 4096,      /* bytes of a style attribute that are looked at */
	MARKS_MAX = 1000,
};

/*
 * libxml2 searches its stack of open elements for each end tag that fits none, and formats a
 * message for each error: 100,000 open elements and a million wrong ends would take minutes.  Every
 * error costs the depth of the stack plus a constant, of a budget that is worth about a second.
 */
enum { ERROR_COST = 128, ERROR_BUDGET = 1 << 27 };

/* Whatever else takes long: a mail's HTML gets so many microseconds of the processor. */
enum { CPU_BUDGET = 800000 };

/* libxml2, by dlopen(); the types are the headers'. */
static struct {
	void *handle;
	void (*init)(void);
	void (*cleanup)(void);
	int (*omit)(int);
	htmlParserCtxtPtr (*create)(void);
	xmlParserInputBufferPtr (*buffer)(xmlInputReadCallback, xmlInputCloseCallback, void *,
					  xmlCharEncoding);
	xmlParserInputPtr (*stream)(xmlParserCtxtPtr, xmlParserInputBufferPtr, xmlCharEncoding);
	int (*push)(xmlParserCtxtPtr, xmlParserInputPtr);
	int (*options)(htmlParserCtxtPtr, int);
	int (*parse)(htmlParserCtxtPtr);
	void (*stop)(xmlParserCtxtPtr);
	void (*free)(htmlParserCtxtPtr);
	long budget;     /* of errors: what is left of it for this mail's parts */
	gint64 cpu_left; /* microseconds of the processor, likewise */
} libxml2;

enum role {
	ROLE_INLINE,
	ROLE_BLOCK,     /* begins and ends a line */
	ROLE_PARAGRAPH, /* a blank line before and after */
	ROLE_SKIP,
	ROLE_BREAK,
	ROLE_RULE,
	ROLE_IMAGE,
	ROLE_LINK,
	ROLE_QUOTE,
	ROLE_PRE,
	ROLE_BULLETS,
	ROLE_NUMBERS,
	ROLE_ITEM,
	ROLE_CELL,
};

/* Sorted by name; all others are inline. */
static const struct tag {
	const char *name;
	enum role role;
} tags[] = {
	{"a", ROLE_LINK},         {"address", ROLE_BLOCK},    {"area", ROLE_SKIP},
	{"article", ROLE_BLOCK},  {"aside", ROLE_BLOCK},      {"blockquote", ROLE_QUOTE},
	{"br", ROLE_BREAK},       {"caption", ROLE_BLOCK},    {"center", ROLE_BLOCK},
	{"datalist", ROLE_SKIP},  {"dd", ROLE_BLOCK},         {"dir", ROLE_BULLETS},
	{"div", ROLE_BLOCK},      {"dl", ROLE_PARAGRAPH},     {"dt", ROLE_BLOCK},
	{"fieldset", ROLE_BLOCK}, {"figcaption", ROLE_BLOCK}, {"figure", ROLE_PARAGRAPH},
	{"footer", ROLE_BLOCK},   {"form", ROLE_BLOCK},       {"h1", ROLE_PARAGRAPH},
	{"h2", ROLE_PARAGRAPH},   {"h3", ROLE_PARAGRAPH},     {"h4", ROLE_PARAGRAPH},
	{"h5", ROLE_PARAGRAPH},   {"h6", ROLE_PARAGRAPH},     {"header", ROLE_BLOCK},
	{"hr", ROLE_RULE},        {"iframe", ROLE_SKIP},      {"img", ROLE_IMAGE},
	{"legend", ROLE_BLOCK},   {"li", ROLE_ITEM},          {"listing", ROLE_PRE},
	{"main", ROLE_BLOCK},     {"menu", ROLE_BULLETS},     {"nav", ROLE_BLOCK},
	{"noframes", ROLE_SKIP},  {"object", ROLE_SKIP},      {"ol", ROLE_NUMBERS},
	{"optgroup", ROLE_BLOCK}, {"option", ROLE_BLOCK},     {"p", ROLE_PARAGRAPH},
	{"pre", ROLE_PRE},        {"script", ROLE_SKIP},      {"section", ROLE_BLOCK},
	{"select", ROLE_SKIP},    {"style", ROLE_SKIP},       {"svg", ROLE_SKIP},
	{"table", ROLE_BLOCK},    {"tbody", ROLE_BLOCK},      {"td", ROLE_CELL},
	{"template", ROLE_SKIP},  {"tfoot", ROLE_BLOCK},      {"th", ROLE_CELL},
	{"thead", ROLE_BLOCK},    {"title", ROLE_SKIP},       {"tr", ROLE_BLOCK},
	{"ul", ROLE_BULLETS},     {"xmp", ROLE_PRE},
};

/* An open element, as far as its end tag needs to know. */
struct element {
	enum role role;
	bool hidden;
	bool pre;
	bool marked;  /* its end is, too */
	int number;   /* a list's next one */
	size_t start; /* where a link's text begins */
	char *url;    /* a link's; NULL if it is not worth showing */
};

struct run {
	htmlParserCtxtPtr parser;
	const char *input; /* what the parser has not read yet */
	size_t input_left;
	gint64 cpu_end;
	bool late; /* it took too long: the rest was kept back */
	struct html_layout layout;
	GArray *marks; /* NULL: not wanted */
	GArray *elements;
	unsigned hidden;  /* open elements that are not shown */
	unsigned lists;   /* open ones */
	bool newline_due; /* <pre> was just opened: HTML drops a newline here */
};

/* ---- libxml2 ---- */

static bool bind_symbol(const char *name, void *target)
{
	void *symbol = dlsym(libxml2.handle, name);

	/* C has no conversion from dlsym()'s pointer to a function's; POSIX promises that the bytes
	 * fit. */
	memcpy(target, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static bool bind_symbols(void)
{
	return bind_symbol("xmlInitParser", &libxml2.init) &&
	       bind_symbol("xmlCleanupParser", &libxml2.cleanup) &&
	       bind_symbol("htmlHandleOmittedElem", &libxml2.omit) &&
	       bind_symbol("htmlNewParserCtxt", &libxml2.create) &&
	       bind_symbol("xmlParserInputBufferCreateIO", &libxml2.buffer) &&
	       bind_symbol("xmlNewIOInputStream", &libxml2.stream) &&
	       bind_symbol("inputPush", &libxml2.push) &&
	       bind_symbol("htmlCtxtUseOptions", &libxml2.options) &&
	       bind_symbol("htmlParseDocument", &libxml2.parse) &&
	       bind_symbol("xmlStopParser", &libxml2.stop) &&
	       bind_symbol("htmlFreeParserCtxt", &libxml2.free);
}

static bool load(void)
{
	libxml2.handle = dlopen("libxml2.so.2", RTLD_NOW | RTLD_LOCAL);
	if (libxml2.handle == NULL)
		return false;
	if (!bind_symbols()) {
		dlclose(libxml2.handle);
		memset(&libxml2, 0, sizeof(libxml2));
		return false;
	}
	libxml2.init();
	/* No <html>, <body> and <p> that nobody wrote: the last would put blank lines where there
	 * are none. */
	(void)libxml2.omit(0);
	return true;
}

bool html_text_begin(void)
{
	if (libxml2.handle == NULL && !load())
		return false;
	libxml2.budget = ERROR_BUDGET;
	libxml2.cpu_left = CPU_BUDGET;
	return true;
}

void html_text_deinit(void)
{
	if (libxml2.handle == NULL)
		return;
	libxml2.cleanup();
	dlclose(libxml2.handle);
	memset(&libxml2, 0, sizeof(libxml2));
}

/* ---- attributes ---- */

static const char *attribute(const xmlChar **attributes, const char *name)
{
	for (size_t i = 0; attributes != NULL && attributes[i] != NULL; i += 2)
		if (strcmp((const char *)attributes[i], name) == 0)
			return attributes[i + 1] != NULL ? (const char *)attributes[i + 1] : "";
	return NULL;
}

/* Does the style have "PROPERTY:VALUE...", whatever the spaces and case? */
static bool has_style(const char *style, const char *declaration)
{
	for (const char *p = strstr(style, declaration); p != NULL; p = strstr(p + 1, declaration))
		if (p == style || p[-1] == ';')
			return true;
	return false;
}

static char *squeeze_style(const char *style)
{
	GString *out = g_string_new(NULL);

	for (size_t i = 0; style != NULL && style[i] != '\0' && i < STYLE_MAX; i++)
		if (!g_ascii_isspace(style[i]))
			g_string_append_c(out, g_ascii_tolower(style[i]));
	return g_string_free(out, FALSE);
}

/* What the button for more indent makes of the sender's own words: Gmail, Yahoo, Outlook's web
 * page. */
static bool is_indent(const xmlChar **attributes, const char *style)
{
	if (attribute(attributes, "type") != NULL || attribute(attributes, "cite") != NULL ||
	    strstr(style, "border-left") != NULL)
		return false;
	return has_style(style, "border:none") || has_style(style, "border:0") ||
	       (has_style(style, "margin-top:0") && has_style(style, "margin-bottom:0") &&
		strstr(style, "border") == NULL);
}

static int number_of(const char *text, int otherwise)
{
	char *end;

	if (text == NULL)
		return otherwise;
	long number = strtol(text, &end, 10);
	return end == text ? otherwise : (int)CLAMP(number, -NUMBER_MAX, NUMBER_MAX);
}

/* ---- links ---- */

static void end_link(struct run *run, const struct element *element)
{
	const GString *out = run->layout.out;

	if (element->url == NULL || out->len <= element->start)
		return;
	const char *text = out->str + element->start;
	text += strspn(text, " \t\n>");
	if (*text == '\0' || html_link_is_said(text, element->url))
		return;
	g_autofree char *shown = g_strdup_printf(" <%s>", element->url);
	html_layout_attach(&run->layout, shown);
}

/* ---- elements ---- */

static int compare_tag(const void *name, const void *tag)
{
	return strcmp(name, ((const struct tag *)tag)->name);
}

static enum role role_of(const char *name)
{
	const struct tag *tag =
		bsearch(name, tags, G_N_ELEMENTS(tags), sizeof(tags[0]), compare_tag);

	return tag != NULL ? tag->role : ROLE_INLINE;
}

/* The innermost open list; NULL if there is none. */
static struct element *open_list(struct run *run)
{
	if (run->lists == 0)
		return NULL;
	for (guint i = run->elements->len; i > 0; i--) {
		struct element *element = &g_array_index(run->elements, struct element, i - 1);

		if (element->role == ROLE_BULLETS || element->role == ROLE_NUMBERS)
			return element;
		/* One item deep is the rule; a search through 100,000 elements for each item is
		 * not. */
		if (run->elements->len - i > HTML_MARKER_MAX)
			return NULL;
	}
	return NULL;
}

static void begin_item(struct run *run, const xmlChar **attributes)
{
	struct element *list = open_list(run);

	html_layout_block(&run->layout, 1);
	if (list == NULL || list->role == ROLE_BULLETS) {
		html_layout_marker(&run->layout, "- ");
		return;
	}
	char marker[HTML_MARKER_MAX];
	int number = number_of(attribute(attributes, "value"), list->number);

	list->number = number + 1;
	g_snprintf(marker, sizeof(marker), "%d. ", number);
	html_layout_marker(&run->layout, marker);
}

static void begin_list(struct run *run, struct element *element, const xmlChar **attributes)
{
	html_layout_block(&run->layout, run->lists == 0 ? 2 : 1);
	element->number = number_of(attribute(attributes, "start"), 1);
	run->lists++;
	run->layout.indents++;
}

static void end_list(struct run *run)
{
	run->lists--;
	run->layout.indents--;
	html_layout_marker(&run->layout, "");
	html_layout_block(&run->layout, run->lists == 0 ? 2 : 1);
}

static void begin_shown(struct run *run, struct element *element, const xmlChar **attributes)
{
	struct html_layout *layout = &run->layout;
	const char *alt;

	switch (element->role) {
	case ROLE_BLOCK:
		html_layout_block(layout, 1);
		break;
	case ROLE_PARAGRAPH:
	case ROLE_PRE:
		html_layout_block(layout, 2);
		break;
	case ROLE_BREAK:
		html_layout_break(layout);
		break;
	case ROLE_RULE:
		html_layout_block(layout, 1);
		html_layout_text(layout, "----------", strlen("----------"));
		html_layout_block(layout, 1);
		break;
	case ROLE_IMAGE:
		alt = attribute(attributes, "alt");
		if (alt != NULL)
			html_layout_text(layout, alt, strlen(alt));
		break;
	case ROLE_LINK:
		element->start = layout->out->len;
		element->url = html_link_shown(attribute(attributes, "href"));
		break;
	case ROLE_QUOTE:
		html_layout_block(layout, 2);
		html_layout_quote(layout, true);
		break;
	case ROLE_BULLETS:
	case ROLE_NUMBERS:
		begin_list(run, element, attributes);
		break;
	case ROLE_ITEM:
		begin_item(run, attributes);
		break;
	case ROLE_CELL:
		html_layout_cell(layout);
		break;
	case ROLE_INLINE:
	case ROLE_SKIP:
		break;
	}
}

static void end_shown(struct run *run, const struct element *element)
{
	struct html_layout *layout = &run->layout;

	switch (element->role) {
	case ROLE_BLOCK:
		html_layout_block(layout, 1);
		break;
	case ROLE_PARAGRAPH:
	case ROLE_PRE:
		html_layout_block(layout, 2);
		break;
	case ROLE_LINK:
		end_link(run, element);
		break;
	case ROLE_QUOTE:
		html_layout_block(layout, 2);
		html_layout_quote(layout, false);
		break;
	case ROLE_BULLETS:
	case ROLE_NUMBERS:
		end_list(run);
		break;
	case ROLE_ITEM:
		html_layout_marker(layout, "");
		html_layout_block(layout, 1);
		break;
	default:
		break;
	}
}

static void begin_mark(struct run *run, struct element *element, const xmlChar *name,
		       const xmlChar **attributes)
{
	struct html_mark mark = {.offset = run->layout.out->len};

	if (run->marks == NULL || run->marks->len >= MARKS_MAX)
		return;
	html_mark_find((const char *)name, (const char *const *)attributes, &mark);
	if (mark.kind != HTML_MARK_NONE)
		g_array_append_val(run->marks, mark);
	element->marked = mark.kind == HTML_MARK_CONTAINER || mark.kind == HTML_MARK_SIGNATURE;
}

static void end_mark(struct run *run)
{
	const struct html_mark mark = {run->layout.out->len, HTML_MARK_END, ""};

	g_array_append_val(run->marks, mark);
}

static void start_element(void *context, const xmlChar *name, const xmlChar **attributes)
{
	struct run *run = context;
	struct element element = {.role = role_of((const char *)name)};
	g_autofree char *style = squeeze_style(attribute(attributes, "style"));

	if (element.role == ROLE_QUOTE && is_indent(attributes, style))
		element.role = ROLE_PARAGRAPH;
	element.hidden = element.role == ROLE_SKIP || attribute(attributes, "hidden") != NULL ||
			 has_style(style, "display:none") || has_style(style, "visibility:hidden");
	element.pre = element.role == ROLE_PRE || has_style(style, "white-space:pre");
	run->hidden += element.hidden;
	run->newline_due = element.role == ROLE_PRE;
	if (run->hidden == 0) {
		begin_mark(run, &element, name, attributes);
		begin_shown(run, &element, attributes);
		run->layout.pre += element.pre;
	}
	g_array_append_val(run->elements, element);
}

static void end_element(void *context, const xmlChar *name)
{
	struct run *run = context;

	(void)name;
	if (run->elements->len == 0)
		return;
	struct element element =
		g_array_index(run->elements, struct element, run->elements->len - 1);
	g_array_set_size(run->elements, run->elements->len - 1);
	if (run->hidden == 0) {
		run->layout.pre -= element.pre;
		end_shown(run, &element);
	}
	if (element.marked)
		end_mark(run);
	run->hidden -= element.hidden;
	g_free(element.url);
}

static void characters(void *context, const xmlChar *text, int size)
{
	struct run *run = context;
	const char *start = (const char *)text;

	if (run->hidden > 0 || size <= 0)
		return;
	if (run->newline_due && *start == '\n') {
		start++;
		size--;
	}
	run->newline_due = false;
	html_layout_text(&run->layout, start, (size_t)size);
	if (run->layout.full)
		libxml2.stop(run->parser);
}

static void count_error(void *context, xmlErrorPtr error)
{
	struct run *run = context;

	(void)error;
	libxml2.budget -= ERROR_COST + run->parser->nameNr;
	if (libxml2.budget < 0)
		libxml2.stop(run->parser);
}

static gint64 cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* The input just ends when time is up: the parser must not be stopped while it reads. */
static int read_input(void *context, char *buffer, int size)
{
	struct run *run = context;

	if (size <= 0 || run->input_left == 0)
		return 0;
	run->late = run->late || cpu_now() > run->cpu_end;
	if (run->late)
		return 0;
	size_t some = MIN((size_t)size, run->input_left);
	memcpy(buffer, run->input, some);
	run->input += some;
	run->input_left -= some;
	return (int)some;
}

static int close_input(void *context)
{
	(void)context;
	return 0;
}

/* False if memory ran out. */
static bool open_input(struct run *run)
{
	xmlParserInputBufferPtr buffer =
		libxml2.buffer(read_input, close_input, run, XML_CHAR_ENCODING_NONE);
	if (buffer == NULL)
		return false;
	xmlParserInputPtr stream = libxml2.stream(run->parser, buffer, XML_CHAR_ENCODING_NONE);
	return stream != NULL && libxml2.push(run->parser, stream) >= 0;
}

static void parse(struct run *run)
{
	gint64 start = cpu_now();

	run->cpu_end = start + libxml2.cpu_left;
	*run->parser->sax = (xmlSAXHandler){
		.startElement = start_element,
		.endElement = end_element,
		.characters = characters,
		.ignorableWhitespace = characters,
		.serror = count_error,
		.initialized = XML_SAX2_MAGIC,
	};
	run->parser->userData = run;
	libxml2.options(run->parser, HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
	/* What the input is already: no conversion, whatever a <meta> says. */
	run->parser->charset = XML_CHAR_ENCODING_UTF8;
	libxml2.parse(run->parser);
	libxml2.cpu_left -= cpu_now() - start;
}

char *html_to_marked_text(const char *html, size_t size, size_t limit, bool *cut, GArray *marks)
{
	struct run run = {.marks = marks};

	*cut = false;
	if (libxml2.handle == NULL)
		return NULL;
	if (size == 0)
		return g_strdup("");
	g_autoptr(GString) clean = html_clean(html, size);
	run.input = clean->str;
	run.input_left = clean->len;
	run.parser = libxml2.create();
	if (run.parser == NULL)
		return NULL;
	html_layout_init(&run.layout, limit);
	run.elements = g_array_new(FALSE, FALSE, sizeof(struct element));
	if (open_input(&run))
		parse(&run);
	libxml2.free(run.parser);
	for (guint i = 0; i < run.elements->len; i++)
		g_free(g_array_index(run.elements, struct element, i).url);
	g_array_free(run.elements, TRUE);
	*cut = run.layout.full || run.late || libxml2.budget < 0;
	return html_layout_finish(&run.layout);
}

char *html_to_text(const char *html, size_t size, size_t limit, bool *cut)
{
	return html_to_marked_text(html, size, limit, cut, NULL);
}
