#include "mailout/outbound.h"

#include <glib.h>
#include <string.h>

const char *outbound_status_name(enum outbound_status status)
{
	static const char *const names[] = {
		[OUTBOUND_SCHEDULED] = "scheduled", [OUTBOUND_SENDING] = "sending",
		[OUTBOUND_SENT] = "sent",           [OUTBOUND_DEFERRED] = "deferred",
		[OUTBOUND_FAILED] = "failed",       [OUTBOUND_HELD] = "held",
		[OUTBOUND_EXPIRED] = "expired",     [OUTBOUND_DRY_RUN] = "dry-run",
	};

	return names[status];
}

bool outbound_has_reached(const struct outbound *row)
{
	if (row->status == OUTBOUND_SENT)
		return true;
	for (size_t i = 0; i < row->recipient_count; i++)
		if (row->recipients[i].state == SENT_OK)
			return true;
	return false;
}

static void free_thread(struct outbound_thread *thread)
{
	if (thread == NULL)
		return;
	g_free(thread->route);
	g_free(thread->address);
	g_strfreev(thread->addressed);
	g_free(thread->from_name);
	g_free(thread->text);
	g_free(thread->full_text);
	g_free(thread->html);
	g_free(thread);
}

void outbound_free(struct outbound **row)
{
	struct outbound *old = *row;

	if (old == NULL)
		return;
	for (size_t i = 0; i < old->recipient_count; i++) {
		g_free(old->recipients[i].email);
		g_free(old->recipients[i].reply);
	}
	g_free(old->recipients);
	free_thread(old->thread);
	g_free(old->stream);
	g_free(old->template_alias);
	g_free(old->tag);
	g_free(old->metadata);
	g_free(old->from_email);
	g_free(old->subject);
	g_free(old->message_id_header);
	g_free(old->last_reply);
	g_free(old);
	*row = NULL;
}

static size_t length(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

size_t outbound_bytes(const struct outbound *row)
{
	size_t bytes = sizeof(*row) + length(row->tag) + length(row->metadata) +
		       length(row->from_email) + length(row->subject) +
		       length(row->message_id_header) + length(row->last_reply);

	for (size_t i = 0; i < row->recipient_count; i++)
		bytes += sizeof(row->recipients[i]) + length(row->recipients[i].email) +
			 length(row->recipients[i].reply);
	if (row->thread != NULL)
		bytes += sizeof(*row->thread) + length(row->thread->text) +
			 length(row->thread->full_text) + length(row->thread->html);
	return bytes;
}
