/*
 * By what a message may be found to belong to a thread: read with the document, without the
 * database.  The rules stand in mailpipe.conf(5), THREADS.
 */
#ifndef MAILIN_INGEST_THREAD_CLUE_H
#define MAILIN_INGEST_THREAD_CLUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/sha256.h"

struct inbound;
struct wire;

/* Of a message that refers to more, the first of References and these last ones count. */
enum { THREAD_CLUE_REFERENCES_MAX = 32 };

struct thread_clue_id {
	unsigned char hash[SHA256_SIZE]; /* thread_key_id() */
	bool own;
};

struct thread_clue {
	char *email; /* thread_key_email() of From; NULL: nobody's */
	unsigned char sender[SHA256_SIZE];
	struct thread_clue_id *ids; /* each once, the one that decides first first; its own last */
	size_t id_count;
	int64_t number; /* of [#NUMBER] in the subject; 0: none */
};

/* From a message whose fields are read, and its arrays of strings (NULL: none). */
void thread_clue_read(struct thread_clue *clue, const struct inbound *inbound,
		      const struct wire *in_reply_to, const struct wire *references);
void thread_clue_clear(struct thread_clue *clue);

/* "[#123]" or "[Support #123]" in a subject; 0: there is none. */
int64_t thread_clue_number(const char *subject);

#endif
