#include "mailout/template_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MUSTACHE[] = ".mustache";
static const char DESCRIPTION[] = "template.json";

enum { LANGUAGE_MIN = 2, LANGUAGE_MAX = 3, SUBTAG_MAX = 8, BOM_SIZE = 3 };

bool template_is_name(const char *name)
{
	size_t size = strlen(name);

	if (size == 0 || size > TEMPLATE_NAME_MAX || !g_ascii_isalnum(name[0]))
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!g_ascii_isalnum(*p) && *p != '_' && *p != '-')
			return false;
	return true;
}

bool template_is_locale(const char *locale)
{
	size_t language = 0;

	while (g_ascii_isalpha(locale[language]))
		language++;
	if (language < LANGUAGE_MIN || language > LANGUAGE_MAX ||
	    strlen(locale) > TEMPLATE_LOCALE_MAX)
		return false;
	for (const char *p = locale + language; *p != '\0';) {
		size_t subtag = 0;

		if (*p != '-' && *p != '_')
			return false;
		p++;
		while (g_ascii_isalnum(p[subtag]))
			subtag++;
		if (subtag == 0 || subtag > SUBTAG_MAX)
			return false;
		p += subtag;
	}
	return true;
}

char *template_locale_key(const char *locale)
{
	return g_strdelimit(g_ascii_strdown(locale, -1), "_", '-');
}

char **template_locale_chain(const char *locale)
{
	g_autoptr(GStrvBuilder) chain = g_strv_builder_new();
	g_autofree char *key = template_locale_key(locale);

	while (*key != '\0') {
		char *last = strrchr(key, '-');

		g_strv_builder_add(chain, key);
		*(last != NULL ? last : key) = '\0';
	}
	g_strv_builder_add(chain, "");
	return g_strv_builder_end(chain);
}

const char *template_image_type(const char *name)
{
	static const char *const types[][2] = {
		{".png", "image/png"}, {".jpg", "image/jpeg"},  {".jpeg", "image/jpeg"},
		{".gif", "image/gif"}, {".webp", "image/webp"},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_has_suffix(name, types[i][0]) && name[0] != '.')
			return types[i][1];
	return NULL;
}

static bool is_ours(const char *name)
{
	return name[0] != '.' &&
	       (g_str_has_suffix(name, MUSTACHE) || strcmp(name, DESCRIPTION) == 0 ||
		template_image_type(name) != NULL);
}

/* ---- what is there ---- */

struct entry {
	char *path; /* within the folder: "de/html.mustache" */
	struct stat status;
};

struct listing {
	GPtrArray *entries; /* struct entry, by path */
	GPtrArray *folders; /* names */
};

static void free_entry(void *data)
{
	struct entry *entry = data;

	g_free(entry->path);
	g_free(entry);
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp((*(struct entry *const *)a)->path, (*(struct entry *const *)b)->path);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void listing_init(struct listing *listing)
{
	listing->entries = g_ptr_array_new_with_free_func(free_entry);
	listing->folders = g_ptr_array_new_with_free_func(g_free);
}

static void listing_clear(struct listing *listing)
{
	g_ptr_array_unref(listing->entries);
	g_ptr_array_unref(listing->folders);
}

static void list_one(struct listing *listing, DIR *directory, const char *prefix, const char *name)
{
	struct stat status;

	if (name[0] == '.' || fstatat(dirfd(directory), name, &status, 0) != 0)
		return; /* gone in this moment, or an editor's dangling lock */
	if (S_ISDIR(status.st_mode) && *prefix == '\0') {
		g_ptr_array_add(listing->folders, g_strdup(name));
	} else if (S_ISREG(status.st_mode) && is_ours(name)) {
		struct entry *entry = g_new(struct entry, 1);

		*entry = (struct entry){.path = g_strconcat(prefix, name, NULL), .status = status};
		g_ptr_array_add(listing->entries, entry);
	}
}

/* Files of a folder, without those in folders within.  False with errno. */
static bool list_folder(struct listing *listing, const char *path, const char *prefix)
{
	g_autofree char *full = g_build_filename(path, prefix, NULL);
	DIR *directory = opendir(full);
	const struct dirent *entry;

	if (directory == NULL)
		return false;
	for (errno = 0; (entry = readdir(directory)) != NULL; errno = 0)
		list_one(listing, directory, prefix, entry->d_name);
	int error = errno;

	closedir(directory);
	errno = error;
	return error == 0;
}

/* Everything.  False with errno. */
static bool list_all(struct listing *listing, const char *path)
{
	if (!list_folder(listing, path, ""))
		return false;
	g_ptr_array_sort(listing->folders, compare_texts);
	for (guint i = 0; i < listing->folders->len; i++) {
		g_autofree char *prefix =
			g_strconcat(listing->folders->pdata[i], G_DIR_SEPARATOR_S, NULL);

		if (!list_folder(listing, path, prefix))
			return false;
	}
	g_ptr_array_sort(listing->entries, compare_entries);
	return true;
}

char *template_folder_signature(const char *path)
{
	GString *text = g_string_new(NULL);
	struct listing listing;

	listing_init(&listing);
	bool listed = list_all(&listing, path);
	bool absent = !listed && errno == ENOENT;

	for (guint i = 0; i < listing.folders->len; i++)
		g_string_append_printf(text, "%s/\n", (const char *)listing.folders->pdata[i]);
	for (guint i = 0; i < listing.entries->len; i++) {
		const struct entry *entry = listing.entries->pdata[i];
		const struct stat *status = &entry->status;

		g_string_append_printf(text, "%s %jd %ju %jd.%09ld %jd.%09ld\n", entry->path,
				       (intmax_t)status->st_size, (uintmax_t)status->st_ino,
				       (intmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
				       (intmax_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
	}
	listing_clear(&listing);
	return g_string_free(text, !listed && !absent);
}

/* ---- reading ---- */

struct reader {
	struct template_folder *folder;
	const char *path;
	const char *label;
	size_t file_bytes;
	void (*broken)(const struct reason *reason, void *context);
	void *context;
};

static void complain(const struct reader *reader, const char *label, const char *what)
{
	struct reason reason;

	outcome_retry(&reason, "4.3.5", "template %s: %s", label, what);
	reader->broken(&reason, reader->context);
}

/* At most `size` bytes.  The count, or -1 with errno. */
static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t got = read(fd, data + have, size - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

/* The whole file, or NULL with the complaint made. */
static GBytes *read_file(const struct reader *reader, const char *name, const char *label)
{
	g_autofree char *path = g_build_filename(reader->path, name, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		complain(reader, label, g_strerror(errno));
		return NULL;
	}
	char *data = g_malloc(reader->file_bytes + 1);
	ssize_t size = read_all(fd, data, reader->file_bytes + 1);
	int error = errno;

	close(fd);
	if (size < 0 || (size_t)size > reader->file_bytes) {
		g_autofree char *large = g_strdup_printf(
			"is larger than limits.template_file, %zu bytes", reader->file_bytes);

		complain(reader, label, size < 0 ? g_strerror(error) : large);
		g_free(data);
		return NULL;
	}
	return g_bytes_new_take(g_realloc(data, (size_t)size + 1), (size_t)size);
}

static void free_file(void *data)
{
	struct template_file *file = data;

	mustache_free(&file->mustache);
	g_clear_pointer(&file->data, g_bytes_unref);
	g_free(file->locale);
	g_free(file->label);
	g_free(file);
}

/* Takes the file. */
static void add_file(struct template_folder *folder, const char *name, struct template_file *file)
{
	GPtrArray *variants = g_hash_table_lookup(folder->files, name);

	if (variants == NULL) {
		variants = g_ptr_array_new_with_free_func(free_file);
		g_hash_table_insert(folder->files, g_strdup(name), variants);
	}
	g_ptr_array_add(variants, file);
}

/* False with the complaint made. */
static bool compile(const struct reader *reader, struct template_file *file)
{
	struct reason reason;
	size_t size;
	const char *text = g_bytes_get_data(file->data, &size);

	if (size >= BOM_SIZE && memcmp(text, "\xef\xbb\xbf", BOM_SIZE) == 0) {
		text += BOM_SIZE;
		size -= BOM_SIZE;
	}
	if (!g_utf8_validate_len(text, size, NULL)) {
		complain(reader, file->label, "is not UTF-8");
		return false;
	}
	file->mustache = mustache_new(file->label, text, size, &reason);
	g_clear_pointer(&file->data, g_bytes_unref);
	if (file->mustache == NULL)
		reader->broken(&reason, reader->context);
	return file->mustache != NULL;
}

static void read_entry(const struct reader *reader, const char *path)
{
	const char *slash = strchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	g_autofree char *locale = g_strndup(path, slash != NULL ? (size_t)(slash - path) : 0);
	g_autofree char *label = g_strdup_printf("%s/%s", reader->label, path);

	if (slash != NULL && !template_is_locale(locale))
		return; /* was complained of */
	GBytes *data = read_file(reader, path, label);

	if (data == NULL)
		return;
	struct template_file *file = g_new(struct template_file, 1);

	*file = (struct template_file){.locale = template_locale_key(locale),
				       .label = g_steal_pointer(&label),
				       .data = data};
	if (g_str_has_suffix(name, MUSTACHE) && !compile(reader, file))
		free_file(file);
	else
		add_file(reader->folder, name, file);
}

static void read_listing(const struct reader *reader, const struct listing *listing)
{
	for (guint i = 0; i < listing->folders->len; i++) {
		const char *name = listing->folders->pdata[i];
		g_autofree char *label = g_strdup_printf("%s/%s", reader->label, name);

		if (template_is_locale(name))
			g_ptr_array_add(reader->folder->locales, g_strdup(name));
		else
			complain(reader, label, "a folder that is no locale such as de or de-AT");
	}
	if (listing->entries->len > TEMPLATE_FOLDER_FILES) {
		complain(reader, reader->label, "too many files");
		return;
	}
	for (guint i = 0; i < listing->entries->len; i++)
		read_entry(reader, ((const struct entry *)listing->entries->pdata[i])->path);
}

static void free_variants(void *variants)
{
	g_ptr_array_unref(variants);
}

void template_folder_read(struct template_folder *folder, const char *path, const char *label,
			  size_t file_bytes,
			  void (*broken)(const struct reason *reason, void *context), void *context)
{
	const struct reader reader = {.folder = folder,
				      .path = path,
				      .label = label,
				      .file_bytes = file_bytes,
				      .broken = broken,
				      .context = context};
	struct listing listing;

	folder->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_variants);
	folder->locales = g_ptr_array_new_with_free_func(g_free);
	listing_init(&listing);
	if (list_all(&listing, path))
		read_listing(&reader, &listing);
	else if (errno != ENOENT)
		complain(&reader, label, g_strerror(errno));
	listing_clear(&listing);
}

void template_folder_clear(struct template_folder *folder)
{
	g_clear_pointer(&folder->files, g_hash_table_destroy);
	g_clear_pointer(&folder->locales, g_ptr_array_unref);
}

/* ---- finding ---- */

static const struct template_file *find_variant(const GPtrArray *variants, const char *locale)
{
	for (guint i = 0; i < variants->len; i++) {
		const struct template_file *file = variants->pdata[i];

		if (strcmp(file->locale, locale) == 0)
			return file;
	}
	return NULL;
}

const struct template_file *template_folder_get(const struct template_folder *folder,
						const char *name, const char *locale)
{
	const GPtrArray *variants = g_hash_table_lookup(folder->files, name);

	return variants != NULL ? find_variant(variants, locale) : NULL;
}

const struct template_file *template_folder_find(const struct template_folder *folder,
						 const char *name, char *const *chain)
{
	const GPtrArray *variants = g_hash_table_lookup(folder->files, name);
	const struct template_file *found = NULL;

	for (; variants != NULL && found == NULL && *chain != NULL; chain++)
		found = find_variant(variants, *chain);
	return found;
}
