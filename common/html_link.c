#include "common/html_link.h"

#include <string.h>

#include <glib.h>

enum { URL_MAX = 2000 }; /* longer links are for machines */

char *html_link_shown(const char *href)
{
	static const char *const schemes[] = {"http://", "https://", "mailto:"};
	bool known = false;

	if (href == NULL)
		return NULL;
	while (g_ascii_isspace(*href))
		href++;
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		known = known || g_ascii_strncasecmp(href, schemes[i], strlen(schemes[i])) == 0;
	if (!known || strlen(href) > URL_MAX)
		return NULL;
	GString *url = g_string_new(NULL);
	for (const char *p = href; *p != '\0'; p++)
		if ((unsigned char)*p > ' ' && *p != '<' && *p != '>' && *p != 0x7F)
			g_string_append_c(url, *p);
	return g_string_free(url, FALSE);
}

static const char *without_scheme(const char *url)
{
	const char *colon = strchr(url, ':');

	if (colon == NULL)
		return url;
	return g_str_has_prefix(colon, "://") ? colon + strlen("://") : colon + 1;
}

static size_t significant(const char *url, size_t size)
{
	return size > 0 && url[size - 1] == '/' ? size - 1 : size;
}

bool html_link_is_said(const char *text, const char *url)
{
	const char *address = without_scheme(url);
	const char *shown = g_ascii_strncasecmp(text, url, (size_t)(address - url)) == 0
				    ? text + (address - url)
				    : text;
	size_t size = significant(address, strlen(address));

	return significant(shown, strlen(shown)) == size &&
	       g_ascii_strncasecmp(shown, address, size) == 0;
}
