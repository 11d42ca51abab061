#include "mailin/ingest/priority.h"

#include <glib.h>
#include <stdbool.h>

#include "common/wire.h"

static const char HIGH[] = "high";
static const char NORMAL[] = "normal";
static const char LOW[] = "low";

struct meaning {
	const char *field;
	const char *word; /* the value begins with it */
	const char *priority;
};

/* X-Priority is a number, often with a word behind it: "1 (Highest)". */
static const struct meaning meanings[] = {
	{"X-Priority", "1", HIGH},
	{"X-Priority", "2", HIGH},
	{"X-Priority", "4", LOW},
	{"X-Priority", "5", LOW},
	{"Importance", "high", HIGH},
	{"Importance", "low", LOW},
	{"X-MSMail-Priority", "high", HIGH},
	{"X-MSMail-Priority", "low", LOW},
	{"Priority", "urgent", HIGH},
	{"Priority", "non-urgent", LOW},
};

static bool begins_with_word(const char *value, const char *word)
{
	while (g_ascii_isspace(*value))
		value++;
	for (; *word != '\0'; word++, value++)
		if (g_ascii_tolower(*value) != *word)
			return false;
	return !g_ascii_isalnum(*value);
}

const char *priority_of(const struct wire *headers)
{
	for (size_t i = 0; i < wire_length(headers); i++) {
		const char *name = wire_get_text(wire_at(headers, i), "Name");
		const char *value = wire_get_text(wire_at(headers, i), "Value");

		for (size_t k = 0; name != NULL && value != NULL && k < G_N_ELEMENTS(meanings); k++)
			if (g_ascii_strcasecmp(name, meanings[k].field) == 0 &&
			    begins_with_word(value, meanings[k].word))
				return meanings[k].priority;
	}
	return NORMAL;
}
