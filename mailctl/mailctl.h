/*
 * The subcommands of mailctl: a source file each.
 */
#ifndef MAILCTL_MAILCTL_H
#define MAILCTL_MAILCTL_H

#include <stdarg.h>
#include <stdbool.h>

#include "common/config.h"
#include "common/outcome.h"

/* Exit statuses, sysexits.h(3head)'s where it has one; EXIT_ATTENTION is of status alone. */
enum {
	EXIT_FINE = 0,
	EXIT_WRONG = 1,
	EXIT_ATTENTION = 2,
	EXIT_BAD_USAGE = 64,
	EXIT_BAD_CONFIG = 78,
	EXIT_INTERRUPTED = 130 /* as a shell says it of SIGINT */
};

struct command {
	const char *name;
	const char *summary;
	const char *options; /* help text: lines of options, or "" */
	/* Options and arguments after the command's name, argv[0] being that name. */
	int (*run)(int argc, char **argv, const char *config_file);
};

int command_address(int argc, char **argv, const char *config_file);
int command_check(int argc, char **argv, const char *config_file);
int command_dead(int argc, char **argv, const char *config_file);
int command_config(int argc, char **argv, const char *config_file);
int command_send(int argc, char **argv, const char *config_file);
int command_preview(int argc, char **argv, const char *config_file);
int command_purge(int argc, char **argv, const char *config_file);
int command_quarantine(int argc, char **argv, const char *config_file);
int command_retry(int argc, char **argv, const char *config_file);
int command_render(int argc, char **argv, const char *config_file);
int command_status(int argc, char **argv, const char *config_file);
int command_setup(int argc, char **argv, const char *config_file);
int command_export(int argc, char **argv, const char *config_file);
int command_show(int argc, char **argv, const char *config_file);
int command_trace(int argc, char **argv, const char *config_file);
int command_watch(int argc, char **argv, const char *config_file);

extern const char address_options[];
extern const char setup_options[];
extern const char check_options[];
extern const char config_options[];
extern const char dead_options[];
extern const char retry_options[];
extern const char send_options[];
extern const char preview_options[];
extern const char purge_options[];
extern const char quarantine_options[];
extern const char render_options[];
extern const char export_options[];
extern const char show_options[];
extern const char trace_options[];
extern const char status_options[];
extern const char watch_options[];

/* For a command that may be cut off at any instant: the first signal is heeded by stop_requested(),
 * the second one ends it at once (EXIT_INTERRUPTED).  False: that cannot be had, and is told. */
bool mailctl_may_be_interrupted(void);

/* Load the config or say on standard error what is wrong with it (NULL: exit EXIT_BAD_CONFIG). */
struct config *mailctl_config(const char *config_file);

/* A line of the running command on standard error: "mailctl: COMMAND: " and the text.  Returns
 * false. */
bool mailctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mailctl_vcomplain(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* getopt_long(3) has said what is wrong; add where help is.  Returns EXIT_BAD_USAGE. */
int mailctl_usage(const char *command);

#endif
