#include "mailout/request_check.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DELETE = 0x7F, C1_LEAD = 0xC2, C1_FIRST = 0x80, C1_LAST = 0x9F };

__attribute__((format(printf, 4, 0))) static void
fail(struct check *check, const char *status, const char *path, const char *format, va_list args)
{
	if (check->failed)
		return;
	g_autofree char *text = g_strdup_vprintf(format, args);

	outcome_reject(check->reason, status, "%s: %s", path, text);
	check->failed = true;
}

void check_fail(struct check *check, const char *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(check, "5.6.0", path, format, args);
	va_end(args);
}

void check_fail_as(struct check *check, const char *status, const char *path, const char *format,
		   ...)
{
	va_list args;

	va_start(args, format);
	fail(check, status, path, format, args);
	va_end(args);
}

/* ---- objects ---- */

struct visit {
	struct check *check;
	const char *path;
	const struct check_field *fields;
	size_t count;
	void *to;
};

/* A name in the wrong case is the likeliest slip. */
static void unknown(const struct visit *visit, const char *key)
{
	char path[CHECK_PATH_MAX];

	g_snprintf(path, sizeof(path), "%s%s", visit->path, key);
	for (size_t i = 0; i < visit->count; i++) {
		if (g_ascii_strcasecmp(visit->fields[i].name, key) == 0) {
			check_fail(visit->check, path, "unknown field; it is spelt %s",
				   visit->fields[i].name);
			return;
		}
	}
	check_fail(visit->check, path, "unknown field");
}

static bool visit_member(const char *key, const struct wire *value, void *context)
{
	const struct visit *visit = context;
	char path[CHECK_PATH_MAX];

	for (size_t i = 0; i < visit->count; i++) {
		const struct check_field *field = &visit->fields[i];

		if (strcmp(field->name, key) != 0)
			continue;
		g_snprintf(path, sizeof(path), "%s%s", visit->path, key);
		if (value != NULL)
			field->read(visit->check, field, path, value, visit->to);
		return !visit->check->failed;
	}
	unknown(visit, key);
	return false;
}

void check_object(struct check *check, const char *path, const struct wire *value,
		  const struct check_field *fields, size_t count, void *to)
{
	char prefix[CHECK_PATH_MAX];
	struct visit visit = {check, prefix, fields, count, to};

	if (check->failed)
		return;
	if (strcmp(wire_type_name(value), "object") != 0) {
		check_fail(check, *path == '\0' ? "request" : path, "object expected, not %s",
			   wire_type_name(value));
		return;
	}
	g_snprintf(prefix, sizeof(prefix), "%s%s", path, *path == '\0' ? "" : ".");
	wire_each(value, visit_member, &visit);
}

/* ---- texts ---- */

const char *check_string(struct check *check, const char *path, const struct wire *value,
			 size_t max)
{
	size_t size;
	const char *text = wire_textn(value, &size);

	if (check->failed)
		return NULL;
	if (text == NULL)
		check_fail(check, path, "string expected, not %s", wire_type_name(value));
	else if (memchr(text, '\0', size) != NULL)
		check_fail(check, path, "NUL character");
	else if (max > 0 && size > max)
		check_fail(check, path, "%zu bytes, more than %zu", size, max);
	return check->failed ? NULL : text;
}

/* C0 but for the tab, DEL and, in UTF-8, C1. */
static const char *control_character(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if ((*p < ' ' && *p != '\t') || *p == DELETE ||
		    (*p == C1_LEAD && p[1] >= C1_FIRST && p[1] <= C1_LAST))
			return (const char *)p;
	}
	return NULL;
}

bool check_is_line(struct check *check, const char *path, const char *text)
{
	const char *control = control_character(text);

	if (control == NULL)
		return true;
	if (*control == '\r' || *control == '\n')
		check_fail(check, path, "line break");
	else
		check_fail(check, path, "control character U+%04X", g_utf8_get_char(control));
	return false;
}

static void set_text(void *to, size_t offset, char *text)
{
	char **member = (char **)((char *)to + offset);

	g_free(*member);
	*member = text;
}

void check_text(struct check *check, const struct check_field *field, const char *path,
		const struct wire *value, void *to)
{
	const char *text = check_string(check, path, value, field->max);

	if (text != NULL)
		set_text(to, field->offset, g_strdup(text));
}

void check_line(struct check *check, const struct check_field *field, const char *path,
		const struct wire *value, void *to)
{
	const char *text = check_string(check, path, value, field->max);

	if (text == NULL || !check_is_line(check, path, text))
		return;
	set_text(to, field->offset, g_strdelimit(g_strdup(text), "\t", ' '));
}

void check_bool(struct check *check, const struct check_field *field, const char *path,
		const struct wire *value, void *to)
{
	if (!wire_bool(value, (bool *)((char *)to + field->offset)))
		check_fail(check, path, "boolean expected, not %s", wire_type_name(value));
}
