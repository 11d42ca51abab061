/*
 * mailin(8): one mail, for one recipient, from Postfix's pipe(8) to RabbitMQ.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/broker.h"
#include "common/config.h"
#include "common/deadline.h"
#include "common/id.h"
#include "common/log.h"
#include "common/token.h"
#include "common/topology.h"
#include "common/watchdog.h"
#include "mailin/document.h"
#include "mailin/input.h"
#include "mailin/options.h"
#include "mailin/parser.h"

enum {
	MS_PER_S = 1000,
	/* Until the config has told. */
	FIRST_DEADLINE_MS = 60 * 1000,
	/* The part of the time that is left for saying what took so long. */
	DEADLINE_MARGIN = 10,
	/* As in the database; RFC 5321, 4.5.3.1.3 needs 256. */
	ADDRESS_MAX = 2048,
	INIT_PID = 1,
};

static const char STATUS[] = "4.3.0";
static const char LAST_WORDS[] = "4.3.0 mailin: the time limit has passed\n";
static const char STOPPED[] = "4.3.0 mailin: stopped by a signal\n";
static const char TLS_NAME[] = "mailin-tls";
static const char DELIMITER_UNTIL_TOLD[] = "+";
static const char DRY_RUN_ROUTE[] = "inbound";

/* One mail on its way. */
struct mail {
	char **argv;
	struct options options;
	pid_t parent;       /* 0 in a dry run */
	int64_t started_ms; /* since 1970 */
	struct deadline deadline;
	struct config *config;
	const char *route;
	enum config_raw raw;
	bool takes_tokens; /* the route, and nothing else */
	struct input input;
	struct parser parser;
	struct id id;
	struct broker *broker;
	/* What is published: the parser's document, or our own one if it failed. */
	const char *body;
	size_t body_size;
	int fallback; /* memfd of our own document, or -1 */
};

/* ---- the process ---- */

/* A descriptor that is closed would soon be something else, and get our words or be taken for the
 * mail. */
static bool open_standard_descriptors(void)
{
	bool has_input = fcntl(STDIN_FILENO, F_GETFD) >= 0;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(EX_TEMPFAIL);
	}
	return has_input;
}

/* pipe(8) takes the first bytes of standard output *and* error for our verdict. */
static void silence_standard_error(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(EX_TEMPFAIL);
	close(null);
}

static void on_stop(int number)
{
	ssize_t written = write(STDOUT_FILENO, STOPPED, sizeof(STOPPED) - 1);

	(void)number;
	(void)written;
	_exit(EX_TEMPFAIL);
}

/* Until the broker has confirmed, a stop means "try again". */
static void set_signals(void)
{
	static const int STOP[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction stop = {.sa_handler = on_stop};
	sigset_t none;

	for (size_t i = 0; i < G_N_ELEMENTS(STOP); i++)
		sigaction(STOP[i], &stop, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* If pipe(8) dies nobody waits for our verdict, and Postfix will come again with this mail.
	 */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* An error of write(2) is better than a death without a word. */
static void ignore_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* ---- the steps ---- */

static enum outcome load_config(struct mail *mail, struct reason *reason)
{
	const char *file = mail->options.config_file;

	if (mail->options.dry_run && file == NULL)
		mail->config = config_default();
	else
		mail->config = config_load(file != NULL ? file : CONFIG_FILE_DEFAULT, reason);
	if (mail->config == NULL)
		return OUTCOME_RETRY;
	int64_t budget = mail->config->limits.deadline;

	mail->deadline = deadline_in(budget - budget / DEADLINE_MARGIN);
	if (mail->options.dry_run)
		return OUTCOME_OK;
	if (!watchdog_last_resort(deadline_in(budget), LAST_WORDS, EX_TEMPFAIL))
		return outcome_retry(reason, STATUS, "no timer: %s", strerror(errno));
	log_open("mailin", mail->config->log_target, (int)mail->config->log_level);
	return OUTCOME_OK;
}

/* OpenSSL is linked into a program of its own, the same as this but for that; it starts over.
 * Returns only if there is no such program. */
static enum outcome become_tls(struct mail *mail, struct reason *reason)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *folder = g_path_get_dirname(self != NULL ? self : "");
	g_autofree char *path = g_build_filename(folder, TLS_NAME, NULL);

	parser_close(&mail->parser);
	execv(path, mail->argv);
	return outcome_retry(reason, STATUS, "%s: %s", path, strerror(errno));
}

static bool needs_no_route(const struct options *options)
{
	return options->dry_run && (options->route != NULL || options->config_file == NULL ||
				    *options->envelope.recipient == '\0');
}

/* A token is a secret, and others read the log; g_free() it. */
static char *masked_recipient(const struct mail *mail)
{
	const char *delimiters =
		mail->config != NULL ? mail->config->recipient_delimiter : DELIMITER_UNTIL_TOLD;

	return token_mask(delimiters, mail->options.envelope.recipient, mail->takes_tokens);
}

static enum outcome find_route(struct mail *mail, struct reason *reason)
{
	const struct envelope *envelope = &mail->options.envelope;

	if (strlen(envelope->sender) > ADDRESS_MAX)
		return outcome_reject(reason, "5.1.7", "the sender's address is too long");
	if (strlen(envelope->recipient) > ADDRESS_MAX)
		return outcome_reject(reason, "5.1.3", "the recipient's address is too long");
	if (needs_no_route(&mail->options)) {
		mail->route = mail->options.route != NULL ? mail->options.route : DRY_RUN_ROUTE;
		const struct config_route *named = config_route_named(mail->config, mail->route);

		mail->raw = named != NULL ? (enum config_raw)named->raw : CONFIG_RAW_DEFECT;
		return OUTCOME_OK;
	}
	const struct config_route *route = config_route(mail->config, envelope->recipient);

	if (route == NULL) {
		g_autofree char *recipient = masked_recipient(mail);

		return outcome_reject(reason, "5.1.1", "<%s>: no such address here", recipient);
	}
	mail->route = route->name;
	mail->takes_tokens = route->require == CONFIG_REQUIRE_TOKEN;
	mail->raw = (enum config_raw)route->raw;
	return OUTCOME_OK;
}

static enum outcome read_mail(struct mail *mail, struct reason *reason)
{
	const struct envelope *envelope = &mail->options.envelope;
	enum outcome outcome =
		input_read(&mail->input, STDIN_FILENO, mail->config->limits.message_size, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = input_check_whole(&mail->input, envelope, mail->parent, mail->started_ms, reason);
	if (outcome != OUTCOME_OK)
		return outcome;
	id_inbound(&mail->id, mail->config->instance, envelope->queue_id, envelope->recipient,
		   mail->input.digest, mail->started_ms);
	return OUTCOME_OK;
}

static struct wire *new_document(const struct mail *mail)
{
	const struct envelope *envelope = &mail->options.envelope;
	int64_t received_ms = mail->started_ms;

	/* So that a repeated delivery makes the same document. */
	(void)id_queue_time(envelope->queue_id, &received_ms);
	return document_new(envelope, mail->route, &mail->id, mail->config->recipient_delimiter,
			    received_ms);
}

static enum outcome give_job(struct mail *mail, struct reason *reason)
{
	g_autofree char *loop = config_loop(mail->config);
	const struct document_job job = {.document = new_document(mail),
					 .limits = mail->config->limits,
					 .raw = mail->raw,
					 .loop = loop,
					 .authserv_ids = mail->config->authserv_ids,
					 .authserv_hops = mail->config->authserv_hops};
	struct wire *json = document_job_print(&job);
	enum outcome outcome = parser_give(&mail->parser, json, reason);

	wire_free(&json);
	return outcome;
}

/* The broker's handshake runs while the other process parses. */
static enum outcome connect_broker(struct mail *mail, struct reason *reason)
{
	const struct config *config = mail->config;
	g_autofree char *password =
		config_password(&config->amqp_publish, "amqp.publish_password_file", reason);

	if (password == NULL)
		return OUTCOME_RETRY;
	struct broker_options options = {
		.hosts = config->amqp_hosts,
		.vhost = config->amqp_vhost,
		.user = config->amqp_publish.name,
		.password = password,
		.tls = config->amqp_tls,
		.tls_ca_file = *config->amqp_tls_ca_file != '\0' ? config->amqp_tls_ca_file : NULL,
		.name = "mailin",
	};

	mail->broker = broker_open(&options, mail->deadline, reason);
	if (mail->broker == NULL)
		return OUTCOME_RETRY;
	return broker_confirm_select(mail->broker, mail->deadline, reason);
}

/* The parser failed on it: the envelope, the whole mail, and what happened. */
static enum outcome write_fallback(struct mail *mail, const char *defect, struct reason *reason)
{
	enum outcome outcome = input_map(&mail->input, reason);
	struct stat info;

	if (outcome != OUTCOME_OK)
		return outcome;
	struct wire *document = new_document(mail);

	document_add_defect(document, defect);
	document_fill_empty(document);
	document_add_raw(document, mail->input.data, mail->input.size);
	mail->fallback = memfd_create("document", MFD_CLOEXEC);
	int failed = mail->fallback < 0 || wire_write(document, mail->fallback, false) != 0 ||
		     fstat(mail->fallback, &info) != 0;

	wire_free(&document);
	if (failed)
		return outcome_retry(reason, STATUS, "writing the document: %s", strerror(errno));
	void *body = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, mail->fallback, 0);

	if (body == MAP_FAILED)
		return outcome_retry(reason, STATUS, "mapping the document: %s", strerror(errno));
	mail->body = body;
	mail->body_size = (size_t)info.st_size;
	return OUTCOME_OK;
}

static enum outcome collect_document(struct mail *mail, struct deadline parse_deadline,
				     struct reason *reason)
{
	g_autofree char *defect = NULL;
	int64_t size_max = document_size_max((int64_t)mail->input.size, &mail->config->limits);

	switch (parser_collect(&mail->parser, parse_deadline, (size_t)size_max, &defect, reason)) {
	case PARSER_DONE:
		mail->body = mail->parser.document;
		mail->body_size = mail->parser.document_size;
		return OUTCOME_OK;
	case PARSER_FAILED:
		return write_fallback(mail, defect, reason);
	case PARSER_RETRY:
		break;
	}
	return OUTCOME_RETRY;
}

static enum outcome publish(struct mail *mail, struct reason *reason)
{
	char message_id[ID_TEXT_SIZE];
	g_autofree char *app_id = g_strconcat("mailpipe/", mail->config->instance, NULL);
	int64_t now_s = mail->started_ms / MS_PER_S;
	const struct broker_header headers[] = {
		{.name = HEADER_QUEUE_ID, .text = mail->options.envelope.queue_id},
		{.name = HEADER_ATTEMPT, .number = 1},
		{.name = HEADER_FIRST_SEEN, .number = now_s},
	};
	const struct broker_message message = {
		.exchange = EXCHANGE_IN,
		.routing_key = mail->route,
		.body = mail->body,
		.body_size = mail->body_size,
		.content_type = CONTENT_TYPE_JSON,
		.message_id = id_text(&mail->id, message_id),
		.type = TYPE_INBOUND,
		.app_id = app_id,
		.timestamp = now_s,
		.headers = headers,
		.header_count = G_N_ELEMENTS(headers),
	};

	return broker_publish(mail->broker, &message, mail->deadline, reason);
}

static bool print_all(const char *text, size_t size)
{
	return fwrite(text, 1, size, stdout) == size && putchar('\n') != EOF && fflush(stdout) == 0;
}

static enum outcome print_document(const struct mail *mail, struct reason *reason)
{
	g_autofree char *pretty = NULL;
	const char *text = mail->body;
	size_t size = mail->body_size;

	if (mail->options.pretty) {
		struct wire *document = wire_parse(mail->body, mail->body_size, reason);

		if (document == NULL)
			return OUTCOME_RETRY;
		pretty = wire_print(document, true, &size);
		text = pretty;
		wire_free(&document);
	}
	if (text == NULL || !print_all(text, size))
		return outcome_retry(reason, STATUS, "standard output: %s", strerror(errno));
	return OUTCOME_OK;
}

/* ---- in order ---- */

static enum outcome prepare(struct mail *mail, struct reason *reason)
{
	enum outcome outcome;

	/* First of all, because its start takes longer than all that we do until the mail is read.
	 */
	if ((outcome = input_open(&mail->input, reason)) != OUTCOME_OK ||
	    (outcome = parser_start(&mail->parser, mail->input.fd, !mail->options.no_sandbox,
				    reason)) != OUTCOME_OK)
		return outcome;
	if ((outcome = load_config(mail, reason)) != OUTCOME_OK)
		return outcome;
	if (mail->config->amqp_tls && !mail->options.dry_run && !broker_has_tls())
		return become_tls(mail, reason);
	if ((outcome = find_route(mail, reason)) != OUTCOME_OK ||
	    (outcome = read_mail(mail, reason)) != OUTCOME_OK)
		return outcome;
	return give_job(mail, reason);
}

/* OK is returned from here only after the broker's confirm (or in a dry run). */
static enum outcome deliver(struct mail *mail, struct reason *reason)
{
	enum outcome outcome = prepare(mail, reason);

	if (outcome != OUTCOME_OK)
		return outcome;
	struct deadline parse_deadline =
		deadline_earlier(deadline_in(mail->config->limits.parse_wall), mail->deadline);

	if (mail->options.dry_run) {
		outcome = collect_document(mail, parse_deadline, reason);
		return outcome == OUTCOME_OK ? print_document(mail, reason) : outcome;
	}
	if ((outcome = connect_broker(mail, reason)) != OUTCOME_OK ||
	    (outcome = collect_document(mail, parse_deadline, reason)) != OUTCOME_OK)
		return outcome;
	return publish(mail, reason);
}

static void log_mail(const struct mail *mail, enum outcome outcome, const struct reason *reason)
{
	static const struct {
		int priority;
		const char *event;
	} EVENTS[] = {
		[OUTCOME_OK] = {LOG_INFO, "published"},
		[OUTCOME_RETRY] = {LOG_WARNING, "deferred"},
		[OUTCOME_REJECT] = {LOG_NOTICE, "rejected"},
	};
	const struct envelope *envelope = &mail->options.envelope;
	char message_id[ID_TEXT_SIZE] = "";
	int64_t arrived_ms = mail->started_ms;

	(void)id_queue_time(envelope->queue_id, &arrived_ms);
	if (mail->body != NULL)
		id_text(&mail->id, message_id);
	struct log_line *line = log_event(EVENTS[outcome].priority, envelope->queue_id, message_id,
					  EVENTS[outcome].event);
	g_autofree char *delay =
		g_strdup_printf("%.2f", (double)(realtime_ms() - arrived_ms) / MS_PER_S);

	log_str(line, "route", mail->route);
	log_str(line, "from", envelope->sender);
	g_autofree char *to = masked_recipient(mail);

	log_str(line, "to", to);
	log_num(line, "size", (int64_t)mail->input.size);
	log_str(line, "delay", delay);
	if (outcome != OUTCOME_OK)
		log_reason(line, reason);
	log_end(line);
}

static void mail_close(struct mail *mail)
{
	broker_close(&mail->broker);
	if (mail->fallback >= 0) {
		if (mail->body != NULL)
			munmap((void *)(uintptr_t)mail->body, mail->body_size);
		close(mail->fallback);
	}
	parser_close(&mail->parser);
	input_close(&mail->input);
	config_free(&mail->config);
}

/* The one place where an outcome becomes an exit status and the text that pipe(8) reads. */
static int finish(enum outcome outcome, const struct reason *reason, bool dry_run)
{
	static const int EXIT[] = {
		[OUTCOME_OK] = EX_OK,
		[OUTCOME_RETRY] = EX_TEMPFAIL,
		[OUTCOME_REJECT] = EX_UNAVAILABLE,
	};

	if (outcome != OUTCOME_OK) {
		g_autofree char *line = g_strdup_printf("%s %s\n", reason->status, reason->text);
		/* A dry run's standard output is for documents. */
		ssize_t written =
			write(dry_run ? STDERR_FILENO : STDOUT_FILENO, line, strlen(line));

		(void)written; /* the exit status says the same */
	}
	return EXIT[outcome];
}

static enum outcome run(struct mail *mail, bool has_input, struct reason *reason)
{
	if (mail->options.no_sandbox)
		fputs("mailin: warning: the mail is parsed without a sandbox\n", stderr);
	if (!mail->options.dry_run) {
		set_signals();
		if (!watchdog_last_resort(mail->deadline, LAST_WORDS, EX_TEMPFAIL))
			return outcome_retry(reason, STATUS, "no timer: %s", strerror(errno));
		mail->parent = getppid();
		if (mail->parent == INIT_PID)
			return outcome_retry(reason, STATUS,
					     "the process that fed the mail is gone");
	}
	if (!has_input)
		return outcome_retry(reason, STATUS, "standard input is closed");
	return deliver(mail, reason);
}

int main(int argc, char **argv)
{
	bool has_input = open_standard_descriptors();
	struct reason reason = {.status = ""};
	struct mail mail = {.argv = argv,
			    .fallback = -1,
			    .input = {.fd = -1},
			    .parser = {.pidfd = -1, .job = -1, .output = -1},
			    .started_ms = realtime_ms(),
			    .deadline = deadline_in(FIRST_DEADLINE_MS)};
	enum outcome outcome = options_parse(&mail.options, argc, argv, &reason);
	bool dry_run = mail.options.dry_run;

	if (!dry_run && mail.options.action == OPTIONS_RUN)
		silence_standard_error();
	ignore_signals();
	if (outcome == OUTCOME_OK && mail.options.action != OPTIONS_RUN) {
		fputs(mail.options.action == OPTIONS_HELP ? OPTIONS_USAGE
							  : "mailin " MAILPIPE_VERSION "\n",
		      stdout);
		return EX_OK;
	}
	if (outcome == OUTCOME_OK)
		outcome = run(&mail, has_input, &reason);
	if (!dry_run)
		log_mail(&mail, outcome, &reason);
	int status = finish(outcome, &reason, dry_run);

	mail_close(&mail);
	return status;
}
