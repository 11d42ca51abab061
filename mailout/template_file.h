/*
 * A folder of a template set, its files read and compiled: a template's own folder, or the shared
 * partials.  mailpipe-templates(7)
 *
 * A file in a locale's folder within stands for the one of the same name outside, for that locale.
 */
#ifndef MAILOUT_TEMPLATE_FILE_H
#define MAILOUT_TEMPLATE_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/outcome.h"
#include "mailout/mustache.h"

enum {
	TEMPLATE_NAME_MAX = 64,      /* bytes of a template's or partial's name */
	TEMPLATE_LOCALE_MAX = 35,    /* of a locale (RFC 5646, 4.4.1) */
	TEMPLATE_FOLDER_FILES = 500, /* files of one folder, all locales together */
};

/* [A-Za-z0-9][A-Za-z0-9_-]*: no path can be made of it. */
bool template_is_name(const char *name);
/* A language with subtags: "de", "de-AT", "de_AT". */
bool template_is_locale(const char *locale);
/* In one spelling, for comparisons: "de_at" is "de-AT".  g_free() it. */
char *template_locale_key(const char *locale);
/* Keys of the locales to look in, the nearest first, "" last; g_strfreev() it. */
char **template_locale_chain(const char *locale);

struct template_file {
	char *locale;              /* key; "" for none */
	char *label;               /* "ticket-reply/de/html.mustache", for messages */
	struct mustache *mustache; /* of *.mustache, else NULL */
	GBytes *data;              /* of others */
};

struct template_folder {
	GHashTable *files;  /* name -> GPtrArray of struct template_file */
	GPtrArray *locales; /* names of the locales' folders, as they are spelt; sorted */
};

/*
 * What tells whether a folder's files changed: their names, sizes and times.  g_free() it; NULL if
 * it cannot be read.  A folder that is not there has the text "".
 */
char *template_folder_signature(const char *path);

/*
 * Read and compile.  Files that are none of ours are left alone.  What is broken is left out and
 * told to `broken`, a file or folder each.  template_folder_clear() it in any case.
 */
void template_folder_read(struct template_folder *folder, const char *path, const char *label,
			  size_t file_bytes,
			  void (*broken)(const struct reason *reason, void *context),
			  void *context);
void template_folder_clear(struct template_folder *folder);

/* The file for a chain of locales, or NULL. */
const struct template_file *template_folder_find(const struct template_folder *folder,
						 const char *name, char *const *chain);
/* The one of just that locale's key, or NULL. */
const struct template_file *template_folder_get(const struct template_folder *folder,
						const char *name, const char *locale);
/* The media type of an image file's name, or NULL. */
const char *template_image_type(const char *name);

#endif
