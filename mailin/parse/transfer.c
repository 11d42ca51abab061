#include "mailin/parse/transfer.h"

#include <gmime/gmime.h>
#include <limits.h>

enum transfer { TRANSFER_IDENTITY, TRANSFER_DECODE, TRANSFER_UNKNOWN };

static enum transfer read_encoding(const struct part *part, GMimeContentEncoding *encoding)
{
	static const char *const identity[] = {"",      "7bit", "8bit", "binary", "7-bit",
					       "8-bit", "7",    "8",    "none"};
	const struct field *field = mime_field(part, "Content-Transfer-Encoding");
	struct defects ignored;

	if (field == NULL)
		return TRANSFER_IDENTITY;
	/* It has no parameters, but comments, and some senders put a semicolon. */
	struct params *params = params_parse(field->value, &ignored);
	g_autofree char *name = g_strdup(params_value(params));
	params_free(&params);
	for (size_t i = 0; i < G_N_ELEMENTS(identity); i++)
		if (strcmp(name, identity[i]) == 0)
			return TRANSFER_IDENTITY;
	*encoding = g_mime_content_encoding_from_string(name);
	return *encoding == GMIME_CONTENT_ENCODING_DEFAULT ? TRANSFER_UNKNOWN : TRANSFER_DECODE;
}

/* Anything but the alphabet and blanks, or no whole quantum at the end. */
static bool is_broken_base64(struct span body)
{
	enum { RUBBISH, BLANK, CHARACTER };
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	unsigned char kinds[UCHAR_MAX + 1] = {
		[' '] = BLANK, ['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK};
	size_t characters = 0;
	bool rubbish = false;

	for (const char *c = alphabet; *c != '\0'; c++)
		kinds[(unsigned char)*c] = CHARACTER;
	for (size_t i = 0; i < body.size; i++) {
		unsigned char kind = kinds[(unsigned char)body.data[i]];
		characters += kind == CHARACTER;
		rubbish |= kind == RUBBISH;
	}
	return rubbish || characters % 4 != 0;
}

/* What follows the "begin MODE NAME" line, if there is one: GMime's decoder takes it for data, and
 * blank lines before it, too. */
static bool skip_uuencode_begin(struct span *body)
{
	const char *p = body->data, *end = body->data + body->size;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *next = newline == NULL ? end : newline + 1;
		if ((size_t)(next - p) > strlen("begin ") &&
		    memcmp(p, "begin ", strlen("begin ")) == 0) {
			*body = (struct span){next, (size_t)(end - next)};
			return true;
		}
		p = next;
	}
	return false;
}

size_t transfer_base64_room(size_t size)
{
	enum { SLACK = 8 };

	return size / 4 * 3 + SLACK;
}

size_t transfer_base64(struct span text, char *out)
{
	unsigned char *bytes = (unsigned char *)out;
	int state = 0;
	guint32 save = 0;
	size_t size = g_mime_encoding_base64_decode_step((const unsigned char *)text.data,
							 text.size, bytes, &state, &save);
	/* Two or three characters of the last four are one or two bytes. */
	size_t pending = (size_t)state & 3;
	if (pending >= 2)
		size += g_mime_encoding_base64_decode_step((const unsigned char *)"==", 4 - pending,
							   bytes + size, &state, &save);
	return size;
}

static struct span decode(GMimeContentEncoding encoding, struct span body, char **owned)
{
	size_t size;

	if (encoding == GMIME_CONTENT_ENCODING_BASE64) {
		*owned = g_malloc(transfer_base64_room(body.size));
		size = transfer_base64(body, *owned);
	} else {
		GMimeEncoding state;
		g_mime_encoding_init_decode(&state, encoding);
		*owned = g_malloc(g_mime_encoding_outlen(&state, body.size) + 1);
		size = g_mime_encoding_flush(&state, body.data, body.size, *owned);
	}
	return (struct span){*owned, size};
}

struct span transfer_decode(const struct part *part, char **owned, struct defects *defects)
{
	GMimeContentEncoding encoding = GMIME_CONTENT_ENCODING_DEFAULT;
	enum transfer transfer = read_encoding(part, &encoding);

	*owned = NULL;
	struct span body = part->body;
	if (encoding == GMIME_CONTENT_ENCODING_UUENCODE && !skip_uuencode_begin(&body))
		transfer = TRANSFER_UNKNOWN;
	if (transfer == TRANSFER_UNKNOWN)
		defect_note(defects, DEFECT_ENCODING);
	if (transfer != TRANSFER_DECODE)
		return body;
	if (encoding == GMIME_CONTENT_ENCODING_BASE64 && is_broken_base64(body))
		defect_note(defects, DEFECT_BASE64);
	return decode(encoding, body, owned);
}
