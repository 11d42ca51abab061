/*
 * LD_PRELOAD shim: the process is killed (SIGKILL) at one library call, once.
 *
 *	DIE_AT=commit		instead of COMMIT
 *	DIE_AT=committed	after COMMIT, before anything else
 *	DIE_AT=ack		instead of basic.ack
 *	DIE_CALL=2		not at the first call of that kind, but at the second
 *	DIE_ONCE=FILE	only who can delete this file dies
 *	DIE_SIGNAL=2		another signal, which it may survive
 *	DIE_RUN=COMMAND	instead of dying, run this and go on
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <amqp.h>
#include <mysql.h>

static void die_at(const char *place)
{
	const char *wanted = getenv("DIE_AT");
	const char *file = getenv("DIE_ONCE");
	const char *call = getenv("DIE_CALL");
	static int calls;

	if (wanted == NULL || file == NULL || strcmp(wanted, place) != 0)
		return;
	const char *command = getenv("DIE_RUN");
	const char *signal = getenv("DIE_SIGNAL");

	if (++calls < (call != NULL ? atoi(call) : 1) || unlink(file) != 0)
		return;
	if (command == NULL) {
		kill(getpid(), signal != NULL ? atoi(signal) : SIGKILL);
		return;
	}
	unsetenv("LD_PRELOAD");
	if (system(command) != 0)
		kill(getpid(), SIGKILL);
}

int mysql_real_query(MYSQL *mysql, const char *sql, unsigned long size)
{
	int (*real)(MYSQL *, const char *, unsigned long);
	int result;

	*(void **)&real = dlsym(RTLD_NEXT, "mysql_real_query");
	if (strncmp(sql, "COMMIT", size) != 0)
		return real(mysql, sql, size);
	die_at("commit");
	result = real(mysql, sql, size);
	die_at("committed");
	return result;
}

int amqp_send_method(amqp_connection_state_t state, amqp_channel_t channel, amqp_method_number_t id,
		     void *decoded)
{
	int (*real)(amqp_connection_state_t, amqp_channel_t, amqp_method_number_t, void *);

	*(void **)&real = dlsym(RTLD_NEXT, "amqp_send_method");
	if (id == AMQP_BASIC_ACK_METHOD)
		die_at("ack");
	return real(state, channel, id, decoded);
}
