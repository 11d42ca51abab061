/* Alerts are damped: at once, in digests, all clear; a storm is one incident; the memory survives.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>

#include <cmocka.h>

#include "mailctl/alert.h"
#include "mailctl/alert_text.h"
#include "mailctl/queue_watch.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const int64_t pauses[] = {15 * MINUTE, HOUR, 4 * HOUR};
static const struct alert_limits limits = {
	.pauses = pauses, .pause_count = G_N_ELEMENTS(pauses), .clear_after_ms = MINUTE};
static const int64_t START = INT64_C(1795000000) * SECOND;
static const int64_t ROUND = 30 * SECOND;

/* What one way was told: "new", "digest", "over", with the minute since the start. */
struct stage {
	struct alerts *alerts;
	int64_t now_ms;
	struct alert_finding findings[ALERT_KINDS];
	enum alert_way way;
	bool fails;
	GString *told;
	int count;
};

static void begin(struct stage *stage)
{
	*stage = (struct stage){
		.alerts = alerts_new(&limits), .now_ms = START, .told = g_string_new(NULL)};
}

static void end(struct stage *stage)
{
	alerts_free(&stage->alerts);
	assert_null(stage->alerts);
	g_string_free(stage->told, TRUE);
}

static void tell(struct stage *stage)
{
	struct alert_notice notice;
	enum alert_news news = alerts_due(stage->alerts, stage->way, stage->now_ms, &notice);

	if (news == ALERT_NOTHING) {
		assert_int_equal(notice.count, 0);
		return;
	}
	g_autofree char *kinds = alert_notice_kinds(&notice);

	g_string_append_printf(stage->told, "%s%d %s %s", stage->told->len > 0 ? ", " : "",
			       (int)((stage->now_ms - START) / MINUTE), alert_news_name(news),
			       kinds);
	stage->count++;
	alerts_told(stage->alerts, stage->way, &notice, !stage->fails, stage->now_ms);
}

/* Rounds for so long. */
static void pass(struct stage *stage, int64_t time_ms)
{
	for (int64_t end_ms = stage->now_ms + time_ms; stage->now_ms < end_ms;
	     stage->now_ms += ROUND) {
		alerts_observe(stage->alerts, stage->findings, stage->now_ms);
		tell(stage);
	}
}

static void set(struct stage *stage, enum alert_kind kind, bool bad)
{
	stage->findings[kind].bad = bad;
	stage->findings[kind].text = bad ? (char *)(uintptr_t) "because" : NULL;
}

static void told_is(struct stage *stage, const char *expected)
{
	assert_string_equal(stage->told->str, expected);
	g_string_truncate(stage->told, 0);
	stage->count = 0;
}

static void first_at_once_then_digests_then_all_clear(void **state)
{
	(void)state;
	struct stage stage;

	begin(&stage);
	pass(&stage, 10 * MINUTE);
	told_is(&stage, "");
	set(&stage, ALERT_DATABASE, true);
	pass(&stage, ROUND);
	told_is(&stage, "10 new database");
	pass(&stage, 10 * HOUR);
	told_is(&stage, "25 digest database, 85 digest database, 325 digest database, "
			"565 digest database");
	set(&stage, ALERT_DATABASE, false);
	assert_true(alerts_is_open(stage.alerts, ALERT_DATABASE));
	pass(&stage, 10 * MINUTE);
	told_is(&stage, "611 over database");
	assert_false(alerts_is_open(stage.alerts, ALERT_DATABASE));
	pass(&stage, DAY);
	told_is(&stage, "");
	end(&stage);
}

static void several_kinds_share_their_notices(void **state)
{
	(void)state;
	struct stage stage;

	begin(&stage);
	set(&stage, ALERT_DATABASE, true);
	set(&stage, ALERT_BROKER, true);
	set(&stage, ALERT_SMTP, true);
	pass(&stage, 5 * MINUTE);
	told_is(&stage, "0 new database broker smtp");
	set(&stage, ALERT_TEMPLATES, true);
	pass(&stage, 16 * MINUTE);
	/* The pauses of all begin with what says all. */
	told_is(&stage, "5 new database broker smtp templates, "
			"20 digest database broker smtp templates");
	set(&stage, ALERT_BROKER, false);
	set(&stage, ALERT_SMTP, false);
	pass(&stage, 5 * MINUTE);
	told_is(&stage, "22 over database broker smtp templates");
	end(&stage);
}

static void what_flaps_becomes_one_incident(void **state)
{
	(void)state;
	struct stage stage;

	begin(&stage);
	/* A day of 3 minutes down, 3 minutes up. */
	for (int i = 0; i < 240; i++) {
		set(&stage, ALERT_DATABASE, i % 2 == 0);
		pass(&stage, 3 * MINUTE);
	}
	told_is(&stage, "0 new database, 4 over database, 6 new database, 11 over database, "
			"12 new database, 30 digest database, 90 digest database, "
			"330 digest database, 570 digest database");
	/* Even when the pauses between are longer. */
	end(&stage);
	begin(&stage);
	for (int i = 0; i < 144; i++) {
		set(&stage, ALERT_SMTP, i % 2 == 0);
		pass(&stage, 10 * MINUTE);
	}
	told_is(&stage, "0 new smtp, 11 over smtp, 20 new smtp, 32 over smtp, 40 new smtp, "
			"54 over smtp, 60 new smtp, 78 over smtp, 80 new smtp, 100 digest smtp, "
			"160 digest smtp, 400 digest smtp, 640 digest smtp, 880 digest smtp, "
			"1120 digest smtp, 1360 digest smtp");
	/* And the all-clear comes at last. */
	set(&stage, ALERT_SMTP, false);
	g_string_truncate(stage.told, 0);
	pass(&stage, DAY);
	assert_true(g_str_has_suffix(stage.told->str, " over smtp"));
	assert_false(alerts_is_open(stage.alerts, ALERT_SMTP));
	/* What failed long ago is no flapping. */
	pass(&stage, DAY);
	g_string_truncate(stage.told, 0);
	set(&stage, ALERT_SMTP, true);
	pass(&stage, MINUTE);
	set(&stage, ALERT_SMTP, false);
	pass(&stage, 2 * MINUTE);
	assert_non_null(strstr(stage.told->str, " over smtp"));
	end(&stage);
}

static void storms_stay_bounded(void **state)
{
	(void)state;
	struct stage stage;
	unsigned int chance = 1;

	begin(&stage);
	/* Each kind good or bad by chance in each of the rounds of a day. */
	for (int round = 0; round < DAY / ROUND; round++) {
		for (int kind = 0; kind < ALERT_TEST; kind++) {
			chance = chance * 1103515245u + 12345u;
			set(&stage, kind, (chance >> 16) % 2 == 0);
		}
		pass(&stage, ROUND);
	}
	assert_in_range(stage.count, 5, 100);
	end(&stage);
}

static void many_of_a_kind_are_one_alert_and_digests(void **state)
{
	(void)state;
	struct stage stage;

	begin(&stage);
	set(&stage, ALERT_DEAD_LETTERS, true);
	/* One more in each round; each digest tells how many they are. */
	for (int64_t end_ms = stage.now_ms + 2 * HOUR; stage.now_ms < end_ms;) {
		stage.findings[ALERT_DEAD_LETTERS].number++;
		pass(&stage, ROUND);
	}
	told_is(&stage, "0 new dead-letters, 4 new dead-letters, 19 digest dead-letters, "
			"79 digest dead-letters");
	set(&stage, ALERT_DEAD_LETTERS, false);
	pass(&stage, HOUR);
	told_is(&stage, "121 over dead-letters");
	end(&stage);
}

static void ten_times_worse_is_news(void **state)
{
	(void)state;
	struct stage stage;

	begin(&stage);
	set(&stage, ALERT_DEAD_LETTERS, true);
	stage.findings[ALERT_DEAD_LETTERS].number = 3;
	pass(&stage, MINUTE);
	stage.findings[ALERT_DEAD_LETTERS].number = 29;
	pass(&stage, MINUTE);
	told_is(&stage, "0 new dead-letters");
	stage.findings[ALERT_DEAD_LETTERS].number = 30;
	pass(&stage, MINUTE);
	told_is(&stage, "2 new dead-letters");
	stage.findings[ALERT_DEAD_LETTERS].number = 299;
	pass(&stage, MINUTE);
	told_is(&stage, "");
	end(&stage);
}

static void what_cannot_be_seen_changes_nothing(void **state)
{
	(void)state;
	struct stage stage;

	begin(&stage);
	stage.findings[ALERT_CONSUMERS].unknown = true;
	pass(&stage, HOUR);
	told_is(&stage, "");
	stage.findings[ALERT_CONSUMERS].unknown = false;
	set(&stage, ALERT_CONSUMERS, true);
	pass(&stage, ROUND);
	told_is(&stage, "60 new consumers");
	stage.findings[ALERT_CONSUMERS] = (struct alert_finding){.unknown = true};
	pass(&stage, 10 * MINUTE);
	told_is(&stage, "");
	assert_true(alerts_is_open(stage.alerts, ALERT_CONSUMERS));
	end(&stage);
}

static void a_way_that_fails_is_tried_again(void **state)
{
	(void)state;
	struct stage stage;
	struct alert_notice notice;

	begin(&stage);
	stage.fails = true;
	set(&stage, ALERT_SMTP, true);
	pass(&stage, HOUR);
	/* With growing pauses: 15 s, which is less than a round, to 15 min. */
	assert_in_range(stage.count, 6, 12);
	/* The other ways do not wait for it. */
	assert_int_equal(alerts_due(stage.alerts, ALERT_URL, stage.now_ms, &notice), ALERT_NEW);
	alerts_told(stage.alerts, ALERT_URL, &notice, true, stage.now_ms);
	assert_int_equal(alerts_due(stage.alerts, ALERT_URL, stage.now_ms, &notice), ALERT_NOTHING);
	/* When it is over by then, that is told. */
	g_string_truncate(stage.told, 0);
	set(&stage, ALERT_SMTP, false);
	stage.fails = false;
	pass(&stage, HOUR);
	assert_true(g_str_has_suffix(stage.told->str, " over smtp"));
	assert_null(strstr(stage.told->str, ","));
	end(&stage);
}

static void the_memory_survives(void **state)
{
	(void)state;
	struct stage stage;
	struct reason reason;

	begin(&stage);
	set(&stage, ALERT_DATABASE, true);
	pass(&stage, 20 * MINUTE);
	told_is(&stage, "0 new database, 15 digest database");
	struct wire *saved = alerts_save(stage.alerts);
	size_t size;
	g_autofree char *text = wire_print(saved, true, &size);
	struct wire *read = wire_parse(text, size, &reason);

	assert_non_null(read);
	alerts_free(&stage.alerts);
	stage.alerts = alerts_new(&limits);
	alerts_restore(stage.alerts, read);
	wire_free(&read);
	wire_free(&saved);
	pass(&stage, HOUR);
	told_is(&stage, "75 digest database");
	set(&stage, ALERT_DATABASE, false);
	pass(&stage, 5 * MINUTE);
	told_is(&stage, "81 over database");
	end(&stage);
}

static void nonsense_is_no_memory(void **state)
{
	(void)state;
	static const char nonsense[] =
		"{\"Incidents\":{\"database\":{\"Open\":7,\"Since\":-4,\"Told\":[],\"mail\":3},"
		"\"what\":{}},\"Ways\":[1]}";
	struct reason reason;
	struct stage stage;
	struct wire *read = wire_parse(nonsense, strlen(nonsense), &reason);

	begin(&stage);
	alerts_restore(stage.alerts, read);
	alerts_restore(stage.alerts, NULL);
	wire_free(&read);
	assert_false(alerts_is_open(stage.alerts, ALERT_DATABASE));
	pass(&stage, HOUR);
	told_is(&stage, "");
	end(&stage);
}

static void clocks_may_jump(void **state)
{
	(void)state;
	struct stage stage;

	begin(&stage);
	set(&stage, ALERT_DATABASE, true);
	pass(&stage, ROUND);
	told_is(&stage, "0 new database");
	stage.now_ms -= 30 * DAY;
	pass(&stage, 20 * MINUTE);
	assert_int_equal(stage.count, 1); /* a digest after its pause, not after a month */
	stage.now_ms += 60 * DAY;
	pass(&stage, 20 * MINUTE);
	assert_int_equal(stage.count, 2);
	stage.now_ms -= 30 * DAY;
	set(&stage, ALERT_DATABASE, false);
	pass(&stage, 2 * MINUTE);
	assert_int_equal(stage.count, 3);
	assert_false(alerts_is_open(stage.alerts, ALERT_DATABASE));
	end(&stage);
}

static void texts_say_it_in_a_line(void **state)
{
	(void)state;
	struct alert_notice notice = {
		.news = ALERT_NEW,
		.items = {{.kind = ALERT_BROKER, .since_ms = START, .text = "no route"},
			  {.kind = ALERT_SMTP, .fresh = true, .since_ms = START + MINUTE},
			  {.kind = ALERT_DATABASE,
			   .over = true,
			   .since_ms = START,
			   .over_ms = START + 150 * MINUTE}},
		.count = 3,
	};
	g_autofree char *title = alert_notice_title(&notice);
	g_autofree char *text = alert_notice_text(&notice, "mx1");

	assert_string_equal(title, "no SMTP server takes mail");
	assert_string_equal(text, "mx1: no SMTP server takes mail\n\n"
				  "no SMTP server takes mail, since 2026-11-18 11:07 UTC\n"
				  "the broker is away, since 2026-11-18 11:06 UTC: no route\n"
				  "the database is back, after 2 hours\n");
	assert_true(alert_notice_is_critical(&notice));
	notice.news = ALERT_DIGEST;
	g_autofree char *digest = alert_notice_title(&notice);

	assert_string_equal(digest, "still: the broker is away, and 1 more");
	notice.news = ALERT_OVER;
	g_autofree char *over = alert_notice_title(&notice);

	assert_string_equal(over, "the database is back");
}

static void a_queue_is_as_old_as_its_last_progress(void **state)
{
	(void)state;
	struct queue_watch *watch = queue_watch_new();

	assert_int_equal(queue_watch_note(watch, "q", 0, START), 0);
	assert_int_equal(queue_watch_note(watch, "q", 5, START + MINUTE), 0);
	assert_int_equal(queue_watch_note(watch, "q", 5, START + 3 * MINUTE), 2 * MINUTE);
	assert_int_equal(queue_watch_note(watch, "q", 9, START + 4 * MINUTE), 3 * MINUTE);
	assert_int_equal(queue_watch_note(watch, "q", 8, START + 5 * MINUTE), 0);
	assert_int_equal(queue_watch_note(watch, "other", 1, START + 5 * MINUTE), 0);
	queue_watch_shift(watch, 1000 * MINUTE);
	assert_int_equal(queue_watch_note(watch, "q", 8, START + 1006 * MINUTE), MINUTE);
	queue_watch_shift(watch, -1000 * MINUTE);
	assert_int_equal(queue_watch_note(watch, "q", 8, START + 7 * MINUTE), 2 * MINUTE);
	struct wire *saved = queue_watch_save(watch);

	queue_watch_free(&watch);
	watch = queue_watch_new();
	queue_watch_restore(watch, saved);
	wire_free(&saved);
	assert_int_equal(queue_watch_note(watch, "q", 8, START + 7 * MINUTE), 2 * MINUTE);
	queue_watch_forget(watch); /* "other" was not noted */
	assert_int_equal(queue_watch_note(watch, "other", 1, START + 8 * MINUTE), 0);
	assert_int_equal(queue_watch_note(watch, "q", 8, START), 0); /* the clock was set back */
	assert_int_equal(queue_watch_note(watch, "q", 0, START + HOUR), 0);
	queue_watch_free(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_at_once_then_digests_then_all_clear),
		cmocka_unit_test(several_kinds_share_their_notices),
		cmocka_unit_test(what_flaps_becomes_one_incident),
		cmocka_unit_test(storms_stay_bounded),
		cmocka_unit_test(many_of_a_kind_are_one_alert_and_digests),
		cmocka_unit_test(ten_times_worse_is_news),
		cmocka_unit_test(what_cannot_be_seen_changes_nothing),
		cmocka_unit_test(a_way_that_fails_is_tried_again),
		cmocka_unit_test(the_memory_survives),
		cmocka_unit_test(nonsense_is_no_memory),
		cmocka_unit_test(clocks_may_jump),
		cmocka_unit_test(texts_say_it_in_a_line),
		cmocka_unit_test(a_queue_is_as_old_as_its_last_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
