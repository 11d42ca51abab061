#include "mailctl/logread.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "common/deadline.h"

enum { BLOCK = 128 * 1024, MS_PER_S = 1000, NOT_STARTED = 127 };

struct file {
	char *name;
	int64_t written_ms;
};

static void free_file(void *item)
{
	struct file *file = item;

	g_free(file->name);
	g_free(file);
}

/* ---- lines ---- */

/* A line that comes in pieces. */
struct line {
	char text[LOGREAD_LINE_MAX + 1];
	size_t size;
};

static void add(struct line *line, const char *piece, size_t size)
{
	size_t taken = MIN(size, LOGREAD_LINE_MAX - line->size);

	memcpy(line->text + line->size, piece, taken);
	line->size += taken;
}

static void finish(struct logread *read, struct line *line, int64_t reference_ms)
{
	for (char *nul = memchr(line->text, '\0', line->size); nul != NULL;
	     nul = memchr(nul, '\0', line->size - (size_t)(nul - line->text)))
		*nul = '?';
	line->text[line->size] = '\0';
	read->lines++;
	read->line(line->text, reference_ms, read->context);
	line->size = 0;
}

static void take_block(struct logread *read, struct line *line, const char *block, size_t size,
		       int64_t reference_ms)
{
	while (size > 0) {
		const char *end = memchr(block, '\n', size);
		size_t length = end != NULL ? (size_t)(end - block) : size;

		add(line, block, length);
		if (end == NULL)
			return;
		finish(read, line, reference_ms);
		block += length + 1;
		size -= length + 1;
	}
}

/* zlib reads what is not compressed as it is.  Takes fd. */
static void read_descriptor(struct logread *read, int fd, const char *name, int64_t reference_ms)
{
	gzFile file = gzdopen(fd, "rb");
	int got;
	int error;

	if (file == NULL) {
		close(fd);
		read->gap(name, "out of memory", read->context);
		return;
	}
	g_autofree struct line *line = g_new0(struct line, 1);
	g_autofree char *block = g_malloc(BLOCK);

	while ((got = gzread(file, block, BLOCK)) > 0)
		take_block(read, line, block, (size_t)got, reference_ms);
	if (line->size > 0)
		finish(read, line, reference_ms);
	const char *text = gzerror(file, &error);

	/* Z_BUF_ERROR: a compressed file that ends early, as one that is being written does. */
	if (got < 0 || error == Z_BUF_ERROR)
		read->gap(name, error == Z_ERRNO ? g_strerror(errno) : text, read->context);
	else
		read->sources++;
	gzclose(file);
}

/* ---- files ---- */

static int compare_files(const void *a, const void *b)
{
	const struct file *x = *(const struct file *const *)a;
	const struct file *y = *(const struct file *const *)b;

	if (x->written_ms != y->written_ms)
		return x->written_ms < y->written_ms ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void add_file(GPtrArray *files, GHashTable *seen, const char *name,
		     const struct logread *read)
{
	struct stat stat_;
	struct file *file;

	if (stat(name, &stat_) != 0) {
		read->gap(name, g_strerror(errno), read->context);
		return;
	}
	/* A pattern may name folders, too; and a link names a file that has come already. */
	g_autofree char *key =
		g_strdup_printf("%ju:%ju", (uintmax_t)stat_.st_dev, (uintmax_t)stat_.st_ino);
	int64_t written_ms = (int64_t)stat_.st_mtime * MS_PER_S;

	if (!S_ISREG(stat_.st_mode) || written_ms < read->since_ms ||
	    !g_hash_table_add(seen, g_steal_pointer(&key)))
		return;
	file = g_new(struct file, 1);
	*file = (struct file){g_strdup(name), written_ms};
	g_ptr_array_add(files, file);
}

/* False: no file has such a name. */
static bool add_pattern(GPtrArray *files, GHashTable *seen, const char *pattern,
			const struct logread *read)
{
	glob_t found = {0};
	bool any = glob(pattern, 0, NULL, &found) == 0;

	for (size_t i = 0; any && i < found.gl_pathc; i++)
		add_file(files, seen, found.gl_pathv[i], read);
	globfree(&found);
	return any;
}

static bool is_foreign(const char *name)
{
	static const char *const suffixes[] = {".xz", ".bz2", ".zst", ".lz4", ".Z", NULL};

	for (const char *const *suffix = suffixes; *suffix != NULL; suffix++)
		if (g_str_has_suffix(name, *suffix))
			return true;
	return false;
}

static void read_file(struct logread *read, const struct file *file)
{
	if (is_foreign(file->name)) {
		read->gap(file->name, "compressed, but not by gzip", read->context);
		return;
	}
	/* Not to wait for a writer, should it be a FIFO by now. */
	int fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		read->gap(file->name, g_strerror(errno), read->context);
	else
		read_descriptor(read, fd, file->name, file->written_ms);
}

/* ---- the journal ---- */

static void become_journalctl(int output, const char *since)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0 &&
	    dup2(output, STDOUT_FILENO) >= 0)
		execlp("journalctl", "journalctl", "--quiet", "--no-pager", "--output",
		       "short-iso-precise", "--since", since, "SYSLOG_FACILITY=2", "+",
		       "SYSLOG_IDENTIFIER=mailin-ingest", "+", "SYSLOG_IDENTIFIER=mailout", NULL);
	_exit(NOT_STARTED);
}

/* What mail (facility 2) and our services wrote.  An exit status, -1 without fork(2). */
static int run_journalctl(struct logread *read)
{
	g_autofree char *since =
		g_strdup_printf("@%" G_GINT64_FORMAT, (gint64)MAX(read->since_ms, 0) / MS_PER_S);
	int pipe_[2];
	int status;

	if (pipe2(pipe_, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();

	if (pid == 0)
		become_journalctl(pipe_[1], since);
	close(pipe_[1]);
	if (pid < 0) {
		close(pipe_[0]);
		return -1;
	}
	int64_t sources = read->sources;

	read_descriptor(read, pipe_[0], LOGREAD_JOURNAL, realtime_ms());
	read->sources = sources;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void logread_all(struct logread *read)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(free_file);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *missing = NULL;
	bool journal = false;

	for (char **pattern = read->patterns; *pattern != NULL; pattern++) {
		if (strcmp(*pattern, LOGREAD_JOURNAL) == 0)
			journal = true;
		else if (!add_pattern(files, seen, *pattern, read))
			missing = *pattern;
	}
	g_ptr_array_sort(files, compare_files);
	for (size_t i = 0; i < files->len; i++)
		read_file(read, files->pdata[i]);
	if (journal) {
		if (run_journalctl(read) == 0)
			read->sources++;
		else if (read->sources == 0)
			read->gap(LOGREAD_JOURNAL, "journalctl shows nothing", read->context);
	}
	if (missing != NULL && read->sources == 0)
		read->gap(missing, "there is no such file", read->context);
}
