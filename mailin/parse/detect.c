#include "mailin/parse/detect.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <magic.h>

#define UNKNOWN_TYPE "application/octet-stream"

/* Nothing that starts a decompressor or reads notes of programs. */
static const int magic_flags =
	MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TOKENS;

/* What a stranger may make libmagic do, far below its defaults. */
static const struct {
	int parameter;
	size_t value;
} magic_limits[] = {
	{MAGIC_PARAM_INDIR_MAX, 15},       /* recursion by indirect entries */
	{MAGIC_PARAM_NAME_MAX, 50},        /* uses of named entries */
	{MAGIC_PARAM_REGEX_MAX, 4096},     /* bytes that a regular expression sees */
	{MAGIC_PARAM_ENCODING_MAX, 16384}, /* bytes to tell a text's encoding by */
	{MAGIC_PARAM_BYTES_MAX,
	 4194304}, /* bytes to look at; Office's old files have their index anywhere */
};

/* Process-wide, as the sandbox is: the database's bytes, and libmagic's handle from the first use
 * on. */
static struct {
	void *map;
	size_t size;
	magic_t cookie;
	bool loaded; /* tried, at least */
} database;

static bool map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		/* Writable, because libmagic swaps a database of the other byte order in place. */
		void *map =
			mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

		if (map != MAP_FAILED) {
			database.map = map;
			database.size = (size_t)st.st_size;
		}
	}
	close(fd);
	return database.map != NULL;
}

/* As libmagic does: the first of a list of paths that has a compiled form. */
void detect_init(void)
{
	const char *list = magic_getpath(NULL, 0);

	if (database.map != NULL || list == NULL)
		return;
	g_auto(GStrv) paths = g_strsplit(list, ":", -1);
	for (size_t i = 0; paths[i] != NULL; i++) {
		g_autofree char *compiled = g_str_has_suffix(paths[i], ".mgc")
						    ? g_strdup(paths[i])
						    : g_strconcat(paths[i], ".mgc", NULL);
		if (map_file(compiled))
			return;
	}
}

void detect_deinit(void)
{
	if (database.cookie != NULL)
		magic_close(database.cookie);
	if (database.map != NULL)
		munmap(database.map, database.size);
	memset(&database, 0, sizeof(database));
}

static void load(void)
{
	database.loaded = true;
	if (database.map == NULL)
		return;
	magic_t cookie = magic_open(magic_flags);
	if (cookie == NULL)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(magic_limits); i++)
		(void)magic_setparam(cookie, magic_limits[i].parameter, &magic_limits[i].value);
	if (magic_load_buffers(cookie, &database.map, &database.size, 1) == 0)
		database.cookie = cookie;
	else
		magic_close(cookie);
}

const char *detect_type(const void *data, size_t size)
{
	if (!database.loaded)
		load();
	if (database.cookie == NULL || size == 0)
		return UNKNOWN_TYPE;
	const char *type = magic_buffer(database.cookie, data, size);
	/* Errors come as text, too: "cannot ..." is no media type. */
	if (type == NULL || strchr(type, '/') == NULL || strpbrk(type, " \t\r\n") != NULL)
		return UNKNOWN_TYPE;
	return type;
}
