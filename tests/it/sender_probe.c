/*
 * The sender module by hand: reads commands from standard input, one a line, and prints the results
 *that come. tests/it/sender-*.t tell it what to do against servers of all kinds.
 *
 *	start CONFIG			a sender
 *	send FROM TO[,TO ...] FILE	hand over a message; they are numbered from 1
 *	make FROM TO[,TO ...] SIZE COUNT	hand over COUNT messages of that size
 *	results COUNT [MS]		wait for so many results and print them
 *	count COUNT [MS]		the same, but print only how many were in which state
 *	finish, stop MS, kill SIGNAL, sleep MS, system COMMAND
 *	bench CONFIG SENDERS SIZE COUNT	messages a second, on standard output
 */
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/stop.h"
#include "mailout/sender.h"

enum {
	ARGUMENTS_MAX = 5,
	WAIT_MS = 20000,
	TICK_MS = 200,
	LINE = 76,
	STATES = 4,
	SENDERS_MAX = 16,
	MS_PER_S = 1000
};

struct probe {
	struct config *config;
	struct sender *sender;
	uint32_t sent;
	bool gone;
	bool finishing; /* so its end is none too early */
};

static const char *const state_names[] = {"ok", "deferred", "failed", "in-doubt"};

static void number_id(struct id *id, uint32_t number)
{
	memset(id, 0, sizeof(*id));
	memcpy(id->byte, &number, sizeof(number));
}

static uint32_t id_number(const struct id *id)
{
	uint32_t number;

	memcpy(&number, id->byte, sizeof(number));
	return number;
}

static struct config *load(const char *file)
{
	struct reason reason;
	struct config *config = config_load(file, &reason);

	if (config == NULL) {
		printf("config: %s\n", reason.text);
		exit(EXIT_FAILURE);
	}
	return config;
}

static void run_start(struct probe *probe, char **arguments)
{
	struct reason reason;

	sender_stop(&probe->sender, deadline_in(0));
	config_free(&probe->config);
	probe->config = load(arguments[0]);
	probe->sender = sender_start(probe->config, &reason);
	probe->gone = false;
	probe->finishing = false;
	if (probe->sender == NULL)
		printf("no sender: %s %s\n", reason.status, reason.text);
}

static void hand_over(struct probe *probe, struct sender *sender, char **arguments,
		      const char *message, size_t size)
{
	g_auto(GStrv) recipients = g_strsplit(arguments[1], ",", -1);
	g_autofree char *from = g_strcompress(arguments[0]);
	struct id id;

	for (char **r = recipients; *r != NULL; r++) {
		char *raw = g_strcompress(*r);

		g_free(*r);
		*r = raw;
	}
	number_id(&id, ++probe->sent);
	sender_send(sender, &id, from, (const char *const *)recipients, g_strv_length(recipients),
		    message, size);
}

static void run_send(struct probe *probe, char **arguments)
{
	g_autofree char *message = NULL;
	gsize size;

	if (!g_file_get_contents(arguments[2], &message, &size, NULL)) {
		printf("cannot read %s\n", arguments[2]);
		exit(EXIT_FAILURE);
	}
	hand_over(probe, probe->sender, arguments, message, size);
}

static GString *make_message(size_t size)
{
	GString *message = g_string_new("Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
					"From: <from@sender.test>\r\n"
					"To: <to@sender.test>\r\n"
					"Message-ID: <1@sender.test>\r\n"
					"Subject: made\r\n"
					"\r\n");

	while (message->len + 2 < size) {
		size_t length = MIN(LINE, size - message->len - 2);

		for (size_t i = 0; i < length; i++)
			g_string_append_c(message, 'x');
		g_string_append(message, "\r\n");
	}
	return message;
}

static void run_make(struct probe *probe, char **arguments)
{
	g_autoptr(GString) message = make_message((size_t)atol(arguments[2]));

	for (int i = atoi(arguments[3]); i > 0; i--)
		hand_over(probe, probe->sender, arguments, message->str, message->len);
}

static void print_result(const struct sent *sent)
{
	for (size_t i = 0; i < sent->recipient_count; i++) {
		const struct sent_recipient *r = &sent->recipients[i];

		printf("%u %s %s %s %d %s|%s\n", id_number(&sent->id),
		       sent->tried ? "tried" : "untried", r->email, state_names[r->state], r->code,
		       r->status, r->reply);
	}
}

static void wait_a_moment(struct sender *sender)
{
	struct pollfd fd = {.fd = sender_fd(sender), .events = POLLIN};

	if (sender_wants_write(sender))
		fd.events |= POLLOUT;
	(void)poll(&fd, 1, TICK_MS);
}

static int collect(struct probe *probe, char **arguments, int *states)
{
	int wanted = atoi(arguments[0]);
	struct deadline until = deadline_in(arguments[1] != NULL ? atoi(arguments[1]) : WAIT_MS);
	int got = 0;
	struct sent sent;
	struct reason reason;

	while (got < wanted && !deadline_passed(until)) {
		if (!sender_pump(probe->sender, &reason) && !probe->gone && !probe->finishing) {
			printf("gone %s %s\n", reason.status, reason.text);
			probe->gone = true;
		}
		while (got < wanted && sender_result(probe->sender, &sent)) {
			got++;
			if (states == NULL)
				print_result(&sent);
			for (size_t i = 0; states != NULL && i < sent.recipient_count; i++)
				states[sent.recipients[i].state]++;
			sent_clear(&sent);
		}
		if (got < wanted)
			wait_a_moment(probe->sender);
	}
	return got;
}

static void run_results(struct probe *probe, char **arguments)
{
	int got = collect(probe, arguments, NULL);

	if (got < atoi(arguments[0]))
		printf("%d results, %zu pending\n", got, sender_pending(probe->sender));
}

static void run_count(struct probe *probe, char **arguments)
{
	int states[STATES] = {0};
	int got = collect(probe, arguments, states);

	printf("%d:", got);
	for (int i = 0; i < STATES; i++) {
		if (states[i] > 0)
			printf(" %d %s", states[i], state_names[i]);
	}
	puts("");
}

static void run_finish(struct probe *probe, char **arguments)
{
	(void)arguments;
	probe->finishing = true;
	sender_finish(probe->sender);
}

static void run_stop(struct probe *probe, char **arguments)
{
	int64_t begun = monotonic_ms();

	sender_stop(&probe->sender, deadline_in(atoi(arguments[0])));
	printf("stopped %s\n",
	       monotonic_ms() - begun < atoi(arguments[0]) ? "in time" : "at the deadline");
}

/* The child of this process, whichever it is. */
static void run_kill(struct probe *probe, char **arguments)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", (int)getpid());
	g_autofree char *children = NULL;

	(void)probe;
	if (!g_file_get_contents(path, &children, NULL, NULL) || atoi(children) <= 0)
		puts("no child");
	else
		kill(atoi(children), atoi(arguments[0]));
}

static void run_sleep(struct probe *probe, char **arguments)
{
	(void)probe;
	g_usleep((gulong)atoi(arguments[0]) * MS_PER_S);
}

static void run_system(struct probe *probe, char **arguments)
{
	(void)probe;
	if (system(arguments[0]) != 0)
		puts("failed");
}

/* Keep it busy.  The number of results that came, or -1 when something failed. */
static int bench_turn(struct probe *probe, struct sender *sender, const GString *message, int *left)
{
	char *arguments[] = {(char *)(uintptr_t) "from@sender.test",
			     (char *)(uintptr_t) "to@sender.test"};
	int got = 0;
	struct sent sent;
	struct reason reason;

	for (; *left > 0 && sender_pending(sender) < SENDER_JOBS_AHEAD; (*left)--)
		hand_over(probe, sender, arguments, message->str, message->len);
	if (!sender_pump(sender, &reason))
		return -1;
	while (sender_result(sender, &sent)) {
		bool good = sent.recipients[0].state == SENT_OK;

		if (!good)
			print_result(&sent);
		sent_clear(&sent);
		if (!good)
			return -1;
		got++;
	}
	return got;
}

static void run_bench(struct probe *probe, char **arguments)
{
	struct config *config = load(arguments[0]);
	int senders = MIN(atoi(arguments[1]), SENDERS_MAX);
	int count = atoi(arguments[3]);
	g_autoptr(GString) message = make_message((size_t)atol(arguments[2]));
	struct sender *sender[SENDERS_MAX] = {NULL};
	struct pollfd fds[SENDERS_MAX];
	int64_t begun = monotonic_ms();
	int left = count;
	int got = 0;

	for (int i = 0; i < senders; i++)
		sender[i] = sender_start(config, NULL);
	while (got < count) {
		for (int i = 0; i < senders; i++) {
			int turn = bench_turn(probe, sender[i], message, &left);

			if (turn < 0)
				exit(EXIT_FAILURE);
			got += turn;
			fds[i] = (struct pollfd){.fd = sender_fd(sender[i]), .events = POLLIN};
			if (sender_wants_write(sender[i]))
				fds[i].events |= POLLOUT;
		}
		if (got < count)
			(void)poll(fds, (nfds_t)senders, TICK_MS);
	}
	int64_t took = MAX(monotonic_ms() - begun, 1);

	printf("%lld\n", (long long)count * MS_PER_S / (long long)took);
	for (int i = 0; i < senders; i++)
		sender_stop(&sender[i], deadline_in(WAIT_MS));
	config_free(&config);
}

static const struct {
	const char *name;
	int arguments;
	void (*run)(struct probe *probe, char **arguments);
} commands[] = {
	{"start", 1, run_start},     {"send", 3, run_send},   {"make", 4, run_make},
	{"results", 1, run_results}, {"count", 1, run_count}, {"finish", 0, run_finish},
	{"stop", 1, run_stop},       {"kill", 1, run_kill},   {"sleep", 1, run_sleep},
	{"system", 1, run_system},   {"bench", 4, run_bench},
};

static bool run_line(struct probe *probe, const char *line)
{
	g_auto(GStrv) words = NULL;
	char *arguments[ARGUMENTS_MAX + 1] = {NULL};
	int count;

	if (!g_shell_parse_argv(line, &count, &words, NULL) || count > ARGUMENTS_MAX + 1)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		if (strcmp(words[0], commands[i].name) != 0 || count - 1 < commands[i].arguments)
			continue;
		for (int j = 1; j < count; j++)
			arguments[j - 1] = words[j];
		commands[i].run(probe, arguments);
		fflush(stdout);
		return true;
	}
	return false;
}

int main(void)
{
	struct probe probe = {.sent = 0};
	g_autofree char *line = NULL;
	size_t size = 0;

	stop_init();
	while (getline(&line, &size, stdin) > 0) {
		g_strchomp(line);
		if (line[0] != '\0' && !run_line(&probe, line)) {
			printf("what? %s\n", line);
			return EXIT_FAILURE;
		}
	}
	sender_stop(&probe.sender, deadline_in(WAIT_MS));
	config_free(&probe.config);
	return EXIT_SUCCESS;
}
