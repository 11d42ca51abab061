/*
 * The cage of the process that parses a stranger's MIME: from here on it can only compute, read
 * what it has open, write to its output and leave.
 */
#ifndef MAILIN_PARSE_SANDBOX_H
#define MAILIN_PARSE_SANDBOX_H

#include <stdint.h>

#include "common/outcome.h"

/* A sanitizer reserves terabytes, and reads and reports as it likes: the sandbox then has holes. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

struct sandbox_limits {
	int64_t memory; /* bytes of address space */
	int64_t cpu_ms; /* processor time; SIGXCPU or SIGPROF at the end, which kill */
	int64_t output; /* bytes that may be written to one file */
};

/* From now on the process dies with its parent.  To be called first of all. */
void sandbox_follow_parent(void);

/*
 * Resource limits, no_new_privs, then a seccomp allow-list with kill as the answer to all else.
 * What needs files, threads or a large stack (mmap(2) still works) is done before. GLib's failure
 * to allocate becomes _exit(PARSER_EXIT_MEMORY). RETRY if the kernel refuses any of it: nothing may
 * be parsed then, and the exit is PARSER_EXIT_RETRY.
 */
enum outcome sandbox_enter(const struct sandbox_limits *limits, struct reason *reason);

#endif
