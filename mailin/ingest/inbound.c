#include "mailin/ingest/inbound.h"

#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/mask.h"
#include "common/route.h"
#include "common/topology.h"
#include "common/wire.h"
#include "mailin/ingest/attachments.h"
#include "mailin/ingest/priority.h"
#include "mailin/ingest/reader.h"

/* Widths of the schema in characters (mailctl/migrations). */
enum {
	MESSAGE_ID_MAX = 36,
	ROUTE_MAX = 64,
	ADDRESS_MAX = 2048,
	QUEUE_ID_MAX = 64,
	CLIENT_ADDRESS_MAX = 64,
	CLIENT_NAME_MAX = 1025,
	HELO_MAX = 2048,
	SASL_USERNAME_MAX = 1024,
	MESSAGE_ID_HEADER_MAX = 998,
	FROM_EMAIL_MAX = 320,
	AUTO_MAX = 16,
	VERDICT_MAX = 32, /* these two are no columns */
	AUTHSERV_ID_MAX = 255,
	REPLY_RULE_MAX = 32,
};

/* What the texts of a usual mail need. */
enum { TEXTS_BLOCK = 4096 };

/* The version of the wire format that is understood here. */
enum { WIRE_VERSION = 1 };

/* JSON values of one element of these arrays with its container, and of all the rest of a document:
 * what a document within the limits can have at most.  A value costs many times its bytes in
 * memory. */
enum {
	VALUES_PER_HEADER = 3,
	VALUES_PER_ADDRESS = 4,
	ADDRESS_FIELDS = 4, /* From, To, Cc, Bcc */
	VALUES_PER_ATTACHMENT = 20,
	VALUES_PER_ENTRY = 3,
	VALUES_OTHER = 20000,
};

static const struct reader_field top_fields[] = {
	{"MessageStream", offsetof(struct inbound, route), true, READER_REFUSE, ROUTE_MAX},
	{"OriginalRecipient", offsetof(struct inbound, recipient), true, READER_REFUSE,
	 ADDRESS_MAX},
	{"MailboxHash", offsetof(struct inbound, mailbox_hash), false, READER_REFUSE, ADDRESS_MAX},
	{"FromName", offsetof(struct inbound, from_name), false, READER_CUT_HEADER, 0},
	{"ReplyTo", offsetof(struct inbound, reply_to), false, READER_CUT_HEADER, 0},
	{"Subject", offsetof(struct inbound, subject), true, READER_CUT_HEADER, 0},
	{"Date", offsetof(struct inbound, date_header), false, READER_CUT_HEADER, 0},
	{"TextBody", offsetof(struct inbound, text_body), true, READER_CUT_BODY, 0},
	{"HtmlBody", offsetof(struct inbound, html_body), true, READER_CUT_BODY, 0},
	{"StrippedTextReply", offsetof(struct inbound, text_reply), false, READER_CUT_BODY, 0},
};

static const struct reader_field envelope_fields[] = {
	{"Sender", offsetof(struct inbound, sender), true, READER_REFUSE, ADDRESS_MAX},
	{"QueueID", offsetof(struct inbound, queue_id), false, READER_REFUSE, QUEUE_ID_MAX},
	{"ClientAddress", offsetof(struct inbound, client_address), false, READER_REFUSE,
	 CLIENT_ADDRESS_MAX},
	{"ClientName", offsetof(struct inbound, client_name), false, READER_REFUSE,
	 CLIENT_NAME_MAX},
	{"Helo", offsetof(struct inbound, helo), false, READER_REFUSE, HELO_MAX},
	{"SaslUsername", offsetof(struct inbound, sasl_username), false, READER_REFUSE,
	 SASL_USERNAME_MAX},
};

static const struct reader_field mailpipe_fields[] = {
	{"MessageIDHeader", offsetof(struct inbound, message_id_header), false, READER_CUT,
	 MESSAGE_ID_HEADER_MAX},
	{"Auto", offsetof(struct inbound, automatic), false, READER_REFUSE, AUTO_MAX},
	{"StrippedQuote", offsetof(struct inbound, text_quote), false, READER_CUT_BODY, 0},
	{"ReplyRule", offsetof(struct inbound, reply_rule), false, READER_REFUSE, REPLY_RULE_MAX},
};

static int64_t values_max(const struct config_limits *limits)
{
	return limits->headers * VALUES_PER_HEADER +
	       limits->addresses * VALUES_PER_ADDRESS * ADDRESS_FIELDS +
	       limits->attachments * VALUES_PER_ATTACHMENT +
	       limits->archive_entries * VALUES_PER_ENTRY + VALUES_OTHER;
}

static void read_id(struct reader *reader, const struct wire *document, struct inbound *inbound)
{
	const struct reader_field field = {"MessageID", 0, true, READER_REFUSE, MESSAGE_ID_MAX};
	struct inbound_text text = reader_text(reader, document, "", &field);

	if (text.data == NULL)
		return;
	if (!id_parse(&inbound->id, text.data))
		reader_fail(reader, "MessageID is no UUID: \"%s\"", text.data);
	else
		id_text(&inbound->id, inbound->id_text);
}

static void check_route(struct reader *reader, const char *route, const char *queue)
{
	if (reader->failed)
		return;
	if (config_route_named(reader->config, route) == NULL) {
		reader_fail(reader, "MessageStream \"%s\" is no route", route);
		return;
	}
	g_autofree char *own_queue = topology_inbound_queue(route);

	if (queue != NULL && strcmp(queue, own_queue) != 0)
		reader_fail(reader, "MessageStream \"%s\" does not belong into the queue %s", route,
			    queue);
}

/* An array of strings as JSON. */
static struct inbound_text read_strings(struct reader *reader, const struct wire *object,
					const char *path, const char *key)
{
	struct wire *array = reader_array(reader, object, path, key, false, VALUES_OTHER);

	for (size_t i = 0; i < wire_length(array); i++) {
		if (wire_text(wire_at(array, i)) == NULL) {
			reader_fail(reader, "%s%s[%zu] is of type %s, not string", path, key, i,
				    wire_type_name(wire_at(array, i)));
			break;
		}
	}
	return reader_json(reader, array);
}

/* An array of objects whose members `first` (required) and others are strings, as JSON. */
static struct inbound_text read_objects(struct reader *reader, const struct wire *document,
					const char *key, bool required, int64_t max,
					const char *const *members)
{
	struct wire *array = reader_array(reader, document, "", key, required, max);

	for (size_t i = 0; i < wire_length(array) && !reader->failed; i++) {
		const struct wire *element = wire_at(array, i);

		for (size_t m = 0; members[m] != NULL; m++) {
			if (wire_get_text(element, members[m]) == NULL &&
			    (m == 0 || wire_get(element, members[m]) != NULL))
				reader_fail(reader, "%s[%zu].%s is no string", key, i, members[m]);
		}
	}
	return reader_json(reader, array);
}

/* What the row is found by: lower case, as the schema wants it.  One that does not fit is nobody's:
 * cut, it could be an address of another domain.  (A letter's lower case may be two.) */
static void read_from(struct reader *reader, const struct wire *document, struct inbound *inbound)
{
	static const struct reader_field email = {"Email", 0, true, READER_DROP, FROM_EMAIL_MAX};
	static const struct reader_field from = {"From", 0, true, READER_DROP, FROM_EMAIL_MAX};
	const struct wire *full = reader_object(reader, document, "", "FromFull", false);
	struct inbound_text text = full != NULL ? reader_text(reader, full, "FromFull.", &email)
						: reader_text(reader, document, "", &from);

	if (text.data == NULL)
		return;
	g_autofree char *lower = g_utf8_strdown(text.data, (gssize)text.size);
	bool fits = g_utf8_strlen(lower, -1) <= FROM_EMAIL_MAX;

	inbound->from_email = reader_copy(reader, fits ? lower : "", fits ? strlen(lower) : 0);
}

static void read_addresses(struct reader *reader, const struct wire *document,
			   struct inbound *inbound)
{
	static const char *const address_members[] = {"Email", "Name", "MailboxHash", NULL};
	int64_t max = reader->config->limits.addresses;

	read_from(reader, document, inbound);
	inbound->to_json = read_objects(reader, document, "ToFull", false, max, address_members);
	inbound->cc_json = read_objects(reader, document, "CcFull", false, max, address_members);
	inbound->bcc_json = read_objects(reader, document, "BccFull", false, max, address_members);
}

static void read_headers(struct reader *reader, const struct wire *document,
			 struct inbound *inbound)
{
	static const char *const header_members[] = {"Name", "Value", NULL};

	inbound->headers = read_objects(reader, document, "Headers", true,
					reader->config->limits.headers, header_members);
}

/* What is after the delimiter is read again: MailboxHash is the producer's word. */
static void read_token(struct reader *reader, struct inbound *inbound)
{
	const char *delimiters = reader->config->recipient_delimiter;

	if (reader->failed)
		return;
	g_autofree char *base = route_base_address(delimiters, inbound->recipient.data);
	g_autofree char *extension = route_mailbox_hash(delimiters, inbound->recipient.data);

	g_autofree char *masked = mask_address(reader->config, inbound->recipient.data);

	inbound->base_address = reader_copy(reader, base, strlen(base));
	inbound->recipient_masked = reader_copy(reader, masked, strlen(masked));
	if (token_parse(inbound->token, extension, strlen(extension)))
		token_hash(inbound->token, inbound->token_hash);
	else
		inbound->token[0] = '\0';
}

static bool is_auto_kind(const char *kind)
{
	static const char *const kinds[] = {
		"no", INBOUND_AUTO_LOOP, "bounce", "replied", "generated", "list", "bulk", NULL};

	return g_strv_contains(kinds, kind);
}

/* A word of RFC 8601, or none. */
static enum verdict_word read_verdict(struct reader *reader, const struct wire *object,
				      const char *key, struct wire *copy)
{
	const struct reader_field field = {key, 0, false, READER_CUT, VERDICT_MAX};
	struct inbound_text text = reader_text(reader, object, "Mailpipe.Verdicts.", &field);
	enum verdict_word verdict = verdict_named(text.data != NULL ? text.data : "");

	wire_set_text(copy, key, verdict_name(verdict));
	return verdict;
}

/* For a verdict that is no pass, or without From, it would make no sense. */
static bool read_aligned(const struct wire *aligned, const char *key, enum verdict_word verdict,
			 const struct inbound *inbound, struct wire *copy)
{
	bool truth = false;

	truth = wire_get_bool(aligned, key, &truth) && truth && verdict == VERDICT_PASS &&
		inbound->from_email.size > 0;
	wire_set_bool(copy, key, truth);
	return truth;
}

/* Kept as far as it is known here.  Who has logged in, the envelope tells. */
static void read_verdicts(struct reader *reader, struct inbound *inbound,
			  const struct wire *mailpipe)
{
	static const struct reader_field id = {"AuthservID", 0, false, READER_CUT, AUTHSERV_ID_MAX};
	const struct wire *object = reader_object(reader, mailpipe, "Mailpipe.", "Verdicts", false);
	struct verdicts *verdicts = &inbound->verdicts;

	verdicts->logged_in = inbound->sasl_username.size > 0;
	if (object == NULL)
		return;
	const struct wire *aligned = wire_get_object(object, "Aligned");
	struct wire *copy = wire_object();
	struct wire *aligned_copy = wire_object();

	verdicts->spf = read_verdict(reader, object, "SPF", copy);
	verdicts->dkim = read_verdict(reader, object, "DKIM", copy);
	verdicts->dmarc = read_verdict(reader, object, "DMARC", copy);
	verdicts->arc = read_verdict(reader, object, "ARC", copy);
	struct inbound_text server = reader_text(reader, object, "Mailpipe.Verdicts.", &id);

	wire_set_textn(copy, "AuthservID", server.data != NULL ? server.data : "", server.size);
	verdicts->spf_aligned = read_aligned(aligned, "SPF", verdicts->spf, inbound, aligned_copy);
	verdicts->dkim_aligned =
		read_aligned(aligned, "DKIM", verdicts->dkim, inbound, aligned_copy);
	wire_set(copy, "Aligned", aligned_copy);
	if (inbound->from_email.size == 0)
		verdicts->dmarc = VERDICT_ABSENT;
	wire_set_textn(copy, "SaslUsername",
		       inbound->sasl_username.data != NULL ? inbound->sasl_username.data : "",
		       inbound->sasl_username.size);
	size_t size;
	g_autofree char *text = wire_print(copy, false, &size);

	inbound->verdicts_json = reader_copy(reader, text, size);
	wire_free(&copy);
}

static void read_mailpipe(struct reader *reader, struct inbound *inbound, struct wire *mailpipe)
{
	static const char path[] = "Mailpipe.";
	const struct wire *envelope = reader_object(reader, mailpipe, path, "Envelope", true);
	int64_t version = reader_int(reader, mailpipe, path, "Version", true, 0);

	if (version != WIRE_VERSION)
		reader_fail(reader, "Mailpipe.Version is %" G_GINT64_FORMAT ", not %d", version,
			    WIRE_VERSION);
	reader_texts(reader, envelope, "Mailpipe.Envelope.", envelope_fields,
		     G_N_ELEMENTS(envelope_fields), inbound);
	inbound->size = reader_int(reader, envelope, "Mailpipe.Envelope.", "Size", false, -1);
	if (inbound->size < -1)
		reader_fail(reader, "Mailpipe.Envelope.Size is negative");
	inbound->received_ms =
		reader_time(reader, mailpipe, path, "ReceivedAt", true, true, inbound->received_at);
	reader_time(reader, mailpipe, path, "DateUTC", false, false, inbound->date_utc);
	reader_texts(reader, mailpipe, path, mailpipe_fields, G_N_ELEMENTS(mailpipe_fields),
		     inbound);
	if (inbound->automatic.data != NULL && !is_auto_kind(inbound->automatic.data))
		reader_fail(reader, "Mailpipe.Auto is unknown: \"%s\"", inbound->automatic.data);
	read_verdicts(reader, inbound, mailpipe);
	inbound->in_reply_to = read_strings(reader, mailpipe, path, "InReplyTo");
	inbound->reference_ids = read_strings(reader, mailpipe, path, "References");
	if (wire_get(mailpipe, "Raw") != NULL)
		reader_base64(reader, mailpipe, path, "Raw", &inbound->raw);
}

static void find_defects(struct reader *reader, struct wire *mailpipe)
{
	if (mailpipe == NULL)
		return;
	reader->defects =
		reader_array(reader, mailpipe, "Mailpipe.", "Defects", false, VALUES_OTHER);
	if (reader->defects == NULL) {
		reader->defects = wire_array();
		wire_set(mailpipe, "Defects", reader->defects);
	}
}

static void read_document(struct reader *reader, struct wire *document, struct inbound *inbound,
			  const char *queue)
{
	if (strcmp(wire_type_name(document), "object") != 0) {
		reader_fail(reader, "the document is of type %s, not object",
			    wire_type_name(document));
		return;
	}
	read_id(reader, document, inbound);
	struct wire *mailpipe = reader_object(reader, document, "", "Mailpipe", true);

	find_defects(reader, mailpipe);
	reader_texts(reader, document, "", top_fields, G_N_ELEMENTS(top_fields), inbound);
	/* Other producers may not tell: then all of it counts as written by the sender. */
	if (inbound->text_reply.data == NULL)
		inbound->text_reply = inbound->text_body;
	check_route(reader, inbound->route.data, queue);
	read_token(reader, inbound);
	read_addresses(reader, document, inbound);
	read_headers(reader, document, inbound);
	read_mailpipe(reader, inbound, mailpipe);
	attachments_read(reader, document);
	/* Last, because what was cut above stands there. */
	inbound->defects = read_strings(reader, mailpipe, "Mailpipe.", "Defects");
	if (!reader->failed)
		thread_clue_read(&inbound->clue, inbound, wire_get_array(mailpipe, "InReplyTo"),
				 wire_get_array(mailpipe, "References"));
	inbound->priority.data = priority_of(wire_get_array(document, "Headers"));
	inbound->priority.size = strlen(inbound->priority.data);
}

struct inbound *inbound_read(const void *body, size_t size, const char *queue,
			     const struct config *config, struct reason *reason)
{
	int64_t values = wire_count(body, size);

	if (values > values_max(&config->limits)) {
		outcome_reject(reason, "5.6.0",
			       "JSON of %" G_GINT64_FORMAT " values is more than the limits allow",
			       values);
		return NULL;
	}
	struct wire *document = wire_parse(body, size, reason);

	if (document == NULL)
		return NULL;
	struct inbound *inbound = g_new0(struct inbound, 1);
	struct reader reader = {.config = config, .inbound = inbound, .reason = reason};

	inbound->texts = g_string_chunk_new(TEXTS_BLOCK);
	read_document(&reader, document, inbound, queue);
	wire_free(&document);
	if (reader.failed)
		inbound_free(&inbound);
	return inbound;
}

const char *inbound_verified_name(enum inbound_verified verified)
{
	static const char *const names[] = {
		[INBOUND_UNCHECKED] = "unchecked",
		[INBOUND_UNVERIFIED] = "no",
		[INBOUND_VERIFIED] = "yes",
	};

	return names[verified];
}

void inbound_begin(struct inbound *inbound)
{
	inbound->verified = INBOUND_UNCHECKED;
	inbound->released = false;
	inbound->quarantined = false;
	inbound->put_aside = false;
	inbound->dropped = false;
	inbound->rejected = false;
	inbound->has_thread = false;
	inbound->thread_is_new = false;
	inbound->fresh = false;
	inbound->duplicate = false;
	inbound->same = NULL;
}

void inbound_reject(struct inbound *inbound, const char *status, const char *format, ...)
{
	va_list args;

	if (inbound->rejected)
		return;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	outcome_reject(&inbound->why, status, "%s", text);
	inbound->rejected = true;
}

bool inbound_is_left_out(const struct inbound *inbound)
{
	return inbound->quarantined || inbound->dropped || inbound->rejected;
}

bool inbound_is_wanted(const struct inbound *inbound)
{
	return !inbound->duplicate && !inbound_is_left_out(inbound);
}

const char *inbound_recipient(const struct inbound *inbound)
{
	if (inbound->recipient.data == NULL)
		return "";
	return inbound->token[0] != '\0' ? inbound->recipient_masked.data : inbound->recipient.data;
}

void inbound_free(struct inbound **inbound)
{
	struct inbound *old = *inbound;

	if (old == NULL)
		return;
	attachments_free(old);
	thread_clue_clear(&old->clue);
	g_free(old->raw.data);
	g_string_chunk_free(old->texts);
	g_free(old);
	*inbound = NULL;
}

bool inbound_comes_released(const struct inbound *inbound)
{
	return inbound->delivery != NULL && inbound->delivery->released != 0;
}

int inbound_compare(const void *a, const void *b)
{
	const struct inbound *const *left = a;
	const struct inbound *const *right = b;

	return memcmp(&(*left)->id, &(*right)->id, sizeof(struct id));
}

struct inbound *inbound_find(struct inbound *const *messages, size_t count, const void *id,
			     size_t size)
{
	struct inbound wanted;
	const struct inbound *key = &wanted;

	if (size != sizeof(wanted.id))
		return NULL;
	memcpy(&wanted.id, id, sizeof(wanted.id));
	struct inbound *const *found =
		bsearch(&key, messages, count, sizeof(struct inbound *), inbound_compare);

	return found != NULL ? *found : NULL;
}
