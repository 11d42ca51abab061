/*
 * The mail on standard input, brought into memory of a file's kind (memfd_create(2)), so that the
 * parser's process can have it without a copy.
 */
#ifndef MAILIN_INPUT_H
#define MAILIN_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/outcome.h"
#include "common/sha256.h"
#include "mailin/envelope.h"

struct input {
	int fd; /* the memfd; -1 before input_open() */
	size_t size;
	unsigned char digest[SHA256_SIZE];
	int64_t queue_size;   /* what Postfix's ${size} would be of these bytes */
	bool ends_in_newline; /* true for an empty mail */
	const char *data;     /* after input_map() */
};

/* The empty memfd.  RETRY if there is none to be had. */
enum outcome input_open(struct input *input, struct reason *reason);

/*
 * Read all of `from`.  REJECT 5.3.4 as soon as there is one byte more than `limit`, without reading
 * on; RETRY for an error of reading or of the memfd.
 */
enum outcome input_read(struct input *input, int from, int64_t limit, struct reason *reason);

/*
 * Is it all of the mail?  RETRY if it is certainly shorter than envelope->size says.  `parent` is
 * what getppid(2) was when the process started, or 0 if nobody knows who feeds the mail; `now_ms`
 * is milliseconds since 1970.
 */
enum outcome input_check_whole(const struct input *input, const struct envelope *envelope,
			       pid_t parent, int64_t now_ms, struct reason *reason);

/* Make `data` point to the bytes.  RETRY if there is no memory. */
enum outcome input_map(struct input *input, struct reason *reason);

void input_close(struct input *input);

#endif
