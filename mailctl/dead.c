/*
 * mailctl dead: what was given up, and what is to become of it.
 */
#include "mailctl/dead.h"

#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/topology.h"
#include "mailctl/mailctl.h"
#include "mailctl/mover.h"
#include "mailctl/select.h"

const char dead_options[] =
	"\n"
	"  list                 what is there\n"
	"  show ID              all that is known of one\n"
	"  requeue              back into the queues they came from\n"
	"  drop                 away with them, for good\n"
	"  export DIR           into files; they stay\n"
	"\n"
	"which ones:\n"
	"  --route=NAME --stream=NAME\n"
	"                       where they came from; may be repeated\n"
	"  --reason=TEXT        a part of the reason\n"
	"  --id=ID              may be repeated\n"
	"  --older-than=TIME --newer-than=TIME\n"
	"                       given up so long ago: 90m, 4h, 7d\n"
	"  --all                all of them; requeue and drop want it said\n"
	"  --limit=N            no more than so many; of a list 100 by default, 0: all\n"
	"\n"
	"  --summary            list: how many for each origin and reason\n"
	"  --body               show: the body alone, as it is\n"
	"  --yes                drop: really; without it they are only counted\n"
	"  --json               print JSON\n";

struct walk dead_walk(const struct dead *dead, const char *what)
{
	return (struct walk){
		.config = dead->config,
		.queue = QUEUE_DEAD,
		.filter = &dead->filter,
		.what = what,
		.enough = MAX(dead->limit, 0),
	};
}

/* ---- requeue ---- */

struct requeuing {
	struct mover *mover;
	int64_t homeless; /* nobody knows where they came from */
};

static enum outcome requeue_one(struct sweep *sweep, const struct letter *letter,
				struct broker_delivery *delivery, void *context,
				struct reason *reason)
{
	struct requeuing *requeuing = context;
	const char *queue = letter_origin(delivery);

	(void)letter;
	if (queue == NULL) {
		requeuing->homeless++;
		return OUTCOME_OK;
	}
	return mover_add(requeuing->mover, sweep, delivery, queue, reason);
}

static enum outcome requeue_pause(struct sweep *sweep, void *context, struct reason *reason)
{
	struct requeuing *requeuing = context;

	return mover_flush(requeuing->mover, sweep, reason);
}

static void tell_requeued(const struct dead *dead, const struct requeuing *requeuing,
			  const struct walk *walk)
{
	int64_t moved = mover_moved(requeuing->mover);
	int64_t refused = mover_refused(requeuing->mover);

	if (dead->json) {
		struct wire *answer = wire_object();

		wire_set_text(answer, "Queue", QUEUE_DEAD);
		wire_set_int(answer, "Total", walk->total);
		wire_set_int(answer, "Matched", walk->matched);
		wire_set_int(answer, "Requeued", moved);
		wire_set_int(answer, "Refused", refused);
		wire_set_int(answer, "UnknownOrigin", requeuing->homeless);
		select_print(&answer);
	} else {
		printf("%" PRId64 " of %" PRId64 " dead letters requeued\n", moved, walk->total);
	}
	if (refused > 0)
		fprintf(stderr, "mailctl: dead requeue: %" PRId64 " stay where they are: %s\n",
			refused, mover_refusal(requeuing->mover)->text);
	if (requeuing->homeless > 0)
		fprintf(stderr,
			"mailctl: dead requeue: %" PRId64
			" stay where they are: no queue of mailpipe is their origin\n",
			requeuing->homeless);
}

static int requeue(const struct dead *dead)
{
	struct walk way = dead_walk(dead, "requeue");
	struct reason reason = {0};
	struct requeuing requeuing = {
		.mover = mover_new(dead->config, MOVER_REQUEUE, &reason),
	};

	if (requeuing.mover == NULL)
		return walk_status(WALK_FAILED, "dead requeue", &reason);
	way.visit = requeue_one;
	way.pause = requeue_pause;
	way.context = &requeuing;
	enum walk_end end = walk(&way, &reason);
	int status = walk_status(end, "dead requeue", &reason);

	tell_requeued(dead, &requeuing, &way);
	if (status == EXIT_FINE && mover_refused(requeuing.mover) + requeuing.homeless > 0)
		status = EXIT_WRONG;
	mover_free(&requeuing.mover);
	return status;
}

/* ---- drop ---- */

struct dropping {
	bool really;
	int64_t dropped;
};

static enum outcome drop_one(struct sweep *sweep, const struct letter *letter,
			     struct broker_delivery *delivery, void *context, struct reason *reason)
{
	struct dropping *dropping = context;

	(void)letter;
	if (!dropping->really)
		return OUTCOME_OK;
	enum outcome outcome = sweep_take(sweep, delivery->tag, reason);

	if (outcome == OUTCOME_OK)
		dropping->dropped++;
	return outcome;
}

static int drop(const struct dead *dead)
{
	struct walk way = dead_walk(dead, dead->yes ? "drop" : "count");
	struct reason reason = {0};
	struct dropping dropping = {.really = dead->yes};

	way.visit = drop_one;
	way.context = &dropping;
	enum walk_end end = walk(&way, &reason);
	int status = walk_status(end, "dead drop", &reason);

	if (dead->json) {
		struct wire *answer = wire_object();

		wire_set_text(answer, "Queue", QUEUE_DEAD);
		wire_set_int(answer, "Total", way.total);
		wire_set_int(answer, "Matched", way.matched);
		wire_set_int(answer, "Dropped", dropping.dropped);
		select_print(&answer);
	} else if (dead->yes) {
		printf("%" PRId64 " of %" PRId64 " dead letters dropped\n", dropping.dropped,
		       way.total);
	}
	if (dead->yes || status != EXIT_FINE || way.matched == 0)
		return status;
	fprintf(stderr,
		"mailctl: dead drop: %" PRId64
		" dead letters would be lost for good; say --yes to drop them\n",
		way.matched);
	return EXIT_WRONG;
}

/* ---- the command ---- */

struct verb {
	const char *name;
	int (*run)(const struct dead *dead);
	bool takes_argument; /* ID or DIR */
	bool wants_choice;   /* a filter or --all */
};

static const struct verb verbs[] = {
	{"list", dead_list, false, false},    {"show", dead_show, true, false},
	{"requeue", requeue, false, true},    {"drop", drop, false, true},
	{"export", dead_export, true, false},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

enum { OPTION_ALL = SELECT_OPTIONS_END, OPTION_LIMIT, OPTION_SUMMARY, OPTION_BODY, OPTION_YES };

static const struct option long_options[] = {
	SELECT_OPTIONS,
	SELECT_AGE_OPTIONS,
	{"all", no_argument, NULL, OPTION_ALL},
	{"limit", required_argument, NULL, OPTION_LIMIT},
	{"summary", no_argument, NULL, OPTION_SUMMARY},
	{"body", no_argument, NULL, OPTION_BODY},
	{"yes", no_argument, NULL, OPTION_YES},
	{NULL, 0, NULL, 0},
};

static bool take_options(struct dead *dead, struct selection *selection, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_ALL:
			dead->all = true;
			break;
		case OPTION_LIMIT:
			if (!select_number("--limit", optarg, &dead->limit))
				return false;
			break;
		case OPTION_SUMMARY:
			dead->summary = true;
			break;
		case OPTION_BODY:
			dead->body = true;
			break;
		case OPTION_YES:
			dead->yes = true;
			break;
		default:
			if (!select_option(selection, option, optarg))
				return false;
		}
	}
	return true;
}

static bool complain(const char *subject, const char *text)
{
	fprintf(stderr, "mailctl: dead: %s%s%s\n", subject, *subject != '\0' ? ": " : "", text);
	return false;
}

/* The verb and its argument are what is left of the command line. */
static bool take_verb(struct dead *dead, struct selection *selection, const struct verb **verb,
		      int argc, char **argv)
{
	const char *name = optind < argc ? argv[optind] : "";
	int arguments = argc - optind - 1;

	*verb = find_verb(name);
	if (*verb == NULL)
		return complain(name, *name != '\0' ? "no such verb"
						    : "list, show, requeue, drop or export?");
	if (arguments != ((*verb)->takes_argument ? 1 : 0))
		return complain(name, (*verb)->run == dead_show ? "takes one argument, an id"
				      : (*verb)->takes_argument ? "takes one argument, a folder"
								: "takes no argument");
	if ((*verb)->run == dead_show)
		select_id(selection, argv[optind + 1]);
	else if ((*verb)->takes_argument)
		dead->directory = argv[optind + 1];
	return true;
}

static int run(struct dead *dead, struct selection *selection, int argc, char **argv)
{
	const struct verb *verb = NULL;

	if (!take_options(dead, selection, argc, argv) ||
	    !take_verb(dead, selection, &verb, argc, argv))
		return mailctl_usage("dead");
	dead->json = selection->json;
	dead->filter = select_filter(selection);
	if (dead->all && !letter_filter_is_empty(&dead->filter)) {
		complain("", "--all and a filter: which?");
		return mailctl_usage("dead");
	}
	if (verb->wants_choice && !dead->all && letter_filter_is_empty(&dead->filter)) {
		complain(verb->name, "which ones? (--all: all of them)");
		return mailctl_usage("dead");
	}
	dead->config = mailctl_config(selection->config_file);
	if (dead->config == NULL)
		return EXIT_BAD_CONFIG;
	int status = mailctl_may_be_interrupted() ? verb->run(dead) : EXIT_WRONG;

	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("mailctl: standard output");
		status = EXIT_WRONG;
	}
	return status;
}

int command_dead(int argc, char **argv, const char *config_file)
{
	struct dead dead = {.limit = -1};
	struct selection *selection = select_new(config_file);
	int status = run(&dead, selection, argc, argv);

	config_free(&dead.config);
	select_free(&selection);
	return status;
}
