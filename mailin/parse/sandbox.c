#include "mailin/parse/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "mailin/parser.h"

enum {
	MS_PER_S = 1000,
	US_PER_MS = 1000,
	/* RLIMIT_CPU is the net below the timer; it also counts what came before us. */
	CPU_MARGIN_S = 2,
};

static const char STATUS[] = "4.3.0";

#if SANDBOX_SANITIZED
/* The leak check at the end stops the process from a clone of it, by ptrace(2). */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/* ---- resource limits ---- */

static bool limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit old;

	if (getrlimit((__rlimit_resource_t)resource, &old) != 0)
		return false;
	/* A limit that is lower already stays; raising needs a privilege. */
	struct rlimit new = {.rlim_cur = MIN(soft, old.rlim_max),
			     .rlim_max = MIN(hard, old.rlim_max)};

	return setrlimit((__rlimit_resource_t)resource, &new) == 0;
}

static bool set_limits(const struct sandbox_limits *limits)
{
	rlim_t cpu_s = (rlim_t)(limits->cpu_ms / MS_PER_S + CPU_MARGIN_S);
	rlim_t output = (rlim_t)limits->output;
	rlim_t memory = SANDBOX_SANITIZED ? RLIM_INFINITY : (rlim_t)limits->memory;
	struct itimerval timer = {
		.it_value = {.tv_sec = limits->cpu_ms / MS_PER_S,
			     .tv_usec = (limits->cpu_ms % MS_PER_S) * US_PER_MS},
	};

	/* Whoever started us may have ignored them. */
	signal(SIGPROF, SIG_DFL);
	signal(SIGXCPU, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	return limit(RLIMIT_AS, memory, memory) && limit(RLIMIT_CPU, cpu_s, cpu_s + 1) &&
	       limit(RLIMIT_FSIZE, output, output) && limit(RLIMIT_CORE, 0, 0) &&
	       limit(RLIMIT_NPROC, 0, 0) && limit(RLIMIT_NOFILE, 0, 0) &&
	       setitimer(ITIMER_PROF, &timer, NULL) == 0;
}

static bool set_process(void)
{
	return prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* ---- memory ---- */

/* GLib's g_malloc() says so before it aborts; nothing else is told apart. */
static void on_glib_message(const char *domain, GLogLevelFlags level, const char *message,
			    gpointer context)
{
	(void)domain;
	(void)context;
	if (level & G_LOG_LEVEL_ERROR && strstr(message, "failed to allocate") != NULL)
		_exit(PARSER_EXIT_MEMORY);
}

/* ---- system calls ---- */

/* What glibc, GLib, GMime, libmagic, libxml2 and iconv need to compute. */
static const int ALLOWED[] = {
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(close),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(sysinfo),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* A thread that is just beginning. */
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
};

/* Refused without a death: a library that looks for a file or a terminal and finds none goes on. (A
 * charset that was not opened before the cage closed is then an unknown one.) */
static const struct {
	int call;
	int error;
} REFUSED[] = {
	{SCMP_SYS(open), EACCES},       {SCMP_SYS(openat), EACCES},
	{SCMP_SYS(stat), EACCES},       {SCMP_SYS(lstat), EACCES},
	{SCMP_SYS(newfstatat), EACCES}, {SCMP_SYS(statx), EACCES},
	{SCMP_SYS(access), EACCES},     {SCMP_SYS(faccessat), EACCES},
	{SCMP_SYS(readlink), EACCES},   {SCMP_SYS(readlinkat), EACCES},
	{SCMP_SYS(ioctl), ENOTTY},      {SCMP_SYS(fcntl), EACCES},
};

#if SANDBOX_SANITIZED
static const int SANITIZER_ALLOWED[] = {SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(prctl),
					SCMP_SYS(getrusage)};
#endif

/* 0, or a negative error number; a system call that this architecture lacks needs no rule. */
static int rule_result(int result)
{
	return result == -EDOM ? 0 : result;
}

static int add_plain_rules(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < G_N_ELEMENTS(ALLOWED); i++)
		result = rule_result(seccomp_rule_add(filter, SCMP_ACT_ALLOW, ALLOWED[i], 0));
	for (size_t i = 0; result == 0 && i < G_N_ELEMENTS(REFUSED); i++) {
		uint32_t action = SANDBOX_SANITIZED ? SCMP_ACT_ALLOW
						    : SCMP_ACT_ERRNO((unsigned)REFUSED[i].error);

		result = rule_result(seccomp_rule_add(filter, action, REFUSED[i].call, 0));
	}
#if SANDBOX_SANITIZED
	for (size_t i = 0; result == 0 && i < G_N_ELEMENTS(SANITIZER_ALLOWED); i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SANITIZER_ALLOWED[i], 0);
#endif
	return result;
}

/* Rules that look at an argument. */
static int add_checked_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	/* abort(3) */
	const struct scmp_arg_cmp to_itself = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
#if !SANDBOX_SANITIZED
	const struct scmp_arg_cmp to_output = SCMP_A0(SCMP_CMP_EQ, STDOUT_FILENO, 0);
	const struct scmp_arg_cmp to_errors = SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0);
#endif
	const struct {
		uint32_t action;
		int call;
		struct scmp_arg_cmp argument;
	} rules[] = {
		{SCMP_ACT_ALLOW, SCMP_SYS(mmap), not_executable},
		{SCMP_ACT_ALLOW, SCMP_SYS(mprotect), not_executable},
		{SCMP_ACT_ALLOW, SCMP_SYS(tgkill), to_itself},
#if !SANDBOX_SANITIZED
		{SCMP_ACT_ALLOW, SCMP_SYS(write), to_output},
		{SCMP_ACT_ALLOW, SCMP_SYS(writev), to_output},
		/* glibc's last words are lost, but its abort(3) is seen for what it is. */
		{SCMP_ACT_ERRNO(EBADF), SCMP_SYS(write), to_errors},
		{SCMP_ACT_ERRNO(EBADF), SCMP_SYS(writev), to_errors},
#endif
	};
	int result = 0;

	for (size_t i = 0; result == 0 && i < G_N_ELEMENTS(rules); i++)
		result = seccomp_rule_add_array(filter, rules[i].action, rules[i].call, 1,
						&rules[i].argument);
	return result;
}

/* 0, or a negative error number. */
static int close_cage(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int result;

	if (filter == NULL)
		return -ENOMEM;
	/* All threads, and a call by another architecture's numbers is a break-out, too. */
	if ((result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1)) == 0 &&
	    (result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) ==
		    0 &&
	    (result = add_plain_rules(filter)) == 0 && (result = add_checked_rules(filter)) == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result;
}

/* A parent that is dead already has not ended the job, and the parser gives up on that. */
void sandbox_follow_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

enum outcome sandbox_enter(const struct sandbox_limits *limits, struct reason *reason)
{
	if (!set_process() || !set_limits(limits))
		return outcome_retry(reason, STATUS, "sandbox: %s", strerror(errno));
	g_log_set_default_handler(on_glib_message, NULL);
	int result = close_cage();

	if (result != 0)
		return outcome_retry(reason, STATUS, "sandbox: seccomp: %s", strerror(-result));
	return OUTCOME_OK;
}
