#include "mailin/ingest/policy.h"

#include <glib.h>
#include <string.h>

static const char GALLERY[] = "gallery";

/* RFC 3463. */
static const char STATUS_MEDIA[] = "5.6.1"; /* media not supported */
static const char STATUS_LARGE[] = "5.3.4"; /* message too big for system */
static const char STATUS_OTHER[] = "5.6.0"; /* other media error */

const char *policy_refused_name(enum inbound_refused why)
{
	static const char *const names[] = {
		[INBOUND_REFUSED_TYPE] = "type",         [INBOUND_REFUSED_NAME] = "name",
		[INBOUND_REFUSED_SIZE] = "size",         [INBOUND_REFUSED_COUNT] = "count",
		[INBOUND_REFUSED_NO_PHOTO] = "no-photo", [INBOUND_REFUSED_ARCHIVE] = "archive",
	};

	return names[why];
}

/* ---- patterns ---- */

static bool matches(const char *pattern, const char *text)
{
	if (text == NULL || *text == '\0')
		return false;
	g_autofree char *folded_pattern = g_utf8_casefold(pattern, -1);
	g_autofree char *folded = g_utf8_casefold(text, -1);

	return g_pattern_match_simple(folded_pattern, folded);
}

static bool is_type_pattern(const char *pattern)
{
	return strchr(pattern, '/') != NULL;
}

/* By content; a producer that did not look has only told what the mail says. */
static const char *content_of(const struct inbound_attachment *attachment)
{
	return attachment->detected_type.size > 0 ? attachment->detected_type.data
						  : attachment->content_type.data;
}

static bool is_allowed(const struct config_route *route,
		       const struct inbound_attachment *attachment)
{
	char **patterns = route->attachments_allow;

	if (*patterns == NULL)
		return true;
	for (; *patterns != NULL; patterns++) {
		if (matches(*patterns, is_type_pattern(*patterns) ? content_of(attachment)
								  : attachment->name.data))
			return true;
	}
	return false;
}

/* The first file in the archive that the patterns for names refuse, or NULL. */
static const struct inbound_entry *refused_entry(const struct config_route *route,
						 const struct inbound_attachment *attachment)
{
	if (attachment->entry_count == 0)
		return NULL;
	g_autoptr(GPtrArray) specs =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_pattern_spec_free);

	for (char **patterns = route->attachments_refuse; *patterns != NULL; patterns++) {
		g_autofree char *folded = g_utf8_casefold(*patterns, -1);

		if (!is_type_pattern(*patterns))
			g_ptr_array_add(specs, g_pattern_spec_new(folded));
	}
	for (size_t i = 0; specs->len > 0 && i < attachment->entry_count; i++) {
		g_autofree char *folded = g_utf8_casefold(attachment->entries[i].name.data, -1);
		size_t size = strlen(folded);

		for (guint s = 0; s < specs->len; s++)
			if (g_pattern_spec_match(specs->pdata[s], size, folded, NULL))
				return &attachment->entries[i];
	}
	return NULL;
}

static bool refuses_names(const struct config_route *route)
{
	for (char **patterns = route->attachments_refuse; *patterns != NULL; patterns++)
		if (!is_type_pattern(*patterns))
			return true;
	return false;
}

/* By what is in it, or perhaps is. */
static bool is_refused_archive(const struct config_route *route,
			       struct inbound_attachment *attachment, enum inbound_refused *why)
{
	*why = INBOUND_REFUSED_NAME;
	attachment->refused_entry = refused_entry(route, attachment);
	if (attachment->refused_entry != NULL)
		return true;
	*why = INBOUND_REFUSED_ARCHIVE;
	return attachment->unread && route->archives_unread == CONFIG_UNREAD_REFUSE &&
	       refuses_names(route);
}

/* What calls itself a program is refused as one, whatever is in it. */
static bool is_refused(const struct config_route *route, struct inbound_attachment *attachment,
		       enum inbound_refused *why)
{
	for (char **patterns = route->attachments_refuse; *patterns != NULL; patterns++) {
		if (!is_type_pattern(*patterns)) {
			*why = INBOUND_REFUSED_NAME;
			if (matches(*patterns, attachment->name.data))
				return true;
			continue;
		}
		*why = INBOUND_REFUSED_TYPE;
		if (matches(*patterns, attachment->detected_type.data) ||
		    matches(*patterns, attachment->content_type.data))
			return true;
	}
	return is_refused_archive(route, attachment, why);
}

/* ---- decorations ---- */

/* The value of a cid: URL (RFC 2392) at the start of `text`, percent-decoded; NULL if it is none.
 */
static char *reference_at(const char *text)
{
	static const char ends[] = "\"'<> )\t\r\n";
	size_t size = strcspn(text, ends);

	return size > 0 ? g_uri_unescape_segment(text, text + size, NULL) : NULL;
}

/* What the HTML shows: the Content-IDs of all its cid: URLs. */
static GHashTable *references(const struct inbound_text *html)
{
	static const char scheme[] = "cid:";
	GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	if (html->data == NULL)
		return ids;
	const char *end = html->data + html->size;

	for (const char *p = html->data; (p = memchr(p, ':', (size_t)(end - p))) != NULL;) {
		p++;
		if ((size_t)(p - html->data) < strlen(scheme) ||
		    g_ascii_strncasecmp(p - strlen(scheme), scheme, strlen(scheme)) != 0)
			continue;
		char *id = reference_at(p);

		if (id != NULL)
			g_hash_table_add(ids, id);
	}
	return ids;
}

static bool is_small(const struct config_route *route, const struct inbound_attachment *attachment)
{
	return MIN(attachment->image_width, attachment->image_height) < route->inline_side;
}

/* Logos of signatures, smileys, pixels that count readers. */
static void find_photos(const struct config_route *route, struct inbound *inbound)
{
	g_autoptr(GHashTable) shown = NULL;

	for (size_t i = 0; i < inbound->attachment_count; i++) {
		struct inbound_attachment *attachment = &inbound->attachments[i];

		attachment->photo = attachment->image_width > 0;
		if (!attachment->photo || attachment->content_id.size == 0 ||
		    !is_small(route, attachment))
			continue;
		if (shown == NULL)
			shown = references(&inbound->html_body);
		attachment->photo = !g_hash_table_contains(shown, attachment->content_id.data);
	}
}

/* ---- one attachment ---- */

enum verdict { VERDICT_TAKEN, VERDICT_LEFT_OUT, VERDICT_REFUSED };

/* `taken`: how many there are already. */
static enum verdict judge(const struct config_route *route, struct inbound_attachment *attachment,
			  int64_t taken, enum inbound_refused *why)
{
	if (is_refused(route, attachment, why))
		return VERDICT_REFUSED;
	*why = INBOUND_REFUSED_TYPE;
	if (!is_allowed(route, attachment))
		return VERDICT_REFUSED;
	*why = INBOUND_REFUSED_SIZE;
	if ((int64_t)attachment->blob.size > route->attachment_size)
		return VERDICT_REFUSED;
	*why = INBOUND_REFUSED_COUNT;
	return taken < route->attachments_max ? VERDICT_TAKEN : VERDICT_REFUSED;
}

/* A decoration never is a reason to refuse a mail, and does not count. */
static enum verdict judge_other(const struct config_route *route,
				struct inbound_attachment *attachment, int64_t taken,
				enum inbound_refused *why)
{
	bool decoration = attachment->image_width > 0;

	if (route->attachments_other == CONFIG_OTHER_KEEP ||
	    (decoration && route->attachments_other == CONFIG_OTHER_REFUSE)) {
		enum verdict verdict = judge(route, attachment, decoration ? -1 : taken, why);

		return decoration && verdict == VERDICT_REFUSED ? VERDICT_LEFT_OUT : verdict;
	}
	*why = INBOUND_REFUSED_NO_PHOTO;
	return route->attachments_other == CONFIG_OTHER_IGNORE ? VERDICT_LEFT_OUT : VERDICT_REFUSED;
}

/* ---- the mail ---- */

struct work {
	const struct config_route *route;
	struct inbound *inbound;
	bool gallery;
	int64_t taken; /* that count */
	size_t photos; /* of these */
	bool refused;  /* at least one was, and `first` tells which */
	struct inbound_rejection first;
};

static int64_t limit_of(const struct config_route *route, enum inbound_refused why)
{
	switch (why) {
	case INBOUND_REFUSED_SIZE:
		return route->attachment_size;
	case INBOUND_REFUSED_COUNT:
		return route->attachments_max;
	case INBOUND_REFUSED_TYPE:
	case INBOUND_REFUSED_NAME:
	case INBOUND_REFUSED_NO_PHOTO:
	case INBOUND_REFUSED_ARCHIVE:
		break;
	}
	return 0;
}

/* True if it is taken. */
static bool look_at(struct work *work, struct inbound_attachment *attachment)
{
	bool other = work->gallery && !attachment->photo;
	enum verdict verdict =
		other ? judge_other(work->route, attachment, work->taken, &attachment->why)
		      : judge(work->route, attachment, work->taken, &attachment->why);

	if (verdict == VERDICT_TAKEN) {
		work->taken += other && attachment->image_width > 0 ? 0 : 1;
		work->photos += attachment->photo ? 1 : 0;
		return true;
	}
	if (verdict == VERDICT_REFUSED && !work->refused) {
		work->refused = true;
		work->first = (struct inbound_rejection){
			.is = true,
			.why = attachment->why,
			.name = attachment->name.data,
			.entry = attachment->refused_entry != NULL
					 ? attachment->refused_entry->name.data
					 : NULL,
			.limit = limit_of(work->route, attachment->why),
		};
	}
	return false;
}

/* Copies those that have bytes, or those that have none any more, to `to`. */
static size_t copy_those(const struct inbound *inbound, bool with_bytes,
			 struct inbound_attachment *to)
{
	size_t count = 0;

	for (size_t i = 0; i < inbound->attachment_count; i++)
		if ((inbound->attachments[i].blob.data != NULL) == with_bytes)
			to[count++] = inbound->attachments[i];
	return count;
}

/* The taken ones first, each kind in its order. */
static void sort_out(struct work *work)
{
	struct inbound *inbound = work->inbound;
	struct inbound_attachment *sorted =
		g_new0(struct inbound_attachment, inbound->attachment_count);

	for (size_t i = 0; i < inbound->attachment_count; i++)
		if (!look_at(work, &inbound->attachments[i]))
			g_clear_pointer(&inbound->attachments[i].blob.data, g_free);
	size_t taken = copy_those(inbound, true, sorted);

	inbound->refused = sorted + taken;
	inbound->refused_count = copy_those(inbound, false, inbound->refused);
	g_free(inbound->attachments);
	inbound->attachments = sorted;
	inbound->attachment_count = taken;
}

static bool rejects(const struct work *work)
{
	int64_t choice = work->route->attachments_refused;

	return choice == CONFIG_REFUSED_REJECT || (choice == CONFIG_REFUSED_AUTO && work->gallery);
}

void policy_apply(const struct config_route *route, struct inbound *inbound)
{
	static const struct inbound_rejection no_photo = {.is = true,
							  .why = INBOUND_REFUSED_NO_PHOTO};
	struct work work = {
		.route = route,
		.inbound = inbound,
		.gallery = strcmp(route->target, GALLERY) == 0,
	};

	if (inbound->attachment_count > 0) {
		find_photos(route, inbound);
		sort_out(&work);
	}
	if (work.refused && (rejects(&work) || (work.gallery && work.photos == 0)))
		inbound->rejection = work.first;
	else if (work.gallery && work.photos == 0)
		inbound->rejection = no_photo;
}

void policy_enforce(struct inbound *inbound)
{
	const struct inbound_rejection *why = &inbound->rejection;

	if (!why->is)
		return;
	if (why->name == NULL)
		inbound_reject(inbound, STATUS_MEDIA, "no photo for the gallery");
	else if (why->why == INBOUND_REFUSED_NO_PHOTO)
		inbound_reject(inbound, STATUS_MEDIA, "the attachment \"%s\" is no photo",
			       why->name);
	else if (why->why == INBOUND_REFUSED_SIZE)
		inbound_reject(inbound, STATUS_LARGE,
			       "the attachment \"%s\" has more than the %" G_GINT64_FORMAT
			       " bytes that the route takes",
			       why->name, why->limit);
	else if (why->why == INBOUND_REFUSED_COUNT)
		inbound_reject(inbound, STATUS_OTHER,
			       "more attachments than the %" G_GINT64_FORMAT
			       " that the route takes",
			       why->limit);
	else if (why->why == INBOUND_REFUSED_ARCHIVE)
		inbound_reject(inbound, STATUS_MEDIA,
			       "the attachment \"%s\" is an archive in which not all names can be "
			       "read",
			       why->name);
	else if (why->entry != NULL)
		inbound_reject(
			inbound, STATUS_MEDIA,
			"the attachment \"%s\" has in it \"%s\", which is not of a kind that "
			"the route takes",
			why->name, why->entry);
	else
		inbound_reject(inbound, STATUS_MEDIA,
			       "the attachment \"%s\" is not of a kind that the route takes",
			       why->name);
}
