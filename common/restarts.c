#include "common/restarts.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/deadline.h"

#define STATUS "4.3.0" /* RFC 3463: other or undefined mail system status */

static const char PREFIX[] = "restarts.";

enum {
	LINE_MAX_BYTES = 64,
	FILE_MAX_BYTES = 2 * RESTARTS_KEPT * LINE_MAX_BYTES,
	MODE = 0644, /* times and numbers are no secret */
};

/* Keep the later half.  Lines that another supervisor of the same program appends meanwhile are
 * lost; the next ends are counted all the same. */
static void shorten(const char *file)
{
	g_autofree char *text = NULL;
	gsize size = 0;

	if (!g_file_get_contents(file, &text, &size, NULL))
		return;
	const char *half = memchr(text + size / 2, '\n', size - size / 2);

	if (half != NULL)
		g_file_set_contents_full(file, half + 1, (gssize)(text + size - (half + 1)),
					 G_FILE_SET_CONTENTS_CONSISTENT, MODE, NULL);
}

bool restarts_note(const char *state_dir, const char *program, int pid, int status)
{
	g_autofree char *file = g_strdup_printf("%s/%s%s", state_dir, PREFIX, program);
	char line[LINE_MAX_BYTES];
	int size = snprintf(line, sizeof(line), "%" PRId64 " %d %d\n", realtime_ms(), pid, status);
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, MODE);
	struct stat stat;

	if (fd < 0)
		return false;
	bool written = write(fd, line, (size_t)size) == size;
	bool large = fstat(fd, &stat) == 0 && stat.st_size > FILE_MAX_BYTES;

	close(fd);
	if (large)
		shorten(file);
	return written;
}

/* A supervisor that was killed while it wrote leaves half a line: it does not count. */
static void count_lines(const char *text, int64_t since_ms, struct restarts *to)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line != NULL; line++) {
		int64_t at_ms;
		int pid;
		int status;

		/* What is no such line is skipped.  NOLINTNEXTLINE(cert-err34-c) */
		if (sscanf(*line, "%" SCNd64 " %d %d", &at_ms, &pid, &status) != 3 ||
		    at_ms < since_ms)
			continue;
		to->count++;
		to->last_ms = at_ms;
		to->last_status = status;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct restarts *)a)->program, ((const struct restarts *)b)->program);
}

struct restarts *restarts_since(const char *state_dir, int64_t since_ms, size_t *count,
				struct reason *reason)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) dir = g_dir_open(state_dir, 0, &error);
	const char *name;

	*count = 0;
	if (dir == NULL) {
		outcome_retry(reason, STATUS, "%s", error->message);
		return NULL;
	}
	GArray *list = g_array_new(TRUE, TRUE, sizeof(struct restarts));

	while ((name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *file = g_build_filename(state_dir, name, NULL);
		g_autofree char *text = NULL;
		struct restarts found = {.program = NULL};

		if (!g_str_has_prefix(name, PREFIX))
			continue;
		if (!g_file_get_contents(file, &text, NULL, &error)) {
			outcome_retry(reason, STATUS, "%s", error->message);
			g_clear_error(&error);
			continue;
		}
		count_lines(text, since_ms, &found);
		if (found.count == 0)
			continue;
		found.program = g_strdup(name + strlen(PREFIX));
		g_array_append_val(list, found);
	}
	*count = list->len;
	qsort(list->data, list->len, sizeof(struct restarts), by_name);
	return (struct restarts *)(void *)g_array_free(list, FALSE);
}

void restarts_free(struct restarts **list, size_t count)
{
	for (size_t i = 0; *list != NULL && i < count; i++)
		g_free((*list)[i].program);
	g_clear_pointer(list, g_free);
}
