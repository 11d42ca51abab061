/*
 * "host", "host:port", "192.0.2.1:5672", "[::1]", "[::1]:5672" and "::1" (RFC 3986, section 3.2.2,
 * and the bare form that people write all the same).
 */
#ifndef COMMON_HOSTPORT_H
#define COMMON_HOSTPORT_H

#include <stdbool.h>

struct hostport {
	char *host; /* without brackets */
	int port;
	bool ip_literal; /* IPv4 or IPv6, no name */
};

/* False, and nothing to clear, if the text is none of the forms or the port is not 1 to 65535. */
bool hostport_parse(struct hostport *to, const char *text, int default_port);
void hostport_clear(struct hostport *hostport);

/* "host:port", with brackets where they are needed; g_free() it. */
char *hostport_text(const struct hostport *hostport);

#endif
