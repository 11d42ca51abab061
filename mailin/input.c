#include "mailin/input.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/id.h"

enum {
	/* A pipe holds 64 KB unless it is told otherwise (pipe(7)). */
	PIECE_SIZE = 128 * 1024,
	/* Postfix's line_length_limit: longer lines become several records of the queue file. */
	RECORD_MAX = 2048,
	/* A record's length is written in groups of 7 bits (Postfix rec_put(3)). */
	LENGTH_BITS = 7,
	/* Postfix's header_size_limit: a milter cannot delete more headers than that. */
	EDIT_ALLOWANCE = 102400,
	/* A mail that is short at every attempt for so long was not cut off by an accident. */
	SHORT_FOR_EVER_MS = 3600 * 1000,
	PROC_STAT_MAX = 1024,
	/* Linux include/linux/sched.h; field 9 of /proc/PID/stat, see proc(5). */
	PF_EXITING = 0x4,
};

static const char STATUS[] = "4.3.0";

struct counter {
	int64_t total; /* of the records that are complete */
	int64_t line;  /* bytes in the line so far */
};

enum outcome input_open(struct input *input, struct reason *reason)
{
	*input = (struct input){.fd = memfd_create("mail", MFD_CLOEXEC), .ends_in_newline = true};
	if (input->fd < 0)
		return outcome_retry(reason, STATUS, "no memory file for the mail: %s",
				     strerror(errno));
	return OUTCOME_OK;
}

/* Type, length, bytes. */
static int64_t record_size(int64_t bytes)
{
	int64_t length_size = 1;

	for (int64_t rest = bytes >> LENGTH_BITS; rest > 0; rest >>= LENGTH_BITS)
		length_size++;
	return 1 + length_size + bytes;
}

static void count_line(struct counter *counter)
{
	int64_t line = counter->line;

	/* A line that fills its last record is ended by an empty one. */
	for (; line >= RECORD_MAX; line -= RECORD_MAX)
		counter->total += record_size(RECORD_MAX);
	counter->total += record_size(line);
	counter->line = 0;
}

static void count_piece(struct counter *counter, const char *data, size_t size)
{
	const char *end = data + size;
	const char *newline;

	while (data < end && (newline = memchr(data, '\n', (size_t)(end - data))) != NULL) {
		counter->line += newline - data;
		count_line(counter);
		data = newline + 1;
	}
	counter->line += end - data;
}

/*
 * The size of the header lines that pipe(8) put before the mail (flags R, O and D; Postfix
 * mail_copy.c writes each at most once and in this order).
 */
static size_t prelude_size(const char *data, size_t size)
{
	static const char *const NAMES[] = {"Return-Path: ", "X-Original-To: ", "Delivered-To: "};
	size_t at = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		size_t name_size = strlen(NAMES[i]);

		if (size - at < name_size || memcmp(data + at, NAMES[i], name_size) != 0)
			continue;
		const char *newline = memchr(data + at, '\n', size - at);

		if (newline == NULL)
			return at;
		at = (size_t)(newline + 1 - data);
	}
	return at;
}

/* Full pieces but the last, so that a header line of the prelude is never cut in two.  -1: errno.
 */
static ssize_t read_piece(int from, char *piece, size_t size_max)
{
	size_t size = 0;

	while (size < size_max) {
		ssize_t got = read(from, piece + size, size_max - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	return (ssize_t)size;
}

static bool write_all(int to, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t written = write(to, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		data += written;
		size -= (size_t)written;
	}
	return true;
}

static void digest_and_count_end(struct input *input, struct sha256_ctx *hash,
				 struct counter *counter)
{
	sha256_digest(hash, SHA256_SIZE, input->digest);
	if (counter->line > 0)
		count_line(counter);
	input->queue_size = counter->total;
}

enum outcome input_read(struct input *input, int from, int64_t limit, struct reason *reason)
{
	char piece[PIECE_SIZE];
	struct counter counter = {0};
	struct sha256_ctx hash;

	sha256_init(&hash);
	for (;;) {
		/* One byte more than the limit is enough to know. */
		int64_t room = limit - (int64_t)input->size + 1;
		size_t wanted = room < PIECE_SIZE ? (size_t)room : PIECE_SIZE;
		ssize_t got = read_piece(from, piece, wanted);

		if (got < 0)
			return outcome_retry(reason, STATUS, "reading the mail: %s",
					     strerror(errno));
		size_t size = (size_t)got;

		if ((int64_t)(input->size + size) > limit)
			return outcome_reject(reason, "5.3.4",
					      "the mail is larger than %" G_GINT64_FORMAT " bytes",
					      (gint64)limit);
		if (!write_all(input->fd, piece, size))
			return outcome_retry(reason, STATUS, "keeping the mail in memory: %s",
					     strerror(errno));
		size_t prelude = input->size == 0 ? prelude_size(piece, size) : 0;

		sha256_update(&hash, size, (const uint8_t *)piece);
		count_piece(&counter, piece + prelude, size - prelude);
		input->size += size;
		if (size > 0)
			input->ends_in_newline = piece[size - 1] == '\n';
		if (size < wanted)
			break;
	}
	digest_and_count_end(input, &hash, &counter);
	/* The parser's process shares the offset; it may want to read instead of mapping. */
	if (lseek(input->fd, 0, SEEK_SET) != 0)
		return outcome_retry(reason, STATUS, "the mail in memory: %s", strerror(errno));
	return OUTCOME_OK;
}

/*
 * A process closes its files only after it was marked as exiting (Linux kernel/exit.c, do_exit()),
 * so an end of file that comes from the parent's death is never seen without that mark or a new
 * parent.
 */
static bool parent_is_gone(pid_t parent)
{
	g_autofree char *path = g_strdup_printf("/proc/%ld/stat", (long)parent);
	char stat[PROC_STAT_MAX];
	unsigned flags = 0;

	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, stat, sizeof(stat) - 1) : 0;

	if (fd >= 0)
		close(fd);
	/* /proc may be hidden (hidepid=): then only the change of the parent tells. */
	stat[size > 0 ? size : 0] = '\0';
	/* The command's name may hold anything, so look for the last bracket. */
	const char *after_name = strrchr(stat, ')');

	if (after_name != NULL && sscanf(after_name, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	    flags & PF_EXITING)
		return true;
	return getppid() != parent;
}

static bool is_old(const struct envelope *envelope, int64_t now_ms)
{
	int64_t arrived_ms;

	return id_queue_time(envelope->queue_id, &arrived_ms) &&
	       now_ms - arrived_ms > SHORT_FOR_EVER_MS;
}

/*
 * ${size} is the size of the message content's records in the queue file: 1 + length's size + bytes
 * for each line (Postfix cleanup_final.c and rec_put(3)).  With Postfix 3.7.11 it was exactly
 * queue_size for lines of 0 to 16385 bytes, 8-bit, NUL, bare CR and LF, dots, folded, long and many
 * headers, 9 MB, and no body; but
 *
 * - 2 more for a mail whose last line had no newline when sendmail(1) took it,
 * - 17 to 37 more whenever a milter looked at the mail, even if it changed nothing,
 * - more by the size of the headers that a milter deleted or shortened (a replaced body is
 * accounted for).
 *
 * So being shorter proves nothing by itself, and mail would be deferred for ever.  What does prove
 * it:
 *
 * - pipe(8), our parent, died: only then does an end of file come in mid-mail.
 * - it is shorter and does not end with a newline: mail_copy.c always writes one after the last
 * line.
 * - it is shorter by more than deleted headers could explain; and even that is not believed any
 * more of a mail that has been in the queue for an hour.
 */
enum outcome input_check_whole(const struct input *input, const struct envelope *envelope,
			       pid_t parent, int64_t now_ms, struct reason *reason)
{
	int64_t missing = envelope->size - input->queue_size;

	if (parent > 0 && parent_is_gone(parent))
		return outcome_retry(reason, STATUS, "the process that fed the mail is gone");
	if (envelope->size < 0 || missing <= 0)
		return OUTCOME_OK;
	if (input->ends_in_newline && (missing <= EDIT_ALLOWANCE || is_old(envelope, now_ms)))
		return OUTCOME_OK;
	return outcome_retry(reason, STATUS,
			     "the mail was cut off: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
			     " bytes came",
			     (gint64)input->queue_size, (gint64)envelope->size);
}

enum outcome input_map(struct input *input, struct reason *reason)
{
	if (input->size == 0) {
		input->data = "";
		return OUTCOME_OK;
	}
	void *data = mmap(NULL, input->size, PROT_READ, MAP_PRIVATE, input->fd, 0);

	if (data == MAP_FAILED)
		return outcome_retry(reason, STATUS, "mapping the mail: %s", strerror(errno));
	input->data = data;
	return OUTCOME_OK;
}

void input_close(struct input *input)
{
	if (input->data != NULL && input->size > 0)
		munmap((void *)(uintptr_t)input->data, input->size);
	if (input->fd >= 0)
		close(input->fd);
	*input = (struct input){.fd = -1};
}
