/* config: defaults, values, ranges, and errors that name file, line and key. */
#include <glib.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/config.h"

static char path[] = "/tmp/mailpipe-config-XXXXXX";

static struct config *load(const char *text, struct reason *reason)
{
	assert_true(g_file_set_contents(path, text, -1, NULL));
	return config_load(path, reason);
}

static void fails(const char *text, const char *expected)
{
	struct reason reason;
	struct config *config = load(text, &reason);
	g_autofree char *whole = g_strconcat(path, expected, NULL);

	assert_null(config);
	assert_string_equal(reason.status, "4.3.5");
	assert_string_equal(reason.text, whole);
}

static void defaults_are_in_the_table(void **state)
{
	(void)state;
	struct config *config = config_default();

	assert_string_equal(config->instance, "mailpipe");
	assert_string_equal(config->amqp_hosts[0], "localhost");
	assert_null(config->amqp_hosts[1]);
	assert_int_equal(config->limits.message_size, 50 * 1024 * 1024);
	assert_int_equal(config->limits.deadline, 60000);
	assert_int_equal(config->log_level, 6);
	assert_int_equal(config->route_count, 0);
	assert_null(config_route(config, "a@example.com"));
	config_free(&config);
	assert_null(config);
}

static void values_replace_defaults(void **state)
{
	(void)state;
	struct reason reason;
	struct config *config = load("; a comment\n"
				     "[amqp]\n"
				     "hosts = a:1, b\n"
				     "  c:3\n"
				     "heartbeat = 2m\n"
				     "tls = yes\n"
				     "[limits]\n"
				     "message_size = 10K\n"
				     "parse_cpu = 1500ms\n"
				     "[log]\n"
				     "level = debug\n"
				     "[route help]\n"
				     "recipients = help@example.com, /^[a-z]{2,3}@x/\n"
				     "raw = yes\n"
				     "[route rest]\n"
				     "recipients = *@example.com\n",
				     &reason);

	assert_non_null(config);
	assert_string_equal(config->amqp_hosts[0], "a:1");
	assert_string_equal(config->amqp_hosts[1], "b");
	assert_string_equal(config->amqp_hosts[2], "c:3");
	assert_null(config->amqp_hosts[3]);
	assert_int_equal(config->amqp_heartbeat, 120000);
	assert_true(config->amqp_tls);
	assert_int_equal(config->limits.message_size, 10240);
	assert_int_equal(config->limits.parse_cpu, 1500);
	assert_int_equal(config->log_level, 7);
	assert_int_equal(config->routes[0].raw, CONFIG_RAW_YES);
	assert_string_equal(config_route(config, "help@example.com")->name, "help");
	assert_string_equal(config_route(config, "ab@x")->name, "help");
	assert_string_equal(config_route(config, "other@example.com")->name, "rest");
	assert_null(config_route(config, "a@elsewhere.example"));
	assert_ptr_equal(config_route_named(config, "rest"), &config->routes[1]);
	config_free(&config);
}

static void errors_name_file_line_and_key(void **state)
{
	(void)state;
	fails("[amqp]\nhost = a\n", ":2: [amqp] host: unknown key");
	fails("[amqq]\n", ":1: [amqq]: unknown section");
	fails("\n\nhosts = a\n", ":3: hosts: stands before any [section]");
	fails("[amqp]\ntls = true\n", ":2: [amqp] tls: \"true\" is neither yes nor no");
	fails("[limits]\nmessage_size = 10X\n",
	      ":2: [limits] message_size: \"10X\" is no size (units: K M G)");
	fails("[limits]\ndeadline = 60\n",
	      ":2: [limits] deadline: \"60\" is no time (units: ms s m h d)");
	fails("[ingest]\nworkers = x\n", ":2: [ingest] workers: \"x\" is no number");
	fails("[log]\nlevel = loud\n",
	      ":2: [log] level: \"loud\" is none of: emerg, alert, crit, err, "
	      "warning, notice, info, debug");
	fails("[route a]\nrecipients = a@example.com\nacknowledge = yes\n",
	      ":1: [route a] acknowledge: only the targets support and gallery have something to "
	      "tell, not \"inbox\"");
	fails("[log]\ntarget = file\n", ": [log] target: \"file\" is neither syslog nor stderr");
	fails("[amqp]\nvhost = a\nvhost = b\n", ":3: [amqp] vhost: stands twice");
	fails("[amqp]\nnonsense\n", ":2: neither [section] nor key = value");
	fails("[route A]\n", ":1: [route A]: a route's name is 1 to 40 of a-z 0-9 - _");
	fails("[route a]\n", ":1: [route a] recipients: is missing");
	fails("[route a]\nrecipients = a@b\nattachments_allow = *.pdf image\n",
	      ":1: [route a] attachments_allow: \"image\" is neither a media type (image/*) nor a "
	      "file name (*.jpg)");
	fails("[route a]\nrecipients = a@b\nattachments_refuse = exe\n",
	      ":1: [route a] attachments_refuse: \"exe\" is neither a media type (image/*) nor a "
	      "file name (*.jpg)");
	fails("[route a]\nrecipients = a@b\n[route a]\n", ":3: [route a]: stands twice");
	fails("[route a]\nrecipients = ab\n",
	      ":1: [route a] recipients: ab: an address pattern is local@domain");
	fails("[route a]\nrecipients = /(/\n",
	      ":1: [route a] recipients: /(/: missing closing parenthesis at offset 1");
	fails("  [route a]\nrecipients = a@b\n",
	      ":2: recipients: its [section] does not begin the line");
}

static void numbers_are_bounded(void **state)
{
	(void)state;
	struct reason reason;
	struct config *config = load("[ingest]\nworkers = 64\nbatch_count = 1\n", &reason);

	assert_non_null(config);
	assert_int_equal(config->ingest_workers, 64);
	config_free(&config);
	fails("[ingest]\nworkers = 65\n", ":2: [ingest] workers: 65 is not in the range 1 to 64");
	fails("[ingest]\nbatch_count = 0\n",
	      ":2: [ingest] batch_count: 0 is not in the range 1 to 1024");
	fails("[ingest]\nworkers = -1\n", ":2: [ingest] workers: -1 is not in the range 1 to 64");
	fails("[limits]\nmessage_size = 9223372036854775807G\n",
	      ":2: [limits] message_size: 9223372036854775807G is not in the range 1K to 1G");
	fails("[limits]\nmessage_size = 99999999999999999999\n",
	      ":2: [limits] message_size: \"99999999999999999999\" is no size");
}

static void streams_and_retry_tiers_are_checked(void **state)
{
	(void)state;
	struct reason reason;
	struct config *config = config_default();

	assert_int_equal(config->stream_count, 2);
	assert_string_equal(config->streams[0].name, "transactional");
	assert_string_equal(config->streams[1].name, "bulk");
	assert_int_equal(config->retry_tier_count, 5);
	assert_int_equal(config->retry_delays[4], 4 * 60 * 60 * 1000);
	config_free(&config);
	config = load("[retry]\ntiers = 100ms 2s\n[stream news]\nrate = 7\n", &reason);
	assert_non_null(config);
	assert_int_equal(config->retry_delays[0], 100);
	assert_int_equal(config->retry_delays[1], 2000);
	assert_int_equal(config->stream_count, 1);
	assert_int_equal(config_stream_named(config, "news")->rate, 7);
	assert_null(config_stream_named(config, "bulk"));
	config_free(&config);
	fails("[retry]\ntiers = 2m 120s\n",
	      ": [retry] tiers: 120s is not longer than the one before");
	fails("[retry]\ntiers = 99ms\n", ": [retry] tiers: 99ms is not in the range 100ms to 7d");
	fails("[retry]\ntiers =\n", ": [retry] tiers: 1 to 20 of them");
	fails("[stream x]\nspeed = 1\n", ":2: [stream x] speed: unknown key");
	fails("[stream x]\n[stream x]\n", ":2: [stream x]: stands twice");
}

static void alerts_are_checked(void **state)
{
	(void)state;
	struct reason reason;
	struct config *config = config_default();

	assert_int_equal(config->alerts_pause_count, 4);
	assert_int_equal(config->alerts_pause_delays[3], 24 * 60 * 60 * 1000);
	config_free(&config);
	config = load("[alerts]\npauses = 1s 2s\nto = a@example.com, b@example.com\n"
		      "url = https://example.com/x\n",
		      &reason);
	assert_non_null(config);
	assert_int_equal(config->alerts_pause_delays[1], 2000);
	assert_string_equal(config->alerts_to[1], "b@example.com");
	config_free(&config);
	fails("[alerts]\npauses = 1h 1h\n",
	      ": [alerts] pauses: 1h is not longer than the one before");
	fails("[alerts]\nurl = file:///etc/passwd\n",
	      ": [alerts] url: begins neither with https:// nor http://");
}

static void lines_are_bounded(void **state)
{
	(void)state;
	struct reason reason;
	g_autofree char *value = g_strnfill(190, 'x');
	g_autofree char *fits = g_strdup_printf("[amqp]\nvhost=%s\n", value);
	g_autofree char *longer = g_strdup_printf("[amqp]\nvhost=%sxxx\n", value);
	struct config *config = load(fits, &reason);

	assert_non_null(config);
	assert_string_equal(config->amqp_vhost, value);
	config_free(&config);
	fails(longer, ":2: line is longer than 198 bytes");
}

static void missing_file_is_named(void **state)
{
	(void)state;
	struct reason reason;

	assert_null(config_load("/nonexistent/mailpipe.conf", &reason));
	assert_string_equal(reason.text, "/nonexistent/mailpipe.conf: No such file or directory");
	assert_null(config_load("/tmp", &reason));
	assert_string_equal(reason.text, "/tmp: Is a directory");
}

static void passwords_are_a_first_line(void **state)
{
	(void)state;
	struct reason reason;
	struct config_user user = {.name = (char *)"u", .password_file = path};

	assert_true(g_file_set_contents(path, "secret word\r\nnot this\n", -1, NULL));
	g_autofree char *password = config_password(&user, "amqp.publish_password_file", &reason);

	assert_string_equal(password, "secret word");
	assert_true(g_file_set_contents(path, "\n", -1, NULL));
	assert_null(config_password(&user, "amqp.publish_password_file", &reason));
	g_autofree char *empty =
		g_strdup_printf("amqp.publish_password_file: %s: its first line is empty", path);

	assert_string_equal(reason.text, empty);
	g_autofree char *at_bound = g_strnfill(512, 'x');
	g_autofree char *past_bound = g_strnfill(513, 'x');

	assert_true(g_file_set_contents(path, at_bound, -1, NULL));
	g_autofree char *longest = config_password(&user, "k", &reason);

	assert_string_equal(longest, at_bound);
	assert_true(g_file_set_contents(path, past_bound, -1, NULL));
	assert_null(config_password(&user, "k", &reason));
	user.password_file = (char *)"/nonexistent/secret";
	assert_null(config_password(&user, "amqp.publish_password_file", &reason));
	assert_string_equal(reason.text, "amqp.publish_password_file: /nonexistent/secret: "
					 "No such file or directory");
}

static void what_is_printed_can_be_read(void **state)
{
	(void)state;
	struct reason reason;
	struct config *config = load("[mysql]\nhosts = a:1 b:2\ntimeout = 1500ms\n"
				     "[route x]\nrecipients = a@b /c,d/\nserial = yes\n"
				     "[route y]\nrecipients = c@d\nkeep = 30d\n",
				     &reason);
	FILE *out = fopen(path, "w");

	assert_non_null(config);
	config_print(config, out, true);
	fclose(out);
	config_free(&config);
	config = config_load(path, &reason);
	assert_non_null(config);
	assert_string_equal(config->mysql_hosts[1], "b:2");
	assert_int_equal(config->mysql_timeout, 1500);
	assert_string_equal(config->routes[0].recipients[1], "/c,d/");
	assert_true(config->routes[0].serial);
	assert_int_equal(config->routes[0].keep, 0); /* may be left out, and is printed as empty */
	assert_int_equal(config->routes[1].keep, INT64_C(30) * 86400 * 1000);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_in_the_table),
		cmocka_unit_test(values_replace_defaults),
		cmocka_unit_test(errors_name_file_line_and_key),
		cmocka_unit_test(numbers_are_bounded),
		cmocka_unit_test(streams_and_retry_tiers_are_checked),
		cmocka_unit_test(alerts_are_checked),
		cmocka_unit_test(lines_are_bounded),
		cmocka_unit_test(missing_file_is_named),
		cmocka_unit_test(passwords_are_a_first_line),
		cmocka_unit_test(what_is_printed_can_be_read),
	};
	int fd = mkstemp(path);

	close(fd);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(path);
	return failed;
}
