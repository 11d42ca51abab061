#include "mailout/template_set.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/deadline.h"
#include "mailout/template.h"

enum { CHECK_INTERVAL_MS = 1000 };

/* A template's name and what stands behind it. */
struct slot {
	char *name;
	char *path;
	char *signature;           /* of what was last tried */
	struct template *template; /* the last good one, or NULL */
	struct reason broken;      /* why what was last tried is not in use; "" if it is */
	bool seen;
};

struct template_set {
	char **dirs;
	struct template_limits limits;
	void (*complain)(const char *text, void *context);
	void *context;
	GHashTable *slots;
	struct template_library *library; /* the newest; templates may have an older one */
	char *library_signature;
	struct reason unreadable; /* a folder of the set that should be read and cannot; "" */
	struct deadline next_check;
	GHashTable *said; /* complaints of this check: a layout's would come per template */
};

static void free_slot(void *data)
{
	struct slot *slot = data;

	template_free(&slot->template);
	g_free(slot->name);
	g_free(slot->path);
	g_free(slot->signature);
	g_free(slot);
}

static void say(struct template_set *set, const char *text)
{
	if (g_hash_table_add(set->said, g_strdup(text)))
		set->complain(text, set->context);
}

static void say_broken(const struct reason *reason, void *context)
{
	say(context, reason->text);
}

/* ---- looking for edits ---- */

/* True if there is a new library. */
static bool refresh_library(struct template_set *set)
{
	GString *all = g_string_new(NULL);

	for (size_t i = 0; set->dirs[i] != NULL; i++) {
		g_autofree char *path = g_build_filename(set->dirs[i], "_partials", NULL);
		g_autofree char *signature = template_folder_signature(path);

		g_string_append_printf(all, "%s:\n%s", path,
				       signature != NULL ? signature : "unreadable\n");
	}
	g_autofree char *signature = g_string_free(all, FALSE);

	if (g_strcmp0(signature, set->library_signature) == 0)
		return false;
	template_library_unref(&set->library);
	set->library = template_library_new(set->dirs, set->limits.file_bytes, say_broken, set);
	g_free(set->library_signature);
	set->library_signature = g_steal_pointer(&signature);
	return true;
}

static void refresh_slot(struct template_set *set, struct slot *slot, const char *path,
			 bool new_library)
{
	g_autofree char *signature = template_folder_signature(path);
	struct reason reason = {.text = ""};

	slot->seen = true;
	if (!new_library && signature != NULL && g_strcmp0(signature, slot->signature) == 0 &&
	    strcmp(path, slot->path) == 0)
		return;
	struct template *fresh =
		template_new(slot->name, path, set->library, &set->limits, &reason);

	if (fresh != NULL) {
		template_free(&slot->template);
		slot->template = fresh;
	} else if (strcmp(reason.text, slot->broken.text) != 0) {
		g_autofree char *text = g_strdup_printf(
			"%s%s", reason.text,
			slot->template != NULL ? "; the last good version stays in use" : "");

		say(set, text);
	}
	slot->broken = reason;
	g_free(slot->path);
	slot->path = g_strdup(path);
	g_free(slot->signature);
	slot->signature = g_steal_pointer(&signature);
}

static struct slot *slot_of(struct template_set *set, const char *name)
{
	struct slot *slot = g_hash_table_lookup(set->slots, name);

	if (slot == NULL) {
		slot = g_new0(struct slot, 1);
		slot->name = g_strdup(name);
		slot->path = g_strdup("");
		g_hash_table_insert(set->slots, slot->name, slot);
	}
	return slot;
}

static void refresh_entry(struct template_set *set, const char *dir, const char *name,
			  bool new_library)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	struct stat status;

	if (!template_is_name(name) || stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
		return;
	struct slot *slot = slot_of(set, name);

	if (!slot->seen) /* else an earlier folder has it */
		refresh_slot(set, slot, path, new_library);
}

/* False if there is no such folder, or (with set->unreadable) none that can be read. */
static bool refresh_dir(struct template_set *set, const char *dir, bool new_library)
{
	DIR *directory = opendir(dir);
	const struct dirent *entry;

	if (directory == NULL) {
		if (errno != ENOENT)
			outcome_retry(&set->unreadable, "4.3.5", "templates: %s: %s", dir,
				      g_strerror(errno));
		return false;
	}
	for (errno = 0; (entry = readdir(directory)) != NULL; errno = 0)
		refresh_entry(set, dir, entry->d_name, new_library);
	if (errno != 0)
		outcome_retry(&set->unreadable, "4.3.5", "templates: %s: %s", dir,
			      g_strerror(errno));
	closedir(directory);
	return true;
}

static void refresh_dirs(struct template_set *set, bool new_library)
{
	bool any = false;
	struct reason before = set->unreadable;

	set->unreadable = (struct reason){.text = ""};
	for (size_t i = 0; set->dirs[i] != NULL; i++)
		any |= refresh_dir(set, set->dirs[i], new_library);
	if (!any && *set->unreadable.text == '\0') {
		g_autofree char *all = g_strjoinv(" ", set->dirs);

		outcome_retry(&set->unreadable, "4.3.5", "templates: there is no folder %s", all);
	}
	if (*set->unreadable.text != '\0' && strcmp(set->unreadable.text, before.text) != 0)
		say(set, set->unreadable.text);
}

/* A folder that is being replaced is gone for a moment, which must not cost a mail.  True if
 * nothing of the template is left. */
static bool note_vanished(struct template_set *set, struct slot *slot)
{
	if (slot->seen || *slot->path == '\0')
		return false;
	if (slot->template == NULL)
		return true;
	outcome_retry(&slot->broken, "4.3.5",
		      "template %s: its folder is gone; the last good version stays in use",
		      slot->name);
	say(set, slot->broken.text);
	g_free(slot->path);
	slot->path = g_strdup("");
	g_clear_pointer(&slot->signature, g_free);
	return false;
}

void template_set_refresh(struct template_set *set)
{
	GHashTableIter iterator;
	void *slot;

	set->next_check = deadline_in(CHECK_INTERVAL_MS);
	g_hash_table_remove_all(set->said);
	g_hash_table_iter_init(&iterator, set->slots);
	while (g_hash_table_iter_next(&iterator, NULL, &slot))
		((struct slot *)slot)->seen = false;
	refresh_dirs(set, refresh_library(set));
	g_hash_table_iter_init(&iterator, set->slots);
	while (g_hash_table_iter_next(&iterator, NULL, &slot))
		if (note_vanished(set, slot))
			g_hash_table_iter_remove(&iterator);
}

/* ---- the set ---- */

struct template_set *template_set_new(char *const *dirs, const struct template_limits *limits,
				      void (*complain)(const char *text, void *context),
				      void *context)
{
	struct template_set *set = g_new0(struct template_set, 1);

	set->dirs = g_strdupv((char **)dirs);
	set->limits = *limits;
	set->complain = complain;
	set->context = context;
	set->slots = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_slot);
	set->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	template_set_refresh(set);
	return set;
}

void template_set_free(struct template_set **set)
{
	struct template_set *old = *set;

	if (old == NULL)
		return;
	g_hash_table_destroy(old->slots);
	g_hash_table_destroy(old->said);
	template_library_unref(&old->library);
	g_free(old->library_signature);
	g_strfreev(old->dirs);
	g_free(old);
	*set = NULL;
}

/* The template, or NULL with *outcome and a reason (both may be NULL). */
static const struct template *find(const struct template_set *set, const char *name,
				   enum outcome *outcome, struct reason *reason)
{
	const struct slot *slot = g_hash_table_lookup(set->slots, name);
	enum outcome why = OUTCOME_RETRY;

	if (slot != NULL && slot->template != NULL)
		return slot->template;
	if (slot != NULL)
		outcome_retry(reason, "4.3.5", "%s", slot->broken.text);
	else if (*set->unreadable.text != '\0') /* it may be in that folder */
		outcome_retry(reason, "4.3.5", "%s", set->unreadable.text);
	else
		why = outcome_reject(reason, "5.6.0", "template %s: there is none of that name",
				     name);
	if (outcome != NULL)
		*outcome = why;
	return NULL;
}

static enum outcome render(const struct template_set *set, const char *name, const char *locale,
			   const struct wire *model, struct rendered *rendered,
			   struct reason *reason)
{
	enum outcome outcome = OUTCOME_OK;
	const struct template *template = find(set, name, &outcome, reason);

	if (template == NULL)
		return outcome;
	outcome = template_description_check(template->description, model, reason);
	if (outcome != OUTCOME_OK) {
		g_autofree char *context = g_strdup_printf("template %s", name);

		reason_prefix(reason, context);
		return outcome;
	}
	g_auto(GStrv) chain = template_chain(template, locale);

	return template_render(template, chain, model, &set->limits, rendered, reason);
}

enum outcome template_set_render(struct template_set *set, const char *name, const char *locale,
				 const struct wire *model, struct rendered *rendered,
				 struct reason *reason)
{
	bool is_due = deadline_passed(set->next_check);

	*rendered = (struct rendered){0};
	if (locale == NULL)
		locale = "";
	if (*locale != '\0' && !template_is_locale(locale))
		return outcome_reject(reason, "5.6.0", "Locale: %s is none", locale);
	if (is_due)
		template_set_refresh(set);
	enum outcome outcome = render(set, name, locale, model, rendered, reason);

	/* For good only after a look at what is there now: the template may be of this second. */
	if (outcome == OUTCOME_REJECT && !is_due) {
		template_set_refresh(set);
		outcome = render(set, name, locale, model, rendered, reason);
	}
	return outcome;
}

/* ---- looking at templates ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **template_set_names(struct template_set *set)
{
	GPtrArray *names = g_ptr_array_new();
	GHashTableIter iterator;
	void *name;

	g_hash_table_iter_init(&iterator, set->slots);
	while (g_hash_table_iter_next(&iterator, &name, NULL))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

char **template_set_locales(struct template_set *set, const char *name)
{
	g_autoptr(GStrvBuilder) locales = g_strv_builder_new();
	const struct template *template = find(set, name, NULL, NULL);

	g_strv_builder_add(locales, "");
	if (template != NULL)
		for (guint i = 0; i < template->folder.locales->len; i++)
			g_strv_builder_add(locales, template->folder.locales->pdata[i]);
	return g_strv_builder_end(locales);
}

const struct wire *template_set_description(struct template_set *set, const char *name,
					    struct reason *reason)
{
	const struct template *template = find(set, name, NULL, reason);

	return template != NULL ? template->description->json : NULL;
}

const struct wire *template_set_sample(struct template_set *set, const char *name,
				       const char *locale, struct reason *reason)
{
	const struct template *template = find(set, name, NULL, reason);

	if (template == NULL)
		return NULL;
	g_auto(GStrv) chain = template_chain(template, locale);

	return template_sample(template, chain);
}

char **template_set_untranslated(struct template_set *set, const char *name, const char *locale)
{
	g_autoptr(GStrvBuilder) files = g_strv_builder_new();
	g_auto(GStrv) chain = template_locale_chain(locale);
	const struct template *template = find(set, name, NULL, NULL);

	if (template != NULL && **chain != '\0') {
		for (int part = 0; part < PART_COUNT; part++) {
			const char *file_name = template_part_file((enum template_part)part);
			const struct template_file *file =
				template_folder_find(&template->folder, file_name, chain);

			if (file != NULL && *file->locale == '\0')
				g_strv_builder_add(files, file_name);
		}
	}
	return g_strv_builder_end(files);
}

struct undeclared {
	const struct template *template;
	GPtrArray *names;
};

static void add_name(GPtrArray *names, const char *name)
{
	if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
		g_ptr_array_add(names, g_strdup(name));
}

static void visit_name(char kind, const char *name, void *context)
{
	const struct undeclared *undeclared = context;

	if (kind != '>' && !g_str_has_prefix(name, "Mailpipe.") &&
	    !template_description_declares(undeclared->template->description, name))
		add_name(undeclared->names, name);
}

char **template_set_undeclared(struct template_set *set, const char *name, const struct wire *model)
{
	struct undeclared undeclared = {.template = find(set, name, NULL, NULL),
					.names = g_ptr_array_new()};

	if (undeclared.template != NULL) {
		GHashTableIter iterator;
		void *variants;

		g_hash_table_iter_init(&iterator, undeclared.template->folder.files);
		while (g_hash_table_iter_next(&iterator, NULL, &variants)) {
			for (guint i = 0; i < ((GPtrArray *)variants)->len; i++) {
				const struct template_file *file =
					((GPtrArray *)variants)->pdata[i];

				if (file->mustache != NULL)
					mustache_each_name(file->mustache, visit_name, &undeclared);
			}
		}
		g_auto(GStrv) unknown =
			template_description_unknown(undeclared.template->description, model);

		for (char **path = unknown; *path != NULL; path++)
			add_name(undeclared.names, *path);
	}
	g_ptr_array_sort(undeclared.names, compare_names);
	g_ptr_array_add(undeclared.names, NULL);
	return (char **)g_ptr_array_free(undeclared.names, FALSE);
}
