/*
 * What an error of the server (ER_...) or the client library (CR_...) means for the data at hand.
 */
#ifndef COMMON_DB_ERROR_H
#define COMMON_DB_ERROR_H

#include <stdbool.h>

#include "common/outcome.h"

struct db_error {
	unsigned int code;
	enum outcome outcome;
	bool lost;          /* the connection is of no more use */
	bool not_committed; /* as the answer to COMMIT it is sure that nothing was committed */
	const char *hint;   /* what the operator can do, or NULL */
};

/* A code that is not in the table is RETRY; client library errors of that kind lose the connection.
 */
struct db_error db_error_of(unsigned int code);

#endif
