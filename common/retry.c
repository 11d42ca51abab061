#include "common/retry.h"

#include <glib.h>
#include <string.h>

#include "common/deadline.h"
#include "common/topology.h"

enum { MS_PER_SECOND = 1000 };

bool retry_next(const struct config *config, int64_t attempt, int64_t first_seen_s, int64_t now_s,
		size_t *tier)
{
	size_t last = config->retry_tier_count - 1;

	if (now_s - first_seen_s >= config->retry_max_age / MS_PER_SECOND)
		return false;
	*tier = attempt - 1 < (int64_t)last ? (size_t)MAX(attempt - 1, 0) : last;
	return true;
}

int64_t retry_since(const struct broker_delivery *delivery, int64_t otherwise)
{
	return MAX(delivery->first_seen > 0 ? delivery->first_seen : otherwise,
		   delivery->requeued_at);
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
		room[count++] = (struct broker_header){.name = HEADER_DEAD_SINCE,
						       .number = realtime_ms() / MS_PER_SECOND};
	if (delivery->requeued != 0)
		room[count++] = (struct broker_header){.name = HEADER_REQUEUED,
						       .number = delivery->requeued};
	if (delivery->requeued_at != 0)
		room[count++] = (struct broker_header){.name = HEADER_REQUEUED_AT,
						       .number = delivery->requeued_at};
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
