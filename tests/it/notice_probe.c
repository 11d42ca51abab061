/*
 * What a worker of mailin-ingest does with a message that is late or given up, without the worker:
 *
 *	notice_probe CONFIG delayed|failed STATUS < documents
 *
 * Each line of standard input is a document of its route's queue.  Standard output gets the request
 * for each notice, standard error a word for each refusal.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/deadline.h"
#include "common/topology.h"
#include "common/wire.h"
#include "mailin/ingest/notice.h"

enum { BUFFER = 65536 };

static GString *read_input(void)
{
	GString *text = g_string_new(NULL);
	char buffer[BUFFER];
	size_t size;

	while ((size = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
		g_string_append_len(text, buffer, (gssize)size);
	return text;
}

/* "mail.in.ROUTE" of a document; g_free() it. */
static char *queue_of(const char *line)
{
	struct wire *document = wire_parse(line, strlen(line), NULL);
	const char *route = wire_get_text(document, "MessageStream");
	char *queue = topology_inbound_queue(route != NULL ? route : "");

	wire_free(&document);
	return queue;
}

static void notify(struct notices *notices, const struct config *config, enum notice_kind kind,
		   const char *status, char *line)
{
	g_autofree char *queue = queue_of(line);
	struct broker_delivery delivery = {.queue = queue, .body = line, .body_size = strlen(line)};
	struct reason reason = {.text = "a secret of ours"};
	struct inbound *inbound = inbound_read(line, strlen(line), queue, config, NULL);
	const struct notice_about about = {.kind = kind,
					   .delivery = &delivery,
					   .inbound = inbound,
					   .reason = &reason,
					   .until_ms = realtime_ms() + config->retry_max_age};
	struct notice notice;

	g_strlcpy(reason.status, status, sizeof(reason.status));
	if (notice_make(notices, &about, &notice))
		printf("%s\n", notice.body);
	else
		fprintf(stderr, "%s\n", notice.why_not);
	notice_clear(&notice);
	inbound_free(&inbound);
}

int main(int argc, char **argv)
{
	struct reason reason = {.text = ""};
	struct config *config = argc == 4 ? config_load(argv[1], &reason) : NULL;

	if (config == NULL) {
		fprintf(stderr, "notice_probe: %s\n", reason.text);
		return EXIT_FAILURE;
	}
	enum notice_kind kind = strcmp(argv[2], "failed") == 0 ? NOTICE_FAILED : NOTICE_DELAYED;
	struct notices *notices = notices_new(config, &reason);
	g_autoptr(GString) input = read_input();
	g_auto(GStrv) lines = g_strsplit(g_strchomp(input->str), "\n", -1);

	if (*reason.text != '\0')
		fprintf(stderr, "notice_probe: %s\n", reason.text);
	for (size_t i = 0; lines[i] != NULL; i++)
		notify(notices, config, kind, argv[3], lines[i]);
	notices_free(&notices);
	config_free(&config);
	return EXIT_SUCCESS;
}
