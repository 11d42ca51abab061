/*
 * What mailin/ingest/target.c (files, statements, edits) and target_run.c share.
 */
#ifndef MAILIN_INGEST_TARGET_PRIVATE_H
#define MAILIN_INGEST_TARGET_PRIVATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/db.h"
#include "common/deadline.h"
#include "common/rows.h"
#include "mailin/ingest/target.h"
#include "mailin/ingest/target_file.h"

/* A statement of a file on this connection. */
struct prepared {
	const struct target_file *file;
	const struct target_statement *statement;
	struct db_stmt *stmt; /* NULL: rows */
	struct rows_shape shape;
	struct rows rows;
	GArray *values; /* struct db_value: rows to be written, or those of one execution */
	size_t row_count;
};

struct version {
	struct target_file *file;
	struct prepared *statements;
};

/* What tells an edit. */
struct stamp {
	bool there;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct target {
	char *name;              /* as in the config */
	struct version *version; /* NULL: not read yet, or never usable */
	struct stamp taken;      /* of the version, or of an edit that was refused */
	struct stamp seen;       /* at the last look */
	struct deadline next_look;
	uint64_t batch; /* the last one that needed it, and whether it could be used then */
	bool usable;
	struct reason why;
};

struct targets {
	const struct config *config;
	struct db *db;
	GPtrArray *targets;       /* struct target * */
	struct target **of_route; /* by index in the config */
	GPtrArray *waiting;       /* struct prepared *: those that have rows to be written */
	uint64_t batch;           /* counts them */
	struct reason complaint;
	bool complains;
};

/* That of the message's route; NULL if there is no such route. */
struct target *target_of(const struct targets *targets, const struct inbound *message);

/* The tables are not only ours: what mends ours need not mend it. */
void target_drop_hint(struct reason *reason);

#endif
