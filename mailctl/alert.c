#include "mailctl/alert.h"

#include <glib.h>

#include "mailctl/alert_private.h"

enum {
	WORSE_FACTOR = 10,
	AGAIN_MAX = 20,               /* doublings; far beyond any pause */
	RETRY_FIRST_MS = 15 * 1000,   /* a way that failed is tried again after ... */
	RETRY_MAX_MS = 15 * 60 * 1000 /* ... doubling up to this */
};

struct alerts *alerts_new(const struct alert_limits *limits)
{
	struct alerts *alerts = g_new0(struct alerts, 1);

	alerts->limits = *limits;
	return alerts;
}

void alerts_free(struct alerts **alerts)
{
	if (*alerts == NULL)
		return;
	for (int kind = 0; kind < ALERT_KINDS; kind++)
		g_free((*alerts)->incidents[kind].text);
	g_clear_pointer(alerts, g_free);
}

bool alerts_is_open(const struct alerts *alerts, enum alert_kind kind)
{
	return alerts->incidents[kind].open;
}

/* ---- times ---- */

static int64_t pause_after(const struct alerts *alerts, int64_t count)
{
	int64_t last = (int64_t)alerts->limits.pause_count - 1;

	return alerts->limits.pauses[CLAMP(count, 0, last)];
}

static int64_t longest_pause(const struct alerts *alerts)
{
	return alerts->limits.pauses[alerts->limits.pause_count - 1];
}

/* `first` doubled so often, but not beyond `most`. */
static int64_t doubled(int64_t first, int64_t times, int64_t most)
{
	return MIN(first << MIN(times, AGAIN_MAX), most);
}

/* How long an incident must be well to be over. */
static int64_t calm(const struct alerts *alerts, const struct alert_incident *incident)
{
	return MAX(doubled(alerts->limits.clear_after_ms, incident->again, longest_pause(alerts)),
		   alerts->limits.clear_after_ms);
}

/* After this time it is forgotten that there was one. */
static int64_t memory(const struct alerts *alerts, const struct alert_incident *incident)
{
	return calm(alerts, incident) + pause_after(alerts, incident->again + 1);
}

static void not_after(int64_t *time_ms, int64_t now_ms)
{
	*time_ms = MIN(*time_ms, now_ms);
}

/* A clock that was set back must not make a pause of years. */
static void clamp_times(struct alerts *alerts, int64_t now_ms)
{
	for (int kind = 0; kind < ALERT_KINDS; kind++) {
		struct alert_incident *incident = &alerts->incidents[kind];

		not_after(&incident->since_ms, now_ms);
		not_after(&incident->well_ms, now_ms);
		not_after(&incident->over_ms, now_ms);
		for (int way = 0; way < ALERT_WAYS; way++)
			not_after(&incident->told[way].at_ms, now_ms);
	}
	for (int way = 0; way < ALERT_WAYS; way++)
		not_after(&alerts->paths[way].retry_ms, now_ms + RETRY_MAX_MS);
}

/* ---- a round ---- */

static void begin(const struct alerts *alerts, struct alert_incident *incident, int64_t now_ms)
{
	bool soon = incident->over_ms > 0 && now_ms - incident->over_ms < memory(alerts, incident);

	incident->again = soon ? MIN(incident->again + 1, AGAIN_MAX) : 0;
	incident->open = true;
	incident->since_ms = now_ms;
	for (int way = 0; way < ALERT_WAYS; way++)
		incident->told[way] = (struct alert_told){.open = false};
}

static void see_bad(const struct alerts *alerts, struct alert_incident *incident,
		    const struct alert_finding *finding, int64_t now_ms)
{
	if (!incident->open)
		begin(alerts, incident, now_ms);
	incident->well_ms = 0;
	incident->number = finding->number;
	g_free(incident->text);
	incident->text = g_strdup(finding->text);
}

static void see_well(const struct alerts *alerts, struct alert_incident *incident, int64_t now_ms)
{
	if (!incident->open)
		return;
	if (incident->well_ms == 0)
		incident->well_ms = now_ms;
	if (now_ms - incident->well_ms < calm(alerts, incident))
		return;
	incident->open = false;
	incident->over_ms = now_ms;
	/* Also those that could not be told that it began. */
	for (int way = 0; way < ALERT_WAYS; way++)
		incident->told[way].owes = true;
}

void alerts_observe(struct alerts *alerts, const struct alert_finding findings[ALERT_KINDS],
		    int64_t now_ms)
{
	clamp_times(alerts, now_ms);
	for (int kind = 0; kind < ALERT_KINDS; kind++) {
		if (findings[kind].unknown)
			continue;
		if (findings[kind].bad)
			see_bad(alerts, &alerts->incidents[kind], &findings[kind], now_ms);
		else
			see_well(alerts, &alerts->incidents[kind], now_ms);
	}
}

/* ---- what is to be told ---- */

/* What is well at present, but not for long enough, waits for what comes of it. */
static struct alert_item item_open(const struct alerts *alerts, enum alert_kind kind,
				   enum alert_way way, int64_t now_ms)
{
	const struct alert_incident *incident = &alerts->incidents[kind];
	const struct alert_told *told = &incident->told[way];
	bool bad = incident->well_ms == 0;
	bool worse = told->number > 0 && incident->number / WORSE_FACTOR >= told->number;
	struct alert_item item = {
		.kind = kind,
		.fresh = bad && (!told->open || worse),
		.since_ms = incident->since_ms,
		.number = incident->number,
		.text = incident->text,
	};

	item.due = bad && told->open && now_ms - told->at_ms >= pause_after(alerts, told->digests);
	return item;
}

static struct alert_item item_over(const struct alerts *alerts, enum alert_kind kind)
{
	const struct alert_incident *incident = &alerts->incidents[kind];

	return (struct alert_item){
		.kind = kind,
		.over = true,
		.since_ms = incident->since_ms,
		.over_ms = incident->well_ms,
		.number = incident->number,
		.text = incident->text,
	};
}

static enum alert_news news_of(const struct alert_item *item)
{
	if (item->over)
		return ALERT_OVER;
	return item->fresh ? ALERT_NEW : item->due ? ALERT_DIGEST : ALERT_NOTHING;
}

enum alert_news alerts_due(const struct alerts *alerts, enum alert_way way, int64_t now_ms,
			   struct alert_notice *notice)
{
	*notice = (struct alert_notice){.news = ALERT_NOTHING};
	if (now_ms < alerts->paths[way].retry_ms)
		return ALERT_NOTHING;
	for (int kind = 0; kind < ALERT_KINDS; kind++) {
		const struct alert_incident *incident = &alerts->incidents[kind];
		/* A way that is new in the config is not told of what was long ago. */
		bool owes = incident->told[way].owes &&
			    now_ms - incident->over_ms <= longest_pause(alerts);

		if (!incident->open && !owes)
			continue;
		struct alert_item *item = &notice->items[notice->count++];

		*item = incident->open ? item_open(alerts, kind, way, now_ms)
				       : item_over(alerts, kind);
		notice->news = MAX(notice->news, news_of(item));
	}
	if (notice->news == ALERT_NOTHING)
		notice->count = 0;
	return notice->news;
}

static void failed(struct alert_path *path, int64_t now_ms)
{
	path->retry_ms = now_ms + doubled(RETRY_FIRST_MS, path->failures, RETRY_MAX_MS);
	path->failures = MIN(path->failures + 1, AGAIN_MAX);
}

void alerts_told(struct alerts *alerts, enum alert_way way, const struct alert_notice *notice,
		 bool worked, int64_t now_ms)
{
	if (!worked) {
		failed(&alerts->paths[way], now_ms);
		return;
	}
	alerts->paths[way] = (struct alert_path){.failures = 0};
	for (size_t i = 0; i < notice->count; i++) {
		const struct alert_item *item = &notice->items[i];
		struct alert_told *told = &alerts->incidents[item->kind].told[way];

		if (item->over) {
			*told = (struct alert_told){.open = false};
			continue;
		}
		/* Every notice says all that lasts, so all pauses begin anew with it. */
		told->digests += item->due;
		told->open = true;
		told->at_ms = now_ms;
		told->number = item->number;
	}
}
