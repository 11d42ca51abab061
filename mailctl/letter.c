#include "mailctl/letter.h"

#include <glib.h>
#include <string.h>

#include "common/sha256.h"
#include "common/topology.h"
#include "mailctl/table.h"

enum { MS_PER_S = 1000, NAME_BYTES = 8 };

/* ---- facts ---- */

const char *letter_origin(const struct broker_delivery *delivery)
{
	const char *key = delivery->routing_key;
	bool ours =
		g_str_has_prefix(key, EXCHANGE_IN ".") || g_str_has_prefix(key, EXCHANGE_OUT ".");

	return ours ? key : NULL;
}

/* Years of more than four digits are nonsense of a producer. */
static const int64_t SECONDS_MAX = INT64_C(253402300799);

static char *named_after_body(const struct broker_delivery *delivery)
{
	unsigned char digest[SHA256_SIZE];
	GString *name = g_string_new("sha256-");

	sha256_of(delivery->body, delivery->body_size, digest);
	for (size_t i = 0; i < NAME_BYTES; i++)
		g_string_append_printf(name, "%02x", digest[i]);
	return g_string_free(name, FALSE);
}

/* A request may have its id in its body alone. */
static char *find_id(const struct broker_delivery *delivery)
{
	char *id = NULL;

	if (delivery->message_id != NULL && *delivery->message_id != '\0')
		return g_utf8_make_valid(delivery->message_id, -1);
	struct wire *body = wire_parse(delivery->body, delivery->body_size, NULL);

	if (body != NULL) {
		const char *text = wire_get_text(body, "MessageID");

		if (text != NULL && *text != '\0')
			id = g_strdup(text);
		wire_free(&body);
	}
	return id;
}

/* RabbitMQ's own account of it: the first entry of x-death. */
static int64_t death_time(const struct broker_delivery *delivery)
{
	int64_t time = 0;

	if (delivery->death_reason == NULL || delivery->properties == NULL)
		return 0;
	struct wire *properties = broker_properties_json(delivery->properties);
	const struct wire *headers = wire_get_object(properties, "headers");
	const struct wire *deaths = headers != NULL ? wire_get_array(headers, "x-death") : NULL;

	if (deaths != NULL && wire_length(deaths) > 0)
		wire_get_int(wire_at(deaths, 0), "time", &time);
	wire_free(&properties);
	return time;
}

static char *find_reason(const struct broker_delivery *delivery)
{
	/* What a worker gives up bears no x-death; if RabbitMQ did, last-error is of an earlier
	 * try. */
	if (delivery->death_reason == NULL)
		return g_utf8_make_valid(delivery->last_error != NULL ? delivery->last_error : "",
					 -1);
	g_autofree char *why = g_utf8_make_valid(delivery->death_reason, -1);
	g_autofree char *queue =
		g_utf8_make_valid(delivery->death_queue != NULL ? delivery->death_queue : "", -1);

	if (strcmp(why, "delivery_limit") == 0)
		return g_strdup_printf("delivered too often from %s without an answer "
				       "(RabbitMQ: delivery_limit): it may have killed its worker",
				       queue);
	return g_strdup_printf("RabbitMQ took it out of %s: %s", queue, why);
}

static int64_t find_since(const struct broker_delivery *delivery)
{
	int64_t time = death_time(delivery);

	if (time > 0 && time <= SECONDS_MAX)
		return time;
	if (delivery->dead_since > 0)
		return delivery->dead_since;
	return delivery->first_seen > 0 ? delivery->first_seen : delivery->timestamp;
}

void letter_fill(struct letter *letter, const struct broker_delivery *delivery)
{
	*letter = (struct letter){.delivery = delivery};
	letter->id = find_id(delivery);
	letter->has_id = letter->id != NULL;
	if (letter->id == NULL)
		letter->id = named_after_body(delivery);
	letter->origin = delivery->routing_key;
	letter->reason = find_reason(delivery);
	letter->since_s = find_since(delivery);
}

void letter_clear(struct letter *letter)
{
	g_free(letter->id);
	g_free(letter->reason);
	*letter = (struct letter){0};
}

/* ---- as JSON ---- */

static void set_time(struct wire *object, const char *key, int64_t seconds)
{
	if (seconds <= 0 || seconds > SECONDS_MAX)
		return;
	g_autofree char *text = table_time(seconds * MS_PER_S);

	wire_set_text(object, key, text);
}

static void set_number(struct wire *object, const char *key, int64_t number)
{
	if (number > 0)
		wire_set_int(object, key, number);
}

struct wire *letter_json(const struct letter *letter)
{
	const struct broker_delivery *delivery = letter->delivery;
	struct wire *object = wire_object();

	wire_set_text(object, "MessageID", letter->id);
	wire_set_text(object, "Origin", letter->origin);
	if (g_str_has_prefix(letter->origin, EXCHANGE_IN "."))
		wire_set_text(object, "Route", letter->origin + strlen(EXCHANGE_IN "."));
	if (g_str_has_prefix(letter->origin, EXCHANGE_OUT "."))
		wire_set_text(object, "Stream", letter->origin + strlen(EXCHANGE_OUT "."));
	wire_set_text(object, "Reason", letter->reason);
	if (delivery->last_error != NULL && strcmp(delivery->last_error, letter->reason) != 0)
		wire_set_text(object, "LastError", delivery->last_error);
	set_number(object, "Attempts", delivery->attempt);
	set_time(object, "PublishedAt", delivery->timestamp);
	set_time(object, "FirstSeen", delivery->first_seen);
	set_time(object, "DeadSince", letter->since_s);
	set_number(object, "Requeued", delivery->requeued);
	set_time(object, "RequeuedAt", delivery->requeued_at);
	wire_set_text(object, "QueueID", delivery->queue_id);
	wire_set_int(object, "Size", (int64_t)delivery->body_size);
	return object;
}

/* ---- filters ---- */

bool letter_filter_is_empty(const struct letter_filter *filter)
{
	return filter->origins == NULL && filter->ids == NULL && filter->reason == NULL &&
	       filter->older_ms < 0 && filter->younger_ms < 0;
}

static bool contains(const char *text, const char *part)
{
	g_autofree char *folded_text = g_utf8_casefold(text, -1);
	g_autofree char *folded_part = g_utf8_casefold(part, -1);

	return strstr(folded_text, folded_part) != NULL;
}

static bool is_one_of(char **ids, const char *id)
{
	for (; *ids != NULL; ids++)
		if (g_ascii_strcasecmp(*ids, id) == 0)
			return true;
	return false;
}

/* An age that is not known is neither more nor less than any. */
static bool age_matches(const struct letter_filter *filter, int64_t since_s, int64_t now_s)
{
	if (filter->older_ms < 0 && filter->younger_ms < 0)
		return true;
	if (since_s <= 0)
		return false;
	int64_t age_s = now_s > since_s ? now_s - since_s : 0;

	return (filter->older_ms < 0 || age_s >= filter->older_ms / MS_PER_S) &&
	       (filter->younger_ms < 0 || age_s < filter->younger_ms / MS_PER_S);
}

bool letter_matches(const struct letter_filter *filter, const struct letter *letter, int64_t now_s)
{
	if (filter->origins != NULL &&
	    !g_strv_contains((const char *const *)filter->origins, letter->origin))
		return false;
	if (filter->ids != NULL && !is_one_of(filter->ids, letter->id))
		return false;
	return (filter->reason == NULL || contains(letter->reason, filter->reason)) &&
	       age_matches(filter, letter->since_s, now_s);
}
