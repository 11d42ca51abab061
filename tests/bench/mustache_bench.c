/*
 * How long the template engine takes: mustache_bench TEMPLATE MODEL
 *
 * Prints the nanoseconds of one rendering, compiled, in the best of many rounds, and then what it
 * renders.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/wire.h"
#include "mailout/model.h"
#include "mailout/mustache.h"

enum { ROUNDS = 200, ROUND_NS = 5 * 1000 * 1000, NS_PER_S = 1000 * 1000 * 1000 };

static const struct mustache_options options = {
	.escape_html = true,
	.strict = true,
	.output_max = 1 << 20,
	.depth_max = 50,
	.partials_max = 100,
};

static struct reason reason;

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void render(const struct mustache *template, const struct model *model, GString *out)
{
	g_string_truncate(out, 0);
	if (mustache_render(template, model, &options, out, &reason) != OUTCOME_OK) {
		fprintf(stderr, "mustache_bench: %s\n", reason.text);
		exit(EXIT_FAILURE);
	}
}

/* How many renderings take about ROUND_NS. */
static unsigned int calibrate(const struct mustache *template, const struct model *model,
			      GString *out)
{
	long long begun = now_ns();
	unsigned int count = 0;

	for (; now_ns() - begun < ROUND_NS; count++)
		render(template, model, out);
	return count;
}

static double best(const struct mustache *template, const struct model *model, GString *out)
{
	unsigned int count = calibrate(template, model, out);
	double least = ROUND_NS;

	for (int round = 0; round < ROUNDS; round++) {
		long long begun = now_ns();

		for (unsigned int i = 0; i < count; i++)
			render(template, model, out);
		least = MIN(least, (double)(now_ns() - begun) / count);
	}
	return least;
}

static char *read_file(const char *name, size_t *size)
{
	g_autoptr(GError) error = NULL;
	char *text = NULL;

	if (g_file_get_contents(name, &text, size, &error))
		return text;
	fprintf(stderr, "mustache_bench: %s\n", error->message);
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	size_t template_size;
	size_t model_size;

	if (argc != 3) {
		fputs("usage: mustache_bench TEMPLATE MODEL\n", stderr);
		return EXIT_FAILURE;
	}
	g_autofree char *template_text = read_file(argv[1], &template_size);
	g_autofree char *model_text = read_file(argv[2], &model_size);
	struct wire *json = wire_parse(model_text, model_size, &reason);
	struct mustache *template = mustache_new(argv[1], template_text, template_size, &reason);

	if (json == NULL || template == NULL) {
		fprintf(stderr, "mustache_bench: %s\n", reason.text);
		return EXIT_FAILURE;
	}
	struct model *model = model_new(json);
	g_autoptr(GString) out = g_string_new(NULL);

	printf("%.0f\n", best(template, model, out));
	fwrite(out->str, 1, out->len, stdout);
	model_free(&model);
	mustache_free(&template);
	wire_free(&json);
	return EXIT_SUCCESS;
}
