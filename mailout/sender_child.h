/*
 * The child's side of a sender: takes jobs from its parent, refuses what must not reach libesmtp,
 * has the rest sent by sessions with the hosts of smtp.hosts, answers.
 */
#ifndef MAILOUT_SENDER_CHILD_H
#define MAILOUT_SENDER_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "mailout/sender_frame.h"

enum { SENDER_SMTP_PORT = 25 };

struct sender_child;

/* All of the child's life, from the fork on; returns its exit status.  `parent` is the parent's
 * process id. */
int sender_child_run(const struct config *config, int socket, struct sender_shared *shared,
		     int64_t parent);

/* ---- for sessions ---- */

/*
 * The next job that may be sent, sender_job_free() it.  With wait_ms it is waited for so long, and
 * until `other` (if not -1) becomes readable.  NULL: there is none.
 */
struct sender_job *sender_child_next(struct sender_child *child, int64_t wait_ms, int other);
/* A job that was not begun: sender_child_next() gives it again, before those given back earlier.
 * Takes it. */
void sender_child_give_back(struct sender_child *child, struct sender_job *job);
void sender_child_answer(struct sender_child *child, const struct sender_answer *answer);
/* From now on, until it is answered, this job is in doubt if the child dies. */
void sender_child_commit(struct sender_child *child, uint64_t serial);
/* A step forward: the parent may go on being patient. */
void sender_child_step(struct sender_child *child);

#endif
