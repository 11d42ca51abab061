/*
 * LD_PRELOAD shim: whoever is about to store a value that has the text POISON in it dies of
 * SIGSEGV, each time. (poison.c: already who reads it.)
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mysql.h>

my_bool mysql_stmt_bind_param(MYSQL_STMT *stmt, MYSQL_BIND *bind)
{
	my_bool (*real)(MYSQL_STMT *, MYSQL_BIND *);
	const char *poison = getenv("POISON");
	unsigned long count = mysql_stmt_param_count(stmt);

	for (unsigned long i = 0; poison != NULL && i < count; i++)
		if (bind[i].buffer_type == MYSQL_TYPE_STRING &&
		    memmem(bind[i].buffer, bind[i].buffer_length, poison, strlen(poison)) != NULL)
			kill(getpid(), SIGSEGV);
	*(void **)&real = dlsym(RTLD_NEXT, "mysql_stmt_bind_param");
	return real(stmt, bind);
}
