#include "common/message_id.h"

#include <glib.h>
#include <string.h>

enum { LENGTH_MAX = 800 }; /* what mailout takes as a word of a header */

bool message_id_is_usable(const char *id)
{
	const char *at = strchr(id, '@');
	size_t size = strlen(id);

	for (const char *p = id; *p != '\0'; p++)
		if (!g_ascii_isgraph(*p) || *p == '<' || *p == '>')
			return false;
	return at != NULL && at != id && at[1] != '\0' && size <= LENGTH_MAX;
}
