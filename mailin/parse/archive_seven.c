#include "mailin/parse/archive_private.h"

/* 7zFormat.txt of the LZMA SDK: the properties, and where the header is. */
enum {
	SEVEN_END = 0x00,
	SEVEN_PACK_INFO = 0x06,
	SEVEN_UNPACK_INFO = 0x07,
	SEVEN_SIZE = 0x09,
	SEVEN_DIGESTS = 0x0A,
	SEVEN_FOLDER = 0x0B,
	SEVEN_UNPACK_SIZES = 0x0C,
	SEVEN_PACKED_HEADER = 0x17,
	AT_HEADER_OFFSET = 12, /* from behind the start, and then its size */
	START_SIZE = 32,
	NUMBER_BYTES = 8,
	BYTE_BITS = 8,
	DIGEST_BYTES = 4,
	CODERS_MAX = 4, /* and streams of one: BCJ2 has four */
	CODER_ID_SIZE = 0x0F,
	CODER_IS_COMPLEX = 0x10,
	CODER_HAS_PROPERTIES = 0x20,
	CODER_IS_RESERVED = 0xC0,
};

/* What is read of the header; once it is not understood, or at its end, nothing more is. */
struct reader {
	const unsigned char *at;
	size_t left;
	bool broken;
};

static void skip(struct reader *reader, int64_t size)
{
	if (size < 0 || (uint64_t)size > reader->left) {
		reader->broken = true;
		return;
	}
	reader->at += size;
	reader->left -= (size_t)size;
}

static unsigned int take_byte(struct reader *reader)
{
	unsigned int byte = reader->left > 0 && !reader->broken ? *reader->at : 0;

	skip(reader, 1);
	return byte;
}

static void expect(struct reader *reader, unsigned int byte)
{
	if (take_byte(reader) != byte)
		reader->broken = true;
}

/* The first byte's ones say how many bytes follow, the lowest first; what is left of it comes above
 * them.  Beyond INT64_MAX: that. */
static int64_t take_number(struct reader *reader)
{
	unsigned int first = take_byte(reader);
	unsigned int mask = 1U << (BYTE_BITS - 1);
	uint64_t value = 0;
	int shift = 0;

	for (; (first & mask) != 0; mask >>= 1, shift += BYTE_BITS)
		value |= (uint64_t)take_byte(reader) << shift;
	if (mask != 0)
		value |= (uint64_t)(first & (mask - 1)) << shift;
	return (int64_t)MIN(value, (uint64_t)INT64_MAX);
}

/* A count that a coder or a folder may have. */
static int64_t take_count(struct reader *reader)
{
	int64_t count = take_number(reader);

	if (count >= 1 && count <= CODERS_MAX)
		return count;
	reader->broken = true;
	return 0;
}

static void skip_numbers(struct reader *reader, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		take_number(reader);
}

/* What may stand at the end of a list, with all of its digests defined. */
static void skip_end(struct reader *reader, int64_t count)
{
	unsigned int id = take_byte(reader);

	if (id == SEVEN_DIGESTS) {
		expect(reader, 1);
		skip(reader, count * DIGEST_BYTES);
		id = take_byte(reader);
	}
	if (id != SEVEN_END)
		reader->broken = true;
}

static void skip_pack_info(struct reader *reader)
{
	expect(reader, SEVEN_PACK_INFO);
	take_number(reader);
	int64_t streams = take_count(reader);

	expect(reader, SEVEN_SIZE);
	skip_numbers(reader, streams);
	skip_end(reader, streams);
}

/* Adds its streams. */
static void skip_coder(struct reader *reader, int64_t *in, int64_t *out)
{
	unsigned int flags = take_byte(reader);
	bool is_complex = (flags & CODER_IS_COMPLEX) != 0;

	if ((flags & CODER_IS_RESERVED) != 0)
		reader->broken = true;
	skip(reader, flags & CODER_ID_SIZE);
	*in += is_complex ? take_count(reader) : 1;
	*out += is_complex ? take_count(reader) : 1;
	if ((flags & CODER_HAS_PROPERTIES) != 0)
		skip(reader, take_number(reader));
}

/* How many sizes there are of what it unpacks. */
static int64_t skip_folder(struct reader *reader)
{
	int64_t coders = take_count(reader);
	int64_t in = 0;
	int64_t out = 0;

	for (int64_t i = 0; i < coders; i++)
		skip_coder(reader, &in, &out);
	int64_t pairs = out - 1;

	skip_numbers(reader, pairs * 2);
	if (in - pairs > 1)
		skip_numbers(reader, in - pairs);
	return out;
}

/* One folder, not elsewhere. */
static int64_t take_unpack_info(struct reader *reader)
{
	int64_t total = 0;

	expect(reader, SEVEN_UNPACK_INFO);
	expect(reader, SEVEN_FOLDER);
	if (take_number(reader) != 1)
		reader->broken = true;
	expect(reader, 0);
	int64_t sizes = skip_folder(reader);

	expect(reader, SEVEN_UNPACK_SIZES);
	for (int64_t i = 0; i < sizes; i++) {
		int64_t size = take_number(reader);

		total = size > INT64_MAX - total ? INT64_MAX : total + size;
	}
	skip_end(reader, 1);
	return total;
}

static uint64_t number64(const char *at)
{
	uint64_t value = 0;

	for (int i = NUMBER_BYTES - 1; i >= 0; i--)
		value = value << BYTE_BITS | (unsigned char)at[i];
	return value;
}

bool archive_seven_header(struct span data, int64_t *unpacked)
{
	*unpacked = 0;
	if (data.size < START_SIZE)
		return true;
	uint64_t offset = number64(data.data + AT_HEADER_OFFSET);
	uint64_t size = number64(data.data + AT_HEADER_OFFSET + NUMBER_BYTES);
	uint64_t room = data.size - START_SIZE;

	if (offset > room || size > room - offset)
		return true;
	struct reader reader = {
		.at = (const unsigned char *)data.data + START_SIZE + offset,
		.left = (size_t)size,
	};

	if (size == 0 || take_byte(&reader) != SEVEN_PACKED_HEADER)
		return true;
	skip_pack_info(&reader);
	*unpacked = take_unpack_info(&reader);
	expect(&reader, SEVEN_END);
	return !reader.broken;
}
