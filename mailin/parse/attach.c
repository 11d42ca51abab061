#include "mailin/parse/attach.h"

#include "common/sha256.h"
#include "mailin/parse/archive.h"
#include "mailin/parse/detect.h"
#include "mailin/parse/encoded_word.h"
#include "mailin/parse/filename.h"
#include "mailin/parse/image.h"
#include "mailin/parse/tnef.h"
#include "mailin/parse/transfer.h"

/* Of the parser's processor time, what all archives of a mail may take: the mail comes first. */
enum { ARCHIVES_CPU_SHARE = 2, US_PER_MS = 1000 };

struct attachments {
	const struct config_limits *limits;
	struct defects *defects;
	struct wire *array;
	size_t count; /* the position of the next one, from 0 */
	struct archive_room room;
	GPtrArray *owned; /* decoded bytes */
	GPtrArray *tnefs; /* opened, for the document borrows from them */
	const char *text;
	const char *html;
};

/* What the document says of one attachment; all borrowed. */
struct item {
	const char *name; /* not safe yet, or NULL */
	const char *type;
	const char *content_id;
	const char *disposition;
	struct span data;
};

static void free_tnef(gpointer tnef)
{
	struct tnef *t = tnef;
	tnef_free(&t);
}

struct attachments *attachments_new(const struct config_limits *limits, struct defects *defects)
{
	struct attachments *a = g_new0(struct attachments, 1);

	a->limits = limits;
	a->room = (struct archive_room){
		.entries = limits->archive_entries,
		.bytes = limits->archive_bytes,
		.cpu_us = limits->parse_cpu * US_PER_MS / ARCHIVES_CPU_SHARE,
	};
	a->defects = defects;
	a->array = wire_array();
	a->owned = g_ptr_array_new_with_free_func(g_free);
	a->tnefs = g_ptr_array_new_with_free_func(free_tnef);
	return a;
}

void attachments_free(struct attachments **attachments)
{
	struct attachments *a = *attachments;

	if (a == NULL)
		return;
	wire_free(&a->array);
	g_ptr_array_free(a->owned, TRUE);
	g_ptr_array_free(a->tnefs, TRUE);
	g_free(a);
	*attachments = NULL;
}

struct wire *attachments_take(struct attachments *attachments)
{
	struct wire *array = attachments->array;
	attachments->array = wire_array();
	return array;
}

const char *attachments_text(const struct attachments *attachments)
{
	return attachments->text;
}

const char *attachments_html(const struct attachments *attachments)
{
	return attachments->html;
}

static bool is_full(struct attachments *a)
{
	if ((int64_t)a->count < a->limits->attachments)
		return false;
	defect_note(a->defects, DEFECT_ATTACHMENTS_MANY);
	return true;
}

/* RFC 2183, 2.8: what is unknown means attachment. */
static const char *known_disposition(const char *disposition)
{
	if (disposition == NULL)
		return "";
	return strcmp(disposition, "inline") == 0 ? "inline" : "attachment";
}

static void set_image(struct wire *object, const char *type, struct span data, int64_t pixels_max)
{
	struct image image;

	if (!image_read(type, data.data, data.size, pixels_max, &image))
		return;
	struct wire *values = wire_object();
	wire_set_int(values, "Width", image.width);
	wire_set_int(values, "Height", image.height);
	wire_set_int(values, "Orientation", image.orientation);
	wire_set(object, "Image", values);
}

static void add_item(struct attachments *a, const struct item *item)
{
	unsigned char digest[SHA256_SIZE];
	char hex[SHA256_TEXT_SIZE];
	g_autofree char *name = NULL;

	if (is_full(a))
		return;
	a->count++;
	if (item->name != NULL)
		name = filename_safe(item->name, (size_t)a->limits->filename_bytes);
	if (name == NULL)
		name = filename_invent(a->count, item->type);
	sha256_of(item->data.data, item->data.size, digest);
	struct wire *object = wire_object();
	wire_set_text(object, "Name", name);
	wire_set_text(object, "ContentType", item->type);
	wire_set_int(object, "ContentLength", (int64_t)item->data.size);
	wire_set_text(object, "ContentID", item->content_id == NULL ? "" : item->content_id);
	wire_set_text(object, "Disposition", known_disposition(item->disposition));
	const char *detected = detect_type(item->data.data, item->data.size);
	wire_set_text(object, "DetectedType", detected);
	wire_set_text(object, "Sha256", sha256_text(digest, hex));
	set_image(object, detected, item->data, a->limits->image_pixels);
	if (archive_is(detected, name))
		wire_set(object, "Archive",
			 archive_describe(detected, name, item->data.data, item->data.size,
					  (size_t)a->limits->filename_bytes, &a->room));
	wire_set_base64(object, "Content", item->data.data, item->data.size);
	wire_append(a->array, object);
}

static char *part_name(const struct part *part, struct defects *defects)
{
	char *name = NULL;

	if (part->disposition_params != NULL)
		name = params_text(part->disposition_params, "filename", defects);
	if (name == NULL && part->disposition_params != NULL)
		name = params_text(part->disposition_params, "name", defects);
	if (name == NULL && part->type_params != NULL)
		name = params_text(part->type_params, "name", defects);
	if (name == NULL && part->type_params != NULL)
		name = params_text(part->type_params, "filename", defects);
	return name;
}

/* Without the angle brackets. */
static char *part_content_id(const struct part *part, struct defects *defects)
{
	const struct field *field = mime_field(part, "Content-ID");
	if (field == NULL)
		return NULL;
	char *id = encoded_word_decode(field->value, NULL, defects);
	size_t size = strlen(id);
	if (size > 0 && id[size - 1] == '>')
		id[size - 1] = '\0';
	if (id[0] == '<')
		memmove(id, id + 1, strlen(id));
	return id;
}

/* MS-OXTNEF, 2.1.3.1: the signature. */
static bool is_tnef(const struct part *part, const char *name, struct span data)
{
	static const char signature[] = {0x78, (char)0x9F, 0x3E, 0x22};

	if (data.size < sizeof(signature) || memcmp(data.data, signature, sizeof(signature)) != 0)
		return false;
	return strcmp(part->type, "application/ms-tnef") == 0 ||
	       strcmp(part->type, "application/vnd.ms-tnef") == 0 ||
	       (name != NULL && g_ascii_strcasecmp(name, "winmail.dat") == 0);
}

/* In lower case; NULL if it is no media type. */
static char *known_type(const char *type)
{
	struct defects ignored;

	if (type == NULL)
		return NULL;
	struct params *params = params_parse((struct span){type, strlen(type)}, &ignored);
	g_autofree char *value = g_strdup(params_value(params));
	params_free(&params);
	const char *slash = strchr(value, '/');
	return slash != NULL && slash > value && slash[1] != '\0' ? g_steal_pointer(&value) : NULL;
}

/* False if it could not be opened, nothing is in it or something may be missing. */
static bool add_tnef(struct attachments *a, struct span data)
{
	static const char rtf_type[] = "application/rtf";
	int64_t room = a->limits->attachments - (int64_t)a->count;
	/* One more than there is room for, so that it is seen that there are too many. */
	struct tnef *tnef = tnef_open(data.data, data.size, (size_t)MAX(room, 0) + 1);

	if (tnef == NULL)
		return false;
	g_ptr_array_add(a->tnefs, tnef);
	if (tnef->file_count == 0 && tnef->text == NULL && tnef->html == NULL && tnef->rtf == NULL)
		return false;
	for (size_t i = 0; i < tnef->file_count; i++) {
		const struct tnef_file *file = &tnef->files[i];
		struct item item = {
			.name = file->name,
			.content_id = file->content_id,
			.disposition = file->content_id == NULL ? "attachment" : "inline",
			.data = {(const char *)file->data, file->size},
		};
		g_autofree char *type = known_type(file->content_type);
		item.type = type != NULL ? type : detect_type(file->data, file->size);
		add_item(a, &item);
	}
	if (a->text == NULL)
		a->text = tnef->text;
	if (a->html == NULL)
		a->html = tnef->html;
	if (tnef->rtf != NULL && tnef->html == NULL) {
		struct item item = {
			"message.rtf", rtf_type, NULL, "attachment", {tnef->rtf, tnef->rtf_size}};
		add_item(a, &item);
	}
	return !tnef->broken;
}

void attachments_add(struct attachments *a, const struct part *part)
{
	if (is_full(a))
		return;
	char *owned;
	struct span data = transfer_decode(part, &owned, a->defects);
	if (owned != NULL)
		g_ptr_array_add(a->owned, owned);
	g_autofree char *name = part_name(part, a->defects);
	if (is_tnef(part, name, data)) {
		if (add_tnef(a, data))
			return;
		defect_note(a->defects, DEFECT_TNEF);
	}
	g_autofree char *id = part_content_id(part, a->defects);
	struct item item = {
		.name = name,
		.type = part->type,
		.content_id = id,
		.disposition = part->disposition,
		.data = data,
	};
	add_item(a, &item);
}
