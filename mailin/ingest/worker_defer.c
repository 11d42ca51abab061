#include <glib.h>

#include "common/log.h"
#include "common/retry.h"
#include "common/topology.h"
#include "mailin/ingest/fate.h"
#include "mailin/ingest/postpone.h"
#include "mailin/ingest/worker_private.h"

enum {
	MS_PER_SECOND = 1000,
	HURRY_MAX = 1000, /* messages that do in retry.away_max; a longer queue is not to cycle */
	NOTICE_TRIES = 3, /* a notice that nobody takes must not hold up its message for ever */
	NOTICE_PAUSE_MS = 300,
};

static const char STATUS_EXPIRED[] = "5.4.7"; /* RFC 3463: delivery time expired */

/* What a worker holds has waited for that long at least, whatever clocks say. */
static int64_t not_after_held(const struct item *item, int64_t time_ms, int64_t now_ms)
{
	return item->held_ms > 0 ? MIN(time_ms, now_ms - (monotonic_ms() - item->held_ms))
				 : time_ms;
}

static int64_t first_seen_ms(const struct item *item, int64_t now_ms)
{
	return not_after_held(item, fate_first_seen_ms(item, now_ms), now_ms);
}

/* An operator who requeues a message wants it to have all its tries. */
static int64_t waiting_since_ms(const struct item *item, int64_t now_ms)
{
	int64_t requeued_s = MIN(item->delivery.requeued_at, now_ms / MS_PER_SECOND);

	return not_after_held(
		item, MAX(fate_first_seen_ms(item, now_ms), requeued_s * MS_PER_SECOND), now_ms);
}

static bool may_hurry(const struct worker *worker)
{
	return worker->away && (worker->hurried < HURRY_MAX || deadline_passed(worker->hurry_end));
}

static void count_hurried(struct worker *worker)
{
	if (deadline_passed(worker->hurry_end)) {
		worker->hurry_end = deadline_in(worker->config->retry_away_max);
		worker->hurried = 0;
	}
	worker->hurried++;
}

static struct postpone_about about_of(const struct worker *worker, const struct item *item,
				      int64_t now_ms)
{
	return (struct postpone_about){
		.attempt = MAX(item->delivery.attempt, 1),
		.first_seen_ms = waiting_since_ms(item, now_ms),
		.noticed = item->delivery.delay_noticed > 0 || item->noticed_ms > 0,
		.hurries = may_hurry(worker),
	};
}

int64_t defer_hold_ms(const struct worker *worker, const struct item *item)
{
	int64_t now_ms = realtime_ms();
	struct postpone_about about = about_of(worker, item, now_ms);

	return postpone_hold_ms(worker->config, &about, monotonic_ms() - item->held_ms, now_ms);
}

/* ---- one message ---- */

/* A message to publish, and what it borrows from. */
struct copy {
	struct item *item;
	struct postpone postpone;
	int64_t next_attempt_ms;
	int64_t until_ms;
	bool has_notice;
	struct notice notice;
	char *exchange;
	struct broker_header room[RETRY_HEADERS];
};

static void clear_copy(struct copy *copy)
{
	notice_clear(&copy->notice);
	g_free(copy->exchange);
}

static void make_notice(struct worker *worker, struct copy *copy, enum notice_kind kind,
			const struct reason *why)
{
	const struct notice_about about = {.kind = kind,
					   .delivery = &copy->item->delivery,
					   .inbound = copy->item->inbound,
					   .reason = why,
					   .next_attempt_ms = copy->next_attempt_ms,
					   .until_ms = copy->until_ms};

	copy->has_notice = notice_make(worker->notices, &about, &copy->notice);
	if (!copy->has_notice)
		worker_log_notice(copy->item, &copy->notice, notice_kind_name(kind));
}

static int64_t noticed_ms(const struct item *item)
{
	return MAX(item->delivery.delay_noticed, item->noticed_ms);
}

static void notice_outcome(struct worker *worker, struct copy *copy, enum notice_kind kind,
			   enum outcome outcome, const struct reason *reason)
{
	struct item *item = copy->item;
	bool delayed = kind == NOTICE_DELAYED;

	if (outcome == OUTCOME_OK) {
		worker_log_notice(item, &copy->notice, notice_kind_name(kind));
		item->notice_tries = 0;
		item->noticed_ms = delayed ? realtime_ms() : item->noticed_ms;
		item->failure_told = item->failure_told || !delayed;
		return;
	}
	item->notice_tries++;
	notice_withdraw(worker->notices, &copy->notice);
	worker_log_lost("notice", reason);
}

/* Nobody took its notice: the message waits for another try, but not for ever. */
static bool waits_for_notice(const struct item *item)
{
	return item->notice_tries > 0 && item->notice_tries < NOTICE_TRIES;
}

/* What became of the message itself: if it got through no more than its notice, the fault is not
 * the notice's. */
static void note_published(struct item *item, enum outcome outcome)
{
	if (outcome != OUTCOME_OK)
		item->notice_tries = 0;
}

/* ---- dead letters ---- */

/* Made again after a failure, it has the same id. */
static enum outcome tell_of_failure(struct worker *worker, struct item *item, struct reason *reason)
{
	struct copy copy = {.item = item};
	enum outcome outcome = OUTCOME_OK;

	if (item->failure_told)
		return OUTCOME_OK;
	make_notice(worker, &copy, NOTICE_FAILED, &item->reason);
	if (copy.has_notice) {
		struct broker_message message = notice_message(&copy.notice);

		outlet_publish(worker->outlet, &message, 1, &outcome, reason);
		notice_outcome(worker, &copy, NOTICE_FAILED, outcome, reason);
	}
	clear_copy(&copy);
	return outcome;
}

static enum outcome publish_letter(struct worker *worker, const struct item *item,
				   struct reason *reason)
{
	const struct broker_delivery *delivery = &item->delivery;
	const struct retry_headers headers = {.attempt = delivery->attempt,
					      .first_seen_s = delivery->first_seen,
					      .last_error = item->reason.text,
					      .delay_noticed_ms = noticed_ms(item)};
	struct broker_header room[RETRY_HEADERS];
	struct broker_message message =
		retry_message(delivery, EXCHANGE_DEAD, delivery->queue, &headers, room);
	enum outcome outcome;

	if (outlet_publish(worker->outlet, &message, 1, &outcome, reason) != OUTCOME_OK)
		reason_prefix(reason, "dead letter");
	return outcome;
}

enum outcome defer_bury(struct item *item, void *context, struct reason *reason)
{
	struct worker *worker = context;

	if (!item->suspect && tell_of_failure(worker, item, reason) != OUTCOME_OK &&
	    waits_for_notice(item)) {
		reason_prefix(reason, "notice");
		return OUTCOME_RETRY;
	}
	enum outcome outcome = publish_letter(worker, item, reason);

	note_published(item, outcome);
	return outcome;
}

void defer_tell_of_suspect(struct worker *worker, struct item *item)
{
	struct reason reason;

	while (tell_of_failure(worker, item, &reason) != OUTCOME_OK && waits_for_notice(item))
		worker_pause(NOTICE_PAUSE_MS);
}

/* ---- tiers ---- */

/* False: it is given up instead. */
static bool decide(struct worker *worker, struct copy *copy, const struct reason *why,
		   int64_t now_ms)
{
	struct item *item = copy->item;
	struct postpone_about about = about_of(worker, item, now_ms);

	copy->postpone = postpone_decide(worker->config, &about, now_ms);
	if (copy->postpone.dead) {
		item->state = ITEM_REFUSED;
		outcome_reject(&item->reason, STATUS_EXPIRED, "given up after %d tries: %s",
			       (int)about.attempt, why->text);
		return false;
	}
	if (copy->postpone.hurried)
		count_hurried(worker);
	item->reason = *why;
	copy->next_attempt_ms = now_ms + worker->config->retry_delays[copy->postpone.tier];
	copy->until_ms = retry_until_ms(worker->config, about.attempt,
					about.first_seen_ms / MS_PER_SECOND, now_ms);
	copy->exchange = topology_retry_tier(worker->config->retry_tiers[copy->postpone.tier]);
	if (copy->postpone.notice)
		make_notice(worker, copy, NOTICE_DELAYED, why);
	return true;
}

static void publish_notices(struct worker *worker, struct copy *copies, size_t count,
			    struct reason *reason)
{
	g_autofree struct broker_message *messages = g_new(struct broker_message, count);
	g_autofree struct copy **whose = g_new(struct copy *, count);
	g_autofree enum outcome *outcomes = g_new(enum outcome, count);
	size_t notices = 0;

	for (size_t i = 0; i < count; i++) {
		if (!copies[i].has_notice)
			continue;
		messages[notices] = notice_message(&copies[i].notice);
		whose[notices++] = &copies[i];
	}
	if (notices == 0)
		return;
	outlet_publish(worker->outlet, messages, notices, outcomes, reason);
	for (size_t i = 0; i < notices; i++)
		notice_outcome(worker, whose[i], NOTICE_DELAYED, outcomes[i], reason);
}

static struct broker_message tier_message(struct copy *copy, int64_t now_ms)
{
	const struct broker_delivery *delivery = &copy->item->delivery;
	const struct retry_headers headers = {
		.attempt = MAX(delivery->attempt, 1) + 1,
		.first_seen_s = first_seen_ms(copy->item, now_ms) / MS_PER_SECOND,
		.last_error = copy->item->reason.text,
		.next_attempt_ms = copy->next_attempt_ms,
		.delay_noticed_ms = noticed_ms(copy->item),
	};

	return retry_message(delivery, copy->exchange, delivery->queue, &headers, copy->room);
}

/* Those that do not wait for their notice. */
static enum outcome publish_copies(struct worker *worker, struct copy *copies, size_t count,
				   int64_t now_ms, struct reason *reason)
{
	g_autofree struct broker_message *messages = g_new(struct broker_message, count);
	g_autofree struct item **items = g_new(struct item *, count);
	g_autofree enum outcome *outcomes = g_new(enum outcome, count);
	size_t ready = 0;

	for (size_t i = 0; i < count; i++) {
		if (waits_for_notice(copies[i].item))
			continue;
		copies[i].item->next_attempt_ms = copies[i].next_attempt_ms;
		messages[ready] = tier_message(&copies[i], now_ms);
		items[ready++] = copies[i].item;
	}
	/* (The notice's reason stands.) */
	enum outcome outcome = ready == count ? OUTCOME_OK : OUTCOME_RETRY;

	if (ready > 0 &&
	    outlet_publish(worker->outlet, messages, ready, outcomes, reason) != OUTCOME_OK)
		outcome = OUTCOME_RETRY;
	for (size_t i = 0; i < ready; i++) {
		note_published(items[i], outcomes[i]);
		if (outcomes[i] != OUTCOME_OK)
			continue;
		items[i]->state = ITEM_DELAYED;
		worker->ops.settled(items[i], worker);
	}
	if (outcome != OUTCOME_OK)
		reason_prefix(reason, "retry tier");
	return outcome;
}

enum outcome defer_items(struct worker *worker, struct item **items, size_t count,
			 const struct reason *why, struct reason *reason)
{
	g_autofree struct copy *copies = g_new0(struct copy, count);
	int64_t now_ms = realtime_ms();
	size_t waiting = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i]->state != ITEM_WAITING)
			continue;
		struct copy *copy = &copies[waiting];

		copy->item = items[i];
		if (decide(worker, copy, why, now_ms))
			waiting++;
		else
			clear_copy(copy);
	}
	publish_notices(worker, copies, waiting, reason);
	enum outcome outcome = publish_copies(worker, copies, waiting, now_ms, reason);

	for (size_t i = 0; i < waiting; i++)
		clear_copy(&copies[i]);
	return outcome;
}
