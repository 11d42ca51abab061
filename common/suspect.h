/*
 * Which message ends the workers that touch it: memory that workers share with their supervisor.
 *
 * A worker says what it has in hand alone, and when it has survived that.  When it dies in between,
 * the supervisor counts that against the message.  The next worker asks before it touches a message
 * that comes again, and puts one with SUSPECT_DEATHS aside.  What is remembered ends with the
 * supervisor; beyond that there is the broker's own delivery limit.
 *
 * A message is known by the digest of its body: other properties can be missing or alike.
 */
#ifndef COMMON_SUSPECT_H
#define COMMON_SUSPECT_H

#include <stddef.h>
#include <stdint.h>

#include "common/outcome.h"
#include "common/sha256.h"

enum { SUSPECT_DEATHS = 2 }; /* so many, and nobody touches it any more */

struct suspects;

struct suspect_key {
	unsigned char digest[SHA256_SIZE];
};

/* A worker's access; copied freely.  `all` may be NULL: then nothing is remembered. */
struct suspect_hand {
	struct suspects *all;
	size_t worker;
};

/* ---- the supervisor ---- */

/* Before the fork.  NULL with errno if there is no memory to share. */
struct suspects *suspects_new(size_t workers);
void suspects_free(struct suspects **suspects); /* NULL is allowed */

/* The worker has ended with that wait status (wait(2)), unasked: what it had in hand is to blame.
 */
void suspects_blame(struct suspects *suspects, size_t worker, int status);

/* ---- a worker ---- */

void suspect_key(struct suspect_key *key, const void *body, size_t size);

/* From now on it is this one that kills us, until suspect_let_go(). */
void suspect_take(const struct suspect_hand *hand, const struct suspect_key *key);
void suspect_let_go(const struct suspect_hand *hand);

/* OK, or REJECT with the reason if it has SUSPECT_DEATHS. */
enum outcome suspect_check(const struct suspect_hand *hand, const struct suspect_key *key,
			   struct reason *reason);
/* It was put aside; when somebody puts it back, it begins anew. */
void suspect_forget(const struct suspect_hand *hand, const struct suspect_key *key);

#endif
