#include "mailout/request_check.h"

#include <glib.h>
#include <string.h>

enum { CONTENT_TYPE_MAX = 255, CONTENT_ID_MAX = 250 };

void request_attachment_clear(struct request_attachment *attachment)
{
	g_free(attachment->name);
	g_free(attachment->content_type);
	g_free(attachment->content_id);
	g_free(attachment->data);
	*attachment = (struct request_attachment){0};
}

/* A path would be nobody's business; some clients' libraries send it. */
static void check_name(struct check *check, const struct check_field *field, const char *path,
		       const struct wire *value, void *to)
{
	struct request_attachment *attachment = to;
	size_t max = (size_t)check->config->limits.filename_bytes;

	check_line(check, field, path, value, to);
	if (check->failed)
		return;
	g_strdelimit(g_strstrip(attachment->name), "/\\", '_');
	if (attachment->name[0] == '\0')
		check_fail(check, path, "empty");
	else if (strlen(attachment->name) > max)
		check_fail(check, path, "%zu bytes, more than %zu (limits.filename_bytes)",
			   strlen(attachment->name), max);
}

static void check_content(struct check *check, const struct check_field *field, const char *path,
			  const struct wire *value, void *to)
{
	struct request_attachment *attachment = to;

	(void)field;
	if (wire_text(value) == NULL) {
		check_fail(check, path, "string expected, not %s", wire_type_name(value));
		return;
	}
	g_free(attachment->data);
	attachment->data = wire_base64(value, &attachment->size);
	if (attachment->data == NULL)
		check_fail(check, path, "no base64");
}

/* RFC 2045, 5.1: type/subtype and parameters. */
static void check_content_type(struct check *check, const struct check_field *field,
			       const char *path, const struct wire *value, void *to)
{
	const struct request_attachment *attachment = to;

	check_line(check, field, path, value, to);
	if (!check->failed && !request_is_media_type(attachment->content_type))
		check_fail(check, path, "no media type: \"%s\"", attachment->content_type);
}

/* As HTML has it behind "cid:"; client libraries give it with that or in angle brackets. */
static void check_content_id(struct check *check, const struct check_field *field, const char *path,
			     const struct wire *value, void *to)
{
	struct request_attachment *attachment = to;

	check_line(check, field, path, value, to);
	if (check->failed)
		return;
	char *id = attachment->content_id;
	const char *start = g_str_has_prefix(id, "cid:") ? id + strlen("cid:") : id;
	size_t size = strlen(start);

	if (size >= 2 && start[0] == '<' && start[size - 1] == '>') {
		start++;
		size -= 2;
	}
	attachment->content_id = g_strndup(start, size);
	g_free(id);
	for (const char *p = attachment->content_id; *p != '\0'; p++) {
		if (!g_ascii_isgraph(*p) || strchr("<>\"()\\", *p) != NULL) {
			check_fail(check, path, "no content id: \"%s\"", attachment->content_id);
			return;
		}
	}
	if (attachment->content_id[0] == '\0')
		g_clear_pointer(&attachment->content_id, g_free);
}

static void check_attachment_id(struct check *check, const struct check_field *field,
				const char *path, const struct wire *value, void *to)
{
	struct request_attachment *attachment = to;
	const char *text = check_string(check, path, value, field->max);

	if (text == NULL)
		return;
	if (!id_parse(&attachment->stored, text))
		check_fail(check, path, "no UUID: \"%s\"", text);
	attachment->is_stored = true;
}

static void check_whole(struct check *check, const char *path,
			const struct request_attachment *attachment)
{
	if (attachment->is_stored && attachment->data != NULL)
		check_fail(check, path, "Content and AttachmentID exclude each other");
	else if (!attachment->is_stored && attachment->data == NULL)
		check_fail(check, path, "Content (base64) or AttachmentID is missing");
	else if (!attachment->is_stored && attachment->name == NULL)
		check_fail(check, path, "Name is missing");
}

/* Two parts of one id: HTML would show either. */
static void check_unique(struct check *check, const char *path, const struct request *request,
			 const struct request_attachment *attachment)
{
	for (size_t i = 0; attachment->content_id != NULL && i < request->attachment_count; i++) {
		if (g_strcmp0(request->attachments[i].content_id, attachment->content_id) == 0)
			check_fail(check, path, "the ContentID \"%s\" is used twice",
				   attachment->content_id);
	}
}

static void read_attachment(struct check *check, const char *path, const struct wire *value,
			    struct request *request)
{
	static const struct check_field fields[] = {
		{"Name", check_name, offsetof(struct request_attachment, name), 0},
		{"Content", check_content, 0, 0},
		{"ContentType", check_content_type,
		 offsetof(struct request_attachment, content_type), CONTENT_TYPE_MAX},
		{"ContentID", check_content_id, offsetof(struct request_attachment, content_id),
		 CONTENT_ID_MAX},
		{"AttachmentID", check_attachment_id, 0, 0},
	};
	struct request_attachment attachment = {0};

	check_object(check, path, value, fields, G_N_ELEMENTS(fields), &attachment);
	if (!check->failed)
		check_whole(check, path, &attachment);
	if (!check->failed)
		check_unique(check, path, request, &attachment);
	if (check->failed)
		request_attachment_clear(&attachment);
	else
		request->attachments[request->attachment_count++] = attachment;
}

void check_attachments(struct check *check, const struct check_field *field, const char *path,
		       const struct wire *value, void *to)
{
	struct request *request = to;
	char element_path[CHECK_PATH_MAX];
	size_t max = (size_t)check->config->limits.attachments;

	(void)field;
	if (strcmp(wire_type_name(value), "array") != 0) {
		check_fail(check, path, "list expected, not %s", wire_type_name(value));
		return;
	}
	if (wire_length(value) > max) {
		check_fail(check, path, "%zu attachments, more than %zu (limits.attachments)",
			   wire_length(value), max);
		return;
	}
	request->attachments = g_new0(struct request_attachment, wire_length(value) + 1);
	for (size_t i = 0; i < wire_length(value) && !check->failed; i++) {
		struct wire *element = wire_at(value, i);

		g_snprintf(element_path, sizeof(element_path), "%s[%zu]", path, i);
		read_attachment(check, element_path, element, request);
		/* It is most of the memory, and decoded now. */
		if (!check->failed && wire_get(element, "Content") != NULL)
			wire_set_text(element, "Content", "");
	}
}
