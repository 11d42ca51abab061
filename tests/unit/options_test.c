#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <getopt.h>
#include <glib.h>
#include <string.h>

#include "mailin/options.h"

enum { ARGUMENTS_MAX = 32 };

static struct options options;
static struct reason reason;

/* Words separated by '|', which may be empty. */
static enum outcome parse(const char *words)
{
	static char *argv[ARGUMENTS_MAX];
	static char **split;

	g_strfreev(split);
	split = g_strsplit(words, "|", ARGUMENTS_MAX - 2);
	argv[0] = (char *)(uintptr_t) "mailin";
	int argc = 1;

	for (char **word = split; *word != NULL; word++)
		argv[argc++] = *word;
	argv[argc] = NULL;
	/* 0: begin anew (getopt(3), NOTES). */
	optind = 0;
	return options_parse(&options, argc, argv, &reason);
}

static void the_line_of_master_cf(void **state)
{
	(void)state;
	assert_int_equal(
		parse("--queue-id|4bKxYJ5sG9z1Wk2|--size|1234|--client|192.0.2.1|--sender|a@b.c|"
		      "--|x@y.z"),
		OUTCOME_OK);
	assert_int_equal(options.action, OPTIONS_RUN);
	assert_string_equal(options.envelope.queue_id, "4bKxYJ5sG9z1Wk2");
	assert_int_equal(options.envelope.size, 1234);
	assert_string_equal(options.envelope.client_address, "192.0.2.1");
	assert_string_equal(options.envelope.sender, "a@b.c");
	assert_string_equal(options.envelope.recipient, "x@y.z");
	assert_string_equal(options.envelope.helo, "");
	assert_null(options.config_file);
	assert_false(options.dry_run);
}

static void the_null_sender_in_both_of_its_forms(void **state)
{
	(void)state;
	assert_int_equal(parse("--queue-id|A|--sender||--|x@y.z"), OUTCOME_OK);
	assert_string_equal(options.envelope.sender, "");
	assert_int_equal(parse("--queue-id|A|--sender|MAILER-DAEMON|--|x@y.z"), OUTCOME_OK);
	assert_string_equal(options.envelope.sender, "");
	assert_int_equal(parse("--queue-id|A|--sender|MAILER-DAEMON@b.c|--|x@y.z"), OUTCOME_OK);
	assert_string_equal(options.envelope.sender, "MAILER-DAEMON@b.c");
}

static void values_may_look_like_options(void **state)
{
	(void)state;
	assert_int_equal(parse("--queue-id|A|--sender|--dry-run|--helo|-c|--|--help"), OUTCOME_OK);
	assert_string_equal(options.envelope.sender, "--dry-run");
	assert_string_equal(options.envelope.helo, "-c");
	assert_string_equal(options.envelope.recipient, "--help");
	assert_false(options.dry_run);
	assert_int_equal(options.action, OPTIONS_RUN);
}

static void what_a_real_run_needs(void **state)
{
	static const struct {
		const char *words;
		const char *text;
	} CASES[] = {
		{"", "--queue-id is missing"},
		{"--queue-id|A|--sender|", "the recipient is missing"},
		{"--queue-id|A|--sender||--|", "the recipient is missing"},
		{"--queue-id|A|--|x@y.z", "--sender is missing"},
		{"--queue-id||--sender||--|x@y.z", "--queue-id is missing"},
		{"--queue-id|a b|--sender||--|x@y.z", "--queue-id: \"a b\" is no queue id"},
		{"--queue-id|A|--size|-1|--sender||--|x@y.z", "\"-1\" is not understood"},
		{"--queue-id|A|--size||--sender||--|x@y.z", "\"\" is not understood"},
		{"--queue-id|A|--size|99999999999999999999|--sender||--|x@y.z",
		 "\"99999999999999999999\" is not understood"},
		{"--queue-id|A|--size|1k|--sender||--|x@y.z", "\"1k\" is not understood"},
		{"--queue-id|A|--sender||--route|r|--|x@y.z",
		 "--pretty, --route and --no-sandbox need --dry-run"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
		assert_int_equal(parse(CASES[i].words), OUTCOME_RETRY);
		assert_string_equal(reason.status, "4.3.5");
		assert_string_equal(reason.text, CASES[i].text);
	}
}

static void queue_ids_are_bounded(void **state)
{
	g_autofree char *fits = g_strnfill(63, 'A');
	g_autofree char *longer = g_strnfill(64, 'A');
	g_autofree char *fitting = g_strconcat("--queue-id|", fits, "|--sender||--|x@y.z", NULL);
	g_autofree char *too_long = g_strconcat("--queue-id|", longer, "|--sender||--|x@y.z", NULL);

	(void)state;
	assert_int_equal(parse(fitting), OUTCOME_OK);
	assert_int_equal(parse(too_long), OUTCOME_RETRY);
}

static void a_dry_run_needs_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse("--dry-run"), OUTCOME_OK);
	assert_true(options.dry_run);
	assert_string_equal(options.envelope.recipient, "");
	assert_int_equal(parse("--dry-run|--pretty|--recipient|x@y.z|--route|r|--no-sandbox|-c|f"),
			 OUTCOME_OK);
	assert_true(options.pretty);
	assert_true(options.no_sandbox);
	assert_string_equal(options.route, "r");
	assert_string_equal(options.config_file, "f");
	/* So that the reason of a usage error goes to the right place. */
	assert_int_equal(parse("--dry-run|--nonsense"), OUTCOME_RETRY);
	assert_true(options.dry_run);
}

static void help_and_version_need_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse("--help"), OUTCOME_OK);
	assert_int_equal(options.action, OPTIONS_HELP);
	assert_int_equal(parse("--version"), OUTCOME_OK);
	assert_int_equal(options.action, OPTIONS_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_of_master_cf),
		cmocka_unit_test(the_null_sender_in_both_of_its_forms),
		cmocka_unit_test(values_may_look_like_options),
		cmocka_unit_test(what_a_real_run_needs),
		cmocka_unit_test(queue_ids_are_bounded),
		cmocka_unit_test(a_dry_run_needs_nothing),
		cmocka_unit_test(help_and_version_need_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
