/*
 * The table quarantine, for mailctl quarantine: which mails wait there, and what becomes of them.
 */
#ifndef MAILCTL_QUARANTINE_DB_H
#define MAILCTL_QUARANTINE_DB_H

#include <glib.h>
#include <stdint.h>

#include "common/config.h"
#include "common/db.h"
#include "common/id.h"
#include "common/outcome.h"
#include "common/wire.h"

/* Which ones; what is empty, NULL or negative restricts nothing. */
struct quarantine_filter {
	GPtrArray *routes;  /* char * */
	GArray *ids;        /* struct id */
	const char *reason; /* these are parts of it */
	const char *from;   /* From or the envelope sender */
	int64_t older_ms;   /* put there so long ago */
	int64_t younger_ms;
	int64_t limit; /* 0: none */
};

/* Texts are "" where the row has NULL; strangers wrote them. */
struct quarantined {
	struct id id;
	char id_text[ID_TEXT_SIZE];
	char *route;
	char *reason;
	char *recipient;
	char *sender;
	char *queue_id;
	char *from_email;
	char *subject;
	char *verdicts;      /* JSON */
	int64_t received_ms; /* these are since 1970 */
	int64_t quarantined_ms;
	int64_t released_ms; /* 0: not released */
	int64_t size;        /* bytes of the document */
};

/* The oldest first; free *rows (struct quarantined *) with g_ptr_array_unref(). */
enum outcome quarantine_list(struct db *db, const struct quarantine_filter *filter,
			     GPtrArray **rows, struct reason *reason);
enum outcome quarantine_count(struct db *db, const struct quarantine_filter *filter, int64_t *count,
			      struct reason *reason);

/* *document is NULL if the row is gone; else g_bytes_unref() it and wire_free() the properties that
 * it came with. */
enum outcome quarantine_document(struct db *db, const struct id *id, GBytes **document,
				 struct wire **properties, struct reason *reason);

/* Note that it may be stored; the first time counts.  *found: the row is (still) there. */
enum outcome quarantine_mark_released(struct db *db, const struct id *id, bool *found,
				      struct reason *reason);

/* Away with it; inbound_pending keeps that it was, by which mailin-ingest knows a message that was
 * released before. */
enum outcome quarantine_delete(struct db *db, const struct id *id, bool *found,
			       struct reason *reason);

/* Of a route, what was received and put there before that time (UTC, as the database writes it),
 * and not released since. */
enum outcome quarantine_count_before(struct db *db, const char *route, const char *before,
				     int64_t *count, struct reason *reason);
/* Remove some of it, with what inbound_pending says of it; *removed is 0 when there is no more. */
enum outcome quarantine_purge(struct db *db, const char *route, const char *before,
			      int64_t *removed, struct reason *reason);

#endif
