/*
 * For the fuzzer: parses many mails without starting a program for each.
 *
 * Reads frames from standard input, a length of four bytes (in the machine's order) and a mail, and
 * answers each with three such numbers (wait status, milliseconds of processor time, length) and
 * the document.  A child per mail: a crash is one mail's.  No sandbox, for it and the sanitizers do
 * not go together.
 */
#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailin/document.h"
#include "mailin/parse/parse.h"

enum { MS_PER_S = 1000, US_PER_MS = 1000, CPU_SECONDS = 30 };

static bool read_all(void *to, size_t size)
{
	return fread(to, 1, size, stdin) == size;
}

static bool write_all(int fd, const char *from, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, from, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		from += done;
		size -= (size_t)done;
	}
	return true;
}

static void parse(const char *mail, size_t size, int out)
{
	const struct envelope envelope = {
		.queue_id = "",
		.sender = "sender@example.com",
		.recipient = "recipient@example.com",
		.client_address = "",
		.client_name = "",
		.helo = "",
		.sasl_username = "",
		.size = (int64_t)size,
	};
	struct config *config = config_default();
	struct id id;

	id_new(&id);
	struct wire *document = document_new(&envelope, "inbound", &id, "+", 0);
	parse_prepare(mail, size);
	char believed[] = "mx.example.com";
	char *authserv_ids[] = {believed, NULL};
	const struct document_job job = {.document = document,
					 .limits = config->limits,
					 .raw = CONFIG_RAW_DEFECT,
					 .loop = "mailpipe/test",
					 .authserv_ids = authserv_ids,
					 .authserv_hops = 1};
	parse_mail(mail, size, &job);
	if (wire_write(document, out, false) != 0)
		_exit(EXIT_FAILURE);
	/* All the way down, for the sanitizer to see. */
	wire_free(&document);
	config_free(&config);
	parse_deinit();
}

static int64_t cpu_ms(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * MS_PER_S +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / US_PER_MS;
}

static bool serve(const char *mail, size_t size)
{
	int out = memfd_create("document", MFD_CLOEXEC);
	struct rusage usage;
	int status;

	if (out < 0)
		return false;
	pid_t pid = fork();
	if (pid < 0)
		return false;
	if (pid == 0) {
		struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
		setrlimit(RLIMIT_CPU, &cpu);
		parse(mail, size, out);
		_exit(EXIT_SUCCESS);
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		return false;
	off_t length = lseek(out, 0, SEEK_END);
	char *document = g_malloc((size_t)length + 1);
	uint32_t head[] = {(uint32_t)status, (uint32_t)cpu_ms(&usage), (uint32_t)length};
	bool done = pread(out, document, (size_t)length, 0) == length &&
		    write_all(STDOUT_FILENO, (const char *)head, sizeof(head)) &&
		    write_all(STDOUT_FILENO, document, (size_t)length);
	g_free(document);
	close(out);
	return done;
}

int main(void)
{
	uint32_t size;

	parse_init();
	while (read_all(&size, sizeof(size))) {
		char *mail = malloc(size > 0 ? size : 1);
		if (mail == NULL || !read_all(mail, size) || !serve(mail, size))
			return EXIT_FAILURE;
		free(mail);
	}
	return EXIT_SUCCESS;
}
