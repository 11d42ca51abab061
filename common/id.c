#include "common/id.h"

#include <glib.h>
#include <nettle/sha2.h>
#include <string.h>
#include <uuid.h>

#include "common/deadline.h"

enum {
	TIME_BYTES = 6,
	VERSION_TIME_ORDERED = 7,
	VERSION_CUSTOM = 8,
	/* Postfix mail_queue.h: MQID_LG_SEC_BASE, MQID_LG_SEC_PAD, MQID_LG_USEC_PAD. */
	QUEUE_BASE = 52,
	QUEUE_SECONDS_MIN = 6,
	QUEUE_MICROSECONDS = 4,
	QUEUE_ID_MAX = 64,
	US_PER_S = 1000000,
	MS_PER_S = 1000,
	US_PER_MS = 1000,
};

/* Postfix mail_queue.h: the inode number follows this letter, which its base lacks. */
static const char QUEUE_INODE_SEPARATOR = 'z';
/* Postfix safe_ultostr.c: no vowels, so that no words come out. */
static const char QUEUE_DIGITS[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

static void set_time(struct id *id, int64_t ms)
{
	for (int i = 0; i < TIME_BYTES; i++)
		id->byte[i] = (unsigned char)((uint64_t)ms >> (8 * (TIME_BYTES - 1 - i)));
}

/* RFC 9562, 4.1 and 4.2. */
static void set_version(struct id *id, int version)
{
	id->byte[6] = (unsigned char)((id->byte[6] & 0x0f) | (version << 4));
	id->byte[8] = (unsigned char)((id->byte[8] & 0x3f) | 0x80);
}

void id_new(struct id *id)
{
	uuid_t random;

	uuid_generate_random(random);
	memcpy(id->byte, random, ID_SIZE);
	set_time(id, realtime_ms());
	set_version(id, VERSION_TIME_ORDERED);
}

/* -1 if a character is no digit of the base or the number grows too large. */
static int64_t decode_base52(const char *text, size_t size)
{
	int64_t number = 0;

	for (size_t i = 0; i < size; i++) {
		const char *digit = strchr(QUEUE_DIGITS, text[i]);

		if (text[i] == '\0' || digit == NULL || number > INT64_MAX / QUEUE_BASE / 2)
			return -1;
		number = number * QUEUE_BASE + (digit - QUEUE_DIGITS);
	}
	return number;
}

bool id_queue_time(const char *queue_id, int64_t *ms)
{
	size_t size = strnlen(queue_id, QUEUE_ID_MAX + 1);
	const char *inode = strrchr(queue_id, QUEUE_INODE_SEPARATOR);

	if (size > QUEUE_ID_MAX || inode == NULL ||
	    inode - queue_id < QUEUE_SECONDS_MIN + QUEUE_MICROSECONDS)
		return false;
	size_t seconds_size = (size_t)(inode - queue_id) - QUEUE_MICROSECONDS;
	int64_t seconds = decode_base52(queue_id, seconds_size);
	int64_t microseconds = decode_base52(queue_id + seconds_size, QUEUE_MICROSECONDS);
	/* 48 bits of milliseconds is all an id can carry. */
	const int64_t seconds_max = (INT64_C(1) << 48) / MS_PER_S - 1;

	if (seconds < 0 || seconds > seconds_max || microseconds < 0 || microseconds >= US_PER_S)
		return false;
	*ms = seconds * MS_PER_S + microseconds / US_PER_MS;
	return true;
}

/* The terminating NUL goes in, too: "ab" + "c" must differ from "a" + "bc". */
static void hash_text(struct sha256_ctx *context, const char *text)
{
	sha256_update(context, strlen(text) + 1, (const uint8_t *)text);
}

void id_inbound(struct id *id, const char *instance, const char *queue_id, const char *recipient,
		const unsigned char digest[32], int64_t now_ms)
{
	struct sha256_ctx context;
	int64_t ms = now_ms;

	sha256_init(&context);
	hash_text(&context, instance);
	hash_text(&context, queue_id);
	hash_text(&context, recipient);
	sha256_update(&context, SHA256_DIGEST_SIZE, digest);
	sha256_digest(&context, ID_SIZE, id->byte);
	(void)id_queue_time(queue_id, &ms);
	set_time(id, ms);
	set_version(id, VERSION_CUSTOM);
}

void id_derived(struct id *id, const struct id *from, const char *purpose)
{
	struct sha256_ctx context;
	struct id source = *from;

	sha256_init(&context);
	hash_text(&context, purpose);
	sha256_update(&context, ID_SIZE, source.byte);
	sha256_digest(&context, ID_SIZE, id->byte);
	memcpy(id->byte, source.byte, TIME_BYTES);
	set_version(id, VERSION_CUSTOM);
}

char *id_text(const struct id *id, char text[ID_TEXT_SIZE])
{
	uuid_unparse_lower(id->byte, text);
	return text;
}

bool id_parse(struct id *id, const char *text)
{
	uuid_t parsed;

	if (strlen(text) != ID_TEXT_SIZE - 1 || uuid_parse(text, parsed) != 0)
		return false;
	memcpy(id->byte, parsed, ID_SIZE);
	return true;
}

/* The last bytes are random, whoever made the id; the first ones are a time. */
unsigned int id_hash(const void *id)
{
	unsigned int hash;

	memcpy(&hash, ((const struct id *)id)->byte + ID_SIZE - sizeof(hash), sizeof(hash));
	return hash;
}

int id_equal(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id)) == 0;
}
