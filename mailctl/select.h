/*
 * Options by which commands are told which messages are meant.
 */
#ifndef MAILCTL_SELECT_H
#define MAILCTL_SELECT_H

#include <getopt.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"
#include "mailctl/letter.h"

/* getopt_long(3)'s values of the options below; a command's own begin at SELECT_OPTIONS_END. */
enum {
	SELECT_ROUTE = 256, /* no character */
	SELECT_STREAM,
	SELECT_ID,
	SELECT_JSON,
	SELECT_REASON,
	SELECT_OLDER,
	SELECT_NEWER,
	SELECT_OPTIONS_END
};

#define SELECT_OPTIONS                                                                             \
	{"config", required_argument, NULL, 'c'},                                                  \
		{"route", required_argument, NULL, SELECT_ROUTE},                                  \
		{"stream", required_argument, NULL, SELECT_STREAM},                                \
		{"id", required_argument, NULL, SELECT_ID},                                        \
	{                                                                                          \
		"json", no_argument, NULL, SELECT_JSON                                             \
	}

#define SELECT_AGE_OPTIONS                                                                         \
	{"reason", required_argument, NULL, SELECT_REASON},                                        \
		{"older-than", required_argument, NULL, SELECT_OLDER},                             \
	{                                                                                          \
		"newer-than", required_argument, NULL, SELECT_NEWER                                \
	}

struct selection {
	const char *config_file;
	GPtrArray *origins;
	GPtrArray *ids;
	const char *reason;
	int64_t older_ms;
	int64_t younger_ms;
	bool json;
};

struct selection *select_new(const char *config_file);
void select_free(struct selection **selection);

/* False: it is none of these, or its argument is wrong; standard error says so. */
bool select_option(struct selection *selection, int option, const char *argument);
void select_id(struct selection *selection, const char *id);

/* Borrows from select, to which nothing may be added any more. */
struct letter_filter select_filter(const struct selection *selection);

/* A number that is not negative, with words on standard error if it is none. */
bool select_number(const char *option, const char *text, int64_t *number);

/* A line of JSON on standard output; frees it. */
void select_print(struct wire **answer);

#endif
