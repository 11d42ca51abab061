/*
 * /etc/mailpipe/mailpipe.conf: sections [mailpipe] [amqp] [mysql] [smtp] [redis] [retry]
 * [limits] [notify] [ingest] [mailout] [alerts] [log], [route NAME] and [stream NAME], read with
 * inih.
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
	int64_t message_size; /* bytes of a mail */
	int64_t deadline;     /* mailin: all of it */
	int64_t parse_cpu;    /* processor time of the parser */
	int64_t parse_wall;   /* time of the parser */
	int64_t parse_memory; /* address space of the parser */
	int64_t header_bytes; /* of one part */
	int64_t headers;      /* fields of the mail */
	int64_t parts;        /* MIME parts in all */
	int64_t depth;        /* nesting of MIME parts */
	int64_t attachments;
	int64_t addresses; /* per address field */
	int64_t filename_bytes;
	int64_t image_pixels;    /* of an image that counts as one */
	int64_t archive_entries; /* names within archives, of a mail */
	int64_t archive_bytes;   /* unpacked to get at them, of a mail */
	int64_t body_bytes;      /* TextBody and HtmlBody, each */
	int64_t request_size;    /* bytes of a request on mail.out */
	int64_t recipients;      /* To, Cc and Bcc of a request together */
	int64_t outgoing_size;   /* bytes of a message that is sent */
	int64_t template_file;   /* bytes of a template's file */
	int64_t template_output; /* bytes of a rendered part */
};

/* What a sender must prove: by Authentication-Results, or by whom an address is for. */
enum config_require {
	CONFIG_REQUIRE_NONE,
	CONFIG_REQUIRE_SPF_OR_DKIM,
	CONFIG_REQUIRE_DMARC,
	CONFIG_REQUIRE_TOKEN,
	CONFIG_REQUIRE_REGISTERED
};
/* What happens to a mail that lacks it. */
enum config_unverified {
	CONFIG_UNVERIFIED_QUARANTINE,
	CONFIG_UNVERIFIED_REFUSE,
	CONFIG_UNVERIFIED_ACCEPT
};

/* What happens to a mail with an attachment that its route does not take. */
enum config_refused {
	CONFIG_REFUSED_AUTO, /* reject for the target gallery, drop for others */
	CONFIG_REFUSED_DROP,
	CONFIG_REFUSED_REJECT
};
/* What becomes of attachments of a gallery that are no images. */
enum config_other { CONFIG_OTHER_KEEP, CONFIG_OTHER_IGNORE, CONFIG_OTHER_REFUSE };
/* And of archives of which not all names can be told, where files are refused by name. */
enum config_unread { CONFIG_UNREAD_REFUSE, CONFIG_UNREAD_KEEP };

/* Are posters told that their mail has arrived? */
enum config_acknowledge {
	CONFIG_ACKNOWLEDGE_AUTO, /* for the targets that can tell something */
	CONFIG_ACKNOWLEDGE_NO,
	CONFIG_ACKNOWLEDGE_YES
};

enum config_raw { CONFIG_RAW_DEFECT, CONFIG_RAW_NO, CONFIG_RAW_YES };

struct config_route {
	char *name;
	char **recipients; /* patterns, NULL at the end */
	bool serial;
	int64_t raw; /* enum config_raw */
	bool notify;
	int64_t acknowledge; /* enum config_acknowledge; see config_route_acknowledges() */
	bool threads;
	bool thread_by_subject;
	int64_t require;             /* enum config_require */
	int64_t unverified;          /* enum config_unverified */
	char **attachments_allow;    /* "image/png", "*.pdf"; NULL at the end; none: all */
	char **attachments_refuse;   /* the same; none: none */
	int64_t attachments_max;     /* of one mail */
	int64_t attachment_size;     /* bytes of one */
	int64_t attachments_refused; /* enum config_refused */
	int64_t attachments_other;   /* enum config_other */
	int64_t archives_unread;     /* enum config_unread */
	int64_t inline_side;         /* pixels; smaller ones within HTML are decorations */
	char *target;                /* NAME in one of the folders, or an absolute path */
	int64_t keep;                /* 0: for ever */
	int line;                    /* of [route NAME] */
};

/* Where outgoing requests queue up: mail.out.NAME.  The first in the file is served first. */
struct config_stream {
	char *name;
	int64_t rate; /* messages a second of one worker; 0: no limit */
	int64_t keep; /* 0: for ever */
	int line;     /* 0: a default one */
};

enum config_smtp_tls { CONFIG_SMTP_TLS_NO, CONFIG_SMTP_TLS_STARTTLS };
enum config_record { CONFIG_RECORD_BEST_EFFORT, CONFIG_RECORD_REQUIRED };
enum config_in_doubt { CONFIG_IN_DOUBT_RESEND, CONFIG_IN_DOUBT_HOLD };

struct config {
	char *file;
	/* [mailpipe] */
	char *instance;
	char *recipient_delimiter;
	char *state_dir;
	char **authserv_ids; /* NULL at the end */
	int64_t authserv_hops;
	/* [amqp] */
	char **amqp_hosts; /* host[:port], NULL at the end */
	char *amqp_vhost;
	bool amqp_tls;
	char *amqp_tls_ca_file;
	int64_t amqp_heartbeat;
	struct config_user amqp_publish;
	struct config_user amqp_consume;
	struct config_user amqp_mailout;
	struct config_user amqp_application;
	struct config_user amqp_setup;
	/* [mysql] */
	char **mysql_hosts; /* host[:port], NULL at the end; tried in order */
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
	/* [smtp] */
	char **smtp_hosts; /* host[:port], NULL at the end; tried in order */
	int64_t smtp_tls;  /* enum config_smtp_tls */
	char *smtp_tls_ca_file;
	struct config_user smtp; /* name "": no AUTH */
	char *smtp_helo;         /* "": the host's name */
	int64_t smtp_timeout;
	int64_t smtp_sessions; /* at the same time, per worker */
	int64_t smtp_session_messages;
	int64_t smtp_session_time;
	/* [redis] */
	char **redis_hosts; /* host[:port], NULL at the end; tried in order */
	char *redis_socket; /* both empty: no Redis */
	int64_t redis_db;
	struct config_user redis; /* name "": the default user */
	char *redis_prefix;
	int64_t redis_expiry;
	int64_t redis_timeout;
	/* [retry] */
	char **retry_tiers;    /* as written: "1m"; NULL at the end */
	int64_t *retry_delays; /* the same, milliseconds, rising */
	size_t retry_tier_count;
	int64_t retry_max_age;
	int64_t retry_away_max;
	/* [notify] */
	bool notify_enabled;
	int64_t notify_delay_after;
	char *notify_stream; /* "" stands for the first one: config_notify_stream() */
	char *notify_from;   /* "" for none */
	char *notify_locale; /* "" for none */
	bool notify_require_auth;
	int64_t notify_per_address; /* a day */
	int64_t notify_per_hour;
	int64_t notify_answers_per_address; /* a day */
	int64_t notify_answers_per_hour;
	/* [mailout] */
	int64_t mailout_workers;
	int64_t mailout_batch_count;
	int64_t mailout_batch_wait;
	int64_t mailout_backoff_max;
	char **mailout_templates;      /* folders, NULL at the end; earlier ones win */
	char *mailout_from;            /* "": a request or its template must say */
	char *mailout_envelope_sender; /* "": the address of From */
	int64_t mailout_record;        /* enum config_record */
	int64_t mailout_in_doubt;      /* enum config_in_doubt */
	/* [ingest] */
	int64_t ingest_workers;
	int64_t ingest_batch_count;
	int64_t ingest_batch_bytes;
	int64_t ingest_batch_wait;
	int64_t ingest_backoff_max;
	char **ingest_targets; /* folders of SQL files, NULL at the end; earlier ones win */
	/* [alerts] */
	char **alerts_to; /* addresses, NULL at the end; as the next */
	char **alerts_sms_to;
	char *alerts_command; /* "": none */
	char *alerts_url;     /* "": none */
	int64_t alerts_timeout;
	int64_t alerts_interval;
	char **alerts_pauses;         /* as written: "15m"; NULL at the end */
	int64_t *alerts_pause_delays; /* the same, milliseconds, rising */
	size_t alerts_pause_count;
	int64_t alerts_clear_after;
	int64_t alerts_dead_letters;
	int64_t alerts_queue_depth;
	int64_t alerts_queue_age;
	int64_t alerts_restarts;
	int64_t alerts_restart_period;
	/* [log] */
	char *log_target;
	int64_t log_level; /* syslog priority */
	char **log_files;  /* patterns of files, and "journal"; NULL at the end */
	struct config_limits limits;
	/* [route NAME], in the order of the file */
	struct config_route *routes;
	size_t route_count;
	struct route_set *route_set;
	/* [stream NAME], in the order of the file; transactional and bulk if there is none */
	struct config_stream *streams;
	size_t stream_count;
};

/* All defaults, no routes (what mailin --dry-run uses). */
struct config *config_default(void);

/* Read and check.  NULL with a reason ("FILE:LINE: key: what") if it is not usable. */
struct config *config_load(const char *file, struct reason *reason);
void config_free(struct config **config);

/* The route of an envelope recipient, or NULL. */
const struct config_route *config_route(const struct config *config, const char *recipient);
const struct config_route *config_route_named(const struct config *config, const char *name);
const struct config_stream *config_stream_named(const struct config *config, const char *name);

/* A time as in the file ("5m") to milliseconds; RETRY with what is wrong with it. */
enum outcome config_parse_time(const char *text, int64_t minimum, int64_t maximum, int64_t *ms,
			       struct reason *reason);

/* A parameter of a route by its name in the file: the value as it would stand there (g_free() it),
 * and whether it is another one than the default. */
char *config_route_text(const struct config_route *route, const char *name);
bool config_route_is_set(const struct config_route *route, const char *name);

/* Does it take mail only at registered addresses (`mailctl address`)?  Postfix refuses others then.
 */
bool config_route_closed(const struct config_route *route);

/* What its posters are told when their mail is stored. */
enum config_answer { CONFIG_ANSWER_NONE, CONFIG_ANSWER_TICKET, CONFIG_ANSWER_GALLERY };
enum config_answer config_route_answer(const struct config_route *route);

/* X-Loop of what is sent automatically: "mailpipe/INSTANCE"; g_free() it. */
char *config_loop(const struct config *config);

/* Where notices are published: a stream that exists; borrowed. */
const char *config_notify_stream(const struct config *config);

/* The first line of a user's password file without its newline, g_free() it; "" when
 * no file is configured.  NULL with a reason that names file and key (`key` is the
 * parameter's name, such as "amqp.publish_password_file"). */
char *config_password(const struct config_user *user, const char *key, struct reason *reason);

/* Print all parameters with their values as a config file.  with_help adds type,
 * range, default and help as comments. */
void config_print(const struct config *config, FILE *out, bool with_help);

/* One parameter as people see it. */
struct config_description {
	const char *section; /* "amqp"; "route NAME" */
	const char *name;
	const char *type;
	const char *default_value; /* "" for none */
	const char *range;         /* "1K to 1G", "defect, no, yes"; "" for none */
	const char *help;
};

/* Visit the table: what the manual page's test reads. */
void config_each_parameter(void (*visit)(const struct config_description *description,
					 void *context),
			   void *context);

#endif
