#include "mailin/parse/tnef_stream.h"

#include <stdio.h> /* for ytnef.h */
#include <string.h>

#include <ytnef.h>

enum { SIGNATURE = 0x223E9F78, MULTIPLE_VALUES = 0x1000, NAMED_PROPERTIES = 0x8000 };

enum { KEY_SIZE = 2, CHECKSUM_SIZE = 2, GUID_SIZE = 16, ALIGNMENT = 4, RENDDATA_SIZE = 14 };

/* What libytnef takes. */
enum { TITLE_MAX = 99, TITLE_HEAD = 60, STRING_MAX = 65536 };

/* An attachment's, as tnef.c asks for them. */
static const uint16_t wanted_properties[] = {
	PR_DISPLAY_NAME,    PR_ATTACH_FILENAME,   PR_ATTACH_LONG_FILENAME,  PR_ATTACH_METHOD,
	PR_ATTACH_MIME_TAG, PR_ATTACH_CONTENT_ID, PR_ATTACH_TRANSPORT_NAME,
};

struct reader {
	const unsigned char *bytes;
	size_t left;
};

/* NULL if so many are not there. */
static const unsigned char *take(struct reader *reader, size_t size)
{
	const unsigned char *bytes = reader->bytes;

	if (size > reader->left)
		return NULL;
	reader->bytes += size;
	reader->left -= size;
	return bytes;
}

static bool take_number(struct reader *reader, size_t size, uint32_t *number)
{
	const unsigned char *bytes = take(reader, size);

	if (bytes == NULL)
		return false;
	*number = 0;
	for (size_t i = size; i > 0; i--)
		*number = *number << 8 | bytes[i - 1];
	return true;
}

/* A value and the bytes that fill up the last four; these may be missing at the end. */
static const unsigned char *take_padded(struct reader *reader, size_t size)
{
	const unsigned char *bytes = take(reader, size);
	size_t padding = (ALIGNMENT - size % ALIGNMENT) % ALIGNMENT;

	if (bytes != NULL)
		take(reader, MIN(padding, reader->left));
	return bytes;
}

static void put_number(GByteArray *out, size_t size, uint32_t number)
{
	for (size_t i = 0; i < size; i++) {
		guint8 byte = (guint8)(number >> 8 * i);

		g_byte_array_append(out, &byte, 1);
	}
}

static void put(GByteArray *out, const unsigned char *bytes, size_t size)
{
	g_byte_array_append(out, bytes, (guint)size);
}

/* MS-OXTNEF 2.1.3.3. */
static void put_attribute(GByteArray *out, BYTE level, DWORD id, const unsigned char *bytes,
			  size_t size)
{
	uint16_t checksum = 0;

	for (size_t i = 0; i < size; i++)
		checksum = (uint16_t)(checksum + bytes[i]);
	put_number(out, sizeof(level), level);
	put_number(out, sizeof(id), id);
	put_number(out, sizeof(DWORD), (uint32_t)size);
	put(out, bytes, size);
	put_number(out, CHECKSUM_SIZE, checksum);
}

/* ---- properties, MS-OXTNEF 2.1.3.4 ---- */

/* Bytes of a value of fixed size, 0 for those that tell their own. */
static size_t fixed_size(uint32_t type)
{
	switch (type) {
	case PT_I2:
	case PT_BOOLEAN:
		return 2;
	case PT_LONG:
	case PT_R4:
	case PT_ERROR:
		return 4;
	case PT_DOUBLE:
	case PT_CURRENCY:
	case PT_APPTIME:
	case PT_I8:
	case PT_SYSTIME:
		return 8;
	case PT_CLSID:
		return GUID_SIZE;
	default:
		return 0;
	}
}

static bool is_variable(uint32_t type)
{
	return type == PT_STRING8 || type == PT_UNICODE || type == PT_OBJECT || type == PT_BINARY;
}

/* A named property has a GUID and a number or a name between its tag and its value. */
static bool skip_name(struct reader *reader)
{
	uint32_t kind;
	uint32_t length;

	if (take(reader, GUID_SIZE) == NULL || !take_number(reader, sizeof(DWORD), &kind) ||
	    !take_number(reader, sizeof(DWORD), &length))
		return false;
	return kind == 0 || take_padded(reader, length) != NULL;
}

struct property {
	uint32_t type;
	uint32_t id;
	const unsigned char *bytes; /* its first value */
	size_t size;
};

static bool take_value(struct reader *reader, struct property *property, bool first)
{
	uint32_t size = (uint32_t)fixed_size(property->type);

	if (is_variable(property->type) && !take_number(reader, sizeof(DWORD), &size))
		return false;
	const unsigned char *bytes = take_padded(reader, size);
	if (first) {
		property->bytes = bytes;
		property->size = size;
	}
	return bytes != NULL;
}

static bool take_property(struct reader *reader, struct property *property)
{
	uint32_t count = 1;

	if (!take_number(reader, sizeof(WORD), &property->type) ||
	    !take_number(reader, sizeof(WORD), &property->id))
		return false;
	if (property->id >= NAMED_PROPERTIES && !skip_name(reader))
		return false;
	bool many = (property->type & MULTIPLE_VALUES) != 0;
	property->type &= ~(uint32_t)MULTIPLE_VALUES;
	if (!is_variable(property->type) && fixed_size(property->type) == 0)
		return false;
	if ((many || is_variable(property->type)) && !take_number(reader, sizeof(DWORD), &count))
		return false;
	property->bytes = NULL;
	property->size = 0;
	/* Each value takes four bytes at least, so this ends with the reader's. */
	for (uint32_t i = 0; i < count; i++)
		if (!take_value(reader, property, i == 0))
			return false;
	return true;
}

static void put_property(GByteArray *out, const struct property *property)
{
	static const unsigned char padding[ALIGNMENT];
	bool variable = is_variable(property->type);

	put_number(out, sizeof(WORD), property->type == PT_UNICODE ? PT_BINARY : property->type);
	put_number(out, sizeof(WORD), property->id);
	if (variable) {
		put_number(out, sizeof(DWORD), 1);
		put_number(out, sizeof(DWORD), (uint32_t)property->size);
	}
	put(out, property->bytes, property->size);
	put(out, padding, (ALIGNMENT - property->size % ALIGNMENT) % ALIGNMENT);
}

/* ---- the message ---- */

/* The first one, but Unicode is better than what a code page has. */
static void set_value(struct tnef_value *value, const struct property *property)
{
	bool wide = property->type == PT_UNICODE;

	if (!is_variable(property->type) || property->size == 0)
		return;
	if (value->bytes == NULL || (wide && !value->wide))
		*value = (struct tnef_value){property->bytes, property->size, wide};
}

static uint32_t number_of(struct reader reader)
{
	uint32_t number;

	return take_number(&reader, sizeof(DWORD), &number) ? number : 0;
}

static void read_message(struct tnef_stream *stream, struct reader reader)
{
	uint32_t count = number_of(reader);
	struct property property;

	take(&reader, MIN(reader.left, sizeof(DWORD)));
	for (uint32_t i = 0; i < count && take_property(&reader, &property); i++) {
		if (property.id == PR_BODY)
			set_value(&stream->text, &property);
		else if (property.id == PR_BODY_HTML)
			set_value(&stream->html, &property);
		else if (property.id == PR_RTF_COMPRESSED)
			set_value(&stream->rtf, &property);
		else if (property.id == PR_INTERNET_CPID && property.type == PT_LONG)
			stream->html_code_page =
				number_of((struct reader){property.bytes, property.size});
	}
}

/* ---- attachments ---- */

/* What is known of the attachment that is open. */
struct attachment {
	bool open;
	struct reader title;
	struct reader data;
	struct reader object; /* instead of the data, which is a mere notice then */
	GByteArray *properties;
	uint32_t seen[G_N_ELEMENTS(wanted_properties)];
	uint32_t property_count;
};

static bool is_wanted(const struct attachment *attachment, const struct property *property)
{
	bool wanted = false;

	for (size_t i = 0; i < G_N_ELEMENTS(wanted_properties); i++)
		wanted = wanted || wanted_properties[i] == property->id;
	for (uint32_t i = 0; i < attachment->property_count; i++)
		wanted = wanted && attachment->seen[i] != property->id;
	if (is_variable(property->type))
		return wanted && property->size > 0 && property->size <= STRING_MAX;
	return wanted && property->type == PT_LONG;
}

/* MS-OXTNEF 2.1.3.4.1: an object is preceded by its interface's GUID. */
static void set_object(struct attachment *attachment, const struct property *property)
{
	struct reader object = {property->bytes, property->size};

	if (attachment->object.bytes != NULL || !is_variable(property->type))
		return;
	if (property->type == PT_OBJECT && take(&object, GUID_SIZE) == NULL)
		return;
	if (object.left > 0)
		attachment->object = object;
}

static void read_attachment(struct attachment *attachment, struct reader reader)
{
	uint32_t count = number_of(reader);
	struct property property;

	take(&reader, MIN(reader.left, sizeof(DWORD)));
	for (uint32_t i = 0; i < count && take_property(&reader, &property); i++) {
		if (property.id == PR_ATTACH_DATA_OBJ) {
			set_object(attachment, &property);
		} else if (is_wanted(attachment, &property)) {
			put_property(attachment->properties, &property);
			attachment->seen[attachment->property_count++] = property.id;
		}
	}
}

/* A long title is cut in its middle: the extension matters. */
static void put_title(GByteArray *out, struct reader title)
{
	g_autoptr(GByteArray) cut = g_byte_array_new();

	if (title.left <= TITLE_MAX) {
		put(cut, title.bytes, title.left);
	} else {
		put(cut, title.bytes, TITLE_HEAD);
		put(cut, title.bytes + title.left - (TITLE_MAX - TITLE_HEAD),
		    TITLE_MAX - TITLE_HEAD);
	}
	if (cut->len > 0)
		put_attribute(out, LVL_ATTACHMENT, attAttachTitle, cut->data, cut->len);
}

static void end_attachment(GByteArray *out, struct attachment *attachment)
{
	static const unsigned char rendering[RENDDATA_SIZE];
	struct reader data = attachment->object.left > 0 ? attachment->object : attachment->data;

	if (!attachment->open)
		return;
	put_attribute(out, LVL_ATTACHMENT, attAttachRenddata, rendering, sizeof(rendering));
	put_title(out, attachment->title);
	if (data.left > 0)
		put_attribute(out, LVL_ATTACHMENT, attAttachData, data.bytes, data.left);
	if (attachment->property_count > 0) {
		attachment->properties->data[0] = (guint8)attachment->property_count;
		put_attribute(out, LVL_ATTACHMENT, attAttachment, attachment->properties->data,
			      attachment->properties->len);
	}
	g_byte_array_unref(attachment->properties);
	*attachment = (struct attachment){0};
}

static void begin_attachment(struct attachment *attachment)
{
	attachment->open = true;
	attachment->properties = g_byte_array_new();
	/* Their number, of which the lowest byte is set in the end. */
	put_number(attachment->properties, sizeof(DWORD), 0);
}

/* ---- attributes ---- */

struct run {
	struct tnef_stream *stream;
	struct attachment attachment;
	size_t files_left;
};

static void read_attachment_attribute(struct run *run, DWORD attribute, struct reader value)
{
	struct attachment *attachment = &run->attachment;

	if (attribute == attAttachRenddata)
		end_attachment(run->stream->clean, attachment);
	/* Some writers leave the rendering out; what belongs to it would be lost. */
	if (!attachment->open) {
		if (run->files_left == 0)
			return;
		run->files_left--;
		begin_attachment(attachment);
	}
	if (attribute == attAttachTitle && attachment->title.bytes == NULL)
		attachment->title = value;
	else if (attribute == attAttachData && attachment->data.bytes == NULL)
		attachment->data = value;
	else if (attribute == attAttachment)
		read_attachment(attachment, value);
}

static void read_attribute(struct run *run, DWORD attribute, struct reader value)
{
	switch (attribute) {
	case attOemCodepage:
		run->stream->code_page = number_of(value);
		break;
	case attBody:
		set_value(&run->stream->text,
			  &(struct property){PT_STRING8, PR_BODY, value.bytes, value.left});
		break;
	case attMAPIProps:
		read_message(run->stream, value);
		break;
	case attAttachRenddata:
	case attAttachTitle:
	case attAttachData:
	case attAttachment:
		read_attachment_attribute(run, attribute, value);
		break;
	default:
		break;
	}
}

bool tnef_stream_read(struct tnef_stream *stream, const void *data, size_t size, size_t files_max)
{
	struct reader reader = {data, size};
	struct run run = {.stream = stream, .files_left = files_max};
	uint32_t signature;
	uint32_t level;
	uint32_t attribute;
	uint32_t length;

	*stream = (struct tnef_stream){0};
	/* The library counts in int. */
	if (size > INT32_MAX / 2 || !take_number(&reader, sizeof(DWORD), &signature) ||
	    signature != SIGNATURE || take(&reader, KEY_SIZE) == NULL)
		return false;
	stream->clean = g_byte_array_sized_new((guint)size);
	put(stream->clean, data, sizeof(DWORD) + KEY_SIZE);
	while (take_number(&reader, sizeof(BYTE), &level) &&
	       take_number(&reader, sizeof(DWORD), &attribute) &&
	       take_number(&reader, sizeof(DWORD), &length)) {
		const unsigned char *bytes = take(&reader, length);

		stream->broken = bytes == NULL || (level != LVL_MESSAGE && level != LVL_ATTACHMENT);
		if (stream->broken)
			break;
		read_attribute(&run, attribute, (struct reader){bytes, length});
		if (take(&reader, CHECKSUM_SIZE) == NULL)
			break;
	}
	end_attachment(stream->clean, &run.attachment);
	return true;
}

void tnef_stream_clear(struct tnef_stream *stream)
{
	g_clear_pointer(&stream->clean, g_byte_array_unref);
}
