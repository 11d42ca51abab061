#include "mailout/sender_reply.h"

#include <glib.h>
#include <string.h>

enum { DIGITS_MAX = 3 };

static const char *skip_digits(const char *p)
{
	const char *begin = p;

	while (g_ascii_isdigit(*p) && p - begin < DIGITS_MAX)
		p++;
	return p > begin ? p : NULL;
}

/* Bytes of the enhanced status code (RFC 3463) of this class that the line begins with; 0: none. */
static size_t status_length(const char *line, int class)
{
	const char *p = line;

	if (class == 0 || *p != '0' + class || p[1] != '.')
		return 0;
	p = skip_digits(p + 2);
	if (p == NULL || *p != '.')
		return 0;
	p = skip_digits(p + 1);
	if (p == NULL || (*p != '\0' && !g_ascii_isspace(*p)))
		return 0;
	return (size_t)(p - line);
}

/* Append the words of one line, blanks and control characters as one blank. */
static void append_words(GString *to, const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool blank = (unsigned char)line[i] <= ' ' || line[i] == '\x7f';

		if (!blank)
			g_string_append_c(to, line[i]);
		else if (to->len > 0 && to->str[to->len - 1] != ' ')
			g_string_append_c(to, ' ');
	}
	if (to->len > 0 && to->str[to->len - 1] != ' ')
		g_string_append_c(to, ' ');
}

/* Valid UTF-8 without control characters, cut on a character. */
static void set_text(struct reply *reply, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	size_t length = 0;

	for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
		size_t width = (size_t)(g_utf8_next_char(p) - p);

		if (length + width > SENDER_REPLY_MAX)
			break;
		if (g_unichar_iscntrl(g_utf8_get_char(p))) {
			reply->text[length++] = ' ';
			continue;
		}
		memcpy(reply->text + length, p, width);
		length += width;
	}
	reply->text[length] = '\0';
	g_strchomp(reply->text);
}

void reply_set(struct reply *reply, int code, const char *text)
{
	g_autoptr(GString) words = g_string_new(NULL);
	int class = code / REPLY_CLASS;

	*reply = (struct reply){.code = code};
	for (const char *line = text != NULL ? text : ""; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		size_t status = status_length(line, class);

		if (status > 0 && reply->status[0] == '\0')
			g_strlcpy(reply->status, line, MIN(status + 1, sizeof(reply->status)));
		append_words(words, line + status, length - status);
		line += length + (line[length] != '\0');
	}
	set_text(reply, words->str);
}

void reply_set_local(struct reply *reply, const char *status, const char *text)
{
	*reply = (struct reply){.code = 0};
	g_strlcpy(reply->status, status, sizeof(reply->status));
	set_text(reply, text);
}

enum sent_state reply_decide(const struct reply *rcpt, const struct reply *transfer, bool ended,
			     const struct reply **which)
{
	int class = rcpt->code / REPLY_CLASS;

	*which = rcpt->code != 0 ? rcpt : NULL;
	if (class == REPLY_PERMANENT)
		return SENT_FAILED;
	if (class != REPLY_DONE)
		return SENT_DEFERRED;
	*which = transfer->code != 0 ? transfer : NULL;
	switch (transfer->code / REPLY_CLASS) {
	case REPLY_PERMANENT:
		return SENT_FAILED;
	case REPLY_TRANSIENT:
		return SENT_DEFERRED;
	case REPLY_DONE:
		/* Some server has answered 250 to DATA instead of 354: nothing went out. */
		return ended ? SENT_OK : SENT_DEFERRED;
	default:
		return ended ? SENT_IN_DOUBT : SENT_DEFERRED;
	}
}
