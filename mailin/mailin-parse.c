/*
 * mailin-parse: turns one mail into its inbound document, in a sandbox.
 *
 * Started by mailin: descriptor 3 is the job (document_job_print()), read to its end first;
 * descriptor 0 the mail, complete by then; descriptor 1 where the document goes.  Exit codes: enum
 * parser_exit.
 */
#include <errno.h>
#include <getopt.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailin/document.h"
#include "mailin/parse/parse.h"
#include "mailin/parse/sandbox.h"
#include "mailin/parse/span.h"
#include "mailin/parser.h"

enum { JOB_FD = 3, JOB_BYTES_MAX = 4 * 1024 * 1024, READ_CHUNK = 64 * 1024 };

struct options {
	bool pretty;
	bool sandbox;
};

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "mailin-parse: %s: %s\n", what, why);
	return PARSER_EXIT_RETRY;
}

/* GLib ends the process when memory is out; mailin then publishes the mail unparsed. */
static void out_of_memory(const char *domain, GLogLevelFlags level, const char *text, void *data)
{
	(void)domain;
	(void)text;
	(void)data;
	if ((level & G_LOG_LEVEL_ERROR) != 0)
		_exit(PARSER_EXIT_MEMORY);
}

static bool read_options(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{"pretty", no_argument, NULL, 'p'},
		{"no-sandbox", no_argument, NULL, 'n'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'p':
			options->pretty = true;
			break;
		case 'n':
			options->sandbox = false;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

/* At most `max` bytes; NULL with errno if there are more or reading fails. */
static GString *read_all(int fd, size_t max)
{
	GString *bytes = g_string_new(NULL);

	for (;;) {
		size_t before = bytes->len;
		g_string_set_size(bytes, before + READ_CHUNK);
		ssize_t got = read(fd, bytes->str + before, READ_CHUNK);
		g_string_set_size(bytes, before + (got > 0 ? (size_t)got : 0));
		if (got == 0)
			return bytes;
		if (got < 0 && errno == EINTR)
			continue;
		if (got > 0 && bytes->len <= max)
			continue;
		if (got > 0)
			errno = EFBIG;
		g_string_free(bytes, TRUE);
		return NULL;
	}
}

static bool read_job(struct document_job *job, struct reason *reason)
{
	GString *text = read_all(JOB_FD, JOB_BYTES_MAX);
	if (text == NULL) {
		outcome_retry(reason, "4.3.0", "%s", g_strerror(errno));
		return false;
	}
	struct wire *json = wire_parse(text->str, text->len, reason);
	g_string_free(text, TRUE);
	return json != NULL && document_job_read(json, job, reason);
}

/* Mapped if it is a file, else read.  It lives until the process ends. */
static bool get_mail(size_t max, struct span *mail, bool *mapped)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		if ((size_t)st.st_size > max) {
			errno = EFBIG;
			return false;
		}
		void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
		if (map == MAP_FAILED)
			return false;
		*mail = (struct span){map, (size_t)st.st_size};
		*mapped = true;
		return true;
	}
	GString *bytes = read_all(STDIN_FILENO, max);
	if (bytes == NULL)
		return false;
	mail->size = bytes->len;
	mail->data = g_string_free(bytes, FALSE);
	return true;
}

static bool enter_sandbox(const struct config_limits *limits, struct reason *reason)
{
	struct sandbox_limits cage = {
		.memory = limits->parse_memory,
		.cpu_ms = limits->parse_cpu,
		.output = document_size_max(limits->message_size, limits),
	};
	return sandbox_enter(&cage, reason) == OUTCOME_OK;
}

int main(int argc, char **argv)
{
	struct options options = {.sandbox = true};
	struct document_job job;
	struct reason reason = {0};
	struct span mail;
	bool mapped = false;

	if (!read_options(argc, argv, &options))
		return fail("usage", "mailin-parse [--pretty] [--no-sandbox] <mail 3<job");
	sandbox_follow_parent();
	g_log_set_default_handler(out_of_memory, NULL);
	parse_init();
	if (!read_job(&job, &reason))
		return fail("job", reason.text);
	if (!get_mail((size_t)job.limits.message_size, &mail, &mapped))
		return fail("mail", g_strerror(errno));
	if (!parse_prepare(mail.data, mail.size))
		return fail("attachments",
			    "a library cannot be loaded; see LIBRARIES in mailin(8)");
	if (options.sandbox && !enter_sandbox(&job.limits, &reason))
		return fail("sandbox", reason.text);
	parse_mail(mail.data, mail.size, &job);
	/* Read again only if the document has the raw mail; else it need not be in memory beside
	 * what is written. */
	if (mapped)
		madvise((void *)mail.data, mail.size, MADV_DONTNEED);
	if (wire_write(job.document, STDOUT_FILENO, options.pretty) != 0) {
		/* json-c's text of the document did not fit. */
		if (errno == ENOMEM)
			return PARSER_EXIT_MEMORY;
		return fail("document", g_strerror(errno));
	}
	/* The system frees faster than we do. */
	_exit(PARSER_EXIT_DONE);
}
