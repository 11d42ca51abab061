/*
 * usage: compose_probe [STREAM] <request.json: the message that mailout would build, or the reason
 * why not. Exit 1: refused.  Exit 2: to be tried again.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "mailout/build.h"

static int refuse(enum outcome outcome, const struct reason *reason)
{
	fprintf(stderr, "%s %s\n", reason->status, reason->text);
	return outcome == OUTCOME_REJECT ? 1 : 2;
}

int main(int argc, char **argv)
{
	enum { REQUEST_MAX = 64 << 20, DATE = 1700000000 };
	struct reason reason = {0};
	enum outcome outcome = OUTCOME_REJECT;
	struct config *config = config_default();
	g_autofree char *body = g_malloc(REQUEST_MAX);
	size_t size = fread(body, 1, REQUEST_MAX, stdin);

	build_init();
	struct request *request = request_new(
		body, size, NULL, argc > 1 ? argv[1] : "transactional", config, &reason);

	if (request == NULL)
		return refuse(outcome, &reason);
	if (request->from.email[0] == '\0')
		outcome = request_set_from(request, config->mailout_from, &reason);
	const struct build_input input = {
		.request = request, .config = config, .date = DATE, .boundary = "boundary"};
	GBytes *message = build_message(&input, &outcome, &reason);

	if (message == NULL)
		return refuse(outcome, &reason);
	fwrite(g_bytes_get_data(message, NULL), 1, g_bytes_get_size(message), stdout);
	g_bytes_unref(message);
	request_free(&request);
	config_free(&config);
	return 0;
}
