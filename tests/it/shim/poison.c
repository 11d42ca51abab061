/*
 * LD_PRELOAD shim: whoever parses JSON that has the text POISON in it dies of SIGSEGV, each time.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct json_object;
struct json_tokener;

struct json_object *json_tokener_parse_ex(struct json_tokener *tokener, const char *text, int size)
{
	struct json_object *(*real)(struct json_tokener *, const char *, int);
	const char *poison = getenv("POISON");

	if (poison != NULL && size > 0 &&
	    memmem(text, (size_t)size, poison, strlen(poison)) != NULL)
		kill(getpid(), SIGSEGV);
	*(void **)&real = dlsym(RTLD_NEXT, "json_tokener_parse_ex");
	return real(tokener, text, size);
}
