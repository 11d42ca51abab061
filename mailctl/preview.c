/*
 * mailctl preview: all templates in all locales as one web page, and what is odd about them.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "mailctl/mailctl.h"
#include "mailctl/preview_page.h"
#include "mailout/prepare.h"
#include "mailout/template_set.h"

/* A subject is cut by mail clients somewhere behind that. */
enum { SUBJECT_MAX = 70, FOLDER_MODE = 0755 };

const char preview_options[] = "\n"
			       "  usage: mailctl preview [OPTION ...] -o DIR [NAME]\n"
			       "\n"
			       "  -o, --output DIR     write DIR/index.html\n"
			       "  --locale LOCALE      only that one\n"
			       "  --model FILE         JSON instead of the sample of NAME\n"
			       "  --templates DIR      instead of the config's folders; may be "
			       "repeated, no config is read\n";

struct preview {
	const char *output;
	const char *name;   /* NULL: all */
	const char *locale; /* NULL: all */
	struct wire *model; /* NULL: the samples */
	struct template_set *set;
	GPtrArray *locales; /* of all templates, without the default */
	struct preview_page *page;
	bool failed;
};

static void complain(const char *text, void *context)
{
	(void)context;
	fprintf(stderr, "mailctl: %s\n", text);
}

__attribute__((format(printf, 2, 3))) static void add_problem(GPtrArray *problems,
							      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(problems, g_strdup_vprintf(format, args));
	va_end(args);
}

/* Does the template have something for the locale? */
static bool speaks(char **locales, const char *locale)
{
	size_t length;

	for (char **own = locales; *own != NULL; own++) {
		length = strlen(*own);
		if (length > 0 && g_ascii_strncasecmp(*own, locale, length) == 0 &&
		    (locale[length] == '\0' || locale[length] == '-' || locale[length] == '_'))
			return true;
	}
	return false;
}

static void check_locales(const struct preview *preview, const char *name, const char *locale,
			  GPtrArray *problems)
{
	g_auto(GStrv) own = template_set_locales(preview->set, name);
	g_auto(GStrv) files = template_set_untranslated(preview->set, name, locale);

	if (*locale != '\0' && !speaks(own, locale)) {
		add_problem(problems, "There is no %s: this is the default.", locale);
		return;
	}
	for (char **file = files; *file != NULL; file++)
		add_problem(problems, "%s is missing for %s: the default's is sent.", *file,
			    locale);
	for (guint i = 0; *locale == '\0' && i < preview->locales->len; i++) {
		const char *other = preview->locales->pdata[i];

		if (!speaks(own, other))
			add_problem(problems, "There is no %s: its recipients get this one.",
				    other);
	}
}

static void check_rendered(const struct rendered *rendered, GPtrArray *problems)
{
	long length = g_utf8_strlen(rendered->subject, -1);

	if (length > SUBJECT_MAX)
		add_problem(problems,
			    "The subject has %ld characters; mail clients show %d at most.", length,
			    SUBJECT_MAX);
	if (rendered->text_cut)
		add_problem(problems,
			    "The text is longer than MaxLength allows, and so its end is cut off.");
}

static void check_names(const struct preview *preview, const char *name, const struct wire *model,
			GPtrArray *problems)
{
	g_auto(GStrv) names = template_set_undeclared(preview->set, name, model);

	for (char **unknown = names; *unknown != NULL; unknown++)
		add_problem(problems, "%s is no parameter in template.json.", *unknown);
}

static void add_mail(struct preview *preview, const char *name, const char *locale)
{
	struct preview_mail mail = {.locale = locale,
				    .problems = g_ptr_array_new_with_free_func(g_free)};
	struct rendered rendered = {0};
	struct reason reason = {.text = ""};

	mail.model = preview->model;
	if (mail.model == NULL)
		mail.model = template_set_sample(preview->set, name, locale, &reason);
	if (mail.model != NULL && template_set_render(preview->set, name, locale, mail.model,
						      &rendered, &reason) == OUTCOME_OK) {
		mail.rendered = &rendered;
		check_rendered(&rendered, mail.problems);
		check_locales(preview, name, locale, mail.problems);
	} else {
		preview->failed = true;
		add_problem(mail.problems, "%s", reason.text);
	}
	if (mail.model != NULL)
		check_names(preview, name, mail.model, mail.problems);
	for (guint i = 0; i < mail.problems->len; i++)
		printf("%s%s%s: %s\n", name, *locale != '\0' ? "/" : "", locale,
		       (const char *)mail.problems->pdata[i]);
	preview_page_mail(preview->page, &mail);
	rendered_clear(&rendered);
	g_ptr_array_unref(mail.problems);
}

static void add_template(struct preview *preview, const char *name)
{
	g_auto(GStrv) locales = template_set_locales(preview->set, name);

	preview_page_template(preview->page, name,
			      template_set_description(preview->set, name, NULL));
	if (preview->locale != NULL) {
		add_mail(preview, name, preview->locale);
		return;
	}
	for (char **locale = locales; *locale != NULL; locale++)
		add_mail(preview, name, *locale);
}

static void collect_locales(struct preview *preview, char **names)
{
	for (char **name = names; *name != NULL; name++) {
		g_auto(GStrv) locales = template_set_locales(preview->set, *name);

		for (char **locale = locales; *locale != NULL; locale++) {
			if (**locale == '\0' ||
			    g_ptr_array_find_with_equal_func(preview->locales, *locale, g_str_equal,
							     NULL))
				continue;
			g_ptr_array_add(preview->locales, g_strdup(*locale));
		}
	}
}

static int write_page(struct preview *preview)
{
	g_autofree char *html = preview_page_end(&preview->page);
	g_autofree char *file = g_build_filename(preview->output, "index.html", NULL);
	g_autoptr(GError) error = NULL;

	if (g_mkdir_with_parents(preview->output, FOLDER_MODE) != 0) {
		fprintf(stderr, "mailctl: %s: %s\n", preview->output, g_strerror(errno));
		return EXIT_WRONG;
	}
	if (!g_file_set_contents(file, html, -1, &error)) {
		fprintf(stderr, "mailctl: %s\n", error->message);
		return EXIT_WRONG;
	}
	printf("%s\n", file);
	return preview->failed ? EXIT_WRONG : EXIT_FINE;
}

static int preview_all(struct preview *preview)
{
	g_auto(GStrv) names = template_set_names(preview->set);

	if (preview->name != NULL && !g_strv_contains((const char *const *)names, preview->name)) {
		fprintf(stderr, "mailctl: template %s: there is none of that name\n",
			preview->name);
		return EXIT_WRONG;
	}
	if (*names == NULL) {
		fputs("mailctl: there are no templates\n", stderr);
		return EXIT_WRONG;
	}
	preview->page = preview_page_new();
	collect_locales(preview, names);
	for (char **name = names; *name != NULL; name++)
		if (preview->name == NULL || strcmp(preview->name, *name) == 0)
			add_template(preview, *name);
	return write_page(preview);
}

static struct wire *read_model(const char *file)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	struct reason reason;
	size_t size;

	if (!g_file_get_contents(file, &text, &size, &error)) {
		fprintf(stderr, "mailctl: %s\n", error->message);
		return NULL;
	}
	struct wire *model = wire_parse(text, size, &reason);

	if (model == NULL)
		fprintf(stderr, "mailctl: %s: %s\n", file, reason.text);
	return model;
}

/* The templates of the folders given, or else of the config. */
static struct template_set *open_set(GPtrArray *folders, const char *config_file)
{
	struct config *config = folders->len > 0 ? config_default() : mailctl_config(config_file);

	if (config == NULL)
		return NULL;
	if (folders->len > 0) {
		g_strfreev(config->mailout_templates);
		g_ptr_array_add(folders, NULL);
		config->mailout_templates = g_strdupv((char **)folders->pdata);
	}
	struct template_set *set = prepare_templates(config, complain, NULL);

	config_free(&config);
	return set;
}

static int run(struct preview *preview, const char *model_file, GPtrArray *folders,
	       const char *config_file)
{
	if (model_file != NULL && (preview->model = read_model(model_file)) == NULL)
		return EXIT_WRONG;
	preview->set = open_set(folders, config_file);
	if (preview->set == NULL)
		return EXIT_BAD_CONFIG;
	return preview_all(preview);
}

static int wrong_usage(const char *what)
{
	fprintf(stderr, "mailctl: preview: %s\n", what);
	return mailctl_usage("preview");
}

int command_preview(int argc, char **argv, const char *config_file)
{
	enum { LOCALE = 1, MODEL, TEMPLATES };
	static const struct option long_options[] = {
		{"config", required_argument, NULL, 'c'},
		{"output", required_argument, NULL, 'o'},
		{"locale", required_argument, NULL, LOCALE},
		{"model", required_argument, NULL, MODEL},
		{"templates", required_argument, NULL, TEMPLATES},
		{NULL, 0, NULL, 0},
	};
	struct preview preview = {.output = NULL};
	g_autoptr(GPtrArray) folders = g_ptr_array_new();
	const char *model_file = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:o:", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config_file = optarg;
			break;
		case 'o':
			preview.output = optarg;
			break;
		case LOCALE:
			preview.locale = optarg;
			break;
		case MODEL:
			model_file = optarg;
			break;
		case TEMPLATES:
			g_ptr_array_add(folders, optarg);
			break;
		default:
			return mailctl_usage("preview");
		}
	}
	preview.name = optind < argc ? argv[optind++] : NULL;
	if (optind < argc)
		return wrong_usage("takes one template");
	if (preview.output == NULL)
		return wrong_usage("-o DIR is missing");
	if (model_file != NULL && preview.name == NULL)
		return wrong_usage("a model belongs to one template, NAME");
	preview.locales = g_ptr_array_new_with_free_func(g_free);
	int status = run(&preview, model_file, folders, config_file);

	template_set_free(&preview.set);
	wire_free(&preview.model);
	g_ptr_array_unref(preview.locales);
	return status;
}
