#include "common/redis.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <hiredis.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/backoff.h"
#include "common/hostport.h"
#include "common/lookup.h"

enum {
	PORT = 6379,
	BACKOFF_FIRST_MS = 1000,
	BACKOFF_MAX_MS = 30000,
	WORK_MS = 20,  /* how soon redis_work() wants to be called again while it is busy */
	FREE_MS = 500, /* for what is still to be sent at the end */
	CHECK_S = 10,  /* how long the key of redis_check() lives */
	NUMBER_SIZE = 24,
	MS_PER_SECOND = 1000
};

/* What is noted and cannot be sent yet. */
static const size_t UNSENT_BYTES_MAX = (size_t)1024 * 1024;

#define STATUS_NETWORK "4.4.1" /* RFC 3463: no answer from host */
#define STATUS_SYSTEM "4.3.0"  /* other mail system status */

struct redis {
	const struct config *config;

	/* A round tries one address after the other. */
	bool in_round;
	struct lookup *lookup; /* under way, or NULL */
	GPtrArray *addresses;  /* struct lookup_address; NULL with a socket */
	size_t next_address;
	struct backoff backoff;
	struct deadline next_round;
	struct reason reason; /* of the last failure */

	redisContext *context; /* NULL: not connected */
	bool connected;        /* connect(2) is over */
	bool proven;           /* it has taken a value */
	size_t greetings;      /* answers to AUTH and SELECT that are to come */
	size_t awaited;        /* answers to values that are to come */
	struct deadline answer_by;

	GString *unsent; /* commands */
	size_t unsent_count;
	size_t lost; /* since it went */
	bool gone;
};

/* ---- failure ---- */

static void forget_unsent(struct redis *redis)
{
	redis->lost += redis->unsent_count;
	redis->unsent_count = 0;
	g_string_truncate(redis->unsent, 0);
}

static void end_round(struct redis *redis)
{
	lookup_free(&redis->lookup);
	g_clear_pointer(&redis->addresses, g_ptr_array_unref);
	redis->next_address = 0;
	redis->in_round = false;
}

static void close_context(struct redis *redis)
{
	redis->lost += redis->awaited;
	redis->awaited = 0;
	redis->greetings = 0;
	redis->connected = false;
	g_clear_pointer(&redis->context, redisFree);
}

/* The round goes on, unless this one had worked, or was closed while nothing was asked of it
 * (redis.conf's timeout): then another one begins at once. */
static void lose(struct redis *redis)
{
	bool fresh =
		redis->proven || (redis->connected && redis->greetings == 0 && redis->awaited == 0);

	redis->proven = false;
	close_context(redis);
	if (fresh)
		end_round(redis);
}

/* No address is left. */
static void give_up(struct redis *redis)
{
	end_round(redis);
	forget_unsent(redis);
	redis->next_round = deadline_in(backoff_pause(&redis->backoff));
}

/* The address in hand; g_free() it. */
static char *place_text(const struct redis *redis)
{
	if (redis->addresses == NULL)
		return g_strdup(redis->config->redis_socket);
	const struct lookup_address *address = redis->addresses->pdata[redis->next_address - 1];
	const struct hostport place = {
		.host = address->address, .port = address->port, .ip_literal = true};

	return hostport_text(&place);
}

static bool fail(struct redis *redis, const char *status, const char *what)
{
	g_autofree char *place = place_text(redis);

	outcome_retry(&redis->reason, status, "%s: %s", place, what);
	return false;
}

/* After a call of hiredis. */
static bool fail_context(struct redis *redis)
{
	return fail(redis, STATUS_NETWORK, redis->context->errstr);
}

/* ---- connecting ---- */

/* `count` texts as one command, to be sent with the next redisBufferWrite(). */
static void append(struct redis *redis, const char **words, int count)
{
	redisAppendCommandArgv(redis->context, count, words, NULL);
	redis->greetings++;
}

static bool greet(struct redis *redis)
{
	const struct config *config = redis->config;
	g_autofree char *password =
		config_password(&config->redis, "redis.password_file", &redis->reason);
	char number[NUMBER_SIZE];

	if (password == NULL)
		return false;
	if (*password != '\0' && *config->redis.name != '\0')
		append(redis, (const char *[]){"AUTH", config->redis.name, password}, 3);
	else if (*password != '\0')
		append(redis, (const char *[]){"AUTH", password}, 2);
	g_snprintf(number, sizeof(number), "%" G_GINT64_FORMAT, config->redis_db);
	append(redis, (const char *[]){"SELECT", number}, 2);
	explicit_bzero(password, strlen(password));
	return true;
}

static bool open_context(struct redis *redis)
{
	if (redis->addresses == NULL) {
		redis->context = redisConnectUnixNonBlock(redis->config->redis_socket);
	} else {
		const struct lookup_address *address = redis->addresses->pdata[redis->next_address];

		redis->context = redisConnectNonBlock(address->address, address->port);
	}
	redis->next_address++;
	redis->answer_by = deadline_in(redis->config->redis_timeout);
	if (redis->context == NULL)
		return fail(redis, STATUS_SYSTEM, "no memory");
	if (redis->context->err != 0)
		return fail_context(redis);
	fcntl(redis->context->fd, F_SETFD, FD_CLOEXEC);
	return greet(redis);
}

static void begin_round(struct redis *redis)
{
	redis->in_round = true;
	if (*redis->config->redis_socket != '\0')
		return;
	redis->lookup = lookup_begin(redis->config->redis_hosts, PORT);
	redis->answer_by = deadline_in(redis->config->redis_timeout);
}

/* False while the resolver works. */
static bool take_addresses(struct redis *redis)
{
	if (redis->lookup == NULL)
		return true;
	if (!lookup_done(redis->lookup) && !deadline_passed(redis->answer_by))
		return false;
	redis->addresses = lookup_addresses(redis->lookup, &redis->reason);
	lookup_free(&redis->lookup);
	return true;
}

/* Is there a connection, if only one that is under way? */
static bool have_context(struct redis *redis)
{
	while (redis->context == NULL) {
		if (!redis->in_round) {
			if (!deadline_passed(redis->next_round))
				return false;
			begin_round(redis);
		}
		if (!take_addresses(redis))
			return false;
		size_t count = redis->addresses != NULL ? redis->addresses->len : 1;

		if (redis->next_address >= count) {
			give_up(redis);
			return false;
		}
		if (!open_context(redis))
			lose(redis);
	}
	return true;
}

/* ---- talking: false with redis->reason when the connection is of no use ---- */

static bool finish_connect(struct redis *redis)
{
	struct pollfd fd = {.fd = redis->context->fd, .events = POLLOUT};
	int error = 0;
	socklen_t size = sizeof(error);

	if (redis->connected || poll(&fd, 1, 0) == 0)
		return true;
	if (getsockopt(fd.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error != 0)
		return fail(redis, STATUS_NETWORK, g_strerror(error));
	redis->connected = true;
	return true;
}

static bool write_out(struct redis *redis)
{
	int done;

	return redisBufferWrite(redis->context, &done) == REDIS_OK || fail_context(redis);
}

static bool take_answer(struct redis *redis, const redisReply *answer)
{
	if (answer->type == REDIS_REPLY_ERROR)
		return fail(redis, STATUS_SYSTEM, answer->str);
	redis->answer_by = deadline_in(redis->config->redis_timeout);
	if (redis->greetings > 0) {
		redis->greetings--;
		return true;
	}
	if (redis->awaited == 0)
		return fail(redis, STATUS_SYSTEM, "an answer to nothing");
	redis->awaited--;
	redis->proven = true;
	if (!redis->gone)
		redis->lost = 0;
	backoff_reset(&redis->backoff);
	return true;
}

static bool read_answers(struct redis *redis)
{
	redisReply *answer = NULL;

	if (redisBufferRead(redis->context) != REDIS_OK)
		return fail_context(redis);
	for (;;) {
		if (redisGetReplyFromReader(redis->context, (void **)&answer) != REDIS_OK)
			return fail_context(redis);
		if (answer == NULL)
			return true;
		bool fine = take_answer(redis, answer);

		freeReplyObject(answer);
		if (!fine)
			return false;
	}
}

/* Values go out only when AUTH and SELECT were answered: they must not get into another database.
 */
static bool send_unsent(struct redis *redis)
{
	if (redis->greetings > 0 || redis->unsent_count == 0)
		return true;
	redisAppendFormattedCommand(redis->context, redis->unsent->str, redis->unsent->len);
	if (redis->awaited == 0)
		redis->answer_by = deadline_in(redis->config->redis_timeout);
	redis->awaited += redis->unsent_count;
	redis->unsent_count = 0;
	g_string_truncate(redis->unsent, 0);
	return write_out(redis);
}

static bool talk(struct redis *redis)
{
	if (!finish_connect(redis))
		return false;
	if (redis->connected && (!write_out(redis) || !read_answers(redis) || !send_unsent(redis)))
		return false;
	if (redis->greetings + redis->awaited > 0 && deadline_passed(redis->answer_by))
		return fail(redis, STATUS_NETWORK, "no answer within redis.timeout");
	return true;
}

/* ---- what others see ---- */

bool redis_configured(const struct config *config)
{
	return *config->redis_socket != '\0' || config->redis_hosts[0] != NULL;
}

struct redis *redis_new(const struct config *config)
{
	if (!redis_configured(config))
		return NULL;
	struct redis *redis = g_new0(struct redis, 1);

	redis->config = config;
	redis->backoff = (struct backoff){.first_ms = BACKOFF_FIRST_MS, .max_ms = BACKOFF_MAX_MS};
	redis->next_round = deadline_in(0);
	redis->unsent = g_string_new(NULL);
	return redis;
}

/* Until it is not busy any more. */
static void work_until(struct redis *redis, struct deadline deadline)
{
	while (redis_rest_ms(redis) != INT64_MAX && !deadline_passed(deadline)) {
		redis_work(redis, NULL);
		poll(NULL, 0, redis_rest_ms(redis) != INT64_MAX ? 1 : 0);
	}
}

void redis_free(struct redis **redis)
{
	struct redis *old = *redis;

	if (old == NULL)
		return;
	work_until(old, deadline_in(MIN(FREE_MS, old->config->redis_timeout)));
	close_context(old);
	end_round(old);
	g_string_free(old->unsent, TRUE);
	g_free(old);
	*redis = NULL;
}

/* Nobody listens, and it is not tried again yet. */
static bool is_resting(const struct redis *redis)
{
	return !redis->in_round && redis->context == NULL && !deadline_passed(redis->next_round);
}

/* There is neither a connection nor a reason to have one: to tell something, or, after values were
 * lost, to see whether it is still there. */
static bool is_idle(const struct redis *redis)
{
	bool in_doubt = redis->lost > 0 && !redis->gone;

	return !redis->in_round && redis->context == NULL && redis->unsent_count == 0 && !in_doubt;
}

static void set(struct redis *redis, const char *key, const char *value, int64_t expiry_ms)
{
	g_autofree char *full_key = g_strconcat(redis->config->redis_prefix, key, NULL);
	char expiry[NUMBER_SIZE];
	const char *words[] = {"SET", full_key, value, "PX", expiry};
	char *command = NULL;

	if (is_resting(redis) || redis->unsent->len > UNSENT_BYTES_MAX) {
		redis->lost++;
		return;
	}
	g_snprintf(expiry, sizeof(expiry), "%" G_GINT64_FORMAT, expiry_ms);
	int size = redisFormatCommandArgv(&command, G_N_ELEMENTS(words), words, NULL);

	if (size < 0)
		return;
	g_string_append_len(redis->unsent, command, size);
	redis->unsent_count++;
	redisFreeCommand(command);
}

void redis_set(struct redis *redis, const char *key, const char *value)
{
	if (redis != NULL)
		set(redis, key, value, redis->config->redis_expiry);
}

enum redis_news redis_work(struct redis *redis, struct reason *reason)
{
	if (redis == NULL || is_resting(redis) || is_idle(redis))
		return REDIS_NO_NEWS;
	while (!is_idle(redis) && have_context(redis) && !talk(redis))
		lose(redis);
	if (redis->gone && redis->proven) {
		redis->gone = false;
		outcome_retry(reason, "", "%zu states were not told", redis->lost);
		redis->lost = 0;
		return REDIS_BACK;
	}
	if (!redis->gone && is_resting(redis)) {
		redis->gone = true;
		if (reason != NULL)
			*reason = redis->reason;
		return REDIS_GONE;
	}
	return REDIS_NO_NEWS;
}

int64_t redis_rest_ms(const struct redis *redis)
{
	if (redis == NULL || is_resting(redis))
		return INT64_MAX;
	bool busy = redis->in_round && redis->context == NULL;

	busy = busy || redis->unsent_count + redis->greetings + redis->awaited > 0;
	return busy ? WORK_MS : INT64_MAX;
}

enum outcome redis_check(const struct config *config, struct deadline deadline,
			 struct reason *reason)
{
	struct redis *redis = redis_new(config);
	enum outcome outcome = OUTCOME_OK;

	if (redis == NULL)
		return OUTCOME_OK;
	set(redis, "check", "{}", (int64_t)CHECK_S * MS_PER_SECOND);
	work_until(redis, deadline);
	if (!redis->proven)
		outcome = outcome_retry(reason, STATUS_NETWORK, "%s",
					*redis->reason.text != '\0' ? redis->reason.text
								    : "no answer in time");
	redis_free(&redis);
	return outcome;
}
