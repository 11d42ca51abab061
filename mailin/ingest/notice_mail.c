#include "mailin/ingest/notice_mail.h"

#include <glib.h>
#include <string.h>

#include "common/topology.h"

enum { MS_IN_SECOND = 1000, US_IN_MS = 1000 };

/* JSON values of a body that is read here: a hundred times its bytes may be needed for it. */
enum { VALUES_MAX = 200000 };

static const char *text_of(const struct inbound_text *text)
{
	return text->data != NULL ? text->data : "";
}

static const struct wire *add_json(struct wire *object, const char *key,
				   const struct inbound_text *text)
{
	struct wire *value = text->data != NULL ? wire_parse(text->data, text->size, NULL) : NULL;

	if (value != NULL)
		wire_set(object, key, value);
	return value;
}

static bool from_inbound(struct notice_mail *mail, const struct inbound *inbound)
{
	mail->id = inbound->id;
	mail->sender = text_of(&inbound->sender);
	mail->from = text_of(&inbound->from_email);
	mail->recipient = inbound_recipient(inbound);
	mail->automatic = inbound->automatic.data;
	mail->sasl_username = text_of(&inbound->sasl_username);
	mail->message_id_header = text_of(&inbound->message_id_header);
	mail->subject = text_of(&inbound->subject);
	mail->received_ms = inbound->received_ms;
	mail->json = wire_object();
	mail->headers = add_json(mail->json, "Headers", &inbound->headers);
	mail->in_reply_to = add_json(mail->json, "InReplyTo", &inbound->in_reply_to);
	mail->references = add_json(mail->json, "References", &inbound->reference_ids);
	return true;
}

static const char *member(const struct wire *object, const char *key)
{
	const char *text = wire_get_text(object, key);

	return text != NULL ? text : "";
}

static int64_t time_of(const struct wire *object, const char *key,
		       const struct broker_delivery *delivery)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(member(object, key), NULL);

	if (time != NULL)
		return g_date_time_to_unix(time) * MS_IN_SECOND +
		       g_date_time_get_microsecond(time) / US_IN_MS;
	return (delivery->first_seen != 0 ? delivery->first_seen : delivery->timestamp) *
	       MS_IN_SECOND;
}

static bool read_id(struct notice_mail *mail, const char *written,
		    const struct broker_delivery *delivery)
{
	return id_parse(&mail->id, written) ||
	       (delivery->message_id != NULL && id_parse(&mail->id, delivery->message_id));
}

/* The document is not what it should be, else there were an inbound: nothing in it is believed. */
static bool from_body(struct notice_mail *mail, const struct broker_delivery *delivery)
{
	if (delivery->body == NULL || wire_count(delivery->body, delivery->body_size) > VALUES_MAX)
		return false;
	mail->json = wire_parse(delivery->body, delivery->body_size, NULL);
	const struct wire *mailpipe = wire_get_object(mail->json, "Mailpipe");
	const struct wire *envelope = wire_get_object(mailpipe, "Envelope");
	const char *from = wire_get_text(wire_get_object(mail->json, "FromFull"), "Email");

	if (wire_get_text(envelope, "Sender") == NULL ||
	    !read_id(mail, member(mail->json, "MessageID"), delivery))
		return false;
	mail->sender = member(envelope, "Sender");
	mail->from = from != NULL ? from : member(mail->json, "From");
	mail->recipient = member(mail->json, "OriginalRecipient");
	mail->automatic = wire_get_text(mailpipe, "Auto");
	mail->sasl_username = member(envelope, "SaslUsername");
	mail->message_id_header = member(mailpipe, "MessageIDHeader");
	mail->subject = member(mail->json, "Subject");
	mail->received_ms = time_of(mailpipe, "ReceivedAt", delivery);
	mail->headers = wire_get_array(mail->json, "Headers");
	mail->in_reply_to = wire_get_array(mailpipe, "InReplyTo");
	mail->references = wire_get_array(mailpipe, "References");
	return true;
}

/* Not what the document says: a worker consumes the queues of routes. */
static const struct config_route *route_of(const struct config *config, const char *queue)
{
	for (size_t i = 0; queue != NULL && i < config->route_count; i++) {
		g_autofree char *name = topology_inbound_queue(config->routes[i].name);

		if (strcmp(name, queue) == 0)
			return &config->routes[i];
	}
	return NULL;
}

bool notice_mail_read(struct notice_mail *mail, const struct config *config,
		      const struct broker_delivery *delivery, const struct inbound *inbound)
{
	*mail = (struct notice_mail){.route = route_of(config, delivery->queue)};
	if (inbound != NULL ? !from_inbound(mail, inbound) : !from_body(mail, delivery))
		return false;
	id_text(&mail->id, mail->id_text);
	return *mail->recipient != '\0' && wire_length(mail->headers) > 0;
}

void notice_mail_clear(struct notice_mail *mail)
{
	wire_free(&mail->json);
	*mail = (struct notice_mail){0};
}
