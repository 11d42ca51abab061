#include "mailctl/sweep.h"

#include <glib.h>

#include "common/stop.h"
#include "mailctl/connect.h"
#include "mailctl/rabbitmqctl.h"

/* Of a consumer: the first one's, when nothing is known of the messages, and any one's. */
enum { PREFETCH_FIRST = 32, PREFETCH_MAX = 8192, GROWTH = 2 };
/* Bodies that a consumer may have RabbitMQ read ahead, about. */
static const int64_t AHEAD_BYTES = INT64_C(24) * 1024 * 1024;

enum {
	PAUSE_MS = 20,      /* without a message: what is in hand need not wait longer */
	LOOK_MS = 500,      /* ... is the queue empty? */
	EMPTY_LOOKS = 2,    /* it was, so often */
	SILENCE_MS = 60000, /* ... and it is not: something is wrong */
	SETTLE_ROUNDS = 3,  /* see sweep_close() */
	SETTLE_WAIT_MS = 50,
	RETURN_MS = 10000, /* for what is given back to be there again */
	RETURN_LOOK_MS = 20,
	US_PER_MS = 1000
};

struct sweep {
	const struct config *config;
	struct broker *broker;
	char *queue;
	int64_t total;
	int64_t limit;
	int64_t seen;
	int64_t bytes;
	int64_t outstanding; /* not taken */
	int64_t taken;
	int64_t prefetch; /* of the newest consumer */
	int64_t capacity; /* of all of them */
	bool lost;
	bool paused;            /* since the last message */
	int64_t quiet_since_ms; /* 0: messages come */
	int64_t looked_ms;
	int empty_looks;
};

/* ---- open ---- */

static struct broker *open_broker(const struct config *config, struct reason *reason)
{
	const struct config_user *user = amqp_role_user(AMQP_SETUP, config);
	g_autofree char *password =
		config_password(user, amqp_role_password_key(AMQP_SETUP), reason);

	return password != NULL ? connect_broker(config, user->name, password, reason) : NULL;
}

struct sweep *sweep_open(const struct config *config, const char *queue, int64_t limit,
			 struct reason *reason)
{
	struct sweep *sweep = g_new0(struct sweep, 1);
	int64_t consumers;

	sweep->config = config;
	sweep->queue = g_strdup(queue);
	sweep->broker = open_broker(config, reason);
	if (sweep->broker == NULL ||
	    broker_check_queue(sweep->broker, queue, &sweep->total, &consumers, connect_deadline(),
			       reason) != OUTCOME_OK) {
		sweep_close(&sweep);
		return NULL;
	}
	broker_keep_properties(sweep->broker);
	sweep->limit = limit > 0 ? MIN(limit, sweep->total) : sweep->total;
	return sweep;
}

/* RabbitMQ's channel passes acknowledgements on to the queue some at a time, as the queue confirms
 * earlier ones; those that are left when it ends are lost, and their messages come back.  Questions
 * keep it at work. */
static void settle(struct sweep *sweep)
{
	if (sweep->taken == 0)
		return;
	for (int i = 0; i < SETTLE_ROUNDS; i++) {
		if (broker_check_queue(sweep->broker, sweep->queue, NULL, NULL, connect_deadline(),
				       NULL) != OUTCOME_OK)
			return;
		g_usleep((gulong)SETTLE_WAIT_MS * US_PER_MS);
	}
}

/* The connection has ended; its messages come back a little later, and whoever looks before that
 * would find others in their place. */
static void await_return(const struct sweep *sweep)
{
	struct deadline deadline = deadline_in(RETURN_MS);
	struct broker *broker = open_broker(sweep->config, NULL);
	int64_t expected = sweep->total - sweep->taken;
	int64_t ready = 0;

	while (broker != NULL && ready < expected && !deadline_passed(deadline) &&
	       broker_check_queue(broker, sweep->queue, &ready, NULL, deadline, NULL) == OUTCOME_OK)
		if (ready < expected)
			g_usleep((gulong)RETURN_LOOK_MS * US_PER_MS);
	broker_close(&broker);
}

void sweep_close(struct sweep **sweep)
{
	struct sweep *old = *sweep;

	if (old == NULL)
		return;
	if (old->broker != NULL) {
		settle(old);
	}
	broker_close(&old->broker);
	if (old->outstanding > 0 && !old->lost)
		await_return(old);
	g_free(old->queue);
	g_free(old);
	*sweep = NULL;
}

int64_t sweep_total(const struct sweep *sweep)
{
	return sweep->total;
}

int64_t sweep_seen(const struct sweep *sweep)
{
	return sweep->seen;
}

/* ---- consumers ---- */

static int64_t wanted_prefetch(const struct sweep *sweep)
{
	int64_t left = sweep->limit - sweep->seen;
	int64_t most = PREFETCH_FIRST;

	if (sweep->seen > 0) {
		int64_t average = sweep->bytes / sweep->seen + 1;

		most = CLAMP(AHEAD_BYTES / average, 1, PREFETCH_MAX);
		/* What was seen so far may be an exception. */
		most = MIN(most, MAX(sweep->seen, PREFETCH_FIRST) * GROWTH);
	}
	return CLAMP(left, 1, most);
}

static enum outcome add_consumer(struct sweep *sweep, struct reason *reason)
{
	sweep->prefetch = wanted_prefetch(sweep);
	sweep->capacity += sweep->prefetch;
	return broker_consume(sweep->broker, sweep->queue, (uint16_t)sweep->prefetch,
			      connect_deadline(), reason);
}

static bool is_full(const struct sweep *sweep)
{
	return sweep->outstanding >= sweep->capacity;
}

/* It makes the others wait. */
static bool is_too_small(const struct sweep *sweep)
{
	return wanted_prefetch(sweep) >= sweep->prefetch * GROWTH;
}

/* ---- the way ---- */

static void note_delivery(struct sweep *sweep, const struct broker_delivery *delivery)
{
	sweep->seen++;
	sweep->outstanding++;
	sweep->bytes += (int64_t)delivery->body_size;
	sweep->quiet_since_ms = 0;
	sweep->empty_looks = 0;
	sweep->paused = false;
}

/* Nothing has come for a while. */
static enum sweep_event be_patient(struct sweep *sweep, struct reason *reason)
{
	int64_t now = monotonic_ms();
	int64_t ready = 0;

	if (sweep->quiet_since_ms == 0)
		sweep->quiet_since_ms = sweep->looked_ms = now;
	if (now - sweep->looked_ms < LOOK_MS)
		return SWEEP_PAUSE;
	sweep->looked_ms = now;
	if (broker_check_queue(sweep->broker, sweep->queue, &ready, NULL, connect_deadline(),
			       reason) != OUTCOME_OK)
		return SWEEP_LOST;
	/* Others took some; what was ready for us when we asked may still be on its way. */
	sweep->empty_looks = ready == 0 ? sweep->empty_looks + 1 : 0;
	if (sweep->empty_looks >= EMPTY_LOOKS)
		return SWEEP_END;
	if (now - sweep->quiet_since_ms > SILENCE_MS) {
		outcome_retry(reason, "4.4.1", "RabbitMQ sends nothing more from queue \"%s\"",
			      sweep->queue);
		return SWEEP_LOST;
	}
	return SWEEP_PAUSE;
}

static enum sweep_event read_one(struct sweep *sweep, struct broker_delivery *delivery,
				 int64_t wait_ms, struct reason *reason)
{
	switch (broker_next(sweep->broker, delivery, stop_fd(), deadline_in(wait_ms), reason)) {
	case BROKER_DELIVERY:
		note_delivery(sweep, delivery);
		return SWEEP_MESSAGE;
	case BROKER_TIMEOUT:
		return stop_requested() > 0 ? SWEEP_STOPPED : SWEEP_PAUSE;
	case BROKER_CANCELLED:
	case BROKER_LOST:
		break;
	}
	sweep->lost = true;
	return SWEEP_LOST;
}

static enum sweep_event pause_here(struct sweep *sweep)
{
	sweep->paused = true;
	return SWEEP_PAUSE;
}

enum sweep_event sweep_next(struct sweep *sweep, struct broker_delivery *delivery,
			    struct reason *reason)
{
	enum sweep_event event;

	if (sweep->seen >= sweep->limit)
		return SWEEP_END;
	if (stop_requested() > 0)
		return SWEEP_STOPPED;
	if (sweep->outstanding > 0 && is_full(sweep) && !sweep->paused)
		return pause_here(sweep);
	/* What is full now holds messages that are not wanted. */
	if ((is_full(sweep) || (sweep->paused && is_too_small(sweep))) &&
	    add_consumer(sweep, reason) != OUTCOME_OK)
		return SWEEP_LOST;
	event = read_one(sweep, delivery, PAUSE_MS, reason);
	if (event == SWEEP_PAUSE)
		event = be_patient(sweep, reason);
	sweep->paused = event == SWEEP_PAUSE;
	return event;
}

enum outcome sweep_take(struct sweep *sweep, uint64_t tag, struct reason *reason)
{
	sweep->outstanding--;
	sweep->taken++;
	return broker_ack(sweep->broker, tag, false, reason);
}
