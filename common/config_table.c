#include "common/config_table.h"

#define KB INT64_C(1024)
#define MB (1024 * KB)
#define GB (1024 * MB)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* A member's name must not have parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define FIELD(member) offsetof(struct config, member)
#define LIMIT(member) offsetof(struct config, limits.member)
#define USER(role) offsetof(struct config, role.name)
#define SECRET(role) offsetof(struct config, role.password_file)
/* NOLINTEND(bugprone-macro-parentheses) */

static const char *const level_choices[] = {"emerg",  "alert", "crit",  "err", "warning",
					    "notice", "info",  "debug", NULL};
static const char *const smtp_tls_choices[] = {"no", "starttls", NULL};
static const char *const record_choices[] = {"best-effort", "required", NULL};
static const char *const in_doubt_choices[] = {"resend", "hold", NULL};
static const char *const refused_choices[] = {"auto", "drop", "reject", NULL};
static const char *const other_choices[] = {"keep", "ignore", "refuse", NULL};
static const char *const unread_choices[] = {"refuse", "keep", NULL};
static const char *const acknowledge_choices[] = {"auto", "no", "yes", NULL};
static const char *const raw_choices[] = {"defect", "no", "yes", NULL};
static const char *const require_choices[] = {"none",  "spf-or-dkim", "dmarc",
					      "token", "registered",  NULL};
static const char *const unverified_choices[] = {"quarantine", "refuse", "accept", NULL};

#define TEXT(section, name, field, value, help)                                                    \
	{                                                                                          \
		section, name, PARAMETER_TEXT, field, value, 0, 0, NULL, help                      \
	}
#define LIST(section, name, field, value, help)                                                    \
	{                                                                                          \
		section, name, PARAMETER_LIST, field, value, 0, 0, NULL, help                      \
	}
#define BOOL(section, name, field, value, help)                                                    \
	{                                                                                          \
		section, name, PARAMETER_BOOL, field, value, 0, 1, NULL, help                      \
	}
#define INT(section, name, field, value, minimum, maximum, help)                                   \
	{                                                                                          \
		section, name, PARAMETER_INT, field, value, minimum, maximum, NULL, help           \
	}
#define SIZE(section, name, field, value, minimum, maximum, help)                                  \
	{                                                                                          \
		section, name, PARAMETER_SIZE, field, value, minimum, maximum, NULL, help          \
	}
#define TIME(section, name, field, value, minimum, maximum, help)                                  \
	{                                                                                          \
		section, name, PARAMETER_TIME, field, value, minimum, maximum, NULL, help          \
	}
#define CHOICE(section, name, field, value, choices, help)                                         \
	{                                                                                          \
		section, name, PARAMETER_CHOICE, field, value, 0, 0, choices, help                 \
	}

const struct parameter config_parameters[] = {
	TEXT("mailpipe", "instance", FIELD(instance), "mailpipe",
	     "Name of this installation: part of every inbound id and of app_id."),
	TEXT("mailpipe", "recipient_delimiter", FIELD(recipient_delimiter), "+",
	     "Postfix's recipient_delimiter: characters that begin a tag in user+tag@example.com."),

	TEXT("mailpipe", "state_dir", FIELD(state_dir), "/var/lib/mailpipe",
	     "Folder of small files that survive a restart: counts of notices, alerts under way."),
	LIST("mailpipe", "authserv_ids", FIELD(authserv_ids), "",
	     "Whose Authentication-Results fields are believed."),
	INT("mailpipe", "authserv_hops", FIELD(authserv_hops), "1", 1, 100,
	    "Such a field is believed above this Received field, counted from the top: what stands "
	    "below came from outside."),

	LIST("amqp", "hosts", FIELD(amqp_hosts), "localhost",
	     "RabbitMQ servers, host[:port], tried in order. Port 5672, or 5671 with TLS."),
	TEXT("amqp", "vhost", FIELD(amqp_vhost), "/", "Virtual host."),
	BOOL("amqp", "tls", FIELD(amqp_tls), "no", "Use TLS and verify chain and host name."),
	TEXT("amqp", "tls_ca_file", FIELD(amqp_tls_ca_file), "",
	     "Certificates to trust (PEM); empty: those of the system."),
	TIME("amqp", "heartbeat", FIELD(amqp_heartbeat), "60s", 1 * SECOND, 1 * HOUR,
	     "Heartbeat of resident programs, whole seconds."),
	TEXT("amqp", "publish_user", USER(amqp_publish), "mailpipe-publish",
	     "User of mailin: may write to the exchange mail.in, nothing else."),
	TEXT("amqp", "publish_password_file", SECRET(amqp_publish), "",
	     "File with that user's password in its first line."),
	TEXT("amqp", "consume_user", USER(amqp_consume), "mailpipe-consume",
	     "User of mailin-ingest: may read the inbound queues and write to retry tiers, "
	     "mail.dead, mail.events and, for notices, mail.out."),
	TEXT("amqp", "consume_password_file", SECRET(amqp_consume), "",
	     "File with that user's password in its first line."),
	TEXT("amqp", "mailout_user", USER(amqp_mailout), "mailpipe-mailout",
	     "User of mailout: may read the outbound queues and write to retry tiers, mail.dead "
	     "and "
	     "mail.events."),
	TEXT("amqp", "mailout_password_file", SECRET(amqp_mailout), "",
	     "File with that user's password in its first line."),
	TEXT("amqp", "application_user", USER(amqp_application), "mailpipe-application",
	     "User of applications: may write to mail.out and mail.in."),
	TEXT("amqp", "application_password_file", SECRET(amqp_application), "",
	     "File with that user's password in its first line."),
	TEXT("amqp", "setup_user", USER(amqp_setup), "mailpipe-setup",
	     "User of mailctl setup: may configure what is named mail.*."),
	TEXT("amqp", "setup_password_file", SECRET(amqp_setup), "",
	     "File with that user's password in its first line."),

	LIST("mysql", "hosts", FIELD(mysql_hosts), "localhost",
	     "MySQL or MariaDB servers, host[:port], tried in order. Port 3306."),
	TEXT("mysql", "socket", FIELD(mysql_socket), "",
	     "Unix socket of a local server; if set, hosts are not used."),
	TEXT("mysql", "database", FIELD(mysql_database), "mailpipe", "Database."),
	BOOL("mysql", "tls", FIELD(mysql_tls), "no", "Use TLS and verify chain and host name."),
	TEXT("mysql", "tls_ca_file", FIELD(mysql_tls_ca_file), "",
	     "Certificates to trust (PEM); empty: those of the system."),
	TIME("mysql", "timeout", FIELD(mysql_timeout), "20s", 1 * SECOND, 10 * MINUTE,
	     "Longest wait for one answer of the server. Keep it below amqp.heartbeat."),
	TEXT("mysql", "ingest_user", USER(mysql_ingest), "mailpipe-ingest",
	     "User of mailin-ingest: writes the inbound tables."),
	TEXT("mysql", "ingest_password_file", SECRET(mysql_ingest), "",
	     "File with that user's password in its first line."),
	TEXT("mysql", "mailout_user", USER(mysql_mailout), "mailpipe-mailout",
	     "User of mailout: reads attachments, writes the outbound tables."),
	TEXT("mysql", "mailout_password_file", SECRET(mysql_mailout), "",
	     "File with that user's password in its first line."),
	TEXT("mysql", "web_user", USER(mysql_web), "mailpipe-web",
	     "User of the web front end: may only SELECT."),
	TEXT("mysql", "web_password_file", SECRET(mysql_web), "",
	     "File with that user's password in its first line."),
	TEXT("mysql", "postfix_user", USER(mysql_postfix), "mailpipe-postfix",
	     "User of Postfix: may only SELECT from the view recipients."),
	TEXT("mysql", "postfix_password_file", SECRET(mysql_postfix), "",
	     "File with that user's password in its first line."),
	TEXT("mysql", "setup_user", USER(mysql_setup), "root",
	     "User of mailctl setup: creates database, tables and users."),
	TEXT("mysql", "setup_password_file", SECRET(mysql_setup), "",
	     "File with that user's password in its first line."),

	LIST("smtp", "hosts", FIELD(smtp_hosts), "localhost:25",
	     "SMTP servers that take outgoing mail, host[:port], tried in order. Port 25."),
	CHOICE("smtp", "tls", FIELD(smtp_tls), "no", smtp_tls_choices,
	       "starttls: required, with chain and host name verified."),
	TEXT("smtp", "tls_ca_file", FIELD(smtp_tls_ca_file), "",
	     "Certificates to trust (PEM); empty: those of the system."),
	TEXT("smtp", "user", USER(smtp), "",
	     "User for AUTH PLAIN or LOGIN; empty: no AUTH. Needs tls = starttls, unless the "
	     "server is "
	     "on this machine."),
	TEXT("smtp", "password_file", SECRET(smtp), "",
	     "File with that user's password in its first line."),
	TEXT("smtp", "helo", FIELD(smtp_helo), "", "Name for EHLO; empty: the host's name."),
	TIME("smtp", "timeout", FIELD(smtp_timeout), "60s", 1 * SECOND, 30 * MINUTE,
	     "Longest wait for one reply of the server."),
	INT("smtp", "sessions", FIELD(smtp_sessions), "4", 1, 64,
	    "SMTP sessions at the same time, per worker."),
	INT("smtp", "session_messages", FIELD(smtp_session_messages), "100", 1, 10000,
	    "Messages in one session."),
	TIME("smtp", "session_time", FIELD(smtp_session_time), "5m", 1 * SECOND, 1 * HOUR,
	     "Age at which a session is ended and a new one begun."),

	LIST("redis", "hosts", FIELD(redis_hosts), "",
	     "Redis servers that are told the state of each message, host[:port], tried in order. "
	     "Port 6379. With neither hosts nor socket there is no Redis."),
	TEXT("redis", "socket", FIELD(redis_socket), "",
	     "Unix socket of a local server; if set, hosts are not used."),
	INT("redis", "db", FIELD(redis_db), "0", 0, 1000000, "Number of the database."),
	TEXT("redis", "user", USER(redis), "", "User (ACL); empty: the default one."),
	TEXT("redis", "password_file", SECRET(redis), "",
	     "File with its password in its first line; empty: no AUTH."),
	TEXT("redis", "prefix", FIELD(redis_prefix),
	     "mailpipe:", "What a key begins with; the message's id follows."),
	TIME("redis", "expiry", FIELD(redis_expiry), "7d", 1 * SECOND, 365 * (24 * HOUR),
	     "Time after which a key is gone, counted from its last change. Keep it above "
	     "retry.max_age."),
	TIME("redis", "timeout", FIELD(redis_timeout), "2s", 10, 1 * MINUTE,
	     "An answer that takes longer ends the connection. No message waits for it."),

	LIST("retry", "tiers", FIELD(retry_tiers), "1m 5m 15m 1h 4h",
	     "Pauses between tries, rising; the last one repeats. Each is a queue on the broker."),
	TIME("retry", "max_age", FIELD(retry_max_age), "5d", 1 * SECOND, 60 * (24 * HOUR),
	     "Time after the first try at which a message is given up, if it was tried after each "
	     "tier once at least."),
	TIME("retry", "away_max", FIELD(retry_away_max), "15m", 1 * SECOND, 60 * (24 * HOUR),
	     "While the database is away, a message is not put into a longer tier than this, so "
	     "that it is stored soon after. Up to 1000 of a worker in that time; others go on."),

	SIZE("limits", "message_size", LIMIT(message_size), "50M", 1 * KB, 1 * GB,
	     "Largest mail; a larger one is refused with 5.3.4. Postfix's message_size_limit "
	     "should "
	     "be the same or less."),
	TIME("limits", "deadline", LIMIT(deadline), "60s", 1 * SECOND, 15 * MINUTE,
	     "Time mailin has for one mail; past it the mail is deferred. Keep it far below "
	     "Postfix's command_time_limit."),
	TIME("limits", "parse_cpu", LIMIT(parse_cpu), "1800ms", 100, 10 * MINUTE,
	     "Processor time of the parser; past it the mail is published unparsed."),
	TIME("limits", "parse_wall", LIMIT(parse_wall), "20s", 100, 10 * MINUTE,
	     "Time of the parser; past it the mail is published unparsed."),
	SIZE("limits", "parse_memory", LIMIT(parse_memory), "512M", 64 * MB, 16 * GB,
	     "Address space of the parser; past it the mail is published unparsed."),
	SIZE("limits", "header_bytes", LIMIT(header_bytes), "512K", 1 * KB, 64 * MB,
	     "Bytes of the header of a mail or a part; what is beyond is cut."),
	INT("limits", "headers", LIMIT(headers), "1000", 10, 100000,
	    "Header fields of a mail; what is beyond is cut."),
	INT("limits", "parts", LIMIT(parts), "1000", 1, 100000,
	    "MIME parts of a mail; what is beyond is cut."),
	INT("limits", "depth", LIMIT(depth), "50", 1, 200,
	    "Nesting of MIME parts; what is deeper is not taken apart."),
	INT("limits", "attachments", LIMIT(attachments), "500", 0, 100000,
	    "Attachments of a mail; what is beyond is cut. A request with more is refused."),
	INT("limits", "addresses", LIMIT(addresses), "1000", 1, 100000,
	    "Addresses of one address field; what is beyond is cut."),
	INT("limits", "filename_bytes", LIMIT(filename_bytes), "200", 16, 255,
	    "Bytes of an attachment's name; what is beyond is cut, the extension is kept. A "
	    "request "
	    "with a longer one is refused."),
	INT("limits", "image_pixels", LIMIT(image_pixels), "250000000", 1, 4294836225,
	    "Width times height of an image; one with more is no image for anybody."),
	INT("limits", "archive_entries", LIMIT(archive_entries), "1000", 0, 100000,
	    "Files in all archives of a mail; an archive with more is not read to its end."),
	SIZE("limits", "archive_bytes", LIMIT(archive_bytes), "32M", 0, 1 * GB,
	     "Bytes unpacked to read the names in compressed tar files of a mail; one with more is "
	     "not read to its end."),
	SIZE("limits", "body_bytes", LIMIT(body_bytes), "4M", 1 * KB, 64 * MB,
	     "Bytes of TextBody and of HtmlBody; what is beyond is cut."),

	SIZE("limits", "request_size", LIMIT(request_size), "40M", 1 * KB, 1 * GB,
	     "Bytes of a request on mail.out; a larger one is refused."),
	INT("limits", "recipients", LIMIT(recipients), "50", 1, 1000,
	    "To, Cc and Bcc of a request together; a request with more is refused."),
	SIZE("limits", "outgoing_size", LIMIT(outgoing_size), "25M", 1 * KB, 1 * GB,
	     "Bytes of a message that is sent; a larger one is refused."),
	SIZE("limits", "template_file", LIMIT(template_file), "256K", 1 * KB, 16 * MB,
	     "Bytes of a template's file."),
	SIZE("limits", "template_output", LIMIT(template_output), "1M", 1 * KB, 64 * MB,
	     "Bytes of a rendered part; a request that renders to more is refused."),

	BOOL("notify", "enabled", FIELD(notify_enabled), "yes",
	     "Tell posters when their mail is delayed or given up."),
	TIME("notify", "delay_after", FIELD(notify_delay_after), "4h", 1 * SECOND, 7 * (24 * HOUR),
	     "Age at which a mail that is not stored yet is reported as delayed, once."),
	TEXT("notify", "stream", FIELD(notify_stream), "",
	     "Stream of notices; empty: the first one."),
	TEXT("notify", "from", FIELD(notify_from), "",
	     "From of notices; empty: that of the template or of mailout.from, else postmaster at "
	     "the domain that was written to."),
	TEXT("notify", "locale", FIELD(notify_locale), "",
	     "Language of notices to posters whose mail names none; empty: the templates' "
	     "default."),
	BOOL("notify", "require_auth", FIELD(notify_require_auth), "yes",
	     "Only to senders whose domain is established, by SMTP AUTH or by SPF, DKIM or DMARC "
	     "in "
	     "a field of mailpipe.authserv_ids."),
	INT("notify", "per_address_per_day", FIELD(notify_per_address), "10", 1, 10000,
	    "Most notices to one address in a day (UTC)."),
	INT("notify", "per_hour", FIELD(notify_per_hour), "1000", 1, 30000,
	    "Most notices in an hour, to all addresses together."),
	INT("notify", "answers_per_address_per_day", FIELD(notify_answers_per_address), "10", 1,
	    10000, "Most acknowledgements to one address in a day (UTC)."),
	INT("notify", "answers_per_hour", FIELD(notify_answers_per_hour), "10000", 1, 30000,
	    "Most acknowledgements in an hour, to all addresses together."),

	INT("ingest", "workers", FIELD(ingest_workers), "1", 1, 64, "Worker processes."),
	INT("ingest", "batch_count", FIELD(ingest_batch_count), "256", 1, 1024,
	    "Most messages in one transaction."),
	SIZE("ingest", "batch_bytes", FIELD(ingest_batch_bytes), "16M", 64 * KB, 1 * GB,
	     "A transaction is complete when its messages reach this size."),
	TIME("ingest", "batch_wait", FIELD(ingest_batch_wait), "20ms", 0, 10 * SECOND,
	     "Time a first message waits for others to join its transaction."),
	TIME("ingest", "backoff_max", FIELD(ingest_backoff_max), "30s", 100, 10 * MINUTE,
	     "Longest pause between two tries when the database or the broker is away."),
	LIST("ingest", "targets", FIELD(ingest_targets),
	     "/etc/mailpipe/targets /usr/local/share/mailpipe/targets /usr/share/mailpipe/targets",
	     "Folders of targets, SQL files; the first one that has a target wins."),

	INT("mailout", "workers", FIELD(mailout_workers), "1", 1, 64, "Worker processes."),
	INT("mailout", "batch_count", FIELD(mailout_batch_count), "250", 1, 1000,
	    "Most messages in one transaction."),
	TIME("mailout", "batch_wait", FIELD(mailout_batch_wait), "50ms", 0, 10 * SECOND,
	     "Time a first message waits for others to join its transaction, if there are others."),
	TIME("mailout", "backoff_max", FIELD(mailout_backoff_max), "30s", 100, 10 * MINUTE,
	     "Longest pause between two tries when the database, the broker or the SMTP server is "
	     "away."),
	LIST("mailout", "templates", FIELD(mailout_templates),
	     "/etc/mailpipe/templates /usr/local/share/mailpipe/templates "
	     "/usr/share/mailpipe/templates",
	     "Folders of templates; the first one that has a template wins."),
	TEXT("mailout", "from", FIELD(mailout_from), "",
	     "From of requests that say none and whose template says none."),
	TEXT("mailout", "envelope_sender", FIELD(mailout_envelope_sender), "",
	     "Where bounces go; empty: the address of From."),
	CHOICE("mailout", "record", FIELD(mailout_record), "best-effort", record_choices,
	       "With the database away: go on sending, or wait."),
	CHOICE("mailout", "in_doubt", FIELD(mailout_in_doubt), "resend", in_doubt_choices,
	       "A message whose sending was cut off between data and reply: send it again, or hold "
	       "it."),

	LIST("alerts", "to", FIELD(alerts_to), "",
	     "Who is told by mail (template admin-alert); addresses."),
	LIST("alerts", "sms_to", FIELD(alerts_sms_to), "",
	     "Who is told in 160 characters (template admin-alert-sms): addresses of a gateway "
	     "from "
	     "mail to SMS."),
	TEXT("alerts", "command", FIELD(alerts_command), "",
	     "Run by sh -c with the alert's text on standard input; see mailctl(1), watch."),
	TEXT("alerts", "url", FIELD(alerts_url), "",
	     "http or https: the alert is posted there as JSON, by curl(1)."),
	TIME("alerts", "timeout", FIELD(alerts_timeout), "30s", 100, 10 * MINUTE,
	     "Time that one mail, command or post may take; then it is killed."),
	TIME("alerts", "interval", FIELD(alerts_interval), "30s", 200, 1 * HOUR,
	     "Pause between two rounds of mailctl watch."),
	LIST("alerts", "pauses", FIELD(alerts_pauses), "15m 1h 4h 1d",
	     "Pauses between the digests of what lasts, rising; the last one repeats."),
	TIME("alerts", "clear_after", FIELD(alerts_clear_after), "1m", 0, 1 * DAY,
	     "Time that something must be well before the all-clear; doubles each time that it "
	     "fails again soon."),
	INT("alerts", "dead_letters", FIELD(alerts_dead_letters), "0", 0, 1000000000,
	    "Alert when there are more messages than this in mail.dead."),
	INT("alerts", "queue_depth", FIELD(alerts_queue_depth), "10000", 1, 1000000000,
	    "Alert when more messages than this wait in one queue."),
	TIME("alerts", "queue_age", FIELD(alerts_queue_age), "15m", 200, 60 * DAY,
	     "Alert when messages have waited in a queue for so long and it has not become "
	     "shorter."),
	INT("alerts", "restarts", FIELD(alerts_restarts), "4", 0, 1000000,
	    "Alert when more workers of one program than this have ended unasked within "
	    "restart_period."),
	TIME("alerts", "restart_period", FIELD(alerts_restart_period), "10m", 1 * SECOND, 1 * DAY,
	     "The time in which ended workers are counted."),

	TEXT("log", "target", FIELD(log_target), "syslog", "syslog (facility mail) or stderr."),
	CHOICE("log", "level", FIELD(log_level), "info", level_choices,
	       "Least important priority that is logged."),
	LIST("log", "files", FIELD(log_files), "/var/log/mail.log* journal",
	     "Where the lines of Postfix and of mailpipe end up: patterns of files, the compressed "
	     "ones too, and the word journal; mailctl trace reads them."),
};
const size_t config_parameter_count = sizeof(config_parameters) / sizeof(config_parameters[0]);

#define ROUTE(member) offsetof(struct config_route, member)

const struct parameter config_route_parameters[] = {
	{"route NAME", "recipients", PARAMETER_PATTERNS, ROUTE(recipients), "", 0, 0, NULL,
	 "Address patterns: user@example.com, *@example.com or /regular expression/."},
	BOOL("route NAME", "serial", ROUTE(serial), "no",
	     "Messages are stored one after the other, in the order in which they were published, "
	     "by one worker."),
	CHOICE("route NAME", "raw", ROUTE(raw), "defect", raw_choices,
	       "Put the raw mail into the document: always, never, or when parsing failed."),
	BOOL("route NAME", "notify", ROUTE(notify), "yes",
	     "Notices to those who write to this route; see section notify."),
	CHOICE("route NAME", "acknowledge", ROUTE(acknowledge), "auto", acknowledge_choices,
	       "Tell posters that their ticket or their photos have arrived; auto: yes for the "
	       "targets support and gallery, which alone have something to tell."),
	BOOL("route NAME", "threads", ROUTE(threads), "no",
	     "Find out which messages belong together; a target that asks for threads has them "
	     "anyway."),
	BOOL("route NAME", "thread_by_subject", ROUTE(thread_by_subject), "no",
	     "A participant's message with [#NUMBER] in its subject belongs to that thread."),
	CHOICE("route NAME", "require", ROUTE(require), "none", require_choices,
	       "What a sender must prove, or the address written to must have."),
	CHOICE("route NAME", "unverified", ROUTE(unverified), "quarantine", unverified_choices,
	       "What happens to a mail that lacks what is required."),
	TEXT("route NAME", "target", ROUTE(target), "inbox",
	     "What is written besides the message: the name of a target (inbox, support, gallery) "
	     "or the path of an SQL file."),
	LIST("route NAME", "attachments_allow", ROUTE(attachments_allow), "",
	     "Attachments that are taken, by content (image/*) or by name (*.pdf); empty: all."),
	LIST("route NAME", "attachments_refuse", ROUTE(attachments_refuse), "",
	     "Attachments that are not taken, although they are allowed."),
	INT("route NAME", "attachments_max", ROUTE(attachments_max), "500", 0, 100000,
	    "Attachments of a mail that are taken; what is beyond is refused."),
	SIZE("route NAME", "attachment_size", ROUTE(attachment_size), "1G", 1, 1 * GB,
	     "Bytes of an attachment; a larger one is refused."),
	CHOICE("route NAME", "attachments_refused", ROUTE(attachments_refused), "auto",
	       refused_choices,
	       "What becomes of a mail with such an attachment: it is stored without it, or "
	       "refused as a whole; auto: reject for a gallery, else drop."),
	CHOICE("route NAME", "attachments_other", ROUTE(attachments_other), "keep", other_choices,
	       "A gallery's attachments that are no photos: stored as attachments, left out, or "
	       "refused."),
	CHOICE("route NAME", "archives_unread", ROUTE(archives_unread), "refuse", unread_choices,
	       "Archives of which not all names can be read, in a route that refuses attachments "
	       "by name: refused, or kept."),
	INT("route NAME", "inline_side", ROUTE(inline_side), "200", 0, 65535,
	    "A gallery takes images within HTML for decorations when their shorter side has fewer "
	    "pixels."),
	TIME("route NAME", "keep", ROUTE(keep), "", 1 * MINUTE, 36500 * (24 * HOUR),
	     "Age at which mailctl purge removes stored mails; empty: never."),
};
const size_t config_route_parameter_count =
	sizeof(config_route_parameters) / sizeof(config_route_parameters[0]);

#define STREAM(member) offsetof(struct config_stream, member)

const struct parameter config_stream_parameters[] = {
	INT("stream NAME", "rate", STREAM(rate), "0", 0, 100000,
	    "Messages a second of one worker over all its sessions; 0: no limit."),
	TIME("stream NAME", "keep", STREAM(keep), "", 1 * MINUTE, 36500 * (24 * HOUR),
	     "Age at which mailctl purge removes the records of finished requests; empty: "
	     "never."),
};
const size_t config_stream_parameter_count =
	sizeof(config_stream_parameters) / sizeof(config_stream_parameters[0]);
