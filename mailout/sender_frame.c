#include "mailout/sender_frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
	LENGTH_SIZE = sizeof(uint32_t),
	READ_SIZE = 64 * 1024,
	KEEP_MAX = 1024 * 1024, /* a larger buffer is given back once it is empty */
	RECIPIENTS_MAX = 1000,  /* limits.recipients allows no more */
};

/* ---- writing ---- */

static void put(GByteArray *to, const void *data, size_t size)
{
	g_byte_array_append(to, data, (guint)size);
}

static void put_u32(GByteArray *to, uint32_t value)
{
	put(to, &value, sizeof(value));
}

static void put_u64(GByteArray *to, uint64_t value)
{
	put(to, &value, sizeof(value));
}

static void put_text(GByteArray *to, const char *text)
{
	put(to, text, strlen(text) + 1);
}

static GByteArray *frame_begin(void)
{
	GByteArray *frame = g_byte_array_new();

	put_u32(frame, 0);
	return frame;
}

static GBytes *frame_end(GByteArray *frame)
{
	uint32_t size = frame->len - LENGTH_SIZE;

	memcpy(frame->data, &size, sizeof(size));
	return g_byte_array_free_to_bytes(frame);
}

GBytes *frame_from_job(uint64_t serial, const char *mail_from, const char *const *recipients,
		       size_t recipient_count, const void *message, size_t size)
{
	GByteArray *frame = frame_begin();

	put_u64(frame, serial);
	put_u32(frame, (uint32_t)recipient_count);
	put_text(frame, mail_from);
	for (size_t i = 0; i < recipient_count; i++)
		put_text(frame, recipients[i]);
	put(frame, message, size);
	return frame_end(frame);
}

GBytes *frame_from_answer(const struct sender_answer *answer)
{
	GByteArray *frame = frame_begin();

	put_u64(frame, answer->serial);
	put_u32(frame, answer->tried);
	put_u32(frame, (uint32_t)answer->recipient_count);
	for (size_t i = 0; i < answer->recipient_count; i++) {
		const struct sent_recipient *recipient = &answer->recipients[i];

		put_u32(frame, recipient->state);
		put_u32(frame, (uint32_t)recipient->code);
		put_text(frame, recipient->status);
		put_text(frame, recipient->reply);
	}
	return frame_end(frame);
}

/* ---- reading ---- */

struct cursor {
	const char *at;
	const char *end;
};

static bool get(struct cursor *from, void *to, size_t size)
{
	if ((size_t)(from->end - from->at) < size)
		return false;
	memcpy(to, from->at, size);
	from->at += size;
	return true;
}

static const char *get_text(struct cursor *from)
{
	const char *text = from->at;
	const char *nul = memchr(text, '\0', (size_t)(from->end - text));

	if (nul == NULL)
		return NULL;
	from->at = nul + 1;
	return text;
}

struct sender_job *frame_to_job(const char *data, size_t size)
{
	struct sender_job *job = g_new0(struct sender_job, 1);
	uint32_t count = 0;

	job->frame = g_memdup2(data, size);
	struct cursor cursor = {.at = job->frame, .end = job->frame + size};

	if (!get(&cursor, &job->serial, sizeof(job->serial)) ||
	    !get(&cursor, &count, sizeof(count)) || count > size)
		goto fault;
	job->mail_from = get_text(&cursor);
	job->recipient_count = count;
	job->recipients = g_new0(const char *, count);
	for (size_t i = 0; i < count && job->mail_from != NULL; i++) {
		job->recipients[i] = get_text(&cursor);
		if (job->recipients[i] == NULL)
			goto fault;
	}
	if (job->mail_from == NULL)
		goto fault;
	job->message = cursor.at;
	job->size = (size_t)(cursor.end - cursor.at);
	return job;
fault:
	sender_job_free(job);
	return NULL;
}

void sender_job_free(struct sender_job *job)
{
	if (job == NULL)
		return;
	g_free(job->recipients);
	g_free(job->frame);
	g_free(job);
}

static bool get_recipient(struct cursor *from, struct sent_recipient *to)
{
	uint32_t state = 0;
	uint32_t code = 0;

	if (!get(from, &state, sizeof(state)) || state > SENT_IN_DOUBT ||
	    !get(from, &code, sizeof(code)) || code > INT32_MAX)
		return false;
	const char *status = get_text(from);
	const char *reply = status != NULL ? get_text(from) : NULL;

	if (reply == NULL || strlen(status) >= sizeof(to->status) ||
	    strlen(reply) > SENDER_REPLY_MAX || !g_utf8_validate(reply, -1, NULL))
		return false;
	to->state = (enum sent_state)state;
	to->code = (int)code;
	g_strlcpy(to->status, status, sizeof(to->status));
	to->reply = g_strdup(reply);
	return true;
}

bool frame_to_answer(struct sender_answer *answer, const char *data, size_t size)
{
	struct cursor cursor = {.at = data, .end = data + size};
	uint32_t tried = 0;
	uint32_t count = 0;

	*answer = (struct sender_answer){0};
	if (!get(&cursor, &answer->serial, sizeof(answer->serial)) ||
	    !get(&cursor, &tried, sizeof(tried)) || !get(&cursor, &count, sizeof(count)) ||
	    count > RECIPIENTS_MAX)
		return false;
	answer->tried = tried != 0;
	answer->recipients = g_new0(struct sent_recipient, count);
	answer->recipient_count = count;
	for (size_t i = 0; i < count; i++) {
		if (!get_recipient(&cursor, &answer->recipients[i])) {
			sender_answer_clear(answer);
			return false;
		}
	}
	return true;
}

void sender_answer_clear(struct sender_answer *answer)
{
	for (size_t i = 0; i < answer->recipient_count; i++)
		g_free(answer->recipients[i].reply);
	g_free(answer->recipients);
	*answer = (struct sender_answer){0};
}

/* ---- the stream ---- */

/* 0 if its length is not there yet. */
static size_t waiting_size(const struct frame_reader *reader)
{
	uint32_t size = 0;

	if (reader->end - reader->begin < LENGTH_SIZE)
		return 0;
	memcpy(&size, reader->data + reader->begin, sizeof(size));
	return LENGTH_SIZE + (size_t)size;
}

static bool make_room(struct frame_reader *reader)
{
	size_t waiting = waiting_size(reader);
	size_t used = reader->end - reader->begin;
	size_t wanted = MAX(waiting, used + READ_SIZE);

	if (waiting > LENGTH_SIZE + reader->frame_max)
		return false;
	if (used > 0)
		memmove(reader->data, reader->data + reader->begin, used);
	if (reader->room < wanted || (reader->room > KEEP_MAX && wanted <= READ_SIZE)) {
		reader->data = g_realloc(reader->data, wanted);
		reader->room = wanted;
	}
	reader->begin = 0;
	reader->end = used;
	return true;
}

enum frame_input frame_read(struct frame_reader *reader, int fd)
{
	if (!make_room(reader))
		return FRAME_INPUT_BROKEN;
	for (;;) {
		ssize_t size = recv(fd, reader->data + reader->end, reader->room - reader->end,
				    MSG_DONTWAIT);

		if (size > 0) {
			reader->end += (size_t)size;
			return FRAME_INPUT_BYTES;
		}
		if (size == 0)
			return FRAME_INPUT_ENDED;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return FRAME_INPUT_NONE;
		if (errno != EINTR)
			return FRAME_INPUT_ENDED;
	}
}

const char *frame_next(struct frame_reader *reader, size_t *size)
{
	size_t waiting = waiting_size(reader);

	if (waiting == 0 || reader->end - reader->begin < waiting)
		return NULL;
	const char *frame = reader->data + reader->begin + LENGTH_SIZE;

	*size = waiting - LENGTH_SIZE;
	reader->begin += waiting;
	return frame;
}

void frame_reader_clear(struct frame_reader *reader)
{
	g_clear_pointer(&reader->data, g_free);
	reader->room = reader->begin = reader->end = 0;
}
