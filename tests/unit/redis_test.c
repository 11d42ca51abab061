/* common/redis against a server in the same process, which answers only when told to: what would
 * wait for it would never end. */
#include <arpa/inet.h>
#include <glib.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"
#include "common/redis.h"

enum { PATIENCE_MS = 20000, READ_SIZE = 4096, BACKLOG = 8 };

struct server {
	int listener;
	int fd; /* the client's connection */
	GString *got;
	struct config *config;
	struct redis *redis;
	enum redis_news news; /* the last that there was */
	struct reason reason;
};

static void work(struct server *server)
{
	struct reason reason;
	enum redis_news news = redis_work(server->redis, &reason);

	if (news != REDIS_NO_NEWS) {
		server->news = news;
		server->reason = reason;
	}
}

static void set_hosts(struct config *config, const char *host)
{
	g_strfreev(config->redis_hosts);
	config->redis_hosts = g_strsplit(host, " ", -1);
}

static int setup(void **state)
{
	struct server *server = g_new0(struct server, 1);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	signal(SIGPIPE, SIG_IGN);
	server->fd = -1;
	server->got = g_string_new(NULL);
	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server->listener, BACKLOG), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
	server->config = config_default();
	g_autofree char *host = g_strdup_printf("127.0.0.1:%d", ntohs(address.sin_port));

	set_hosts(server->config, host);
	server->redis = redis_new(server->config);
	*state = server;
	return 0;
}

static void hang_up(struct server *server)
{
	close(server->fd);
	server->fd = -1;
	g_string_truncate(server->got, 0);
}

static int teardown(void **state)
{
	struct server *server = *state;

	redis_free(&server->redis);
	assert_null(server->redis);
	config_free(&server->config);
	g_string_free(server->got, TRUE);
	if (server->fd >= 0)
		close(server->fd);
	if (server->listener >= 0)
		close(server->listener);
	g_free(server);
	return 0;
}

static void accept_client(struct server *server)
{
	struct pollfd fd = {.fd = server->listener, .events = POLLIN};

	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		work(server);
		if (poll(&fd, 1, 1) == 1) {
			server->fd = accept(server->listener, NULL, NULL);
			return;
		}
	}
	fail_msg("no client came");
}

/* What the client says from here on, until it has said that much. */
static void expect(struct server *server, const char *commands)
{
	struct pollfd fd = {.fd = server->fd, .events = POLLIN};
	char text[READ_SIZE];

	for (int ms = 0; ms < PATIENCE_MS && server->got->len < strlen(commands); ms++) {
		work(server);
		if (poll(&fd, 1, 1) == 1) {
			ssize_t size = read(server->fd, text, sizeof(text));

			assert_true(size > 0);
			g_string_append_len(server->got, text, size);
		}
	}
	assert_string_equal(server->got->str, commands);
	g_string_truncate(server->got, 0);
}

static void answer(struct server *server, const char *text)
{
	assert_int_equal(write(server->fd, text, strlen(text)), strlen(text));
}

static void await_news(struct server *server, enum redis_news news)
{
	for (int ms = 0; ms < PATIENCE_MS && server->news != news; ms++) {
		work(server);
		poll(NULL, 0, 1);
	}
	assert_int_equal(server->news, news);
	server->news = REDIS_NO_NEWS;
}

/* It begins with the server's address. */
static void assert_reason(const struct server *server, const char *text)
{
	g_autofree char *whole = g_strdup_printf("%s: %s", server->config->redis_hosts[0], text);

	assert_string_equal(server->reason.text, whole);
}

static const char SELECT_0[] = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
static const char SET_A[] = "*5\r\n$3\r\nSET\r\n$10\r\nmailpipe:a\r\n$2\r\n{}\r\n"
			    "$2\r\nPX\r\n$9\r\n604800000\r\n";
static const char SET_B[] = "*5\r\n$3\r\nSET\r\n$10\r\nmailpipe:b\r\n$3\r\n{ }\r\n"
			    "$2\r\nPX\r\n$9\r\n604800000\r\n";

static void log_in(struct server *server)
{
	accept_client(server);
	expect(server, SELECT_0);
	answer(server, "+OK\r\n");
}

static void not_configured_is_no_redis(void **state)
{
	struct server *server = *state;
	struct redis *redis = NULL;
	struct reason reason;

	set_hosts(server->config, "");
	assert_null(redis_new(server->config));
	redis_set(redis, "a", "{}");
	assert_int_equal(redis_work(redis, &reason), REDIS_NO_NEWS);
	assert_int_equal(redis_rest_ms(redis), INT64_MAX);
	assert_int_equal(redis_check(server->config, deadline_in(0), &reason), OUTCOME_OK);
	redis_free(&redis);
}

static void values_go_out_together_after_the_login(void **state)
{
	struct server *server = *state;
	g_autofree char *both = g_strconcat(SET_A, SET_B, NULL);

	assert_int_equal(redis_rest_ms(server->redis), INT64_MAX);
	redis_set(server->redis, "a", "{}");
	redis_set(server->redis, "b", "{ }");
	assert_true(redis_rest_ms(server->redis) < INT64_MAX);
	log_in(server);
	expect(server, both);
	answer(server, "+OK\r\n+OK\r\n");
	for (int ms = 0; ms < PATIENCE_MS && redis_rest_ms(server->redis) != INT64_MAX; ms++) {
		work(server);
		poll(NULL, 0, 1);
	}
	assert_int_equal(redis_rest_ms(server->redis), INT64_MAX);
	assert_int_equal(server->news, REDIS_NO_NEWS);
}

static void nothing_is_told_to_one_that_refuses_the_login(void **state)
{
	struct server *server = *state;

	redis_set(server->redis, "a", "{}");
	accept_client(server);
	expect(server, SELECT_0);
	answer(server, "-NOAUTH Authentication required.\r\n");
	await_news(server, REDIS_GONE);
	assert_reason(server, "NOAUTH Authentication required.");
	assert_int_equal(read(server->fd, (char[1]){0}, 1), 0);
}

static void it_logs_in_with_user_and_password(void **state)
{
	struct server *server = *state;
	char file[] = "/tmp/mailpipe-redis-test-XXXXXX";
	int fd = mkstemp(file);

	assert_int_equal(write(fd, "secret\n", 7), 7);
	close(fd);
	g_free(server->config->redis.name);
	g_free(server->config->redis.password_file);
	server->config->redis.name = g_strdup("mail");
	server->config->redis.password_file = g_strdup(file);
	server->config->redis_db = 3;
	redis_set(server->redis, "a", "{}");
	accept_client(server);
	expect(server, "*3\r\n$4\r\nAUTH\r\n$4\r\nmail\r\n$6\r\nsecret\r\n"
		       "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
	answer(server, "+OK\r\n+OK\r\n");
	expect(server, SET_A);
	answer(server, "+OK\r\n");
	unlink(file);
}

static void one_that_is_away_is_told_of_once(void **state)
{
	struct server *server = *state;

	close(server->listener);
	server->listener = -1;
	redis_set(server->redis, "a", "{}");
	await_news(server, REDIS_GONE);
	assert_reason(server, "Connection refused");
	for (int i = 0; i < 100; i++) {
		redis_set(server->redis, "a", "{}");
		work(server);
	}
	assert_int_equal(server->news, REDIS_NO_NEWS);
}

static void one_that_hangs_is_left_after_the_timeout(void **state)
{
	struct server *server = *state;

	server->config->redis_timeout = 50;
	redis_set(server->redis, "a", "{}");
	accept_client(server);
	await_news(server, REDIS_GONE);
	assert_reason(server, "no answer within redis.timeout");
}

static void one_that_hangs_after_it_had_worked_is_left_too(void **state)
{
	struct server *server = *state;

	redis_set(server->redis, "a", "{}");
	log_in(server);
	expect(server, SET_A);
	answer(server, "+OK\r\n");
	for (int ms = 0; ms < PATIENCE_MS && redis_rest_ms(server->redis) != INT64_MAX; ms++)
		work(server);
	server->config->redis_timeout = 50;
	redis_set(server->redis, "b", "{ }");
	await_news(server, REDIS_GONE);
	assert_reason(server, "no answer within redis.timeout");
}

static void a_connection_that_breaks_is_opened_again_at_once(void **state)
{
	struct server *server = *state;

	redis_set(server->redis, "a", "{}");
	log_in(server);
	expect(server, SET_A);
	answer(server, "+OK\r\n");
	for (int ms = 0; ms < PATIENCE_MS && redis_rest_ms(server->redis) != INT64_MAX; ms++)
		work(server);
	hang_up(server);
	redis_set(server->redis, "b", "{ }");
	log_in(server);
	expect(server, SET_B);
	answer(server, "+OK\r\n");
	assert_int_equal(server->news, REDIS_NO_NEWS);
}

static void one_that_closes_idle_connections_is_fine(void **state)
{
	struct server *server = *state;

	redis_set(server->redis, "a", "{}");
	log_in(server);
	expect(server, SET_A);
	answer(server, "+OK\r\n");
	for (int round = 0; round < 3; round++) {
		for (int ms = 0; ms < PATIENCE_MS && redis_rest_ms(server->redis) != INT64_MAX;
		     ms++)
			work(server);
		hang_up(server);
		work(server);
		assert_int_equal(server->news, REDIS_NO_NEWS);
		redis_set(server->redis, "a", "{}");
		log_in(server);
		expect(server, SET_A);
		answer(server, "+OK\r\n");
	}
	assert_int_equal(server->news, REDIS_NO_NEWS);
}

static void one_that_takes_no_values_comes_back_when_it_does(void **state)
{
	struct server *server = *state;

	redis_set(server->redis, "a", "{}");
	log_in(server);
	expect(server, SET_A);
	answer(server, "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
	await_news(server, REDIS_GONE);
	assert_reason(server, "OOM command not allowed when used memory > 'maxmemory'.");
	redis_set(server->redis, "b", "{ }");
	hang_up(server);
	/* It is resting: b is lost, too.  After the pause it is tried again. */
	while (redis_rest_ms(server->redis) == INT64_MAX) {
		redis_set(server->redis, "b", "{ }");
		poll(NULL, 0, 1);
	}
	log_in(server);
	expect(server, SET_B);
	assert_int_equal(server->news, REDIS_NO_NEWS);
	answer(server, "+OK\r\n");
	await_news(server, REDIS_BACK);
	assert_true(g_str_has_suffix(server->reason.text, " states were not told"));
}

static void nonsense_ends_the_connection(void **state)
{
	struct server *server = *state;

	redis_set(server->redis, "a", "{}");
	accept_client(server);
	expect(server, SELECT_0);
	answer(server, "HTTP/1.1 400 Bad Request\r\n\r\n");
	await_news(server, REDIS_GONE);
	assert_non_null(strstr(server->reason.text, "Protocol error"));
}

static void the_next_host_is_tried(void **state)
{
	struct server *server = *state;
	g_autofree char *hosts = g_strdup_printf("[::1]:1 no[host 127.0.0.1:1 localhost:1 %s",
						 server->config->redis_hosts[0]);

	set_hosts(server->config, hosts);
	redis_set(server->redis, "a", "{}");
	log_in(server);
	expect(server, SET_A);
	answer(server, "+OK\r\n");
	assert_int_equal(server->news, REDIS_NO_NEWS);
}

static void what_cannot_be_sent_does_not_pile_up(void **state)
{
	struct server *server = *state;
	g_autofree char *value = g_strnfill(100000, 'x');

	redis_set(server->redis, "a", "{}");
	accept_client(server);
	for (int i = 0; i < 10000; i++)
		redis_set(server->redis, "a", value);
	/* (A gigabyte would take much longer than this test has.) */
	server->config->redis_timeout = 50;
	await_news(server, REDIS_GONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(not_configured_is_no_redis),
		TEST(values_go_out_together_after_the_login),
		TEST(nothing_is_told_to_one_that_refuses_the_login),
		TEST(it_logs_in_with_user_and_password),
		TEST(one_that_is_away_is_told_of_once),
		TEST(one_that_hangs_is_left_after_the_timeout),
		TEST(one_that_hangs_after_it_had_worked_is_left_too),
		TEST(a_connection_that_breaks_is_opened_again_at_once),
		TEST(one_that_closes_idle_connections_is_fine),
		TEST(one_that_takes_no_values_comes_back_when_it_does),
		TEST(nonsense_ends_the_connection),
		TEST(the_next_host_is_tried),
		TEST(what_cannot_be_sent_does_not_pile_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
