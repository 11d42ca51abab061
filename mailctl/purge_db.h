/*
 * Removing what is old from the database, in small transactions; for `mailctl purge`.
 *
 * A blob is removed with the last message that refers to it.  mailin-ingest may store another
 * reference at that very moment: the blob's row is locked first, passing over what somebody else
 * has locked (whoever inserts a reference has, by its foreign key), and then it is asked whether
 * there is a reference.  A worker that saw the blob before it was removed gets a foreign key's
 * error (1452), which is a RETRY: it plays its batch again and inserts the blob.
 *
 * Every call that changes something is one transaction, or a few; whatever happens between two
 * calls, nothing is half removed.  All work as mysql.setup_user.
 */
#ifndef MAILCTL_PURGE_DB_H
#define MAILCTL_PURGE_DB_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/id.h"
#include "common/outcome.h"
#include "common/sha256.h"

enum { PURGE_TIME_SIZE = 32 };

struct purge_db;

struct purge_db *purge_open(const struct config *config, struct reason *reason);
void purge_close(struct purge_db **purge); /* NULL is allowed; *purge becomes NULL */
/* For what other modules remove; borrowed. */
struct db *purge_connection(struct purge_db *purge);

/* The database's time, age_ms ago: "2026-11-22 15:55:01.123". */
enum outcome purge_before(struct purge_db *purge, int64_t age_ms, char before[PURGE_TIME_SIZE],
			  struct reason *reason);

/* The names that rows have, also of routes and streams that the config knows no more;
 * g_ptr_array_unref() it. */
enum outcome purge_routes(struct purge_db *purge, GPtrArray **names, struct reason *reason);
enum outcome purge_streams(struct purge_db *purge, GPtrArray **names, struct reason *reason);

/* What is to be removed of a route or stream, and how far that has come. */
struct purge_range {
	const char *name;
	const char *before;       /* received and stored, or finished, before that time */
	char at[PURGE_TIME_SIZE]; /* the last one that was looked at */
	struct id id;
	size_t status;   /* of records: index of the one in hand */
	size_t singly;   /* so many more one by one, since something else refers to one of them */
	int64_t removed; /* messages, or records */
	int64_t attachments;
	int64_t blobs;
	int64_t blob_bytes;
	int64_t kept; /* because something else refers to them */
};

struct purge_range purge_range(const char *name, const char *before);

/* How many there are. */
enum outcome purge_count_messages(struct purge_db *purge, const struct purge_range *range,
				  int64_t *count, struct reason *reason);
enum outcome purge_count_records(struct purge_db *purge, const struct purge_range *range,
				 int64_t *count, struct reason *reason);

/* Remove some more and add to the range's numbers; *done: there are no more.  With a message go its
 * attachments and what no other one refers to, with a record its recipients.  Records of requests
 * that are not finished stay. */
enum outcome purge_messages(struct purge_db *purge, struct purge_range *range, bool *done,
			    struct reason *reason);
enum outcome purge_records(struct purge_db *purge, struct purge_range *range, bool *done,
			   struct reason *reason);
/* Of messages that were given up, what inbound_pending says. */
enum outcome purge_pending(struct purge_db *purge, const struct purge_range *range,
			   struct reason *reason);

/* Blobs that nothing refers to (an application may have deleted messages). */
struct purge_sweep {
	unsigned char at[SHA256_SIZE]; /* the last one that was looked at: they are in order */
	bool dry_run;
	int64_t blobs;
	int64_t bytes;
};

enum outcome purge_sweep(struct purge_db *purge, struct purge_sweep *sweep, bool *done,
			 struct reason *reason);

#endif
