#include "mailin/parse/tnef_stream.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h> /* for ytnef.h */

#include <ytnef.h>

enum { SIGNATURE = 0x223E9F78, MULTIPLE_VALUES = 0x1000, NAMED_PROPERTIES = 0x8000 };

enum { KEY_SIZE = 2, CHECKSUM_SIZE = 2, GUID_SIZE = 16, ALIGNMENT = 4, RENDDATA_SIZE = 14 };

/* The library refuses more; more than one of each kind are not taken anyway. */
enum { PROPERTIES_KEPT_MAX = 32 };

/* Attributes that tnef.c needs; attAttachRenddata begins an attachment. */
static const DWORD message_attributes[] = {attOemCodepage, attBody, attMAPIProps};
static const DWORD attachment_attributes[] = {attAttachTitle, attAttachData, attAttachment};

static const uint16_t wanted_properties[] = {
	PR_BODY,          PR_BODY_HTML,       PR_RTF_COMPRESSED,        PR_INTERNET_CPID,
	PR_DISPLAY_NAME,  PR_ATTACH_DATA_OBJ, PR_ATTACH_FILENAME,       PR_ATTACH_LONG_FILENAME,
	PR_ATTACH_METHOD, PR_ATTACH_MIME_TAG, PR_ATTACH_TRANSPORT_NAME, PR_ATTACH_CONTENT_ID,
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

static bool is_wanted(const struct property *property, const uint32_t *seen, size_t count)
{
	bool wanted = false;

	for (size_t i = 0; i < G_N_ELEMENTS(wanted_properties); i++)
		wanted = wanted || wanted_properties[i] == property->id;
	for (size_t i = 0; i < count; i++)
		wanted = wanted && seen[i] != property->id;
	return wanted && property->size > 0 &&
	       (is_variable(property->type) || property->type == PT_LONG);
}

static void clean_properties(GByteArray *out, BYTE level, DWORD attribute, struct reader reader)
{
	g_autoptr(GByteArray) kept = g_byte_array_new();
	uint32_t seen[PROPERTIES_KEPT_MAX];
	uint32_t count = 0;
	uint32_t total;
	struct property property;

	if (!take_number(&reader, sizeof(DWORD), &total))
		return;
	put_number(kept, sizeof(DWORD), 0);
	for (uint32_t i = 0; i < total && count < PROPERTIES_KEPT_MAX; i++) {
		if (!take_property(&reader, &property))
			break;
		if (is_wanted(&property, seen, count)) {
			put_property(kept, &property);
			seen[count++] = property.id;
		}
	}
	if (count == 0)
		return;
	kept->data[0] = (guint8)count; /* the lowest of its four bytes is enough */
	put_attribute(out, level, attribute, kept->data, kept->len);
}

/* ---- attributes ---- */

struct cleaner {
	GByteArray *out;
	size_t files_left;
	unsigned message_seen;    /* bits by position in message_attributes */
	unsigned attachment_seen; /* the same of attachment_attributes, for the one that is open */
	bool attachment_open;
};

/* Its bit in `seen`; 0 if it is not in the list. */
static unsigned bit_of(DWORD attribute, const DWORD *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == attribute)
			return 1u << i;
	return 0;
}

static bool is_new(unsigned bit, unsigned *seen)
{
	bool new = (*seen & bit) == 0;

	*seen |= bit;
	return new;
}

static void begin_attachment(struct cleaner *cleaner)
{
	static const unsigned char rendering[RENDDATA_SIZE];

	cleaner->attachment_seen = 0;
	cleaner->attachment_open = cleaner->files_left > 0;
	if (!cleaner->attachment_open)
		return;
	cleaner->files_left--;
	put_attribute(cleaner->out, LVL_ATTACHMENT, attAttachRenddata, rendering,
		      sizeof(rendering));
}

static void put_clean(struct cleaner *cleaner, BYTE level, DWORD attribute, struct reader value)
{
	if (attribute == attMAPIProps || attribute == attAttachment)
		clean_properties(cleaner->out, level, attribute, value);
	else if (value.left > 0)
		put_attribute(cleaner->out, level, attribute, value.bytes, value.left);
}

static void clean_attribute(struct cleaner *cleaner, DWORD attribute, struct reader value)
{
	unsigned message = bit_of(attribute, message_attributes, G_N_ELEMENTS(message_attributes));
	unsigned attachment =
		bit_of(attribute, attachment_attributes, G_N_ELEMENTS(attachment_attributes));

	if (attribute == attAttachRenddata) {
		begin_attachment(cleaner);
	} else if (message != 0 && is_new(message, &cleaner->message_seen)) {
		put_clean(cleaner, LVL_MESSAGE, attribute, value);
	} else if (attachment != 0) {
		/* Some writers leave the rendering out; what belongs to it would be lost. */
		if (!cleaner->attachment_open)
			begin_attachment(cleaner);
		if (cleaner->attachment_open && is_new(attachment, &cleaner->attachment_seen))
			put_clean(cleaner, LVL_ATTACHMENT, attribute, value);
	}
}

GByteArray *tnef_stream_clean(const void *data, size_t size, size_t files_max)
{
	struct reader reader = {data, size};
	uint32_t signature;
	uint32_t level;
	uint32_t attribute;
	uint32_t length;

	/* The library counts in int. */
	if (size > INT32_MAX / 2 || !take_number(&reader, sizeof(DWORD), &signature) ||
	    signature != SIGNATURE || take(&reader, KEY_SIZE) == NULL)
		return NULL;
	struct cleaner cleaner = {.out = g_byte_array_sized_new((guint)size),
				  .files_left = files_max};
	put(cleaner.out, data, sizeof(DWORD) + KEY_SIZE);
	while (take_number(&reader, sizeof(BYTE), &level) &&
	       take_number(&reader, sizeof(DWORD), &attribute) &&
	       take_number(&reader, sizeof(DWORD), &length)) {
		const unsigned char *bytes = take(&reader, length);

		if (bytes == NULL || (level != LVL_MESSAGE && level != LVL_ATTACHMENT))
			break;
		clean_attribute(&cleaner, attribute, (struct reader){bytes, length});
		if (take(&reader, CHECKSUM_SIZE) == NULL)
			break;
	}
	return cleaner.out;
}
