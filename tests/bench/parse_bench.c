/*
 * What reply text and verdicts take of a parser's time: parse_bench MAIL AUTHSERV-ID
 *
 * Prints two numbers, each the nanoseconds of the best of many rounds: the whole parsing of the
 * mail to a printed document, and that part of it which splits the text and reads
 * Authentication-Results.
 */
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mailin/document.h"
#include "mailin/parse/mime.h"
#include "mailin/parse/parse.h"
#include "mailin/parse/reply.h"
#include "mailin/parse/verdicts.h"

enum { ROUNDS = 2000, WARM_UP = 100, HOPS = 2, NS_PER_S = 1000 * 1000 * 1000 };

struct bench {
	char *mail;
	size_t size;
	char *authserv_ids[2];
	struct config *config;
	int out;
};

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static struct wire *skeleton(const struct bench *bench)
{
	const struct envelope envelope = {
		.queue_id = "4bKxYJ5sG9z1Wk2",
		.sender = "jane@client.example.net",
		.recipient = "support@example.test",
		.client_address = "192.0.2.7",
		.client_name = "client.example.net",
		.helo = "client.example.net",
		.sasl_username = "",
		.size = (int64_t)bench->size,
	};
	struct id id;

	id_new(&id);
	return document_new(&envelope, "support", &id, "+", 0);
}

static struct document_job job_for(struct bench *bench, struct wire *document)
{
	return (struct document_job){.document = document,
				     .limits = bench->config->limits,
				     .raw = CONFIG_RAW_DEFECT,
				     .loop = "mailpipe/bench",
				     .authserv_ids = bench->authserv_ids,
				     .authserv_hops = HOPS};
}

/* What `document` becomes. */
static void parse(struct bench *bench, struct wire *document)
{
	const struct document_job job = job_for(bench, document);

	parse_mail(bench->mail, bench->size, &job);
	if (wire_write(document, bench->out, false) != 0)
		exit(EXIT_FAILURE);
}

static long long whole(struct bench *bench)
{
	long long begun = now_ns();
	struct wire *document = skeleton(bench);

	parse(bench, document);
	wire_free(&document);
	return now_ns() - begun;
}

/* As parse_mail() does it, with what it has found out before. */
static long long part(struct bench *bench, const struct wire *parsed, const struct part *root,
		      const char *from_domain)
{
	const char *text = wire_get_text(parsed, "TextBody");
	const struct reply_hints hints = {.subject = wire_get_text(parsed, "Subject")};
	struct wire *document = skeleton(bench);
	struct wire *mailpipe = wire_get_object(document, "Mailpipe");
	const struct document_job job = job_for(bench, document);
	struct defects defects = {0};
	struct reply reply;
	long long begun = now_ns();

	reply_split(text, strlen(text), &hints, &reply);
	wire_set_text(document, "StrippedTextReply", reply.text);
	wire_set_text(mailpipe, "StrippedQuote", reply.quote);
	wire_set_text(mailpipe, "ReplyRule", reply.rule);
	reply_clear(&reply);
	verdicts_write(root, &job, from_domain, mailpipe, &defects);
	long long taken = now_ns() - begun;
	wire_free(&document);
	return taken;
}

int main(int argc, char **argv)
{
	struct bench bench = {.config = config_default(), .out = open("/dev/null", O_WRONLY)};
	struct defects defects = {0};
	long long all = -1;
	long long some = -1;

	if (argc != 3 || bench.out < 0 ||
	    !g_file_get_contents(argv[1], &bench.mail, &bench.size, NULL)) {
		fprintf(stderr, "usage: parse_bench MAIL AUTHSERV-ID\n");
		return EXIT_FAILURE;
	}
	bench.authserv_ids[0] = argv[2];
	parse_init();
	parse_prepare(bench.mail, bench.size);
	struct wire *parsed = skeleton(&bench);
	parse(&bench, parsed);
	struct part *root =
		mime_parse((struct span){bench.mail, bench.size}, &bench.config->limits, &defects);
	const char *email = wire_get_text(wire_get_object(parsed, "FromFull"), "Email");
	const char *at = email != NULL ? strrchr(email, '@') : NULL;
	for (unsigned int i = 0; i < WARM_UP + ROUNDS; i++) {
		long long one = part(&bench, parsed, root, at != NULL ? at + 1 : "");
		long long other = whole(&bench);

		if (i >= WARM_UP && (some < 0 || one < some))
			some = one;
		if (i >= WARM_UP && (all < 0 || other < all))
			all = other;
	}
	mime_free(&root);
	wire_free(&parsed);
	parse_deinit();
	printf("%lld\n%lld\n", all, some);
	config_free(&bench.config);
	g_free(bench.mail);
	close(bench.out);
	return EXIT_SUCCESS;
}
