/*
 * mailctl show: one stored message, or the record of one outgoing mail.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/wire.h"
#include "mailctl/connect.h"
#include "mailctl/mailctl.h"
#include "mailctl/stored.h"
#include "mailctl/table.h"

const char show_options[] =
	"  ID                   of a stored message, or of the record of an outgoing mail\n"
	"  --headers            show all header fields, too\n"
	"  --json               one JSON object\n"
	"  -c, --config=FILE    config file\n";

enum { OPTION_JSON = 256, OPTION_HEADERS };

struct show {
	bool print_json;
	bool headers;
};

static void set_time(struct wire *object, const char *key, int64_t ms)
{
	if (ms <= 0)
		return;
	g_autofree char *text = table_time(ms);

	wire_set_text(object, key, text);
}

/* A column that holds JSON. */
static void set_json(struct wire *object, const char *key, const char *json)
{
	struct wire *value = wire_parse(json, strlen(json), NULL);

	if (value != NULL)
		wire_set(object, key, value);
}

static void print_json(struct wire *object)
{
	fflush(stdout);
	wire_write(object, STDOUT_FILENO, true);
	wire_free(&object);
}

/* ---- for people ---- */

static void print_field(const char *name, const char *value)
{
	if (*value == '\0')
		return;
	g_autofree char *escaped = table_escape(value);

	printf("%-12s  %s\n", name, escaped);
}

static void print_number(const char *name, int64_t number, const char *unit)
{
	if (number >= 0)
		printf("%-12s  %" G_GINT64_FORMAT "%s\n", name, (gint64)number, unit);
}

static void print_time(const char *name, int64_t ms)
{
	if (ms <= 0)
		return;
	g_autofree char *text = table_time(ms);

	print_field(name, text);
}

/* Line by line, so that only the line ends are left as they are. */
static void print_text(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	putchar('\n');
	for (char **line = lines; *line != NULL; line++) {
		g_autofree char *escaped = table_escape(*line);

		puts(escaped);
	}
}

/* ---- inbound, as the document (mailpipe-wire(7)) it was ---- */

static struct wire *attachment_json(const struct stored_attachment *attachment)
{
	struct wire *object = wire_object();

	wire_set_text(object, "AttachmentID", attachment->id);
	wire_set_text(object, "Name", attachment->name);
	wire_set_text(object, "ContentType", attachment->content_type);
	wire_set_int(object, "ContentLength", attachment->size);
	wire_set_text(object, "ContentID", attachment->content_id);
	wire_set_text(object, "Sha256", attachment->sha256);
	wire_set_text(object, "DetectedType", attachment->detected_type);
	wire_set_text(object, "Disposition", attachment->disposition);
	if (attachment->image_width > 0) {
		struct wire *image = wire_object();

		wire_set_int(image, "Width", attachment->image_width);
		wire_set_int(image, "Height", attachment->image_height);
		wire_set_int(image, "Orientation", attachment->image_orientation);
		wire_set(object, "Image", image);
	}
	return object;
}

static struct wire *refused_json(const struct stored_refused *refused)
{
	struct wire *object = wire_object();

	wire_set_text(object, "Name", refused->name);
	wire_set_text(object, "ContentType", refused->content_type);
	wire_set_int(object, "ContentLength", refused->size);
	wire_set_text(object, "Sha256", refused->sha256);
	wire_set_text(object, "DetectedType", refused->detected_type);
	wire_set_text(object, "Reason", refused->reason);
	if (*refused->entry != '\0') {
		struct wire *entry = wire_object();

		wire_set_text(entry, "Name", refused->entry);
		wire_set_int(entry, "Size", refused->entry_size);
		wire_set(object, "Entry", entry);
	}
	return object;
}

static struct wire *envelope_json(const struct stored_message *message)
{
	struct wire *envelope = wire_object();

	wire_set_text(envelope, "Sender", message->sender);
	wire_set_text(envelope, "Recipient", message->recipient);
	wire_set_text(envelope, "QueueID", message->queue_id);
	wire_set_text(envelope, "ClientAddress", message->client_address);
	wire_set_text(envelope, "ClientName", message->client_name);
	wire_set_text(envelope, "Helo", message->helo);
	wire_set_text(envelope, "SaslUsername", message->sasl_username);
	if (message->size >= 0)
		wire_set_int(envelope, "Size", message->size);
	return envelope;
}

static void message_json(const struct stored_message *message)
{
	struct wire *object = wire_object();
	struct wire *attachments = wire_array();
	struct wire *refused = wire_array();
	struct wire *more = wire_object();

	wire_set_text(object, "MessageID", message->id);
	wire_set_text(object, "MessageStream", message->route);
	wire_set_text(object, "OriginalRecipient", message->recipient);
	wire_set_text(object, "MailboxHash", message->mailbox_hash);
	wire_set_text(object, "From", message->from_email);
	wire_set_text(object, "FromName", message->from_name);
	set_json(object, "ToFull", message->to_json);
	set_json(object, "CcFull", message->cc_json);
	set_json(object, "BccFull", message->bcc_json);
	wire_set_text(object, "ReplyTo", message->reply_to);
	wire_set_text(object, "Subject", message->subject);
	wire_set_text(object, "Date", message->date_header);
	wire_set_text(object, "TextBody", message->text_body);
	wire_set_text(object, "HtmlBody", message->html_body);
	wire_set_text(object, "StrippedTextReply", message->text_reply);
	set_json(object, "Headers", message->headers);
	for (unsigned int i = 0; i < message->attachments->len; i++)
		wire_append(attachments, attachment_json(message->attachments->pdata[i]));
	wire_set(object, "Attachments", attachments);
	set_time(more, "ReceivedAt", message->received_ms);
	set_time(more, "StoredAt", message->stored_ms);
	wire_set(more, "Envelope", envelope_json(message));
	wire_set_text(more, "MessageIDHeader", message->message_id_header);
	wire_set_text(more, "Auto", message->automatic);
	wire_set_text(more, "StrippedQuote", message->text_quote);
	wire_set_text(more, "ReplyRule", message->reply_rule);
	set_json(more, "Defects", message->defects);
	for (unsigned int i = 0; i < message->refused->len; i++)
		wire_append(refused, refused_json(message->refused->pdata[i]));
	wire_set(more, "RefusedAttachments", refused);
	wire_set_bool(more, "RawKept", *message->raw_sha256 != '\0');
	wire_set(object, "Mailpipe", more);
	print_json(object);
}

static void print_attachments(const struct stored_message *message)
{
	static const struct table_column columns[] = {
		{"NAME", TABLE_LEFT, 0},     {"BYTES", TABLE_RIGHT, 0}, {"TYPE", TABLE_LEFT, 0},
		{"DETECTED", TABLE_LEFT, 0}, {"CID", TABLE_LEFT, 0},    {"ID", TABLE_LEFT, 0},
	};

	if (message->attachments->len == 0)
		return;
	putchar('\n');
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), stdout, NULL);

	for (unsigned int i = 0; i < message->attachments->len; i++) {
		const struct stored_attachment *attachment = message->attachments->pdata[i];

		table_cell(table, TABLE_PLAIN, attachment->name);
		table_number(table, TABLE_PLAIN, attachment->size);
		table_cell(table, TABLE_PLAIN, attachment->content_type);
		table_cell(table, TABLE_PLAIN, attachment->detected_type);
		table_cell(table, TABLE_PLAIN, attachment->content_id);
		table_cell(table, TABLE_DIM, attachment->id);
	}
	table_end(&table);
}

static void print_refused(const struct stored_message *message)
{
	static const struct table_column columns[] = {
		{"NOT TAKEN", TABLE_LEFT, 0},  {"BYTES", TABLE_RIGHT, 0},
		{"TYPE", TABLE_LEFT, 0},       {"DETECTED", TABLE_LEFT, 0},
		{"BECAUSE OF", TABLE_LEFT, 0}, {"IN IT", TABLE_LEFT, 0},
	};

	if (message->refused->len == 0)
		return;
	putchar('\n');
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), stdout, NULL);

	for (unsigned int i = 0; i < message->refused->len; i++) {
		const struct stored_refused *refused = message->refused->pdata[i];

		table_cell(table, TABLE_PLAIN, refused->name);
		table_number(table, TABLE_PLAIN, refused->size);
		table_cell(table, TABLE_PLAIN, refused->content_type);
		table_cell(table, TABLE_PLAIN, refused->detected_type);
		table_cell(table, TABLE_PLAIN, refused->reason);
		table_cell(table, TABLE_PLAIN, refused->entry);
	}
	table_end(&table);
}

static void print_headers(const struct stored_message *message)
{
	struct wire *headers = wire_parse(message->headers, strlen(message->headers), NULL);

	if (wire_length(headers) > 0)
		putchar('\n');
	for (size_t i = 0; i < wire_length(headers); i++) {
		const char *name = wire_get_text(wire_at(headers, i), "Name");
		const char *value = wire_get_text(wire_at(headers, i), "Value");
		g_autofree char *line = g_strdup_printf("%s: %s", name != NULL ? name : "",
							value != NULL ? value : "");
		g_autofree char *escaped = table_escape(line);

		puts(escaped);
	}
	wire_free(&headers);
}

static void print_message(const struct stored_message *message, bool headers)
{
	g_autofree char *from =
		g_strdup_printf("%s%s<%s>", message->from_name,
				*message->from_name != '\0' ? " " : "", message->from_email);
	g_autofree char *client =
		g_strdup_printf("%s %s", message->client_name, message->client_address);

	print_field("id", message->id);
	print_field("route", message->route);
	print_time("received", message->received_ms);
	print_time("stored", message->stored_ms);
	print_field("queue id", message->queue_id);
	print_field("client", g_strstrip(client));
	print_field("login", message->sasl_username);
	print_field("sender", *message->sender != '\0' ? message->sender : "<>");
	print_field("recipient", message->recipient);
	print_field("from", from);
	print_field("reply to", message->reply_to);
	print_field("subject", message->subject);
	print_field("date", message->date_header);
	print_field("message-id", message->message_id_header);
	print_field("automatic", strcmp(message->automatic, "no") != 0 ? message->automatic : "");
	print_field("defects", strcmp(message->defects, "[]") != 0 ? message->defects : "");
	print_number("size", message->size, " bytes");
	print_number("html", message->has_html ? (int64_t)strlen(message->html_body) : -1,
		     " bytes");
	print_field("raw mail", *message->raw_sha256 != '\0' ? "kept" : "not kept");
	if (headers)
		print_headers(message);
	print_attachments(message);
	print_refused(message);
	if (*message->text_body != '\0')
		print_text(message->text_body);
}

/* ---- outbound ---- */

static struct wire *recipient_json(const struct stored_recipient *recipient)
{
	struct wire *object = wire_object();

	wire_set_text(object, "Recipient", recipient->email);
	wire_set_text(object, "Status", recipient->status);
	wire_set_int(object, "Attempt", recipient->attempts);
	if (recipient->code > 0)
		wire_set_int(object, "Code", recipient->code);
	wire_set_text(object, "EnhancedStatus", recipient->enhanced);
	wire_set_text(object, "Reply", recipient->reply);
	set_time(object, "At", recipient->updated_ms);
	return object;
}

static void outbound_json(const struct stored_outbound *outbound)
{
	struct wire *object = wire_object();
	struct wire *recipients = wire_array();

	wire_set_text(object, "MessageID", outbound->id);
	wire_set_text(object, "MessageStream", outbound->stream);
	wire_set_text(object, "TemplateAlias", outbound->template);
	wire_set_text(object, "Tag", outbound->tag);
	set_json(object, "Metadata", outbound->metadata);
	wire_set_text(object, "From", outbound->from_email);
	wire_set_text(object, "Subject", outbound->subject);
	wire_set_text(object, "MessageIDHeader", outbound->message_id_header);
	if (outbound->size >= 0)
		wire_set_int(object, "Size", outbound->size);
	wire_set_text(object, "Status", outbound->status);
	wire_set_int(object, "Attempts", outbound->attempts);
	wire_set_text(object, "LastReply", outbound->last_reply);
	set_time(object, "NextAttempt", outbound->next_attempt_ms);
	set_time(object, "CreatedAt", outbound->created_ms);
	set_time(object, "UpdatedAt", outbound->updated_ms);
	for (unsigned int i = 0; i < outbound->recipients->len; i++)
		wire_append(recipients, recipient_json(outbound->recipients->pdata[i]));
	wire_set(object, "Recipients", recipients);
	print_json(object);
}

static void print_recipients(const struct stored_outbound *outbound)
{
	static const struct table_column columns[] = {
		{"RECIPIENT", TABLE_LEFT, 0}, {"STATUS", TABLE_LEFT, 0}, {"TRY", TABLE_RIGHT, 0},
		{"CODE", TABLE_RIGHT, 0},     {"DSN", TABLE_LEFT, 0},    {"REPLY", TABLE_LEFT, 0},
	};

	if (outbound->recipients->len == 0)
		return;
	putchar('\n');
	struct table *table = table_new(columns, G_N_ELEMENTS(columns), stdout, NULL);

	for (unsigned int i = 0; i < outbound->recipients->len; i++) {
		const struct stored_recipient *recipient = outbound->recipients->pdata[i];

		table_cell(table, TABLE_PLAIN, recipient->email);
		table_cell(table,
			   strcmp(recipient->status, "sent") == 0     ? TABLE_GOOD
			   : strcmp(recipient->status, "failed") == 0 ? TABLE_BAD
								      : TABLE_WARNING,
			   recipient->status);
		table_number(table, TABLE_PLAIN, recipient->attempts);
		if (recipient->code > 0)
			table_number(table, TABLE_PLAIN, recipient->code);
		else
			table_cell(table, TABLE_PLAIN, NULL);
		table_cell(table, TABLE_PLAIN, recipient->enhanced);
		table_cell(table, TABLE_PLAIN, recipient->reply);
	}
	table_end(&table);
}

static void print_outbound(const struct stored_outbound *outbound)
{
	print_field("id", outbound->id);
	print_field("stream", outbound->stream);
	print_field("template", outbound->template);
	print_field("tag", outbound->tag);
	print_field("metadata", strcmp(outbound->metadata, "{}") != 0 ? outbound->metadata : "");
	print_field("from", outbound->from_email);
	print_field("subject", outbound->subject);
	print_field("message-id", outbound->message_id_header);
	print_number("size", outbound->size, " bytes");
	print_time("recorded", outbound->created_ms);
	print_time("updated", outbound->updated_ms);
	print_field("status", outbound->status);
	print_number("tries", outbound->attempts, "");
	print_time("next try", outbound->next_attempt_ms);
	print_field("last reply", outbound->last_reply);
	print_recipients(outbound);
}

/* ---- the command ---- */

static int show_outbound(const struct show *show, struct db *db, const struct id *id)
{
	struct stored_outbound *outbound = NULL;
	struct reason reason = {0};

	if (stored_outbound_read(db, id, &outbound, &reason) != OUTCOME_OK) {
		fprintf(stderr, "mailctl: show: %s\n", reason.text);
		return EXIT_WRONG;
	}
	if (outbound == NULL) {
		fputs("mailctl: show: nothing with this id is stored; mailctl trace may know it\n",
		      stderr);
		return EXIT_WRONG;
	}
	if (show->print_json)
		outbound_json(outbound);
	else
		print_outbound(outbound);
	stored_outbound_free(&outbound);
	return EXIT_FINE;
}

static int run(const struct show *show, const struct config *config, const struct id *id)
{
	struct stored_message *message = NULL;
	struct reason reason = {0};
	struct db *db = connect_db_admin(config, true, &reason);
	int status = EXIT_FINE;

	if (db == NULL || stored_message_read(db, id, false, &message, &reason) != OUTCOME_OK) {
		fprintf(stderr, "mailctl: show: %s\n", reason.text);
		status = EXIT_WRONG;
	} else if (message == NULL) {
		status = show_outbound(show, db, id);
	} else if (show->print_json) {
		message_json(message);
	} else {
		print_message(message, show->headers);
	}
	stored_message_free(&message);
	db_close(&db);
	return status;
}

int command_show(int argc, char **argv, const char *config_file)
{
	static const struct option options[] = {
		{"headers", no_argument, NULL, OPTION_HEADERS},
		{"json", no_argument, NULL, OPTION_JSON},
		{"config", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0},
	};
	struct show show = {0};
	struct id id;
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == OPTION_JSON)
			show.print_json = true;
		else if (option == OPTION_HEADERS)
			show.headers = true;
		else
			return mailctl_usage("show");
	}
	if (argc - optind != 1 || !id_parse(&id, argv[optind])) {
		fputs("mailctl: show: an id; mailctl trace finds it by other names\n", stderr);
		return mailctl_usage("show");
	}
	struct config *config = mailctl_config(config_file);

	if (config == NULL)
		return EXIT_BAD_CONFIG;
	int status = run(&show, config, &id);

	config_free(&config);
	return status;
}
