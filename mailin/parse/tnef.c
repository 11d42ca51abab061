#include "mailin/parse/tnef.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <ytnef.h>

#include "mailin/parse/charset.h"
#include "mailin/parse/tnef_stream.h"

/* MS-OXRTFCP 2.1.3.1. */
enum {
	RTF_HEADER_SIZE = 16,
	RTF_COMPRESSED = 0x75465A4C,
	RTF_PLAIN = 0x414C454D,
	RTF_RATIO_MAX = 9, /* two bytes and a bit stand for 17 at most */
	RTF_FLAGS = 8,     /* literals or references behind one byte of flags */
	RTF_SLACK = 32,
};

static const unsigned char tnef_signature[] = {0x78, 0x9F, 0x3E, 0x22};

/* ---- silence ---- */

static ssize_t swallow(void *cookie, const char *bytes, size_t size)
{
	(void)cookie;
	(void)bytes;
	return (ssize_t)size;
}

/* The library reports trouble by printf(), and standard output is the document.  NULL if memory ran
 * out. */
static FILE *mute(FILE **before)
{
	FILE *sink = fopencookie(NULL, "w", (cookie_io_functions_t){.write = swallow});

	*before = stdout;
	if (sink != NULL)
		stdout = sink;
	return sink;
}

static void unmute(FILE *sink, FILE *before)
{
	stdout = before;
	if (sink != NULL)
		fclose(sink);
}

/* ---- values ---- */

/* Of type `type`, or NULL. */
static const variableLength *find(MAPIProps *properties, DWORD type, DWORD id)
{
	const variableLength *value = MAPIFindProperty(properties, PROP_TAG(type, id));

	return value == MAPI_UNDEFINED || value->data == NULL || value->size <= 0 ? NULL : value;
}

static uint32_t little_endian(const unsigned char *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* NULL if it is empty. */
static char *to_text(const char *label, const unsigned char *bytes, size_t size)
{
	size_t text_size;
	bool wrong;
	g_autofree char *text =
		charset_to_utf8(label, (const char *)bytes, size, &text_size, &wrong);

	return *text == '\0' ? NULL : g_steal_pointer(&text);
}

/* Strings end at their first NUL, of one byte or two. */
static size_t size_to_nul(const unsigned char *bytes, size_t size, size_t width)
{
	static const unsigned char nul[2];

	for (size_t i = 0; i + width <= size; i += width)
		if (memcmp(bytes + i, nul, width) == 0)
			return i;
	return size;
}

static char *value_text(const struct tnef_value *value, const char *code_page)
{
	if (value->bytes == NULL)
		return NULL;
	return to_text(value->wide ? "utf-16le" : code_page, value->bytes,
		       size_to_nul(value->bytes, value->size, value->wide ? 2 : 1));
}

static char *narrow_text(const char *code_page, const variableLength *value)
{
	return value_text(&(struct tnef_value){value->data, (size_t)value->size, false}, code_page);
}

/* Unicode, which tnef_stream_read() has made binary, before the sender's code page. */
static char *find_text(MAPIProps *properties, DWORD id, const char *code_page)
{
	const variableLength *value = find(properties, PT_BINARY, id);

	if (value != NULL)
		return value_text(&(struct tnef_value){value->data, (size_t)value->size, true},
				  NULL);
	value = find(properties, PT_STRING8, id);
	return value != NULL ? narrow_text(code_page, value) : NULL;
}

static char *code_page_label(uint32_t code_page)
{
	return code_page == 0 ? g_strdup("windows-1252") : g_strdup_printf("cp%" PRIu32, code_page);
}

/* ---- attachments ---- */

static char *file_name(Attachment *attachment, const char *code_page)
{
	static const DWORD names[] = {PR_ATTACH_LONG_FILENAME, PR_ATTACH_FILENAME,
				      PR_ATTACH_TRANSPORT_NAME};

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char *name = find_text(&attachment->MAPI, names[i], code_page);

		if (name != NULL)
			return name;
	}
	if (attachment->Title.size > 0)
		return narrow_text(code_page, &attachment->Title);
	return find_text(&attachment->MAPI, PR_DISPLAY_NAME, code_page);
}

static char *content_id(Attachment *attachment, const char *code_page)
{
	char *id = find_text(&attachment->MAPI, PR_ATTACH_CONTENT_ID, code_page);

	if (id == NULL)
		return NULL;
	size_t size = strlen(id);
	if (size > 2 && id[0] == '<' && id[size - 1] == '>') {
		memmove(id, id + 1, size - 2);
		id[size - 2] = '\0';
	}
	return id;
}

static void take_file(struct tnef_file *file, Attachment *attachment, const char *code_page)
{
	file->name = file_name(attachment, code_page);
	file->content_type = find_text(&attachment->MAPI, PR_ATTACH_MIME_TAG, code_page);
	file->content_id = content_id(attachment, code_page);
	/* Its memory is the C library's, as g_free()'s is, and may be large: no copy. */
	file->data = attachment->FileData.data;
	file->size = file->data != NULL ? (size_t)attachment->FileData.size : 0;
	attachment->FileData = (variableLength){NULL, 0};
	if (file->content_type == NULL && file->size >= sizeof(tnef_signature) &&
	    memcmp(file->data, tnef_signature, sizeof(tnef_signature)) == 0)
		file->content_type = g_strdup("application/vnd.ms-tnef");
}

static void take_files(struct tnef *tnef, TNEFStruct *parsed, const char *code_page)
{
	size_t count = 0;

	for (Attachment *a = parsed->starting_attach.next; a != NULL; a = a->next)
		count++;
	tnef->files = g_new0(struct tnef_file, count);
	for (Attachment *a = parsed->starting_attach.next; a != NULL; a = a->next)
		take_file(&tnef->files[tnef->file_count++], a, code_page);
}

static void open_files(struct tnef *tnef, const struct tnef_stream *stream, const char *code_page)
{
	TNEFStruct parsed;

	memset(&parsed, 0, sizeof(parsed));
	TNEFInitialize(&parsed);
	if (TNEFParseMemory(stream->clean->data, (long)stream->clean->len, &parsed) >= 0)
		take_files(tnef, &parsed, code_page);
	TNEFFree(&parsed);
}

/* ---- bodies ---- */

/*
 * The decompressed text in the C library's memory, or NULL.  The library reads and leaks where a
 * stream ends too early, so it gets one that does not: zero bytes follow, each a literal zero or
 * the flags of eight.
 */
static char *decompress(const struct tnef_value *value, size_t raw_size, size_t *size)
{
	if (raw_size > value->size * RTF_RATIO_MAX)
		return NULL;
	size_t padded_size = value->size + raw_size + raw_size / RTF_FLAGS + RTF_SLACK;
	if (padded_size > INT_MAX / 2)
		return NULL;
	g_autofree unsigned char *padded = g_malloc0(padded_size);
	variableLength copy = {padded, (int)padded_size};
	int length = 0;

	memcpy(padded, value->bytes, value->size);
	/* The size of what follows; the library insists. */
	for (size_t i = 0; i < sizeof(uint32_t); i++)
		padded[i] = (unsigned char)((padded_size - sizeof(uint32_t)) >> 8 * i);
	char *text = (char *)DecompressRTF(&copy, &length);
	if (text == NULL || length <= 0) {
		free(text);
		return NULL;
	}
	*size = strnlen(text, (size_t)length);
	text = g_realloc(text, *size + 1);
	text[*size] = '\0';
	return text;
}

static void take_rtf(struct tnef *tnef, const struct tnef_value *value)
{
	if (value->bytes == NULL || value->size <= RTF_HEADER_SIZE)
		return;
	size_t body_size = value->size - RTF_HEADER_SIZE;
	size_t raw_size = little_endian(value->bytes + sizeof(uint32_t));
	uint32_t kind = little_endian(value->bytes + 2 * sizeof(uint32_t));
	if (kind == RTF_COMPRESSED) {
		tnef->rtf = decompress(value, raw_size, &tnef->rtf_size);
	} else if (kind == RTF_PLAIN && raw_size <= body_size) {
		tnef->rtf = g_strndup((const char *)value->bytes + RTF_HEADER_SIZE, raw_size);
		tnef->rtf_size = raw_size;
	}
}

static void take_bodies(struct tnef *tnef, const struct tnef_stream *stream, const char *code_page)
{
	g_autofree char *html_code_page = stream->html_code_page != 0
						  ? code_page_label(stream->html_code_page)
						  : g_strdup(code_page);

	tnef->text = value_text(&stream->text, code_page);
	tnef->html = value_text(&stream->html, html_code_page);
	take_rtf(tnef, &stream->rtf);
}

struct tnef *tnef_open(const void *data, size_t size, size_t files_max)
{
	struct tnef_stream stream;
	FILE *before;

	if (!tnef_stream_read(&stream, data, size, files_max))
		return NULL;
	g_autofree char *code_page = code_page_label(stream.code_page);
	struct tnef *tnef = g_new0(struct tnef, 1);
	tnef->broken = stream.broken;
	FILE *sink = mute(&before);
	if (sink != NULL) {
		open_files(tnef, &stream, code_page);
		take_bodies(tnef, &stream, code_page);
	}
	unmute(sink, before);
	tnef_stream_clear(&stream);
	return tnef;
}

void tnef_free(struct tnef **tnef)
{
	struct tnef *t = *tnef;

	if (t == NULL)
		return;
	for (size_t i = 0; i < t->file_count; i++) {
		g_free(t->files[i].name);
		g_free(t->files[i].content_type);
		g_free(t->files[i].content_id);
		g_free(t->files[i].data);
	}
	g_free(t->files);
	g_free(t->text);
	g_free(t->html);
	g_free(t->rtf);
	g_free(t);
	*tnef = NULL;
}
