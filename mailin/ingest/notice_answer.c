#include "mailin/ingest/notice_answer.h"

#include <glib.h>
#include <string.h>

#include "mailin/ingest/notice_words.h"

enum { NUMBER_TEXT_SIZE = 32 };

static const char *text_of(const struct inbound_text *text)
{
	return text->data != NULL ? text->data : "";
}

static void set_line(struct wire *model, const char *key, const char *text)
{
	g_autofree char *line = notice_words_line(text);

	if (*line != '\0')
		wire_set_text(model, key, line);
}

/* ---- tickets ---- */

/* No more than so many characters, and no control characters but those of lines. */
static char *bounded(const char *text)
{
	GString *out = g_string_new(NULL);
	glong count = 0;

	for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (g_unichar_iscntrl(c) && c != '\n' && c != '\t')
			continue;
		if (count++ == NOTICE_ANSWER_TEXT_MAX) {
			g_string_append(out, "…");
			break;
		}
		g_string_append_unichar(out, c);
	}
	return g_strchomp(g_string_free(out, FALSE));
}

struct wire *notice_answer_ticket(const struct inbound *inbound)
{
	struct wire *model = wire_object();
	char number[NUMBER_TEXT_SIZE];
	g_autofree char *subject = notice_words_line(text_of(&inbound->subject));
	g_autofree char *message = bounded(text_of(&inbound->text_reply));

	g_snprintf(number, sizeof(number), "%" G_GINT64_FORMAT, inbound->thread_number);
	wire_set_text(model, "ticket", number);
	wire_set_text(model, "subject", subject);
	if (*message != '\0')
		wire_set_text(model, "message", message);
	set_line(model, "name", text_of(&inbound->from_name));
	return model;
}

/* ---- galleries ---- */

/* As in the target's gallery_photos.album. */
static void set_album(struct wire *model, const struct inbound *inbound)
{
	const char *recipient = text_of(&inbound->recipient);
	g_autofree char *local = g_strndup(recipient, strcspn(recipient, "@"));
	const char *hash = text_of(&inbound->mailbox_hash);
	g_autofree char *line = notice_words_line(*hash != '\0' ? hash : local);

	wire_set_text(model, "gallery", line);
}

/* One without a name has its number in the mail. */
static char *name_of(const struct inbound_attachment *attachment)
{
	char *line = notice_words_line(text_of(&attachment->name));

	if (*line != '\0')
		return line;
	g_free(line);
	return g_strdup_printf("#%zu", attachment->position + 1);
}

static char *reason_of(const struct inbound_attachment *attachment,
		       const struct config_route *route, const char *locale)
{
	bool german = notice_words_is_language(locale, "de");
	g_autofree char *size = notice_words_size(route->attachment_size, locale);

	switch (attachment->why) {
	case INBOUND_REFUSED_SIZE:
		return g_strdup_printf(german ? "Die Datei ist größer als %s."
					      : "The file is larger than %s.",
				       size);
	case INBOUND_REFUSED_COUNT:
		return g_strdup_printf(german ? "Mehr als %" G_GINT64_FORMAT
						" Dateien nimmt die Galerie in einer Mail nicht an."
					      : "The gallery takes no more than %" G_GINT64_FORMAT
						" files in one mail.",
				       route->attachments_max);
	case INBOUND_REFUSED_NO_PHOTO:
		return g_strdup(german ? "Die Datei ist kein Foto." : "The file is no photo.");
	case INBOUND_REFUSED_ARCHIVE:
		return g_strdup(german ? "Was in diesem Archiv ist, lässt sich nicht feststellen."
				       : "What is in this archive cannot be told.");
	case INBOUND_REFUSED_TYPE:
	case INBOUND_REFUSED_NAME:
		break;
	}
	if (attachment->refused_entry != NULL) {
		g_autofree char *entry =
			notice_words_line(text_of(&attachment->refused_entry->name));

		return g_strdup_printf(
			german ? "Darin ist „%s“; solche Dateien nimmt die Galerie "
				 "nicht an."
			       : "“%s” is in it; the gallery does not take files of this "
				 "kind.",
			entry);
	}
	return g_strdup(german ? "Die Galerie nimmt solche Dateien nicht an."
			       : "The gallery does not take files of this kind.");
}

/* Behind the last one that is told. */
static void append_rest(struct wire *list, size_t rest)
{
	if (rest == 0)
		return;
	struct wire *item = wire_object();
	g_autofree char *text = g_strdup_printf("… (+%zu)", rest);

	wire_set_text(item, "name", text);
	wire_set_text(item, "reason", "");
	wire_append(list, item);
}

static struct wire *photos_of(const struct inbound *inbound)
{
	struct wire *list = wire_array();
	size_t told = 0;
	size_t rest = 0;

	for (size_t i = 0; i < inbound->attachment_count; i++) {
		if (!inbound->attachments[i].photo)
			continue;
		if (told == NOTICE_ANSWER_FILES_MAX) {
			rest++;
			continue;
		}
		g_autofree char *name = name_of(&inbound->attachments[i]);
		struct wire *item = wire_object();

		wire_set_text(item, "name", name);
		wire_append(list, item);
		told++;
	}
	append_rest(list, rest);
	return list;
}

static struct wire *refused_of(const struct inbound *inbound, const struct config_route *route,
			       const char *locale)
{
	struct wire *list = wire_array();
	size_t told = MIN(inbound->refused_count, NOTICE_ANSWER_FILES_MAX);

	for (size_t i = 0; i < told; i++) {
		g_autofree char *name = name_of(&inbound->refused[i]);
		g_autofree char *reason = reason_of(&inbound->refused[i], route, locale);
		struct wire *item = wire_object();

		wire_set_text(item, "name", name);
		wire_set_text(item, "reason", reason);
		wire_append(list, item);
	}
	append_rest(list, inbound->refused_count - told);
	return list;
}

struct wire *notice_answer_gallery(const struct inbound *inbound, const struct config_route *route,
				   const char *locale)
{
	struct wire *model = wire_object();

	set_album(model, inbound);
	wire_set(model, "photos", photos_of(inbound));
	wire_set(model, "refused", refused_of(inbound, route, locale));
	set_line(model, "name", text_of(&inbound->from_name));
	return model;
}
