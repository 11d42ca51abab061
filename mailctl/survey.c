#include "mailctl/survey.h"

#include <glib.h>
#include <string.h>

#include "common/broker.h"
#include "common/db.h"
#include "common/topology.h"
#include "mailctl/connect.h"
#include "mailctl/survey_db.h"

enum {
	DATABASE_MS = 5000,  /* longest wait for it */
	PUBLISH_MS = 2000,   /* longest wait for a confirm */
	WINDOW_MS = 60000,   /* over which rates are taken */
	WINDOW_MIN_MS = 500, /* two looks nearer than this tell no rate */
	WINDOW_MAX_MS = 600000,
	MS_PER_MINUTE = 60000,
};

/* An exchange of RabbitMQ's own. */
static const char ALWAYS_THERE[] = "amq.topic";

/* What waited in each queue at one look. */
struct sample {
	int64_t at_ms; /* since 1970: other programs' looks count, too */
	int64_t *waiting;
};

struct survey {
	const struct config *config;
	struct broker *broker; /* NULL: not connected */
	struct broker
		*publisher; /* RabbitMQ reads no more from one that publishes under an alarm */
	struct db *db;
	struct survey_server broker_state;
	struct survey_server db_state;
	struct survey_queue *queues;
	size_t count;
	struct oldest *oldest;
	struct reason no_ages; /* its text is "" if ages are known */
	GQueue samples;        /* struct sample *, the oldest first */
};

/* ---- queues ---- */

static void add_queue(struct survey *survey, enum survey_kind kind, const char *name, char *queue)
{
	survey->queues[survey->count++] =
		(struct survey_queue){.kind = kind, .name = name, .queue = queue};
}

struct survey *survey_new(const struct config *config)
{
	struct survey *survey = g_new0(struct survey, 1);
	enum outcome outcome;

	survey->config = config;
	survey->queues = g_new0(struct survey_queue, config->route_count + config->stream_count +
							     config->retry_tier_count + 1);
	for (size_t i = 0; i < config->route_count; i++)
		add_queue(survey, SURVEY_ROUTE, config->routes[i].name,
			  topology_inbound_queue(config->routes[i].name));
	for (size_t i = 0; i < config->stream_count; i++)
		add_queue(survey, SURVEY_STREAM, config->streams[i].name,
			  topology_outbound_queue(config->streams[i].name));
	for (size_t i = 0; i < config->retry_tier_count; i++)
		add_queue(survey, SURVEY_TIER, config->retry_tiers[i],
			  topology_retry_tier(config->retry_tiers[i]));
	add_queue(survey, SURVEY_DEAD, QUEUE_DEAD, g_strdup(QUEUE_DEAD));
	survey->oldest = oldest_open(config, &outcome, &survey->no_ages);
	g_queue_init(&survey->samples);
	return survey;
}

static void free_sample(void *data)
{
	struct sample *sample = data;

	g_free(sample->waiting);
	g_free(sample);
}

void survey_free(struct survey **survey)
{
	struct survey *old = *survey;

	if (old == NULL)
		return;
	broker_close(&old->broker);
	broker_close(&old->publisher);
	db_close(&old->db);
	oldest_free(&old->oldest);
	for (size_t i = 0; i < old->count; i++)
		g_free(old->queues[i].queue);
	g_free(old->queues);
	g_queue_clear_full(&old->samples, free_sample);
	g_free(old);
	*survey = NULL;
}

/* ---- the broker ---- */

static struct broker *dial(void *context, struct reason *reason)
{
	const struct config *config = context;
	const char *key = "amqp.setup_password_file";
	g_autofree char *password = config_password(&config->amqp_setup, key, reason);

	return password != NULL ? connect_broker(config, config->amqp_setup.name, password, reason)
				: NULL;
}

static bool open_broker(struct survey *survey)
{
	struct survey_server *state = &survey->broker_state;
	int64_t began_ms;

	if (survey->broker == NULL)
		survey->broker = dial((void *)survey->config, &state->reason);
	if (survey->broker == NULL)
		return false;
	g_strlcpy(state->version, broker_server_version(survey->broker), sizeof(state->version));
	began_ms = monotonic_ms();
	state->up = broker_check_exchange(survey->broker, ALWAYS_THERE, connect_deadline(),
					  &state->reason) == OUTCOME_OK;
	state->answer_ms = monotonic_ms() - began_ms;
	return state->up;
}

/* A broker under an alarm answers every question, but takes no messages, and tells only those who
 * try: publish one that no queue wants.  (Without a body it would be taken: RabbitMQ stops behind
 * the header.) */
static void try_to_publish(struct survey *survey)
{
	static const struct broker_message nothing = {.exchange = "",
						      .routing_key = "mailctl-status",
						      .body = "?",
						      .body_size = 1,
						      .optional = true};
	struct survey_server *state = &survey->broker_state;

	if (survey->publisher == NULL) {
		survey->publisher = dial((void *)survey->config, NULL);
		if (survey->publisher == NULL ||
		    broker_confirm_select(survey->publisher, connect_deadline(), NULL) !=
			    OUTCOME_OK)
			return;
	}
	if (broker_publish(survey->publisher, &nothing, deadline_in(PUBLISH_MS), NULL) ==
	    OUTCOME_OK)
		return;
	const char *why = broker_blocked(survey->publisher);

	if (why != NULL) {
		state->blocked = true;
		outcome_retry(&state->reason, "4.3.2", "it takes no messages: %s", why);
	}
	broker_close(&survey->publisher);
}

static bool is_serial(const struct config *config, const struct survey_queue *queue)
{
	return queue->kind == SURVEY_ROUTE && config_route_named(config, queue->name)->serial;
}

static void look_at_queue(struct survey *survey, struct survey_queue *queue)
{
	queue->there =
		broker_check_queue(survey->broker, queue->queue, &queue->waiting, &queue->consumers,
				   connect_deadline(), &queue->reason) == OUTCOME_OK;
	if (!queue->there || queue->kind == SURVEY_TIER || queue->kind == SURVEY_DEAD)
		return;
	const struct oldest_queue what = {.name = queue->queue,
					  .waiting = queue->waiting,
					  .consumers = queue->consumers,
					  .serial = is_serial(survey->config, queue)};

	queue->oldest =
		oldest_look(survey->oldest, survey->broker, &what, dial, (void *)survey->config);
}

static bool look_at_broker(struct survey *survey)
{
	bool fine = open_broker(survey);

	for (size_t i = 0; i < survey->count; i++) {
		struct survey_queue *queue = &survey->queues[i];

		queue->reason = survey->broker_state.reason;
		if (survey->broker != NULL && survey->broker_state.up)
			look_at_queue(survey, queue);
		fine = fine && queue->there;
	}
	if (survey->broker != NULL && survey->broker_state.up)
		try_to_publish(survey);
	/* A connection that failed in between fails at once from then on. */
	if (!fine)
		broker_close(&survey->broker);
	return fine && !survey->broker_state.blocked;
}

/* ---- the database ---- */

static bool open_database(struct survey *survey)
{
	const struct config *config = survey->config;
	struct survey_server *state = &survey->db_state;
	const char *key = "mysql.setup_password_file";
	int64_t began_ms;

	if (survey->db == NULL) {
		g_autofree char *password =
			config_password(&config->mysql_setup, key, &state->reason);
		const struct connect_db how = {.config = config,
					       .user = config->mysql_setup.name,
					       .password = password,
					       .with_database = true,
					       .timeout_ms =
						       MIN(config->mysql_timeout, DATABASE_MS)};

		if (password == NULL)
			return false;
		survey->db = connect_db(&how, &state->reason);
	}
	if (survey->db == NULL)
		return false;
	g_strlcpy(state->version, db_server_version(survey->db), sizeof(state->version));
	began_ms = monotonic_ms();
	state->up = db_exec(survey->db, "SELECT 1", &state->reason) == OUTCOME_OK;
	state->answer_ms = monotonic_ms() - began_ms;
	return state->up;
}

/* ---- rates ---- */

/* The look that this one is compared with: of our own, or what another program left behind. */
static const struct sample *base_sample(struct survey *survey, int64_t now_ms)
{
	struct sample *first;

	while ((first = g_queue_peek_head(&survey->samples)) != NULL &&
	       survey->samples.length > 1 && now_ms - first->at_ms > WINDOW_MS)
		free_sample(g_queue_pop_head(&survey->samples));
	if (first == NULL) {
		first = g_new0(struct sample, 1);
		first->waiting = g_new0(int64_t, survey->count);
		for (size_t i = 0; i < survey->count; i++)
			oldest_last_count(survey->oldest, survey->queues[i].queue,
					  &first->waiting[i], &first->at_ms);
		g_queue_push_tail(&survey->samples, first);
	}
	int64_t age_ms = now_ms - first->at_ms;

	return age_ms >= WINDOW_MIN_MS && age_ms <= WINDOW_MAX_MS ? first : NULL;
}

static void keep_sample(struct survey *survey, int64_t now_ms)
{
	struct sample *sample = g_new0(struct sample, 1);

	sample->at_ms = now_ms;
	sample->waiting = g_new0(int64_t, survey->count);
	for (size_t i = 0; i < survey->count; i++)
		sample->waiting[i] = survey->queues[i].waiting;
	g_queue_push_tail(&survey->samples, sample);
}

static bool look_at_database(struct survey *survey, const struct sample *base, int64_t now_ms)
{
	int64_t window_ms = base != NULL ? now_ms - base->at_ms : WINDOW_MS;
	g_autofree int64_t *handled = g_new0(int64_t, survey->count);

	if (!open_database(survey) ||
	    survey_db_counts(survey->db, survey->queues, survey->count, window_ms, handled,
			     &survey->db_state.reason) != OUTCOME_OK) {
		survey->db_state.up = false;
		db_close(&survey->db);
		return false;
	}
	for (size_t i = 0; i < survey->count; i++) {
		struct survey_queue *queue = &survey->queues[i];

		if (queue->kind != SURVEY_ROUTE && queue->kind != SURVEY_STREAM)
			continue;
		queue->handled_per_minute = handled[i] * MS_PER_MINUTE / window_ms;
		if (base == NULL || !queue->there)
			continue;
		int64_t growth = queue->waiting - base->waiting[i];

		queue->arrived_per_minute = MAX(handled[i] + growth, 0) * MS_PER_MINUTE / window_ms;
	}
	return true;
}

/* ---- all of it ---- */

static void forget(struct survey *survey)
{
	survey->broker_state = (struct survey_server){0};
	survey->db_state = (struct survey_server){0};
	for (size_t i = 0; i < survey->count; i++) {
		struct survey_queue *queue = &survey->queues[i];

		queue->there = false;
		queue->reason = (struct reason){0};
		queue->waiting = 0;
		queue->consumers = 0;
		queue->oldest = (struct oldest_age){OLDEST_UNKNOWN, 0};
		queue->delayed = -1;
		queue->delayed_oldest_ms = -1;
		queue->quarantined = -1;
		queue->handled_per_minute = -1;
		queue->arrived_per_minute = -1;
	}
}

bool survey_look(struct survey *survey)
{
	struct reason reason;
	int64_t now_ms = realtime_ms();
	const struct sample *base;

	forget(survey);
	base = base_sample(survey, now_ms);
	bool fine = look_at_broker(survey);

	fine = look_at_database(survey, base, now_ms) && fine;
	if (survey->broker_state.up) {
		keep_sample(survey, now_ms);
		if (oldest_save(survey->oldest, &reason) != OUTCOME_OK)
			survey->no_ages = reason;
	}
	return fine;
}

/* It consumes nothing; this reads and sends heartbeats. */
static void keep_alive(struct broker **broker)
{
	struct broker_delivery none = {0};

	if (*broker == NULL ||
	    broker_next(*broker, &none, -1, deadline_in(0), NULL) == BROKER_TIMEOUT)
		return;
	broker_delivery_clear(&none);
	broker_close(broker);
}

void survey_idle(struct survey *survey)
{
	keep_alive(&survey->broker);
	keep_alive(&survey->publisher);
}

const struct survey_server *survey_database(const struct survey *survey)
{
	return &survey->db_state;
}

const struct survey_server *survey_broker(const struct survey *survey)
{
	return &survey->broker_state;
}

const struct survey_queue *survey_queues(const struct survey *survey, size_t *count)
{
	*count = survey->count;
	return survey->queues;
}

const char *survey_no_ages(const struct survey *survey)
{
	return survey->no_ages.text[0] != '\0' ? survey->no_ages.text : NULL;
}
