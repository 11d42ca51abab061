#include "mailout/sender_check.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

/* Behind the quoted string (RFC 5321, Quoted-string) that begins here, or NULL. */
static const char *skip_quoted(const char *p)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p < ' ' || *p > '~')
			return NULL;
	}
	return p + 1;
}

static bool is_plain(char c)
{
	return c > ' ' && c <= '~' && strchr("<>()\",;\\", c) == NULL;
}

bool sender_address_ok(const char *address)
{
	const char *p = address;

	if (strlen(address) > SENDER_ADDRESS_MAX)
		return false;
	if (*p == '"') {
		p = skip_quoted(p);
		if (p == NULL)
			return false;
	} else {
		while (is_plain(*p) && *p != '@')
			p++;
	}
	if (p == address || *p != '@' || p[1] == '\0')
		return false;
	for (p++; *p != '\0'; p++) {
		if (!is_plain(*p) || *p == '@')
			return false;
	}
	return true;
}

/* Fields that libesmtp treats specially (its headers.c): how often they may stand in a message. */
static const struct {
	const char *name;
	int minimum;
	int maximum;
	const char *fault;
} fields[] = {
	{"Date", 1, 1, "not exactly one Date field"},
	{"From", 1, 1, "not exactly one From field"},
	{"Message-Id", 1, 1, "not exactly one Message-ID field"},
	{"Sender", 0, 1, "more than one Sender field"},
	{"To", 0, 1, "more than one To field"},
	{"Cc", 0, 1, "more than one Cc field"},
	{"Reply-To", 0, 1, "more than one Reply-To field"},
	{"Disposition-Notification-To", 0, 1, "more than one Disposition-Notification-To field"},
	{"Bcc", 0, 0, "a Bcc field"},
	{"Return-Path", 0, 0, "a Return-Path field"},
	{"Original-Recipient", 0, 0, "an Original-Recipient field"},
	{"Resent-Reply-To", 0, 0, "a Resent-Reply-To field"},
};

struct header {
	bool ended; /* by an empty line */
	int count[G_N_ELEMENTS(fields)];
};

static const char *read_field(struct header *header, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);

	if (colon == NULL || colon == line)
		return "a line in the header that is no field";
	size_t name = (size_t)(colon - line);

	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (strlen(fields[i].name) == name &&
		    g_ascii_strncasecmp(fields[i].name, line, name) == 0)
			header->count[i]++;
	}
	return NULL;
}

static const char *read_header_line(struct header *header, const char *line, size_t length,
				    bool first)
{
	if (length == 0) {
		header->ended = true;
		return NULL;
	}
	if (line[0] == ' ' || line[0] == '\t')
		return first ? "a header that begins with a blank" : NULL;
	return read_field(header, line, length);
}

static const char *header_fault(const struct header *header)
{
	if (!header->ended)
		return "no empty line after the header";
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (header->count[i] < fields[i].minimum || header->count[i] > fields[i].maximum)
			return fields[i].fault;
	}
	return NULL;
}

/* Eight bytes at a time. */
static bool is_ascii(const char *data, size_t size)
{
	static const uint64_t HIGH_BITS = UINT64_C(0x8080808080808080);
	uint64_t all = 0;

	for (; size >= sizeof(all); data += sizeof(all), size -= sizeof(all)) {
		uint64_t word;

		memcpy(&word, data, sizeof(word));
		all |= word;
	}
	for (; size > 0; data++, size--)
		all |= (unsigned char)*data;
	return (all & HIGH_BITS) == 0;
}

/* Of one line without its CRLF. */
static const char *line_fault(const char *line, size_t length)
{
	if (length > SENDER_LINE_MAX)
		return "a line longer than 998 bytes";
	if (memchr(line, '\r', length) != NULL)
		return "a bare CR";
	if (memchr(line, '\0', length) != NULL)
		return "a NUL";
	return is_ascii(line, length) ? NULL : "a byte that is not ASCII";
}

const char *sender_message_fault(const char *message, size_t size)
{
	struct header header = {0};
	const char *end = message + size;

	for (const char *line = message; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		if (newline == NULL)
			return "no CRLF at its end";
		if (newline == line || newline[-1] != '\r')
			return "a bare LF";
		size_t length = (size_t)(newline - 1 - line);
		const char *fault = line_fault(line, length);

		if (fault == NULL && !header.ended)
			fault = read_header_line(&header, line, length, line == message);
		if (fault != NULL)
			return fault;
		line = newline + 1;
	}
	return header_fault(&header);
}
