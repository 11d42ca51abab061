#include "mailctl/mover.h"

#include <glib.h>

#include "common/retry.h"
#include "mailctl/connect.h"
#include "mailctl/rabbitmqctl.h"

/* Held at a time: as many as are published in one go, or so many bytes. */
enum { BATCH_COUNT = 1024, HEADERS_OWN = 2, SERVE_MS = 1000, MS_PER_S = 1000 };
static const size_t BATCH_BYTES = (size_t)8 * 1024 * 1024;

/* RabbitMQ's accounts of earlier ways, among them those by which it tells cycles, and CC: those
 * copies have been made. */
#define BROKERS_OWN                                                                                \
	"x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason",        \
		"x-last-death-exchange", "x-last-death-queue", "x-last-death-reason",              \
		"x-delivery-count", "x-acquired-count", "CC", "BCC"

static const char *const dropped_requeue[] = {HEADER_ATTEMPT,
					      HEADER_LAST_ERROR,
					      HEADER_NEXT_ATTEMPT,
					      HEADER_DELAY_NOTICED,
					      HEADER_DEAD_SINCE,
					      BROKERS_OWN,
					      NULL};

static const char *const dropped_ahead[] = {HEADER_NEXT_ATTEMPT, BROKERS_OWN, NULL};

struct moving {
	struct broker_delivery delivery;
	char *queue;
	struct broker_header headers[HEADERS_OWN];
};

struct mover {
	enum mover_kind kind;
	struct broker *publisher;
	struct moving batch[BATCH_COUNT];
	struct broker_message messages[BATCH_COUNT];
	size_t count;
	size_t bytes;
	int64_t served_ms;
	int64_t moved;
	int64_t refused;
	struct reason refusal;
};

struct mover *mover_new(const struct config *config, enum mover_kind kind, struct reason *reason)
{
	struct mover *mover = g_new0(struct mover, 1);
	const struct config_user *user = amqp_role_user(AMQP_SETUP, config);
	g_autofree char *password =
		config_password(user, amqp_role_password_key(AMQP_SETUP), reason);

	mover->kind = kind;
	if (password != NULL)
		mover->publisher = connect_broker(config, user->name, password, reason);
	if (mover->publisher == NULL ||
	    broker_confirm_select(mover->publisher, connect_deadline(), reason) != OUTCOME_OK)
		mover_free(&mover);
	return mover;
}

static void forget_batch(struct mover *mover)
{
	for (size_t i = 0; i < mover->count; i++) {
		broker_delivery_clear(&mover->batch[i].delivery);
		g_free(mover->batch[i].queue);
	}
	mover->count = 0;
	mover->bytes = 0;
}

void mover_free(struct mover **mover)
{
	if (*mover == NULL)
		return;
	forget_batch(*mover);
	broker_close(&(*mover)->publisher);
	g_free(*mover);
	*mover = NULL;
}

int64_t mover_moved(const struct mover *mover)
{
	return mover->moved;
}

int64_t mover_refused(const struct mover *mover)
{
	return mover->refused;
}

const struct reason *mover_refusal(const struct mover *mover)
{
	return &mover->refusal;
}

/* ---- moving ---- */

static void fill_message(const struct mover *mover, struct moving *moving,
			 struct broker_message *message)
{
	bool requeue = mover->kind == MOVER_REQUEUE;

	*message = (struct broker_message){
		.exchange = "", /* goes by the name of the queue, and to that queue alone */
		.routing_key = moving->queue,
		.body = moving->delivery.body,
		.body_size = moving->delivery.body_size,
		.properties = moving->delivery.properties,
		.dropped = requeue ? dropped_requeue : dropped_ahead,
	};
	if (!requeue)
		return;
	moving->headers[0] = (struct broker_header){.name = HEADER_REQUEUED,
						    .number = moving->delivery.requeued + 1};
	moving->headers[1] = (struct broker_header){.name = HEADER_REQUEUED_AT,
						    .number = realtime_ms() / MS_PER_S};
	message->headers = moving->headers;
	message->header_count = HEADERS_OWN;
}

enum outcome mover_add(struct mover *mover, struct sweep *sweep, struct broker_delivery *delivery,
		       const char *queue, struct reason *reason)
{
	struct moving *moving = &mover->batch[mover->count];

	*moving = (struct moving){.delivery = *delivery, .queue = g_strdup(queue)};
	*delivery = (struct broker_delivery){0};
	fill_message(mover, moving, &mover->messages[mover->count]);
	mover->count++;
	mover->bytes += moving->delivery.body_size;
	if (mover->count < BATCH_COUNT && mover->bytes < BATCH_BYTES)
		return OUTCOME_OK;
	return mover_flush(mover, sweep, reason);
}

static bool is_lost(struct mover *mover, struct reason *reason)
{
	struct broker_delivery delivery;

	return broker_next(mover->publisher, &delivery, -1, deadline_in(0), reason) == BROKER_LOST;
}

/* A publisher that has nothing to publish must show that it is alive. */
static enum outcome serve(struct mover *mover, struct reason *reason)
{
	int64_t now = monotonic_ms();

	if (now - mover->served_ms < SERVE_MS)
		return OUTCOME_OK;
	mover->served_ms = now;
	return is_lost(mover, reason) ? OUTCOME_RETRY : OUTCOME_OK;
}

static void note_refused(struct mover *mover, const struct reason *why)
{
	if (mover->refused == 0)
		mover->refusal = *why;
	mover->refused++;
}

enum outcome mover_flush(struct mover *mover, struct sweep *sweep, struct reason *reason)
{
	enum outcome outcomes[BATCH_COUNT];
	struct reason why = {0};
	enum outcome outcome = OUTCOME_OK;

	if (mover->count == 0)
		return serve(mover, reason);
	bool all = broker_publish_all(mover->publisher, mover->messages, mover->count, outcomes,
				      connect_deadline(), &why) == OUTCOME_OK;

	/* Is it a message's queue or the connection? */
	bool lost = !all && is_lost(mover, reason);

	for (size_t i = 0; i < mover->count && outcome == OUTCOME_OK; i++) {
		if (outcomes[i] == OUTCOME_OK) {
			outcome = sweep_take(sweep, mover->batch[i].delivery.tag, reason);
			mover->moved++;
		} else if (!lost) {
			note_refused(mover, &why);
		}
	}
	forget_batch(mover);
	mover->served_ms = monotonic_ms();
	return lost ? OUTCOME_RETRY : outcome;
}
