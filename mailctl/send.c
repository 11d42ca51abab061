/*
 * mailctl send: puts a request on mail.out, as an application would, and as the application's user.
 *
 * What mailout would refuse is refused here already, by the same check, in the options' names.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <gio/gio.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/deadline.h"
#include "common/id.h"
#include "common/topology.h"
#include "common/wire.h"
#include "mailctl/connect.h"
#include "mailctl/mailctl.h"
#include "mailout/build.h"
#include "mailout/request.h"

const char send_options[] =
	"\n"
	"  --template=NAME      render this template, or else:\n"
	"  --subject=TEXT --text=FILE --html=FILE\n"
	"  --model=FILE         a JSON object with the template's parameters\n"
	"  -p, --param=NAME=TEXT\n"
	"                       one parameter; a.b=TEXT is in an object, NAME:=JSON is no text\n"
	"  --to=ADDRESS --cc=ADDRESS --bcc=ADDRESS\n"
	"                       \"Name <user@example.com>\"; may be repeated\n"
	"  --from=ADDRESS --reply-to=ADDRESS\n"
	"  --thread=ID          it is an answer in this thread or ticket\n"
	"  --attach=FILE        may be repeated\n"
	"  --locale=LOCALE      de, de-AT ...\n"
	"  --stream=NAME        the first one of the config by default\n"
	"  --tag=TEXT           for the record and the events\n"
	"  --id=UUID            the same id is never sent twice; drawn by default\n"
	"  --dry-run            print the request, publish nothing\n"
	"  --json               print the id and where the request went as JSON\n"
	"\n"
	"A FILE of - is standard input.\n";

enum { READ_SIZE = 64 * 1024, MS_PER_S = 1000 };

struct send {
	struct config *config;
	struct wire *json;   /* the request */
	struct wire *model;  /* NULL until there is one; becomes json's */
	GPtrArray *contents; /* of attachments, until the request is printed */
	const char *stream;
	bool dry_run;
	bool print_json;
	bool stdin_read;
	int status; /* EXIT_FINE until something is wrong */
};

/* ---- what is wrong ---- */

__attribute__((format(printf, 3, 4))) static bool fail(struct send *send, int status,
						       const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	mailctl_vcomplain(format, arguments);
	va_end(arguments);
	send->status = status;
	return false;
}

/* A field of the request and the option that fills it. */
struct field {
	const char *name;
	const char *option;
};

#define THREAD_FIELD "ReplyTo.Thread"

static const struct field fields[] = {
	{"From", "--from"},
	{"To", "--to"},
	{"Cc", "--cc"},
	{"Bcc", "--bcc"},
	{THREAD_FIELD, "--thread"},
	{"ReplyTo", "--reply-to"},
	{"Subject", "--subject"},
	{"TextBody", "--text"},
	{"HtmlBody", "--html"},
	{"TemplateAlias", "--template"},
	{"TemplateModel", "--model and -p"},
	{"Locale", "--locale"},
	{"Tag", "--tag"},
	{"MessageID", "--id"},
	{"MessageStream", "--stream"},
	{"Attachments", "--attach"},
};

static const char *option_of(const char *field, size_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (strlen(fields[i].name) == size && strncmp(fields[i].name, field, size) == 0)
			return fields[i].option;
	return NULL;
}

/* "To: no address" becomes "--to: no address"; other fields that the text names become options,
 * too. */
static char *in_options(const char *text)
{
	GString *result = g_string_new(NULL);
	bool quoted = false;

	while (*text != '\0') {
		size_t size = 0;
		const char *option = NULL;

		while (g_ascii_isalpha(text[size]))
			size++;
		if (g_str_has_prefix(text, THREAD_FIELD))
			size = strlen(THREAD_FIELD);
		if (size > 0 && !quoted)
			option = option_of(text, size);
		if (size == 0) {
			quoted ^= *text == '"';
			size = 1;
		}
		g_string_append_len(result, option != NULL ? option : text,
				    option != NULL ? (gssize)strlen(option) : (gssize)size);
		text += size;
	}
	return g_string_free(result, FALSE);
}

/* ---- files ---- */

static GByteArray *read_all(int fd, size_t limit)
{
	g_autoptr(GByteArray) content = g_byte_array_new();
	g_autofree unsigned char *buffer = g_malloc(READ_SIZE);
	ssize_t size;

	while ((size = read(fd, buffer, READ_SIZE)) != 0) {
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return NULL;
		g_byte_array_append(content, buffer, (guint)size);
		if (content->len > limit) {
			errno = EFBIG;
			return NULL;
		}
	}
	return g_steal_pointer(&content);
}

/* No larger than a request may be. */
static GByteArray *read_file(struct send *send, const char *option, const char *name)
{
	bool is_stdin = strcmp(name, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	GByteArray *content = NULL;

	if (is_stdin && send->stdin_read) {
		fail(send, EXIT_BAD_USAGE, "%s -: standard input was read already", option);
		return NULL;
	}
	send->stdin_read = send->stdin_read || is_stdin;
	if (fd >= 0)
		content = read_all(fd, (size_t)send->config->limits.request_size);
	if (content == NULL)
		fail(send, EXIT_WRONG, "%s %s: %s", option, name, g_strerror(errno));
	if (fd >= 0 && !is_stdin)
		close(fd);
	return content;
}

static bool set_text(struct send *send, const char *key, const char *option, const char *name)
{
	g_autoptr(GByteArray) content = read_file(send, option, name);

	if (content == NULL)
		return false;
	if (!g_utf8_validate((const char *)content->data, content->len, NULL))
		return fail(send, EXIT_BAD_USAGE, "%s %s: not UTF-8", option, name);
	wire_set_textn(send->json, key, (const char *)content->data, content->len);
	return true;
}

static char *media_type(const char *name, const GByteArray *content)
{
	g_autofree char *guess = g_content_type_guess(name, content->data, content->len, NULL);
	g_autofree char *type = g_content_type_get_mime_type(guess);

	if (type == NULL || !request_is_media_type(type))
		return g_strdup("application/octet-stream");
	if (g_str_has_prefix(type, "text/") &&
	    g_utf8_validate((const char *)content->data, content->len, NULL))
		return g_strconcat(type, "; charset=utf-8", NULL);
	return g_steal_pointer(&type);
}

static bool add_attachment(struct send *send, const char *file)
{
	GByteArray *content = read_file(send, "--attach", file);

	if (content == NULL)
		return false;
	g_ptr_array_add(send->contents, content);
	g_autofree char *name = g_path_get_basename(file);
	g_autofree char *type = media_type(name, content);
	struct wire *list = wire_get_array(send->json, "Attachments");
	struct wire *attachment = wire_object();

	if (list == NULL) {
		list = wire_array();
		wire_set(send->json, "Attachments", list);
	}
	wire_set_text(attachment, "Name", name);
	wire_set_text(attachment, "ContentType", type);
	wire_set_base64(attachment, "Content", content->data, content->len);
	wire_append(list, attachment);
	return true;
}

/* ---- the template's parameters ---- */

static bool read_model(struct send *send, const char *name)
{
	g_autoptr(GByteArray) content = read_file(send, "--model", name);
	struct reason reason = {0};

	if (content == NULL)
		return false;
	if (send->model != NULL)
		return fail(send, EXIT_BAD_USAGE, "--model: only once, and before -p");
	send->model = wire_parse((const char *)content->data, content->len, &reason);
	if (send->model == NULL)
		return fail(send, EXIT_BAD_USAGE, "--model %s: %s", name, reason.text);
	if (strcmp(wire_type_name(send->model), "object") != 0)
		return fail(send, EXIT_BAD_USAGE, "--model %s: object expected, not %s", name,
			    wire_type_name(send->model));
	return true;
}

/* The object in which the last of the names is to be; makes those that are missing. */
static struct wire *model_place(struct send *send, char *const *names)
{
	if (send->model == NULL)
		send->model = wire_object();
	struct wire *place = send->model;

	for (; names[1] != NULL; names++) {
		struct wire *inner = wire_get_object(place, names[0]);

		if (inner == NULL) {
			inner = wire_object();
			wire_set(place, names[0], inner);
		}
		place = inner;
	}
	return place;
}

static bool set_json(struct send *send, struct wire *place, const char *key, const char *text)
{
	struct reason reason = {0};
	struct wire *value = wire_parse(text, strlen(text), &reason);

	if (value == NULL)
		return fail(send, EXIT_BAD_USAGE, "-p %s: %s", key, reason.text);
	wire_set(place, key, value);
	return true;
}

/* "NAME=TEXT" or "NAME:=JSON", where the name may be a path with dots. */
static bool set_parameter(struct send *send, const char *text)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return fail(send, EXIT_BAD_USAGE, "-p %s: NAME=TEXT or NAME:=JSON expected", text);
	bool is_json = equals[-1] == ':';
	g_autofree char *name = g_strndup(text, (size_t)(equals - text) - (is_json ? 1 : 0));
	g_auto(GStrv) names = g_strsplit(name, ".", -1);

	for (size_t i = 0; i == 0 || names[i] != NULL; i++)
		if (names[i] == NULL || *names[i] == '\0')
			return fail(send, EXIT_BAD_USAGE, "-p %s: empty name", text);
	if (!g_utf8_validate(text, -1, NULL))
		return fail(send, EXIT_BAD_USAGE, "-p %s: not UTF-8", name);
	struct wire *place = model_place(send, names);
	const char *key = names[g_strv_length(names) - 1];

	if (is_json)
		return set_json(send, place, key, equals + 1);
	wire_set_text(place, key, equals + 1);
	return true;
}

/* ---- other options ---- */

static bool set_line(struct send *send, const char *key, const char *text)
{
	if (!g_utf8_validate(text, -1, NULL))
		return fail(send, EXIT_BAD_USAGE, "%s: not UTF-8", option_of(key, strlen(key)));
	wire_set_text(send->json, key, text);
	return true;
}

/* The reply address is mailout's then, so there can be no other. */
static bool set_thread(struct send *send, const char *text)
{
	struct wire *reply_to;

	if (wire_get(send->json, "ReplyTo") != NULL)
		return fail(send, EXIT_BAD_USAGE, "--thread: once, and without --reply-to");
	if (!g_utf8_validate(text, -1, NULL))
		return fail(send, EXIT_BAD_USAGE, "--thread: not UTF-8");
	reply_to = wire_object();
	wire_set_text(reply_to, "Thread", text);
	wire_set(send->json, "ReplyTo", reply_to);
	return true;
}

/* A repeated option adds to the list. */
static bool add_address(struct send *send, const char *key, const char *text)
{
	const char *before = wire_get_text(send->json, key);
	g_autofree char *all =
		before != NULL ? g_strconcat(before, ", ", text, NULL) : g_strdup(text);

	return set_line(send, key, all);
}

enum {
	OPTION_TEMPLATE = 1,
	OPTION_MODEL,
	OPTION_TO,
	OPTION_CC,
	OPTION_BCC,
	OPTION_FROM,
	OPTION_REPLY_TO,
	OPTION_THREAD,
	OPTION_SUBJECT,
	OPTION_TEXT,
	OPTION_HTML,
	OPTION_ATTACH,
	OPTION_STREAM,
	OPTION_LOCALE,
	OPTION_TAG,
	OPTION_ID,
	OPTION_DRY_RUN,
	OPTION_JSON,
};

static bool take_option(struct send *send, int option)
{
	switch (option) {
	case OPTION_TEMPLATE:
		return set_line(send, "TemplateAlias", optarg);
	case OPTION_MODEL:
		return read_model(send, optarg);
	case 'p':
		return set_parameter(send, optarg);
	case OPTION_TO:
		return add_address(send, "To", optarg);
	case OPTION_CC:
		return add_address(send, "Cc", optarg);
	case OPTION_BCC:
		return add_address(send, "Bcc", optarg);
	case OPTION_FROM:
		return set_line(send, "From", optarg);
	case OPTION_REPLY_TO:
		if (wire_get_object(send->json, "ReplyTo") != NULL)
			return fail(send, EXIT_BAD_USAGE, "--reply-to: not with --thread");
		return add_address(send, "ReplyTo", optarg);
	case OPTION_THREAD:
		return set_thread(send, optarg);
	case OPTION_SUBJECT:
		return set_line(send, "Subject", optarg);
	case OPTION_TEXT:
		return set_text(send, "TextBody", "--text", optarg);
	case OPTION_HTML:
		return set_text(send, "HtmlBody", "--html", optarg);
	case OPTION_ATTACH:
		return add_attachment(send, optarg);
	case OPTION_STREAM:
		send->stream = optarg;
		return true;
	case OPTION_LOCALE:
		return set_line(send, "Locale", optarg);
	case OPTION_TAG:
		return set_line(send, "Tag", optarg);
	case OPTION_ID:
		return set_line(send, "MessageID", optarg);
	case OPTION_DRY_RUN:
		send->dry_run = true;
		return true;
	case OPTION_JSON:
		send->print_json = true;
		return true;
	default:
		send->status = mailctl_usage("send");
		return false;
	}
}

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"template", required_argument, NULL, OPTION_TEMPLATE},
	{"model", required_argument, NULL, OPTION_MODEL},
	{"param", required_argument, NULL, 'p'},
	{"to", required_argument, NULL, OPTION_TO},
	{"cc", required_argument, NULL, OPTION_CC},
	{"bcc", required_argument, NULL, OPTION_BCC},
	{"from", required_argument, NULL, OPTION_FROM},
	{"reply-to", required_argument, NULL, OPTION_REPLY_TO},
	{"thread", required_argument, NULL, OPTION_THREAD},
	{"subject", required_argument, NULL, OPTION_SUBJECT},
	{"text", required_argument, NULL, OPTION_TEXT},
	{"html", required_argument, NULL, OPTION_HTML},
	{"attach", required_argument, NULL, OPTION_ATTACH},
	{"stream", required_argument, NULL, OPTION_STREAM},
	{"locale", required_argument, NULL, OPTION_LOCALE},
	{"tag", required_argument, NULL, OPTION_TAG},
	{"id", required_argument, NULL, OPTION_ID},
	{"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	{"json", no_argument, NULL, OPTION_JSON},
	{NULL, 0, NULL, 0},
};

static const char short_options[] = "c:p:";

static bool take_options(struct send *send, int argc, char **argv)
{
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
		if (option != 'c' && !take_option(send, option))
			return false;
	if (optind < argc)
		return fail(send, EXIT_BAD_USAGE, "takes no argument: %s", argv[optind]);
	return true;
}

/* The config comes before the other options: its limits bound the files that these name. */
static const char *config_of(int argc, char **argv, const char *config_file)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
		if (option == 'c')
			config_file = optarg;
	opterr = 1;
	return config_file;
}

/* ---- the request ---- */

/* What the options do not say. */
static void complete(struct send *send)
{
	char id[ID_TEXT_SIZE];
	struct id drawn;

	if (send->model != NULL) {
		wire_set(send->json, "TemplateModel", send->model);
		send->model = NULL;
	}
	if (send->stream == NULL)
		send->stream = send->config->streams[0].name;
	wire_set_text(send->json, "MessageStream", send->stream);
	if (wire_get(send->json, "MessageID") == NULL) {
		id_new(&drawn);
		wire_set_text(send->json, "MessageID", id_text(&drawn, id));
	}
}

/* As mailout will see it. */
static bool check(struct send *send, const char *body, size_t size)
{
	struct reason reason = {0};

	build_init();
	struct request *request =
		request_new(body, size, NULL, send->stream, send->config, &reason);
	bool has_from = request != NULL &&
			(request->from.email[0] != '\0' || send->config->mailout_from[0] != '\0' ||
			 request->template_alias != NULL);

	if (request == NULL) {
		g_autofree char *text = in_options(reason.text);

		return fail(send, EXIT_BAD_USAGE, "%s", text);
	}
	request_free(&request);
	if (!has_from)
		return fail(send, EXIT_BAD_USAGE, "--from: missing, and mailout.from is empty");
	return true;
}

static enum outcome publish(const struct send *send, const char *body, size_t size,
			    struct reason *reason)
{
	const struct config *config = send->config;
	const struct broker_message message = {
		.exchange = EXCHANGE_OUT,
		.routing_key = send->stream,
		.body = body,
		.body_size = size,
		.content_type = CONTENT_TYPE_JSON,
		.message_id = wire_get_text(send->json, "MessageID"),
		.app_id = "mailctl",
		.timestamp = realtime_ms() / MS_PER_S,
	};
	g_autofree char *password = config_password(&config->amqp_application,
						    "amqp.application_password_file", reason);

	if (password == NULL)
		return OUTCOME_RETRY;
	struct broker *broker =
		connect_broker(config, config->amqp_application.name, password, reason);

	if (broker == NULL)
		return OUTCOME_RETRY;
	enum outcome outcome = broker_confirm_select(broker, connect_deadline(), reason);

	if (outcome == OUTCOME_OK)
		outcome = broker_publish(broker, &message, connect_deadline(), reason);
	broker_close(&broker);
	return outcome;
}

static void say(const struct send *send)
{
	const char *id = wire_get_text(send->json, "MessageID");

	if (!send->print_json) {
		puts(id);
		return;
	}
	struct wire *answer = wire_object();
	g_autofree char *queue = topology_outbound_queue(send->stream);

	wire_set_text(answer, "MessageID", id);
	wire_set_text(answer, "MessageStream", send->stream);
	wire_set_text(answer, "Queue", queue);
	g_autofree char *text = wire_print(answer, false, NULL);

	puts(text);
	wire_free(&answer);
}

static bool run(struct send *send, int argc, char **argv)
{
	struct reason reason = {0};
	size_t size;

	if (!take_options(send, argc, argv))
		return false;
	complete(send);
	g_autofree char *body = wire_print(send->json, send->dry_run, &size);

	if (!check(send, body, size))
		return false;
	if (send->dry_run)
		printf("%.*s\n", (int)size, body);
	else if (publish(send, body, size, &reason) == OUTCOME_OK)
		say(send);
	else
		return fail(send, EXIT_WRONG, "not published: %s", reason.text);
	if (fflush(stdout) != 0 || ferror(stdout))
		return fail(send, EXIT_WRONG, "standard output: %s", g_strerror(errno));
	return true;
}

static void free_content(void *content)
{
	g_byte_array_unref(content);
}

int command_send(int argc, char **argv, const char *config_file)
{
	struct send send = {.status = EXIT_FINE};

	send.config = mailctl_config(config_of(argc, argv, config_file));
	if (send.config == NULL)
		return EXIT_BAD_CONFIG;
	send.json = wire_object();
	send.contents = g_ptr_array_new_with_free_func(free_content);
	run(&send, argc, argv);
	wire_free(&send.model);
	wire_free(&send.json);
	g_ptr_array_unref(send.contents);
	config_free(&send.config);
	return send.status;
}
