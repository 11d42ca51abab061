#include "mailin/document.h"

#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "common/route.h"

/* The version of the wire format (mailpipe-wire(7)). */
enum { WIRE_VERSION = 1 };

/* What the columns of the database hold, in characters; the client chooses these. */
enum {
	CLIENT_ADDRESS_MAX = 64,
	CLIENT_NAME_MAX = 1024,
	HELO_MAX = 1024,
	SASL_USERNAME_MAX = 1024,
};

enum {
	MS_PER_S = 1000,
	US_PER_MS = 1000,
	/* {"Name": "", "Size": 9223372036854775807}, and all around it when printed pretty. */
	ENTRY_OVERHEAD = 128,
	/* A control character in JSON: \u0001. */
	ESCAPE_SIZE = 6,
	/* The envelope, the names of members, and what has a limit of its own. */
	DOCUMENT_OVERHEAD = 4 * 1024 * 1024,
};

static const struct {
	const char *name;
	size_t offset;
} LIMITS[] = {
	{"message_size", offsetof(struct config_limits, message_size)},
	{"deadline", offsetof(struct config_limits, deadline)},
	{"parse_cpu", offsetof(struct config_limits, parse_cpu)},
	{"parse_wall", offsetof(struct config_limits, parse_wall)},
	{"parse_memory", offsetof(struct config_limits, parse_memory)},
	{"header_bytes", offsetof(struct config_limits, header_bytes)},
	{"headers", offsetof(struct config_limits, headers)},
	{"parts", offsetof(struct config_limits, parts)},
	{"depth", offsetof(struct config_limits, depth)},
	{"attachments", offsetof(struct config_limits, attachments)},
	{"addresses", offsetof(struct config_limits, addresses)},
	{"filename_bytes", offsetof(struct config_limits, filename_bytes)},
	{"image_pixels", offsetof(struct config_limits, image_pixels)},
	{"archive_entries", offsetof(struct config_limits, archive_entries)},
	{"archive_bytes", offsetof(struct config_limits, archive_bytes)},
	{"body_bytes", offsetof(struct config_limits, body_bytes)},
};

static const char *const RAW_NAMES[] = {
	[CONFIG_RAW_DEFECT] = "defect",
	[CONFIG_RAW_NO] = "no",
	[CONFIG_RAW_YES] = "yes",
};

/* RFC 3339, UTC, milliseconds. */
static void set_time(struct wire *object, const char *key, int64_t ms)
{
	g_autoptr(GDateTime) seconds = g_date_time_new_from_unix_utc(ms / MS_PER_S);

	if (seconds == NULL)
		return;
	g_autofree char *start = g_date_time_format(seconds, "%Y-%m-%dT%H:%M:%S");
	g_autofree char *text = g_strdup_printf("%s.%03dZ", start, (int)(ms % MS_PER_S));

	wire_set_text(object, key, text);
}

static void set_cut(struct wire *object, const char *key, const char *text, size_t size_max)
{
	wire_set_textn(object, key, text, strnlen(text, size_max));
}

static struct wire *envelope_object(const struct envelope *envelope)
{
	struct wire *object = wire_object();

	wire_set_text(object, "Sender", envelope->sender);
	wire_set_text(object, "Recipient", envelope->recipient);
	wire_set_text(object, "QueueID", envelope->queue_id);
	set_cut(object, "ClientAddress", envelope->client_address, CLIENT_ADDRESS_MAX);
	set_cut(object, "ClientName", envelope->client_name, CLIENT_NAME_MAX);
	set_cut(object, "Helo", envelope->helo, HELO_MAX);
	set_cut(object, "SaslUsername", envelope->sasl_username, SASL_USERNAME_MAX);
	if (envelope->size >= 0)
		wire_set_int(object, "Size", envelope->size);
	return object;
}

struct wire *document_new(const struct envelope *envelope, const char *route, const struct id *id,
			  const char *recipient_delimiter, int64_t received_ms)
{
	char message_id[ID_TEXT_SIZE];
	struct wire *document = wire_object();
	struct wire *mailpipe = wire_object();
	g_autofree char *hash = route_mailbox_hash(recipient_delimiter, envelope->recipient);

	wire_set_text(document, "MessageID", id_text(id, message_id));
	wire_set_text(document, "MessageStream", route);
	wire_set_text(document, "OriginalRecipient", envelope->recipient);
	wire_set_text(document, "MailboxHash", hash);
	wire_set(document, "Mailpipe", mailpipe);
	wire_set_int(mailpipe, "Version", WIRE_VERSION);
	set_time(mailpipe, "ReceivedAt", received_ms);
	wire_set(mailpipe, "Envelope", envelope_object(envelope));
	wire_set(mailpipe, "Defects", wire_array());
	return document;
}

void document_add_defect(struct wire *document, const char *defect)
{
	struct wire *mailpipe = wire_get_object(document, "Mailpipe");
	struct wire *defects = wire_get_array(mailpipe, "Defects");

	for (size_t i = 0; i < wire_length(defects); i++) {
		if (strcmp(wire_text(wire_at(defects, i)), defect) == 0)
			return;
	}
	wire_append_text(defects, defect);
}

void document_add_raw(struct wire *document, const void *mail, size_t size)
{
	wire_set_base64(wire_get_object(document, "Mailpipe"), "Raw", mail, size);
}

static void set_missing(struct wire *object, const char *key, struct wire *value)
{
	if (wire_get(object, key) == NULL)
		wire_set(object, key, value);
	else
		wire_free(&value);
}

static void set_missing_text(struct wire *object, const char *key, const char *text)
{
	if (wire_get(object, key) == NULL)
		wire_set_text(object, key, text);
}

static struct wire *empty_address(void)
{
	struct wire *address = wire_object();

	wire_set_text(address, "Email", "");
	wire_set_text(address, "Name", "");
	wire_set_text(address, "MailboxHash", "");
	return address;
}

/* Nobody has looked; but the client may have logged in. */
static struct wire *empty_verdicts(const struct wire *envelope)
{
	static const char *const TEXTS[] = {"SPF", "DKIM", "DMARC", "ARC", "AuthservID"};
	const char *user = wire_get_text(envelope, "SaslUsername");
	struct wire *verdicts = wire_object();
	struct wire *aligned = wire_object();

	for (size_t i = 0; i < G_N_ELEMENTS(TEXTS); i++)
		wire_set_text(verdicts, TEXTS[i], "");
	wire_set_bool(aligned, "SPF", false);
	wire_set_bool(aligned, "DKIM", false);
	wire_set(verdicts, "Aligned", aligned);
	wire_set_text(verdicts, "SaslUsername", user != NULL ? user : "");
	return verdicts;
}

void document_fill_empty(struct wire *document)
{
	static const char *const TEXTS[] = {"From",
					    "FromName",
					    "To",
					    "Cc",
					    "Bcc",
					    "ReplyTo",
					    "Subject",
					    "Date",
					    "TextBody",
					    "HtmlBody",
					    "StrippedTextReply"};
	static const char *const ARRAYS[] = {"ToFull", "CcFull", "BccFull", "Headers",
					     "Attachments"};
	static const char *const IDS[] = {"InReplyTo", "References"};
	struct wire *mailpipe = wire_get_object(document, "Mailpipe");
	struct wire *envelope = wire_get_object(mailpipe, "Envelope");
	const char *sender = wire_get_text(envelope, "Sender");

	for (size_t i = 0; i < G_N_ELEMENTS(TEXTS); i++)
		set_missing_text(document, TEXTS[i], "");
	set_missing(document, "FromFull", empty_address());
	for (size_t i = 0; i < G_N_ELEMENTS(ARRAYS); i++)
		set_missing(document, ARRAYS[i], wire_array());
	set_missing_text(mailpipe, "MessageIDHeader", "");
	for (size_t i = 0; i < G_N_ELEMENTS(IDS); i++)
		set_missing(mailpipe, IDS[i], wire_array());
	set_missing(mailpipe, "DateUTC", NULL);
	set_missing(mailpipe, "Verdicts", empty_verdicts(envelope));
	set_missing_text(mailpipe, "StrippedQuote", "");
	set_missing_text(mailpipe, "ReplyRule", "");
	/* RFC 3834: all that is known of a mail that was not parsed is its envelope sender. */
	set_missing_text(mailpipe, "Auto", sender != NULL && *sender == '\0' ? "bounce" : "no");
	wire_move_last(document, "Mailpipe");
}

int64_t document_size_max(int64_t mail_size, const struct config_limits *limits)
{
	/* The attachments and the raw mail in base64 are less than three times the mail together;
	 * headers stand twice (Headers, Subject), bodies three times (text, HTML, and the text as
	 * reply and quote), in the worst case escaped.  Names within archives need no escapes. */
	const int64_t twice = 2;
	const int64_t thrice = 3;

	return (1 + twice) * mail_size +
	       ESCAPE_SIZE * (twice * limits->header_bytes + thrice * limits->body_bytes) +
	       limits->archive_entries * (limits->filename_bytes + ENTRY_OVERHEAD) +
	       DOCUMENT_OVERHEAD;
}

static int64_t *limit_at(struct config_limits *limits, size_t index)
{
	return (int64_t *)(void *)((char *)limits + LIMITS[index].offset);
}

struct wire *document_job_print(const struct document_job *job)
{
	struct config_limits copy = job->limits;
	struct wire *json = wire_object();
	struct wire *numbers = wire_object();
	struct wire *ids = wire_array();

	for (size_t i = 0; i < G_N_ELEMENTS(LIMITS); i++)
		wire_set_int(numbers, LIMITS[i].name, *limit_at(&copy, i));
	for (char **id = job->authserv_ids; *id != NULL; id++)
		wire_append_text(ids, *id);
	wire_set(json, "Document", job->document);
	wire_set(json, "Limits", numbers);
	wire_set_text(json, "Raw", RAW_NAMES[job->raw]);
	wire_set(json, "AuthservIDs", ids);
	wire_set_int(json, "AuthservHops", job->authserv_hops);
	wire_set_text(json, "Loop", job->loop);
	return json;
}

static bool read_limits(const struct wire *numbers, struct config_limits *limits,
			struct reason *reason)
{
	for (size_t i = 0; i < G_N_ELEMENTS(LIMITS); i++) {
		int64_t number;

		if (!wire_get_int(numbers, LIMITS[i].name, &number) || number < 0) {
			outcome_retry(reason, "4.3.0", "the job has no limit %s", LIMITS[i].name);
			return false;
		}
		*limit_at(limits, i) = number;
	}
	return true;
}

static bool read_raw(const struct wire *job, enum config_raw *raw, struct reason *reason)
{
	const char *name = wire_get_text(job, "Raw");

	for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(RAW_NAMES); i++) {
		if (strcmp(name, RAW_NAMES[i]) == 0) {
			*raw = (enum config_raw)i;
			return true;
		}
	}
	outcome_retry(reason, "4.3.0", "the job does not tell when to add the raw mail");
	return false;
}

static bool read_ids(const struct wire *json, struct document_job *job, struct reason *reason)
{
	const struct wire *array = wire_get_array(json, "AuthservIDs");
	g_autoptr(GStrvBuilder) ids = g_strv_builder_new();

	for (size_t i = 0; i < wire_length(array); i++)
		if (wire_text(wire_at(array, i)) != NULL)
			g_strv_builder_add(ids, wire_text(wire_at(array, i)));
	if (array == NULL || !wire_get_int(json, "AuthservHops", &job->authserv_hops)) {
		outcome_retry(reason, "4.3.0", "the job does not tell whose results are believed");
		return false;
	}
	job->authserv_ids = g_strv_builder_end(ids);
	return true;
}

bool document_job_read(struct wire *json, struct document_job *job, struct reason *reason)
{
	*job = (struct document_job){.document = wire_get_object(json, "Document")};
	if (job->document == NULL ||
	    wire_get_array(wire_get_object(job->document, "Mailpipe"), "Defects") == NULL) {
		outcome_retry(reason, "4.3.0", "the job has no document");
		return false;
	}
	job->loop = wire_get_text(json, "Loop");
	if (job->loop == NULL) {
		outcome_retry(reason, "4.3.0", "the job does not tell how our own mail is marked");
		return false;
	}
	return read_limits(wire_get_object(json, "Limits"), &job->limits, reason) &&
	       read_raw(json, &job->raw, reason) && read_ids(json, job, reason);
}

void document_job_clear(struct document_job *job)
{
	g_strfreev(job->authserv_ids);
	*job = (struct document_job){.document = NULL};
}
