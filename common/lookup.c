#include "common/lookup.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/hostport.h"

#define STATUS "4.4.3" /* RFC 3463: directory server failure */

struct host {
	const char *text; /* as configured */
	struct hostport place;
	bool usable;
	bool asked; /* the resolver; else the address is there in numbers */
	struct gaicb request;
	struct addrinfo hints;
};

struct lookup {
	struct host *hosts;
	size_t count;
};

static void free_address(void *pointer)
{
	struct lookup_address *address = pointer;

	g_free(address->address);
	g_free(address);
}

static void ask(struct host *host)
{
	struct gaicb *list[] = {&host->request};

	host->hints = (struct addrinfo){.ai_socktype = SOCK_STREAM};
	host->request.ar_name = host->place.host;
	host->request.ar_request = &host->hints;
	host->asked = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0;
	host->usable = host->asked;
}

struct lookup *lookup_begin(char *const *hosts, int default_port)
{
	struct lookup *lookup = g_new0(struct lookup, 1);

	while (hosts[lookup->count] != NULL)
		lookup->count++;
	lookup->hosts = g_new0(struct host, lookup->count);
	for (size_t i = 0; i < lookup->count; i++) {
		struct host *host = &lookup->hosts[i];

		host->text = hosts[i];
		host->usable = hostport_parse(&host->place, hosts[i], default_port);
		if (host->usable && !host->place.ip_literal)
			ask(host);
	}
	return lookup;
}

bool lookup_done(const struct lookup *lookup)
{
	for (size_t i = 0; i < lookup->count; i++) {
		struct host *host = &lookup->hosts[i];

		if (host->asked && gai_error(&host->request) == EAI_INPROGRESS)
			return false;
	}
	return true;
}

static void add(GPtrArray *to, const char *address, int port)
{
	struct lookup_address *one = g_new0(struct lookup_address, 1);

	one->address = g_strdup(address);
	one->port = port;
	g_ptr_array_add(to, one);
}

static void add_found(GPtrArray *to, struct host *host, struct reason *reason)
{
	int error = gai_error(&host->request);
	char text[NI_MAXHOST];

	if (error != 0) {
		outcome_retry(reason, STATUS, "%s: %s", host->text,
			      error == EAI_INPROGRESS ? "the resolver does not answer"
						      : gai_strerror(error));
		return;
	}
	for (const struct addrinfo *a = host->request.ar_result; a != NULL; a = a->ai_next)
		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0,
				NI_NUMERICHOST) == 0)
			add(to, text, host->place.port);
}

GPtrArray *lookup_addresses(const struct lookup *lookup, struct reason *reason)
{
	GPtrArray *addresses = g_ptr_array_new_with_free_func(free_address);

	for (size_t i = 0; i < lookup->count; i++) {
		struct host *host = &lookup->hosts[i];

		if (!host->usable)
			outcome_retry(reason, STATUS, "%s: is no host[:port]", host->text);
		else if (host->asked)
			add_found(addresses, host, reason);
		else
			add(addresses, host->place.host, host->place.port);
	}
	return addresses;
}

/* False if the resolver still works with it. */
static bool end(struct host *host)
{
	if (host->asked) {
		if (gai_cancel(&host->request) == EAI_NOTCANCELED)
			return false;
		if (host->request.ar_result != NULL)
			freeaddrinfo(host->request.ar_result);
	}
	hostport_clear(&host->place);
	return true;
}

void lookup_free(struct lookup **lookup)
{
	struct lookup *old = *lookup;
	bool ended = true;

	if (old == NULL)
		return;
	*lookup = NULL;
	for (size_t i = 0; i < old->count; i++)
		ended = end(&old->hosts[i]) && ended;
	/* What the resolver's thread still writes to is left to it. */
	if (ended)
		g_free(old->hosts);
	g_free(old);
}
