/*
 * What is wrong, since when, and who has to be told of it when: the damping of alerts, without any
 * input, output or clock of its own.
 *
 * Each kind of trouble is an incident.  It begins when it is seen and ends when it has been well
 * for a while (alerts.clear_after, doubled each time that it came back soon after its end, so that
 * what flaps becomes one long incident).  Each way out is told on its own: at once of an incident
 * that it does not know or that has become ten times worse; while it lasts in digests, after pauses
 * that grow (alerts.pauses) and of everything that lasts; at last that it is over.  At most one
 * notice a round, however much is wrong.  A way that failed is tried again after a pause, with the
 * news of that time.
 *
 * Times are milliseconds since 1970, because they survive the process; when the clock was set back,
 * what lies in the future counts as now.
 */
#ifndef MAILCTL_ALERT_H
#define MAILCTL_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

enum alert_kind {
	ALERT_DATABASE,
	ALERT_BROKER,
	ALERT_BROKER_BLOCKED,
	ALERT_SMTP,
	ALERT_CONSUMERS,
	ALERT_DEAD_LETTERS,
	ALERT_QUEUE_DEPTH,
	ALERT_QUEUE_AGE,
	ALERT_RESTARTS,
	ALERT_TEMPLATES,
	ALERT_TEST, /* never found; only to be told */
	ALERT_KINDS
};

enum alert_way { ALERT_MAIL, ALERT_SMS, ALERT_COMMAND, ALERT_URL, ALERT_WAYS };

/* What a round has seen of one kind. */
struct alert_finding {
	bool unknown; /* it could not be looked at: nothing changes */
	bool bad;
	int64_t number; /* how many of them, where that can be said; else 0 */
	char *text;     /* more about it, one line; may be NULL */
};

struct alert_limits {
	const int64_t *pauses; /* rising; borrowed */
	size_t pause_count;    /* at least 1 */
	int64_t clear_after_ms;
};

struct alerts;

struct alerts *alerts_new(const struct alert_limits *limits);
void alerts_free(struct alerts **alerts); /* NULL is allowed; *alerts becomes NULL */

/* One round.  The findings are copied. */
void alerts_observe(struct alerts *alerts, const struct alert_finding findings[ALERT_KINDS],
		    int64_t now_ms);
/* Is there an incident of that kind? */
bool alerts_is_open(const struct alerts *alerts, enum alert_kind kind);

enum alert_news { ALERT_NOTHING, ALERT_OVER, ALERT_DIGEST, ALERT_NEW };

struct alert_item {
	enum alert_kind kind;
	bool over;
	bool fresh; /* this way is told of it for the first time, or it is ten times worse */
	bool due;   /* its pause has passed */
	int64_t since_ms;
	int64_t over_ms; /* since when it is well */
	int64_t number;
	const char *text; /* borrowed until the next alerts_observe(); may be NULL */
};

/* Everything that is not over or of which this way does not know that it is over. */
struct alert_notice {
	enum alert_news news; /* the most urgent of all items */
	struct alert_item items[ALERT_KINDS];
	size_t count;
};

/* What has to be said now by that way; ALERT_NOTHING if nothing. */
enum alert_news alerts_due(const struct alerts *alerts, enum alert_way way, int64_t now_ms,
			   struct alert_notice *notice);

/* It was said, or that failed.  Call it before the next alerts_observe(). */
void alerts_told(struct alerts *alerts, enum alert_way way, const struct alert_notice *notice,
		 bool worked, int64_t now_ms);

/* The whole memory as JSON, wire_free() it; and back, into a new one: what makes no sense is left
 * out. */
struct wire *alerts_save(const struct alerts *alerts);
void alerts_restore(struct alerts *alerts, const struct wire *saved);

/* "database", "broker-blocked" ...; "mail", "sms", "command", "url". */
const char *alert_kind_name(enum alert_kind kind);
const char *alert_way_name(enum alert_way way);

#endif
