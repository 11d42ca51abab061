#include "common/html_mark.h"

#include <stdbool.h>
#include <string.h>

enum { VALUE_MAX = 512 }; /* bytes of an attribute that are looked at */

enum test {
	TEST_WORD,  /* one of the value's words */
	TEST_TAIL,  /* one of them ends so: Yahoo puts random letters in front */
	TEST_BEGIN, /* the value begins so */
	TEST_STYLE, /* it is in there, white space apart */
};

/* In the order of reading. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
static const struct habit {
	const char *element;
	const char *attribute;
	enum test test;
	const char *value;
	enum html_mark_kind kind;
	const char *client;
} habits[] = {
	{"div", "class", TEST_WORD, "gmail_quote", HTML_MARK_CITE, "gmail"},
	{"div", "class", TEST_WORD, "gmail_signature", HTML_MARK_SIGNATURE, "gmail"},
	{"div", "data-smartmail", TEST_BEGIN, "gmail_signature", HTML_MARK_SIGNATURE, "gmail"},
	{"div", "class", TEST_WORD, "moz-cite-prefix", HTML_MARK_CITE, "thunderbird"},
	{"div", "class", TEST_WORD, "moz-forward-container", HTML_MARK_FORWARD, "thunderbird"},
	{"div", "class", TEST_WORD, "moz-signature", HTML_MARK_SIGNATURE, "thunderbird"},
	{"pre", "class", TEST_WORD, "moz-signature", HTML_MARK_SIGNATURE, "thunderbird"},
	{"div", "class", TEST_TAIL, "yahoo_quoted", HTML_MARK_CONTAINER, "yahoo"},
	{"div", "class", TEST_WORD, "protonmail_quote", HTML_MARK_CITE, "proton"},
	{"div", "class", TEST_WORD, "protonmail_signature_block", HTML_MARK_SIGNATURE, "proton"},
	{"div", "name", TEST_WORD, "quote", HTML_MARK_CONTAINER, "gmx"},
	{"div", "id", TEST_BEGIN, "divRplyFwdMsg", HTML_MARK_ORIGINAL, "outlook"},
	{"div", "id", TEST_BEGIN, "appendonsend", HTML_MARK_ORIGINAL, "outlook"},
	{"div", "id", TEST_BEGIN, "mail-editor-reference-message-container", HTML_MARK_ORIGINAL,
	 "outlook"},
	{"span", "id", TEST_BEGIN, "OLK_SRC_BODY_SECTION", HTML_MARK_ORIGINAL, "outlook"},
	{"div", "id", TEST_BEGIN, "Signature", HTML_MARK_SIGNATURE, "outlook"},
	{"div", "id", TEST_BEGIN, "ms-outlook-mobile-signature", HTML_MARK_SIGNATURE, "outlook"},
	{"div", "style", TEST_STYLE, "border:none;border-top:solid", HTML_MARK_ORIGINAL, "outlook"},
	{"blockquote", "type", TEST_BEGIN, "cite", HTML_MARK_CITE, "cite"},
	{"blockquote", "class", TEST_WORD, "gmail_quote", HTML_MARK_CITE, "gmail"},
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool has_word(const char *words, const char *word, bool tail)
{
	size_t size = strlen(word);

	for (const char *p = strstr(words, word); p != NULL; p = strstr(p + 1, word))
		if ((tail || p == words || is_space(p[-1])) &&
		    (p[size] == '\0' || is_space(p[size])))
			return true;
	return false;
}

static bool has_style(const char *style, const char *declarations)
{
	char squeezed[VALUE_MAX];
	size_t out = 0;

	for (size_t i = 0; style[i] != '\0' && out < sizeof(squeezed) - 1; i++)
		if (!is_space(style[i]))
			squeezed[out++] = style[i];
	squeezed[out] = '\0';
	return strstr(squeezed, declarations) != NULL;
}

static bool fits(const struct habit *habit, const char *value)
{
	switch (habit->test) {
	case TEST_WORD:
		return has_word(value, habit->value, false);
	case TEST_TAIL:
		return has_word(value, habit->value, true);
	case TEST_BEGIN:
		return strncmp(value, habit->value, strlen(habit->value)) == 0;
	case TEST_STYLE:
		return has_style(value, habit->value);
	}
	return false;
}

void html_mark_find(const char *element, const char *const *attributes, struct html_mark *mark)
{
	mark->kind = HTML_MARK_NONE;
	mark->client = "";
	if (attributes == NULL || strchr("bdps", *element) == NULL)
		return;
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		const char *value = attributes[i + 1];

		/* Long ones are nobody's habit, and cost a search for each row. */
		if (value == NULL || strnlen(value, VALUE_MAX) == VALUE_MAX)
			continue;
		for (size_t h = 0; h < sizeof(habits) / sizeof(habits[0]); h++) {
			if (strcmp(habits[h].attribute, attributes[i]) != 0 ||
			    strcmp(habits[h].element, element) != 0 || !fits(&habits[h], value))
				continue;
			mark->kind = habits[h].kind;
			mark->client = habits[h].client;
			return;
		}
	}
}
