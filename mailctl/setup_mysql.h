/*
 * The database's part of `mailctl setup`: database, migrations, addresses, users and their rights.
 */
#ifndef MAILCTL_SETUP_MYSQL_H
#define MAILCTL_SETUP_MYSQL_H

#include "common/config.h"
#include "common/outcome.h"
#include "mailctl/report.h"

typedef void setup_say(const char *what, const char *done, void *context);

struct setup_mysql {
	const struct config *config;
	const char *socket; /* NULL: as the config says */
	const char *user;   /* who may do all that */
	const char *password;
	struct report *report; /* for findings about rights and the server's settings */
	setup_say *say;        /* each step: "database mailpipe", "created" */
	void *context;
};

enum outcome setup_mysql(const struct setup_mysql *setup, struct reason *reason);

#endif
