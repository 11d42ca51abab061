#include "common/suspect.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { KNOWN_MAX = 64 }; /* messages that have deaths; the one whose last is longest ago goes */

/* What a worker has in hand.  It writes, the supervisor reads when it is dead. */
struct in_hand {
	atomic_bool taken; /* after the key is complete */
	struct suspect_key key;
};

/* The supervisor writes, workers read and forget. */
struct known {
	atomic_int deaths; /* 0: free */
	atomic_int status; /* of the last death */
	uint64_t order;    /* of the last death */
	struct suspect_key key;
};

struct suspects {
	size_t size; /* of the mapping */
	size_t workers;
	uint64_t deaths; /* so far */
	struct known known[KNOWN_MAX];
	struct in_hand in_hand[];
};

struct suspects *suspects_new(size_t workers)
{
	size_t size = sizeof(struct suspects) + workers * sizeof(struct in_hand);
	struct suspects *suspects =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (suspects == MAP_FAILED)
		return NULL;
	suspects->size = size;
	suspects->workers = workers;
	return suspects;
}

void suspects_free(struct suspects **suspects)
{
	if (*suspects == NULL)
		return;
	munmap(*suspects, (*suspects)->size);
	*suspects = NULL;
}

void suspect_key(struct suspect_key *key, const void *body, size_t size)
{
	sha256_of(body, size, key->digest);
}

static struct known *find(struct suspects *suspects, const struct suspect_key *key)
{
	for (size_t i = 0; i < KNOWN_MAX; i++) {
		struct known *known = &suspects->known[i];

		if (atomic_load(&known->deaths) > 0 && memcmp(&known->key, key, sizeof(*key)) == 0)
			return known;
	}
	return NULL;
}

/* A free place, or that of the oldest. */
static struct known *make_room(struct suspects *suspects)
{
	struct known *oldest = &suspects->known[0];

	for (size_t i = 0; i < KNOWN_MAX; i++) {
		struct known *known = &suspects->known[i];

		if (atomic_load(&known->deaths) == 0)
			return known;
		if (known->order < oldest->order)
			oldest = known;
	}
	return oldest;
}

void suspects_blame(struct suspects *suspects, size_t worker, int status)
{
	if (suspects == NULL || worker >= suspects->workers)
		return;
	struct in_hand *in_hand = &suspects->in_hand[worker];

	if (!atomic_load(&in_hand->taken))
		return;
	struct known *known = find(suspects, &in_hand->key);

	if (known == NULL) {
		known = make_room(suspects);
		atomic_store(&known->deaths, 0);
		known->key = in_hand->key;
	}
	known->order = ++suspects->deaths;
	atomic_store(&known->status, status);
	atomic_fetch_add(&known->deaths, 1);
	atomic_store(&in_hand->taken, false);
}

void suspect_take(const struct suspect_hand *hand, const struct suspect_key *key)
{
	if (hand->all == NULL)
		return;
	struct in_hand *in_hand = &hand->all->in_hand[hand->worker];

	atomic_store(&in_hand->taken, false);
	in_hand->key = *key;
	atomic_store(&in_hand->taken, true);
}

void suspect_let_go(const struct suspect_hand *hand)
{
	if (hand->all != NULL)
		atomic_store(&hand->all->in_hand[hand->worker].taken, false);
}

enum outcome suspect_check(const struct suspect_hand *hand, const struct suspect_key *key,
			   struct reason *reason)
{
	const struct known *known = hand->all != NULL ? find(hand->all, key) : NULL;

	if (known == NULL || atomic_load(&known->deaths) < SUSPECT_DEATHS)
		return OUTCOME_OK;
	int deaths = atomic_load(&known->deaths);
	int status = atomic_load(&known->status);

	if (WIFSIGNALED(status))
		return outcome_reject(reason, "5.3.0",
				      "%d workers died while they had it in hand, the last one of "
				      "signal %d (%s)",
				      deaths, WTERMSIG(status), g_strsignal(WTERMSIG(status)));
	return outcome_reject(reason, "5.3.0",
			      "%d workers ended while they had it in hand, the last one with "
			      "status %d",
			      deaths, WEXITSTATUS(status));
}

void suspect_forget(const struct suspect_hand *hand, const struct suspect_key *key)
{
	struct known *known = hand->all != NULL ? find(hand->all, key) : NULL;

	if (known != NULL)
		atomic_store(&known->deaths, 0);
}
