/*
 * A target: an SQL file whose statements run for each stored message or attachment, with named
 * parameters; mailpipe-targets(7).
 *
 * Here it is only taken apart: no database is needed.  The server checks what the statements say
 * when they are prepared.
 */
#ifndef MAILIN_INGEST_TARGET_FILE_H
#define MAILIN_INGEST_TARGET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/outcome.h"
#include "mailin/ingest/target_parameter.h"

enum {
	TARGET_FILE_MAX = 256 * 1024, /* bytes */
	TARGET_STATEMENTS_MAX = 64,
	/* In one statement: rows of 256 messages must stay below DB_PARAMETERS_MAX. */
	TARGET_PARAMETERS_MAX = 250,
};

/* A part of the file: for what its statements run, and when. */
struct target_section {
	bool per_attachment;
	const struct target_parameter *flag; /* "where FLAG"; NULL: always */
	bool negated;                        /* "where not FLAG" */
};

/* The parts of an INSERT ... VALUES that many rows can be written with: head, rows with commas
 * between them, tail. */
struct target_rows {
	char *head; /* NULL: it must be run by itself */
	char *row;
	char *tail;
	char *table; /* its name alone, as it may also be written in another statement */
};

struct target_statement {
	int line;       /* where it begins */
	size_t section; /* index */
	char *sql;      /* with "?" for its parameters */
	const struct target_parameter **parameters;
	size_t parameter_count;
	struct target_rows rows;
};

struct target_file {
	char *path;
	struct target_section *sections;
	size_t section_count;
	struct target_statement *statements;
	size_t statement_count;
	bool wants_threads; /* it says something of the message's thread */
};

/* Where a route's target (config_route) stands: a path as it is, else the first of `folders` that
 * has NAME.sql; g_free() it.  NULL: none of them has it. */
char *target_file_find(const char *target, char *const *folders);

/* NULL with a reason ("FILE:LINE: what", a RETRY) if it cannot be used.  `path` is for messages. */
struct target_file *target_file_parse(const char *path, const char *text, size_t size,
				      struct reason *reason);
struct target_file *target_file_read(const char *path, struct reason *reason);
void target_file_free(struct target_file **file); /* NULL is allowed; *file becomes NULL */

/* "FILE:LINE"; g_free() it. */
char *target_file_place(const struct target_file *file, const struct target_statement *statement);

#endif
