#include <glib.h>

#include "common/log.h"
#include "common/retry.h"
#include "common/topology.h"
#include "mailin/ingest/postpone.h"
#include "mailin/ingest/worker_private.h"

enum { MS_PER_SECOND = 1000, SECONDS_PER_HOUR = 3600 };

static const char STATUS_EXPIRED[] = "5.4.7"; /* RFC 3463: delivery time expired */

/* Since 1970.  The producer's word, which is good enough for when to try again. */
static int64_t first_seen_ms(const struct item *item, int64_t now_ms)
{
	const struct broker_delivery *delivery = &item->delivery;
	int64_t max_s = now_ms / MS_PER_SECOND;

	if (delivery->first_seen > 0)
		return MIN(delivery->first_seen, max_s) * MS_PER_SECOND;
	if (delivery->timestamp > 0)
		return MIN(delivery->timestamp, max_s) * MS_PER_SECOND;
	if (item->inbound != NULL)
		return MIN(item->inbound->received_ms, now_ms);
	return now_ms;
}

/* An operator who requeues a message wants it to have all its tries. */
static int64_t waiting_since_ms(const struct item *item, int64_t now_ms)
{
	int64_t requeued_s = MIN(item->delivery.requeued_at, now_ms / MS_PER_SECOND);

	return MAX(first_seen_ms(item, now_ms), requeued_s * MS_PER_SECOND);
}

static struct postpone_about about_of(const struct item *item, int64_t now_ms)
{
	return (struct postpone_about){.attempt = MAX(item->delivery.attempt, 1),
				       .first_seen_ms = waiting_since_ms(item, now_ms),
				       .noticed = item->delivery.delay_noticed > 0};
}

int64_t defer_hold_ms(const struct worker *worker, const struct item *item)
{
	int64_t now_ms = realtime_ms();
	struct postpone_about about = about_of(item, now_ms);

	return postpone_hold_ms(worker->config, &about, monotonic_ms() - item->held_ms, now_ms);
}

/* ---- one message ---- */

/* A message to publish, and what it borrows from. */
struct copy {
	struct item *item;
	struct postpone postpone;
	int64_t next_attempt_ms;
	int64_t noticed_ms;
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
					   .next_attempt_ms = copy->next_attempt_ms};

	copy->has_notice = notice_make(worker->notices, &about, &copy->notice);
	if (!copy->has_notice)
		worker_log_notice(copy->item, &copy->notice,
				  kind == NOTICE_DELAYED ? "delayed" : "failed");
}

/* A notice that does not get through must not hold up the message. */
static void notice_outcome(struct worker *worker, struct copy *copy, enum notice_kind kind,
			   enum outcome outcome, const struct reason *reason)
{
	if (outcome == OUTCOME_OK) {
		worker_log_notice(copy->item, &copy->notice,
				  kind == NOTICE_DELAYED ? "delayed" : "failed");
		return;
	}
	copy->has_notice = false;
	notice_withdraw(worker->notices, &copy->notice);
	worker_log_lost("notice", reason);
}

/* ---- dead letters ---- */

static enum outcome bury_with_notice(struct worker *worker, struct copy *copy,
				     struct reason *reason)
{
	struct item *item = copy->item;
	const struct broker_delivery *delivery = &item->delivery;
	const struct retry_headers headers = {.attempt = delivery->attempt,
					      .first_seen_s = delivery->first_seen,
					      .last_error = item->reason.text,
					      .delay_noticed_ms = delivery->delay_noticed};
	struct broker_message messages[2] = {
		retry_message(delivery, EXCHANGE_DEAD, delivery->queue, &headers, copy->room)};
	enum outcome outcomes[2];

	if (copy->has_notice)
		messages[1] = notice_message(&copy->notice);
	outlet_publish(worker->outlet, messages, copy->has_notice ? 2 : 1, outcomes, reason);
	if (copy->has_notice)
		notice_outcome(worker, copy, NOTICE_FAILED, outcomes[1], reason);
	return outcomes[0];
}

enum outcome defer_bury(struct item *item, void *context, struct reason *reason)
{
	struct worker *worker = context;
	struct copy copy = {.item = item};

	if (!item->suspect)
		make_notice(worker, &copy, NOTICE_FAILED, &item->reason);
	enum outcome outcome = bury_with_notice(worker, &copy, reason);

	if (outcome != OUTCOME_OK)
		reason_prefix(reason, "dead letter");
	clear_copy(&copy);
	return outcome;
}

void defer_tell_of_suspect(struct worker *worker, struct item *item)
{
	struct copy copy = {.item = item};
	struct broker_message message;
	struct reason reason;

	make_notice(worker, &copy, NOTICE_FAILED, &item->reason);
	if (copy.has_notice) {
		enum outcome outcome;

		message = notice_message(&copy.notice);
		outlet_publish(worker->outlet, &message, 1, &outcome, &reason);
		notice_outcome(worker, &copy, NOTICE_FAILED, outcome, &reason);
	}
	clear_copy(&copy);
}

/* ---- tiers ---- */

/* False: it is given up instead. */
static bool decide(struct worker *worker, struct copy *copy, const struct reason *why,
		   int64_t now_ms)
{
	struct item *item = copy->item;
	struct postpone_about about = about_of(item, now_ms);

	copy->postpone = postpone_decide(worker->config, &about, now_ms);
	copy->noticed_ms = item->delivery.delay_noticed;
	if (copy->postpone.dead) {
		item->state = ITEM_REFUSED;
		outcome_reject(&item->reason, STATUS_EXPIRED, "given up after %d tries: %s",
			       (int)about.attempt, why->text);
		return false;
	}
	item->reason = *why;
	copy->next_attempt_ms = now_ms + worker->config->retry_delays[copy->postpone.tier];
	copy->exchange = topology_retry_tier(worker->config->retry_tiers[copy->postpone.tier]);
	if (copy->postpone.notice)
		make_notice(worker, copy, NOTICE_DELAYED, why);
	return true;
}

static void publish_notices(struct worker *worker, struct copy *copies, size_t count,
			    int64_t now_ms)
{
	g_autofree struct broker_message *messages = g_new(struct broker_message, count);
	g_autofree struct copy **whose = g_new(struct copy *, count);
	g_autofree enum outcome *outcomes = g_new(enum outcome, count);
	struct reason reason;
	size_t notices = 0;

	for (size_t i = 0; i < count; i++) {
		if (!copies[i].has_notice)
			continue;
		messages[notices] = notice_message(&copies[i].notice);
		whose[notices++] = &copies[i];
	}
	if (notices == 0)
		return;
	outlet_publish(worker->outlet, messages, notices, outcomes, &reason);
	for (size_t i = 0; i < notices; i++) {
		notice_outcome(worker, whose[i], NOTICE_DELAYED, outcomes[i], &reason);
		if (outcomes[i] == OUTCOME_OK)
			whose[i]->noticed_ms = now_ms;
	}
}

static struct broker_message tier_message(struct copy *copy, int64_t now_ms)
{
	const struct broker_delivery *delivery = &copy->item->delivery;
	const struct retry_headers headers = {
		.attempt = MAX(delivery->attempt, 1) + 1,
		.first_seen_s = first_seen_ms(copy->item, now_ms) / MS_PER_SECOND,
		.last_error = copy->item->reason.text,
		.next_attempt_ms = copy->next_attempt_ms,
		.delay_noticed_ms = copy->noticed_ms,
	};

	return retry_message(delivery, copy->exchange, delivery->queue, &headers, copy->room);
}

static enum outcome publish_copies(struct worker *worker, struct copy *copies, size_t count,
				   int64_t now_ms, struct reason *reason)
{
	g_autofree struct broker_message *messages = g_new(struct broker_message, count);
	g_autofree enum outcome *outcomes = g_new(enum outcome, count);

	if (count == 0)
		return OUTCOME_OK;
	for (size_t i = 0; i < count; i++)
		messages[i] = tier_message(&copies[i], now_ms);
	enum outcome outcome = outlet_publish(worker->outlet, messages, count, outcomes, reason);

	for (size_t i = 0; i < count; i++) {
		struct item *item = copies[i].item;

		if (outcomes[i] != OUTCOME_OK)
			continue;
		item->state = ITEM_DELAYED;
		item->next_attempt_ms = copies[i].next_attempt_ms;
		worker->ops.settled(item, worker);
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
	publish_notices(worker, copies, waiting, now_ms);
	enum outcome outcome = publish_copies(worker, copies, waiting, now_ms, reason);

	for (size_t i = 0; i < waiting; i++)
		clear_copy(&copies[i]);
	return outcome;
}
