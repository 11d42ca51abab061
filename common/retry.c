#include "common/retry.h"

#include <glib.h>
#include <string.h>

#include "common/deadline.h"
#include "common/topology.h"

enum { MS_PER_SECOND = 1000 };

/* The first one, and one after each tier. */
static int64_t least_tries(const struct config *config)
{
	return (int64_t)config->retry_tier_count + 1;
}

static size_t tier_after(const struct config *config, int64_t attempt)
{
	int64_t last = (int64_t)config->retry_tier_count - 1;

	return (size_t)CLAMP(attempt - 1, 0, last);
}

bool retry_next(const struct config *config, int64_t attempt, int64_t since_s, int64_t now_s,
		size_t *tier)
{
	if (now_s - since_s >= config->retry_max_age / MS_PER_SECOND &&
	    attempt >= least_tries(config))
		return false;
	*tier = tier_after(config, attempt);
	return true;
}

int64_t retry_until_ms(const struct config *config, int64_t attempt, int64_t since_s,
		       int64_t now_ms)
{
	int64_t until_ms = MIN(since_s * MS_PER_SECOND, now_ms) + config->retry_max_age;
	int64_t tried_ms = now_ms;

	for (int64_t next = MAX(attempt, 1); next < least_tries(config); next++)
		tried_ms += config->retry_delays[tier_after(config, next)];
	return MAX(until_ms, tried_ms);
}

int64_t retry_first_seen(const struct broker_delivery *delivery, int64_t otherwise_s, int64_t now_s)
{
	return MIN(delivery->first_seen > 0 ? delivery->first_seen : otherwise_s, now_s);
}

int64_t retry_since(const struct broker_delivery *delivery, int64_t otherwise_s, int64_t now_s)
{
	return MAX(retry_first_seen(delivery, otherwise_s, now_s),
		   MIN(delivery->requeued_at, now_s));
}

bool retry_tier_within(const struct config *config, int64_t delay_ms, size_t *tier)
{
	bool found = false;

	for (size_t i = 0; i < config->retry_tier_count; i++) {
		if (config->retry_delays[i] > delay_ms)
			break;
		*tier = i;
		found = true;
	}
	return found;
}

struct broker_message retry_message(const struct broker_delivery *delivery, const char *exchange,
				    const char *routing_key, const struct retry_headers *headers,
				    struct broker_header room[RETRY_HEADERS])
{
	int64_t now_s = realtime_ms() / MS_PER_SECOND;
	size_t count = 0;

	if (delivery->queue_id != NULL)
		room[count++] =
			(struct broker_header){.name = HEADER_QUEUE_ID, .text = delivery->queue_id};
	if (headers->attempt != 0)
		room[count++] =
			(struct broker_header){.name = HEADER_ATTEMPT, .number = headers->attempt};
	if (headers->first_seen_s != 0)
		room[count++] = (struct broker_header){.name = HEADER_FIRST_SEEN,
						       .number = headers->first_seen_s};
	if (headers->last_error != NULL)
		room[count++] = (struct broker_header){.name = HEADER_LAST_ERROR,
						       .text = headers->last_error};
	if (headers->next_attempt_ms != 0)
		room[count++] = (struct broker_header){.name = HEADER_NEXT_ATTEMPT,
						       .number = headers->next_attempt_ms};
	if (headers->delay_noticed_ms != 0)
		room[count++] = (struct broker_header){.name = HEADER_DELAY_NOTICED,
						       .number = headers->delay_noticed_ms};
	if (strcmp(exchange, EXCHANGE_DEAD) == 0)
		room[count++] = (struct broker_header){.name = HEADER_DEAD_SINCE, .number = now_s};
	if (delivery->requeued != 0)
		room[count++] = (struct broker_header){.name = HEADER_REQUEUED,
						       .number = delivery->requeued};
	if (delivery->requeued_at != 0)
		room[count++] = (struct broker_header){.name = HEADER_REQUEUED_AT,
						       .number = MIN(delivery->requeued_at, now_s)};
	if (delivery->released != 0)
		room[count++] = (struct broker_header){.name = HEADER_RELEASED,
						       .number = delivery->released};
	return (struct broker_message){
		.exchange = exchange,
		.routing_key = routing_key,
		.body = delivery->body,
		.body_size = delivery->body_size,
		.content_type = delivery->content_type,
		.message_id = delivery->message_id,
		.type = delivery->type,
		.app_id = delivery->app_id,
		.timestamp = delivery->timestamp,
		.headers = room,
		.header_count = count,
	};
}
