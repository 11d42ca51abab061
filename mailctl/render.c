/*
 * mailctl render: the template engine by itself, one file and one model to standard output.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "mailctl/mailctl.h"
#include "mailout/model.h"
#include "mailout/mustache.h"

/* Against endless recursion; nobody's mail is that large. */
enum { OUTPUT_MAX = 64 * 1024 * 1024, DEPTH_MAX = 200, PARTIALS_MAX = 100000 };

const char render_options[] = "\n"
			      "  usage: mailctl render [OPTION ...] TEMPLATE MODEL.json\n"
			      "\n"
			      "  --partials DIR    where {{>NAME}} finds NAME.mustache\n"
			      "  --text            {{name}} is not escaped for HTML\n"
			      "  --strict          a name that the model lacks is an error\n";

struct rendering {
	const char *partials; /* NULL: there are none */
	GHashTable *known;    /* name -> struct mustache, or NULL */
	struct reason broken; /* of a partial; "" for none */
};

static struct mustache *read_template(const char *file, struct reason *reason)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	size_t size;

	if (!g_file_get_contents(file, &text, &size, &error)) {
		outcome_retry(reason, "4.3.5", "%s", error->message);
		return NULL;
	}
	return mustache_new(file, text, size, reason);
}

static const struct mustache *find_partial(const char *name, void *context)
{
	struct rendering *rendering = context;
	void *known;

	if (g_hash_table_lookup_extended(rendering->known, name, NULL, &known))
		return known;
	struct mustache *partial = NULL;

	if (rendering->partials != NULL && strchr(name, '/') == NULL && name[0] != '.') {
		g_autofree char *file =
			g_strdup_printf("%s/%s.mustache", rendering->partials, name);

		if (g_file_test(file, G_FILE_TEST_EXISTS))
			partial = read_template(file, &rendering->broken);
	}
	g_hash_table_insert(rendering->known, g_strdup(name), partial);
	return partial;
}

static void free_template(void *data)
{
	struct mustache *template = data;

	mustache_free(&template);
}

static struct model *read_model(const char *file, struct reason *reason)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	size_t size;

	if (!g_file_get_contents(file, &text, &size, &error)) {
		outcome_retry(reason, "4.3.5", "%s", error->message);
		return NULL;
	}
	struct wire *json = wire_parse(text, size, reason);

	if (json == NULL) {
		reason_prefix(reason, file);
		return NULL;
	}
	struct model *model = model_new(json);

	wire_free(&json);
	return model;
}

static int print(const GString *out)
{
	if (fwrite(out->str, 1, out->len, stdout) == out->len && fflush(stdout) == 0)
		return EXIT_FINE;
	perror("mailctl: standard output");
	return EXIT_WRONG;
}

static int render(const char *template_file, const char *model_file,
		  struct mustache_options *options, struct rendering *rendering)
{
	struct reason reason = {.text = ""};
	GString *out = g_string_new(NULL);
	struct mustache *template = read_template(template_file, &reason);
	struct model *model = template != NULL ? read_model(model_file, &reason) : NULL;
	enum outcome outcome = OUTCOME_RETRY;

	if (model != NULL)
		outcome = mustache_render(template, model, options, out, &reason);
	if (*rendering->broken.text != '\0') {
		reason = rendering->broken;
		outcome = OUTCOME_RETRY;
	}
	if (outcome != OUTCOME_OK)
		fprintf(stderr, "mailctl: %s\n", reason.text);
	int status = outcome == OUTCOME_OK ? print(out) : EXIT_WRONG;

	model_free(&model);
	mustache_free(&template);
	g_string_free(out, TRUE);
	return status;
}

int command_render(int argc, char **argv, const char *config_file)
{
	enum { PARTIALS = 1, TEXT, STRICT };
	static const struct option long_options[] = {
		{"partials", required_argument, NULL, PARTIALS},
		{"text", no_argument, NULL, TEXT},
		{"strict", no_argument, NULL, STRICT},
		{NULL, 0, NULL, 0},
	};
	struct rendering rendering = {.broken = {.text = ""}};
	struct mustache_options options = {.escape_html = true,
					   .partial = find_partial,
					   .context = &rendering,
					   .output_max = OUTPUT_MAX,
					   .depth_max = DEPTH_MAX,
					   .partials_max = PARTIALS_MAX};
	int option;

	(void)config_file;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case PARTIALS:
			rendering.partials = optarg;
			break;
		case TEXT:
			options.escape_html = false;
			break;
		case STRICT:
			options.strict = true;
			break;
		default:
			return mailctl_usage("render");
		}
	}
	if (argc - optind != 2) {
		fputs("mailctl: render takes a template and a model\n", stderr);
		return mailctl_usage("render");
	}
	rendering.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_template);
	int status = render(argv[optind], argv[optind + 1], &options, &rendering);

	g_hash_table_destroy(rendering.known);
	return status;
}
