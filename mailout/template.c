#include "mailout/template.h"

#include <string.h>

static const char DESCRIPTION[] = "template.json";
static const char PARTIALS[] = "_partials";
static const char EXTRAS[] = "Mailpipe.";

const char *template_part_file(enum template_part part)
{
	static const char *const names[PART_COUNT] = {"subject.mustache", "text.mustache",
						      "html.mustache"};

	return names[part];
}

static void note_extras(char kind, const char *name, void *context)
{
	if (kind != '>' && g_str_has_prefix(name, EXTRAS))
		*(bool *)context = true;
}

static bool uses_extras(const struct template_folder *folder)
{
	GHashTableIter iterator;
	void *value;
	bool found = false;

	g_hash_table_iter_init(&iterator, folder->files);
	while (g_hash_table_iter_next(&iterator, NULL, &value)) {
		const GPtrArray *variants = value;

		for (guint i = 0; i < variants->len; i++) {
			const struct template_file *file = variants->pdata[i];

			if (file->mustache != NULL)
				mustache_each_name(file->mustache, note_extras, &found);
		}
	}
	return found;
}

/* ---- partials ---- */

struct template_library *
template_library_new(char *const *dirs, size_t file_bytes,
		     void (*broken)(const struct reason *reason, void *context), void *context)
{
	struct template_library *library = g_rc_box_new0(struct template_library);

	library->count = g_strv_length((char **)dirs);
	library->folders = g_new0(struct template_folder, library->count);
	for (size_t i = 0; i < library->count; i++) {
		g_autofree char *path = g_build_filename(dirs[i], PARTIALS, NULL);

		template_folder_read(&library->folders[i], path, PARTIALS, file_bytes, broken,
				     context);
		library->wants_extras |= uses_extras(&library->folders[i]);
	}
	return library;
}

struct template_library *template_library_ref(struct template_library *library)
{
	return g_rc_box_acquire(library);
}

static void clear_library(void *data)
{
	struct template_library *library = data;

	for (size_t i = 0; i < library->count; i++)
		template_folder_clear(&library->folders[i]);
	g_free(library->folders);
}

void template_library_unref(struct template_library **library)
{
	if (*library != NULL)
		g_rc_box_release_full(*library, clear_library);
	*library = NULL;
}

/* A folder that has the name in any locale has it in all. */
const struct template_file *template_library_find(const struct template_library *library,
						  const char *name, char *const *chain)
{
	for (size_t i = 0; i < library->count; i++)
		if (g_hash_table_contains(library->folders[i].files, name))
			return template_folder_find(&library->folders[i], name, chain);
	return NULL;
}

/* ---- locales ---- */

static bool has_locale(const GPtrArray *locales, const char *key)
{
	for (guint i = 0; i < locales->len; i++) {
		g_autofree char *own = template_locale_key(locales->pdata[i]);

		if (strcmp(own, key) == 0)
			return true;
	}
	return false;
}

char **template_chain(const struct template *template, const char *locale)
{
	char **chain = template_locale_chain(locale);

	for (char **key = chain; **key != '\0'; key++)
		if (has_locale(template->folder.locales, *key))
			return chain;
	g_strfreev(chain);
	return template_locale_chain("");
}

static const struct template_description *local_description(const struct template *template,
							    const char *key)
{
	return *key == '\0' ? template->description : g_hash_table_lookup(template->local, key);
}

const struct wire *template_sample(const struct template *template, char *const *chain)
{
	const struct wire *sample = NULL;

	for (; sample == NULL && *chain != NULL; chain++) {
		const struct template_description *local = local_description(template, *chain);

		sample = local != NULL ? local->sample : NULL;
	}
	return sample;
}

const char *template_from(const struct template *template, char *const *chain)
{
	const char *from = NULL;

	for (; from == NULL && *chain != NULL; chain++) {
		const struct template_description *local = local_description(template, *chain);

		from = local != NULL ? local->from : NULL;
	}
	return from;
}

/* ---- loading ---- */

static bool is_part_file(const char *name)
{
	for (int part = 0; part < PART_COUNT; part++)
		if (strcmp(name, template_part_file((enum template_part)part)) == 0)
			return true;
	return false;
}

/* False with a reason: what is there that should not be, or the other way round. */
static bool check_files(const struct template *template, struct reason *reason)
{
	const struct template_folder *folder = &template->folder;
	GHashTableIter iterator;
	void *name;
	void *variants;

	g_hash_table_iter_init(&iterator, folder->files);
	while (g_hash_table_iter_next(&iterator, &name, &variants)) {
		const struct template_file *file = ((GPtrArray *)variants)->pdata[0];

		if (file->mustache != NULL && !is_part_file(name)) {
			outcome_retry(reason, "4.3.5",
				      "template %s: is none of subject, text and html; partials "
				      "are in %s",
				      file->label, PARTIALS);
			return false;
		}
	}
	const char *missing = NULL;

	if (template_folder_get(folder, DESCRIPTION, "") == NULL)
		missing = DESCRIPTION;
	else if (template_folder_get(folder, template_part_file(PART_SUBJECT), "") == NULL)
		missing = template_part_file(PART_SUBJECT);
	else if (template_folder_get(folder, template_part_file(PART_TEXT), "") == NULL &&
		 template_folder_get(folder, template_part_file(PART_HTML), "") == NULL)
		missing = "text.mustache or html.mustache";
	if (missing != NULL)
		outcome_retry(reason, "4.3.5", "template %s: there is no %s", template->name,
			      missing);
	return missing == NULL;
}

static bool read_descriptions(struct template *template, struct reason *reason)
{
	const GPtrArray *variants = g_hash_table_lookup(template->folder.files, DESCRIPTION);

	for (guint i = 0; i < variants->len; i++) {
		const struct template_file *file = variants->pdata[i];
		bool is_locale = *file->locale != '\0';
		size_t size;
		const char *text = g_bytes_get_data(file->data, &size);
		struct template_description *description =
			template_description_new(text, size, file->label, is_locale, reason);

		if (description == NULL)
			return false;
		if (is_locale)
			g_hash_table_insert(template->local, g_strdup(file->locale), description);
		else
			template->description = description;
	}
	return true;
}

static bool is_blank(const char *text)
{
	return text != NULL && text[strspn(text, " \t\r\n")] == '\0';
}

/* A file is empty for a moment while it is being written. */
static enum outcome check_present(const struct rendered *rendered, struct reason *reason)
{
	const char *const parts[PART_COUNT] = {rendered->subject, rendered->text, rendered->html};

	for (int part = 0; part < PART_COUNT; part++)
		if (is_blank(parts[part]))
			return outcome_retry(reason, "4.3.5", "%s comes out empty",
					     template_part_file((enum template_part)part));
	return OUTCOME_OK;
}

/* False with a reason: the sample of one locale, as it is and without what is optional. */
static bool verify_locale(const struct template *template, const char *locale,
			  const struct template_limits *limits, struct reason *reason)
{
	g_auto(GStrv) chain = template_chain(template, locale);
	const struct wire *sample = template_sample(template, chain);
	struct wire *required = template_description_required(template->description, sample);
	g_auto(GStrv) unknown = template_description_unknown(template->description, sample);
	const struct wire *models[] = {sample, required};
	enum outcome outcome = OUTCOME_OK;

	if (*unknown != NULL)
		outcome = outcome_retry(reason, "4.3.5", "parameter %s: is not declared", *unknown);
	for (size_t i = 0; i < G_N_ELEMENTS(models) && outcome == OUTCOME_OK; i++) {
		struct rendered rendered = {0};

		outcome = template_description_check(template->description, models[i], reason);
		if (outcome == OUTCOME_OK)
			outcome = template_render(template, chain, models[i], limits, &rendered,
						  reason);
		if (outcome == OUTCOME_OK)
			outcome = check_present(&rendered, reason);
		rendered_clear(&rendered);
	}
	wire_free(&required);
	if (outcome == OUTCOME_OK)
		return true;
	/* Whatever it was, it is no fault of a request. */
	struct reason why = *reason;

	outcome_retry(reason, "4.3.5", "template %s%s%s: its sample: %s", template->name,
		      *locale != '\0' ? "/" : "", locale, why.text);
	return false;
}

/* In the template's locales and in those that only partials have. */
static bool verify(const struct template *template, const struct template_limits *limits,
		   struct reason *reason)
{
	bool good = verify_locale(template, "", limits, reason);
	const GPtrArray *locales = template->folder.locales;

	for (guint i = 0; i < locales->len && good; i++)
		good = verify_locale(template, locales->pdata[i], limits, reason);
	for (size_t f = 0; f < template->library->count && good; f++) {
		locales = template->library->folders[f].locales;
		for (guint i = 0; i < locales->len && good; i++)
			good = verify_locale(template, locales->pdata[i], limits, reason);
	}
	return good;
}

static void free_description(void *data)
{
	struct template_description *description = data;

	template_description_free(&description);
}

/* The first complaint is the reason. */
static void keep_first(const struct reason *reason, void *context)
{
	struct reason *first = context;

	if (*first->text == '\0')
		*first = *reason;
}

struct template *template_new(const char *name, const char *path, struct template_library *library,
			      const struct template_limits *limits, struct reason *reason)
{
	struct template *template = g_new0(struct template, 1);
	struct reason first = {.text = ""};

	template->name = g_strdup(name);
	template->library = template_library_ref(library);
	template->local = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_description);
	template_folder_read(&template->folder, path, name, limits->file_bytes, keep_first, &first);
	template->wants_extras = library->wants_extras || uses_extras(&template->folder);
	if (*first.text != '\0')
		*reason = first;
	if (*first.text != '\0' || !check_files(template, reason) ||
	    !read_descriptions(template, reason) || !verify(template, limits, reason))
		template_free(&template);
	return template;
}

void template_free(struct template **template)
{
	struct template *old = *template;

	if (old == NULL)
		return;
	template_folder_clear(&old->folder);
	template_library_unref(&old->library);
	template_description_free(&old->description);
	g_hash_table_destroy(old->local);
	g_free(old->name);
	g_free(old);
	*template = NULL;
}
