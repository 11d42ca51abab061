#include "mailctl/walk.h"

#include <stdio.h>

#include "mailctl/mailctl.h"
#include "mailctl/progress.h"

enum { MS_PER_S = 1000 };

static enum outcome visit(struct walk *walk, struct sweep *sweep, struct broker_delivery *delivery,
			  struct reason *reason)
{
	struct letter letter;
	enum outcome outcome = OUTCOME_OK;

	letter_fill(&letter, delivery);
	if (letter_matches(walk->filter, &letter, realtime_ms() / MS_PER_S)) {
		walk->matched++;
		outcome = walk->visit(sweep, &letter, delivery, walk->context, reason);
	}
	letter_clear(&letter);
	broker_delivery_clear(delivery);
	return outcome;
}

static enum outcome be_paused(const struct walk *walk, struct sweep *sweep, struct reason *reason)
{
	return walk->pause != NULL ? walk->pause(sweep, walk->context, reason) : OUTCOME_OK;
}

static enum walk_end go(struct walk *walk, struct sweep *sweep, struct progress *progress,
			struct reason *reason)
{
	struct broker_delivery delivery = {0};

	while (walk->enough == 0 || walk->matched < walk->enough) {
		enum outcome outcome = OUTCOME_OK;

		switch (sweep_next(sweep, &delivery, reason)) {
		case SWEEP_MESSAGE:
			outcome = visit(walk, sweep, &delivery, reason);
			if (progress != NULL)
				progress_set(progress, sweep_seen(sweep));
			break;
		case SWEEP_PAUSE:
			outcome = be_paused(walk, sweep, reason);
			break;
		case SWEEP_END:
			return WALK_DONE;
		case SWEEP_STOPPED:
			return WALK_STOPPED;
		case SWEEP_LOST:
			return WALK_FAILED;
		}
		if (outcome != OUTCOME_OK)
			return WALK_FAILED;
	}
	return WALK_DONE;
}

static int64_t most_to_see(const struct walk *walk)
{
	if (walk->most == 0 && letter_filter_is_empty(walk->filter))
		return walk->enough;
	return walk->most;
}

enum walk_end walk(struct walk *walk, struct reason *reason)
{
	struct sweep *sweep = sweep_open(walk->config, walk->queue, most_to_see(walk), reason);

	if (sweep == NULL)
		return WALK_FAILED;
	walk->total = sweep_total(sweep);
	struct progress *progress =
		walk->what != NULL ? progress_new(walk->what, walk->total) : NULL;
	enum walk_end end = go(walk, sweep, progress, reason);

	/* A signal ends the work after what is in hand. */
	if (end != WALK_FAILED && be_paused(walk, sweep, reason) != OUTCOME_OK)
		end = WALK_FAILED;
	walk->seen = sweep_seen(sweep);
	progress_end(&progress);
	sweep_close(&sweep);
	return end;
}

int walk_status(enum walk_end end, const char *command, const struct reason *reason)
{
	switch (end) {
	case WALK_DONE:
		return EXIT_FINE;
	case WALK_STOPPED:
		fprintf(stderr, "mailctl: %s: interrupted\n", command);
		return EXIT_INTERRUPTED;
	case WALK_FAILED:
		fprintf(stderr, "mailctl: %s: %s\n", command, reason->text);
		return EXIT_WRONG;
	}
	return EXIT_WRONG;
}
