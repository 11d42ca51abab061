#include "common/hostport.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

enum { PORT_MAX = 65535, DECIMAL = 10 };

static bool parse_port(const char *text, int *port)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(text, DECIMAL, 1, PORT_MAX, &number, NULL))
		return false;
	*port = (int)number;
	return true;
}

static bool is_ip(int family, const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(family, text, address) == 1;
}

/* "[address]" or "[address]:port" */
static bool parse_bracketed(struct hostport *to, const char *text)
{
	const char *end = strchr(text, ']');

	if (end == NULL || (end[1] != '\0' && end[1] != ':'))
		return false;
	if (end[1] == ':' && !parse_port(end + 2, &to->port))
		return false;
	to->host = g_strndup(text + 1, (gsize)(end - text - 1));
	to->ip_literal = is_ip(AF_INET6, to->host);
	if (!to->ip_literal)
		hostport_clear(to);
	return to->ip_literal;
}

bool hostport_parse(struct hostport *to, const char *text, int default_port)
{
	const char *colon = strchr(text, ':');

	*to = (struct hostport){.port = default_port};
	if (text[0] == '[')
		return parse_bracketed(to, text);
	if (colon != NULL && strchr(colon + 1, ':') != NULL) { /* a bare IPv6 address */
		to->ip_literal = is_ip(AF_INET6, text);
		to->host = to->ip_literal ? g_strdup(text) : NULL;
		return to->ip_literal;
	}
	if (colon == text || text[0] == '\0' ||
	    (colon != NULL && !parse_port(colon + 1, &to->port)))
		return false;
	to->host = colon != NULL ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
	to->ip_literal = is_ip(AF_INET, to->host);
	return true;
}

void hostport_clear(struct hostport *hostport)
{
	g_clear_pointer(&hostport->host, g_free);
}

char *hostport_text(const struct hostport *hostport)
{
	bool brackets = strchr(hostport->host, ':') != NULL;

	return g_strdup_printf("%s%s%s:%d", brackets ? "[" : "", hostport->host,
			       brackets ? "]" : "", hostport->port);
}
