#include "mailin/parser.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FD_JOB = 3,
	FD_BEHIND = 4,
	/* A shell's and the dynamic loader's words for a program that cannot be run (bash(1),
	   ld.so(8)). */
	EXIT_CANNOT_EXECUTE = 126,
	EXIT_NOT_FOUND = 127,
};

static const char STATUS[] = "4.3.0";
static const char NAME[] = "mailin-parse";

/* ".../sbin/mailin" -> ".../sbin/../libexec/mailpipe/mailin-parse"; NULL: errno. */
static char *program_path(void)
{
	char self[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (size < 0)
		return NULL;
	self[size] = '\0';
	g_autofree char *folder = g_path_get_dirname(self);

	return g_build_filename(folder, "..", "libexec", "mailpipe", NAME, NULL);
}

/* Its standard error is ours: /dev/null under pipe(8), the terminal in a dry run. */
static void set_descriptors(posix_spawn_file_actions_t *actions, int mail, int output, int job)
{
	posix_spawn_file_actions_adddup2(actions, mail, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(actions, job, FD_JOB);
	posix_spawn_file_actions_addclosefrom_np(actions, FD_BEHIND);
}

/* Every signal as if nobody had ever touched it. */
static void set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none;
	sigset_t all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* 0, or the error number. */
static int spawn(pid_t *pid, const char *path, int mail, int output, int job, bool sandbox)
{
	char *argv[] = {(char *)(uintptr_t)NAME,
			sandbox ? NULL : (char *)(uintptr_t) "--no-sandbox", NULL};
	/* Nothing of ours is its business: no LD_PRELOAD, no MAGIC, no credentials. */
	char *environment[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin",
			       (char *)(uintptr_t) "LC_ALL=C.UTF-8", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_descriptors(&actions, mail, output, job);
	set_signals(&attributes);
	int error = posix_spawn(pid, path, &actions, &attributes, argv, environment);

	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static enum outcome start_failed(const char *what, int error, struct reason *reason)
{
	return outcome_retry(reason, STATUS, "%s: %s: %s", NAME, what, strerror(error));
}

enum outcome parser_start(struct parser *parser, int mail, bool sandbox, struct reason *reason)
{
	int job[2];

	*parser = (struct parser){.pidfd = -1, .job = -1, .output = -1};
	g_autofree char *path = program_path();

	if (path == NULL)
		return start_failed("cannot find it", errno, reason);
	parser->output = memfd_create("document", MFD_CLOEXEC);
	if (parser->output < 0)
		return start_failed("no memory file for the document", errno, reason);
	if (pipe2(job, O_CLOEXEC) != 0)
		return start_failed("no pipe", errno, reason);
	int error = spawn(&parser->pid, path, mail, parser->output, job[0], sandbox);

	close(job[0]);
	parser->job = job[1];
	if (error != 0) {
		parser->pid = 0;
		return start_failed(path, error, reason);
	}
	parser->pidfd = pidfd_open(parser->pid, 0);
	if (parser->pidfd < 0)
		return start_failed("pidfd_open", errno, reason);
	return OUTCOME_OK;
}

enum outcome parser_give(struct parser *parser, const struct wire *job, struct reason *reason)
{
	/* EPIPE: it has ended already; how, its status will tell. */
	if (wire_write(job, parser->job, false) != 0 && errno != EPIPE)
		return start_failed("handing over the job", errno, reason);
	close(parser->job);
	parser->job = -1;
	return OUTCOME_OK;
}

/* False: the deadline has passed first. */
static bool wait_for_end(const struct parser *parser, struct deadline deadline)
{
	struct pollfd ended = {.fd = parser->pidfd, .events = POLLIN};

	for (;;) {
		int events = poll(&ended, 1, deadline_left_ms(deadline));

		if (events > 0)
			return true;
		if ((events < 0 && errno != EINTR) || deadline_passed(deadline))
			return false;
	}
}

static int reap(struct parser *parser)
{
	int status = 0;

	while (waitpid(parser->pid, &status, 0) < 0 && errno == EINTR)
		;
	parser->pid = 0;
	return status;
}

/* Not the mail's doing: the machine is being stopped, or somebody means us. */
static bool is_request_to_stop(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT;
}

static enum parser_result killed(int number, char **defect, struct reason *reason)
{
	if (is_request_to_stop(number)) {
		outcome_retry(reason, STATUS, "%s was stopped by a signal", NAME);
		return PARSER_RETRY;
	}
	switch (number) {
	case SIGXCPU:
	case SIGPROF:
		*defect = g_strdup("parser exceeded its time");
		break;
	case SIGXFSZ:
		*defect = g_strdup("parser exceeded its output");
		break;
	default:
		*defect =
			g_strdup_printf("parser killed by SIG%s",
					sigabbrev_np(number) != NULL ? sigabbrev_np(number) : "RT");
	}
	return PARSER_FAILED;
}

static enum parser_result exited(int code, char **defect, struct reason *reason)
{
	switch (code) {
	case PARSER_EXIT_DONE:
		return PARSER_DONE;
	case PARSER_EXIT_RETRY:
	case EXIT_CANNOT_EXECUTE:
	case EXIT_NOT_FOUND:
		outcome_retry(reason, STATUS, "%s: exit status %d", NAME, code);
		return PARSER_RETRY;
	case PARSER_EXIT_MEMORY:
		*defect = g_strdup("parser exceeded its memory");
		return PARSER_FAILED;
	default:
		*defect = g_strdup_printf("parser ended with status %d", code);
		return PARSER_FAILED;
	}
}

/* Not the whole grammar: that is the consumer's to check, who has to anyway. */
static bool looks_like_a_document(const char *text, size_t size)
{
	return size >= 2 && text[0] == '{' && text[size - 1] == '}';
}

static enum parser_result collect_output(struct parser *parser, size_t size_max, char **defect,
					 struct reason *reason)
{
	struct stat info;

	if (fstat(parser->output, &info) != 0) {
		start_failed("its output", errno, reason);
		return PARSER_RETRY;
	}
	if (info.st_size <= 0 || (size_t)info.st_size > size_max) {
		*defect = g_strdup(info.st_size > 0 ? "parser exceeded its output"
						    : "parser wrote nothing");
		return PARSER_FAILED;
	}
	size_t size = (size_t)info.st_size;
	void *document = mmap(NULL, size, PROT_READ, MAP_PRIVATE, parser->output, 0);

	if (document == MAP_FAILED) {
		start_failed("mapping its output", errno, reason);
		return PARSER_RETRY;
	}
	parser->document = document;
	parser->document_size = size;
	if (looks_like_a_document(document, size))
		return PARSER_DONE;
	*defect = g_strdup("parser wrote no document");
	return PARSER_FAILED;
}

enum parser_result parser_collect(struct parser *parser, struct deadline deadline, size_t size_max,
				  char **defect, struct reason *reason)
{
	if (!wait_for_end(parser, deadline)) {
		kill(parser->pid, SIGKILL);
		(void)reap(parser);
		*defect = g_strdup("parser exceeded its time");
		return PARSER_FAILED;
	}
	int status = reap(parser);
	enum parser_result result = WIFSIGNALED(status)
					    ? killed(WTERMSIG(status), defect, reason)
					    : exited(WEXITSTATUS(status), defect, reason);

	if (result != PARSER_DONE)
		return result;
	return collect_output(parser, size_max, defect, reason);
}

void parser_close(struct parser *parser)
{
	if (parser->pid > 0) {
		kill(parser->pid, SIGKILL);
		(void)reap(parser);
	}
	if (parser->document != NULL)
		munmap((void *)(uintptr_t)parser->document, parser->document_size);
	const int fds[] = {parser->pidfd, parser->job, parser->output};

	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	*parser = (struct parser){.pidfd = -1, .job = -1, .output = -1};
}
