/*
 * A mailin-parse for tests: enters the real sandbox with the job's limits and then does what the
 *mail's first line tells it to.
 *
 *	hold FILE	before the sandbox: create FILE, then wait for it to be deleted
 *	exit N, kill N, spin, sleep, memory, flood, garbage, nothing, half, descriptors
 *	anything else	write the document of the job as it is
 */
#include <dirent.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailin/document.h"
#include "mailin/parse/sandbox.h"
#include "mailin/parser.h"

enum { JOB_MAX = 1024 * 1024, FD_JOB = 3, WORD_MAX = 256, POLL_US = 10000, MB = 1024 * 1024 };

static char word[WORD_MAX];
static char argument[WORD_MAX];

static void say(const char *text)
{
	size_t size = strlen(text);

	/* Short at the limit of the output, deadly beyond it. */
	while (size > 0) {
		ssize_t written = write(STDOUT_FILENO, text, size);

		if (written < 0)
			_exit(EXIT_FAILURE);
		text += written;
		size -= (size_t)written;
	}
}

static struct wire *read_job(struct config_limits *limits)
{
	char *text = g_malloc(JOB_MAX);
	size_t size = 0;
	ssize_t got;
	struct reason reason;
	struct document_job told;

	while ((got = read(FD_JOB, text + size, JOB_MAX - size)) > 0)
		size += (size_t)got;
	struct wire *job = wire_parse(text, size, &reason);

	if (job == NULL || !document_job_read(job, &told, &reason))
		exit(PARSER_EXIT_RETRY);
	*limits = told.limits;
	return job;
}

static void hold(void)
{
	int fd = open(argument, O_WRONLY | O_CREAT, 0666);

	if (fd < 0)
		exit(PARSER_EXIT_RETRY);
	close(fd);
	while (access(argument, F_OK) == 0)
		usleep(POLL_US);
}

/* The numbers of all open descriptors, and how many variables the environment has. */
static void list_descriptors(void)
{
	GString *text = g_string_new("{\"Open\":\"");
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	int variables = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (*entry->d_name != '.' && atoi(entry->d_name) != dirfd(folder))
			g_string_append_printf(text, "%s ", entry->d_name);
	}
	for (char **variable = environ; *variable != NULL; variable++)
		variables++;
	g_string_append_printf(text, "\",\"Variables\":%d}", variables);
	say(text->str);
	_exit(EXIT_SUCCESS);
}

static void misbehave(void)
{
	if (strcmp(word, "exit") == 0)
		_exit(atoi(argument));
	if (strcmp(word, "kill") == 0) {
		/* A sanitizer would catch it. */
		signal(atoi(argument), SIG_DFL);
		raise(atoi(argument));
	}
	while (strcmp(word, "spin") == 0)
		;
	while (strcmp(word, "memory") == 0) {
		/* Kept, or the compiler takes the call away. */
		static char *volatile memory;

		memory = g_malloc(MB);
		*memory = 1;
	}
	while (strcmp(word, "flood") == 0)
		say("{\"flood\":\"................................................................"
		    "\"}");
	if (strcmp(word, "garbage") == 0)
		say("Segmentation fault\n");
	else if (strcmp(word, "half") == 0)
		say("{\"MessageID\":");
	else if (strcmp(word, "nothing") != 0)
		return;
	_exit(EXIT_SUCCESS);
}

int main(void)
{
	struct config_limits limits;
	struct reason reason;
	char line[2 * WORD_MAX] = "";

	sandbox_follow_parent();
	struct wire *job = read_job(&limits);
	struct sandbox_limits cage = {.memory = limits.parse_memory,
				      .cpu_ms = limits.parse_cpu,
				      .output = document_size_max(limits.message_size, &limits)};

	if (pread(STDIN_FILENO, line, sizeof(line) - 1, 0) > 0)
		sscanf(line, "%255s %255s", word, argument);
	if (strcmp(word, "hold") == 0)
		hold();
	if (strcmp(word, "descriptors") == 0)
		list_descriptors();
	while (strcmp(word, "sleep") == 0)
		pause();
	if (sandbox_enter(&cage, &reason) != OUTCOME_OK)
		return PARSER_EXIT_RETRY;
	misbehave();
	if (wire_write(wire_get_object(job, "Document"), STDOUT_FILENO, false) != 0)
		return PARSER_EXIT_RETRY;
	_exit(PARSER_EXIT_DONE);
}
