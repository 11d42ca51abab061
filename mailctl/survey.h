/*
 * One look at everything: database, broker, and every queue of the config.  For `mailctl status`
 * and `mailctl watch`.
 *
 * As the users amqp.setup_user and mysql.setup_user.  It changes nothing (but see mailctl/oldest.h)
 * and publishes nothing that a queue would take. Connections are kept from look to look and made
 * anew when they are gone.
 */
#ifndef MAILCTL_SURVEY_H
#define MAILCTL_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/outcome.h"
#include "mailctl/oldest.h"

struct survey_server {
	bool up;
	bool blocked; /* the broker: it takes no messages (memory or disk alarm), as reason says */
	char version[80];     /* "RabbitMQ 3.10.8" */
	int64_t answer_ms;    /* of its answer to a question, without the time to connect */
	struct reason reason; /* why it is not up */
};

enum survey_kind { SURVEY_ROUTE, SURVEY_STREAM, SURVEY_TIER, SURVEY_DEAD };

struct survey_queue {
	enum survey_kind kind;
	const char *name;     /* of the route, stream or tier; borrowed from the config */
	char *queue;          /* "mail.in.support" */
	bool there;           /* the broker was asked, and has it */
	struct reason reason; /* why not */
	int64_t waiting;      /* ready; what a consumer has in hand does not count */
	int64_t consumers;
	struct oldest_age oldest; /* of routes and streams */
	/* From the database; below 0: not known. */
	int64_t delayed;            /* in retry tiers, for this route or stream */
	int64_t delayed_oldest_ms;  /* since the oldest of them was first seen; routes only */
	int64_t quarantined;        /* routes only */
	int64_t handled_per_minute; /* stored; sent or given up */
	int64_t arrived_per_minute; /* handled, and by how much the queue grew; needs an earlier
				       look */
};

struct survey;

/* Nothing is asked yet.  config is borrowed. */
struct survey *survey_new(const struct config *config);

/* Ask everything, as far as it answers; false if something did not. */
bool survey_look(struct survey *survey);

const struct survey_server *survey_database(const struct survey *survey);
const struct survey_server *survey_broker(const struct survey *survey);
/* Routes, streams, tiers, each in the order of the config, then mail.dead. */
const struct survey_queue *survey_queues(const struct survey *survey, size_t *count);
/* Why ages are not known, or NULL. */
const char *survey_no_ages(const struct survey *survey);

/* Keep the connections alive until the next look; call it every second or so. */
void survey_idle(struct survey *survey);

void survey_free(struct survey **survey); /* NULL is allowed; *survey becomes NULL */

#endif
