#include "mailctl/progress.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "common/deadline.h"
#include "mailctl/table.h"

enum {
	REDRAW_MS = 100,
	MS_PER_S = 1000,
	BAR_MIN = 10,
	BAR_MAX = 40,
	PERCENT = 100,
	THOUSAND = 1000,
	EDGES = 4, /* "[", "]" and the blanks before the bar */
};

/* The rate is that of the last seconds: older ones count for less and less. */
static const double RATE_MEMORY_MS = 5000;
static const double RATE_WHOLE_FROM = 10; /* below it shows one decimal */

struct progress {
	char *what;
	struct terminal terminal;
	int64_t done;
	int64_t total;
	int64_t drawn_ms;   /* when; the first: when it began */
	int64_t drawn_done; /* `done` at that time */
	double rate;        /* < 0: not known */
	bool visible;
};

/* "36,021" */
static char *grouped(int64_t number)
{
	GString *text = g_string_new(NULL);

	for (; number >= THOUSAND; number /= THOUSAND) {
		g_autofree char *group = g_strdup_printf(",%03d", (int)(number % THOUSAND));

		g_string_prepend(text, group);
	}
	g_autofree char *first = g_strdup_printf("%d", (int)number);

	g_string_prepend(text, first);
	return g_string_free(text, FALSE);
}

static void append_bar(GString *line, double part, size_t width)
{
	size_t full = (size_t)(part * (double)width);

	g_string_append(line, "  [");
	for (size_t i = 0; i < width; i++)
		g_string_append_c(line, i < full ? '#' : '-');
	g_string_append_c(line, ']');
}

static char *numbers(int64_t done, int64_t total, double rate)
{
	GString *text = g_string_new(NULL);
	g_autofree char *did = grouped(done);

	if (total > 0) {
		g_autofree char *all = grouped(total);

		g_string_append_printf(text, "  %3d%%  %s of %s",
				       (int)(PERCENT * ((double)done / (double)total)), did, all);
	} else {
		g_string_append_printf(text, "  %s", did);
	}
	if (rate >= RATE_WHOLE_FROM) {
		g_autofree char *whole = grouped((int64_t)rate);

		g_string_append_printf(text, "  %s/s", whole);
	} else if (rate >= 0) {
		g_string_append_printf(text, "  %.1f/s", rate);
	}
	if (rate > 0 && total > done) {
		int64_t left_s = (int64_t)((double)(total - done) / rate) + 1;
		g_autofree char *left = table_age(left_s * MS_PER_S);

		g_string_append_printf(text, "  %s left", left);
	}
	return g_string_free(text, FALSE);
}

char *progress_line(const char *what, int64_t done, int64_t total, double rate, size_t width)
{
	total = total > 0 ? MAX(total, done) : 0;
	GString *line = g_string_new(what);
	g_autofree char *rest = numbers(done, total, rate);
	size_t used = line->len + strlen(rest) + EDGES;

	if (total > 0 && used + BAR_MIN <= width)
		append_bar(line, (double)done / (double)total, MIN(width - used, BAR_MAX));
	g_string_append(line, rest);
	if (line->len > width)
		g_string_truncate(line, width);
	return g_string_free(line, FALSE);
}

struct progress *progress_new(const char *what, int64_t total)
{
	struct progress *progress = g_new0(struct progress, 1);

	progress->what = g_strdup(what);
	progress->terminal = terminal_of(stderr);
	progress->total = total;
	progress->drawn_ms = monotonic_ms();
	progress->rate = -1;
	return progress;
}

static void draw(struct progress *progress, int64_t now_ms)
{
	double passed = (double)(now_ms - progress->drawn_ms);
	double rate = (double)(progress->done - progress->drawn_done) * MS_PER_S / passed;
	double weight = passed / (passed + RATE_MEMORY_MS);

	progress->rate =
		progress->rate < 0 ? rate : progress->rate + weight * (rate - progress->rate);
	progress->drawn_ms = now_ms;
	progress->drawn_done = progress->done;
	g_autofree char *line = progress_line(progress->what, progress->done, progress->total,
					      progress->rate, progress->terminal.width - 1);

	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	progress->visible = true;
}

void progress_set(struct progress *progress, int64_t done)
{
	progress->done = done;
	if (!progress->terminal.is_terminal)
		return;
	int64_t now_ms = monotonic_ms();

	if (now_ms - progress->drawn_ms >= REDRAW_MS)
		draw(progress, now_ms);
}

void progress_add(struct progress *progress, int64_t more)
{
	progress_set(progress, progress->done + more);
}

void progress_total(struct progress *progress, int64_t total)
{
	progress->total = total;
}

void progress_hide(struct progress *progress)
{
	if (progress->visible)
		fputs("\r\033[K", stderr);
	progress->visible = false;
}

void progress_end(struct progress **progress)
{
	struct progress *old = *progress;

	if (old == NULL)
		return;
	progress_hide(old);
	g_free(old->what);
	g_free(old);
	*progress = NULL;
}
