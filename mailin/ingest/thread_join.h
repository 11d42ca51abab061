/*
 * Which thread each message of a batch belongs to (mailpipe.conf(5), THREADS), without SQL: what
 * the database knows is told to it, what else must be known is asked, until nothing is open.
 *
 *	struct thread_join *join = thread_join_new();
 *	thread_join_add(join, message) ...	in their order
 *	thread_join_know_...()			what was found by the messages' clues
 *	while (thread_join_decide(join) > 0)
 *		answer thread_join_questions()
 *	thread_join_result(join, &result)
 */
#ifndef MAILIN_INGEST_THREAD_JOIN_H
#define MAILIN_INGEST_THREAD_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/id.h"
#include "common/sha256.h"

struct inbound;
struct thread_join;

/* Threads of a route that may claim a Message-ID as that of a message of theirs, and as many to
 * which it is only referred: a flood of forged ones must not make everybody's look-up slow. */
enum { THREAD_JOIN_CLAIMS_MAX = 16 };

/* Somebody in a thread. */
struct thread_person {
	struct id thread;
	const char *email; /* borrowed */
};

struct thread_begun {
	struct id id;
	const struct inbound *first; /* the message that begins it; borrowed */
};

struct thread_claim {
	unsigned char hash[SHA256_SIZE];
	struct id thread;
	bool own;
};

/* What is to be written; borrowed from the join. */
struct thread_result {
	const struct thread_begun *begun; /* in the order of the messages */
	size_t begun_count;
	const struct id *joined; /* threads that were there, ascending, each once */
	size_t joined_count;
	const struct thread_person *participants; /* new ones */
	size_t participant_count;
	const struct thread_claim *claims; /* new ones, ascending by hash and thread */
	size_t claim_count;
};

struct thread_join *thread_join_new(void);
void thread_join_free(struct thread_join **join); /* NULL is allowed; *join becomes NULL */

/* Messages are borrowed. */
void thread_join_add(struct thread_join *join, struct inbound *message);

void thread_join_know_number(struct thread_join *join, int64_t number, const struct id *thread,
			     const char *route);
void thread_join_know_claim(struct thread_join *join, const struct thread_claim *claim);

/* Decide with what is known.  Sets each message's thread_id and thread_is_new.  Returns how many
 * questions are open: do these addresses take part?  (Borrowed, until the next call.)  Each is
 * asked once: without thread_join_know_participant() before the next call the answer is no. */
size_t thread_join_decide(struct thread_join *join, const struct thread_person **questions);
void thread_join_know_participant(struct thread_join *join, const struct id *thread,
				  const char *email);

/* After a decision without questions. */
void thread_join_result(const struct thread_join *join, struct thread_result *result);

#endif
