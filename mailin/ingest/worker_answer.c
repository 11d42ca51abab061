#include <glib.h>

#include "mailin/ingest/worker_private.h"

enum { ANSWER_TRIES = 3 }; /* what nobody takes must not hold up its message for ever */

/* A message whose poster is told that it has arrived. */
struct answer {
	struct item *item;
	struct notice notice;
};

static bool is_stored(const struct item *item)
{
	return item->inbound != NULL && item->inbound->same == NULL &&
	       (item->state == ITEM_STORED || item->state == ITEM_DUPLICATE);
}

/* False: there is nothing to tell. */
static bool wants_answer(const struct worker *worker, const struct item *item,
			 enum notice_kind *kind)
{
	if (item->answered || !is_stored(item))
		return false;
	const struct config_route *route =
		config_route_named(worker->config, item->inbound->route.data);

	switch (route != NULL ? config_route_answer(route) : CONFIG_ANSWER_NONE) {
	case CONFIG_ANSWER_TICKET:
		*kind = NOTICE_TICKET;
		return item->inbound->thread_is_new;
	case CONFIG_ANSWER_GALLERY:
		*kind = NOTICE_GALLERY;
		return true;
	case CONFIG_ANSWER_NONE:
		break;
	}
	return false;
}

/* Each in `answers` counts against the limits. */
static size_t make_answers(struct worker *worker, struct item **items, size_t count,
			   struct answer *answers)
{
	size_t made = 0;

	for (size_t i = 0; i < count; i++) {
		struct answer *answer = &answers[made];
		enum notice_kind kind;

		if (!wants_answer(worker, items[i], &kind))
			continue;
		const struct notice_about about = {.kind = kind,
						   .delivery = &items[i]->delivery,
						   .inbound = items[i]->inbound};

		answer->item = items[i];
		if (notice_make(worker->notices, &about, &answer->notice)) {
			made++;
			continue;
		}
		worker_log_notice(items[i], &answer->notice, notice_kind_name(kind));
		items[i]->answered = true;
		notice_clear(&answer->notice);
	}
	return made;
}

static void note_outcome(struct worker *worker, struct answer *answer, enum outcome outcome)
{
	struct item *item = answer->item;
	struct notice *notice = &answer->notice;

	if (outcome != OUTCOME_OK) {
		notice_withdraw(worker->notices, notice);
		if (++item->answer_tries < ANSWER_TRIES)
			return;
		notice->why_not = "unpublished";
	}
	worker_log_notice(item, notice, notice_kind_name(notice->kind));
	item->answered = true;
}

enum outcome answer_items(struct worker *worker, struct item **items, size_t count,
			  struct reason *reason)
{
	g_autofree struct answer *answers = g_new0(struct answer, count);
	size_t made = make_answers(worker, items, count, answers);
	enum outcome outcome = OUTCOME_OK;

	if (made == 0)
		return OUTCOME_OK;
	g_autofree struct broker_message *messages = g_new(struct broker_message, made);
	g_autofree enum outcome *outcomes = g_new(enum outcome, made);

	for (size_t i = 0; i < made; i++)
		messages[i] = notice_message(&answers[i].notice);
	if (outlet_publish(worker->outlet, messages, made, outcomes, reason) != OUTCOME_OK) {
		reason_prefix(reason, "acknowledgement");
		worker_log_lost("notice", reason);
	}
	for (size_t i = 0; i < made; i++) {
		note_outcome(worker, &answers[i], outcomes[i]);
		if (!answers[i].item->answered)
			outcome = OUTCOME_RETRY;
		notice_clear(&answers[i].notice);
	}
	return outcome;
}
