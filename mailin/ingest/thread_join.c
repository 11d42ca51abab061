#include "mailin/ingest/thread_join.h"

#include <glib.h>
#include <string.h>

#include "mailin/ingest/inbound.h"
#include "mailin/ingest/thread_clue.h"

/* A thread that a number leads to. */
struct pointer {
	struct id thread;
	char *route;
};

/* What is asked for an answer: the key of `asked`, and of the participants that are known. */
struct pair {
	struct id thread;
	char *email;
};

struct thread_join {
	GPtrArray *messages; /* struct inbound *, borrowed */
	/* What the database knows. */
	GHashTable *numbers;      /* int64_t -> struct pointer */
	GHashTable *claims;       /* id hash -> GArray of struct thread_claim */
	GHashTable *participants; /* set of struct pair */
	GHashTable *asked;        /* set of struct pair */
	/* What the decision in hand adds. */
	GHashTable *new_claims;       /* as claims */
	GHashTable *new_participants; /* set of struct pair */
	GHashTable *begun_ids;        /* set of struct id *, into `begun` */
	GArray *questions;            /* struct thread_person */
	GArray *begun;                /* struct thread_begun */
	GArray *joined;               /* struct id */
	GArray *result_claims;        /* struct thread_claim */
	GArray *result_participants;  /* struct thread_person */
};

/* ---- keys ---- */

static guint hash_pair(gconstpointer key)
{
	const struct pair *pair = key;

	return id_hash(&pair->thread) ^ g_str_hash(pair->email);
}

static gboolean equal_pairs(gconstpointer a, gconstpointer b)
{
	const struct pair *left = a;
	const struct pair *right = b;

	return id_equal(&left->thread, &right->thread) && strcmp(left->email, right->email) == 0;
}

static void free_pair(void *data)
{
	struct pair *pair = data;

	g_free(pair->email);
	g_free(pair);
}

static void free_pointer(void *data)
{
	struct pointer *pointer = data;

	g_free(pointer->route);
	g_free(pointer);
}

static void free_array(void *array)
{
	g_array_unref(array);
}

static GHashTable *pair_set(void)
{
	return g_hash_table_new_full(hash_pair, equal_pairs, free_pair, NULL);
}

static GHashTable *claim_table(void)
{
	return g_hash_table_new_full(sha256_hash, sha256_equal, g_free, free_array);
}

struct thread_join *thread_join_new(void)
{
	struct thread_join *join = g_new0(struct thread_join, 1);

	join->messages = g_ptr_array_new();
	join->numbers = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_pointer);
	join->claims = claim_table();
	join->participants = pair_set();
	join->asked = pair_set();
	join->new_claims = claim_table();
	join->new_participants = pair_set();
	join->begun_ids = g_hash_table_new_full(id_hash, id_equal, g_free, NULL);
	join->questions = g_array_new(FALSE, FALSE, sizeof(struct thread_person));
	join->begun = g_array_new(FALSE, FALSE, sizeof(struct thread_begun));
	join->joined = g_array_new(FALSE, FALSE, sizeof(struct id));
	join->result_claims = g_array_new(FALSE, FALSE, sizeof(struct thread_claim));
	join->result_participants = g_array_new(FALSE, FALSE, sizeof(struct thread_person));
	return join;
}

void thread_join_free(struct thread_join **join)
{
	struct thread_join *old = *join;

	if (old == NULL)
		return;
	g_ptr_array_unref(old->messages);
	g_hash_table_unref(old->numbers);
	g_hash_table_unref(old->claims);
	g_hash_table_unref(old->participants);
	g_hash_table_unref(old->asked);
	g_hash_table_unref(old->new_claims);
	g_hash_table_unref(old->new_participants);
	g_hash_table_unref(old->begun_ids);
	g_array_unref(old->questions);
	g_array_unref(old->begun);
	g_array_unref(old->joined);
	g_array_unref(old->result_claims);
	g_array_unref(old->result_participants);
	g_free(old);
	*join = NULL;
}

void thread_join_add(struct thread_join *join, struct inbound *message)
{
	g_ptr_array_add(join->messages, message);
}

/* ---- what is known ---- */

static struct pointer *pointer_to(const struct id *thread, const char *route)
{
	struct pointer *pointer = g_new(struct pointer, 1);

	*pointer = (struct pointer){*thread, g_strdup(route)};
	return pointer;
}

void thread_join_know_number(struct thread_join *join, int64_t number, const struct id *thread,
			     const char *route)
{
	g_hash_table_replace(join->numbers, g_memdup2(&number, sizeof(number)),
			     pointer_to(thread, route));
}

static void add_claim(GHashTable *claims, const struct thread_claim *claim)
{
	GArray *same = g_hash_table_lookup(claims, claim->hash);

	if (same == NULL) {
		same = g_array_new(FALSE, FALSE, sizeof(struct thread_claim));
		g_hash_table_insert(claims, g_memdup2(claim->hash, SHA256_SIZE), same);
	}
	for (guint i = 0; i < same->len; i++) {
		struct thread_claim *other = &g_array_index(same, struct thread_claim, i);

		if (id_equal(&other->thread, &claim->thread)) {
			other->own = other->own || claim->own;
			return;
		}
	}
	g_array_append_val(same, *claim);
}

void thread_join_know_claim(struct thread_join *join, const struct thread_claim *claim)
{
	add_claim(join->claims, claim);
}

static void add_pair(GHashTable *set, const struct id *thread, const char *email)
{
	struct pair *pair = g_new(struct pair, 1);

	*pair = (struct pair){*thread, g_strdup(email)};
	g_hash_table_add(set, pair);
}

static bool has_pair(GHashTable *set, const struct id *thread, const char *email)
{
	const struct pair pair = {*thread, (char *)email};

	return g_hash_table_contains(set, &pair);
}

void thread_join_know_participant(struct thread_join *join, const struct id *thread,
				  const char *email)
{
	add_pair(join->participants, thread, email);
}

/* No, for the time being, to what is not known yet. */
static bool takes_part(struct thread_join *join, const struct id *thread, const char *email)
{
	if (has_pair(join->new_participants, thread, email) ||
	    has_pair(join->participants, thread, email))
		return true;
	if (g_hash_table_contains(join->begun_ids, thread) || has_pair(join->asked, thread, email))
		return false;
	const struct thread_person question = {*thread, email};

	add_pair(join->asked, thread, email);
	g_array_append_val(join->questions, question);
	return false;
}

/* ---- the rules ---- */

static const struct id *thread_of(const struct pointer *pointer, const struct inbound *message)
{
	return pointer != NULL && strcmp(pointer->route, message->route.data) == 0
		       ? &pointer->thread
		       : NULL;
}

/* A thread that has the message comes before one that only refers to it, then the older one. */
static bool is_better(const struct thread_claim *claim, const struct thread_claim *best)
{
	if (best == NULL || claim->own != best->own)
		return best == NULL || claim->own;
	return memcmp(&claim->thread, &best->thread, sizeof(struct id)) < 0;
}

static const struct thread_claim *best_claim(struct thread_join *join, GHashTable *claims,
					     const unsigned char *hash, const char *email,
					     const struct thread_claim *best)
{
	GArray *same = g_hash_table_lookup(claims, hash);

	for (guint i = 0; same != NULL && i < same->len; i++) {
		const struct thread_claim *claim = &g_array_index(same, struct thread_claim, i);

		if (is_better(claim, best) && takes_part(join, &claim->thread, email))
			best = claim;
	}
	return best;
}

static const struct id *by_ids(struct thread_join *join, const struct thread_clue *clue)
{
	for (size_t i = 0; i < clue->id_count; i++) {
		const unsigned char *hash = clue->ids[i].hash;
		const struct thread_claim *best =
			best_claim(join, join->claims, hash, clue->email, NULL);

		best = best_claim(join, join->new_claims, hash, clue->email, best);
		if (best != NULL)
			return &best->thread;
	}
	return NULL;
}

static const struct id *by_number(struct thread_join *join, const struct inbound *message)
{
	const struct thread_clue *clue = &message->clue;
	const struct id *thread =
		thread_of(g_hash_table_lookup(join->numbers, &clue->number), message);

	return thread != NULL && takes_part(join, thread, clue->email) ? thread : NULL;
}

/* NULL: it begins one.  Numbers are known only if the route wants them. */
static const struct id *existing_thread(struct thread_join *join, const struct inbound *message)
{
	const struct thread_clue *clue = &message->clue;
	const struct id *thread = message->has_token_thread ? &message->token_thread : NULL;

	if (thread == NULL && clue->email != NULL)
		thread = by_ids(join, clue);
	if (thread == NULL && clue->email != NULL && clue->number != 0)
		thread = by_number(join, message);
	return thread;
}

/* ---- what follows ---- */

static size_t count_claims(GHashTable *claims, const struct thread_claim *like, bool *is_there)
{
	GArray *same = g_hash_table_lookup(claims, like->hash);
	size_t count = 0;

	for (guint i = 0; same != NULL && i < same->len; i++) {
		const struct thread_claim *claim = &g_array_index(same, struct thread_claim, i);

		count += claim->own == like->own;
		if (id_equal(&claim->thread, &like->thread) && (claim->own || !like->own))
			*is_there = true;
	}
	return count;
}

static void claim_ids(struct thread_join *join, const struct thread_clue *clue,
		      const struct id *thread)
{
	for (size_t i = 0; i < clue->id_count; i++) {
		struct thread_claim claim = {.thread = *thread, .own = clue->ids[i].own};
		bool is_there = false;
		size_t count;

		memcpy(claim.hash, clue->ids[i].hash, SHA256_SIZE);
		count = count_claims(join->claims, &claim, &is_there) +
			count_claims(join->new_claims, &claim, &is_there);
		if (!is_there && count < THREAD_JOIN_CLAIMS_MAX)
			add_claim(join->new_claims, &claim);
	}
}

static bool is_automatic(const struct inbound *message)
{
	return message->automatic.data != NULL && strcmp(message->automatic.data, "no") != 0;
}

/* A bounce that comes by a token is nobody's contribution. */
static void note_participant(struct thread_join *join, const struct inbound *message)
{
	const char *email = message->clue.email;

	if (email == NULL || (is_automatic(message) && !message->thread_is_new) ||
	    takes_part(join, &message->thread_id, email))
		return;
	add_pair(join->new_participants, &message->thread_id, email);
}

static void begin_thread(struct thread_join *join, struct inbound *message)
{
	struct thread_begun begun = {.first = message};

	id_new(&begun.id);
	message->thread_id = begun.id;
	message->thread_is_new = true;
	g_array_append_val(join->begun, begun);
	g_hash_table_add(join->begun_ids, g_memdup2(&begun.id, sizeof(struct id)));
}

static void decide_one(struct thread_join *join, struct inbound *message)
{
	const struct id *thread = existing_thread(join, message);

	message->has_thread = true;
	message->thread_is_new = false;
	if (thread == NULL) {
		begin_thread(join, message);
	} else {
		message->thread_id = *thread;
		if (!g_hash_table_contains(join->begun_ids, thread))
			g_array_append_val(join->joined, message->thread_id);
	}
	note_participant(join, message);
	claim_ids(join, &message->clue, &message->thread_id);
}

size_t thread_join_decide(struct thread_join *join, const struct thread_person **questions)
{
	g_hash_table_remove_all(join->new_claims);
	g_hash_table_remove_all(join->new_participants);
	g_hash_table_remove_all(join->begun_ids);
	g_array_set_size(join->questions, 0);
	g_array_set_size(join->begun, 0);
	g_array_set_size(join->joined, 0);
	for (guint i = 0; i < join->messages->len; i++)
		decide_one(join, join->messages->pdata[i]);
	*questions = (const struct thread_person *)(void *)join->questions->data;
	return join->questions->len;
}

/* ---- the result ---- */

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct id));
}

static int compare_claims(const void *a, const void *b)
{
	const struct thread_claim *left = a;
	const struct thread_claim *right = b;
	int order = memcmp(left->hash, right->hash, SHA256_SIZE);

	return order != 0 ? order : compare_ids(&left->thread, &right->thread);
}

static void sort_joined(GArray *joined)
{
	struct id *ids = (struct id *)(void *)joined->data;
	guint count = 0;

	g_array_sort(joined, compare_ids);
	for (guint i = 0; i < joined->len; i++)
		if (count == 0 || compare_ids(&ids[count - 1], &ids[i]) != 0)
			ids[count++] = ids[i];
	g_array_set_size(joined, count);
}

static void collect_claims(const struct thread_join *join)
{
	GHashTableIter iter;
	void *same;

	g_array_set_size(join->result_claims, 0);
	g_hash_table_iter_init(&iter, join->new_claims);
	while (g_hash_table_iter_next(&iter, NULL, &same)) {
		const GArray *claims = same;

		g_array_append_vals(join->result_claims, claims->data, claims->len);
	}
	g_array_sort(join->result_claims, compare_claims);
}

static void collect_participants(const struct thread_join *join)
{
	GHashTableIter iter;
	void *key;

	g_array_set_size(join->result_participants, 0);
	g_hash_table_iter_init(&iter, join->new_participants);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		const struct pair *pair = key;
		const struct thread_person participant = {pair->thread, pair->email};

		g_array_append_val(join->result_participants, participant);
	}
}

void thread_join_result(const struct thread_join *join, struct thread_result *result)
{
	sort_joined(join->joined);
	collect_claims(join);
	collect_participants(join);
	*result = (struct thread_result){
		.begun = (const struct thread_begun *)(void *)join->begun->data,
		.begun_count = join->begun->len,
		.joined = (const struct id *)(void *)join->joined->data,
		.joined_count = join->joined->len,
		.participants =
			(const struct thread_person *)(void *)join->result_participants->data,
		.participant_count = join->result_participants->len,
		.claims = (const struct thread_claim *)(void *)join->result_claims->data,
		.claim_count = join->result_claims->len,
	};
}
