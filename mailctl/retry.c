/*
 * mailctl retry now: what waits in the retry tiers goes back to its queue at once.
 */
#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/topology.h"
#include "mailctl/connect.h"
#include "mailctl/mailctl.h"
#include "mailctl/mover.h"
#include "mailctl/rabbitmqctl.h"
#include "mailctl/select.h"
#include "mailctl/walk.h"

const char retry_options[] =
	"\n"
	"  now                  move what waits in the retry tiers ahead of its time\n"
	"\n"
	"which ones; all of them by default:\n"
	"  --route=NAME --stream=NAME\n"
	"                       that wait for these; may be repeated\n"
	"  --id=ID              may be repeated\n"
	"\n"
	"  --json               print JSON\n";

struct retry {
	struct config *config;
	struct letter_filter filter;
	bool json;
	struct mover *mover;
	int64_t total;
	int64_t matched;
	int64_t homeless; /* for no queue of ours */
};

static enum outcome move_one(struct sweep *sweep, const struct letter *letter,
			     struct broker_delivery *delivery, void *context, struct reason *reason)
{
	struct retry *retry = context;
	const char *queue = letter_origin(delivery);

	(void)letter;
	if (queue == NULL) {
		retry->homeless++;
		return OUTCOME_OK;
	}
	return mover_add(retry->mover, sweep, delivery, queue, reason);
}

static enum outcome be_paused(struct sweep *sweep, void *context, struct reason *reason)
{
	struct retry *retry = context;

	return mover_flush(retry->mover, sweep, reason);
}

/* How many wait in each tier now: those that are moved, fail again at once and come into another
 * tier must not be moved for ever. */
static bool count_tiers(const struct config *config, int64_t *counts, struct reason *reason)
{
	const struct config_user *user = amqp_role_user(AMQP_SETUP, config);
	g_autofree char *password =
		config_password(user, amqp_role_password_key(AMQP_SETUP), reason);
	struct broker *broker =
		password != NULL ? connect_broker(config, user->name, password, reason) : NULL;
	bool fine = broker != NULL;

	for (size_t i = 0; fine && i < config->retry_tier_count; i++) {
		g_autofree char *queue = topology_retry_tier(config->retry_tiers[i]);

		fine = broker_check_queue(broker, queue, &counts[i], NULL, connect_deadline(),
					  reason) == OUTCOME_OK;
	}
	broker_close(&broker);
	return fine;
}

static enum walk_end move_tiers(struct retry *retry, struct reason *reason)
{
	const struct config *config = retry->config;
	g_autofree int64_t *counts = g_new0(int64_t, config->retry_tier_count);
	enum walk_end end = count_tiers(config, counts, reason) ? WALK_DONE : WALK_FAILED;

	for (size_t i = 0; end == WALK_DONE && i < config->retry_tier_count; i++) {
		g_autofree char *queue = topology_retry_tier(config->retry_tiers[i]);
		struct walk way = {
			.config = config,
			.queue = queue,
			.filter = &retry->filter,
			.what = "retry",
			.most = counts[i],
			.visit = move_one,
			.pause = be_paused,
			.context = retry,
		};

		if (counts[i] == 0)
			continue;
		end = walk(&way, reason);
		retry->total += counts[i];
		retry->matched += way.matched;
	}
	return end;
}

static void tell(const struct retry *retry)
{
	int64_t refused = mover_refused(retry->mover);

	if (retry->json) {
		struct wire *answer = wire_object();

		wire_set_int(answer, "Total", retry->total);
		wire_set_int(answer, "Matched", retry->matched);
		wire_set_int(answer, "Moved", mover_moved(retry->mover));
		wire_set_int(answer, "Refused", refused);
		wire_set_int(answer, "UnknownQueue", retry->homeless);
		select_print(&answer);
	} else {
		printf("%" PRId64 " of %" PRId64 " waiting messages are tried now\n",
		       mover_moved(retry->mover), retry->total);
	}
	if (refused > 0)
		fprintf(stderr, "mailctl: retry: %" PRId64 " stay where they are: %s\n", refused,
			mover_refusal(retry->mover)->text);
	if (retry->homeless > 0)
		fprintf(stderr,
			"mailctl: retry: %" PRId64
			" stay where they are: they are for no queue of mailpipe\n",
			retry->homeless);
}

static int retry_now(struct retry *retry)
{
	struct reason reason = {0};

	retry->mover = mover_new(retry->config, MOVER_AHEAD, &reason);
	if (retry->mover == NULL)
		return walk_status(WALK_FAILED, "retry", &reason);
	int status = walk_status(move_tiers(retry, &reason), "retry", &reason);

	tell(retry);
	if (status == EXIT_FINE && mover_refused(retry->mover) + retry->homeless > 0)
		status = EXIT_WRONG;
	mover_free(&retry->mover);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("mailctl: standard output");
		status = EXIT_WRONG;
	}
	return status;
}

static int run(struct retry *retry, struct selection *selection, int argc, char **argv)
{
	static const struct option options[] = {SELECT_OPTIONS, {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1)
		if (!select_option(selection, option, optarg))
			return mailctl_usage("retry");
	if (argc - optind != 1 || strcmp(argv[optind], "now") != 0) {
		fputs("mailctl: retry: its one argument is \"now\"\n", stderr);
		return mailctl_usage("retry");
	}
	retry->json = selection->json;
	retry->filter = select_filter(selection);
	retry->config = mailctl_config(selection->config_file);
	if (retry->config == NULL)
		return EXIT_BAD_CONFIG;
	return mailctl_may_be_interrupted() ? retry_now(retry) : EXIT_WRONG;
}

int command_retry(int argc, char **argv, const char *config_file)
{
	struct retry retry = {0};
	struct selection *selection = select_new(config_file);
	int status = run(&retry, selection, argc, argv);

	config_free(&retry.config);
	select_free(&selection);
	return status;
}
