/*
 * What a sender and its parent say to each other over their socket pair: frames of a length and
 * that many bytes, in the machine's own byte order.  The parent bounds and checks all that comes
 * back: the child talks to strangers.
 */
#ifndef MAILOUT_SENDER_FRAME_H
#define MAILOUT_SENDER_FRAME_H

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailout/sender.h"

/* A page of memory that parent and child share: what the child has got to survives its death. */
struct sender_shared {
	_Atomic uint64_t steps; /* grows while the child gets on */
	_Atomic uint64_t
		committing; /* serial of the job whose end of data may have been sent; 0: none */
};

/* A job as the child gets it.  All but `recipients` itself points into `frame`. */
struct sender_job {
	uint64_t serial; /* from 1 on */
	const char *mail_from;
	const char **recipients;
	size_t recipient_count;
	const char *message;
	size_t size;
	char *frame;
};

/* What the child answers: the recipients have no email, the parent knows them. */
struct sender_answer {
	uint64_t serial;
	bool tried;
	struct sent_recipient *recipients;
	size_t recipient_count;
};

/* Complete frames with their length in front; g_bytes_unref() them. */
GBytes *frame_from_job(uint64_t serial, const char *mail_from, const char *const *recipients,
		       size_t recipient_count, const void *message, size_t size);
GBytes *frame_from_answer(const struct sender_answer *answer);

/* From a frame without its length.  NULL or false if it is none. */
struct sender_job *frame_to_job(const char *data, size_t size);
bool frame_to_answer(struct sender_answer *answer, const char *data, size_t size);
void sender_job_free(struct sender_job *job);
void sender_answer_clear(struct sender_answer *answer);

/* Bytes that come in, cut into frames.  Begin with {.frame_max = ...}. */
struct frame_reader {
	size_t frame_max; /* bytes; a longer one is an error */
	char *data;
	size_t room;
	size_t begin;
	size_t end;
};

enum frame_input {
	FRAME_INPUT_BYTES,
	FRAME_INPUT_NONE, /* for now */
	FRAME_INPUT_ENDED,
	FRAME_INPUT_BROKEN /* a frame beyond frame_max */
};

/* Read some of what is there; does not block. */
enum frame_input frame_read(struct frame_reader *reader, int fd);
/* The next complete frame without its length, valid until the next frame_read(); NULL if there is
 * none. */
const char *frame_next(struct frame_reader *reader, size_t *size);
void frame_reader_clear(struct frame_reader *reader);

#endif
