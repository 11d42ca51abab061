#include "mailctl/logline.h"

#include <glib.h>
#include <string.h>
#include <time.h>

enum {
	QUEUE_ID_MIN = 6, /* short ones: microseconds and inode in hexadecimal */
	QUEUE_ID_MAX = 20,
	STAMP_TRADITIONAL = 15, /* "Nov 22 15:58:26" */
	STAMP_ISO_MIN = 19,     /* "2026-11-22T15:58:26" */
	MS_PER_S = 1000,
	US_PER_MS = 1000,
	TM_YEAR_0 = 1900,
	DAY_MS = 24 * 60 * 60 * MS_PER_S,
	HEX_DIGITS = 4, /* of \u0000 */
	HEX = 16
};

static const char NO_QUEUE[] = "NOQUEUE";

bool logline_is_queue_id(const char *text)
{
	size_t length = strspn(text, "0123456789"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

	return text[length] == '\0' && length >= QUEUE_ID_MIN && length <= QUEUE_ID_MAX;
}

/* ---- structure ---- */

/* Cuts the word at *at off and moves behind it; NULL if none is there. */
static char *take_word(char **at)
{
	char *word = *at;
	size_t length = strcspn(word, " ");

	if (length == 0)
		return NULL;
	*at = word + length;
	if (**at == ' ') {
		**at = '\0';
		(*at)++;
	}
	return word;
}

static bool is_traditional(const char *text)
{
	return strnlen(text, STAMP_TRADITIONAL + 1) > STAMP_TRADITIONAL &&
	       g_ascii_isupper(text[0]) && text[3] == ' ' && text[6] == ' ' && text[9] == ':' &&
	       text[12] == ':' && text[STAMP_TRADITIONAL] == ' ';
}

static bool is_iso(const char *text)
{
	return strnlen(text, STAMP_ISO_MIN) == STAMP_ISO_MIN && g_ascii_isdigit(text[0]) &&
	       text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':';
}

/* Time and host, if they are there. */
static bool take_stamp(char **at, struct logline *line)
{
	line->stamp = "";
	if (is_traditional(*at)) {
		line->stamp = *at;
		(*at)[STAMP_TRADITIONAL] = '\0';
		*at += STAMP_TRADITIONAL + 1;
	} else if (is_iso(*at)) {
		line->stamp = take_word(at);
	} else {
		return true;
	}
	return take_word(at) != NULL;
}

/* "postfix/smtpd[123]:" */
static bool take_program(char **at, struct logline *line)
{
	char *tag = take_word(at);
	size_t length = tag != NULL ? strlen(tag) : 0;

	if (length < 2 || tag[length - 1] != ':')
		return false;
	tag[length - 1] = '\0';
	tag[strcspn(tag, "[")] = '\0';
	const char *slash = strrchr(tag, '/');

	line->program = tag;
	line->service = slash != NULL ? slash + 1 : tag;
	return true;
}

static bool take_postfix(char **at, struct logline *line)
{
	char *colon = strstr(*at, ": ");

	line->kind = LOGLINE_POSTFIX;
	line->queue_id = "";
	line->text = *at;
	if (colon == NULL)
		return true;
	*colon = '\0';
	if (strcmp(*at, NO_QUEUE) == 0 || logline_is_queue_id(*at)) {
		line->queue_id = *at;
		line->text = colon + 2;
	} else {
		*colon = ':';
	}
	return true;
}

static bool take_ours(char **at, struct logline *line)
{
	const char *queue_id = take_word(at);
	const char *message_id = take_word(at);

	if (queue_id == NULL || message_id == NULL || !g_str_has_prefix(*at, "event="))
		return false;
	line->kind = LOGLINE_OURS;
	line->queue_id = strcmp(queue_id, "-") != 0 ? queue_id : "";
	line->message_id = strcmp(message_id, "-") != 0 ? message_id : "";
	line->text = *at;
	return true;
}

static bool is_ours(const char *program)
{
	static const char *const programs[] = {"mailin", "mailin-lmtp", "mailin-ingest", "mailout",
					       NULL};

	return g_strv_contains(programs, program);
}

bool logline_parse(char *text, struct logline *line)
{
	char *at = text;

	*line = (struct logline){.kind = LOGLINE_OTHER, .queue_id = "", .message_id = ""};
	if (!take_stamp(&at, line) || !take_program(&at, line))
		return false;
	if (g_str_has_prefix(line->program, "postfix") && line->service != line->program)
		return take_postfix(&at, line);
	return is_ours(line->program) && take_ours(&at, line);
}

/* ---- time ---- */

static int month_of(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < (int)(sizeof(months) / 3); i++)
		if (strncmp(months + (ptrdiff_t)3 * i, name, 3) == 0)
			return i;
	return -1;
}

static int two_digits(const char *text)
{
	int tens = *text == ' ' ? 0 : g_ascii_digit_value(text[0]);
	int ones = g_ascii_digit_value(text[1]);

	return tens < 0 || ones < 0 ? -1 : tens * 10 + ones;
}

static int64_t local_ms(const struct tm *when, int year)
{
	struct tm copy = *when;

	copy.tm_year = year;
	copy.tm_isdst = -1;
	return (int64_t)mktime(&copy) * MS_PER_S;
}

static int64_t traditional_ms(const char *stamp, int64_t reference_ms)
{
	time_t reference = (time_t)((reference_ms + DAY_MS) / MS_PER_S);
	struct tm now;
	struct tm when = {
		.tm_mon = month_of(stamp),
		.tm_mday = two_digits(stamp + 4),
		.tm_hour = two_digits(stamp + 7),
		.tm_min = two_digits(stamp + 10),
		.tm_sec = two_digits(stamp + 13),
	};

	if (when.tm_mon < 0 || when.tm_mday < 1 || when.tm_hour < 0 || when.tm_min < 0 ||
	    when.tm_sec < 0 || localtime_r(&reference, &now) == NULL)
		return -1;
	int64_t ms = local_ms(&when, now.tm_year);

	return ms <= reference_ms + DAY_MS ? ms : local_ms(&when, now.tm_year - 1);
}

int64_t logline_when(const struct logline *line, int64_t reference_ms, bool *exact)
{
	*exact = false;
	if (*line->stamp == '\0')
		return -1;
	if (g_ascii_isupper(*line->stamp))
		return traditional_ms(line->stamp, reference_ms);
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(line->stamp, NULL);

	if (time == NULL)
		return -1;
	*exact = strchr(line->stamp, '.') != NULL;
	return g_date_time_to_unix(time) * MS_PER_S + g_date_time_get_microsecond(time) / US_PER_MS;
}

/* ---- Postfix's fields ---- */

/* The end of "<...>", whose local part may be a quoted string (RFC 5321, 4.1.2). */
static const char *bracket_end(const char *open)
{
	bool quoted = false;

	for (const char *p = open + 1; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == '>' && !quoted)
			return p;
	}
	return NULL;
}

/* "name=value, name=<value>, status=sent (text)".  The end of the value that begins at `value`. */
static const char *postfix_value_end(const char *value)
{
	const char *end = *value == '<' ? bracket_end(value) : NULL;

	return end != NULL ? end + 1 : value + strcspn(value, ", ");
}

static char *without_brackets(const char *value, const char *end)
{
	if (*value == '<' && end[-1] == '>')
		return g_strndup(value + 1, (size_t)(end - value) - 2);
	return g_strndup(value, (size_t)(end - value));
}

static char *postfix_field(const char *at, const char *name)
{
	size_t length = strlen(name);

	while (*at != '\0') {
		size_t key = strcspn(at, "= ");

		if (at[key] != '=')
			break;
		const char *value = at + key + 1;
		const char *end = postfix_value_end(value);

		if (key == length && strncmp(at, name, key) == 0)
			return without_brackets(value, end);
		at = end + strspn(end, ",");
		at += strspn(at, " ");
	}
	/* What the other side said, to the end of the line. */
	if (strcmp(name, "(") == 0 && *at == '(') {
		size_t text = strlen(at);

		return g_strndup(at + 1, text - 1 - (at[text - 1] == ')'));
	}
	return NULL;
}

/* ---- our fields ---- */

static const char *unquote_hex(const char *p, GString *out)
{
	gunichar c = 0;

	for (int i = 0; i < HEX_DIGITS && g_ascii_isxdigit(p[1]); i++)
		c = c * HEX + (gunichar)g_ascii_xdigit_value(*++p);
	/* It was a control character: the table shows it escaped again. */
	g_string_append_unichar(out, c != 0 && g_unichar_validate(c) ? c : '?');
	return p;
}

/* *at is behind the opening quote, and is moved behind the closing one. */
static char *unquote(const char **at)
{
	GString *out = g_string_new(NULL);
	const char *p = *at;

	for (; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && p[1] == 'u') {
			p = unquote_hex(p + 1, out);
			continue;
		}
		if (*p == '\\' && p[1] != '\0')
			p++;
		g_string_append_c(out, *p);
	}
	*at = *p == '"' ? p + 1 : p;
	return g_string_free(out, FALSE);
}

static char *our_field(const char *at, const char *name)
{
	while (*at != '\0') {
		const char *key = at;
		size_t length = strcspn(at, "= ");

		if (at[length] != '=')
			return NULL;
		at += length + 1;
		char *value;

		if (*at == '"') {
			at++;
			value = unquote(&at);
		} else {
			size_t size = strcspn(at, " ");

			value = g_strndup(at, size);
			at += size;
		}
		if (strlen(name) == length && strncmp(key, name, length) == 0)
			return value;
		g_free(value);
		at += strspn(at, " ");
	}
	return NULL;
}

char *logline_field(const struct logline *line, const char *name)
{
	return line->kind == LOGLINE_OURS ? our_field(line->text, name)
					  : postfix_field(line->text, name);
}

char *logline_queued_as(const char *reply)
{
	static const char words[] = "queued as ";
	const char *found = NULL;

	for (const char *p = strstr(reply, words); p != NULL; p = strstr(p + 1, words))
		found = p + sizeof(words) - 1;
	if (found == NULL)
		return NULL;
	g_autofree char *id = g_strndup(found, strcspn(found, " .;,)"));

	return logline_is_queue_id(id) ? g_steal_pointer(&id) : NULL;
}
