/*
 * /etc/mailpipe/mailpipe.conf: sections [mailpipe] [amqp] [mysql] [limits] [ingest]
 * [log] and [route NAME], read with inih.
 *
 * One table (config.c) describes every parameter: section, name, type, default,
 * range, help.  It parses, checks, and prints; a test compares it with
 * mailpipe.conf(5).  Unknown sections and keys, bad values and values out of range
 * are errors that name file, line and key.
 *
 * Passwords stand in files of their own and are read only when a program asks.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/outcome.h"
#include "common/route.h"

#define CONFIG_FILE_DEFAULT "/etc/mailpipe/mailpipe.conf"

struct config_user {
	char *name;
	char *password_file;
};

/* Sizes are bytes, times milliseconds. */
struct config_limits {
	int64_t message_size;		/* bytes of a mail */
	int64_t deadline;		/* mailin: all of it */
	int64_t parse_cpu;		/* processor time of the parser */
	int64_t parse_wall;		/* time of the parser */
	int64_t parse_memory;		/* address space of the parser */
	int64_t header_bytes;		/* of one part */
	int64_t headers;		/* fields of the mail */
	int64_t parts;			/* MIME parts in all */
	int64_t depth;			/* nesting of MIME parts */
	int64_t attachments;
	int64_t addresses;		/* per address field */
	int64_t filename_bytes;
	int64_t body_bytes;		/* TextBody and HtmlBody, each */
};

enum config_raw { CONFIG_RAW_DEFECT, CONFIG_RAW_NO, CONFIG_RAW_YES };

struct config_route {
	char *name;
	char **recipients;		/* patterns, NULL at the end */
	bool serial;
	int64_t raw;			/* enum config_raw */
	int line;			/* of [route NAME] */
};

struct config {
	char *file;
	/* [mailpipe] */
	char *instance;
	char *recipient_delimiter;
	/* [amqp] */
	char **amqp_hosts;		/* host[:port], NULL at the end */
	char *amqp_vhost;
	bool amqp_tls;
	char *amqp_tls_ca_file;
	int64_t amqp_heartbeat;
	struct config_user amqp_publish;
	struct config_user amqp_consume;
	struct config_user amqp_setup;
	/* [mysql] */
	char **mysql_hosts;		/* host[:port], NULL at the end; tried in order */
	char *mysql_socket;
	char *mysql_database;
	bool mysql_tls;
	char *mysql_tls_ca_file;
	int64_t mysql_timeout;
	struct config_user mysql_ingest;
	struct config_user mysql_mailout;
	struct config_user mysql_web;
	struct config_user mysql_postfix;
	struct config_user mysql_setup;
	/* [ingest] */
	int64_t ingest_workers;
	int64_t ingest_batch_count;
	int64_t ingest_batch_bytes;
	int64_t ingest_batch_wait;
	int64_t ingest_backoff_max;
	/* [log] */
	char *log_target;
	int64_t log_level;		/* syslog priority */
	struct config_limits limits;
	/* [route NAME], in the order of the file */
	struct config_route *routes;
	size_t route_count;
	struct route_set *route_set;
};

/* All defaults, no routes (what mailin --dry-run uses). */
struct config *config_default(void);

/* Read and check.  NULL with a reason ("FILE:LINE: key: what") if it is not usable. */
struct config *config_load(const char *file, struct reason *reason);
void config_free(struct config **config);

/* The route of an envelope recipient, or NULL. */
const struct config_route *config_route(const struct config *config, const char *recipient);
const struct config_route *config_route_named(const struct config *config, const char *name);

/* The first line of a user's password file without its newline, g_free() it; "" when
 * no file is configured.  NULL with a reason that names file and key (`key` is the
 * parameter's name, such as "amqp.publish_password_file"). */
char *config_password(const struct config_user *user, const char *key, struct reason *reason);

/* Print all parameters with their values as a config file.  with_help adds type,
 * range, default and help as comments. */
void config_print(const struct config *config, FILE *out, bool with_help);

/* One parameter as people see it. */
struct config_description {
	const char *section;		/* "amqp"; "route NAME" */
	const char *name;
	const char *type;
	const char *default_value;	/* "" for none */
	const char *range;		/* "1K to 1G", "defect, no, yes"; "" for none */
	const char *help;
};

/* Visit the table: what the manual page's test reads. */
void config_each_parameter(void (*visit)(const struct config_description *description,
					 void *context),
			   void *context);

#endif
