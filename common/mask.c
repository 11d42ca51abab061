#include "common/mask.h"

#include <glib.h>
#include <string.h>

#include "common/token.h"

/* What neither begins nor ends an address within a line. */
static const char LEFT_END[] = " \t<>()[],;:\"'=";

char *mask_address(const struct config *config, const char *address)
{
	const struct config_route *route = config_route(config, address);

	if (route == NULL)
		return g_strdup(address);
	return token_mask(config->recipient_delimiter, address,
			  route->require == CONFIG_REQUIRE_TOKEN);
}

static bool is_domain(char c)
{
	return g_ascii_isalnum(c) || c == '.' || c == '-' || (unsigned char)c >= 0x80;
}

/* The address around an "@", no further to the left than `limit`. */
static size_t find_address(const char *limit, const char *at, const char **start)
{
	const char *end = at + 1;

	*start = at;
	while (*start > limit && strchr(LEFT_END, (*start)[-1]) == NULL)
		(*start)--;
	while (is_domain(*end))
		end++;
	while (end > at + 1 && !g_ascii_isalnum(end[-1]) && (unsigned char)end[-1] < 0x80)
		end--;
	return (size_t)(end - *start);
}

char *mask_text(const struct config *config, const char *text)
{
	if (text == NULL)
		return NULL;
	GString *masked = g_string_new(NULL);
	const char *done = text;

	for (const char *at = strchr(text, '@'); at != NULL; at = strchr(at + 1, '@')) {
		const char *start;
		size_t size = find_address(done, at, &start);

		if (start + size <= at + 1)
			continue;
		g_autofree char *address = g_strndup(start, size);
		g_autofree char *shown = mask_address(config, address);

		g_string_append_len(masked, done, start - done);
		g_string_append(masked, shown);
		done = start + size;
		at = done - 1;
	}
	g_string_append(masked, done);
	return g_string_free(masked, FALSE);
}
