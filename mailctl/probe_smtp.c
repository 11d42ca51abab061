#include "mailctl/probe_smtp.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/hostport.h"
#include "mailout/sender_socket.h"

#define STATUS "4.4.1" /* RFC 3463: no answer from host */

enum { SMTP_PORT = 25, REPLY_MAX = 4096, CODE_SIZE = 3 };

/* The last line of a reply has a blank, or nothing, behind its code (RFC 5321, 4.2.1). */
static bool is_whole(const GString *reply)
{
	const char *last;

	if (reply->len < 2 || reply->str[reply->len - 1] != '\n')
		return false;
	last = g_strrstr_len(reply->str, (gssize)reply->len - 1, "\n");
	last = last != NULL ? last + 1 : reply->str;
	return strlen(last) > CODE_SIZE && last[CODE_SIZE] != '-';
}

static bool read_reply(int fd, GString *reply, struct deadline deadline)
{
	char piece[BUFSIZ];

	g_string_truncate(reply, 0);
	while (!is_whole(reply)) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		int ready = poll(&readable, 1, deadline_left_ms(deadline));
		ssize_t size = ready > 0 ? recv(fd, piece, sizeof(piece), 0) : -1;

		if (ready == 0)
			errno = ETIMEDOUT;
		if (size < 0 && errno == EINTR)
			continue;
		if (size == 0)
			errno = ECONNRESET;
		if (size <= 0 || reply->len + (size_t)size > REPLY_MAX)
			return false;
		g_string_append_len(reply, piece, size);
	}
	return true;
}

static bool expect(int fd, const char *code, GString *reply, const char *step,
		   struct deadline deadline, struct reason *reason)
{
	if (!read_reply(fd, reply, deadline)) {
		outcome_retry(reason, STATUS, "%s: %s", step, g_strerror(errno));
		return false;
	}
	if (g_str_has_prefix(reply->str, code))
		return true;
	outcome_retry(reason, STATUS, "%s: %s", step, g_strchomp(reply->str));
	return false;
}

/* Short enough for any socket's buffer. */
static bool say(int fd, const char *line)
{
	return send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line);
}

static bool converse(int fd, const struct config *config, struct deadline deadline,
		     struct reason *reason)
{
	const char *name = *config->smtp_helo != '\0' ? config->smtp_helo : g_get_host_name();
	g_autofree char *ehlo = g_strdup_printf("EHLO %s\r\n", name);
	g_autoptr(GString) reply = g_string_new(NULL);

	if (!expect(fd, "220", reply, "greeting", deadline, reason))
		return false;
	if (!say(fd, ehlo)) {
		outcome_retry(reason, STATUS, "EHLO: %s", g_strerror(errno));
		return false;
	}
	if (!expect(fd, "250", reply, "EHLO", deadline, reason))
		return false;
	say(fd, "QUIT\r\n");
	return true;
}

static bool try_host(const struct config *config, const char *host, struct deadline deadline,
		     struct reason *reason)
{
	struct hostport to;

	if (!hostport_parse(&to, host, SMTP_PORT)) {
		outcome_retry(reason, STATUS, "no host[:port]");
		return false;
	}
	int fd = sender_socket_dial(&to, deadline, reason);
	bool fine = fd >= 0 && converse(fd, config, deadline, reason);

	if (fd >= 0)
		close(fd);
	hostport_clear(&to);
	return fine;
}

enum outcome probe_smtp(const struct config *config, struct deadline deadline,
			struct reason *reason)
{
	g_autoptr(GString) all = g_string_new(NULL);
	int left = (int)g_strv_length(config->smtp_hosts);

	for (char **host = config->smtp_hosts; *host != NULL; host++, left--) {
		struct deadline share = deadline_in(deadline_left_ms(deadline) / left);
		struct reason why = {.text = ""};

		if (try_host(config, *host, share, &why))
			return OUTCOME_OK;
		g_string_append_printf(all, "%s%s: %s", all->len > 0 ? "; " : "", *host, why.text);
	}
	return outcome_retry(reason, STATUS, "%s", all->str);
}
