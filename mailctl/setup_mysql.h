/*
 * The database's part of `mailctl setup`: database, migrations, addresses, users and their rights.
 */
#ifndef MAILCTL_SETUP_MYSQL_H
#define MAILCTL_SETUP_MYSQL_H

#include "common/config.h"
#include "common/outcome.h"
#include "mailctl/report.h"

typedef void setup_say(const char *what, const char *done, void *context);

/* user, password: of who may do all that.  Tells each step as "database mailpipe", "created".  Findings
 * about the server's settings go to the report. */
enum outcome setup_mysql(const struct config *config, const char *user, const char *password,
			 struct report *report, setup_say *say, void *context,
			 struct reason *reason);

#endif
