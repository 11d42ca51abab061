#include "mailin/parse/reply.h"

#include <glib.h>

void reply_split(const char *text, size_t size, const struct reply_hints *hints,
		 struct reply *reply)
{
	(void)hints;
	reply->text = g_strndup(text, size);
	reply->quote = g_strdup("");
	reply->rule[0] = '\0';
}

void reply_clear(struct reply *reply)
{
	g_free(reply->text);
	g_free(reply->quote);
}

bool reply_forwards(const char *subject)
{
	(void)subject;
	return false;
}
